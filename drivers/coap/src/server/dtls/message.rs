//! Messages of a handshake (RFC 6347 section 4.2.2), and what a client offers in its first. Pure.

pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;
pub(super) const HELLO_VERIFY_REQUEST: u8 = 3;
pub(super) const SERVER_HELLO_DONE: u8 = 14;
pub(super) const CLIENT_KEY_EXCHANGE: u8 = 16;
pub(super) const FINISHED: u8 = 20;

/// Extensions that are understood.
pub(super) const EXTENDED_MASTER_SECRET: u16 = 23;
pub(super) const RENEGOTIATION_INFO: u16 = 0xFF01;
/// A cipher suite that stands for that extension (RFC 5746 section 3.3).
const RENEGOTIATION_SUITE: u16 = 0x00FF;

/// Kind, length, number, and which fragment it is.
const HEADER_BYTES: usize = 12;
/// Nobody needs more in one record.
const MESSAGES_MAX: usize = 8;
/// Each handshake under way keeps one.
const HELLO_BYTES_MAX: usize = 2048;

/// A message that has come whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message<'d> {
    pub(super) kind: u8,
    pub(super) number: u16,
    pub(super) body: &'d [u8],
    /// With the header.
    pub(super) whole: &'d [u8],
}

/// The messages of a record; `None` if it holds anything else. What comes in fragments is not put together: with a pre-shared key
/// every message is short, and nothing has to be kept for whoever begins one.
pub(super) fn read(body: &[u8]) -> Option<Vec<Message<'_>>> {
    let (mut messages, mut rest) = (vec![], body);
    while !rest.is_empty() {
        let (message, after) = first(rest).filter(|_| messages.len() < MESSAGES_MAX)?;
        messages.push(message);
        rest = after;
    }
    Some(messages)
}

fn first(bytes: &[u8]) -> Option<(Message<'_>, &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let [kind, l0, l1, l2, n0, n1, 0, 0, 0, f0, f1, f2] = *header else { return None };
    if [l0, l1, l2] != [f0, f1, f2] {
        return None;
    }
    let (body, after) = rest.split_at_checked(u32::from_be_bytes([0, l0, l1, l2]) as usize)?;
    let number = u16::from_be_bytes([n0, n1]);
    Some((Message { kind, number, body, whole: &bytes[..HEADER_BYTES + body.len()] }, after))
}

pub(super) fn write(kind: u8, number: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("we write short messages").to_be_bytes();
    let mut message = vec![kind];
    message.extend(&length[1..]);
    message.extend(number.to_be_bytes());
    message.extend([0, 0, 0]);
    message.extend(&length[1..]);
    message.extend(body);
    message
}

/// What a client offers (RFC 5246 section 7.4.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hello<'d> {
    pub(super) version: [u8; 2],
    pub(super) random: [u8; 32],
    pub(super) cookie: &'d [u8],
    pub(super) suites: Vec<u16>,
    pub(super) extensions: Vec<u16>,
    /// What is the same when it comes again with a cookie: all before the cookie, and the suites and compressions after it.
    pub(super) same: [&'d [u8]; 2],
}

impl<'d> Hello<'d> {
    /// `None` if it is none.
    pub(super) fn read(body: &'d [u8]) -> Option<Self> {
        let mut rest = body.get(..HELLO_BYTES_MAX.min(body.len()))?;
        if rest.len() < body.len() {
            return None;
        }
        let version = *rest.split_off(..2)?.first_chunk()?;
        let random = *rest.split_off(..32)?.first_chunk()?;
        vector8(&mut rest)?;
        let before = &body[..body.len() - rest.len()];
        let cookie = vector8(&mut rest)?;
        let from = body.len() - rest.len();
        let suites = numbers(vector16(&mut rest)?)?;
        vector8(&mut rest)?.contains(&0).then_some(())?;
        let after = &body[from..body.len() - rest.len()];
        let mut extensions = extensions(rest)?;
        if suites.contains(&RENEGOTIATION_SUITE) {
            extensions.push(RENEGOTIATION_INFO);
        }
        Some(Hello { version, random, cookie, suites, extensions, same: [before, after] })
    }

    pub(super) fn has(&self, extension: u16) -> bool {
        self.extensions.contains(&extension)
    }
}

/// The kinds of extensions; none have to be there at all.
fn extensions(mut rest: &[u8]) -> Option<Vec<u16>> {
    if rest.is_empty() {
        return Some(vec![]);
    }
    let mut all = vector16(&mut rest)?;
    let mut kinds = vec![];
    while !all.is_empty() {
        kinds.push(u16::from_be_bytes(*all.split_off(..2)?.first_chunk()?));
        vector16(&mut all)?;
    }
    rest.is_empty().then_some(kinds)
}

/// The name of the key, which is all that a client says to exchange one (RFC 4279 section 2).
pub(super) fn identity(mut body: &[u8]) -> Option<&[u8]> {
    let identity = vector16(&mut body)?;
    body.is_empty().then_some(identity)
}

fn vector8<'d>(rest: &mut &'d [u8]) -> Option<&'d [u8]> {
    let length = *rest.split_off_first()?;
    rest.split_off(..usize::from(length))
}

fn vector16<'d>(rest: &mut &'d [u8]) -> Option<&'d [u8]> {
    let length = u16::from_be_bytes(*rest.split_off(..2)?.first_chunk()?);
    rest.split_off(..usize::from(length))
}

fn numbers(bytes: &[u8]) -> Option<Vec<u16>> {
    let (pairs, []) = bytes.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello(cookie: &[u8], extensions: &[u8]) -> Vec<u8> {
        let mut body = vec![254, 253];
        body.extend([7; 32]);
        body.extend([1, 9, cookie.len() as u8]);
        body.extend(cookie);
        body.extend([0, 4, 0xC0, 0xA8, 0, 0xFF, 1, 0]);
        body.extend(extensions);
        body
    }

    #[test]
    fn a_hello_says_what_is_offered() {
        let body = hello(b"cookie", &[0, 8, 0, 23, 0, 0, 0, 1, 0, 0]);
        let read = Hello::read(&body).expect("a hello");
        assert_eq!((read.version, read.cookie), ([254, 253], b"cookie".as_slice()));
        assert_eq!(
            (read.suites.as_slice(), read.extensions.as_slice()),
            ([0xC0A8, 0xFF].as_slice(), [23, 1, 0xFF01].as_slice())
        );
        let again = hello(b"", &[]);
        assert_eq!(Hello::read(&again).expect("a hello").same, read.same, "with another cookie it is the same");
        assert_eq!(Hello::read(&body[..body.len() - 1]), None);
        assert_eq!(Hello::read(&hello(b"", &[0, 3, 0, 23, 0])), None, "a torn extension");
        assert_eq!(Hello::read(&hello(b"", &[0; 2100])), None, "too long");
    }

    #[test]
    fn a_fragment_is_no_message() {
        let message = write(CLIENT_HELLO, 1, b"hello");
        let read_one = read(&message).expect("a message");
        assert_eq!((read_one[0].kind, read_one[0].number, read_one[0].body), (1, 1, b"hello".as_slice()));
        let mut fragment = message.clone();
        fragment[3] = 6;
        assert_eq!(read(&fragment), None);
        assert_eq!(read(&message[..message.len() - 1]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..96), seed in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (read(&bytes), Hello::read(&bytes), identity(&bytes), Hello::read(&hello(&seed, &bytes)));
        }
    }
}
