//! Messages in, payloads out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod alink;
mod anything;
mod golden;
mod json;
#[cfg(feature = "peers")]
mod peers;
mod presets;
mod printed;
mod sample;
mod sparkplug;
mod tables;
mod template;
mod wire;

use edgeway_formats::{Content, Format, Item, Payload, format};
use edgeway_site::FormatSite;

/// The format that a site asks for, for payloads of several messages.
fn gathering(site: &FormatSite) -> Box<dyn Format> {
    format(site, 100, &sample::around())
}

/// The payloads of messages that the format can say.
fn encoded(format: &mut dyn Format, items: &[Item]) -> Vec<Payload> {
    format.encode(items).unwrap_or_else(|unfit| panic!("message {}: {}", unfit.item, unfit.reason))
}

/// Why the format cannot say a message.
fn refused(format: &mut dyn Format, item: &Item) -> String {
    format.encode(std::slice::from_ref(item)).expect_err("refused").reason
}

/// The bytes of a payload.
fn bytes(payload: &Payload) -> &[u8] {
    match &payload.content {
        Content::Bytes(bytes, _) => bytes,
        Content::Table(table) => panic!("a table, {}", table.name),
    }
}

/// The text of a payload.
fn text(payload: &Payload) -> &str {
    std::str::from_utf8(bytes(payload)).unwrap()
}
