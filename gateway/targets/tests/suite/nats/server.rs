//! nats-server as a child process.

use crate::mqtt::broker::Certificates;
use crate::peer::look_until;
use crate::process::Process;
use async_nats::jetstream::message::StreamMessage;
use std::process::Stdio;

/// Who may do everything; `reader` may only listen.
pub(crate) const USER: &str = "farm";
pub(crate) const PASSWORD: &str = "s3cret";
/// The largest message with its headers that the server takes, in bytes.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 2 << 20;

pub(crate) struct Server {
    pub(crate) port: u16,
    folder: tempfile::TempDir,
    process: Option<Process>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with("").await
    }

    /// One that speaks only TLS, to who has a certificate.
    pub(crate) async fn with_tls(certificates: &Certificates) -> Self {
        let [ca, cert, key] = ["ca.pem", "broker.pem", "broker.key"].map(|name| certificates.path(name));
        let (ca, cert, key) = (ca.display(), cert.display(), key.display());
        let files = format!("ca_file: \"{ca}\", cert_file: \"{cert}\", key_file: \"{key}\"");
        Self::with(&format!("tls {{ {files}, verify: true }}\n")).await
    }

    async fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = edgeway_conformance::free_port();
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\nmax_payload: {PAYLOAD_BYTES_MAX}\njetstream {{ store_dir: \"{}\" }}\n\
             authorization {{ users = [\n  {{ user: {USER}, password: {PASSWORD} }}\n  {{ user: reader, password: reader, \
             permissions: {{ publish: \"nothing\", subscribe: \">\" }} }}\n] }}\n{more}",
            folder.path().join("jetstream").display()
        );
        std::fs::write(folder.path().join("server.conf"), config).expect("a writable folder");
        let mut server = Server { port, folder, process: None };
        server.run().await;
        server
    }

    pub(crate) async fn restart(&mut self) {
        self.process.take().expect("it runs").end("TERM").await;
        self.run().await;
    }

    /// All that is in a stream, in order.
    pub(crate) async fn stored(&self, stream: &str) -> Vec<StreamMessage> {
        let jetstream = async_nats::jetstream::new(self.client().await);
        let stream = jetstream.get_stream(stream).await.expect("the stream is there");
        let state = &stream.cached_info().state;
        let mut stored = vec![];
        for sequence in state.first_sequence..=state.last_sequence {
            stored.push(stream.get_raw_message(sequence).await.expect("it is in the stream"));
        }
        stored
    }

    /// How many connections the server has.
    pub(crate) fn connections(&self) -> usize {
        let mut list = std::process::Command::new("ss");
        let list = list.args(["-Htn", "state", "established", &format!("sport = :{}", self.port)]);
        let listed = list.output().expect("ss lists sockets").stdout;
        String::from_utf8_lossy(&listed).lines().count()
    }

    async fn client(&self) -> async_nats::Client {
        let options = async_nats::ConnectOptions::with_user_and_password(USER.into(), PASSWORD.into());
        options.connect(format!("nats://127.0.0.1:{}", self.port)).await.expect("the server is there")
    }

    async fn run(&mut self) {
        let mut command = tokio::process::Command::new("nats-server");
        command.arg("-c").arg(self.folder.path().join("server.conf")).stderr(Stdio::null());
        self.process = Some(Process::start("nats-server", &mut command));
        look_until(|| std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()).await;
    }
}
