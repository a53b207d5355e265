//! Messages (RFC 7252) to what they mean and back. The bytes are read and written by `coap-lite`. Pure.

mod block;
pub(crate) mod links;

pub(crate) use block::Block;

use crate::config::{Path, Query};
use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};
use edgeway_payload::Format;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// Max-Age of an answer that has none (RFC 7252 section 5.10.5).
const MAX_AGE_DEFAULT: u32 = 60;
/// The content-format of RFC 6690.
pub(crate) const LINK_FORMAT: u16 = 40;
/// Size2 and Size1 of RFC 7959 section 4.
pub(crate) const SIZE2: u16 = 28;
pub(crate) const SIZE1: u16 = 60;
/// The options of an answer that must be understood, and are.
const UNDERSTOOD: [u16; 2] = [23, 27];
/// So much of what a device says of a mistake is told.
const SAID_CHARS_MAX: usize = 120;

/// A question that may be asked often: all but its number and its token.
pub(crate) fn question(method: RequestType, path: &Path, query: &Query, accept: Option<Format>) -> Packet {
    let mut packet = Packet::new();
    packet.header.code = MessageClass::Request(method);
    path.parts().iter().for_each(|part| packet.add_option(CoapOption::UriPath, part.clone().into_bytes()));
    query.parts().iter().for_each(|part| packet.add_option(CoapOption::UriQuery, part.clone().into_bytes()));
    if let Some(format) = accept {
        packet.add_option(CoapOption::Accept, number(format.coap().into()));
    }
    packet
}

/// A message without anything but its number: an acknowledgement, a reset, a ping.
pub(crate) fn empty(kind: MessageType, message_id: u16) -> Vec<u8> {
    let kind: u8 = match kind {
        MessageType::Confirmable => 0,
        MessageType::NonConfirmable => 1,
        MessageType::Acknowledgement => 2,
        MessageType::Reset => 3,
    };
    let [high, low] = message_id.to_be_bytes();
    vec![0x40 | kind << 4, 0, high, low]
}

/// A whole number as an option has it: no more bytes than it needs.
pub(crate) fn number(number: u32) -> Vec<u8> {
    number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

/// By what a message that comes again is known beside its number: a device that was restarted counts from the same number on.
pub(crate) fn digest(packet: &Packet) -> u64 {
    let mut hasher = DefaultHasher::new();
    (u8::from(packet.header.code), packet.get_token(), &packet.payload).hash(&mut hasher);
    packet.options().for_each(|option| option.hash(&mut hasher));
    hasher.finish()
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) code: MessageClass,
    pub(crate) payload: Vec<u8>,
    pub(crate) format: Told,
    pub(crate) etag: Option<Vec<u8>>,
    pub(crate) max_age: Duration,
    pub(crate) observe: Option<u32>,
    pub(crate) block1: Option<Block>,
    pub(crate) block2: Option<Block>,
    /// How long the whole is, if it is told.
    pub(crate) size: Option<u32>,
    /// It came with the acknowledgement, so it answers this very question.
    pub(crate) is_acknowledgement: bool,
}

/// What an answer says of the format of its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Nothing,
    Known(Format),
    /// This number, which is none of ours.
    Other(u16),
}

impl Answer {
    /// Reads an answer.
    ///
    /// # Errors
    /// What makes no sense in it.
    pub(crate) fn read(packet: Packet) -> Result<Answer, String> {
        let foreign = packet.options().find(|(number, _)| *number % 2 == 1 && !UNDERSTOOD.contains(number));
        if let Some((number, _)) = foreign {
            return Err(format!("it has the option {number}, which must be understood and is not"));
        }
        let block = |option: CoapOption| uint(&packet, option.into())?.map(Block::of_number).transpose();
        let format = uint(&packet, CoapOption::ContentFormat.into())?;
        let (block1, block2) = (block(CoapOption::Block1)?, block(CoapOption::Block2)?);
        let max_age = uint(&packet, CoapOption::MaxAge.into())?.unwrap_or(MAX_AGE_DEFAULT);
        Ok(Answer {
            code: packet.header.code,
            format: format.map_or(Ok(Told::Nothing), told)?,
            etag: packet.get_first_option(CoapOption::ETag).cloned(),
            max_age: Duration::from_secs(max_age.into()),
            observe: uint(&packet, CoapOption::Observe.into())?,
            block1,
            block2,
            size: uint(&packet, SIZE2)?,
            is_acknowledgement: packet.header.get_type() == MessageType::Acknowledgement,
            payload: packet.payload,
        })
    }

    pub(crate) fn is(&self, code: ResponseType) -> bool {
        self.code == MessageClass::Response(code)
    }

    /// True for 2.xx.
    pub(crate) fn is_success(&self) -> bool {
        u8::from(self.code) >> 5 == 2
    }

    /// A refusal in words: its code, its name, and what the device says to it (RFC 7252 section 5.5.2).
    pub(crate) fn refusal(&self) -> String {
        let said = String::from_utf8_lossy(&self.payload);
        let said: String = said.chars().filter(|c| !c.is_control()).take(SAID_CHARS_MAX).collect();
        let name = name(self.code).map(|name| format!(" {name}")).unwrap_or_default();
        let said = if said.trim().is_empty() { said } else { format!(": {}", said.trim()) };
        format!("{}{name}{said}", self.code)
    }
}

/// The format of what a question carries, and which block it is.
///
/// # Errors
/// What makes no sense.
pub(crate) fn told_of(question: &Packet) -> Result<(Told, Option<Block>), String> {
    let format = uint(question, CoapOption::ContentFormat.into())?.map_or(Ok(Told::Nothing), told)?;
    Ok((format, uint(question, CoapOption::Block1.into())?.map(Block::of_number).transpose()?))
}

fn told(number: u32) -> Result<Told, String> {
    let number = u16::try_from(number).map_err(|_| format!("{number} is no content-format"))?;
    Ok(Format::of_coap(number).map_or(Told::Other(number), Told::Known))
}

/// The value of an option that is a whole number.
pub(crate) fn uint(packet: &Packet, option: u16) -> Result<Option<u32>, String> {
    let Some(bytes) = packet.get_first_option(CoapOption::from(option)) else { return Ok(None) };
    if bytes.len() > 4 {
        return Err(format!("its option {option} is no number: it has {} bytes", bytes.len()));
    }
    Ok(Some(bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))))
}

fn name(code: MessageClass) -> Option<&'static str> {
    Some(match u8::from(code) {
        0x80 => "bad request",
        0x81 => "unauthorized",
        0x82 => "bad option",
        0x83 => "forbidden",
        0x84 => "not found",
        0x85 => "method not allowed",
        0x86 => "not acceptable",
        0x88 => "request entity incomplete",
        0x89 => "conflict",
        0x8c => "precondition failed",
        0x8d => "request entity too large",
        0x8f => "unsupported content-format",
        0x96 => "unprocessable entity",
        0x9d => "too many requests",
        0xa0 => "internal server error",
        0xa1 => "not implemented",
        0xa2 => "bad gateway",
        0xa3 => "service unavailable",
        0xa4 => "gateway timeout",
        0xa5 => "proxying not supported",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
