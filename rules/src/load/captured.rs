//! What closures capture is copied, and can be changed neither inside of a closure nor, from then on, outside of it.
//!
//! Rhai shares a captured variable between the script and its closures. That lets a script make rings that are never
//! freed and chains so long that freeing them overflows the stack, and lets a closure wait for a lock that the function
//! which called it holds. Copies can do nothing of that. What would silently change a copy is refused.

use super::budget::Budget;
use super::draft::Mistake;
use super::host::Raised;
use rhai::{AST, ASTNode, Dynamic, Engine, EvalAltResult, EvalContext, Expr, FnPtr, ImmutableString, Position, Stmt};

/// How deep arrays, maps and captured variables may be inside of each other.
const NESTED_MAX: usize = 32;
/// How many items a value may have in all, those captured by closures in it included.
const ITEMS_MAX: usize = 8_192;
/// So many bytes of text weigh as much as an item.
const BYTES_OF_AN_ITEM: usize = 64;
/// Copying so many captured items counts as an operation.
const ITEMS_OF_AN_OPERATION: usize = 16;

/// Methods that change what they are called on.
const CHANGING: [&str; 20] = [
    "append",
    "chop",
    "clear",
    "crop",
    "dedup",
    "drain",
    "fill_with",
    "insert",
    "mixin",
    "pad",
    "pop",
    "push",
    "remove",
    "replace",
    "retain",
    "reverse",
    "set",
    "shift",
    "sort",
    "truncate",
];

/// Looks at each variable before a script reads or changes it.
pub(super) fn guard(engine: &mut Engine, budget: &Budget) {
    let budget = budget.clone();
    #[allow(deprecated, reason = "marked so only because it may change in Rhai's next version")]
    engine.on_var(move |name, index, context| look(&budget, name, index, &context));
}

/// A captured variable, which Rhai has made a shared one, is read as a copy; that also makes it one that cannot be
/// changed. All others stay as they are.
fn look(budget: &Budget, name: &str, index: usize, context: &EvalContext) -> Raised<Option<Dynamic>> {
    let scope = context.scope();
    let found = match index {
        0 => scope.get(name),
        _ => scope.iter_raw().nth(index - 1).map(|(_, _, value)| value),
    };
    let Some(value) = found else { return Ok(None) };
    let captured = value.is_shared();
    if !captured && !has_parts(value) {
        return Ok(None);
    }
    let copy = if captured { value.flatten_clone() } else { Dynamic::UNIT };
    let mut weight = Weight::default();
    if !weight.add(if captured { &copy } else { value }, 0) {
        let what = format!("`{name}`, with all that is in it");
        return Err(EvalAltResult::ErrorDataTooLarge(what, Position::NONE).into());
    }
    if captured || weight.closures {
        budget.charge((weight.items / ITEMS_OF_AN_OPERATION) as u64);
    }
    Ok(captured.then_some(copy))
}

fn has_parts(value: &Dynamic) -> bool {
    value.is_array() || value.is_map() || value.is_fnptr()
}

/// What Rhai's own limits do not see: depth, and what closures hold.
#[derive(Default)]
struct Weight {
    items: usize,
    closures: bool,
}

impl Weight {
    /// False when it is too much.
    fn add(&mut self, value: &Dynamic, level: usize) -> bool {
        self.items += 1;
        if !has_parts(value) {
            self.items += value.as_immutable_string_ref().map_or(0, |text| text.len() / BYTES_OF_AN_ITEM);
            return true;
        }
        if level >= NESTED_MAX {
            return false;
        }
        if let Ok(items) = value.as_array_ref() {
            return self.add_all(items.iter(), level);
        }
        if let Ok(fields) = value.as_map_ref() {
            return self.add_all(fields.values(), level);
        }
        self.closures = true;
        value.read_lock::<FnPtr>().is_none_or(|closure| self.add_all(closure.curry().iter(), level))
    }

    fn add_all<'a>(&mut self, values: impl Iterator<Item = &'a Dynamic>, level: usize) -> bool {
        for value in values {
            if self.items > ITEMS_MAX || !self.add(value, level + 1) {
                return false;
            }
        }
        true
    }
}

/// A closure in a script: where its statements are, and what it captures. Of a single one, without braces, Rhai knows
/// no end.
struct Capture {
    start: Position,
    end: Position,
    names: Vec<ImmutableString>,
}

/// Every place where a closure changes what it captured, which would be lost.
pub(super) fn lost_changes(ast: &AST) -> Vec<(Position, Mistake)> {
    let (mut captures, mut changes) = (vec![], vec![]);
    ast.walk(&mut |path| {
        match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, _))) if call.name == "curry" => {
                captures.extend(capture(ast, &call.args));
            }
            Some(node) => changes.extend(changed(node).map(|(at, name)| (path[0].position(), at, name))),
            None => {}
        }
        true
    });
    let lost = |(statement, _, name): &(Position, Position, ImmutableString)| {
        captures.iter().any(|capture| capture.contains(*statement) && capture.names.contains(name))
    };
    changes.into_iter().filter(lost).map(|(_, at, name)| (at, copied(&name))).collect()
}

impl Capture {
    fn contains(&self, statement: Position) -> bool {
        statement == self.start || self.start < statement && statement <= self.end
    }
}

fn copied(name: &str) -> Mistake {
    Mistake::new(format!("closures get a copy of `{name}`, so changing it in one is lost"))
        .help("write `for item in list { .. }`, or `list.reduce(|sum, item| sum + item, 0)`")
}

/// Rhai makes `|| x` a function of `x` and hands it over with `curry`.
fn capture(ast: &AST, args: &[Expr]) -> Option<Capture> {
    let (Expr::DynamicConstant(function, _), captured) = args.split_first()? else { return None };
    let function = function.read_lock::<FnPtr>()?.fn_name().to_owned();
    let body = &ast.iter_fn_def().find(|f| f.name == function)?.body;
    let names = captured.iter().filter_map(variable).collect();
    Some(Capture { start: body.start_position(), end: body.end_position(), names })
}

/// The variable that this node changes.
fn changed(node: &ASTNode) -> Option<(Position, ImmutableString)> {
    let (root, at) = match node {
        ASTNode::Stmt(Stmt::Assignment(parts)) => (&parts.1.lhs, parts.1.lhs.start_position()),
        ASTNode::Expr(Expr::Dot(chain, ..) | Expr::Index(chain, ..)) if is_changing(&chain.rhs) => {
            (&chain.lhs, chain.lhs.start_position())
        }
        _ => return None,
    };
    Some((at, variable(first_of(root))?))
}

fn variable(expression: &Expr) -> Option<ImmutableString> {
    match expression {
        Expr::Variable(parts, ..) => Some(parts.1.clone()),
        _ => None,
    }
}

/// `a` in `a.b[0].c`.
fn first_of(chain: &Expr) -> &Expr {
    match chain {
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => first_of(&parts.lhs),
        other => other,
    }
}

/// Whether the first method after a variable, behind properties and indexes of it, changes it.
fn is_changing(chain: &Expr) -> bool {
    match chain {
        Expr::MethodCall(call, _) => CHANGING.contains(&&*call.name),
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) if matches!(parts.lhs, Expr::MethodCall(..)) => {
            is_changing(&parts.lhs)
        }
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => is_changing(&parts.rhs),
        _ => false,
    }
}
