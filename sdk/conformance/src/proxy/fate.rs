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
    /// It comes twice.
    Duplicate,
    /// Its end is missing, and nothing more comes.
    Truncate,
    /// Its end is missing, and the connection is closed.
    Half,
    /// The connection is reset instead.
    Reset,
    /// It never comes.
    Stall,
    /// A byte of these is another.
    Wrong(Range<usize>),
    /// Bytes that mean nothing come before it.
    GarbageBefore,
    /// Bytes that mean nothing come instead.
    GarbageInstead,
    /// It comes byte by byte, with pauses shorter than a timeout, and does not end.
    Endless,
}

/// Garbage has at most so many bytes.
const GARBAGE_BYTES_MAX: usize = 40;
/// An answer that comes in pieces comes in at most so many.
const PIECES_MAX: usize = 40;
/// For how many timeouts an answer goes on that does not end.
const ENDLESS_TIMEOUTS: u32 = 12;

/// Lets answers meet their fate.
pub(super) struct Fatal<'c> {
    pub(super) to: &'c OwnedWriteHalf,
    /// Answers that wait for the next.
    pub(super) held: &'c mut Vec<u8>,
    pub(super) dice: fastrand::Rng,
    pub(super) timeout: Duration,
}

impl Fatal<'_> {
    /// Fails if the connection is to be closed, or is.
    pub(super) async fn meet(&mut self, fate: &Fate, answer: Vec<u8>, asked_at: Instant) -> io::Result<()> {
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
            Fate::Merge => {
                self.held.extend(answer);
                Ok(())
            }
            Fate::Duplicate => self.send(answer.repeat(2)).await,
            Fate::Truncate => {
                let begin = self.begin(&answer);
                self.send(begin).await
            }
            Fate::Half => {
                let begin = self.begin(&answer);
                self.send(begin).await?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Fate::Reset => {
                self.to.as_ref().set_zero_linger()?;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Fate::Stall => Ok(()),
            Fate::Wrong(at) => {
                let damaged = damaged(answer, at.clone(), &mut self.dice);
                self.send(damaged).await
            }
            Fate::GarbageBefore => {
                let garbage = self.garbage();
                self.send([garbage, answer].concat()).await
            }
            Fate::GarbageInstead => {
                let garbage = self.garbage();
                self.send(garbage).await
            }
            Fate::Endless => self.endless(&answer).await,
        }
    }

    async fn send(&mut self, answer: Vec<u8>) -> io::Result<()> {
        let all = [std::mem::take(self.held), answer].concat();
        send(self.to, &all).await
    }

    /// A part of it, without its last byte.
    fn begin(&mut self, answer: &[u8]) -> Vec<u8> {
        let length = if answer.len() > 1 { self.dice.usize(1..answer.len()) } else { 0 };
        answer[..length].to_vec()
    }

    fn garbage(&mut self) -> Vec<u8> {
        (0..self.dice.usize(1..=GARBAGE_BYTES_MAX)).map(|_| self.dice.u8(..)).collect()
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
        let pause = self.timeout / 3;
        let Some((_, begin)) = answer.split_last() else { return Ok(()) };
        let filler = begin.last().or(answer.last()).copied().unwrap_or_default();
        let bytes = begin.iter().copied().chain(std::iter::repeat(filler));
        for byte in bytes.take(3 * ENDLESS_TIMEOUTS as usize) {
            self.send(vec![byte]).await?;
            sleep(pause).await;
        }
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

/// The same with one byte of a range changed. A digit stays a digit, so that texts stay texts.
fn damaged(mut answer: Vec<u8>, at: Range<usize>, dice: &mut fastrand::Rng) -> Vec<u8> {
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
