//! Conditions of a search: how to check a certificate for one, and where one finds those that fit it.

use crate::Value;

/// A piece of SQL with a `?` for each of its values.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    pub(super) sql: String,
    pub(super) values: Vec<Value<'a>>,
}

/// One condition.
#[derive(Clone, Debug)]
pub(super) struct Condition<'a> {
    /// What is true of a row of `certificates` that fits.
    pub(super) check: Part<'a>,
    /// Where those that fit are found without looking at the others.
    pub(super) source: Option<Source<'a>>,
    /// Whether all that the source gives fits; if not, what it gives is checked as well.
    pub(super) is_exact: bool,
}

/// A statement that gives the column `certificate_id` by way of an index.
#[derive(Clone, Debug)]
pub(super) struct Source<'a> {
    pub(super) select: Part<'a>,
    /// Whether each id comes once and the index has them in their order.
    pub(super) is_ordered: bool,
}

impl<'a> Part<'a> {
    pub(super) fn new(sql: &str, values: impl Into<Vec<Value<'a>>>) -> Self {
        Self {
            sql: sql.to_owned(),
            values: values.into(),
        }
    }
}

impl<'a> Condition<'a> {
    pub(super) fn check(sql: &str, values: impl Into<Vec<Value<'a>>>) -> Self {
        Self {
            check: Part::new(sql, values),
            source: None,
            is_exact: true,
        }
    }

    pub(super) fn found_by(mut self, source: Source<'a>) -> Self {
        self.source = Some(source);
        self
    }

    /// Like [`found_by`](Self::found_by), where the source also gives some that do not fit.
    pub(super) fn found_among(mut self, source: Source<'a>) -> Self {
        self.is_exact = false;
        self.found_by(source)
    }
}

impl<'a> Source<'a> {
    pub(super) fn ordered(sql: &str, values: impl Into<Vec<Value<'a>>>) -> Self {
        Self {
            select: Part::new(sql, values),
            is_ordered: true,
        }
    }

    pub(super) fn unordered(sql: &str, values: impl Into<Vec<Value<'a>>>) -> Self {
        Self {
            select: Part::new(sql, values),
            is_ordered: false,
        }
    }
}

/// A statement put together from parts, its values numbered as they come.
#[derive(Default)]
pub(super) struct Statement<'a> {
    sql: String,
    values: Vec<Value<'a>>,
    has_condition: bool,
}

impl<'a> Statement<'a> {
    pub(super) fn add(mut self, part: Part<'a>) -> Self {
        let mut rest = part.sql.as_str();
        for value in part.values {
            self.values.push(value);
            let (before, after) = rest.split_once('?').unwrap_or((rest, ""));
            self.sql.push_str(before);
            self.sql.push('$');
            self.sql.push_str(&self.values.len().to_string());
            rest = after;
        }
        self.sql.push_str(rest);
        self
    }

    pub(super) fn text(mut self, sql: &str) -> Self {
        self.sql.push_str(sql);
        self
    }

    /// One more condition behind `WHERE`.
    pub(super) fn and(mut self, part: Part<'a>) -> Self {
        self.sql.push_str(match self.has_condition {
            true => " AND ",
            false => " WHERE ",
        });
        self.has_condition = true;
        self.text("(").add(part).text(")")
    }

    /// The checks of all conditions but the one at `except`, if its source is exact.
    pub(super) fn and_checks(self, conditions: &[Condition<'a>], except: Option<usize>) -> Self {
        conditions
            .iter()
            .enumerate()
            .filter(|(index, condition)| Some(*index) != except || !condition.is_exact)
            .fold(self, |statement, (_, condition)| {
                statement.and(condition.check.clone())
            })
    }

    pub(super) fn finish(self) -> (String, Vec<Value<'a>>) {
        (self.sql, self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_become_one_statement_with_numbered_values() {
        let conditions = [
            Condition::check("a = ? OR b < ?", [1.into(), 2.into()]),
            Condition::check("c", []),
            Condition::check("d = ?", ["x".into()]),
        ];
        let (sql, values) = Statement::default()
            .text("SELECT id FROM (")
            .add(Part::new("SELECT ?", [Value::from(0)]))
            .text(") AS s")
            .and_checks(&conditions, Some(1))
            .text(" LIMIT 1")
            .finish();
        assert_eq!(
            sql,
            "SELECT id FROM (SELECT $1) AS s WHERE (a = $2 OR b < $3) AND (d = $4) LIMIT 1"
        );
        assert_eq!(values, [0.into(), 1.into(), 2.into(), Value::from("x")]);
    }
}
