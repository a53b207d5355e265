//! Whether what is written is there afterwards; and whether it was sent once, and said so, when nobody answers.

use super::Part;
use crate::Error;
use crate::ground::Ground;
use crate::host::Host;
use crate::proxy::Fate;
use crate::subject::{Point, Write, same};
use crate::verdict::Verdict;
use edgeway_sdk::{Fault, PointIx, Value};
use std::collections::{HashMap, HashSet};
use tokio::time::sleep;

pub(super) const PART: Part = Part {
    name: "writes",
    applies: |ground| {
        let is_told = ground.subject.points.iter().any(|point| point.write.is_some());
        match (ground.driver.manifest().can.write, is_told) {
            (false, false) => Err("the driver does not write".into()),
            (_, false) => Err("the subject has no point with `write`".into()),
            _ => Ok(()),
        }
    },
    run: |ground, verdict| Box::pin(run(ground, verdict)),
    counts: false,
};

async fn run(ground: &Ground<'_>, verdict: &mut Verdict) -> Result<(), Error> {
    let can = ground.driver.manifest().can.write;
    verdict.check(can, || "the subject writes, and the manifest says that the driver cannot".into());
    let Some(mut host) = Host::running(ground, verdict).await? else { return Ok(()) };
    let reads = reads(ground, &mut host, verdict).await;
    let writable = (0..).map(PointIx).zip(&ground.subject.points);
    let writable: Vec<(PointIx, &Point, &Write)> =
        writable.filter_map(|(ix, point)| Some((ix, point, point.write.as_ref()?))).collect();
    for _ in 0..ground.rounds(1, 10) {
        for &(ix, point, write) in &writable {
            let mut bench = Bench { ground, ix, point, write, reads: &reads };
            if !bench.there_and_back(&mut host, verdict).await {
                return Ok(());
            }
            let reset = ground.is_stream().then_some((Fate::Reset, "the connection was reset"));
            for (fate, what) in [(Fate::Stall, "no answer came")].into_iter().chain(reset) {
                let is_known = ground.wire().is_some() && ground.subject.chaos.answer_per_question;
                if is_known && !bench.unanswered(&mut host, fate, what, verdict).await {
                    return Ok(());
                }
            }
        }
    }
    host.close(verdict).await;
    Ok(())
}

/// What is asked when nothing is written.
async fn reads(ground: &Ground<'_>, host: &mut Host<'_>, verdict: &mut Verdict) -> HashSet<Vec<u8>> {
    let Some(wire) = ground.wire() else { return HashSet::new() };
    wire.proxy.state().take_questions();
    host.poll(verdict).await;
    host.poll(verdict).await;
    wire.proxy.state().take_questions().into_iter().map(|question| without_id(ground, question)).collect()
}

/// A question without its number, by which two of the same differ.
fn without_id(ground: &Ground<'_>, mut question: Vec<u8>) -> Vec<u8> {
    let at = ground.subject.chaos.id.clone().unwrap_or_default();
    let end = at.end.min(question.len());
    question[at.start.min(end)..end].fill(0);
    question
}

/// A point that is written.
struct Bench<'b> {
    ground: &'b Ground<'b>,
    ix: PointIx,
    point: &'b Point,
    write: &'b Write,
    reads: &'b HashSet<Vec<u8>>,
}

impl Bench<'_> {
    fn name(&self) -> String {
        self.ground.subject.name(self.ix)
    }

    /// Writes the other value, and then the first again.
    async fn there_and_back(&mut self, host: &mut Host<'_>, verdict: &mut Verdict) -> bool {
        let (write, value) = (self.write, &self.point.value);
        self.written(host, &write.value, &write.reads_back, verdict).await
            && (!self.point.access.reads() || self.written(host, value, value, verdict).await)
    }

    /// Writes, and looks at what comes back and what is read afterwards.
    async fn written(&self, host: &mut Host<'_>, value: &Value, reads_back: &Value, verdict: &mut Verdict) -> bool {
        let name = self.name();
        // A device or a machine that is busy for a moment is no finding.
        for _ in 0..5 {
            let before = self.point.access.reads().then(|| self.either());
            if let Some(before) = before {
                host.allow(self.ix, before);
            }
            match host.write(self.ix, value, verdict).await {
                None => return false,
                Some(Ok(came)) => {
                    let is_same = came.as_ref().is_none_or(|came| same(reads_back, came));
                    verdict.check(is_same, || {
                        let came = came.unwrap_or_default();
                        format!("{name}, {value} written: expected {reads_back} to be read back, came {came}")
                    });
                    host.allow(self.ix, vec![reads_back.clone()]);
                    return host.until_right(&format!("after {value} was written to {name}"), verdict).await;
                }
                Some(Err(Fault::Busy(_) | Fault::Device(_) | Fault::Link(_))) => {
                    if !host.until_right(&format!("after {value} could not be written to {name}"), verdict).await {
                        return false;
                    }
                }
                Some(Err(fault)) => {
                    verdict.finding(format!("{name}: expected to be written, came: {fault}"));
                    return false;
                }
            }
        }
        verdict.finding(format!("{name}: expected to be written, came faults each of 5 times"));
        false
    }

    fn either(&self) -> Vec<Value> {
        vec![self.point.value.clone(), self.write.reads_back.clone()]
    }

    /// Writes while nobody answers: it must be sent once, and said that nobody knows.
    async fn unanswered(&mut self, host: &mut Host<'_>, fate: Fate, what: &str, verdict: &mut Verdict) -> bool {
        let name = self.name();
        let proxy = self.ground.proxy();
        host.rest().await;
        proxy.state().take_questions();
        proxy.state().always(fate);
        if self.point.access.reads() {
            host.allow(self.ix, self.either());
        }
        let written = host.write(self.ix, &self.write.value, verdict).await;
        // Whoever sends it again in secret does it now.
        sleep(self.ground.timeout() * 2).await;
        let sent = proxy.state().take_questions();
        proxy.state().calm();
        let times = self.most_often(sent);
        verdict.check(times <= 1, || {
            format!("{name}, {what}: expected the write to be sent once, it was sent {times} times")
        });
        match written {
            None => return false,
            Some(Err(Fault::Device(_) | Fault::Link(_))) => verdict.check(true, String::new),
            Some(Err(Fault::Busy(_))) if times == 0 => {}
            Some(other) => {
                let came = match other {
                    Ok(value) => format!("success ({})", value.unwrap_or_default()),
                    Err(fault) => format!("{fault:?}"),
                };
                verdict.finding(format!("{name}, {what}: expected a fault of the device or the link, nobody knows whether it was written, came {came}"));
            }
        }
        if !host.until_right(&format!("after {what} to a write"), verdict).await {
            return false;
        }
        !self.point.access.reads() || self.written(host, &self.point.value, &self.point.value, verdict).await
    }

    /// How often the same was sent, of what is not sent when nothing is written.
    fn most_often(&self, sent: Vec<Vec<u8>>) -> usize {
        let mut times: HashMap<Vec<u8>, usize> = HashMap::new();
        for question in sent.into_iter().map(|question| without_id(self.ground, question)) {
            if !self.reads.contains(&question) {
                *times.entry(question).or_default() += 1;
            }
        }
        times.into_values().max().unwrap_or_default()
    }
}
