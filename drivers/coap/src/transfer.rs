//! What is longer than a datagram, in blocks (RFC 7959): read whole, sent whole, and never mixed from two.

use crate::codec::{self, Answer, Block, SIZE1};
use crate::wire::{Connection, Failure};
use coap_lite::{CoapOption, MessageClass, Packet, ResponseType};
use edgeway_sdk::Deadline;

/// A resource that has changed while it was read is read so often, at most.
const READINGS_MAX: usize = 3;

/// Why there is nothing to go on with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trouble {
    /// There is no answer.
    Failure(Failure),
    /// The answer is a refusal.
    Refused(Box<Answer>),
    /// It is longer than is taken.
    TooLong(String),
    /// It changes faster than it can be read.
    Changing,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Trouble::Failure(failure)
    }
}

fn strange(why: impl Into<String>) -> Trouble {
    Trouble::Failure(Failure::Strange(why.into()))
}

/// An answer, read.
pub(crate) fn read(packet: Packet) -> Result<Answer, Failure> {
    Answer::read(packet).map_err(Failure::Strange)
}

/// Asks for a resource and returns all of it. `first` is its first block, if that is there already.
pub(crate) async fn fetch(
    connection: &Connection,
    question: &Packet,
    mut first: Option<Answer>,
    by: Deadline,
) -> Result<Answer, Trouble> {
    for _ in 0..READINGS_MAX {
        let begin = match first.take() {
            Some(answer) => answer,
            None => read(connection.ask(sized(connection, question), by).await?)?,
        };
        if !begin.is_success() {
            return Err(Trouble::Refused(begin.into()));
        }
        if let Some(whole) = rest(connection, question, begin, by).await? {
            return Ok(whole);
        }
    }
    Err(Trouble::Changing)
}

/// A question that says how long a block may be, unless any will do.
pub(crate) fn sized(connection: &Connection, question: &Packet) -> Packet {
    let mut question = question.clone();
    let bytes = connection.options().block_bytes;
    if let (true, Some(block)) = (bytes < 1024, Block::new(0, false, bytes)) {
        question.add_option(CoapOption::Block2, codec::number(block.to_number()));
    }
    question
}

/// Asks for the blocks that follow. `None` if they are not of the same as the first.
async fn rest(
    connection: &Connection,
    question: &Packet,
    mut whole: Answer,
    by: Deadline,
) -> Result<Option<Answer>, Trouble> {
    let bytes_max = connection.options().payload_bytes_max;
    let too_long =
        |bytes: usize| Trouble::TooLong(format!("the payload has {bytes} bytes or more, and {bytes_max} is the most"));
    let told = whole.size.map_or(0, |size| size as usize).max(whole.payload.len());
    if told > bytes_max {
        return Err(too_long(told));
    }
    let Some(first) = whole.block2 else { return Ok(Some(whole)) };
    check_block(first, 0, &whole)?;
    let mut is_last = !first.more;
    while !is_last {
        let number = whole.payload.len() / first.bytes();
        let Some(block) = Block::new(number, false, first.bytes()) else { return Err(too_long(whole.payload.len())) };
        let next = read(connection.ask(following(question, block), by).await?)?;
        check_code(&next, whole.code)?;
        if next.etag != whole.etag {
            return Ok(None);
        }
        let came = next.block2.ok_or_else(|| strange("a block is missing that was asked for"))?;
        if came.exponent != first.exponent {
            return Err(strange("a block has another size than the one before"));
        }
        check_block(came, block.number, &next)?;
        whole.payload.extend_from_slice(&next.payload);
        if whole.payload.len() > bytes_max {
            return Err(too_long(whole.payload.len()));
        }
        is_last = !came.more;
    }
    Ok(Some(whole))
}

/// The same question for one block, without what was sent along with it. All its options stay: by them the device knows what it is of.
fn following(question: &Packet, block: Block) -> Packet {
    let mut next = question.clone();
    next.payload.clear();
    next.add_option(CoapOption::Block2, codec::number(block.to_number()));
    next
}

/// A block that is refused is no part of anything: not even of what comes next.
fn check_code(next: &Answer, first: MessageClass) -> Result<(), Trouble> {
    match next.is_success() {
        _ if next.code == first => Ok(()),
        true => Err(strange(format!("{} came instead of a block", next.code))),
        // The device has not kept it (RFC 7959 section 2.9.2).
        false if next.is(ResponseType::RequestEntityIncomplete) => Err(Trouble::Changing),
        false => Err(Trouble::Refused(next.clone().into())),
    }
}

/// A block that others follow is full.
fn check_block(came: Block, number: u32, answer: &Answer) -> Result<(), Trouble> {
    if came.number != number {
        return Err(strange(format!("block {} came instead of {number}", came.number)));
    }
    let is_full = answer.payload.len() == came.bytes();
    if came.more && !is_full || answer.payload.len() > came.bytes() {
        let found = answer.payload.len();
        return Err(strange(format!("a block of {} bytes has {found}", came.bytes())));
    }
    Ok(())
}

/// Sends a payload, in blocks if it is longer than one, and returns the whole answer.
pub(crate) async fn submit(
    connection: &Connection,
    question: &Packet,
    payload: &[u8],
    by: Deadline,
) -> Result<Answer, Trouble> {
    let bytes = connection.options().block_bytes;
    let last = match payload.len() <= bytes {
        true => send_whole(connection, question, payload, by).await?,
        false => send_blocks(connection, question, payload, bytes, by).await?,
    };
    if !last.is_success() {
        return Err(Trouble::Refused(last.into()));
    }
    match rest(connection, question, last, by).await {
        Ok(whole) => whole.ok_or(Trouble::Changing),
        // What has been done is not done again in order to hear once more what came of it.
        Err(Trouble::Refused(answer)) => Err(done(&answer.refusal())),
        Err(Trouble::Failure(Failure::Busy(why))) => Err(done(&why)),
        Err(trouble) => Err(trouble),
    }
}

/// It was done, and what came of it is not known.
fn done(why: &str) -> Trouble {
    Trouble::Failure(Failure::Silent(format!("it was taken, and the rest of its answer cannot be read: {why}")))
}

/// Sends a payload in one, unless the device asks for smaller blocks.
async fn send_whole(
    connection: &Connection,
    question: &Packet,
    payload: &[u8],
    by: Deadline,
) -> Result<Answer, Trouble> {
    let mut whole = sized(connection, question);
    whole.payload = payload.to_vec();
    let answer = read(connection.ask(whole, by).await?)?;
    let wanted = answer.block1.map(Block::bytes).filter(|wanted| *wanted < payload.len());
    match wanted {
        Some(bytes) if answer.is(ResponseType::RequestEntityTooLarge) => {
            send_blocks(connection, question, payload, bytes, by).await
        }
        _ => Ok(answer),
    }
}

/// Sends one block of so many bytes after the other; returns what is said to the last. A device may ask for smaller ones.
async fn send_blocks(
    connection: &Connection,
    question: &Packet,
    payload: &[u8],
    mut bytes: usize,
    by: Deadline,
) -> Result<Answer, Trouble> {
    let mut sent = 0;
    loop {
        let end = payload.len().min(sent + bytes);
        let more = end < payload.len();
        let block = Block::new(sent / bytes, more, bytes).ok_or_else(|| strange("the payload has too many blocks"))?;
        let mut part = if more { question.clone() } else { sized(connection, question) };
        part.add_option(CoapOption::Block1, codec::number(block.to_number()));
        if sent == 0 {
            part.add_option(CoapOption::from(SIZE1), codec::number(payload.len() as u32));
        }
        part.payload = payload[sent..end].to_vec();
        let answer = read(connection.ask(part, by).await?)?;
        let wanted = answer.block1.map(Block::bytes).filter(|wanted| *wanted < bytes);
        match (more, answer.is(ResponseType::Continue)) {
            (true, true) if answer.block1.is_some_and(|said| said.number != block.number) => {
                return Err(strange("another block was acknowledged than the one that was sent"));
            }
            // What was sent counts, in smaller blocks from now on.
            (true, true) => sent = end,
            (true, false) if answer.is(ResponseType::RequestEntityTooLarge) && sent == 0 && wanted.is_some() => {}
            (true, false) if answer.is_success() => {
                return Err(strange("a part of the payload was taken for all of it"));
            }
            (false, true) => return Err(strange("more was asked for after the last block")),
            (_, false) => return Ok(answer),
        }
        bytes = wanted.unwrap_or(bytes);
    }
}
