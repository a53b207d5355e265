//! A gate before a server, which can cut all connections.

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

pub(crate) struct Gate {
    pub(crate) port: u16,
    cut: broadcast::Sender<()>,
}

impl Gate {
    pub(crate) async fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (cut, _) = broadcast::channel(1);
        let gate = Gate { port, cut: cut.clone() };
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                tokio::spawn(pass(from, server, cut.subscribe()));
            }
        });
        gate
    }

    /// Cuts what is connected now.
    pub(crate) fn cut(&self) {
        let _ = self.cut.send(());
    }
}

async fn pass(mut from: TcpStream, server: u16, mut cut: broadcast::Receiver<()>) {
    let Ok(mut to) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut from, &mut to) => {}
        _ = cut.recv() => {}
    }
}
