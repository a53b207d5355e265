//! Moves messages over a connection, and gives each answer to whoever has asked.
//!
//! The library has a transport of its own. It takes one answer that it cannot decode for the end of the connection, does not
//! see when something of an answer is left over, and bounds the chunks of an answer but not their bytes.

use super::answer;
use super::frames::{Frames, Limits};
use super::opening;
use opcua::client::transport::{
    OutgoingMessage, RequestRecv, SecureChannelState, Transport, TransportConfiguration, TransportPollResult,
};
use opcua::core::comms::buffer::SendBuffer;
use opcua::core::comms::message_chunk::{MessageChunk, MessageIsFinalType};
use opcua::core::comms::message_chunk_info::ChunkInfo;
use opcua::core::comms::sequence_number::SequenceNumberHandle;
use opcua::core::comms::tcp_types::{AcknowledgeMessage, ErrorMessage, HelloMessage, MIN_CHUNK_SIZE};
use opcua::core::{RequestMessage, ResponseMessage};
use opcua::crypto::{PrivateKey, SecurityPolicy};
use opcua::types::{
    DateTime, DecodingOptions, Error, OpenSecureChannelResponse, SimpleBinaryDecodable, SimpleBinaryEncodable,
    StatusCode,
};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot;

/// The messages of one connection.
pub(super) struct Messages {
    url: String,
    frames: Frames<OwnedReadHalf>,
    write: OwnedWriteHalf,
    sending: SendBuffer,
    questions: RequestRecv,
    channel: Arc<SecureChannelState>,
    /// The gateway's, with security.
    key: Option<PrivateKey>,
    numbers: SequenceNumberHandle,
    answer_bytes_max: usize,
    /// Questions without an answer, by the numbers that they have on the channel.
    asked: HashMap<u32, Asked>,
    is_closing: bool,
    end: Option<StatusCode>,
}

/// A question whose answer is not here, or not all of it.
struct Asked {
    callback: oneshot::Sender<Result<ResponseMessage, Error>>,
    body: Vec<u8>,
}

impl Messages {
    /// Says hello (OPC 10000-6, 7.1.3).
    pub(super) async fn begin(
        stream: TcpStream,
        url: String,
        channel: Arc<SecureChannelState>,
        questions: RequestRecv,
        config: &TransportConfiguration,
        limits: Limits,
    ) -> Result<Messages, Error> {
        let (read, mut write) = stream.into_split();
        let mut frames = Frames::new(read, limits);
        let TransportConfiguration { send_buffer_size, recv_buffer_size, max_message_size, max_chunk_count } = *config;
        let hello = HelloMessage::new(&url, send_buffer_size, recv_buffer_size, max_message_size, max_chunk_count);
        write.write_all(&hello.encode_to_vec()).await.map_err(hung_up)?;
        let (options, is_legacy) = {
            let channel = channel.secure_channel().read();
            (channel.decoding_options(), channel.security_policy().legacy_sequence_numbers())
        };
        let answer = frames.next().await.map_err(hung_up)?;
        let acknowledged = acknowledged(answer.unwrap_or_default(), &options)?;
        let mut sending = SendBuffer::new(send_buffer_size, max_message_size, max_chunk_count, is_legacy);
        let [buffer, message, chunks] =
            [acknowledged.receive_buffer_size, acknowledged.max_message_size, acknowledged.max_chunk_count];
        sending.revise(buffer as usize, message as usize, chunks as usize);
        Ok(Messages {
            url,
            frames,
            write,
            sending,
            questions,
            channel,
            key: None,
            numbers: SequenceNumberHandle::new(is_legacy),
            answer_bytes_max: max_message_size,
            asked: HashMap::new(),
            is_closing: false,
            end: None,
        })
    }

    /// With what answers that open the channel are read.
    pub(super) fn with_key(self, key: Option<PrivateKey>) -> Messages {
        Messages { key, ..self }
    }

    /// Moves one message a bit further. It may be dropped and called again.
    ///
    /// # Errors
    /// Why the connection is over.
    async fn step(&mut self) -> Result<TransportPollResult, StatusCode> {
        if self.sending.should_encode_chunks() {
            self.sending.encode_next_chunk(&self.channel.secure_channel().read())?;
        }
        let is_sending = self.sending.can_read();
        if self.is_closing && !is_sending {
            return Err(StatusCode::Good);
        }
        tokio::select! {
            sent = self.sending.read_into_async(&mut self.write), if is_sending => {
                sent.map_err(|_| StatusCode::BadCommunicationError)?;
                Ok(TransportPollResult::OutgoingMessageSent)
            }
            question = self.questions.recv(), if !is_sending => {
                Ok(self.ask(question.ok_or(StatusCode::Good)?))
            }
            frame = self.frames.next() => {
                let frame = frame.map_err(|_| StatusCode::BadConnectionClosed)?;
                self.take(frame.ok_or(StatusCode::BadCommunicationError)?).map_err(|error| error.status())?;
                Ok(TransportPollResult::IncomingMessage)
            }
        }
    }

    fn ask(&mut self, question: OutgoingMessage) -> TransportPollResult {
        let OutgoingMessage { request, callback, .. } = question;
        let number = self.sending.next_request_id();
        self.is_closing |= matches!(request, RequestMessage::CloseSecureChannel(_));
        let written = self.sending.write(number, request, &self.channel.secure_channel().read());
        // Who has stopped waiting will not come back.
        self.asked.retain(|_, asked| !asked.callback.is_closed());
        match (written, callback) {
            (Ok(_), callback) => {
                self.asked.extend(callback.map(|callback| (number, Asked { callback, body: vec![] })));
                TransportPollResult::OutgoingMessage
            }
            (Err(error), callback) => {
                let status = error.status();
                callback.map(|callback| callback.send(Err(error)));
                TransportPollResult::RecoverableError(status)
            }
        }
    }

    fn take(&mut self, frame: Vec<u8>) -> Result<(), Error> {
        match frame.first_chunk() {
            Some(b"MSG" | b"OPN" | b"CLO") => self.take_chunk(frame),
            Some(b"ERR") => Err(told(&frame, &self.channel.secure_channel().read().decoding_options())),
            _ => Err(Error::new(StatusCode::BadTcpMessageTypeInvalid, "the server has sent what is no message")),
        }
    }

    fn take_chunk(&mut self, frame: Vec<u8>) -> Result<(), Error> {
        let (chunk, info) = self.open(frame)?;
        self.numbers.validate_and_increment(info.sequence_header.sequence_number)?;
        let number = info.sequence_header.request_id;
        // An answer that nobody waits for any more.
        let Some(mut asked) = self.asked.remove(&number) else { return Ok(()) };
        if info.message_header.is_final == MessageIsFinalType::FinalError {
            asked.tell(Err(refusal(&chunk, &info, &self.channel.secure_channel().read().decoding_options())));
            return Ok(());
        }
        asked.body.extend_from_slice(&chunk.data[info.body_offset..]);
        if asked.body.len() > self.answer_bytes_max {
            // What is still to come of it finds nobody who waits.
            asked.tell(Err(Error::new(StatusCode::BadResponseTooLarge, "the answer is longer than it may be")));
        } else if info.message_header.is_final == MessageIsFinalType::Final {
            self.finish(asked, info.message_header.message_type.is_open_secure_channel())?;
        } else {
            self.asked.insert(number, asked);
        }
        Ok(())
    }

    /// A chunk without what protects it.
    fn open(&self, frame: Vec<u8>) -> Result<(MessageChunk, ChunkInfo), Error> {
        let channel = self.channel.secure_channel().read();
        let chunk = match &self.key {
            Some(key) if frame.starts_with(b"OPN") => opening::open(frame, &channel, key)?,
            _ => channel.verify_and_remove_security(frame.into())?,
        };
        let info = chunk.chunk_info(&channel)?;
        let id = channel.secure_channel_id();
        match id == 0 || id == info.message_header.secure_channel_id {
            true => Ok((chunk, info)),
            false => Err(Error::new(StatusCode::BadSecureChannelIdInvalid, "a message of another channel")),
        }
    }

    /// All of an answer is here. Whether it can be read is a matter of its question alone, unless it opens the channel.
    fn finish(&self, asked: Asked, opens: bool) -> Result<(), Error> {
        let context = self.channel.secure_channel().read().context_arc();
        let answer = answer::decode(&asked.body, &context.read().context());
        let answer = answer.map_err(|error| Error::new(StatusCode::BadDecodingError, error));
        match answer {
            Err(error) if opens => return Err(error),
            Ok(ResponseMessage::OpenSecureChannel(opened)) => {
                self.renew(&opened)?;
                asked.tell(Ok(ResponseMessage::OpenSecureChannel(opened)));
            }
            answer => asked.tell(answer),
        }
        Ok(())
    }

    /// The channel is open, or has new keys: the next message may be made with them already.
    fn renew(&self, opened: &OpenSecureChannelResponse) -> Result<(), Error> {
        let OpenSecureChannelResponse { response_header, security_token, server_nonce, .. } = opened;
        if !response_header.service_result.is_good() {
            return Err(Error::new(response_header.service_result, "the server opens no channel"));
        }
        let mut channel = self.channel.secure_channel().write();
        let known = channel.secure_channel_id();
        if known != 0 && known != security_token.channel_id {
            return Err(Error::new(StatusCode::BadSecureChannelIdInvalid, "the channel has become another"));
        }
        let mut token = security_token.clone();
        // The age of the token must not depend on the server's clock. What that is ahead is taken off all times in answers
        // from now on, as it has been off this one.
        if !response_header.timestamp.is_null() {
            let ahead = response_header.timestamp - DateTime::now();
            token.created_at = token.created_at - ahead;
            let before = channel.decoding_options().client_offset;
            channel.set_client_offset(before + ahead);
        }
        channel.set_security_token(token);
        if channel.security_policy() != SecurityPolicy::None {
            channel.validate_secure_channel_nonce_length(server_nonce)?;
            channel.set_remote_nonce_from_byte_string(server_nonce)?;
            channel.derive_keys();
        }
        Ok(())
    }

    /// Tells everybody that no answer will come.
    fn finish_all(&mut self, status: StatusCode) {
        self.end = Some(status);
        let status = if status.is_good() { StatusCode::BadConnectionClosed } else { status };
        self.questions.close();
        let unsent = std::iter::from_fn(|| self.questions.try_recv().ok()).filter_map(|question| question.callback);
        let callbacks: Vec<_> = unsent.chain(self.asked.drain().map(|(_, asked)| asked.callback)).collect();
        for callback in callbacks {
            let _ = callback.send(Err(Error::new(status, "the connection is over")));
        }
    }
}

impl Asked {
    fn tell(self, answer: Result<ResponseMessage, Error>) {
        // Nobody may be waiting any more.
        let _ = self.callback.send(answer);
    }
}

impl Transport for Messages {
    async fn poll(&mut self) -> TransportPollResult {
        if let Some(status) = self.end {
            return TransportPollResult::Closed(status);
        }
        match self.step().await {
            Ok(moved) => moved,
            Err(status) => {
                self.finish_all(status);
                TransportPollResult::Closed(status)
            }
        }
    }

    fn connected_url(&self) -> &str {
        &self.url
    }
}

/// What the server answers to hello.
fn acknowledged(frame: Vec<u8>, options: &DecodingOptions) -> Result<AcknowledgeMessage, Error> {
    let strange = || Error::new(StatusCode::BadConnectionClosed, "the server does not answer to hello");
    match frame.first_chunk() {
        Some(b"ACK") => {}
        Some(b"ERR") => return Err(told(&frame, options)),
        _ => return Err(strange()),
    }
    let acknowledged = AcknowledgeMessage::decode(&mut frame.as_slice(), options).map_err(|_| strange())?;
    let AcknowledgeMessage { protocol_version, send_buffer_size, receive_buffer_size, .. } = acknowledged;
    if protocol_version > 0 {
        return Err(Error::new(StatusCode::BadProtocolVersionUnsupported, "the server speaks another version"));
    }
    match send_buffer_size.min(receive_buffer_size) as usize >= MIN_CHUNK_SIZE {
        true => Ok(acknowledged),
        false => Err(Error::new(StatusCode::BadTcpInternalError, "the server takes no whole chunk")),
    }
}

fn hung_up(error: std::io::Error) -> Error {
    Error::new(StatusCode::BadConnectionClosed, error)
}

/// Why the server ends the connection.
fn told(frame: &[u8], options: &DecodingOptions) -> Error {
    match ErrorMessage::decode(&mut &*frame, options) {
        Ok(told) if told.error.is_bad() => Error::new(told.error, told.reason.to_string()),
        _ => Error::new(StatusCode::BadConnectionClosed, "the server ends the connection"),
    }
}

/// Why the server breaks an answer off.
fn refusal(chunk: &MessageChunk, info: &ChunkInfo, options: &DecodingOptions) -> Error {
    match chunk.final_error_body(info, options) {
        Ok(error) if error.status.is_bad() => Error::new(error.status, error.reason.to_string()),
        _ => Error::new(StatusCode::BadCommunicationError, "the server has broken its answer off"),
    }
}
