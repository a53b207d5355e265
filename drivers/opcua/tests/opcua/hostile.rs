//! Servers that are none: what anybody can be who listens on a port.

use crate::host::Host;
use crate::soon;
use edgeway_sdk::Fault;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// Starts somebody who does this with each connection.
async fn listen<F: Future<Output = ()> + Send>(mut talk: impl FnMut(TcpStream) -> F + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            talk(stream).await;
        }
    });
    port
}

/// What comes of connecting, and how long that took.
async fn connect(port: u16) -> (String, Duration) {
    let link = json!({ "endpoint": format!("opc.tcp://127.0.0.1:{port}"), "timeout": "500ms" });
    let host = Host::new(&link, json!({}), &[json!({ "at": "i=2258" })]);
    let began = Instant::now();
    match host.link.connect(soon()).await {
        Err(Fault::Link(reason)) => (reason, began.elapsed()),
        other => panic!("{other:?}"),
    }
}

/// An acknowledgement as every server begins (OPC 10000-6, 7.1.2.4).
fn acknowledge() -> Vec<u8> {
    let numbers = [0_u32, 65536, 65536, 0, 0].map(u32::to_le_bytes).concat();
    [b"ACKF".as_slice(), &28_u32.to_le_bytes(), &numbers].concat()
}

#[tokio::test]
async fn who_never_answers_is_left_in_time() {
    let port = listen(|stream| async move {
        tokio::spawn(async move {
            let _stream = stream;
            std::future::pending::<()>().await;
        });
    });
    let (reason, took) = connect(port.await).await;
    assert!(reason.contains("has not answered within"), "{reason}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn who_answers_hello_and_nothing_more_is_left_in_time() {
    let port = listen(|mut stream| async move {
        tokio::spawn(async move {
            let _ = stream.write_all(&acknowledge()).await;
            std::future::pending::<()>().await;
        });
    });
    let (reason, took) = connect(port.await).await;
    assert!(reason.contains("has not answered within"), "{reason}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn who_speaks_something_else_is_told() {
    for text in ["SSH-2.0-OpenSSH_9.2p1\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "", "ERRF"] {
        let port = listen(move |mut stream| async move {
            let _ = stream.read(&mut [0; 100]).await;
            let _ = stream.write_all(text.as_bytes()).await;
        });
        let (reason, _) = connect(port.await).await;
        assert!(reason.contains("does not speak OPC UA"), "{text:?}: {reason}");
    }
}

/// A frame that claims four gigabytes is not waited for, nor kept.
#[tokio::test]
async fn a_frame_without_end_is_refused_at_its_head() {
    let port = listen(|mut stream| async move {
        let _ = stream.write_all(&acknowledge()).await;
        let _ = stream.write_all(&[b"OPNF".as_slice(), &u32::MAX.to_le_bytes()].concat()).await;
        let mut sent = 0_usize;
        while sent < 64 << 20 && stream.write_all(&[0; 65536]).await.is_ok() {
            sent += 65536;
        }
        assert!(sent < 64 << 20, "somebody has taken all of it");
    });
    let (reason, took) = connect(port.await).await;
    assert!(reason.contains("hangs up, or does not speak OPC UA"), "{reason}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

/// Bytes that look like messages and mean nothing: a fault, never a panic.
#[tokio::test]
async fn messages_of_nonsense_are_a_fault() {
    for kind in [b"OPNF", b"MSGF", b"MSGC", b"CLOF", b"ERRF", b"HELF", b"RHEF", b"XXXF"] {
        for length in [12_u32, 24, 32, 60, 200] {
            let port = listen(move |mut stream| async move {
                let body: Vec<u8> = (8..length).map(|at| (at * 37 % 251) as u8).collect();
                let _ = stream.write_all(&acknowledge()).await;
                let _ = stream.write_all(&[kind.as_slice(), &length.to_le_bytes(), &body].concat()).await;
                // It is read, so that nothing is reset before it arrives.
                let _ = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut [0; 1000])).await;
            });
            let (reason, took) = connect(port.await).await;
            assert!(!reason.is_empty() && took < Duration::from_secs(2), "{took:?}");
        }
    }
}
