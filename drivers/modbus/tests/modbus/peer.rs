//! A Modbus TCP peer made of raw bytes, told for each request how to behave.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// What to do with a request.
pub(crate) enum Act {
    /// Answer it: the entry at address n holds n, a bit is set if its address is odd; a write is acknowledged.
    Honest,
    /// Answer it with this unit and PDU.
    Pdu(Vec<u8>),
    /// Answer it with the bytes made from the honest answer.
    Mangled(fn(Vec<u8>) -> Vec<u8>),
    /// Answer it honestly, but only when the next request arrives, and just before that one's answer.
    Late,
    /// Answer it honestly, each byte in a segment of its own.
    ByteByByte,
    /// Announce a long answer and send it byte by byte, more slowly than anyone would wait.
    Endless,
    /// Say nothing.
    Silent,
    /// Close the connection.
    Close,
}

/// A peer on a port of its own.
pub(crate) struct Peer {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
    asked: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

struct State {
    acts: VecDeque<Act>,
    asked: watch::Sender<usize>,
    requests: Vec<Vec<u8>>,
    answers: Vec<Vec<u8>>,
    times: Vec<Instant>,
    connections: Vec<JoinHandle<()>>,
    late: Vec<(Sender, Vec<u8>)>,
}

impl State {
    fn new(acts: VecDeque<Act>, asked: watch::Sender<usize>) -> State {
        State { acts, asked, requests: vec![], answers: vec![], times: vec![], connections: vec![], late: vec![] }
    }
}

type Sender = Arc<tokio::sync::Mutex<OwnedWriteHalf>>;

impl Peer {
    /// Does these acts, in order and over all connections; from then on it is honest.
    pub(crate) async fn start(acts: impl IntoIterator<Item = Act>) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (sender, asked) = watch::channel(0);
        let state = Arc::new(Mutex::new(State::new(acts.into_iter().collect(), sender)));
        let task = tokio::spawn(accept(listener, state.clone()));
        Peer { port, state, asked, task }
    }

    /// Every request so far, as unit and PDU.
    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Waits until there have been this many requests.
    pub(crate) async fn asked(&self, count: usize) {
        self.asked.clone().wait_for(|asked| *asked >= count).await.expect("the peer lives");
    }

    /// What was answered to each, as unit and PDU; empty if nothing.
    pub(crate) fn answers(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().answers.clone()
    }

    /// When each request came.
    pub(crate) fn times(&self) -> Vec<Instant> {
        self.state.lock().unwrap().times.clone()
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections.len()
    }

    /// Ends all connections and takes no more.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        let connections = std::mem::take(&mut self.state.lock().unwrap().connections);
        connections.iter().for_each(JoinHandle::abort);
        let _ = (&mut self.task).await;
        for connection in connections {
            let _ = connection.await;
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
        self.state.lock().unwrap().connections.iter().for_each(JoinHandle::abort);
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let connection = tokio::spawn(serve(stream, state.clone()));
        state.lock().unwrap().connections.push(connection);
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    stream.set_nodelay(true).expect("a TCP stream");
    let (mut reader, writer) = stream.into_split();
    let writer: Sender = Arc::new(tokio::sync::Mutex::new(writer));
    while let Some(request) = frame(&mut reader).await {
        let (act, late) = {
            let mut state = state.lock().unwrap();
            state.requests.push(request[6..].to_vec());
            state.times.push(Instant::now());
            state.asked.send_replace(state.requests.len());
            (state.acts.pop_front().unwrap_or(Act::Honest), std::mem::take(&mut state.late))
        };
        for (writer, answer) in late {
            // Its connection may be gone by now.
            let _ = writer.lock().await.write_all(&answer).await;
        }
        let Some(answer) = act_on(act, &request, &writer, &state).await else { return };
        state.lock().unwrap().answers.push(answer);
    }
}

/// Unit and PDU of what was sent; `None` to close the connection.
async fn act_on(act: Act, request: &[u8], writer: &Sender, state: &Mutex<State>) -> Option<Vec<u8>> {
    let honest = reply(request, &answer(&request[6..]));
    let mut out = writer.lock().await;
    let sent = match act {
        Act::Honest => honest,
        Act::Pdu(pdu) => reply(request, &pdu),
        Act::Mangled(mangle) => mangle(honest),
        Act::ByteByByte => {
            for byte in honest {
                out.write_all(&[byte]).await.ok()?;
                tokio::task::yield_now().await;
            }
            return Some(vec![]);
        }
        Act::Endless => {
            out.write_all(&[&honest[..4], &[0, 254]].concat()).await.ok()?;
            loop {
                out.write_all(&[0xff]).await.ok()?;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Act::Late => {
            state.lock().unwrap().late.push((writer.clone(), honest));
            return Some(vec![]);
        }
        Act::Silent => return Some(vec![]),
        Act::Close => return None,
    };
    out.write_all(&sent).await.ok()?;
    Some(sent.get(6..).unwrap_or_default().to_vec())
}

async fn frame(reader: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let mut frame = vec![0; 6];
    reader.read_exact(&mut frame).await.ok()?;
    let mut rest = vec![0; usize::from(u16::from_be_bytes([frame[4], frame[5]]))];
    reader.read_exact(&mut rest).await.ok()?;
    frame.extend(rest);
    Some(frame)
}

/// The frame that answers a request with this unit and PDU.
fn reply(request: &[u8], unit_and_pdu: &[u8]) -> Vec<u8> {
    let mut frame = request[..4].to_vec();
    frame.extend((unit_and_pdu.len() as u16).to_be_bytes());
    frame.extend(unit_and_pdu);
    frame
}

/// The honest answer, as unit and PDU.
fn answer(request: &[u8]) -> Vec<u8> {
    if request.len() < 6 {
        return vec![request[0], request[1] | 0x80, 1];
    }
    let word = |at: usize| u16::from_be_bytes([request[at], request[at + 1]]);
    let (start, count) = (word(2), word(4));
    let mut answer = request[..2].to_vec();
    match request[1] {
        1 | 2 => {
            let bytes = usize::from(count.div_ceil(8));
            answer.push(bytes as u8);
            answer.extend(std::iter::repeat_n(if start % 2 == 0 { 0b1010_1010 } else { 0b0101_0101 }, bytes));
        }
        3 | 4 => {
            answer.push((count * 2) as u8);
            (start..start + count).for_each(|at| answer.extend(at.to_be_bytes()));
        }
        _ => answer.extend(&request[2..6]),
    }
    answer
}
