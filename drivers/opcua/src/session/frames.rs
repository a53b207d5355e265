//! The outermost frames of OPC UA TCP (OPC 10000-6, 7.1.2.2), watched so that no server can claim one of any length.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};

/// Type, final flag and length, the length counting all.
const HEADER_BYTES: usize = 8;

/// Hands bytes on as they come, and fails where a frame is shorter than its headers or longer than agreed.
pub(super) struct Frames<R> {
    inner: R,
    header: [u8; HEADER_BYTES],
    /// How much of the header is here.
    filled: usize,
    /// How much of the frame behind its header is still to come.
    rest: usize,
    limits: Limits,
}

/// How long frames may be, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Of a message on a channel, with its signature.
    pub(super) message_min: usize,
    pub(super) max: usize,
}

impl<R> Frames<R> {
    pub(super) fn new(inner: R, limits: Limits) -> Self {
        Frames { inner, header: [0; HEADER_BYTES], filled: 0, rest: 0, limits }
    }

    fn pass(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let taken = match self.rest {
                0 => self.pass_header(bytes)?,
                rest => {
                    let taken = rest.min(bytes.len());
                    self.rest -= taken;
                    taken
                }
            };
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    fn pass_header(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = (HEADER_BYTES - self.filled).min(bytes.len());
        self.header[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
        self.filled += taken;
        if self.filled == HEADER_BYTES {
            self.filled = 0;
            self.rest = self.length()? - HEADER_BYTES;
        }
        Ok(taken)
    }

    /// The length of a frame whose header is here.
    fn length(&self) -> io::Result<usize> {
        let [kind @ .., _, a, b, c, d] = self.header;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        let min = if kind == *b"MSG" || kind == *b"CLO" { self.limits.message_min } else { HEADER_BYTES + 1 };
        if (min..=self.limits.max).contains(&length) {
            return Ok(length);
        }
        let message = format!("a frame of {length} bytes, where {min} to {} can be", self.limits.max);
        Err(io::Error::new(io::ErrorKind::InvalidData, message))
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Frames<R> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, out))?;
        let passed = self.pass(&out.filled()[before..]);
        if passed.is_err() {
            // With an error comes nothing.
            out.set_filled(before);
        }
        Poll::Ready(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    async fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut all = vec![];
        let limits = Limits { message_min: 24, max: 100 };
        Frames::new(bytes, limits).read_to_end(&mut all).await.map(|_| all)
    }

    fn frame(kind: &str, length: u32, body: usize) -> Vec<u8> {
        [kind.as_bytes(), b"F", &length.to_le_bytes(), &vec![7; body]].concat()
    }

    #[tokio::test]
    async fn frames_within_the_limits_pass_unchanged() {
        let bytes = [frame("ACK", 28, 20), frame("MSG", 24, 16), frame("MSG", 100, 92)].concat();
        assert_eq!(read(&bytes).await.expect("all within"), bytes);
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
