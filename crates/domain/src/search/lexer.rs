//! Terms of a query with their places.

use std::str::FromStr;

use super::SearchFault;

/// How field and value belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `field:value`
    Has,
    /// `field=value`, of metadata
    Equals,
    /// `field~value`
    Contains,
    /// `field<value`
    Before,
    /// `field>value`
    After,
}

/// One term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) field: Option<String>,
    pub(super) operator: Operator,
    pub(super) value: String,
    /// Where the term begins, in characters from 1.
    pub(super) at: usize,
    /// Where its value begins.
    pub(super) value_at: usize,
}

impl Token {
    pub(super) fn fault(&self, message: String) -> SearchFault {
        SearchFault::new(self.at, message)
    }

    pub(super) fn value_fault(&self, message: String) -> SearchFault {
        SearchFault::new(self.value_at, message)
    }

    pub(super) fn parse<T: FromStr<Err: ToString>>(&self) -> Result<T, SearchFault> {
        let parsed = self.value.parse();
        parsed.map_err(|error: T::Err| self.value_fault(error.to_string()))
    }
}

/// All terms, in their order.
pub(super) fn tokens(query: &str) -> Result<Vec<Token>, SearchFault> {
    let characters: Vec<char> = query.chars().collect();
    let mut cursor = Cursor {
        characters: &characters,
        place: 0,
    };
    let mut tokens = Vec::new();
    while cursor.skip_spaces() {
        tokens.push(cursor.token()?);
    }
    Ok(tokens)
}

struct Cursor<'a> {
    characters: &'a [char],
    place: usize,
}

impl Cursor<'_> {
    /// Goes to the next term; says whether there is one.
    fn skip_spaces(&mut self) -> bool {
        while self.peek().is_some_and(char::is_whitespace) {
            self.place += 1;
        }
        self.peek().is_some()
    }

    fn token(&mut self) -> Result<Token, SearchFault> {
        let at = self.place + 1;
        let (field, operator) = match self.field() {
            Some((field, operator)) => (Some(field), operator),
            None => (None, Operator::Has),
        };
        let value_at = self.place + 1;
        let value = match self.peek() {
            Some('"') => self.quoted()?,
            Some(_) | None => self.word()?,
        };
        if value.is_empty() {
            let message = "a value is missing; a text without one goes into quotes".to_owned();
            return Err(SearchFault::new(value_at, message));
        }
        Ok(Token {
            field,
            operator,
            value,
            at,
            value_at,
        })
    }

    /// A name and the sign behind it, if that is what comes next.
    fn field(&mut self) -> Option<(String, Operator)> {
        let rest = self.characters.get(self.place..)?;
        let is_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let length = rest.iter().take_while(|c| is_name(c)).count();
        let operator = match rest.get(length)? {
            ':' => Operator::Has,
            '=' => Operator::Equals,
            '~' => Operator::Contains,
            '<' => Operator::Before,
            '>' => Operator::After,
            _ => return None,
        };
        if length == 0 || !rest.first()?.is_ascii_alphabetic() {
            return None;
        }
        self.place += length + 1;
        Some((rest.iter().take(length).collect(), operator))
    }

    fn word(&mut self) -> Result<String, SearchFault> {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| !c.is_whitespace()) {
            if c == '"' {
                let message = "a quote begins in the middle of a word".to_owned();
                return Err(SearchFault::new(self.place + 1, message));
            }
            word.push(c);
            self.place += 1;
        }
        Ok(word)
    }

    fn quoted(&mut self) -> Result<String, SearchFault> {
        let begin = self.place + 1;
        self.place += 1;
        let mut text = String::new();
        loop {
            let next = self.peek();
            self.place += 1;
            match next {
                None => {
                    let message = "the quote that begins here does not end".to_owned();
                    return Err(SearchFault::new(begin, message));
                }
                Some('"') => break,
                // A backslash makes a quote or another backslash part of the text.
                Some('\\') => match self.peek() {
                    Some(c @ ('"' | '\\')) => {
                        text.push(c);
                        self.place += 1;
                    }
                    Some(_) | None => text.push('\\'),
                },
                Some(c) => text.push(c),
            }
        }
        match self.peek().is_none_or(char::is_whitespace) {
            true => Ok(text),
            false => {
                let message = "a space is missing behind the quote".to_owned();
                Err(SearchFault::new(self.place + 1, message))
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.place).copied()
    }
}
