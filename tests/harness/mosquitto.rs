//! mosquitto, and mosquitto_sub with a durable session: whatever is published reaches it in the end.

use crate::Certificates;
use crate::process::Process;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const START_WITHIN: Duration = Duration::from_secs(10);
/// Where the harness finds out whether a subscriber is there.
const PROBE: &str = "harness/probe";

/// A broker that keeps sessions when it is stopped.
pub struct Broker {
    pub port: u16,
    folder: tempfile::TempDir,
    process: Option<Process>,
}

impl Broker {
    /// A broker that is not running yet.
    pub fn new() -> Broker {
        Self::with("")
    }

    /// The same with a second listener on a port of its own, which takes only clients with a certificate.
    pub fn with_tls(certificates: &Certificates) -> (Broker, u16) {
        let tls_port = crate::free_port();
        let [ca, cert, key] = ["ca.pem", "broker.pem", "broker.key"].map(|name| certificates.path(name));
        let listener = format!(
            "listener {tls_port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n",
            ca.display(),
            cert.display(),
            key.display()
        );
        (Self::with(&listener), tls_port)
    }

    fn with(more: &str) -> Broker {
        let (port, folder) = (crate::free_port(), tempfile::tempdir().expect("a temporary folder"));
        let config = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\npersistence true\npersistence_location {}/\n{}",
            folder.path().display(),
            more
        );
        std::fs::write(folder.path().join("mosquitto.conf"), config).expect("a writable folder");
        // mosquitto gives up root's rights before it writes there.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(folder.path(), open).expect("our own folder");
        Broker { port, folder, process: None }
    }

    /// Starts it and waits until it listens.
    pub fn start(&mut self) {
        let program =
            ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"].map(PathBuf::from).into_iter().find(|path| path.exists());
        let mut command = Command::new(program.unwrap_or_else(|| "mosquitto".into()));
        command.arg("-c").arg(self.folder.path().join("mosquitto.conf")).stderr(std::process::Stdio::null());
        self.process = Some(Process::start("mosquitto", &mut command));
        crate::wait_for("mosquitto to listen", START_WITHIN, || TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    /// Publishes one message with mosquitto_pub.
    ///
    /// # Panics
    /// If that fails.
    pub fn publish(&self, topic: &str, payload: &str) {
        let port = self.port.to_string();
        let done = Command::new("mosquitto_pub").args(["-p", &port, "-q", "1", "-t", topic, "-m", payload]).status();
        assert!(done.is_ok_and(|status| status.success()), "mosquitto_pub failed");
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Stops it regularly; sessions are kept.
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("it was started");
        process.signal("TERM");
        process.wait(START_WITHIN);
    }
}

impl Default for Broker {
    fn default() -> Self {
        Self::new()
    }
}

/// A message as it arrived.
#[derive(Debug, Clone)]
pub struct Message {
    pub topic: String,
    pub json: serde_json::Value,
}

/// Subscribes with QoS 1 and a durable session, and reconnects by itself.
pub struct Subscriber {
    process: Process,
    pub messages: Vec<Message>,
}

impl Subscriber {
    pub fn new(broker: &Broker, filter: &str) -> Subscriber {
        Subscriber::start(broker, filter, "%t %p")
    }

    /// For payloads that are not JSON: of each the number of its bytes is taken.
    pub fn of_bytes(broker: &Broker, filter: &str) -> Subscriber {
        Subscriber::start(broker, filter, "%t %l")
    }

    fn start(broker: &Broker, filter: &str, format: &str) -> Subscriber {
        let mut command = Command::new("mosquitto_sub");
        let port = broker.port.to_string();
        command.args(["-p", &port, "-q", "1", "-c", "-i", "subscriber", "-F", format, "-t", filter, "-t", PROBE]);
        let process = Process::start("mosquitto_sub", &mut command);
        // It does not say when it has subscribed, so it is asked until it answers.
        crate::wait_for("mosquitto_sub to subscribe", START_WITHIN, || {
            broker.publish(PROBE, "{}");
            process.line(Duration::from_millis(100))
        });
        Subscriber { process, messages: vec![] }
    }

    /// Takes in what has arrived, for as long as `time` says.
    pub fn collect(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            let Some(line) = self.process.line(left) else { return };
            self.messages.extend(parse(&line));
        }
    }

    /// Takes in messages until one satisfies `wanted`, and gives it.
    ///
    /// # Panics
    /// If none does in time.
    pub fn wait_for(&mut self, what: &str, within: Duration, wanted: impl Fn(&Message) -> bool) -> Message {
        if let Some(found) = self.messages.iter().rev().find(|message| wanted(message)) {
            return found.clone();
        }
        self.wait_for_new(what, within, wanted)
    }

    /// The same for messages that have not been taken in yet.
    ///
    /// # Panics
    /// If none does in time.
    pub fn wait_for_new(&mut self, what: &str, within: Duration, wanted: impl Fn(&Message) -> bool) -> Message {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "waited {within:?} for {what}; the last of {} messages: {:?}",
                self.messages.len(),
                self.messages.last()
            );
            let Some(line) = self.process.line(left) else { continue };
            let Some(message) = parse(&line) else { continue };
            self.messages.push(message.clone());
            if wanted(&message) {
                return message;
            }
        }
    }
}

/// A line is a message, or nothing that a test waits for.
fn parse(line: &str) -> Option<Message> {
    let (topic, payload) = line.split_once(' ').filter(|(topic, _)| *topic != PROBE)?;
    let json = serde_json::from_str(payload).ok()?;
    Some(Message { topic: topic.to_owned(), json })
}
