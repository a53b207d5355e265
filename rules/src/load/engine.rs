//! Rhai with its limits set and its traps closed.

use super::budget::Budget;
use super::captured;
use super::explain;
use super::host::{Host, Raised, raise};
use super::words;
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext, OptimizationLevel};
use std::any::TypeId;

const CALL_LEVELS_MAX: usize = 24;
const EXPRESSION_DEPTH_MAX: usize = 64;
const FUNCTION_EXPRESSION_DEPTH_MAX: usize = 32;
const STRING_BYTES_MAX: usize = 16 * 1024;
const ARRAY_ITEMS_MAX: usize = 4_096;
const MAP_ENTRIES_MAX: usize = 1_024;
const VARIABLES_MAX: usize = 256;
const FUNCTIONS_MAX: usize = 64;

/// One engine for all scripts of a site.
pub(super) fn new(host: &Host, budget: &Budget) -> Engine {
    let mut engine = Engine::new();
    limit(&mut engine, budget);
    captured::guard(&mut engine, budget);
    close_traps(&mut engine, host);
    refuse_mixed_comparisons(&mut engine);
    words::register(&mut engine, host);
    engine
}

/// The same language without the words of scenes: for tests, which have words of their own.
pub(super) fn bare(budget: &Budget) -> Engine {
    let mut engine = Engine::new();
    limit(&mut engine, budget);
    engine.disable_symbol("eval").disable_symbol("import").disable_symbol("export");
    engine.on_print(|_| {}).on_debug(|_, _, _| {});
    engine
}

fn limit(engine: &mut Engine, budget: &Budget) {
    let budget = budget.clone();
    engine
        // `Simple` takes quadratic time: 100 s for 256 KiB of `{1}`. `Full` would even call `prop(..)` while compiling.
        .set_optimization_level(OptimizationLevel::None)
        .set_strict_variables(true)
        .set_fail_on_invalid_map_property(true)
        .set_max_call_levels(CALL_LEVELS_MAX)
        .set_max_expr_depths(EXPRESSION_DEPTH_MAX, FUNCTION_EXPRESSION_DEPTH_MAX)
        .set_max_string_size(STRING_BYTES_MAX)
        .set_max_array_size(ARRAY_ITEMS_MAX)
        .set_max_map_size(MAP_ENTRIES_MAX)
        .set_max_variables(VARIABLES_MAX)
        .set_max_functions(FUNCTIONS_MAX)
        // Also closes the module resolver that reads files.
        .set_max_modules(0)
        .on_progress(move |_| if budget.take() { None } else { Some(Dynamic::UNIT) });
}

fn close_traps(engine: &mut Engine, host: &Host) {
    // Closures capture by themselves, `curry` could also hand them themselves over and over. `this` can be nested
    // without being looked at.
    for word in explain::REMOVED {
        engine.disable_symbol(word);
    }
    bound_replace(engine);
    const SLEEP: &str = "a scene must not block; write `delay(\"3s\")` as a step";
    engine.register_fn("sleep", |ctx: NativeCallContext, _: Dynamic| refuse(&ctx, SLEEP));
    engine.register_fn("sleep", |ctx: NativeCallContext, _: i64| refuse(&ctx, SLEEP));
    engine.register_fn("sleep", |ctx: NativeCallContext, _: f64| refuse(&ctx, SLEEP));
    engine.register_fn("timestamp", |ctx: NativeCallContext| {
        refuse(&ctx, "scripts have no clock; write `held(..)`, `fresh(..)`, `time_between(..)` or `cron(..)`")
    });
    let printer = host.clone();
    engine.register_fn("print", move |ctx: NativeCallContext, what: Dynamic| words::print(&printer, &ctx, &what));
    let printer = host.clone();
    engine.register_fn("print", move |ctx: NativeCallContext, what: ImmutableString| {
        words::print(&printer, &ctx, &what.into())
    });
    // What `print` returns has been noted already, and `debug` has nowhere to go.
    engine.on_print(|_| {}).on_debug(|_, _, _| {});
}

/// Rhai looks at the size of a text once it has been made, and 16 KiB replaced by 16 KiB each would be 256 MiB.
fn bound_replace(engine: &mut Engine) {
    engine.register_fn("replace", |ctx: NativeCallContext, text: &mut ImmutableString, find: &str, with: &str| {
        replace(&ctx, text, text.matches(find).count(), with, |text| text.replace(find, with))
    });
    engine.register_fn("replace", |ctx: NativeCallContext, text: &mut ImmutableString, find: char, with: &str| {
        replace(&ctx, text, text.matches(find).count(), with, |text| text.replace(find, with))
    });
}

fn replace(
    ctx: &NativeCallContext,
    text: &mut ImmutableString,
    places: usize,
    with: &str,
    made: impl FnOnce(&str) -> String,
) -> Raised<()> {
    if text.len() + places * with.len() > 2 * STRING_BYTES_MAX {
        return Err(EvalAltResult::ErrorDataTooLarge("Length of string".into(), ctx.call_position()).into());
    }
    *text = made(text).into();
    Ok(())
}

fn refuse(ctx: &NativeCallContext, why: &str) -> Raised<()> {
    Err(raise(ctx.call_position(), format!("`{}` does not exist here: {why}", ctx.fn_name())))
}

/// In Rhai `() > 1` and `"5" == 5` are silently false. Here they are errors.
fn refuse_mixed_comparisons(engine: &mut Engine) {
    // Without this, Rhai would take its own operators for its own types.
    engine.set_fast_operators(false);
    let kinds: [&[TypeId]; 6] = [
        &[TypeId::of::<()>()],
        &[TypeId::of::<bool>()],
        &[TypeId::of::<i64>(), TypeId::of::<f64>()],
        &[TypeId::of::<ImmutableString>(), TypeId::of::<char>()],
        &[TypeId::of::<rhai::Array>()],
        &[TypeId::of::<rhai::Map>()],
    ];
    for (left_kind, left) in kinds.iter().enumerate() {
        for (right_kind, right) in kinds.iter().enumerate() {
            if left_kind == right_kind && left_kind != 0 {
                continue;
            }
            for pair in left.iter().flat_map(|l| right.iter().map(move |r| [*l, *r])) {
                refuse_comparison(engine, pair);
            }
        }
    }
}

fn refuse_comparison(engine: &mut Engine, pair: [TypeId; 2]) {
    for op in ["==", "!=", ">", ">=", "<", "<="] {
        engine.register_raw_fn(op, pair, move |ctx, args| -> Raised<Dynamic> {
            let (left, right) = (words::kind_of(args[0]), words::kind_of(args[1]));
            Err(compared(&ctx, op, left, right))
        });
    }
}

fn compared(ctx: &NativeCallContext, op: &str, left: &str, right: &str) -> Box<EvalAltResult> {
    raise(ctx.call_position(), format!("`{op}` between {left} and {right} is never what was meant"))
}
