//! Standard output: one payload a line, flushed before it is settled.
//!
//! If nobody reads any more, the route is denied until the gateway is started anew. A reader that stops to read stops
//! this route, and nothing else.

use crate::window::Window;
use crate::{Delivery, Opening, Outcome, Target, TargetError};
use async_trait::async_trait;
use std::io::{ErrorKind, Write};
use tokio::task::spawn_blocking;

/// Standard output, for one route.
pub(crate) struct StdoutTarget {
    window: Window,
}

impl StdoutTarget {
    pub(crate) fn new() -> Self {
        StdoutTarget { window: Window::new(1) }
    }
}

#[async_trait]
impl Target for StdoutTarget {
    async fn connect(&mut self, _opening: Opening) -> Result<(), TargetError> {
        self.window.clear();
        Ok(())
    }

    /// The output answers at once, so nothing is under way after this.
    async fn send(&mut self, batch: Vec<Delivery>) -> Result<Vec<Outcome>, TargetError> {
        // Whoever reads a pipe may be slow, so this is not done on a thread of the runtime.
        let written = spawn_blocking(move || write(&mut std::io::stdout().lock(), &batch)).await;
        let outcomes =
            written.unwrap_or_else(|error| Err(TargetError::Away(format!("writing ended early: {error}"))))?;
        outcomes.into_iter().for_each(|outcome| self.window.push_settled(outcome));
        self.window.ready()
    }

    async fn settle(&mut self) -> Result<Vec<Outcome>, TargetError> {
        self.window.settle().await
    }

    async fn finish(&mut self) -> Result<Vec<Outcome>, TargetError> {
        self.window.finish().await
    }

    async fn close(&mut self) {}
}

fn write(out: &mut impl Write, batch: &[Delivery]) -> Result<Vec<Outcome>, TargetError> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for delivery in batch {
        outcomes.push(match delivery.bytes() {
            Ok((payload, _)) => line(out, &payload).map(|()| Outcome::Delivered)?,
            Err(outcome) => outcome,
        });
    }
    out.flush().map_err(failed)?;
    Ok(outcomes)
}

fn line(out: &mut impl Write, payload: &[u8]) -> Result<(), TargetError> {
    out.write_all(payload).and_then(|()| out.write_all(b"\n")).map_err(failed)
}

fn failed(error: std::io::Error) -> TargetError {
    match error.kind() {
        ErrorKind::BrokenPipe => TargetError::Denied("nobody reads standard output any more".into()),
        _ => TargetError::Away(format!("standard output: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_formats::Content;
    use edgeway_thing_models::MessageId;

    fn delivery(text: &'static str) -> Delivery {
        let id = MessageId::from_u128(1);
        let content = Content::Bytes(text.into(), "text/plain");
        Delivery { topic: String::new(), key: String::new(), content, id, last_id: id, messages: 1 }
    }

    #[test]
    fn each_payload_is_a_line() {
        let mut out = vec![];
        let outcomes = write(&mut out, &[delivery("a"), delivery("b")]).expect("memory takes all");
        assert_eq!((out, outcomes), (b"a\nb\n".to_vec(), vec![Outcome::Delivered; 2]));
    }

    #[test]
    fn a_pipe_without_a_reader_is_denied() {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let error = write(&mut writer, &[delivery("a")]).expect_err("nobody reads");
        assert!(matches!(error, TargetError::Denied(_)), "{error}");
    }
}
