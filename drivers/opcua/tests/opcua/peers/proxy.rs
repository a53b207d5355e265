//! Stands between the driver and a server, and can be slow, fall silent or hang up.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What is done to what the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Passes,
    /// Nothing of it arrives, and the connection stands.
    Silent,
    /// All of it arrives, later.
    Slow,
    /// Connections are closed, and new ones are not taken.
    Away,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    mood: watch::Sender<Mood>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(server: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mood = watch::Sender::new(Mood::Passes);
        let moods = mood.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if *moods.borrow() != Mood::Away {
                    tokio::spawn(pass(stream, SocketAddr::from(([127, 0, 0, 1], server)), moods.subscribe()));
                }
            }
        });
        Proxy { port, mood, task }
    }

    pub(crate) fn be(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.mood.send_replace(Mood::Away);
    }
}

async fn pass(client: TcpStream, server: SocketAddr, mut moods: watch::Receiver<Mood>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let (mut client_reads, mut client_writes) = client.into_split();
    let (mut server_reads, mut server_writes) = server.into_split();
    let mut ears = moods.clone();
    let answers = async {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = server_reads.read(&mut piece).await {
            let Ok(mood) = ears.wait_for(|mood| *mood != Mood::Slow).await.map(|mood| *mood) else { return };
            if mood == Mood::Passes && client_writes.write_all(&piece[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = tokio::io::copy(&mut client_reads, &mut server_writes) => {}
        () = answers => {}
        _ = moods.wait_for(|mood| *mood == Mood::Away) => {}
    }
}
