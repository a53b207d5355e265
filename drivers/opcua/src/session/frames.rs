//! The outermost frames of OPC UA TCP (OPC 10000-6, 7.1.2.2), cut so that no server can claim one of any length.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Type, final flag and length, the length counting all.
const HEADER_BYTES: usize = 8;
/// Room for what comes at once.
const READ_BYTES: usize = 8192;

/// What a server sends. Anything else shows at once that the frames have slipped: to wait for the length that it seems to have
/// could take for ever.
const KINDS: [&[u8; 3]; 5] = [b"MSG", b"OPN", b"CLO", b"ACK", b"ERR"];

/// Cuts a stream into frames, and fails where one is of no kind, shorter than its headers or longer than agreed.
pub(super) struct Frames<R> {
    inner: R,
    /// What is here of the next frame and of those behind it.
    bytes: Vec<u8>,
    limits: Limits,
}

/// How long frames may be, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Of a message on a channel, with its signature.
    pub(super) message_min: usize,
    pub(super) max: usize,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(super) fn new(inner: R, limits: Limits) -> Self {
        Frames { inner, bytes: vec![], limits }
    }

    /// The next frame with its header; `None` at the end. It may be dropped and called again.
    pub(super) async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(frame) = self.cut()? {
                return Ok(Some(frame));
            }
            self.bytes.reserve(READ_BYTES);
            if self.inner.read_buf(&mut self.bytes).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn cut(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(header) = self.bytes.first_chunk() else { return Ok(None) };
        let length = self.limits.length(header)?;
        if self.bytes.len() < length {
            return Ok(None);
        }
        let rest = self.bytes.split_off(length);
        Ok(Some(std::mem::replace(&mut self.bytes, rest)))
    }
}

impl Limits {
    /// The length of the frame that begins so.
    fn length(self, header: &[u8; HEADER_BYTES]) -> io::Result<usize> {
        let [kind @ .., _, a, b, c, d] = *header;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if !KINDS.contains(&&kind) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "what begins there is no message"));
        }
        let min = if kind == *b"MSG" || kind == *b"CLO" { self.message_min } else { HEADER_BYTES + 1 };
        if (min..=self.max).contains(&length) {
            return Ok(length);
        }
        let message = format!("a frame of {length} bytes, where {min} to {} can be", self.max);
        Err(io::Error::new(io::ErrorKind::InvalidData, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let limits = Limits { message_min: 24, max: 100 };
        let mut frames = Frames::new(bytes, limits);
        let mut all = vec![];
        while let Some(frame) = frames.next().await? {
            all.push(frame);
        }
        Ok(all)
    }

    fn frame(kind: &str, length: u32, body: usize) -> Vec<u8> {
        [kind.as_bytes(), b"F", &length.to_le_bytes(), &vec![7; body]].concat()
    }

    #[tokio::test]
    async fn frames_within_the_limits_are_cut_from_each_other() {
        let frames = [frame("ACK", 28, 20), frame("MSG", 24, 16), frame("MSG", 100, 92)];
        assert_eq!(read(&frames.concat()).await.expect("all within"), frames);
    }

    #[tokio::test]
    async fn what_is_no_message_is_not_waited_for() {
        let error = read(&frame("\0\0\0", 99, 0)).await.expect_err("its header is enough");
        assert_eq!(error.to_string(), "what begins there is no message");
    }

    #[tokio::test]
    async fn a_frame_of_impossible_length_ends_the_connection() {
        for (bytes, message) in [
            (frame("MSG", 101, 0), "a frame of 101 bytes, where 24 to 100 can be"),
            (frame("MSG", 23, 15), "a frame of 23 bytes, where 24 to 100 can be"),
            (frame("ERR", 8, 0), "a frame of 8 bytes, where 9 to 100 can be"),
            (
                [frame("ACK", 28, 20), frame("OPN", u32::MAX, 0)].concat(),
                "a frame of 4294967295 bytes, where 9 to 100 can be",
            ),
        ] {
            assert_eq!(read(&bytes).await.expect_err("refused").to_string(), message);
        }
    }
}
