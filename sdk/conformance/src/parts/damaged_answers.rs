//! Whether an answer that is damaged, cut, doubled, mixed with garbage or somebody else's gives a wrong value.

use super::{Part, with_a_wire};
use crate::Error;
use crate::ground::Ground;
use crate::host::Host;
use crate::proxy::{Fate, Missing};
use crate::subject::Chaos;
use crate::verdict::Verdict;

const NAME: &str = "damaged answers";

pub(super) const PART: Part =
    Part { name: NAME, applies: with_a_wire, run: |ground, verdict| Box::pin(run(ground, verdict)), counts: false };

async fn run(ground: &Ground<'_>, verdict: &mut Verdict) -> Result<(), Error> {
    let mut dice = ground.dice(NAME);
    let Some(mut host) = Host::running(ground, verdict).await? else { return Ok(()) };
    let kinds = if ground.is_stream() { kinds(&ground.subject.chaos) } else { of_datagrams(&ground.subject.chaos) };
    for _ in 0..ground.rounds(2, 40) {
        for (fate, what) in &kinds {
            let honest = dice.usize(0..host.steps().len().max(1));
            {
                let mut state = ground.proxy().state();
                (0..honest).for_each(|_| state.then(Fate::Honest));
                state.then(fate.clone());
            }
            let faults = host.poll(verdict).await.faults.len() + host.poll(verdict).await.faults.len();
            let has_happened = !ground.proxy().state().is_pending();
            ground.proxy().state().calm();
            let is_noticed = faults > 0 || !has_happened || !must_be_noticed(&ground.subject.chaos, fate);
            verdict
                .check(is_noticed, || format!("after {what}: expected a fault, it was taken as if nothing were wrong"));
            if !host.until_right(&format!("after {what}"), verdict).await {
                return Ok(());
            }
        }
    }
    host.close(verdict).await;
    Ok(())
}

/// Whether a question has no answer of its own after this. Then there is a fault, even if the value would be right by chance.
fn must_be_noticed(chaos: &Chaos, fate: &Fate) -> bool {
    let is_harmless = matches!(fate, Fate::Merge | Fate::Swap | Fate::Duplicate | Fate::GarbageBefore);
    chaos.answer_per_question && !is_harmless
}

/// What can be done to an answer so that it can be noticed. Where nobody knows which answer belongs to which question,
/// an answer that is there twice or cut off may be as good as another.
fn kinds(chaos: &Chaos) -> Vec<(Fate, &'static str)> {
    let mut kinds = vec![(Fate::Reset, "a reset connection"), (Fate::Stall, "a lost answer")];
    if chaos.answer_per_question {
        kinds.extend([
            (Fate::Merge, "two answers in one piece"),
            (Fate::Duplicate, "an answer that came twice"),
            (Fate::Truncate(Missing::Some), "a part of an answer"),
            (Fate::Truncate(Missing::Little), "an answer without its last bytes"),
            (Fate::Half(Missing::Some), "a part of an answer and a closed connection"),
            (Fate::Half(Missing::Little), "an answer without its last bytes and a closed connection"),
        ]);
    }
    kinds.extend(of_any(chaos));
    kinds
}

/// A datagram comes whole or not at all, in any order and any number.
fn of_datagrams(chaos: &Chaos) -> Vec<(Fate, &'static str)> {
    let mut kinds = vec![(Fate::Stall, "a lost answer")];
    if chaos.answer_per_question {
        kinds.extend([(Fate::Swap, "two answers in the wrong order"), (Fate::Duplicate, "an answer that came twice")]);
    }
    kinds.extend(of_any(chaos));
    kinds
}

fn of_any(chaos: &Chaos) -> Vec<(Fate, &'static str)> {
    let mut kinds = vec![];
    kinds.extend(chaos.id.clone().map(|at| (Fate::WrongId(at), "an answer to another question")));
    kinds.extend(chaos.unit.clone().map(|at| (Fate::Wrong(at), "an answer of somebody else")));
    kinds.extend(chaos.function.clone().map(|at| (Fate::Wrong(at), "an answer to something else")));
    if chaos.garbage {
        kinds.extend([
            (Fate::GarbageBefore, "garbage before an answer"),
            (Fate::GarbageInstead, "garbage instead of an answer"),
        ]);
    }
    kinds
}
