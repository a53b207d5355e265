//! Writing one value, and reading what the device made of it.

use super::exception;
use crate::codec::{self, Change};
use crate::config::{BitsWith, Table, WriteWith};
use crate::pdu::Ask;
use crate::plan::{Part, Place, Target};
use crate::wire::{Failure, Wire};
use edgeway_sdk::{Deadline, Fault, Quality, Value};

/// Writes a value and reads it back.
///
/// # Errors
/// A [`Fault`]. After that of a device or a link nobody knows whether the value was taken.
pub(super) async fn run(wire: &Wire, target: &Target, value: &Value, by: Deadline) -> Result<Option<Value>, Fault> {
    if target.unheard {
        return tell_everybody(wire, target, value, by).await.map(|()| None);
    }
    let raw = raw(wire, target, value, by).await?;
    let answer = set(wire, target, &raw, by).await?;
    if let Some(answer) = answer.filter(|_| target.value.exponent.is_none()) {
        return Ok(read_back(target.value.alone(), target, &answer));
    }
    match wire.ask(target.place.unit, target.place.ask(), by).await {
        Ok(answer) => Ok(read_back(target.value, target, &answer)),
        // The write was acknowledged. That the place can only be written, or that no time is left, does not undo it.
        Err(Failure::Exception(_) | Failure::Fault(Fault::Busy(_))) => Ok(None),
        Err(failure) => Err(exception::of_write(failure, target)),
    }
}

/// Nobody answers, so nothing can be read first, and nothing after.
async fn tell_everybody(wire: &Wire, target: &Target, value: &Value, by: Deadline) -> Result<(), Fault> {
    let part = target.value.format.kind.is_part() && target.bits_with != BitsWith::Mask;
    if target.place.table == Table::Holding && (part || target.value.exponent.is_some()) {
        return Err(Fault::Config("unit 0 does not answer, so a register cannot be read before it is written".into()));
    }
    set(wire, target, value, by).await.map(drop)
}

fn read_back(part: Part, target: &Target, answer: &[u8]) -> Option<Value> {
    let (value, quality) = part.of(target.place.table, answer);
    (!quality.is_bad()).then_some(value)
}

/// The value without its power of ten, which the device keeps.
async fn raw(wire: &Wire, target: &Target, value: &Value, by: Deadline) -> Result<Value, Fault> {
    let Some(at) = target.value.exponent else { return Ok(value.clone()) };
    let place = Place { start: target.place.start + at, count: 1, ..target.place };
    let register = wire.ask(place.unit, place.ask(), by).await;
    // Nothing was written yet, so what is not known is only the exponent.
    let register = register.map_err(|failure| match exception::of_write(failure, target) {
        Fault::Device(reason) => Fault::Busy(reason),
        other => other,
    })?;
    let exponent = codec::exponent(&register)
        .ok_or_else(|| unfit(target, format!("{place} holds no power of ten from -10 to 10")))?;
    Ok(codec::scaled(value, -exponent))
}

/// Writes; the registers read in the same transaction, if there are any.
async fn set(wire: &Wire, target: &Target, value: &Value, by: Deadline) -> Result<Option<Vec<u8>>, Fault> {
    let unfit = |reason| unfit(target, reason);
    let at = target.place.start + target.value.offset;
    if target.place.table == Table::Coil {
        let on = codec::bit(value).map_err(unfit)?;
        return ask(wire, target, Ask::WriteCoil { at, on }, by).await.map(|_| None);
    }
    if target.value.format.kind.is_part() {
        let change = codec::change(value, target.value.format).map_err(unfit)?;
        return change_register(wire, target, at, change, by).await.map(|()| None);
    }
    let registers = codec::encode(value, target.value.format).map_err(unfit)?;
    let question = match (target.write_with, registers.as_slice()) {
        (WriteWith::Auto, [register]) => Ask::WriteRegister { at, register: *register },
        (WriteWith::ReadWrite, registers) => Ask::WriteAndRead { at, registers },
        (_, registers) => Ask::WriteRegisters { at, registers },
    };
    let answer = ask(wire, target, question, by).await?;
    Ok(matches!(question, Ask::WriteAndRead { .. }).then_some(answer))
}

/// With function 22 the device changes the bits itself. Else the register is read, changed and written: a change of
/// another bit by the device in between is lost.
async fn change_register(wire: &Wire, target: &Target, at: u16, change: Change, by: Deadline) -> Result<(), Fault> {
    if target.bits_with == BitsWith::Mask {
        return ask(wire, target, Ask::ChangeRegister { at, change }, by).await.map(drop);
    }
    let answer = ask(wire, target, Ask::Read { table: Table::Holding, start: at, count: 1 }, by).await?;
    let register = change.of(u16::from_be_bytes([answer[0], answer[1]]));
    let question = match target.write_with {
        WriteWith::Auto => Ask::WriteRegister { at, register },
        WriteWith::Multiple | WriteWith::ReadWrite => Ask::WriteRegisters { at, registers: &[register] },
    };
    ask(wire, target, question, by).await.map(drop)
}

async fn ask(wire: &Wire, target: &Target, question: Ask<'_>, by: Deadline) -> Result<Vec<u8>, Fault> {
    wire.ask(target.place.unit, question, by).await.map_err(|failure| exception::of_write(failure, target))
}

fn unfit(target: &Target, reason: String) -> Fault {
    Fault::Point { point: target.point, quality: Quality::BadOutOfRange, reason }
}
