//! A device that holds what `conformance.toml` says and refuses everything else, in Modbus TCP or in RTU through TCP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const COILS: u8 = 1;
const HOLDING: u8 = 3;
const INPUT: u8 = 4;
const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;

/// Entries by unit, by the function that reads them, and by address. A coil is 0 or 1.
type Entries = HashMap<(u8, u8, u16), u16>;

fn entries() -> Entries {
    let blocks: [(u8, u8, u16, &[u16]); 8] = [
        (7, HOLDING, 0, &[1450, 0xfebb, 0]),
        (7, HOLDING, 4, &[0x4148, 0, 0b1000, 0]),
        (7, HOLDING, 40, &[0x5055, 0x4d50, 0x2d37, 0]),
        (7, INPUT, 3, &[2181]),
        (7, COILS, 9, &[0]),
        (9, INPUT, 0, &[0x5678, 0x1234]),
        (9, HOLDING, 100, &[7777]),
        (9, COILS, 3, &[0]),
    ];
    let entry = |(unit, table, start, values): (u8, u8, u16, &'static [u16])| {
        (start..).zip(values).map(move |(at, value)| ((unit, table, at), *value))
    };
    blocks.into_iter().flat_map(entry).collect()
}

/// How its messages are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Tcp,
    Rtu,
}

/// Serves until it is dropped.
pub(crate) async fn serve(listener: TcpListener, framing: Framing) {
    let entries = Arc::new(Mutex::new(entries()));
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(talk(stream, framing, entries.clone()));
    }
}

async fn talk(mut stream: TcpStream, framing: Framing, entries: Arc<Mutex<Entries>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let (head, unit, pdu) = match framing {
            Framing::Tcp => read_tcp(&mut stream).await?,
            Framing::Rtu => read_rtu(&mut stream).await?,
        };
        let answered = answer(&mut entries.lock().unwrap(), unit, &pdu);
        let answer = answered.unwrap_or_else(|exception| vec![pdu[0] | 0x80, exception]);
        let mut frame = head.to_vec();
        if framing == Framing::Tcp {
            frame.extend((answer.len() as u16 + 1).to_be_bytes());
        }
        frame.push(unit);
        frame.extend(answer);
        if framing == Framing::Rtu {
            frame.extend(crc(&frame).to_le_bytes());
        }
        stream.write_all(&frame).await?;
    }
}

/// What an answer begins with, unit, and PDU.
type Question = (Vec<u8>, u8, Vec<u8>);

async fn read_tcp(stream: &mut TcpStream) -> std::io::Result<Question> {
    let mut head = [0; 7];
    stream.read_exact(&mut head).await?;
    let mut pdu = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]])) - 1];
    stream.read_exact(&mut pdu).await?;
    Ok((head[..4].to_vec(), head[6], pdu))
}

async fn read_rtu(stream: &mut TcpStream) -> std::io::Result<Question> {
    let mut frame = vec![0; 7];
    stream.read_exact(&mut frame).await?;
    let data = if frame[1] == 16 { usize::from(frame[6]) + 2 } else { 1 };
    let mut rest = vec![0; data];
    stream.read_exact(&mut rest).await?;
    frame.extend(rest);
    let (body, sum) = frame.split_at(frame.len() - 2);
    assert_eq!(crc(body).to_le_bytes(), sum, "the checksum of a question");
    Ok((vec![], body[0], body[1..].to_vec()))
}

fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xa001 } else { sum >> 1 })
    })
}

fn answer(entries: &mut Entries, unit: u8, pdu: &[u8]) -> Result<Vec<u8>, u8> {
    let word = |at: usize| u16::from_be_bytes([pdu[at], pdu[at + 1]]);
    let (function, start) = (pdu[0], word(1));
    match function {
        COILS => {
            let bits = read(entries, (unit, COILS, start), word(3))?;
            let bytes: Vec<u8> =
                bits.chunks(8).map(|byte| (0..).zip(byte).map(|(n, bit)| (*bit as u8) << n).sum()).collect();
            Ok([vec![function, bytes.len() as u8], bytes].concat())
        }
        HOLDING | INPUT => {
            let words = read(entries, (unit, function, start), word(3))?;
            let bytes: Vec<u8> = words.into_iter().flat_map(u16::to_be_bytes).collect();
            Ok([vec![function, bytes.len() as u8], bytes].concat())
        }
        5 => write(entries, (unit, COILS, start), &[u16::from(word(3) != 0)]).map(|()| pdu.to_vec()),
        6 => write(entries, (unit, HOLDING, start), &[word(3)]).map(|()| pdu.to_vec()),
        16 => {
            let words: Vec<u16> = pdu[6..].chunks(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]])).collect();
            write(entries, (unit, HOLDING, start), &words).map(|()| pdu[..5].to_vec())
        }
        _ => Err(ILLEGAL_FUNCTION),
    }
}

fn read(entries: &Entries, (unit, table, start): (u8, u8, u16), count: u16) -> Result<Vec<u16>, u8> {
    let entry = |at: u16| entries.get(&(unit, table, start + at)).copied().ok_or(ILLEGAL_ADDRESS);
    (0..count).map(entry).collect()
}

fn write(entries: &mut Entries, (unit, table, start): (u8, u8, u16), values: &[u16]) -> Result<(), u8> {
    read(entries, (unit, table, start), values.len() as u16)?;
    entries.extend((start..).zip(values).map(|(at, value)| ((unit, table, at), *value)));
    Ok(())
}
