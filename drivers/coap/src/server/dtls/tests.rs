//! Who gets in, who does not, and what it costs.

use super::cipher::{Cipher, Master, Suite};
use super::record::{APPLICATION_DATA, CHANGE_CIPHER_SPEC, DTLS_1_0, DTLS_1_2, HANDSHAKE};
use super::*;
use crate::config::Secret;
use edgeway_sdk::DeviceIx;
use proptest::prelude::*;

const CCM_8: u16 = 0xC0A8;

/// A gate and its clock.
struct Bench {
    gate: Gate,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let mut keys = Keyring::default();
        for (identity, key, device) in [("a", "key of a", 0), ("b", "key of b", 1)] {
            assert!(keys.add(&Secret { identity: identity.into(), key: key.into() }, DeviceIx(device)));
        }
        let now = Instant::now();
        Bench { gate: Gate::new(keys.into(), Arc::default(), now), now }
    }

    fn counted(&self, name: &str) -> u64 {
        self.gate.counters.list().into_iter().find(|(known, _)| *known == name).expect("a counter of this name").1
    }

    /// What is sent back there.
    fn send(&mut self, datagram: &[u8], from: SocketAddr) -> Vec<Vec<u8>> {
        let events = self.gate.take(datagram, from, self.now);
        events
            .into_iter()
            .filter_map(|event| if let Event::Send(_, bytes) = event { Some(bytes) } else { None })
            .collect()
    }

    /// Who says what.
    fn heard(&mut self, datagram: &[u8], from: SocketAddr) -> Vec<(String, Vec<u8>)> {
        let events = self.gate.take(datagram, from, self.now);
        let said = |event| match event {
            Event::Message(peer, message) => Some((peer.identity.expect("it has a key").to_string(), message)),
            _ => None,
        };
        events.into_iter().filter_map(said).collect()
    }
}

fn at(host: u8, port: u16) -> SocketAddr {
    ([10, 0, 0, host], port).into()
}

/// A client that does one step at a time.
struct Client {
    from: SocketAddr,
    random: [u8; 32],
    suites: Vec<u16>,
    is_extended: bool,
    messages: Vec<u8>,
    server: [u8; 32],
    keyed: Option<(Master, Cipher)>,
    next_record: u64,
}

impl Client {
    fn new(from: SocketAddr) -> Self {
        let (messages, suites) = (vec![], vec![CCM_8]);
        Client {
            from,
            random: random(),
            suites,
            is_extended: true,
            messages,
            server: [0; 32],
            keyed: None,
            next_record: 0,
        }
    }

    fn hello(&mut self, number: u16, cookie: &[u8]) -> Vec<u8> {
        let mut body = DTLS_1_2.to_vec();
        body.extend(self.random);
        body.extend([0, cookie.len() as u8]);
        body.extend(cookie);
        body.extend([0, self.suites.len() as u8 * 2]);
        self.suites.iter().for_each(|suite| body.extend(suite.to_be_bytes()));
        body.extend([1, 0]);
        if self.is_extended {
            body.extend([0, 4, 0, 23, 0, 0]);
        }
        self.messages = message::write(message::CLIENT_HELLO, number, &body);
        record::write(HANDSHAKE, DTLS_1_0, number.into(), &self.messages)
    }

    /// Gets its cookie, and says hello with it.
    fn hello_with_cookie(&mut self, bench: &mut Bench) -> Vec<u8> {
        let hello = self.hello(0, &[]);
        let asked = bench.send(&hello, self.from);
        assert!(asked.len() == 1 && asked[0].len() < hello.len(), "nobody is sent more than it has sent");
        let body = record::read(&asked[0]).expect("a record")[0].body;
        self.hello(1, &message::read(body).expect("a message")[0].body[3..])
    }

    /// Takes what the server says to the hello, and makes the rest of the handshake.
    fn finish(&mut self, flight: &[u8], identity: &str, key: &[u8]) -> Vec<u8> {
        for record in record::read(flight).expect("records") {
            let message = message::read(record.body).expect("messages")[0];
            if message.kind == message::SERVER_HELLO {
                self.server = *message.body[2..].first_chunk().expect("a random number");
            }
            self.messages.extend(message.whole);
        }
        let mut body = (identity.len() as u16).to_be_bytes().to_vec();
        body.extend(identity.as_bytes());
        let exchange = message::write(message::CLIENT_KEY_EXCHANGE, 2, &body);
        self.messages.extend(&exchange);
        let master = match self.is_extended {
            true => Master::of_messages(key, &self.messages),
            false => Master::of_randoms(key, &self.random, &self.server),
        };
        let suite = Suite::choose(&self.suites).expect("one of ours");
        let cipher = Cipher::of_client(suite, &master, &self.random, &self.server);
        let finished = message::write(message::FINISHED, 3, &master.proof(b"client finished", &self.messages));
        self.keyed = Some((master, cipher));
        let mut flight = record::write(HANDSHAKE, DTLS_1_2, 2, &exchange);
        flight.extend(record::write(CHANGE_CIPHER_SPEC, DTLS_1_2, 3, &[1]));
        flight.extend(self.seal(HANDSHAKE, &finished));
        self.messages.extend(finished);
        flight
    }

    fn seal(&mut self, kind: u8, plain: &[u8]) -> Vec<u8> {
        self.next_record += 1;
        self.keyed.as_ref().expect("it has its keys").1.seal(kind, self.next_record - 1, plain)
    }

    fn data(&mut self, plain: &[u8]) -> Vec<u8> {
        self.seal(APPLICATION_DATA, plain)
    }

    /// What is in the last record of a datagram, and of which kind it is.
    fn open(&self, datagram: &[u8]) -> Option<(u8, Vec<u8>)> {
        let record = *record::read(datagram)?.last()?;
        Some((record.kind, self.keyed.as_ref()?.1.open(&record)?))
    }

    /// Whether the server has proved that it has the key too.
    fn is_in(&self, end: &[Vec<u8>]) -> bool {
        let (master, _) = self.keyed.as_ref().expect("it has its keys");
        let proof = message::write(message::FINISHED, 3, &master.proof(b"server finished", &self.messages));
        end.last().and_then(|end| self.open(end)) == Some((HANDSHAKE, proof))
    }

    /// Shakes hands; whether it comes in.
    fn enters(&mut self, bench: &mut Bench, identity: &str, key: &str) -> bool {
        let hello = self.hello_with_cookie(bench);
        let flight = bench.send(&hello, self.from).concat();
        let finish = self.finish(&flight, identity, key.as_bytes());
        let end = bench.send(&finish, self.from);
        self.is_in(&end)
    }
}

#[test]
fn whoever_has_the_key_comes_in_and_is_known() {
    for (suite, is_extended) in [(CCM_8, true), (0xC0A4, false), (0x00A8, true)] {
        let mut bench = Bench::new();
        let mut client = Client { suites: vec![1, suite], is_extended, ..Client::new(at(7, 9)) };
        assert!(client.enters(&mut bench, "a", "key of a"), "{suite:x}");
        let data = client.data(b"hello");
        assert_eq!(bench.heard(&data, client.from), [("a".to_owned(), b"hello".to_vec())]);
        assert_eq!(bench.heard(&data, client.from), [], "it comes again");
        assert_eq!(bench.heard(&client.data(b"more"), at(7, 10)), [], "it comes from elsewhere");
        let peer = Peer { address: client.from, session: 1, identity: Some("a".into()) };
        let reply = bench.gate.seal(&peer, b"reply").expect("it is there");
        assert_eq!(client.open(&reply), Some((APPLICATION_DATA, b"reply".to_vec())));
        assert_eq!(bench.gate.seal(&Peer { session: 2, ..peer }, b"reply"), None);
        assert_eq!((bench.counted("handshakes"), bench.counted("unreadable_records")), (1, 2));
    }
}

#[test]
fn a_wrong_key_costs_one_handshake_and_is_told_once() {
    let mut bench = Bench::new();
    for round in 0..3 {
        let mut client = Client::new(at(7, 9));
        let hello = client.hello_with_cookie(&mut bench);
        let flight = bench.send(&hello, client.from).concat();
        let finish = client.finish(&flight, "a", b"key of b");
        let events = bench.gate.take(&finish, client.from, bench.now);
        let told =
            events.iter().filter(|event| matches!(event, Event::WrongKey(identity) if **identity == *"a")).count();
        assert_eq!(told, usize::from(round == 0), "round {round}");
        let alert = events.iter().find_map(|event| if let Event::Send(_, bytes) = event { Some(bytes) } else { None });
        assert!(alert.is_some_and(|alert| alert.ends_with(&[2, BAD_RECORD_MAC])));
        assert!(bench.gate.handshakes.is_empty());
    }
    assert_eq!(bench.counted("wrong_secrets"), 3);
    let mut right = Client::new(at(8, 9));
    assert!(right.enters(&mut bench, "a", "key of a"));
    assert!(!Client::new(at(7, 9)).enters(&mut bench, "a", "wrong"));
    assert!(bench.gate.told.is_empty(), "somebody with the right key is in");
    assert_eq!(bench.heard(&right.data(b"x"), right.from).len(), 1);
}

#[test]
fn an_identity_that_nobody_has_is_told_so() {
    let mut bench = Bench::new();
    let mut client = Client::new(at(7, 9));
    let hello = client.hello_with_cookie(&mut bench);
    let flight = bench.send(&hello, client.from).concat();
    let alert = bench.send(&client.finish(&flight, "c", b"key of a"), client.from);
    assert!(alert[0].ends_with(&[2, UNKNOWN_PSK_IDENTITY]));
    assert_eq!((bench.counted("unknown_identities"), bench.gate.handshakes.len()), (1, 0));
    let mut other = Client { suites: vec![0xC02B], ..Client::new(at(7, 9)) };
    let hello = other.hello_with_cookie(&mut bench);
    assert!(bench.send(&hello, other.from)[0].ends_with(&[2, 40]));
}

#[test]
fn whoever_is_not_where_it_says_costs_nothing() {
    let mut bench = Bench::new();
    for port in 1..1000 {
        let mut liar = Client::new(at(7, port));
        assert_eq!(bench.send(&liar.hello(0, &[]), liar.from).len(), 1);
        assert_eq!(bench.send(&liar.hello(1, &[7; 16]), liar.from).len(), 1);
    }
    let mut client = Client::new(at(7, 9));
    let hello = client.hello_with_cookie(&mut bench);
    bench.send(&hello, at(7, 10));
    bench.now += Duration::from_secs(120);
    bench.send(&hello, client.from);
    assert!(bench.gate.handshakes.is_empty() && bench.gate.sessions.is_empty());
}

#[test]
fn each_flight_may_be_lost() {
    let mut bench = Bench::new();
    let mut client = Client::new(at(7, 9));
    let hello = client.hello_with_cookie(&mut bench);
    let (lost, flight) = (bench.send(&hello, client.from).concat(), bench.send(&hello, client.from).concat());
    let number = |flight: &[u8]| record::read(flight).expect("records")[0].number;
    assert!(number(&lost) < number(&flight), "each record has a number of its own");
    let finish = client.finish(&flight, "a", b"key of a");
    let lost = bench.send(&finish, client.from);
    assert!(client.is_in(&lost));
    // It makes its last flight again, in new records.
    let finished = client.messages[client.messages.len() - 24..].to_vec();
    let exchange_and_change =
        record::read(&finish).expect("records")[..2].iter().map(|record| record.whole.len()).sum();
    let again = [&finish[..exchange_and_change], &client.seal(HANDSHAKE, &finished)].concat();
    let end = bench.send(&again, client.from);
    assert!(client.is_in(&end));
    assert_eq!(bench.heard(&client.data(b"x"), client.from).len(), 1);
    assert_eq!(bench.counted("handshakes"), 1);
}

#[test]
fn a_device_that_begins_anew_at_its_address_has_a_new_session_when_it_has_shown_its_key() {
    let mut bench = Bench::new();
    let mut before = Client::new(at(7, 9));
    assert!(before.enters(&mut bench, "a", "key of a"));
    let mut after = Client::new(at(7, 9));
    let hello = after.hello_with_cookie(&mut bench);
    let flight = bench.send(&hello, after.from).concat();
    assert_eq!(bench.heard(&before.data(b"old"), before.from).len(), 1, "the new one is not sure yet");
    let finish = after.finish(&flight, "a", b"key of a");
    let end = bench.send(&finish, after.from);
    assert!(after.is_in(&end));
    assert_eq!(bench.heard(&before.data(b"old"), before.from), []);
    assert_eq!(bench.heard(&after.data(b"new"), after.from).len(), 1);
    assert_eq!((bench.counted("handshakes"), bench.gate.sessions.len()), (2, 1));
}

#[test]
fn a_goodbye_is_answered_and_ends_the_session() {
    let mut bench = Bench::new();
    let mut client = Client::new(at(7, 9));
    assert!(client.enters(&mut bench, "a", "key of a"));
    assert_eq!(bench.send(&client.seal(record::ALERT, &[1, 100]), client.from), [[0; 0]; 0], "a warning");
    // Anybody could have sent that.
    bench.send(&record::write(record::ALERT, DTLS_1_2, 9, &[2, 40]), client.from);
    assert_eq!(bench.gate.sessions.len(), 1);
    let goodbye = bench.send(&client.seal(record::ALERT, &[1, 0]), client.from);
    assert_eq!(client.open(&goodbye[0]), Some((record::ALERT, vec![1, 0])));
    assert!(bench.gate.sessions.is_empty());
    assert!(client.enters(&mut bench, "a", "key of a"));
    let goodbyes = bench.gate.goodbyes();
    assert_eq!(client.open(&goodbyes[0].1), Some((record::ALERT, vec![1, 0])), "the door is closed");
}

#[test]
fn handshakes_under_way_are_few_and_do_not_take_for_ever() {
    let mut bench = Bench::new();
    let begin = |bench: &mut Bench, host, port| {
        let mut client = Client::new(at(host, port));
        let hello = client.hello_with_cookie(bench);
        let flight = bench.send(&hello, client.from).concat();
        (client, flight)
    };
    for port in 1..=20 {
        begin(&mut bench, 7, port);
    }
    assert_eq!(bench.gate.handshakes.len(), HANDSHAKES_OF_HOST_MAX);
    assert_eq!(bench.counted("unfinished_handshakes"), 4, "that host has to wait");
    for host in 10..200 {
        begin(&mut bench, host, 9);
        bench.now += Duration::from_millis(1);
    }
    assert_eq!(bench.gate.handshakes.len(), HANDSHAKES_MAX);
    let (mut client, flight) = begin(&mut bench, 8, 9);
    bench.now += HANDSHAKE_WITHIN;
    let finish = client.finish(&flight, "a", b"key of a");
    assert_eq!(bench.send(&finish, client.from), [[0; 0]; 0], "too late");
    begin(&mut bench, 8, 9);
    assert_eq!(bench.gate.handshakes.len(), 1);
    assert_eq!(bench.counted("unfinished_handshakes"), 20 + 190 + 1);
}

#[test]
fn the_session_that_has_been_silent_for_longest_gives_way_to_one_of_its_own() {
    let mut bench = Bench::new();
    let mut other = Client::new(at(6, 9));
    assert!(other.enters(&mut bench, "b", "key of b"));
    let mut clients: Vec<Client> = (1..=16).map(|port| Client::new(at(7, port))).collect();
    for client in &mut clients {
        bench.now += Duration::from_millis(1);
        assert!(client.enters(&mut bench, "a", "key of a"));
    }
    bench.now += Duration::from_millis(1);
    assert_eq!(bench.heard(&clients[0].data(b"x"), clients[0].from).len(), 1);
    let mut last = Client::new(at(7, 17));
    let hello = last.hello_with_cookie(&mut bench);
    let flight = bench.send(&hello, last.from).concat();
    let finish = last.finish(&flight, "a", b"key of a");
    let end = bench.send(&finish, last.from);
    assert_eq!(clients[1].open(&end[0]), Some((record::ALERT, vec![1, 0])), "it is told");
    assert!(last.is_in(&end));
    assert_eq!(bench.heard(&clients[0].data(b"x"), clients[0].from).len(), 1);
    assert_eq!(bench.heard(&other.data(b"x"), other.from).len(), 1);
    assert_eq!((bench.gate.sessions.len(), bench.counted("dropped_sessions")), (17, 1));
}

#[test]
fn sessions_are_only_so_many() {
    let mut bench = Bench::new();
    let mut keys = Keyring::default();
    for device in 0..100 {
        assert!(keys.add(&Secret { identity: device.to_string(), key: b"key".to_vec() }, DeviceIx(device)));
    }
    bench.gate = Gate::new(keys.into(), Arc::default(), bench.now);
    for number in 0..1100_u16 {
        assert!(Client::new(at(7, number + 1)).enters(&mut bench, &(number % 100).to_string(), "key"), "{number}");
    }
    assert_eq!((bench.gate.sessions.len(), bench.counted("dropped_sessions")), (SESSIONS_MAX, 76));
}

#[test]
fn plain_coap_is_no_record() {
    let mut bench = Bench::new();
    assert_eq!(bench.send(b"\x40\x03\x12\x34\xb4room", at(7, 9)), [[0; 0]; 0]);
    assert_eq!(bench.counted("malformed"), 1);
}

proptest! {
    #[test]
    fn whatever_is_damaged_on_the_way_nobody_comes_in_without_the_key(
        step in 0..3, at_byte in 0..200_usize, flip in 1..=255_u8, junk in proptest::collection::vec(any::<u8>(), 0..40)
    ) {
        let mut bench = Bench::new();
        let mut client = Client::new(at(7, 9));
        let damaged = |bytes: &[u8], now| {
            let mut bytes = bytes.to_vec();
            if now == step {
                let place = at_byte % bytes.len();
                bytes[place] ^= flip;
            }
            bytes
        };
        let hello = client.hello_with_cookie(&mut bench);
        bench.send(&junk, client.from);
        let first = damaged(&hello, 0);
        let flight = bench.send(&first, client.from).concat();
        let is_answer = record::read(&flight).is_some_and(|records| records.len() == 2);
        if is_answer {
            let finish = client.finish(&flight, "a", b"key of a");
            bench.send(&damaged(&finish, 1), client.from);
            let data = client.data(b"hello");
            let heard = bench.heard(&damaged(&data, 2), client.from);
            prop_assert!(heard.is_empty() || heard == [("a".to_owned(), b"hello".to_vec())]);
            prop_assert!(step != 2 || heard.is_empty());
        }
    }
}
