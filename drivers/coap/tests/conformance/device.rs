//! A device that speaks CoAP: what it is told to hold it holds, and it tells those who observe it.

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};
use std::collections::HashMap;
use std::net::SocketAddr;
use tokio::net::UdpSocket;

/// The content-formats of JSON, text, SenML and bytes.
const JSON: u8 = 50;
const TEXT: u8 = 0;
const SENML: u8 = 110;
const BYTES: u8 = 42;
/// The most bytes of a payload; the exponent that says so.
const BLOCK_BYTES: usize = 256;
const BLOCK_EXPONENT: u32 = 4;

struct Device {
    resources: HashMap<&'static str, (u8, Vec<u8>)>,
    /// Who observes what, with which token.
    observers: Vec<(SocketAddr, Vec<u8>, String)>,
    /// Counts what is sent unasked.
    number: u16,
}

/// Serves until it is dropped.
pub(crate) async fn serve(socket: UdpSocket) {
    let log: Vec<String> = (9000..9200).map(|entry| entry.to_string()).collect();
    let log = format!("{{\"entries\": [{}]}}", log.join(", "));
    let resources = HashMap::from([
        ("room/1/state", (JSON, br#"{"temperature": 21.5, "humidity": 43}"#.to_vec())),
        ("room/1/setpoint", (TEXT, b"20.25".to_vec())),
        ("room/1/mode", (TEXT, b"heat".to_vec())),
        ("room/1/window", (JSON, b"false".to_vec())),
        ("meter/energy", (SENML, br#"[{"bn": "urn:meter:", "n": "energy", "v": 305419896}]"#.to_vec())),
        ("meter/power", (BYTES, 7777u16.to_be_bytes().to_vec())),
        ("meter/log", (JSON, log.into_bytes())),
        ("meter/reset", (TEXT, b"false".to_vec())),
    ]);
    let mut device = Device { resources, observers: vec![], number: 0 };
    let mut buffer = [0; 2048];
    loop {
        // An error is about somebody who is gone.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let Ok(question) = Packet::from_bytes(&buffer[..length]) else { continue };
        for (to, datagram) in device.take(&question, from) {
            let _ = socket.send_to(&datagram, to).await;
        }
    }
}

impl Device {
    fn take(&mut self, question: &Packet, from: SocketAddr) -> Vec<(SocketAddr, Vec<u8>)> {
        let MessageClass::Request(method) = question.header.code else {
            let is_ping = question.header.get_type() == MessageType::Confirmable;
            return is_ping.then(|| (from, reset(question.header.message_id))).into_iter().collect();
        };
        let mut answer = Packet::new();
        let is_confirmable = question.header.get_type() == MessageType::Confirmable;
        answer.header.set_type(if is_confirmable { MessageType::Acknowledgement } else { MessageType::NonConfirmable });
        // Not its own number for the others: so what is damaged in it can be noticed by whoever looks.
        answer.header.message_id = question.header.message_id;
        answer.set_token(question.get_token().to_vec());
        let parts = question.get_option(CoapOption::UriPath).into_iter().flatten();
        let parts: Vec<String> = parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect();
        let path = parts.join("/");
        let told = self.answer(question, method, &path, from, &mut answer);
        let own = (from, answer.to_bytes().expect("a short answer"));
        std::iter::once(own).chain(told).collect()
    }

    /// What is said to a question, and what others are told because of it.
    fn answer(
        &mut self,
        question: &Packet,
        method: RequestType,
        path: &str,
        from: SocketAddr,
        answer: &mut Packet,
    ) -> Vec<(SocketAddr, Vec<u8>)> {
        let Some((_, held)) = self.resources.get_mut(path) else {
            answer.header.code = MessageClass::Response(ResponseType::NotFound);
            return vec![];
        };
        if method == RequestType::Put {
            held.clone_from(&question.payload);
            answer.header.code = MessageClass::Response(ResponseType::Changed);
            return self.tell(path);
        }
        let block = question.get_first_option(CoapOption::Block2).map_or(0, |bytes| uint(bytes) >> 4);
        self.content(path, block, answer);
        if let Some(observe) = question.get_first_option(CoapOption::Observe) {
            self.observers.retain(|(who, token, _)| (*who, token.as_slice()) != (from, question.get_token()));
            if uint(observe) == 0 {
                self.observers.push((from, question.get_token().to_vec(), path.to_owned()));
                answer.add_option(CoapOption::Observe, self.number.to_be_bytes().to_vec());
            }
        }
        vec![]
    }

    fn content(&self, path: &str, block: u32, answer: &mut Packet) {
        let (format, held) = &self.resources[path];
        answer.header.code = MessageClass::Response(ResponseType::Content);
        answer.add_option(CoapOption::ContentFormat, vec![*format]);
        let from = (block as usize * BLOCK_BYTES).min(held.len());
        let end = (from + BLOCK_BYTES).min(held.len());
        answer.payload = held[from..end].to_vec();
        if held.len() > BLOCK_BYTES {
            let more = u32::from(end < held.len());
            answer.add_option(CoapOption::Block2, vec![(block << 4 | more << 3 | BLOCK_EXPONENT) as u8]);
            answer.add_option(CoapOption::ETag, vec![7]);
        }
    }

    fn tell(&mut self, path: &str) -> Vec<(SocketAddr, Vec<u8>)> {
        let observers: Vec<_> = self.observers.iter().filter(|(.., observed)| observed == path).cloned().collect();
        observers
            .into_iter()
            .map(|(who, token, _)| {
                self.number += 1;
                let mut notification = Packet::new();
                notification.header.set_type(MessageType::NonConfirmable);
                notification.header.message_id = 0x8000 | self.number;
                notification.set_token(token);
                self.content(path, 0, &mut notification);
                notification.add_option(CoapOption::Observe, self.number.to_be_bytes().to_vec());
                (who, notification.to_bytes().expect("a short one"))
            })
            .collect()
    }
}

fn uint(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn reset(message_id: u16) -> Vec<u8> {
    let [high, low] = message_id.to_be_bytes();
    vec![0x70, 0, high, low]
}
