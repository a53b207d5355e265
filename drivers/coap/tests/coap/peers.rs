//! Peers of other makes: aiocoap and libcoap. Each test starts its own, on a free port.

mod aiocoap;
mod libcoap;
mod process;

use std::path::PathBuf;

/// A port for datagrams that nobody had a moment ago.
fn free_port() -> u16 {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("bound").port()
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
