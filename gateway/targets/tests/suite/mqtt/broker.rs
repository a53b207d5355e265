//! mosquitto as a child process.

use crate::peer::look_until;
use crate::process::Process;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Who may publish to `suite/#`.
pub(crate) const USER: &str = "farm";
pub(crate) const PASSWORD: &str = "s3cret";

/// Whom the broker lets in.
#[derive(Clone, Copy)]
pub(crate) enum Access<'c> {
    /// [`USER`] with [`PASSWORD`], and the subscriber.
    Password,
    /// Whoever has a certificate of this authority.
    Certificate(&'c Certificates),
}

/// A broker that keeps its sessions when it is stopped.
pub(crate) struct Broker {
    pub(crate) port: u16,
    folder: tempfile::TempDir,
    process: Option<Process>,
}

impl Broker {
    pub(crate) async fn start(packet_bytes_max: usize, access: Access<'_>) -> Self {
        let folder = open_folder();
        let port = free_port();
        let path = folder.path().display();
        let access = match access {
            Access::Password => passwords(folder.path()),
            Access::Certificate(certificates) => certificates.listener(),
        };
        let config = format!(
            "listener {port} 127.0.0.1\nmax_packet_size {packet_bytes_max}\nmax_queued_messages 0\npersistence true\n\
             persistence_location {path}/\n{access}"
        );
        write(folder.path(), "mosquitto.conf", &config);
        let mut broker = Broker { port, folder, process: None };
        broker.run().await;
        broker
    }

    pub(crate) async fn restart(&mut self) {
        self.process.take().expect("it runs").end("TERM").await;
        self.run().await;
    }

    async fn run(&mut self) {
        let program =
            ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"].map(PathBuf::from).into_iter().find(|path| path.exists());
        let mut command = tokio::process::Command::new(program.unwrap_or_else(|| "mosquitto".into()));
        command.arg("-c").arg(self.folder.path().join("mosquitto.conf")).stderr(Stdio::null());
        self.process = Some(Process::start("mosquitto", &mut command));
        look_until(|| std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()).await;
    }
}

/// Users, passwords and rights.
fn passwords(folder: &Path) -> String {
    write(folder, "passwords", &format!("{USER}:{PASSWORD}\nsubscriber:subscriber\n"));
    let file = folder.join("passwords");
    let done = Command::new("mosquitto_passwd").arg("-U").arg(&file).status();
    assert!(done.is_ok_and(|status| status.success()), "mosquitto_passwd failed");
    readable(&file);
    write(folder, "rights", &format!("user {USER}\ntopic readwrite suite/#\nuser subscriber\ntopic read #\n"));
    format!("allow_anonymous false\npassword_file {}\nacl_file {}\n", file.display(), folder.join("rights").display())
}

/// A certificate authority of the test's own, made with openssl.
pub(crate) struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    /// `ca.pem`, and certificates with keys for the broker and the gateway; `stranger` has made its own.
    pub(crate) fn new() -> Self {
        let certificates = Certificates { folder: open_folder() };
        for own in ["ca", "stranger"] {
            let (key, pem, subject) = (format!("{own}.key"), format!("{own}.pem"), format!("/CN={own}"));
            let ask = ["req", "-x509", "-subj", &subject, "-days", "1", "-out", &pem, "-keyout", &key];
            certificates.openssl(&[&ask[..], &KEY].concat());
        }
        certificates.issue("broker", "subjectAltName=IP:127.0.0.1");
        certificates.issue("gateway", "extendedKeyUsage=clientAuth");
        certificates
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn listener(&self) -> String {
        let [ca, cert, key] = ["ca.pem", "broker.pem", "broker.key"].map(|name| self.path(name).display().to_string());
        format!("cafile {ca}\ncertfile {cert}\nkeyfile {key}\nrequire_certificate true\nallow_anonymous true\n")
    }

    fn issue(&self, name: &str, extension: &str) {
        let (key, request, pem) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        let subject = format!("/CN={name}");
        let ask = ["req", "-subj", &subject, "-out", &request, "-keyout", &key];
        self.openssl(&[&ask[..], &KEY].concat());
        write(self.folder.path(), "extension", extension);
        let authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extension"];
        self.openssl(&[&["x509", "-req", "-in", &request, "-days", "1", "-out", &pem], &authority[..]].concat());
        readable(&self.path(&key));
    }

    fn openssl(&self, arguments: &[&str]) {
        let mut command = Command::new("openssl");
        let command =
            command.args(arguments).current_dir(self.folder.path()).stderr(Stdio::null()).stdout(Stdio::null());
        assert!(command.status().is_ok_and(|status| status.success()), "openssl {arguments:?} failed");
    }
}

/// How keys are made: quickly, and without a password.
const KEY: [&str; 5] = ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

/// mosquitto gives up root's rights before it reads and writes.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).expect("our own folder");
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("a writable folder");
}

fn readable(path: &Path) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o644)).expect("our own file");
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
