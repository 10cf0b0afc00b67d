//! How much an expression can do at most, found from its text: a loop runs over a list no longer than
//! a request can make it, so the product of nested loops bounds the steps.

use cel::Program;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue};

use super::ExpressionFault;
use super::facts::VARIABLES;
use crate::pattern::Pattern;

/// What makes the expression too dear, or names what is not there.
pub(super) fn faults(program: &Program, names: usize) -> Vec<ExpressionFault> {
    let mut survey = Survey {
        program,
        bound: Vec::new(),
        additions: 0,
        faults: Vec::new(),
    };
    survey.look(program.expression());
    if survey.additions > MAX_ADDITIONS {
        survey.faults.push(ExpressionFault::new(
            None,
            format!("the expression adds more than {MAX_ADDITIONS} times; split it"),
        ));
        return survey.faults;
    }
    // Each addition may double a list.
    let longest = (names.max(SHORTEST) as u64) << survey.additions;
    if steps(program.expression(), longest) > MAX_STEPS {
        survey.faults.push(ExpressionFault::new(
            None,
            "the expression could take too many steps; nest fewer loops, or lower names.max",
        ));
    }
    survey.faults
}

/// Walks the expression with the names that loops have bound so far.
struct Survey<'a> {
    program: &'a Program,
    bound: Vec<&'a str>,
    additions: u32,
    faults: Vec<ExpressionFault>,
}

impl<'a> Survey<'a> {
    fn look(&mut self, node: &'a IdedExpr) {
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => self.identifier(node, name),
            Expr::Select(select) => self.look(&select.operand),
            Expr::Call(call) => self.call(node, call),
            Expr::List(list) => list.elements.iter().for_each(|element| self.look(element)),
            Expr::Map(map) => self.entries(map.entries.iter().map(|entry| &entry.expr)),
            Expr::Struct(_) => self.refuse(node, "there are no messages to make here"),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
        }
    }

    fn entries(&mut self, entries: impl Iterator<Item = &'a EntryExpr>) {
        for entry in entries {
            match entry {
                EntryExpr::StructField(field) => self.look(&field.value),
                EntryExpr::MapEntry(entry) => {
                    self.look(&entry.key);
                    self.look(&entry.value);
                }
            }
        }
    }

    fn identifier(&mut self, node: &IdedExpr, name: &str) {
        let is_known = VARIABLES.contains(&name)
            || TYPES.contains(&name)
            || self.bound.contains(&name)
            || name.starts_with('@');
        if !is_known {
            let text = format!(
                "there is no variable `{name}`; there are {}",
                VARIABLES.join(", ")
            );
            self.refuse(node, text);
        }
    }

    fn call(&mut self, node: &'a IdedExpr, call: &'a CallExpr) {
        let name = call.func_name.as_str();
        let is_operator = name.starts_with(['_', '!', '-', '@']);
        if !is_operator && !FUNCTIONS.contains(&name) {
            self.refuse(
                node,
                format!(
                    "there is no function `{name}`; there are {}",
                    FUNCTIONS.join(", ")
                ),
            );
        }
        if name == "_+_" && joins(call) {
            self.additions += 1;
        }
        if name == "matches" {
            self.regular_expression(node, call);
        }
        call.target.iter().for_each(|target| self.look(target));
        call.args.iter().for_each(|argument| self.look(argument));
    }

    /// Compiled with every look, so it has to be there to be judged, and small.
    fn regular_expression(&mut self, node: &IdedExpr, call: &CallExpr) {
        let Some(Expr::Literal(LiteralValue::String(source))) =
            call.args.last().map(|argument| &argument.expr)
        else {
            return self.refuse(node, "write the regular expression of `matches` as a text");
        };
        if let Err(error) = Pattern::new(source.inner()).check() {
            self.refuse(node, error.message);
        }
    }

    fn comprehension(&mut self, loops: &'a ComprehensionExpr) {
        self.look(&loops.iter_range);
        self.look(&loops.accu_init);
        let before = self.bound.len();
        self.bound.push(&loops.iter_var);
        self.bound.push(&loops.accu_var);
        self.bound.extend(loops.iter_var2.as_deref());
        self.look(&loops.loop_cond);
        self.look(&loops.loop_step);
        self.look(&loops.result);
        self.bound.truncate(before);
    }

    fn refuse(&mut self, node: &IdedExpr, message: impl Into<String>) {
        let start = self.program.source_info().offset_for(node.id);
        let offset = start.and_then(|(start, _)| usize::try_from(start).ok());
        self.faults.push(ExpressionFault::new(offset, message));
    }
}

/// Whether an addition may double what there is. What `map` and `filter` do with their own result
/// does not, nor does a literal that is put before or behind something.
fn joins(call: &CallExpr) -> bool {
    call.args.iter().all(|argument| match &argument.expr {
        Expr::Ident(name) => !name.starts_with('@'),
        Expr::Literal(_) => false,
        _ => true,
    })
}

/// The steps an evaluation takes at most, where no list is longer than `longest`.
fn steps(node: &IdedExpr, longest: u64) -> u64 {
    let all = |nodes: &mut dyn Iterator<Item = &IdedExpr>| {
        nodes.fold(0_u64, |sum, node| sum.saturating_add(steps(node, longest)))
    };
    let inner = match &node.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) | Expr::Struct(_) => 0,
        Expr::Select(select) => steps(&select.operand, longest),
        Expr::Call(call) => {
            let own = match call.func_name.as_str() {
                "matches" => STEPS_OF_MATCHES,
                // Equality and membership look at every element.
                "_==_" | "_!=_" | "@in" | "_+_" if joins(call) => longest / 8,
                _ => 0,
            };
            own.saturating_add(all(&mut call.target.iter().map(|target| &**target)))
                .saturating_add(all(&mut call.args.iter()))
        }
        Expr::List(list) => all(&mut list.elements.iter()),
        Expr::Map(map) => map.entries.iter().fold(0, |sum, entry| match &entry.expr {
            EntryExpr::StructField(field) => steps(&field.value, longest).saturating_add(sum),
            EntryExpr::MapEntry(entry) => steps(&entry.key, longest)
                .saturating_add(steps(&entry.value, longest))
                .saturating_add(sum),
        }),
        Expr::Comprehension(loops) => {
            let rounds = match &loops.iter_range.expr {
                Expr::List(list) => list.elements.len() as u64,
                _ => longest,
            };
            let round =
                steps(&loops.loop_cond, longest).saturating_add(steps(&loops.loop_step, longest));
            all(&mut [&loops.iter_range, &loops.accu_init, &loops.result].into_iter())
                .saturating_add(rounds.saturating_mul(round))
        }
    };
    inner.saturating_add(1)
}

/// Types may be compared with: `type(team) == string`.
const TYPES: [&str; 10] = [
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
];
/// The standard functions that an expression may call.
const FUNCTIONS: [&str; 15] = [
    "bool",
    "bytes",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "timestamp",
    "type",
    "uint",
];
/// Also of what is no list of names: attributes, metadata.
const SHORTEST: usize = 64;
const MAX_ADDITIONS: u32 = 8;
/// A fraction of a second.
const MAX_STEPS: u64 = 1_000_000;
const STEPS_OF_MATCHES: u64 = 500;
