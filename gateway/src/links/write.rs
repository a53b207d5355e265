//! A command on its way through a link.

use edgeway_sdk::{DeviceIx, Fault, Link, PointIx, Timestamp, Value, WriteOp};
use edgeway_site::PointSite;
use edgeway_thing_models::{Binding, Body, Command, CommandState, Message, Observation, Report, Things};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// The most time that one write may take, also when the command's deadline is far away.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// Numbers that differ by less than this part of themselves count as the same after a write: a device's float is
/// narrower than ours.
const SAME_WITHIN: f64 = 1e-6;

/// Writes that together are one command.
pub(crate) struct WriteJob {
    /// The command.
    pub(crate) command: Command,
    /// What to write, in order, as raw values.
    pub(crate) ops: Vec<WriteOp>,
    /// The service to call, for a driver with services of its own; `ops` is empty then.
    pub(crate) call: Option<(Arc<str>, edgeway_sdk::Json)>,
    /// Set when the first byte may have gone out: from then on a lost result may mean an applied command.
    pub(crate) started: Arc<AtomicBool>,
    /// Where the result goes.
    pub(crate) done: oneshot::Sender<CommandState>,
    /// When the message that caused it came in, to measure the way from reading to command.
    pub(crate) caused_at: Option<Timestamp>,
}

/// What came of a job.
pub(super) struct Written {
    pub(super) state: CommandState,
    /// What was read back, to be published as a report.
    pub(super) report: Option<Message>,
    /// Set if the wire is gone.
    pub(super) link_lost: Option<String>,
    /// The device has not answered: its answer may still come.
    pub(super) unanswered: bool,
}

impl Written {
    fn of(state: CommandState) -> Self {
        Written { state, report: None, link_lost: None, unanswered: false }
    }
}

/// Runs a job, unless its deadline has passed.
pub(super) async fn run(
    link: &dyn Link,
    job: &WriteJob,
    binding: &Binding,
    points: &[PointSite],
    things: &Things,
) -> Written {
    let left = job.command.deadline.since(Timestamp::now());
    if left.is_zero() {
        return Written::of(CommandState::Expired);
    }
    job.started.store(true, Relaxed);
    let by = Instant::now() + left.min(WRITE_WITHIN);
    if let Some((service, input)) = &job.call {
        return called(link.call(job.command.device, service, input.clone(), by).await);
    }
    let mut seen = vec![];
    for (at, op) in job.ops.iter().enumerate() {
        if job.command.deadline <= Timestamp::now() {
            return Written::of(late(at, job.ops.len()));
        }
        match link.write(op, by).await {
            Ok(read_back) => seen.extend(read_back.map(|raw| (op, raw))),
            Err(fault) => return failed(&fault, at, job.ops.len()),
        }
    }
    confirmed(&seen, job.command.device, binding, points, things)
}

fn called(answer: Result<edgeway_sdk::Json, Fault>) -> Written {
    match answer {
        Ok(output) => Written::of(CommandState::Applied { result: Some(Value::from_json(&output)) }),
        Err(fault) => failed(&fault, 0, 1),
    }
}

/// A job of several writes whose deadline passes half way has been applied in part, which is not the same as expired.
fn late(done: usize, all: usize) -> CommandState {
    match done {
        0 => CommandState::Expired,
        _ => CommandState::Failed { reason: format!("the deadline passed after {done} of {all} writes").into() },
    }
}

fn failed(fault: &Fault, done: usize, all: usize) -> Written {
    let mut reason = fault.to_string();
    if done > 0 {
        reason = format!("{reason} (after {done} of {all} writes)");
    }
    let link_lost = matches!(fault, Fault::Link(_)).then(|| fault.to_string());
    let state = match fault {
        Fault::Device(_) | Fault::Link(_) => CommandState::Unconfirmed { reason: reason.into() },
        _ => CommandState::Failed { reason: reason.into() },
    };
    Written { state, report: None, link_lost, unanswered: matches!(fault, Fault::Device(_)) }
}

/// Compares what was read back with what was written. A point without a property (part of a service) is not compared:
/// command registers commonly read as zero.
fn confirmed(
    seen: &[(&WriteOp, Value)],
    device: DeviceIx,
    binding: &Binding,
    points: &[PointSite],
    things: &Things,
) -> Written {
    let now = Timestamp::now();
    let mut values = vec![];
    let mut wrong = None;
    for (op, raw) in seen {
        let Some(property) = property_of(op.point, points) else { continue };
        let (value, quality) = binding.from_raw(op.point, things, raw);
        if !same(&op.value, raw) {
            let name = &things.property(device, property).identifier;
            wrong = Some(format!("{name} reads {value} after it was written"));
        }
        values.push(Observation { property, value, quality, source_time: now });
    }
    let result = values.last().map(|observation| observation.value.clone());
    let state = match wrong {
        None => CommandState::Applied { result },
        Some(reason) => CommandState::Failed { reason: reason.into() },
    };
    let report = (!values.is_empty()).then_some(Message { time: now, body: Body::Report(Report { device, values }) });
    Written { state, report, link_lost: None, unanswered: false }
}

fn property_of(point: PointIx, points: &[PointSite]) -> Option<edgeway_thing_models::PropertyIx> {
    points[point.0 as usize].property
}

fn same(written: &Value, read: &Value) -> bool {
    match (written.as_f64(), read.as_f64()) {
        // A register of whole numbers takes a fraction rounded.
        (Some(a), Some(b)) if matches!(read, Value::Int(_)) => (a.round() - b).abs() < 0.5,
        (Some(a), Some(b)) => (a - b).abs() <= SAME_WITHIN * a.abs().max(1.0),
        _ => written == read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_back_within_a_floats_precision_is_the_same() {
        assert!(same(&Value::Float(21.3), &Value::Float(f64::from(21.3_f32))));
        assert!(same(&Value::Int(1), &Value::Bool(true)));
        assert!(same(&Value::Float(215.5), &Value::Int(216)));
        assert!(!same(&Value::Int(100), &Value::Int(99)));
        assert!(!same(&Value::from("a"), &Value::from("b")));
    }

    #[test]
    fn a_lost_answer_leaves_the_outcome_open() {
        assert_eq!(failed(&Fault::Device("no answer".into()), 0, 1).state.as_str(), "unconfirmed");
        assert_eq!(failed(&Fault::Config("no".into()), 0, 1).state.as_str(), "failed");
        assert_eq!(late(0, 2), CommandState::Expired);
        assert_eq!(late(1, 2).as_str(), "failed");
    }
}
