//! Cookies (RFC 6347 section 4.2.1): whoever says hello has to show that it gets what is sent to its address, before anything is kept
//! for it. Pure.

use super::message::Hello;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::Instant;

/// So long a cookie is good, and up to twice as long.
const LIFETIME: Duration = Duration::from_secs(60);
/// Half of the code is enough, and fits into what the smallest clients keep.
const COOKIE_BYTES: usize = 16;

/// Makes cookies that nobody else can make, and knows them again without keeping them.
pub(super) struct Cookies {
    secret: [u8; 32],
    began: Instant,
}

impl Cookies {
    pub(super) fn new(secret: [u8; 32], now: Instant) -> Self {
        Cookies { secret, began: now }
    }

    /// The cookie for this hello from there.
    pub(super) fn bake(&self, hello: &Hello<'_>, from: SocketAddr, now: Instant) -> Vec<u8> {
        let code = self.code(hello, from, self.age(now)).finalize().into_bytes();
        code[..COOKIE_BYTES].to_vec()
    }

    /// Whether the hello has the cookie that it was given.
    pub(super) fn is_right(&self, hello: &Hello<'_>, from: SocketAddr, now: Instant) -> bool {
        let age = self.age(now);
        let has = |age| self.code(hello, from, age).verify_truncated_left(hello.cookie).is_ok();
        hello.cookie.len() == COOKIE_BYTES && (has(age) || age > 0 && has(age - 1))
    }

    fn age(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs() / LIFETIME.as_secs()
    }

    fn code(&self, hello: &Hello<'_>, from: SocketAddr, age: u64) -> Hmac<Sha256> {
        let mut code = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        let address = match from.ip() {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        code.update(&age.to_be_bytes());
        code.update(&address.octets());
        code.update(&from.port().to_be_bytes());
        // Each says itself how long it is.
        hello.same.iter().for_each(|part| code.update(part));
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_good_for_one_hello_from_one_address_for_a_while() {
        let (now, from) = (Instant::now(), SocketAddr::from(([10, 0, 0, 7], 9)));
        let cookies = Cookies::new([7; 32], now);
        let hello = |random| Hello {
            version: [254, 253],
            random: [0; 32],
            cookie: &[],
            suites: vec![],
            extensions: vec![],
            same: [random, b"suites"],
        };
        let cookie = cookies.bake(&hello(b"a"), from, now);
        let is_right = |cookies: &Cookies, random, from, now| {
            cookies.is_right(&Hello { cookie: &cookie, ..hello(random) }, from, now)
        };
        assert!(is_right(&cookies, b"a", from, now));
        assert!(is_right(&cookies, b"a", from, now + LIFETIME));
        assert!(!is_right(&cookies, b"a", from, now + LIFETIME * 2));
        assert!(!is_right(&cookies, b"b", from, now));
        assert!(!is_right(&cookies, b"a", SocketAddr::from(([10, 0, 0, 7], 10)), now));
        assert!(!is_right(&cookies, b"a", SocketAddr::from(([10, 0, 0, 8], 9)), now));
        assert!(!is_right(&Cookies::new([8; 32], now), b"a", from, now));
        for cut in [0, 1, 15] {
            assert!(!cookies.is_right(&Hello { cookie: &cookie[..cut], ..hello(b"a") }, from, now));
        }
    }
}
