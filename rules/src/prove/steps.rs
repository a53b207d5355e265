//! Steps after which nothing runs, branches that never do, and closures that do nothing.

use super::conditions::{Want, cases};
use super::dead::Told;
use super::findings::{At, Findings, Kind};
use super::parts::{Contradiction, contradiction, parts_of};
use super::writes::jump_over;
use crate::plan::{Clause, Condition, Doing, Plan, SceneIx, Step};
use crate::scripts::Closure;
use rhai::{AST, ASTFlags, ASTNode, Expr, Stmt};
use std::collections::HashMap;

/// Which closures of the scripts call a function. Asked for each only once: a loop makes many scenes with one.
pub(super) struct Closures<'a> {
    asts: &'a [AST],
    known: HashMap<(usize, String), bool>,
}

impl<'a> Closures<'a> {
    pub(super) fn new(asts: &'a [AST]) -> Self {
        Closures { asts, known: HashMap::new() }
    }

    /// Whether a closure calls a function, operators left out. What it calculates itself is lost.
    fn calls_anything(&mut self, closure: &Closure) -> bool {
        let name = closure.call.fn_name();
        let key = (closure.script, name.to_owned());
        let asts = self.asts;
        *self.known.entry(key).or_insert_with(|| asts.get(closure.script).is_none_or(|ast| calls_anything(ast, name)))
    }
}

fn calls_anything(ast: &AST, name: &str) -> bool {
    let mut body = ast.clone_functions_only();
    body.retain_functions(|_, _, found, _| found == name);
    let mut found = !body.has_functions();
    body.walk(&mut |path: &[ASTNode<'_>]| {
        found |= path.last().is_some_and(is_call);
        !found
    });
    found
}

fn is_call(node: &ASTNode<'_>) -> bool {
    match node {
        ASTNode::Stmt(Stmt::FnCall(call, _)) => call.op_token.is_none(),
        ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)) => call.op_token.is_none(),
        // `throw` ends the run, and that may be all that is wanted.
        ASTNode::Stmt(Stmt::Return(_, flags, _)) => flags.contains(ASTFlags::BREAK),
        _ => false,
    }
}

/// Says which steps of a scene do not do what they seem to.
pub(super) fn steps(
    plan: &Plan,
    closures: &mut Closures<'_>,
    ix: SceneIx,
    told: &mut Told,
    findings: &mut Findings<'_>,
) {
    let scene = plan.scene(ix);
    if scene.then.is_empty() && scene.otherwise.is_empty() {
        let message = format!("scene `{}` does nothing: its `then` is empty", scene.name);
        findings.warn(ix, Kind::Nothing, message, "write what it does, or take it out");
    }
    for program in [&scene.then, &scene.otherwise] {
        for (at, step) in program.steps.iter().enumerate() {
            match &step.doing {
                Doing::If { condition, otherwise } => {
                    let has_else = jump_over(&program.steps, at, *otherwise).is_some();
                    branch(plan, ix, (step, condition, has_else), told, findings);
                }
                Doing::WaitFor { wait, may_fail, .. } => {
                    let clause = &plan.waits[wait.0 as usize];
                    wait_for(plan, ix, (step, clause, *may_fail), told, findings);
                }
                Doing::Run(closure) => run(closures, ix, step, closure, findings),
                _ => {}
            }
        }
    }
}

fn branch(
    plan: &Plan,
    ix: SceneIx,
    (step, clause, has_otherwise): (&Step, &Clause, bool),
    told: &mut Told,
    findings: &mut Findings<'_>,
) {
    if let Some(found) = never(plan, &clause.condition) {
        let message = format!("the steps of this `if_true` never run: {}", found.text());
        findings.warn_at(ix, place(step), Kind::Branch, message, found.help());
        told.extend(found.parts);
    } else if cases(plan, &clause.condition, Want::False).is_empty() {
        let rest = match has_otherwise {
            true => "its `otherwise` runs only while a value is missing",
            false => "it decides nothing",
        };
        let message = format!("`{}` is always true: {rest}", clause.text);
        findings.warn_at(ix, place(step), Kind::Branch, message, "write its steps without `if_true`");
        told.insert(clause.text.to_string());
    }
}

fn wait_for(
    plan: &Plan,
    ix: SceneIx,
    (step, clause, may_fail): (&Step, &Clause, bool),
    told: &mut Told,
    findings: &mut Findings<'_>,
) {
    let Some(found) = never(plan, &clause.condition) else { return };
    let rest = match may_fail {
        true => "it always waits as long as it may",
        false => "nothing behind this `wait_for` can run",
    };
    findings.warn_at(ix, place(step), Kind::Wait, format!("{rest}: {}", found.text()), found.help());
    told.extend(found.parts);
}

fn never(plan: &Plan, condition: &Condition) -> Option<Contradiction> {
    let mut parts = vec![];
    parts_of(plan, condition, Want::True, &mut parts);
    contradiction(plan, &parts)
}

fn run(closures: &mut Closures<'_>, ix: SceneIx, step: &Step, closure: &Closure, findings: &mut Findings<'_>) {
    if !closures.calls_anything(closure) {
        let message = "this closure does nothing: it calls no function".to_owned();
        findings.warn_at(ix, place(step), Kind::Nothing, message, "write `run(|| emit(set(device, property, value)))`");
    }
}

fn place(step: &Step) -> At {
    (step.line, step.column)
}
