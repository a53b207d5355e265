//! One driver's process after the other.

use crate::launch::Launch;
use crate::lines;
use crate::resources::Meter;
use crate::seat::Seat;
use crate::server::HELLO_WITHIN;
use crate::session::HEARTBEAT;
use crate::status::Condition;
use edgeway_sdk_wire::environment;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::VecDeque;
use std::io::Read;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// The pauses between death and start: doubled from the first to the most, back to the first after a life of that length.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MOST: Duration = Duration::from_secs(60);
/// So many deaths within so long are too many.
const DEATHS_MAX: usize = 5;
const DEATHS_WITHIN: Duration = Duration::from_secs(60);
const QUARANTINE: Duration = Duration::from_secs(600);
/// How long a process may take to close its links and exit.
const EXIT_WITHIN: Duration = Duration::from_millis(500);
/// How long a process may take to die after its stream has broken.
const DIES_WITHIN: Duration = Duration::from_millis(200);

/// Keeps a driver's process running until told to stop.
pub(crate) struct Supervisor {
    pub(crate) seat: Arc<Seat>,
    pub(crate) launch: Launch,
    /// Where it is to dial.
    pub(crate) socket: String,
}

impl Supervisor {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut record = Record::default();
        let mut epoch = 0;
        while !stop.is_cancelled() {
            epoch += 1;
            let born = Instant::now();
            let Some(reason) = self.life(epoch, &stop).await else { return };
            let pause = match record.died(born, Instant::now()) {
                Some(pause) => {
                    warn!(driver = %self.seat.name, %reason, pause_ms = pause.as_millis(), "A driver's process has died.");
                    self.seat.set(Condition::Waiting { reason, pause });
                    pause
                }
                None => {
                    error!(driver = %self.seat.name, %reason, "A driver's process dies too often; it is left alone.");
                    self.seat.set(Condition::Quarantined { reason });
                    QUARANTINE
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// One process from start to end. Why it died; nothing if it was told to.
    async fn life(&self, epoch: u64, stop: &CancellationToken) -> Option<String> {
        let token = random_hex();
        self.seat.expect(token.clone(), epoch);
        let mut child = match self.start(&token, epoch) {
            Ok(child) => child,
            Err(error) => return Some(format!("cannot be started: `{}`: {error}", self.launch.line())),
        };
        let pid = child.id();
        self.seat.pid.store(pid.unwrap_or_default(), Relaxed);
        // It lives as long as the other end of this is open.
        let stdin = child.stdin.take();
        let readers = self.read(&mut child);
        info!(driver = %self.seat.name, pid, "A driver's process was started.");
        let why = tokio::select! {
            exit = child.wait() => Why::exited(exit),
            why = self.watch(pid.unwrap_or_default()) => self.really(why, &mut child).await,
            () = stop.cancelled() => Why::Told,
        };
        if let (Why::Told, Some(session)) = (&why, self.seat.session()) {
            session.shut_down(EXIT_WITHIN);
            let _ = timeout(EXIT_WITHIN, child.wait()).await;
            session.end("was stopped");
        }
        kill(pid);
        let _ = child.wait().await;
        self.seat.pid.store(0, Relaxed);
        drop(stdin);
        // What its children hold open is not waited for.
        let _ = timeout(EXIT_WITHIN, readers).await;
        let reason = match why {
            Why::Told => return None,
            Why::Killed(reason) => reason,
            Why::Exited(how) => match self.seat.lines.last() {
                Some(last) => format!("has ended ({how}): {last}"),
                None => format!("has ended ({how})"),
            },
        };
        if let Some(session) = self.seat.session() {
            session.end(reason.clone());
            self.seat.leave(&session);
        }
        Some(reason)
    }

    /// A stream also breaks because a process has just died; then how it died says more.
    async fn really(&self, why: String, child: &mut Child) -> Why {
        match timeout(DIES_WITHIN, child.wait()).await {
            Ok(exit) => Why::exited(exit),
            Err(_) => Why::Killed(why),
        }
    }

    fn start(&self, token: &str, epoch: u64) -> std::io::Result<Child> {
        let mut command = Command::from(self.launch.command());
        command.env(environment::SOCKET, &self.socket);
        command.env(environment::TOKEN, token).env(environment::EPOCH, epoch.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it starts is killed with it.
        command.process_group(0).kill_on_drop(true).spawn()
    }

    /// Keeps what it writes.
    fn read(&self, child: &mut Child) -> impl Future<Output = ()> + use<> {
        let follow = |name: &Arc<str>| (name.clone(), self.seat.lines.clone());
        let out = child.stdout.take().map(|out| {
            let (name, lines) = follow(&self.seat.name);
            tokio::spawn(lines::follow(name, out, lines))
        });
        let err = child.stderr.take().map(|err| {
            let (name, lines) = follow(&self.seat.name);
            tokio::spawn(lines::follow(name, err, lines))
        });
        async move {
            for reader in [out, err].into_iter().flatten() {
                let _ = reader.await;
            }
        }
    }

    /// Watches a process until there is a reason to kill it.
    async fn watch(&self, pid: u32) -> String {
        let watched = async {
            let by = Instant::now() + HELLO_WITHIN;
            let Ok(session) = self.seat.session_by(by).await else {
                return "has not dialled in within 10 s".to_owned();
            };
            session.over_because().await
        };
        tokio::select! {
            why = watched => why,
            why = self.measure(pid) => why,
        }
    }

    async fn measure(&self, pid: u32) -> String {
        let mut meter = Meter::new(pid, self.launch.limits());
        let mut looks = interval(HEARTBEAT);
        loop {
            looks.tick().await;
            if let Some(too_much) = meter.look(std::time::Instant::now()) {
                return too_much;
            }
            self.seat.memory_bytes.store(meter.memory_bytes, Relaxed);
            self.seat.cpu_millicores.store((meter.cpu_cores * 1e3) as u64, Relaxed);
        }
    }
}

enum Why {
    Told,
    Exited(String),
    Killed(String),
}

impl Why {
    fn exited(exit: std::io::Result<ExitStatus>) -> Self {
        Why::Exited(exit.map_or_else(|error| error.to_string(), |exit| exit.to_string()))
    }
}

/// Also kills what it has started.
fn kill(pid: Option<u32>) {
    let pid = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// When a driver died.
struct Record {
    deaths: VecDeque<Instant>,
    pause: Duration,
}

impl Default for Record {
    fn default() -> Self {
        Record { deaths: VecDeque::new(), pause: PAUSE_FIRST }
    }
}

impl Record {
    /// How long to wait before the next start; nothing if it has died too often.
    fn died(&mut self, born: Instant, now: Instant) -> Option<Duration> {
        if now.duration_since(born) >= PAUSE_MOST {
            self.pause = PAUSE_FIRST;
        }
        self.deaths.push_back(now);
        while self.deaths.front().is_some_and(|death| now.duration_since(*death) > DEATHS_WITHIN) {
            self.deaths.pop_front();
        }
        if self.deaths.len() >= DEATHS_MAX {
            *self = Record::default();
            return None;
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE_MOST);
        Some(jittered(pause))
    }
}

/// Up to a quarter longer, so that drivers that died together do not start together.
fn jittered(pause: Duration) -> Duration {
    pause + pause.mul_f64(f64::from(random::<1>()[0]) / 255.0 / 4.0)
}

/// 256 random bits from the operating system, in hexadecimal: a token that nobody guesses.
pub fn random_hex() -> String {
    random::<32>().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.expect("the operating system gives random numbers");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_five_deaths_in_a_minute_are_too_many() {
        let mut record = Record::default();
        let start = Instant::now();
        let died = |record: &mut Record, second: u64| {
            let at = start + Duration::from_secs(second);
            record.died(at, at).map(|pause| pause.as_millis())
        };
        for (second, least) in [(0, 500), (1, 1000), (3, 2000), (8, 4000)] {
            let pause = died(&mut record, second).expect("not too many");
            assert!((least..=least * 5 / 4).contains(&pause), "{pause}");
        }
        assert_eq!(died(&mut record, 20), None);
        assert!(died(&mut record, 700).expect("it begins anew") < 700);
    }

    #[test]
    fn deaths_far_apart_are_not_too_many() {
        let mut record = Record::default();
        let start = Instant::now();
        for hour in 0..20 {
            let born = start + Duration::from_secs(hour * 3600);
            let pause = record.died(born, born + Duration::from_secs(3000)).expect("not too many");
            assert!(pause < Duration::from_millis(700), "a long life begins anew");
        }
    }
}
