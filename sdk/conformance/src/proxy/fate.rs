//! What can happen to an answer.

use std::io;
use std::ops::Range;
use std::time::Duration;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::{Instant, sleep, sleep_until};

/// What happens to one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing.
    Honest,
    /// It comes so long after its question.
    Delay(Duration),
    /// It comes one and a half timeouts after its question.
    Late,
    /// It comes in many pieces, soon enough.
    Split,
    /// It waits for the next answer and comes together with it.
    Merge,
    /// It comes after the next answer. Of datagrams.
    Swap,
    /// It comes twice.
    Duplicate,
    /// Its end is missing, and nothing comes in its place: no answer to a question that was asked within a timeout from then.
    /// Whatever came would fill the gap, and nobody could tell.
    Truncate(Missing),
    /// Its end is missing, and the connection is closed.
    Half(Missing),
    /// The connection is reset instead.
    Reset,
    /// It never comes.
    Stall,
    /// These bytes are far from what they were: they are not those of a question that is under way.
    WrongId(Range<usize>),
    /// A byte of these is another.
    Wrong(Range<usize>),
    /// Bytes that mean nothing come before it.
    GarbageBefore,
    /// Bytes that mean nothing come instead.
    GarbageInstead,
    /// It comes byte by byte, with pauses shorter than a timeout, and does not end. Of datagrams: instead come others again and
    /// again, with such pauses, which are not the answer.
    Endless,
}

/// How much of an answer is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Its last bytes: what is left may look whole.
    Little,
    /// Any part.
    Some,
}

/// So many bytes are little.
const LITTLE_BYTES_MAX: usize = 3;
/// Garbage has at most so many bytes.
const GARBAGE_BYTES_MAX: usize = 40;
/// An answer that comes in pieces comes in at most so many.
const PIECES_MAX: usize = 40;
/// For how long an answer goes on that does not end, beside some timeouts: longer than a call may overrun its deadline.
pub(super) const ENDLESS: Duration = Duration::from_secs(2);

/// Lets answers meet their fate.
pub(super) struct Fatal<'c> {
    pub(super) to: &'c OwnedWriteHalf,
    /// Answers that wait for the next.
    pub(super) held: &'c mut Vec<u8>,
    /// Questions that were asked before have no answer any more.
    pub(super) mute_until: &'c mut Option<Instant>,
    pub(super) dice: fastrand::Rng,
    pub(super) timeout: Duration,
}

impl Fatal<'_> {
    /// Fails if the connection is to be closed, or is.
    pub(super) async fn meet(&mut self, fate: &Fate, answer: Vec<u8>, asked_at: Instant) -> io::Result<()> {
        if self.mute_until.is_some_and(|until| asked_at < until) {
            return Ok(());
        }
        match fate {
            Fate::Honest => self.send(answer).await,
            Fate::Delay(by) => {
                sleep_until(asked_at + *by).await;
                self.send(answer).await
            }
            Fate::Late => {
                sleep_until(asked_at + self.timeout.mul_f64(1.5)).await;
                self.send(answer).await
            }
            Fate::Split => self.split(answer).await,
            Fate::Merge | Fate::Swap => {
                self.held.extend(answer);
                Ok(())
            }
            Fate::Duplicate => self.send(answer.repeat(2)).await,
            Fate::Truncate(missing) => {
                let begin = self.begin(&answer, *missing);
                *self.mute_until = Some(Instant::now() + self.timeout);
                self.send(begin).await
            }
            Fate::Half(missing) => {
                let begin = self.begin(&answer, *missing);
                self.send(begin).await?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Fate::Reset => {
                self.to.as_ref().set_zero_linger()?;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Fate::Stall => Ok(()),
            Fate::WrongId(at) => self.send(estranged(answer, at.clone())).await,
            Fate::Wrong(at) => {
                let damaged = damaged(answer, at.clone(), &mut self.dice);
                self.send(damaged).await
            }
            Fate::GarbageBefore => {
                let garbage = garbage(&mut self.dice);
                self.send([garbage, answer].concat()).await
            }
            Fate::GarbageInstead => {
                let garbage = garbage(&mut self.dice);
                self.send(garbage).await
            }
            Fate::Endless => self.endless(&answer).await,
        }
    }

    async fn send(&mut self, answer: Vec<u8>) -> io::Result<()> {
        let all = [std::mem::take(self.held), answer].concat();
        send(self.to, &all).await
    }

    /// A part of it, at least without its last byte.
    fn begin(&mut self, answer: &[u8], missing: Missing) -> Vec<u8> {
        let most = match missing {
            Missing::Little => answer.len().min(LITTLE_BYTES_MAX),
            Missing::Some => answer.len(),
        };
        answer[..answer.len() - self.dice.usize(1..=most.max(1)).min(answer.len())].to_vec()
    }

    /// All in pieces within a third of a timeout: nothing is late.
    async fn split(&mut self, answer: Vec<u8>) -> io::Result<()> {
        let pieces = answer.len().min(PIECES_MAX);
        let pause = (self.timeout / 3 / (pieces.max(1) as u32)).min(Duration::from_millis(1));
        for piece in answer.chunks(answer.len().div_ceil(pieces.max(1)).max(1)) {
            self.send(piece.to_vec()).await?;
            sleep(pause).await;
        }
        Ok(())
    }

    async fn endless(&mut self, answer: &[u8]) -> io::Result<()> {
        let Some((_, begin)) = answer.split_last() else { return Ok(()) };
        // What is sent last completes an answer of this length, wrongly: long after anybody waits for it.
        let pause = (self.timeout * 3 / answer.len() as u32).max(self.timeout / 3).min(self.timeout.mul_f64(0.9));
        let filler = begin.last().or(answer.last()).copied().unwrap_or_default();
        let until = Instant::now() + self.timeout * 4 + ENDLESS;
        for byte in begin.iter().copied().chain(std::iter::repeat(filler)) {
            if Instant::now() > until {
                break;
            }
            self.send(vec![byte]).await?;
            sleep(pause).await;
        }
        // What has been waiting behind it is later than any device is.
        *self.mute_until = Some(Instant::now());
        Ok(())
    }
}

/// Writes all of it. Writing through the shared half needs no exclusive hold on it.
pub(super) async fn send(to: &OwnedWriteHalf, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(super) fn garbage(dice: &mut fastrand::Rng) -> Vec<u8> {
    (0..dice.usize(1..=GARBAGE_BYTES_MAX)).map(|_| dice.u8(..)).collect()
}

/// The same with all bytes of a range changed, and far from what they were.
pub(super) fn estranged(mut answer: Vec<u8>, at: Range<usize>) -> Vec<u8> {
    let end = at.end.min(answer.len());
    for byte in &mut answer[at.start.min(end)..end] {
        *byte = match *byte {
            digit @ b'0'..=b'9' => b'0' + (digit - b'0' + 5) % 10,
            other => other ^ 0x80,
        };
    }
    answer
}

/// The same with one byte of a range changed. A digit stays a digit, so that texts stay texts.
pub(super) fn damaged(mut answer: Vec<u8>, at: Range<usize>, dice: &mut fastrand::Rng) -> Vec<u8> {
    let end = at.end.min(answer.len());
    if at.start < end {
        let byte = &mut answer[dice.usize(at.start..end)];
        *byte = match *byte {
            digit @ b'0'..=b'9' => b'0' + (digit - b'0' + dice.u8(1..10)) % 10,
            other => other ^ dice.u8(1..),
        };
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_becomes_one_that_is_far_away() {
        assert_eq!(estranged(vec![0, 20, 0], 0..2), [0x80, 0x94, 0]);
        assert_eq!(estranged(b"#0014 x".to_vec(), 1..5), b"#5569 x");
        assert_eq!(estranged(vec![1], 1..3), [1]);
    }

    #[test]
    fn damage_changes_exactly_one_byte_of_the_range() {
        let mut dice = fastrand::Rng::with_seed(1);
        for _ in 0..500 {
            let answer = b"7 12 3405\n".to_vec();
            let other = damaged(answer.clone(), 2..4, &mut dice);
            let differs: Vec<usize> = (0..answer.len()).filter(|&at| answer[at] != other[at]).collect();
            assert!(matches!(differs[..], [2] | [3]), "{differs:?}");
            assert!(other[2..4].iter().all(u8::is_ascii_digit));
        }
        assert_eq!(damaged(vec![1, 2], 2..4, &mut dice), [1, 2], "what is not there cannot be damaged");
    }
}
