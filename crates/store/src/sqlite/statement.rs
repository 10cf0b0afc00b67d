//! Preparing, binding and running one statement on an SQLite connection.

use rusqlite::{CachedStatement, Connection};

use crate::{Row, StoreError, Value};

/// Runs a statement and answers how many rows it changed.
pub(crate) fn execute(
    connection: &mut Connection,
    sql: &str,
    params: &[Value<'_>],
) -> Result<u64, StoreError> {
    let changed = bound(connection, sql, params)?.raw_execute()?;
    Ok(changed as u64)
}

/// Runs a statement and collects its rows.
pub(crate) fn query(
    connection: &mut Connection,
    sql: &str,
    params: &[Value<'_>],
) -> Result<Vec<Row>, StoreError> {
    let mut statement = bound(connection, sql, params)?;
    let mut rows = statement.raw_query();
    let mut collected = Vec::new();
    while let Some(row) = rows.next()? {
        collected.push(Row::from_sqlite(row)?);
    }
    Ok(collected)
}

/// Runs a statement and hands its rows on one by one.
pub(crate) fn for_each<E: From<StoreError>>(
    connection: &mut Connection,
    sql: &str,
    params: &[Value<'_>],
    mut each: impl FnMut(&Row) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement = bound(connection, sql, params)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        each(&Row::from_sqlite(row)?)?;
    }
    Ok(())
}

/// A cached statement with its parameters bound by the number in their name.
///
/// SQLite numbers `$2 … $1` in order of appearance; the name says which value is meant.
pub(super) fn bound<'c>(
    connection: &'c Connection,
    sql: &str,
    params: &[Value<'_>],
) -> Result<CachedStatement<'c>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    if statement.parameter_count() != params.len() {
        return Err(StoreError::Statement(format!(
            "{} parameters given, {} wanted by: {sql}",
            params.len(),
            statement.parameter_count()
        )));
    }
    for index in 1..=params.len() {
        let number = statement
            .parameter_name(index)
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|digits| digits.parse::<usize>().ok());
        let Some(value) = number.and_then(|number| params.get(number.checked_sub(1)?)) else {
            return Err(StoreError::Statement(format!(
                "parameters are $1, $2, … in: {sql}"
            )));
        };
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(statement)
}
