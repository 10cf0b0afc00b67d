//! Rules in the Common Expression Language, for what the members of a profile cannot say.
//!
//! An expression sees the final content of the certificate and who asks for it. It is compiled once,
//! bounded in size and in the steps it can take, and whatever goes wrong in it refuses the request.

mod bounds;
mod facts;

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use cel::{Context, Env, ExecutionError, Program, Value};
use pki::certificate::CertificateContent;
use serde::{Deserialize, Serialize};

use super::{Case, Fault, Ledger, Violation};
use facts::Facts;

/// A condition that must hold, and what to tell whoever does not meet it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    pub expression: String,
    /// What a requester is told where it does not hold.
    pub message: String,
    #[serde(skip)]
    compiled: OnceLock<Option<Arc<Program>>>,
}

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionFault {
    /// `expression` or `message`.
    pub member: &'static str,
    /// The character at fault, counted from 0, where that can be told.
    pub offset: Option<usize>,
    pub message: String,
}

impl ExpressionFault {
    fn new(offset: Option<usize>, message: impl Into<String>) -> Self {
        Self {
            member: "expression",
            offset,
            message: message.into(),
        }
    }
}

impl Expression {
    /// The rule that was written so.
    pub fn new(expression: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            expression: expression.into(),
            message: message.into(),
            compiled: OnceLock::new(),
        }
    }

    /// Everything that keeps the rule from being used, for requests of at most `names` names.
    pub fn faults(&self, names: usize) -> Vec<ExpressionFault> {
        let mut faults = Vec::new();
        if self.message.trim().is_empty() || self.message.len() > MAX_MESSAGE {
            faults.push(ExpressionFault {
                member: "message",
                offset: None,
                message: "must say in 1 to 500 octets what the requester should change".to_owned(),
            });
        }
        match compile(&self.expression) {
            Err(fault) => faults.push(fault),
            Ok(program) => {
                faults.extend(bounds::faults(&program, names));
                if faults.is_empty() {
                    faults.extend(rehearse(&program));
                }
            }
        }
        faults
    }

    /// Whether the condition holds. An error is as good as a no.
    fn holds(&self, context: &Context<'_, '_>) -> Result<bool, String> {
        let program = self
            .compiled
            .get_or_init(|| compile(&self.expression).ok().map(Arc::new))
            .as_ref()
            .ok_or("the expression is not well-formed")?;
        match program.execute(context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Err("the expression gives no truth value".to_owned()),
            Err(error) => Err(explain(&error)),
        }
    }
}

/// Every expression of the profile, on what would be signed.
pub(super) fn rules(case: &Case<'_>, content: &CertificateContent, ledger: &mut Ledger) {
    let expressions = &case.spec.expressions;
    if expressions.is_empty() {
        return ledger.not_applicable("expressions", || "the profile has none".to_owned());
    }
    let context = Facts::of(case, content).into_context();
    for (position, rule) in expressions.iter().enumerate() {
        let name = format!("expressions[{position}]");
        match rule.holds(&context) {
            Ok(true) => ledger.passed(&name, || format!("`{}` holds", rule.expression)),
            Ok(false) => ledger.failed(
                Violation::new(name, Fault::Request, rule.message.clone())
                    .fix(format!("the rule is `{}`", rule.expression)),
            ),
            Err(error) => ledger.failed(
                Violation::new(
                    name,
                    Fault::Request,
                    format!(
                        "{} (the rule `{}` cannot be evaluated: {error})",
                        rule.message, rule.expression
                    ),
                )
                .fix("give what the rule looks at, or have the profile's author mend it"),
            ),
        }
    }
}

fn compile(source: &str) -> Result<Program, ExpressionFault> {
    if source.trim().is_empty() {
        return Err(ExpressionFault::new(None, "the expression is empty"));
    }
    if source.len() > MAX_SOURCE {
        return Err(ExpressionFault::new(
            None,
            "the expression is longer than 2000 octets; split it into several",
        ));
    }
    if let Some(offset) = too_deep(source) {
        return Err(ExpressionFault::new(
            Some(offset),
            "the expression is nested too deeply; split it into several",
        ));
    }
    on_a_deep_stack(|| ENVIRONMENT.compile(source))?.map_err(|errors| {
        let first = errors.errors.first();
        let offset = first.and_then(|error| offset(source, error.pos));
        let message = first.map_or("it cannot be read", |error| error.msg.as_str());
        let short: String = message.chars().take(200).collect();
        ExpressionFault::new(
            offset,
            format!("the expression is not well-formed: {short}"),
        )
    })
}

/// The compiler goes as deep as the text does, on a stack that ends. Where the text goes too deep:
/// brackets within brackets, signs before signs, conditions within conditions.
fn too_deep(source: &str) -> Option<usize> {
    let (mut brackets, mut signs, mut conditions) = (0_usize, 0_usize, 0_usize);
    for (position, character) in source.chars().enumerate() {
        match character {
            '(' | '[' | '{' => brackets += 1,
            ')' | ']' | '}' => brackets = brackets.saturating_sub(1),
            '?' => conditions += 1,
            _ => {}
        }
        match character {
            '!' | '-' => signs += 1,
            blank if blank.is_whitespace() => {}
            _ => signs = 0,
        }
        if brackets.max(signs).max(conditions) > MAX_DEPTH {
            return Some(position);
        }
    }
    None
}

/// The compiler descends with frames of many kilobytes; a stack of its own keeps what is nested
/// within the limit from ending the process.
fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, ExpressionFault> {
    let failed = || ExpressionFault::new(None, "the expression cannot be compiled now; try again");
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map_err(|_| failed())?
            .join()
            .map_err(|_| failed())
    })
}

/// The compiler counts lines and columns from 1.
fn offset(source: &str, (line, column): (isize, isize)) -> Option<usize> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let column = usize::try_from(column).ok()?.checked_sub(1)?;
    let before: usize = source
        .split_inclusive('\n')
        .take(line)
        .map(|text| text.chars().count())
        .sum();
    Some((before + column).min(source.chars().count()))
}

/// Evaluates the expression on made-up facts: what never works is found before anybody asks.
fn rehearse(program: &Program) -> Option<ExpressionFault> {
    let context = Facts::sample().into_context();
    match program.execute(&context) {
        Ok(Value::Bool(_)) => None,
        Ok(_) => Some(ExpressionFault::new(
            None,
            "the expression gives no truth value; compare its result with something",
        )),
        // Metadata, attributes and names differ from request to request.
        Err(ExecutionError::NoSuchKey(_) | ExecutionError::IndexOutOfBounds(_)) => None,
        Err(error) => Some(ExpressionFault::new(None, explain(&error))),
    }
}

fn explain(error: &ExecutionError) -> String {
    let text = match error {
        ExecutionError::NoSuchKey(key) => format!("there is no `{key}`"),
        other => other.to_string(),
    };
    text.chars().take(200).collect()
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({})", self.expression)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression && self.message == other.message
    }
}

/// The standard functions and nothing of ours: expressions cannot reach anything.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

const MAX_SOURCE: usize = 2000;
const MAX_DEPTH: usize = 16;
const STACK: usize = 64 << 20;
const MAX_MESSAGE: usize = 500;

#[cfg(test)]
mod tests;
