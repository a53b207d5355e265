//! Which units there are, and what each says of itself.

use crate::config::{LinkOptions, Table};
use crate::pdu::{self, Ask};
use crate::plan;
use crate::wire::{Failure, Wire};
use edgeway_sdk::{Deadline, Discovered, Fault, Json, Problem};
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Most units answer far sooner, and 247 of them are asked.
const TIMEOUT: &str = "300ms";
const UNITS: std::ops::RangeInclusive<i64> = 1..=247;
/// How long the identity of one unit may take: it comes in pages.
const IDENTITY_WITHIN: Duration = Duration::from_secs(5);
/// The objects of a basic identity (MODBUS Application Protocol V1.1b3, 6.21).
const OBJECTS: [&str; 3] = ["vendor", "product", "revision"];

/// Asks one unit after the other. The hint is the options of a link, and `units`, the first and the last to ask.
pub(super) async fn run(hint: Json, found: &mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
    let (options, units) = read(hint)?;
    let wire = Wire::new(&options);
    wire.connect(by).await?;
    for unit in units {
        if Instant::now() >= by || found.is_closed() {
            break;
        }
        let Some(identity) = identity(&wire, unit, by.min(Instant::now() + IDENTITY_WITHIN)).await? else { continue };
        // If nobody listens any more, the loop ends above.
        let _ = found.send(Discovered { identity, ..Discovered::new(json!({ "unit": unit })) }).await;
    }
    wire.close().await;
    Ok(())
}

fn read(mut hint: Json) -> Result<(LinkOptions, std::ops::RangeInclusive<u8>), Fault> {
    let wrong = |problem: Problem| plan::wrong(&[problem]);
    let table = hint.as_object_mut().ok_or_else(|| wrong(Problem::new("the hint is no table of options")))?;
    let units = table.remove("units").unwrap_or(json!([UNITS.start(), UNITS.end()]));
    table.entry("timeout").or_insert(json!(TIMEOUT));
    let unit = |at: usize| units[at].as_i64().filter(|unit| UNITS.contains(unit)).and_then(|n| u8::try_from(n).ok());
    let range = unit(0).zip(unit(1)).filter(|(first, last)| first <= last);
    let (first, last) = range.ok_or_else(|| {
        wrong(Problem::key("units", format!("{units} is not the first and the last unit")).help("`[1, 247]`"))
    })?;
    let options = LinkOptions::parse(&hint).map_err(|problems| plan::wrong(&problems))?;
    Ok((options, first..=last))
}

/// What a unit says of itself; `None` if nobody answers.
async fn identity(wire: &Wire, unit: u8, by: Deadline) -> Result<Option<Vec<(String, String)>>, Fault> {
    if !is_there(wire, unit, by).await? {
        return Ok(None);
    }
    let mut all = vec![];
    let mut first = 0;
    // A unit that knows no identities refuses, says nothing, or hangs up.
    while let Ok(page) = wire.ask(unit, Ask::Identify { first }, by).await {
        let (objects, next) = pdu::identity(&page);
        all.extend(objects);
        match next {
            Some(next) if next > first => first = next,
            _ => break,
        }
    }
    Ok(Some(named(all)))
}

/// Asks for a register, which every unit answers somehow. Many do not answer at all to a function that they do not know,
/// and some on a serial line take its end for the beginning of the next question.
async fn is_there(wire: &Wire, unit: u8, by: Deadline) -> Result<bool, Fault> {
    match wire.ask(unit, Ask::Read { table: Table::Holding, start: 0, count: 1 }, by).await {
        // Behind a gateway, these two say that nobody is there.
        Err(Failure::Exception(10 | 11)) => Ok(false),
        Ok(_) | Err(Failure::Exception(_)) => Ok(true),
        Err(Failure::Fault(fault @ Fault::Link(_))) => Err(fault),
        Err(Failure::Fault(_)) => Ok(false),
    }
}

fn named(objects: Vec<(u8, String)>) -> Vec<(String, String)> {
    let name = |number: u8| OBJECTS.get(usize::from(number)).map_or(format!("object {number}"), |name| (*name).into());
    objects.into_iter().map(|(number, text)| (name(number), text)).collect()
}
