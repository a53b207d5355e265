//! Readers of other makes: protoc, Python's protobuf, pysparkplug, pyarrow.

use crate::anything::items;
use crate::golden::{self, FORMATS};
use crate::sample;
use crate::{bytes, encoded, gathering, sparkplug};
use edgeway_formats::{Format, Item};
use edgeway_site::FormatSite;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Messages that a second reader compares, made the same way in each run.
const MESSAGES: usize = 2000;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program's output for this input; its complaints fail the test.
fn run(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program is installed");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // A program that fails may close its input early; how it ended says more.
    let written = writer.join().unwrap();
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
    written.unwrap();
    output.stdout
}

fn python(script: &str, arguments: &[&Path], input: &[u8]) -> String {
    let mut command = Command::new(package().join("../../.venv/bin/python"));
    command.arg(package().join("tests/formats/peers").join(script)).args(arguments);
    String::from_utf8(run(&mut command, input)).unwrap()
}

fn compare(file: &str, found: &str) {
    let file: PathBuf = package().join("tests/formats/golden").join(file);
    if std::env::var_os("EDGEWAY_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, found).unwrap();
    }
    let wanted = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == wanted, "== {}\n-- expected\n{wanted}\n-- found\n{found}", file.display());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn protoc(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    run(Command::new("protoc").arg("--proto_path").arg(package()).args(arguments).arg("edgeway.proto"), input)
}

#[test]
fn protoc_reads_every_kind_by_the_published_schema() {
    for (kind, items) in sample::kinds() {
        let payloads = encoded(&mut *gathering(&FormatSite::Protobuf), &items);
        let text = protoc(&["--decode=edgeway.v1.Batch"], bytes(&payloads[0]));
        compare(&format!("protobuf-decoded/{kind}.txt"), std::str::from_utf8(&text).unwrap());
    }
}

/// Any messages, a few thousand of them, always the same.
fn any_items() -> Vec<Item> {
    let mut runner = TestRunner::deterministic();
    let mut all = vec![];
    while all.len() < MESSAGES {
        all.extend(items().new_tree(&mut runner).unwrap().current());
    }
    all
}

#[test]
fn protobuf_tells_a_second_reader_everything_that_json_does() {
    let folder = tempfile::tempdir().unwrap();
    protoc(&[&format!("--python_out={}", folder.path().display())], b"");
    let items = any_items();
    let (mut protobuf, mut json) = (gathering(&FormatSite::Protobuf), gathering(&FormatSite::JsonLines));
    let lines = items.iter().map(|item| {
        let say = |format: &mut dyn Format| bytes(&encoded(format, std::slice::from_ref(item))[0]).to_vec();
        let (binary, text) = (say(&mut *protobuf), say(&mut *json));
        format!("{} {}\n", hex(&binary), std::str::from_utf8(&text).unwrap().trim_end())
    });
    let said = python("protobuf_as_json.py", &[folder.path()], lines.collect::<String>().as_bytes());
    assert_eq!(said, format!("{} messages are the same\n", items.len()));
}

#[test]
fn pysparkplug_reads_a_session() {
    let mut format = gathering(&golden::sparkplug());
    let will = format.will();
    let mut said: Vec<(String, Vec<u8>)> = will.into_iter().map(|(topic, bytes)| (topic, bytes.to_vec())).collect();
    said.extend(format.greeting(1_795_424_400_000).into_iter().map(|(topic, bytes)| (topic, bytes.to_vec())));
    for (_, item) in sparkplug::messages() {
        let payloads = encoded(&mut *format, &[item]);
        said.extend(payloads.iter().map(|payload| (payload.topic.clone().unwrap(), bytes(payload).to_vec())));
    }
    said.extend(format.greeting(1_795_424_500_000).into_iter().map(|(topic, bytes)| (topic, bytes.to_vec())));
    let lines: String = said.iter().map(|(topic, bytes)| format!("{topic}\t{}\n", hex(bytes))).collect();
    compare("sparkplug-b-decoded.txt", &python("sparkplug_session.py", &[], lines.as_bytes()));
}

#[test]
fn pyarrow_reads_every_kind() {
    let (_, arrow) = FORMATS.into_iter().find(|(name, _)| *name == "arrow").unwrap();
    let mut found = String::new();
    for (kind, items) in sample::kinds() {
        for payload in encoded(&mut *arrow(), &items) {
            found += &format!("== {kind}\n{}", python("arrow_table.py", &[], bytes(&payload)));
        }
    }
    compare("arrow-decoded.txt", &found);
}
