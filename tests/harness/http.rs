//! A web service that takes what a route sends, or refuses it as the test says.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the service answers to a body.
type Verdict = dyn Fn(&serde_json::Value) -> u16 + Send + Sync;

/// A web service on a port of its own. It goes on taking until the test ends.
pub struct WebService {
    pub port: u16,
    taken: Arc<Mutex<Vec<serde_json::Value>>>,
    verdict: Arc<Mutex<Box<Verdict>>>,
}

impl WebService {
    /// A service that answers each body as `verdict` says: 200 takes it.
    ///
    /// # Panics
    /// If loopback has no port left.
    pub fn start(verdict: impl Fn(&serde_json::Value) -> u16 + Send + Sync + 'static) -> WebService {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let taken = Arc::new(Mutex::new(vec![]));
        let verdict: Arc<Mutex<Box<Verdict>>> = Arc::new(Mutex::new(Box::new(verdict)));
        let (sink, judge) = (taken.clone(), verdict.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (sink, judge) = (sink.clone(), judge.clone());
                std::thread::spawn(move || serve(stream, &sink, &judge));
            }
        });
        WebService { port, taken, verdict }
    }

    /// From now on answers otherwise.
    ///
    /// # Panics
    /// If the service has panicked.
    pub fn judge(&self, verdict: impl Fn(&serde_json::Value) -> u16 + Send + Sync + 'static) {
        *self.verdict.lock().expect("the service has not panicked") = Box::new(verdict);
    }

    /// All bodies taken so far.
    ///
    /// # Panics
    /// If the service has panicked.
    pub fn taken(&self) -> Vec<serde_json::Value> {
        self.taken.lock().expect("the service has not panicked").clone()
    }
}

fn serve(stream: TcpStream, taken: &Mutex<Vec<serde_json::Value>>, verdict: &Mutex<Box<Verdict>>) {
    let Ok(mut answers) = stream.try_clone() else { return };
    let mut requests = BufReader::new(stream);
    while let Some(body) = request(&mut requests) {
        let status = verdict.lock().expect("no verdict panics")(&body);
        if status == 200 {
            taken.lock().expect("nobody panics with it").push(body);
        }
        let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n");
        if answers.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The body of the next request; `None` if there is none any more.
fn request(requests: &mut impl BufRead) -> Option<serde_json::Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if requests.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    requests.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
