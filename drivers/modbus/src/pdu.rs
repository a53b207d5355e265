//! Questions and answers without their frames: the number of a function and its data. Pure.
//!
//! After MODBUS Application Protocol Specification V1.1b3, section 6.

use crate::codec::Change;
use crate::config::Table;

const EXCEPTION: u8 = 0x80;
/// Function 43 carries other protocols; this is the one that reads what a device says of itself.
const READ_IDENTITY: u8 = 14;
/// A coil that is on, as functions 5 writes it.
const ON: u16 = 0xff00;

/// What a unit is asked to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ask<'a> {
    /// Functions 1 to 4.
    Read { table: Table, start: u16, count: u16 },
    /// Function 5.
    WriteCoil { at: u16, on: bool },
    /// Function 6.
    WriteRegister { at: u16, register: u16 },
    /// Function 16.
    WriteRegisters { at: u16, registers: &'a [u16] },
    /// Function 22.
    ChangeRegister { at: u16, change: Change },
    /// Function 23, which reads what it wrote.
    WriteAndRead { at: u16, registers: &'a [u16] },
    /// Function 43 with 14: the basic identity, from this object on.
    Identify { first: u8 },
}

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The unit refuses.
    Exception(u8),
    /// It is something else than what was asked for.
    Wrong(String),
}

impl Ask<'_> {
    pub(crate) fn function(&self) -> u8 {
        match self {
            Ask::Read { table, .. } => match table {
                Table::Coil => 1,
                Table::Discrete => 2,
                Table::Holding => 3,
                Table::Input => 4,
            },
            Ask::WriteCoil { .. } => 5,
            Ask::WriteRegister { .. } => 6,
            Ask::WriteRegisters { .. } => 16,
            Ask::ChangeRegister { .. } => 22,
            Ask::WriteAndRead { .. } => 23,
            Ask::Identify { .. } => 43,
        }
    }

    /// Whether it may have changed something when nobody knows what became of it.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self, Ask::Read { .. } | Ask::Identify { .. })
    }

    /// Appends the question.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.function());
        match *self {
            Ask::Read { start, count, .. } => words(out, &[start, count]),
            Ask::WriteCoil { at, on } => words(out, &[at, if on { ON } else { 0 }]),
            Ask::WriteRegister { at, register } => words(out, &[at, register]),
            Ask::WriteRegisters { at, registers } => {
                words(out, &[at, registers.len() as u16]);
                out.push(registers.len() as u8 * 2);
                words(out, registers);
            }
            Ask::ChangeRegister { at, change } => words(out, &[at, !change.mask, change.bits]),
            Ask::WriteAndRead { at, registers } => {
                let count = registers.len() as u16;
                words(out, &[at, count, at, count]);
                out.push(count as u8 * 2);
                words(out, registers);
            }
            Ask::Identify { first } => out.extend([READ_IDENTITY, 1, first]),
        }
    }

    /// The data of the answer: bits or registers as they came, what function 43 found, or nothing.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub(crate) fn answer<'p>(&self, pdu: &'p [u8]) -> Result<&'p [u8], NoAnswer> {
        let function = self.function();
        match pdu {
            [got, code] if *got == function | EXCEPTION => Err(NoAnswer::Exception(*code)),
            [got, ..] if *got != function => Err(wrong(format!("it is of function {got}"))),
            [_, data @ ..] => self.data(data),
            [] => Err(wrong("it is empty".into())),
        }
    }

    fn data<'p>(&self, data: &'p [u8]) -> Result<&'p [u8], NoAnswer> {
        match self {
            Ask::Read { table, count, .. } if table.holds_bits() => counted(data, count.div_ceil(8)),
            Ask::Read { count, .. } => counted(data, count * 2),
            Ask::WriteAndRead { registers, .. } => counted(data, registers.len() as u16 * 2),
            Ask::Identify { .. } => match data {
                [READ_IDENTITY, found @ ..] => Ok(found),
                _ => Err(wrong("it is not about the identity".into())),
            },
            _ => self.echoed(data),
        }
    }

    /// A write is acknowledged by its beginning: the function and the next four bytes, with function 22 six.
    fn echoed<'p>(&self, data: &'p [u8]) -> Result<&'p [u8], NoAnswer> {
        let mut asked = vec![];
        self.encode(&mut asked);
        let length = if matches!(self, Ask::ChangeRegister { .. }) { 6 } else { 4 };
        match data == &asked[1..=length] {
            true => Ok(&[]),
            false => Err(wrong("it acknowledges another write".into())),
        }
    }
}

fn wrong(why: String) -> NoAnswer {
    NoAnswer::Wrong(why)
}

/// Data behind its length in bytes.
fn counted(data: &[u8], wanted: u16) -> Result<&[u8], NoAnswer> {
    match data {
        [bytes, data @ ..] if usize::from(*bytes) != data.len() => {
            Err(wrong(format!("it announces {bytes} bytes and has {}", data.len())))
        }
        [_, data @ ..] if data.len() == usize::from(wanted) => Ok(data),
        [_, data @ ..] => Err(wrong(format!("it has {} bytes of data, not {wanted}", data.len()))),
        [] => Err(wrong("it has no data".into())),
    }
}

fn words(out: &mut Vec<u8>, words: &[u16]) {
    out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
}

/// What a page of an identity says: the objects by number, and where the next page begins if there is one.
///
/// ```text
/// read code | conformity | more follows: 00 or ff | next object | objects: number, length, bytes
/// ```
pub(crate) fn identity(found: &[u8]) -> (Vec<(u8, String)>, Option<u8>) {
    let [_, _, more, next, _, rest @ ..] = found else { return (vec![], None) };
    let mut rest = rest;
    let mut objects = vec![];
    while let [number, length, data @ ..] = rest {
        let Some((text, after)) = data.split_at_checked(usize::from(*length)) else { break };
        objects.push((*number, String::from_utf8_lossy(text).trim_end_matches(['\0', ' ']).to_owned()));
        rest = after;
    }
    (objects, (*more == 0xff).then_some(*next))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Ask<'_> = Ask::Read { table: Table::Holding, start: 100, count: 2 };

    #[test]
    fn questions_are_as_the_standard_has_them() {
        let change = Change { mask: 0x00f0, bits: 0x0020 };
        for (ask, bytes) in [
            (READ, vec![3, 0, 100, 0, 2]),
            (Ask::Read { table: Table::Discrete, start: 1, count: 9 }, vec![2, 0, 1, 0, 9]),
            (Ask::WriteCoil { at: 7, on: true }, vec![5, 0, 7, 0xff, 0]),
            (Ask::WriteRegister { at: 7, register: 0x1234 }, vec![6, 0, 7, 0x12, 0x34]),
            (Ask::WriteRegisters { at: 7, registers: &[1, 2] }, vec![16, 0, 7, 0, 2, 4, 0, 1, 0, 2]),
            (Ask::ChangeRegister { at: 4, change }, vec![22, 0, 4, 0xff, 0x0f, 0, 0x20]),
            (Ask::WriteAndRead { at: 7, registers: &[9] }, vec![23, 0, 7, 0, 1, 0, 7, 0, 1, 2, 0, 9]),
            (Ask::Identify { first: 0 }, vec![43, 14, 1, 0]),
        ] {
            let mut out = vec![];
            ask.encode(&mut out);
            assert_eq!(out, bytes);
        }
    }

    #[test]
    fn an_answer_is_what_was_asked_for_or_none() {
        assert_eq!(READ.answer(&[3, 4, 0, 1, 0, 2]), Ok(&[0, 1, 0, 2][..]));
        assert_eq!(READ.answer(&[0x83, 2]), Err(NoAnswer::Exception(2)));
        for (pdu, why) in [
            (&[][..], "it is empty"),
            (&[4, 4, 0, 1, 0, 2], "it is of function 4"),
            (&[0x84, 2], "it is of function 132"),
            (&[3], "it has no data"),
            (&[3, 2, 0, 1], "it has 2 bytes of data, not 4"),
            (&[3, 6, 0, 1, 0, 1, 0, 1], "it has 6 bytes of data, not 4"),
            (&[3, 4, 0, 1], "it announces 4 bytes and has 2"),
        ] {
            assert_eq!(READ.answer(pdu), Err(NoAnswer::Wrong(why.into())), "{pdu:?}");
        }
        let write = Ask::WriteRegisters { at: 7, registers: &[1, 2] };
        assert_eq!(write.answer(&[16, 0, 7, 0, 2]), Ok(&[][..]));
        for other in [&[16, 0, 7, 0, 1][..], &[16, 0, 8, 0, 2], &[16, 0, 7, 0], &[16, 0, 7, 0, 2, 0]] {
            assert_eq!(write.answer(other), Err(NoAnswer::Wrong("it acknowledges another write".into())));
        }
    }

    #[test]
    fn an_identity_is_read_page_by_page() {
        let page = [1, 1, 0xff, 2, 2, 0, 3, b'A', b'c', b'e', 1, 2, b'X', 0];
        assert_eq!(identity(&page), (vec![(0, "Ace".into()), (1, "X".into())], Some(2)));
        assert_eq!(identity(&[1, 1, 0, 0, 1, 0, 9, b'A']), (vec![], None), "cut short");
        assert_eq!(identity(&[1]), (vec![], None));
    }
}
