//! The parts of a run. Each is a file of the same shape: a name, whether it applies, and what it looks at.

mod concurrency;
mod damaged_answers;
mod deadline;
mod fault_scope;
mod growth;
mod late_answer;
mod lifecycle;
mod plan;
mod reconnect;
mod schema;
mod stale_data;
mod values;
mod watch;
mod writes;

use crate::counts::COUNTING;
use crate::ground::Ground;
use crate::verdict::Verdict;
use crate::{Error, Outcome, PartReport};
use std::pin::Pin;

/// All parts, in the order in which they run: what the later ones rely on comes first.
pub(crate) const ALL: [Part; 13] = [
    schema::PART,
    plan::PART,
    values::PART,
    late_answer::PART,
    damaged_answers::PART,
    fault_scope::PART,
    stale_data::PART,
    reconnect::PART,
    deadline::PART,
    writes::PART,
    concurrency::PART,
    lifecycle::PART,
    watch::PART,
];

/// A part of a run.
pub(crate) struct Part {
    name: &'static str,
    /// Says why it does not apply, if it does not.
    applies: fn(&Ground<'_>) -> Result<(), String>,
    run: for<'a> fn(&'a Ground<'_>, &'a mut Verdict) -> Running<'a>,
    /// Whether it counts what the process holds, and has to be alone for that.
    counts: bool,
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

impl Part {
    /// Runs it and says what came of it.
    ///
    /// # Errors
    /// [`Error`] if it could not be run.
    pub(crate) async fn report(&self, ground: &Ground<'_>) -> Result<PartReport, Error> {
        let name = self.name;
        if let Err(why) = (self.applies)(ground) {
            let outcome = Outcome::NotApplicable;
            return Ok(PartReport { name, outcome, why: Some(why), checks: 0, findings: vec![] });
        }
        let mut verdict = Verdict::default();
        if self.counts {
            let _alone = COUNTING.write().await;
            (self.run)(ground, &mut verdict).await?;
        } else {
            let _together = COUNTING.read().await;
            (self.run)(ground, &mut verdict).await?;
        }
        if let Some(wire) = ground.wire() {
            wire.proxy.state().calm();
        }
        let (checks, findings) = verdict.conclude();
        let outcome = if findings.is_empty() { Outcome::Passed } else { Outcome::Failed };
        Ok(PartReport { name, outcome, why: None, checks, findings })
    }
}

fn always(_: &Ground<'_>) -> Result<(), String> {
    Ok(())
}

fn with_a_wire(ground: &Ground<'_>) -> Result<(), String> {
    ground.wire().map(drop).ok_or_else(|| "the subject has no `[peer]`".into())
}

/// A wire on which it is known which answer belongs to which question.
fn with_answers(ground: &Ground<'_>) -> Result<(), String> {
    with_a_wire(ground)?;
    let is_told = ground.subject.chaos.answer_per_question;
    is_told.then_some(()).ok_or_else(|| "the subject does not say `answer_per_question`".into())
}
