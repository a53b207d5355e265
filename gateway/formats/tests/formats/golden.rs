//! `golden/FORMAT/KIND.txt` is what a format makes of the messages of a kind.
//!
//! `EDGEWAY_BLESS=1 cargo test -p edgeway-formats` writes what is made now; read the difference before it is committed.

use crate::printed::printed;
use crate::sample::{around, kinds};
use edgeway_formats::{Format, Item, format, table_format};
use edgeway_site::FormatSite;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// All formats, by the names of their folders. Each file is made by a format that has said nothing before.
type Made = fn() -> Box<dyn Format>;

pub(crate) const FORMATS: [(&str, Made); 10] = [
    ("json", || format(&FormatSite::Json, 100, &around())),
    ("json-alone", || format(&FormatSite::Json, 1, &around())),
    ("json-lines", || format(&FormatSite::JsonLines, 100, &around())),
    ("csv", || format(&FormatSite::Csv, 100, &around())),
    ("arrow", || format(&FormatSite::ArrowIpc, 100, &around())),
    ("table", || table_format(&around())),
    ("protobuf", || format(&FormatSite::Protobuf, 100, &around())),
    ("sparkplug-b", || format(&sparkplug(), 100, &around())),
    ("alink", || format(&alink(), 100, &around())),
    ("template", || format(&template(), 100, &around())),
];

pub(crate) fn sparkplug() -> FormatSite {
    FormatSite::SparkplugB { group: "Water".into(), node: "Works 1".into() }
}

pub(crate) fn alink() -> FormatSite {
    FormatSite::Alink { product_keys: BTreeMap::from([("big-pump".into(), "a1pump".into())]) }
}

pub(crate) fn template() -> FormatSite {
    let text = "{{ message.subject }} at {{ message.time }}\n{% for name, seen in message.values|default({})|items %}\
                {{ name }}={{ seen|tojson }}\n{% endfor %}";
    FormatSite::Template { text: text.into(), content_type: "text/plain".into() }
}

fn folder(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/golden").join(format)
}

/// The payloads of messages, or why there are none.
fn made(format: &mut dyn Format, items: &[Item]) -> String {
    match format.encode(items) {
        Ok(payloads) => payloads.iter().map(printed).collect(),
        Err(unfit) => format!("-- message {} is unfit: {unfit}\n", unfit.item),
    }
}

#[test]
fn every_format_says_every_kind_exactly_as_before() {
    let bless = std::env::var_os("EDGEWAY_BLESS").is_some();
    let mut wrong = vec![];
    for (name, format) in FORMATS {
        std::fs::create_dir_all(folder(name)).unwrap();
        for (kind, items) in kinds() {
            let found = made(&mut *format(), &items);
            let file = folder(name).join(format!("{kind}.txt"));
            if bless {
                std::fs::write(&file, &found).unwrap();
            }
            let wanted = std::fs::read_to_string(&file).unwrap_or_default();
            if found != wanted {
                wrong.push(format!("== {}\n-- expected\n{wanted}-- found\n{found}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
