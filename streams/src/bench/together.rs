//! What DataFusion makes of all rows in one batch query: its own plan of one aggregate, executed on one thread.

use super::{Clock, Stream, since};
use crate::df::batch::{
    AggregateExec, AggregateExprBuilder, AggregateMode, PhysicalGroupBy, TaskContext, TestMemoryExec, avg, binary, col,
    collect, count, lit, max,
};
use crate::df::{ArrayRef, DataType, Field, Int64Array, Operator, RecordBatch, Result, Schema, SchemaRef};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

const SECOND: i64 = 1_000_000_000;

/// Groups by device and ten seconds, with a division for the window; in seconds.
pub(super) fn tumbling(clock: Clock, stream: &Stream) -> f64 {
    let batches = both(stream).map(|(batch, ts)| with_bin(batch, ts, 1, 10 * SECOND)).collect();
    timed(clock, batches, 10 * SECOND)
}

/// The same with each row in ten windows; in seconds, without the time that it takes to repeat the rows.
pub(super) fn hopping(clock: Clock, stream: &Stream) -> f64 {
    let repeated = |at: i64| both(stream).map(move |(batch, ts)| with_bin(batch, ts, at, SECOND));
    timed(clock, (0..10).flat_map(repeated).collect(), SECOND)
}

fn both(stream: &Stream) -> impl Iterator<Item = (&RecordBatch, &[i64])> {
    stream.named.iter().zip(stream.batches.iter().map(|batch| &**batch.ts))
}

/// The rows with their time as a number, moved by some steps.
fn with_bin(batch: &RecordBatch, ts: &[i64], steps: i64, step: i64) -> RecordBatch {
    let number: ArrayRef = Arc::new(Int64Array::from_iter_values(ts.iter().map(|ts| ts + steps * step)));
    let field = Arc::new(Field::new("t", DataType::Int64, true));
    let fields: Vec<_> = batch.schema().fields().iter().cloned().chain([field]).collect();
    let columns = batch.columns().iter().cloned().chain([number]).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("as long as each other")
}

fn timed(clock: Clock, batches: Vec<RecordBatch>, step: i64) -> f64 {
    let begun = clock();
    let rows = aggregate(batches, step).expect("a plan of one aggregate");
    assert!(rows > 0);
    since(clock, begun)
}

fn aggregate(batches: Vec<RecordBatch>, step: i64) -> Result<usize> {
    let schema: SchemaRef = batches[0].schema();
    let device = (col("device", &schema)?, "device".to_owned());
    let bin = (binary(col("t", &schema)?, Operator::Divide, lit(step), &schema)?, "bin".to_owned());
    let value = || col("wind_speed", &schema);
    let aggregates = [(avg(), value()?), (max(), value()?), (count(), lit(1_i64))];
    let aggregates = aggregates.into_iter().map(|(function, argument)| {
        let name = function.name().to_owned();
        let built = AggregateExprBuilder::new(function, vec![argument]).schema(schema.clone()).alias(name).build();
        Ok(Arc::new(built?))
    });
    let input = TestMemoryExec::try_new_exec(&[batches], schema.clone(), None)?;
    let plan = AggregateExec::try_new(
        AggregateMode::Single,
        PhysicalGroupBy::new_single(vec![device, bin]),
        aggregates.collect::<Result<_>>()?,
        vec![None; 3],
        input,
        schema.clone(),
    )?;
    let answer = waited_for(collect(Arc::new(plan), Arc::new(TaskContext::default())))?;
    Ok(answer.iter().map(RecordBatch::num_rows).sum())
}

/// Rows in memory are always ready: nothing has to be woken.
fn waited_for<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
    }
}
