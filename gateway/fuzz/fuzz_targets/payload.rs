//! Any bytes as a payload in every format, read at any place, and any place as one.
#![no_main]

use arbitrary::Arbitrary;
use edgeway_payload::{Document, Format, Kind, Mapping, Options, Order, TimeUnit};
use edgeway_sdk::{Access, Timestamp, Value};
use libfuzzer_sys::fuzz_target;

const FORMATS: [Format; 6] =
    [Format::Json, Format::Cbor, Format::SenmlJson, Format::SenmlCbor, Format::Text, Format::Binary];
const KINDS: [Kind; 10] = [
    Kind::Auto,
    Kind::Number,
    Kind::Bool,
    Kind::Text,
    Kind::Array,
    Kind::Bit,
    Kind::I24,
    Kind::U64,
    Kind::F32,
    Kind::String,
];

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    format: u8,
    kind: u8,
    little: bool,
    length: Option<u32>,
    at: Option<&'a str>,
    time: Option<&'a str>,
    quality: Option<&'a str>,
    words: Vec<&'a str>,
    payload: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let format = FORMATS[usize::from(input.format) % FORMATS.len()];
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let options = Options {
        at: owned(input.at),
        format,
        kind: KINDS[usize::from(input.kind) % KINDS.len()],
        order: input.little.then_some(Order::Little),
        length: input.length,
        map: input.words.iter().zip(0_i64..).map(|(word, number)| ((*word).to_owned(), number.into())).collect(),
        time: owned(input.time),
        time_unit: if input.time.is_some() { TimeUnit::Ms } else { TimeUnit::default() },
        quality: owned(input.quality),
        payload: None,
    };
    let mut problems = vec![];
    let mapping = Mapping::new(&options, Access::ReadWrite, &mut problems);
    assert_eq!(mapping.is_none(), !problems.is_empty(), "a mistake is told, and only a mistake");
    let Ok(document) = Document::parse(format, input.payload, Timestamp::from_secs(1_800_000_000)) else { return };
    let _ = document.points();
    let Some(mapping) = mapping else { return };
    mapping.read_all(&document, |reading| {
        assert_eq!(reading.quality.is_bad(), reading.value == Value::Null, "a bad value is none");
        if !reading.quality.is_bad() {
            comes_back(&mapping, format, &reading.value);
        }
    });
});

/// What can be read can be written, and is then the same.
fn comes_back(mapping: &Mapping, format: Format, value: &Value) {
    // A text stands for itself only as long as it is not written like a number, or with spaces around it.
    if format == Format::Text {
        return;
    }
    let Ok(payload) = mapping.encode(value) else { return };
    let document = Document::parse(format, &payload, Timestamp::EPOCH).expect("our own payload");
    if let Some(again) = mapping.read(&document) {
        if !again.quality.is_bad() {
            assert_eq!(&again.value, value);
        }
    }
}
