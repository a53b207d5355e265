//! The words of tests.

use super::bench::{Bench, Wrong};
use super::{Declared, lock};
use crate::load::value_of;
use edgeway_sdk::{Quality, Value};
use edgeway_thing_models::Online;
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext};
use std::sync::{Arc, Mutex};

type Shared = Arc<Mutex<Bench>>;
type Raised<T> = Result<T, Box<EvalAltResult>>;

/// Gives an engine the words of tests.
pub(super) fn engine(mut engine: Engine, bench: &Shared) -> Engine {
    let b = bench.clone();
    engine.register_fn("test", move |ctx: NativeCallContext, name: ImmutableString, body: FnPtr| {
        let test = Declared { name: name.into(), at: ctx.call_position(), body };
        raised(&ctx, lock(&b).declare(test))
    });
    time(&mut engine, bench);
    world(&mut engine, bench);
    reports(&mut engine, bench);
    expectations(&mut engine, bench);
    engine
}

fn time(engine: &mut Engine, bench: &Shared) {
    word1(engine, bench, "at", |bench, time| bench.at(time));
    word1(engine, bench, "advance", |bench, span| bench.advance(span));
    word1(engine, bench, "restart", |bench, away| bench.restart(away));
}

fn world(engine: &mut Engine, bench: &Shared) {
    word1(engine, bench, "connect", |bench, device| bench.turn(device, Online::Online));
    word1(engine, bench, "disconnect", |bench, device| bench.turn(device, Online::Offline));
    word1(engine, bench, "answers", |bench, device| bench.refuse(device, None));
    word1(engine, bench, "refuses", |bench, device| bench.refuse(device, Some("refused by the test")));
    let b = bench.clone();
    engine.register_fn("refuses", move |ctx: NativeCallContext, device: ImmutableString, why: ImmutableString| {
        raised(&ctx, lock(&b).refuse(&device, Some(&why)))
    });
    let b = bench.clone();
    engine.register_fn("run", move |ctx: NativeCallContext, scene: ImmutableString| raised(&ctx, lock(&b).run(&scene)));
    let b = bench.clone();
    engine.register_fn("event", move |ctx: NativeCallContext, device: ImmutableString, name: ImmutableString| {
        raised(&ctx, lock(&b).happen(&device, &name, &[]))
    });
    let b = bench.clone();
    engine.register_fn(
        "event",
        move |ctx: NativeCallContext, device: ImmutableString, name: ImmutableString, output: Map| {
            raised(&ctx, named(&output).and_then(|output| lock(&b).happen(&device, &name, &output)))
        },
    );
    let b = bench.clone();
    engine.register_fn("row", move |ctx: NativeCallContext, query: ImmutableString, columns: Map| {
        raised(&ctx, named(&columns).map(|columns| lock(&b).row(&query, columns)))
    });
}

fn reports(engine: &mut Engine, bench: &Shared) {
    let b = bench.clone();
    engine.register_fn(
        "given",
        move |ctx: NativeCallContext, device: ImmutableString, property: ImmutableString, value: Dynamic| {
            raised(&ctx, plain(&value).and_then(|value| lock(&b).given(&device, &property, value)))
        },
    );
    let b = bench.clone();
    engine.register_fn(
        "report",
        move |ctx: NativeCallContext, device: ImmutableString, property: ImmutableString, value: Dynamic| {
            let reported =
                plain(&value).and_then(|value| lock(&b).report(&device, &[(&property, value, Quality::Good)]));
            raised(&ctx, reported)
        },
    );
    let b = bench.clone();
    engine.register_fn("report", move |ctx: NativeCallContext, device: ImmutableString, values: Map| {
        let reported = named(&values).and_then(|values| {
            let values: Vec<(&str, Value, Quality)> =
                values.iter().map(|(name, value)| (&**name, value.clone(), Quality::Good)).collect();
            lock(&b).report(&device, &values)
        });
        raised(&ctx, reported)
    });
    let b = bench.clone();
    engine.register_fn(
        "report_bad",
        move |ctx: NativeCallContext, device: ImmutableString, property: ImmutableString| {
            raised(&ctx, lock(&b).report(&device, &[(&property, Value::Null, Quality::BadTimeout)]))
        },
    );
    let b = bench.clone();
    engine.register_fn(
        "report_stale",
        move |ctx: NativeCallContext, device: ImmutableString, property: ImmutableString, value: Dynamic| {
            let reported =
                plain(&value).and_then(|value| lock(&b).report(&device, &[(&property, value, Quality::Stale)]));
            raised(&ctx, reported)
        },
    );
}

fn expectations(engine: &mut Engine, bench: &Shared) {
    word1(engine, bench, "expect", Bench::expect);
    engine.register_fn("expect", |ctx: NativeCallContext, holds: bool| {
        raised(&ctx, if holds { Ok(()) } else { Err("expected  true\nbut got   false".into()) })
    });
    let b = bench.clone();
    engine.register_fn("expect_nothing", move |ctx: NativeCallContext| raised(&ctx, lock(&b).expect_nothing()));
    let b = bench.clone();
    engine.register_fn("ignore_rest", move || lock(&b).ignore_rest());
    let b = bench.clone();
    engine.register_fn("shows", move |ctx: NativeCallContext, device: ImmutableString, property: ImmutableString| {
        raised(&ctx, lock(&b).value(&device, &property))
    });
}

/// Registers a word that takes one text.
fn word1(
    engine: &mut Engine,
    bench: &Shared,
    word: &'static str,
    act: impl Fn(&mut Bench, &str) -> Result<(), Wrong> + Send + Sync + 'static,
) {
    let b = bench.clone();
    engine.register_fn(word, move |ctx: NativeCallContext, text: ImmutableString| {
        raised(&ctx, act(&mut lock(&b), &text))
    });
}

fn plain(value: &Dynamic) -> Result<Value, Wrong> {
    value_of(value).map_err(|mistake| mistake.in_one_line())
}

fn named(values: &Map) -> Result<Vec<(Arc<str>, Value)>, Wrong> {
    values.iter().map(|(name, value)| Ok((Arc::from(name.as_str()), plain(value)?))).collect()
}

fn raised<T>(ctx: &NativeCallContext, result: Result<T, Wrong>) -> Raised<T> {
    result.map_err(|text| Box::new(EvalAltResult::ErrorRuntime(text.into(), ctx.call_position())))
}
