//! Subjects with the device of the tests.

use crate::acme::device;
use edgeway_conformance::Subject;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const TEXT: &str = include_str!("subject.toml");

/// With a device in this process, which lives as long as the runtime.
pub(crate) async fn in_process() -> (Subject, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let device = tokio::spawn(device::serve(listener));
    // Impatient, because there are many such runs.
    let text = TEXT.replace("150ms", "100ms");
    (with_peer(&text, &format!("address = \"{address}\"")), device)
}

/// With a link that names the device itself, too.
pub(crate) async fn with_a_way_around() -> (Subject, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let device = tokio::spawn(device::serve(listener));
    let text = TEXT.replace("{address}", &format!("{address}#{{address}}"));
    (with_peer(&text, &format!("address = \"{address}\"")), device)
}

/// With a device that is a program.
pub(crate) fn as_program() -> Subject {
    let test = std::env::current_exe().expect("this test is a program");
    let program = test.parent().and_then(|deps| deps.parent()).expect("target/debug").join("examples/acme-device");
    with_peer(TEXT, &format!("command = [{:?}, \"{{port}}\"]", program.display().to_string()))
}

fn with_peer(text: &str, peer: &str) -> Subject {
    Subject::parse(&text.replace("PEER", peer), env!("CARGO_MANIFEST_DIR")).unwrap_or_else(|error| panic!("{error}"))
}
