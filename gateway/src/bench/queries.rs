//! `edgeway bench queries`: the query engine, each figure beside a reference.

use super::figure::Figure;
use crate::cli::QueryBenchOptions;
use std::sync::LazyLock;
use std::time::Instant;

pub(super) fn run(options: &QueryBenchOptions) -> Vec<Figure> {
    let scale = if options.quick { 0.1 } else { 1.0 };
    edgeway_streams::bench::run(nanos, scale).into_iter().map(judged).collect()
}

fn nanos() -> u64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGUN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The goals: those of the ratios hold on any machine, the others on one x86-64 core.
fn judged(measured: edgeway_streams::bench::Figure) -> Figure {
    let edgeway_streams::bench::Figure { work, value, unit, reference, reference_value } = measured;
    let figure = Figure { bench: "queries", ..Figure::new(work.clone(), value, unit, (reference, reference_value)) };
    let ratio = figure.ratio;
    let goal = |start: &str| work.starts_with(start);
    if goal("tumble") && work.ends_with("8192") {
        figure.goal("1.3 times the batch query", ratio >= 1.3)
    } else if goal("tumble") {
        figure.goal("1.8 times the batch query", ratio >= 1.8)
    } else if goal("hop 1 s / 10 s") {
        figure.goal("3 times the batch query", ratio >= 3.0)
    } else if goal("hop 1 s / 10 min") {
        figure.goal("at most 250 ns", value <= 250.0)
    } else if goal("a batch of one row") {
        figure.goal("at most 2 us", value <= 2.0)
    } else if goal("plan a query") {
        figure.goal("at most 10 ms", value <= 10.0)
    } else if goal("checkpoint") {
        figure.goal("at most 5 ms", value <= 5.0)
    } else if goal("from messages") {
        figure.goal("1 million rows/s", value >= 1e6)
    } else {
        figure
    }
}
