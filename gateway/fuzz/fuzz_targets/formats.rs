//! Any messages through every format, and any text as a template.
#![no_main]

use edgeway_formats::{Format, Item, Payload, Surroundings, check_template, format, table_format};
use edgeway_fuzz::{things, with_known_numbers};
use edgeway_site::FormatSite;
use edgeway_thing_models::{ClockState, GatewayId, Message, MessageId};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};

static AROUND: LazyLock<Surroundings> =
    LazyLock::new(|| Surroundings { things: things(), site: "farm".into(), gateway: "farm-1".into() });

fuzz_target!(|data: &[u8]| {
    let Some((how, bytes)) = data.split_first() else { return };
    if *how == 255 {
        return template(bytes);
    }
    let Ok((messages, _)) = postcard::take_from_bytes::<Vec<Message>>(bytes) else { return };
    let known = messages.into_iter().filter_map(|message| with_known_numbers(message, &AROUND.things));
    let items: Vec<Item> = known.zip(0..).map(|(message, offset)| item(message, offset)).collect();
    if items.is_empty() {
        return;
    }
    let mut format = format_of(*how);
    let _ = (format.will(), format.greeting(1_800_000_000_000));
    if let Ok(payloads) = format.encode(&items) {
        covers(&items, &payloads);
    }
});

fn item(message: Message, offset: u64) -> Item {
    Item {
        message: Arc::new(message),
        id: MessageId { gateway: GatewayId::of("farm-1"), epoch: 1, offset },
        clock: ClockState::Set,
        selected: None,
        late: offset % 5 == 4,
    }
}

fn format_of(how: u8) -> Box<dyn Format> {
    let text = "{{ message | tojson }}".into();
    let site = match how / 2 % 9 {
        0 => FormatSite::Json,
        1 => FormatSite::JsonLines,
        2 => FormatSite::Csv,
        3 => FormatSite::ArrowIpc,
        4 => FormatSite::Protobuf,
        5 => FormatSite::SparkplugB { group: "farms".into(), node: "farm-1".into() },
        6 => FormatSite::Alink { product_keys: Default::default() },
        7 => FormatSite::Template { text, content_type: "application/json".into() },
        _ => return table_format(&AROUND),
    };
    format(&site, if how.is_multiple_of(2) { 1 } else { 100 }, &AROUND)
}

fn covers(items: &[Item], payloads: &[Payload]) {
    let mut next = 0;
    for payload in payloads {
        assert_eq!(payload.items.start, next, "a gap");
        assert!(!payload.items.is_empty(), "a payload of no message");
        next = payload.items.end;
    }
    assert_eq!(next, items.len(), "messages are left out");
}

fn template(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = check_template(text);
    }
}
