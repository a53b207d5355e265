//! Formulas: one Rhai expression of time, chance and other points. No statements, no loops, no text of unknown length.

use edgeway_sdk::{Problem, Value, did_you_mean};
use rhai::{AST, ASTNode, Dynamic, Engine, EvalAltResult, Expr, OptimizationLevel, Position, Scope};
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

const OPERATIONS_MAX: u64 = 1_000;
const DEPTH_MAX: usize = 32;
const TEXT_BYTES_MAX: usize = 1_024;

/// What a formula may call, and with how many arguments.
const FUNCTIONS: [(&str, usize); 15] = [
    ("sin", 1),
    ("cos", 1),
    ("tan", 1),
    ("atan2", 2),
    ("exp", 1),
    ("ln", 1),
    ("sqrt", 1),
    ("abs", 1),
    ("floor", 1),
    ("ceil", 1),
    ("round", 1),
    ("min", 2),
    ("max", 2),
    ("clamp", 3),
    ("choose", 3),
];

/// The names that every formula knows.
pub(crate) const BUILT_IN: [&str; 5] = ["t", "unix", "noise", "gaussian", "PI"];

/// An expression, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Formula {
    text: Arc<str>,
    ast: Arc<AST>,
    names: BTreeSet<String>,
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Formula {
    /// Compiles an expression.
    ///
    /// # Errors
    /// The first mistake, with the place of its character.
    pub(crate) fn compile(text: &str) -> Result<Self, Problem> {
        if text.len() > TEXT_BYTES_MAX {
            let message = format!("{} bytes are too long for a formula", text.len());
            return Err(Problem::key("formula", message).help(format!("at most {TEXT_BYTES_MAX}")));
        }
        let ast = ENGINE
            .compile_expression(text)
            .map_err(|error| wrong(error.position(), error.err_type()).help("one expression, 20 + 5 * sin(t / 60)"))?;
        let names = names(&ast)?;
        Ok(Formula { text: text.into(), ast: ast.into(), names })
    }

    /// The names in it that are not [`BUILT_IN`]: those of points.
    pub(crate) fn points(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str).filter(|name| !BUILT_IN.contains(name))
    }

    /// Its value; `value_of` knows every name in it.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn value(&self, value_of: impl Fn(&str) -> Option<Value>) -> Result<Value, String> {
        let mut scope = Scope::new();
        for name in &self.names {
            let value = value_of(name).and_then(dynamic).ok_or_else(|| format!("`{name}` has no value"))?;
            scope.push_constant_dynamic(name.clone(), value);
        }
        let value: Dynamic = ENGINE.eval_ast_with_scope(&mut scope, &self.ast).map_err(|error| error.to_string())?;
        from_dynamic(&value).ok_or_else(|| format!("a formula cannot be a {}", value.type_name()))
    }
}

/// The names of an expression, unless something in it has no place in a formula.
fn names(ast: &AST) -> Result<BTreeSet<String>, Problem> {
    let mut names = BTreeSet::new();
    let mut found = None;
    ast.walk(&mut |path| {
        let Some(ASTNode::Expr(expression)) = path.last() else { return true };
        found = refused(expression);
        if let Expr::Variable(name, _, _) = expression {
            names.insert(name.1.to_string());
        }
        found.is_none()
    });
    found.map_or(Ok(names), Err)
}

fn refused(expression: &Expr) -> Option<Problem> {
    match expression {
        Expr::BoolConstant(..) | Expr::IntegerConstant(..) | Expr::FloatConstant(..) | Expr::StringConstant(..) => None,
        Expr::Variable(name, _, position) if !name.2.is_empty() => Some(wrong(*position, "names have no `::`")),
        Expr::Variable(..) | Expr::And(..) | Expr::Or(..) => None,
        Expr::FnCall(call, _) if call.op_token.is_some() => None,
        Expr::FnCall(call, position) => match FUNCTIONS.iter().find(|(name, _)| *name == call.name) {
            None => {
                let problem = wrong(*position, format!("unknown function `{}`", call.name));
                Some(problem.maybe_help(did_you_mean(&call.name, FUNCTIONS.map(|(name, _)| name))))
            }
            Some((name, takes)) if *takes != call.args.len() => {
                let message = format!("`{name}` takes {takes} arguments, not {}", call.args.len());
                Some(wrong(*position, message))
            }
            Some(_) => None,
        },
        other => {
            let problem = wrong(other.start_position(), "this has no place in a formula");
            Some(problem.help("numbers, texts, names, operators and functions"))
        }
    }
}

fn wrong(position: Position, what: impl std::fmt::Display) -> Problem {
    let place = match (position.line(), position.position()) {
        (Some(1), Some(at)) => format!("at character {at}: "),
        (Some(line), Some(at)) => format!("at line {line}, character {at}: "),
        _ => String::new(),
    };
    Problem::key("formula", format!("{place}{what}"))
}

fn dynamic(value: Value) -> Option<Dynamic> {
    match value {
        Value::Bool(bool) => Some(bool.into()),
        Value::Int(int) => Some(int.into()),
        Value::Float(float) => Some(float.into()),
        Value::Text(text) => Some(text.to_string().into()),
        _ => None,
    }
}

fn from_dynamic(value: &Dynamic) -> Option<Value> {
    let text = || value.clone().into_string().ok().map(|text| Value::Text(text.into()));
    let bool = value.as_bool().ok().map(Value::Bool);
    let int = || value.as_int().ok().map(Value::Int);
    bool.or_else(int).or_else(|| value.as_float().ok().map(Value::Float)).or_else(text)
}

/// One engine for all formulas: it holds no state.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut engine = Engine::new_raw();
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_max_operations(OPERATIONS_MAX)
        .set_max_expr_depths(DEPTH_MAX, 0)
        .set_max_string_size(TEXT_BYTES_MAX)
        .set_max_functions(0)
        // Its own operators for whole numbers would leave no fraction: 1 / 2 is a half here.
        .set_fast_operators(false);
    operators(&mut engine);
    functions(&mut engine);
    engine
});

type Number = Result<f64, Box<EvalAltResult>>;
type OfOne = fn(f64) -> f64;
type OfTwo = fn(f64, f64) -> f64;

fn operators(engine: &mut Engine) {
    engine
        .register_fn("/", |a: i64, b: i64| a as f64 / b as f64)
        .register_fn("-", |a: f64| -a)
        .register_fn("-", |a: i64| a.saturating_neg())
        .register_fn("+", |a: f64| a)
        .register_fn("+", |a: i64| a)
        .register_fn("!", |a: bool| !a);
}

fn functions(engine: &mut Engine) {
    let of_one: [(&str, OfOne); 7] = [
        ("sin", f64::sin),
        ("cos", f64::cos),
        ("tan", f64::tan),
        ("exp", f64::exp),
        ("ln", f64::ln),
        ("sqrt", f64::sqrt),
        ("abs", f64::abs),
    ];
    for (name, of) in of_one {
        engine.register_fn(name, move |x: Dynamic| -> Number { Ok(of(number(&x)?)) });
    }
    let whole: [(&str, OfOne); 3] = [("floor", f64::floor), ("ceil", f64::ceil), ("round", f64::round)];
    for (name, of) in whole {
        engine.register_fn(name, move |x: Dynamic| -> Result<i64, Box<EvalAltResult>> { Ok(of(number(&x)?) as i64) });
    }
    let of_two: [(&str, OfTwo); 3] = [("min", f64::min), ("max", f64::max), ("atan2", f64::atan2)];
    for (name, of) in of_two {
        engine.register_fn(name, move |a: Dynamic, b: Dynamic| -> Number { Ok(of(number(&a)?, number(&b)?)) });
    }
    engine
        .register_fn("clamp", |x: Dynamic, low: Dynamic, high: Dynamic| -> Number {
            Ok(number(&x)?.max(number(&low)?).min(number(&high)?))
        })
        .register_fn("choose", |which: bool, a: Dynamic, b: Dynamic| if which { a } else { b });
}

fn number(value: &Dynamic) -> Number {
    let number = value.as_float().ok().or_else(|| value.as_int().ok().map(|int| int as f64));
    number.ok_or_else(|| format!("a number is wanted here, not a {}", value.type_name()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<Value, String> {
        let formula = Formula::compile(text).map_err(|problem| problem.to_string())?;
        formula.value(|name| match name {
            "t" => Some(Value::Float(30.0)),
            "PI" => Some(Value::Float(std::f64::consts::PI)),
            "running" => Some(Value::Bool(true)),
            "power" => Some(Value::Int(7)),
            "word" => Some("on".into()),
            _ => None,
        })
    }

    #[test]
    fn a_formula_reckons_as_people_do() {
        let cases: [(&str, Value); 12] = [
            ("20 + 5 * sin(2 * PI * t / 120)", Value::Float(25.0)),
            ("1 / 2", Value::Float(0.5)),
            ("power / 2 + 1", Value::Float(4.5)),
            ("power % 4", Value::Int(3)),
            ("-power", Value::Int(-7)),
            ("2 ** 3", Value::Int(8)),
            ("clamp(t, 0, 10)", Value::Float(10.0)),
            ("floor(2.7) + round(2.5)", Value::Int(5)),
            ("choose(running && t > 10, 100, 0)", Value::Int(100)),
            ("!running || power < 3", Value::Bool(false)),
            ("choose(word == \"on\", \"yes\", \"no\")", "yes".into()),
            ("max(1, 2.5) - min(1, 2.5)", Value::Float(1.5)),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_formula_names_the_points_that_it_needs() {
        let formula = Formula::compile("power * 2 + choose(running, t, noise) + power").expect("valid");
        assert_eq!(formula.points().collect::<Vec<_>>(), ["power", "running"]);
    }

    #[test]
    fn a_mistake_is_told_with_its_character() {
        let problem = |text| Formula::compile(text).expect_err("wrong").to_string();
        assert_eq!(problem("2 * sine(t)"), "`formula`: at character 5: unknown function `sine` (did you mean `sin`?)");
        assert_eq!(problem("clamp(t, 1)"), "`formula`: at character 1: `clamp` takes 3 arguments, not 2");
        let unfinished = problem("2 * (t + ");
        assert!(unfinished.starts_with("`formula`: at character "), "{unfinished}");
    }

    #[test]
    fn what_could_run_for_ever_or_reach_elsewhere_is_no_formula() {
        for text in [
            "loop {}",
            "let x = 1",
            "{ t }",
            "if t > 1 { 2 } else { 3 }",
            "[1, 2]",
            "t.abs()",
            "|x| x",
            "a::b",
            "#{a: 1}",
            "eval(\"1\")",
            "x = 3",
            "`${t}`",
            "this",
        ] {
            assert!(Formula::compile(text).is_err(), "{text}");
        }
        let deep = format!("{}t{}", "(".repeat(500), ")".repeat(500));
        assert!(Formula::compile(&deep).is_err());
    }

    #[test]
    fn what_cannot_be_reckoned_says_why() {
        assert_eq!(value("missing + 1"), Err("`missing` has no value".into()));
        assert!(value("sin(word)").expect_err("a text").contains("a number is wanted here"));
        assert!(value("9223372036854775807 + 1").is_err());
    }
}
