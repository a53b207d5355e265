//! What answers at an address.

use super::browse;
use crate::config::{LinkOptions, joined};
use crate::plan;
use crate::wire::{Answer, Question, Wire};
use edgeway_sdk::{Deadline, Discovered, Fault, Json};
use reqwest::header::SERVER;
use serde_json::json;
use tokio::sync::mpsc;

/// Asks the address, and for a description of the thing behind it. The hint is the options of a link.
pub(super) async fn run(hint: Json, found: &mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
    let options = match LinkOptions::parse(&hint).map_err(|problems| plan::wrong(&problems))? {
        LinkOptions::Client(options) => options,
        LinkOptions::Hooks(_) => return Err(Fault::Unsupported("discovery of devices that send")),
    };
    let wire = Wire::new((*options).clone());
    wire.connect(by).await.map_err(|failure| failure.of_read())?;
    let url = joined(&options.base, &[]);
    let answer = wire.ask(&Question::get(&url, &options.headers), by).await.map_err(|failure| failure.of_read())?;
    let thing = browse::describe(&wire, &options.base, &options.headers, by).await;
    let mut identity = said(&answer);
    identity.extend(thing.iter().flat_map(|thing| thing.identity()));
    // Nobody may listen any more.
    let _ = found.send(Discovered { identity, ..Discovered::new(json!({})) }).await;
    wire.close();
    Ok(())
}

fn said(answer: &Answer) -> Vec<(String, String)> {
    let server = answer.headers.get(SERVER).and_then(|server| server.to_str().ok());
    let said = [("status", Some(answer.status.as_str())), ("server", server), ("type", answer.media_type())];
    said.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned()))).collect()
}
