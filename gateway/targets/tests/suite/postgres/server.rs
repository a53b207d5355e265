//! PostgreSQL as a child process, with a cluster of its own.

use crate::mqtt::broker::Certificates;
use crate::peer::look_until;
use crate::process::Process;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;
use tokio_postgres::{Client, NoTls};

/// A superuser.
pub(crate) const USER: &str = "farm";
pub(crate) const PASSWORD: &str = "s3cret";

pub(crate) struct Server {
    pub(crate) port: u16,
    folder: tempfile::TempDir,
    process: Option<Process>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let mut server = Self::new().await;
        server.run(&[]).await;
        server
    }

    /// One that speaks TLS, to who has a certificate.
    pub(crate) async fn with_tls(certificates: &Certificates) -> Self {
        let mut server = Self::new().await;
        let data = server.data();
        for (from, to) in [("ca.pem", "root.crt"), ("broker.pem", "server.crt"), ("broker.key", "server.key")] {
            // PostgreSQL reads a key only if nobody else may.
            std::fs::copy(certificates.path(from), data.join(to)).expect("our own folders");
            std::fs::set_permissions(data.join(to), PermissionsExt::from_mode(0o600)).expect("our own file");
            let owner = std::fs::metadata(&data).expect("our own folder");
            std::os::unix::fs::chown(data.join(to), Some(owner.uid()), Some(owner.gid())).expect("our own file");
        }
        std::fs::write(data.join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n")
            .expect("our own file");
        server.run(&["-c", "ssl=on", "-c", "ssl_ca_file=root.crt"]).await;
        server
    }

    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).expect("our own folder");
        std::fs::write(folder.path().join("password"), PASSWORD).expect("a writable folder");
        let port = edgeway_conformance::free_port();
        let server = Server { port, folder, process: None };
        server.make().await;
        server
    }

    pub(crate) async fn restart(&mut self) {
        // Open sessions are cut, as in a restart of the service.
        self.process.take().expect("it runs").end("INT").await;
        self.run(&[]).await;
    }

    pub(crate) async fn client(&self) -> Client {
        let login = format!("host=127.0.0.1 port={} user={USER} password={PASSWORD} dbname=postgres", self.port);
        let (client, connection) = tokio_postgres::connect(&login, NoTls).await.expect("the server is there");
        tokio::spawn(connection);
        client
    }

    /// A fresh cluster: a copy of one that an earlier test has made, since making one takes seconds.
    async fn make(&self) {
        let template = template();
        if !template.exists() {
            self.init().await;
            let unfinished = template.with_extension(self.port.to_string());
            copy(&self.data(), &unfinished);
            // If another test was faster, its copy stays.
            if std::fs::rename(&unfinished, &template).is_err() {
                std::fs::remove_dir_all(&unfinished).expect("our own folder");
            }
        } else {
            copy(&template, &self.data());
        }
    }

    async fn init(&self) {
        let mut command = command("initdb");
        let (data, password) = (self.data(), self.folder.path().join("password"));
        command.arg("-D").arg(data).args(["-U", USER, "-A", "scram-sha-256", "--no-sync", "-E", "UTF8", "--pwfile"]);
        let done = command.arg(password).stdout(Stdio::null()).status().await;
        assert!(done.is_ok_and(|status| status.success()), "initdb failed");
    }

    async fn run(&mut self, options: &[&str]) {
        let mut command = command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-c", "log_min_messages=panic"]).args(options);
        self.process = Some(Process::start("postgres", command.stderr(Stdio::null())));
        let ask = ["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()];
        look_until(|| program("pg_isready").args(ask).status().is_ok_and(|status| status.success())).await;
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

/// Where the first cluster is kept, for this version of PostgreSQL.
fn template() -> PathBuf {
    let version = program("initdb").arg("--version").output().expect("tests/run installs PostgreSQL").stdout;
    let version: String = String::from_utf8_lossy(&version).chars().filter(char::is_ascii_digit).collect();
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("postgres-{version}"))
}

fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.is_ok_and(|status| status.success()), "{} cannot be copied", from.display());
}

/// A program of PostgreSQL's.
fn program(name: &str) -> std::process::Command {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|version| version.path().join("bin").join(name)).find(|path| path.exists());
    std::process::Command::new(debian.unwrap_or_else(|| name.into()))
}

/// A program of PostgreSQL's as another user than root, for whom some of them refuse to run.
fn command(name: &str) -> Command {
    if !is_root() {
        return program(name).into();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program(name).get_program());
    command.current_dir("/");
    command
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").expect("a process is there").uid() == 0
}
