//! Ports of the loopback for peers that want to be told theirs.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what Linux gives to those who ask for any port (32,768 and up): a connection that is made between the question for
/// a port and the peer's start would now and then take just this one.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port of 127.0.0.1 that nobody has, of TCP nor of UDP, and that no other call in this process gives.
///
/// # Panics
/// If there is none left.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // Two processes begin at different places.
    let start = std::process::id().wrapping_mul(97);
    let next = || (start.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed).into()) % u32::from(COUNT)) as u16;
    let port = (0..COUNT).map(|_| FIRST + next()).find(|port| is_free(*port));
    port.expect("the loopback has a free port")
}

fn is_free(port: u16) -> bool {
    let address = (Ipv4Addr::LOCALHOST, port);
    TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once_and_not_while_somebody_has_it() {
        let (one, two) = (free_port(), free_port());
        assert_ne!(one, two);
        let _somebody = UdpSocket::bind((Ipv4Addr::LOCALHOST, one)).expect("it is free");
        assert!(!is_free(one));
        assert!((FIRST..FIRST + COUNT).contains(&two));
    }
}
