//! The proxy between two bare sockets.

use super::*;
use crate::subject::Framing;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

const TIMEOUT: Duration = Duration::from_millis(100);

/// A device that answers every line with `=` and the line.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (reader, mut writer) = stream.into_split();
                let mut lines = BufReader::new(reader).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    if writer.write_all(format!("={line}\n").as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

async fn proxy() -> Proxy {
    let chaos = Chaos { framing: Framing::End(b"\n".to_vec()), answer_per_question: true, ..Chaos::default() };
    let proxy = Proxy::start(&chaos, TIMEOUT, Transport::Tcp, 17).await.expect("a free port");
    proxy.up(echo().await).await.expect("it is up already");
    proxy
}

/// Nothing more comes after so long, on a machine that has other things to do.
const QUIET: Duration = Duration::from_secs(1);

/// Asks these questions at once and returns all that comes until nothing has come for a while, and whether it ended.
async fn ask(proxy: &Proxy, questions: &str) -> (String, bool) {
    let mut stream = TcpStream::connect(proxy.address()).await.expect("the proxy listens");
    stream.write_all(questions.as_bytes()).await.expect("connected");
    let mut all = vec![];
    loop {
        match timeout(QUIET, stream.read_buf(&mut all)).await {
            Ok(Ok(1..)) => {}
            ended => return (String::from_utf8_lossy(&all).into_owned(), ended.is_ok()),
        }
    }
}

async fn one(fate: Fate) -> (String, bool) {
    let proxy = proxy().await;
    proxy.state().then(fate);
    ask(&proxy, "first\nsecond\n").await
}

#[tokio::test]
async fn an_answer_meets_its_fate_and_the_next_does_not() {
    let both = "=first\n=second\n";
    for fate in [Fate::Honest, Fate::Split, Fate::Late, Fate::Merge] {
        assert_eq!(one(fate.clone()).await, (both.to_owned(), false), "{fate:?}");
    }
    assert_eq!(one(Fate::Duplicate).await.0, "=first\n=first\n=second\n");
    assert_eq!(one(Fate::Stall).await.0, "=second\n");
    assert_eq!(one(Fate::Reset).await, (String::new(), true));
    let (wrong, _) = one(Fate::Wrong(0..1)).await;
    assert!(wrong.len() >= 15 && !wrong.starts_with('='), "{wrong:?}");
}

#[tokio::test]
async fn an_answer_without_its_end_is_followed_by_nothing() {
    let (some, ended) = one(Fate::Truncate(Missing::Some)).await;
    assert!("=first".starts_with(&some) && !ended, "{some:?}");
    let (little, ended) = one(Fate::Truncate(Missing::Little)).await;
    assert!("=first".starts_with(&little) && little.len() > 3 && !ended, "{little:?}");
    let (half, ended) = one(Fate::Half(Missing::Some)).await;
    assert!("=first".starts_with(&half) && ended, "{half:?}");
}

#[tokio::test]
async fn garbage_comes_before_an_answer_or_instead() {
    let (before, _) = one(Fate::GarbageBefore).await;
    assert!(before.ends_with("=first\n=second\n") && before.len() > 15, "{before:?}");
    let (instead, _) = one(Fate::GarbageInstead).await;
    assert!(instead.ends_with("=second\n") && !instead.contains("=first\n"), "{instead:?}");
}

#[tokio::test]
async fn connections_and_questions_are_counted() {
    let proxy = proxy().await;
    proxy.state().always(Fate::Delay(TIMEOUT));
    assert_eq!(ask(&proxy, "a\nb\nc\n").await.0, "=a\n=b\n=c\n");
    assert_eq!(proxy.state().take_under_way_max(), 3);
    assert_eq!(proxy.state().take_questions(), [b"a\n", b"b\n", b"c\n"]);
    let stream = TcpStream::connect(proxy.address()).await.expect("the proxy listens");
    until(|| proxy.state().connections() == 1).await;
    drop(stream);
    until(|| proxy.state().connections() == 0).await;
    assert_eq!(proxy.state().take_under_way_max(), 0);
}

#[tokio::test]
async fn a_proxy_that_plays_dead_refuses_connections_and_cuts_those_it_has() {
    let proxy = proxy().await;
    let mut stream = TcpStream::connect(proxy.address()).await.expect("the proxy listens");
    until(|| proxy.state().connections() == 1).await;
    proxy.down().await;
    assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
    until(|| proxy.state().connections() == 0).await;
    TcpStream::connect(proxy.address()).await.expect_err("nobody listens");
    proxy.up(echo().await).await.expect("the port is still ours");
    assert_eq!(ask(&proxy, "again\n").await.0, "=again\n");
}

async fn until(mut done: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < until, "it did not come to pass within 20 s");
        sleep(Duration::from_millis(5)).await;
    }
}

/// A device that answers every datagram with `=` and the datagram.
async fn datagram_echo() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut buffer = [0; 100];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let answer = [b"=", &buffer[..length]].concat();
            let _ = socket.send_to(&answer, from).await;
        }
    });
    address
}

/// Asks for 1 and 2 through a proxy that does this to the first answer, and returns what comes until nothing has come for a while.
async fn datagrams(fate: Fate) -> Vec<String> {
    let chaos = Chaos { answer_per_question: true, ..Chaos::default() };
    let proxy = Proxy::start(&chaos, TIMEOUT, Transport::Udp, 17).await.expect("a free port");
    proxy.up(datagram_echo().await).await.expect("it is up already");
    proxy.state().then(fate);
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    socket.connect(proxy.address()).await.expect("an address");
    for question in ["1", "2"] {
        socket.send(question.as_bytes()).await.expect("the proxy listens");
    }
    let (mut all, mut buffer) = (vec![], [0; 100]);
    while let Ok(received) = timeout(QUIET, socket.recv(&mut buffer)).await {
        let length = received.expect("the proxy listens");
        all.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
    }
    all
}

#[tokio::test]
async fn a_datagram_meets_its_fate_and_holds_nothing_back() {
    assert_eq!(datagrams(Fate::Honest).await, ["=1", "=2"]);
    for fate in [Fate::Swap, Fate::Late] {
        assert_eq!(datagrams(fate.clone()).await, ["=2", "=1"], "{fate:?}");
    }
    assert_eq!(datagrams(Fate::Stall).await, ["=2"]);
    let mut doubled = datagrams(Fate::Duplicate).await;
    doubled.sort();
    assert_eq!(doubled, ["=1", "=1", "=2"]);
}

#[tokio::test]
async fn a_socket_of_the_driver_counts_as_long_as_it_is_there() {
    let proxy = Proxy::start(&Chaos::default(), TIMEOUT, Transport::Udp, 17).await.expect("a free port");
    proxy.up(datagram_echo().await).await.expect("it is up already");
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    socket.send_to(b"1", proxy.address()).await.expect("the proxy listens");
    until(|| proxy.state().connections() == 1).await;
    drop(socket);
    until(|| proxy.state().connections() == 0).await;
}
