//! Statements that list rows page by page, put together from the filters that are set.

use std::fmt::Write;

use domain::access::Visibility;

use crate::Value;

/// A `SELECT` that grows conditions.
pub(crate) struct List<'a> {
    sql: String,
    params: Vec<Value<'a>>,
    conditions: usize,
}

impl<'a> List<'a> {
    /// Begins with everything before `WHERE`.
    pub(crate) fn new(select: &str) -> Self {
        Self {
            sql: select.to_owned(),
            params: Vec::new(),
            conditions: 0,
        }
    }

    /// Adds a condition without a parameter.
    pub(crate) fn and(mut self, condition: &str) -> Self {
        self.sql.push_str(if self.conditions == 0 {
            " WHERE "
        } else {
            " AND "
        });
        self.sql.push_str(condition);
        self.conditions += 1;
        self
    }

    /// Adds a condition, `?` being the value, if there is a value.
    pub(crate) fn and_if(mut self, condition: &str, value: Option<impl Into<Value<'a>>>) -> Self {
        let Some(value) = value else {
            return self;
        };
        self.params.push(value.into());
        let numbered = condition.replace('?', &format!("${}", self.params.len()));
        self.and(&numbered)
    }

    /// Adds the condition that the owner in `column` is one whose objects are seen.
    pub(crate) fn visible(self, column: &str, visibility: &'a Visibility) -> Self {
        self.visible_by(&format!("{column} IN (?)"), visibility)
    }

    /// Adds a condition for those who do not see everything, `?` being the teams they see.
    pub(crate) fn visible_by(mut self, condition: &str, visibility: &'a Visibility) -> Self {
        let Visibility::Teams(teams) = visibility else {
            return self;
        };
        if teams.is_empty() {
            return self.and("1 = 0");
        }
        let mut places = String::with_capacity(teams.len() * 5);
        for (place, team) in teams.iter().enumerate() {
            self.params.push(team.as_str().into());
            let comma = if place == 0 { "" } else { ", " };
            let _ = write!(places, "{comma}${}", self.params.len());
        }
        self.and(&condition.replace('?', &places))
    }

    /// Adds a condition with a `?` for each of the values.
    pub(crate) fn and_values(mut self, condition: &str, values: Vec<Value<'a>>) -> Self {
        let mut numbered = condition.to_owned();
        for value in values {
            self.params.push(value);
            numbered = numbered.replacen('?', &format!("${}", self.params.len()), 1);
        }
        self.and(&numbered)
    }

    /// Adds what comes behind the conditions, and how many rows at most.
    pub(crate) fn limit(mut self, order: &str, limit: u32) -> (String, Vec<Value<'a>>) {
        self.params.push(limit.into());
        // Writing to a String cannot fail.
        let _ = write!(self.sql, " {order} LIMIT ${}", self.params.len());
        (self.sql, self.params)
    }

    /// Without order or limit.
    #[cfg(test)]
    pub(crate) fn all(self) -> (String, Vec<Value<'a>>) {
        (self.sql, self.params)
    }
}

/// `$1, $2, …` for so many parameters.
pub(crate) fn placeholders(count: usize) -> String {
    let mut text = String::with_capacity(count * 5);
    for number in 1..=count {
        let comma = if number == 1 { "" } else { ", " };
        let _ = write!(text, "{comma}${number}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_filters_that_are_set_appear() {
        let (sql, params) = List::new("SELECT id FROM a")
            .and("x IS NULL")
            .and_if("b = ?", None::<i64>)
            .and_if("c BETWEEN ? AND ? + 9", Some(7))
            .and_if("id < ?", Some("i"))
            .limit("ORDER BY id DESC", 10);
        assert_eq!(
            sql,
            "SELECT id FROM a WHERE x IS NULL AND c BETWEEN $1 AND $1 + 9 AND id < $2 \
             ORDER BY id DESC LIMIT $3"
        );
        assert_eq!(params, [Value::from(7), Value::from("i"), Value::from(10)]);
    }

    #[test]
    fn who_sees_some_teams_is_shown_theirs_and_who_sees_none_nothing() {
        let team: domain::id::TeamId = format!("team_{:0>26}", 1).parse().unwrap();
        let some = Visibility::Teams([team.clone()].into());
        let none = Visibility::Teams(std::collections::BTreeSet::new());
        let sql = |visibility| List::new("S").visible("team_id", visibility).all();
        assert_eq!(sql(&Visibility::All), ("S".to_owned(), vec![]));
        let (text, params) = sql(&some);
        assert_eq!(text, "S WHERE team_id IN ($1)");
        assert_eq!(params, [Value::from(team.as_str())]);
        assert_eq!(sql(&none).0, "S WHERE 1 = 0");
    }

    #[test]
    fn placeholders_count_from_one() {
        assert_eq!(placeholders(3), "$1, $2, $3");
        assert_eq!(placeholders(0), "");
    }
}
