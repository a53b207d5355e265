//! What a process writes, a line at a time: logged, and the last lines kept.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tracing::info;

/// Lines kept.
const KEPT_MAX: usize = 200;
/// A longer line is taken for several; in bytes.
const LINE_MAX: u64 = 4096;
/// Lines that are logged in a second. All are kept, as far as they are the last ones.
const LOGGED_PER_SECOND: u32 = 50;

/// The last lines of a process.
#[derive(Default)]
pub(crate) struct Lines(Mutex<VecDeque<String>>);

impl Lines {
    pub(crate) fn list(&self) -> Vec<String> {
        self.0.lock().iter().cloned().collect()
    }

    /// The last line that says something.
    pub(crate) fn last(&self) -> Option<String> {
        self.0.lock().iter().rev().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned())
    }

    fn keep(&self, line: String) {
        let mut lines = self.0.lock();
        if lines.len() == KEPT_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// Takes all lines until the process has closed its end.
pub(crate) async fn follow(driver: Arc<str>, output: impl AsyncRead + Unpin, lines: Arc<Lines>) {
    let mut read = BufReader::new(output);
    let mut pace = Pace { second: Instant::now(), logged: 0 };
    let mut bytes = vec![];
    while (&mut read).take(LINE_MAX).read_until(b'\n', &mut bytes).await.is_ok_and(|count| count > 0) {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        if pace.allows() {
            info!(%driver, "{line}");
        }
        lines.keep(line);
        bytes.clear();
    }
}

struct Pace {
    second: Instant,
    logged: u32,
}

impl Pace {
    fn allows(&mut self) -> bool {
        if self.second.elapsed() >= Duration::from_secs(1) {
            *self = Pace { second: Instant::now(), logged: 0 };
        }
        self.logged += 1;
        self.logged <= LOGGED_PER_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_lines_are_kept_whatever_is_written() {
        let mut text: Vec<u8> = (0..500).flat_map(|number| format!("line {number}\n").into_bytes()).collect();
        text.extend([0xff, 0xfe, b'\n']);
        text.extend(vec![b'x'; 3 * LINE_MAX as usize]);
        text.extend(b"\nlast words\n\n");
        let lines = Arc::new(Lines::default());
        follow("acme".into(), text.as_slice(), lines.clone()).await;
        assert_eq!(lines.last().as_deref(), Some("last words"));
        let all = lines.list();
        assert_eq!(all.len(), KEPT_MAX);
        assert_eq!(all.iter().filter(|line| line.len() == LINE_MAX as usize).count(), 3);
    }
}
