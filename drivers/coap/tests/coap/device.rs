//! A device made by hand, which says what a test wants it to say.

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, ResponseType};
use edgeway_sdk::Json;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

/// It ends when it is dropped.
pub(crate) struct Device {
    address: SocketAddr,
    pub(crate) socket: Arc<UdpSocket>,
    heard: Arc<Mutex<Vec<Packet>>>,
    gateway: Arc<Mutex<Option<SocketAddr>>>,
    serving: AbortHandle,
}

impl Drop for Device {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Device {
    /// Answers pings by itself, and questions with what this makes of them and of how many there were before.
    pub(crate) async fn start(mut answers: impl FnMut(&Packet, usize) -> Vec<Packet> + Send + 'static) -> Device {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a free port"));
        let address = socket.local_addr().expect("bound");
        let (heard, gateway) = (Arc::<Mutex<Vec<Packet>>>::default(), Arc::<Mutex<Option<SocketAddr>>>::default());
        let (said_to, all, asker) = (socket.clone(), heard.clone(), gateway.clone());
        let serving = tokio::spawn(async move {
            let (mut buffer, mut count) = (vec![0; 65_535], 0);
            loop {
                let Ok((length, from)) = said_to.recv_from(&mut buffer).await else { continue };
                let packet = Packet::from_bytes(&buffer[..length]).expect("the driver sends messages");
                *asker.lock().unwrap() = Some(from);
                let replies = match packet.header.code {
                    MessageClass::Request(_) => {
                        count += 1;
                        answers(&packet, count - 1)
                    }
                    _ if packet.header.get_type() == MessageType::Confirmable => vec![reset(&packet)],
                    _ => vec![],
                };
                all.lock().unwrap().push(packet);
                for reply in replies {
                    said_to.send_to(&bytes(&reply), from).await.expect("a socket");
                }
            }
        });
        Device { address, socket, heard, gateway, serving: serving.abort_handle() }
    }

    pub(crate) fn link(&self) -> Json {
        json!({ "endpoint": format!("coap://{}", self.address), "timeout": "400ms", "ack_timeout": "2s" })
    }

    /// Whoever has asked last.
    pub(crate) fn gateway(&self) -> SocketAddr {
        self.gateway.lock().unwrap().expect("it has been asked")
    }

    /// Sends something unasked.
    pub(crate) async fn send(&self, packet: &Packet) {
        self.socket.send_to(&bytes(packet), self.gateway()).await.expect("a socket");
    }

    /// What has come, questions and others.
    pub(crate) fn heard(&self) -> Vec<Packet> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn questions(&self) -> Vec<Packet> {
        let is_question = |packet: &Packet| matches!(packet.header.code, MessageClass::Request(_));
        self.heard().into_iter().filter(is_question).collect()
    }

    /// How often it was told so of a message of its own.
    pub(crate) fn told(&self, kind: MessageType, message_id: u16) -> usize {
        let heard = self.heard();
        heard.iter().filter(|packet| packet.header.get_type() == kind && packet.header.message_id == message_id).count()
    }
}

fn bytes(packet: &Packet) -> Vec<u8> {
    packet.to_bytes_unlimited().expect("a message")
}

fn reset(to: &Packet) -> Packet {
    let mut packet = Packet::new();
    packet.header.set_type(MessageType::Reset);
    packet.header.code = MessageClass::Empty;
    packet.header.message_id = to.header.message_id;
    packet
}

/// An answer with the acknowledgement.
pub(crate) fn answer(question: &Packet, code: ResponseType, payload: &[u8]) -> Packet {
    let mut packet = Packet::new();
    packet.header.set_type(MessageType::Acknowledgement);
    packet.header.code = MessageClass::Response(code);
    packet.header.message_id = question.header.message_id;
    packet.set_token(question.get_token().to_vec());
    packet.payload = payload.to_vec();
    packet
}

pub(crate) fn content(question: &Packet, payload: &[u8]) -> Packet {
    answer(question, ResponseType::Content, payload)
}

/// An acknowledgement without an answer.
pub(crate) fn acknowledgement(question: &Packet) -> Packet {
    let mut packet = reset(question);
    packet.header.set_type(MessageType::Acknowledgement);
    packet
}

/// An answer of its own.
pub(crate) fn separate(question: &Packet, kind: MessageType, message_id: u16, payload: &[u8]) -> Packet {
    let mut packet = content(question, payload);
    packet.header.set_type(kind);
    packet.header.message_id = message_id;
    packet
}

/// The same with one more option.
pub(crate) fn with(mut packet: Packet, option: CoapOption, value: &[u8]) -> Packet {
    packet.add_option(option, value.to_vec());
    packet
}

/// Which block is asked for, and its exponent.
pub(crate) fn block(question: &Packet, option: CoapOption) -> (u32, u32) {
    let bytes = question.get_first_option(option).cloned().unwrap_or_default();
    let number = bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    (number >> 4, number & 7)
}

/// A block as an option has it.
pub(crate) fn block_option(number: u32, more: bool, exponent: u32) -> Vec<u8> {
    let value = number << 4 | u32::from(more) << 3 | exponent;
    value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}
