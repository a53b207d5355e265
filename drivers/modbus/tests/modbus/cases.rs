//! `tests/cases/NAME`: a site and what its device answers (`case.toml`), and what comes of it (`expected.txt`).
//!
//! A case has two keys beside those of a site: `answers`, the unit and PDU of each answer in hexadecimal, and `writes`, names
//! with values. `UPDATE_EXPECTED=1` writes `expected.txt` anew.

use crate::bench::{exec, soon};
use crate::peer::{Act, Peer};
use crate::site::Site;
use edgeway_driver_modbus::Modbus;
use edgeway_sdk::{Driver, Fault, Json, Link, PointSpec, Split, Step, Value, WriteOp};
use serde_json::json;
use std::path::{Path, PathBuf};

#[tokio::test]
async fn every_case_comes_out_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the cases").map(|entry| entry.expect("a case").path()).collect();
    cases.sort();
    assert!(cases.len() > 5, "{cases:?}");
    for case in cases {
        let text = std::fs::read_to_string(case.join("case.toml")).expect("case.toml");
        let found = run(&text).await;
        let expected = case.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &found).expect("expected.txt can be written");
        }
        assert_eq!(found, std::fs::read_to_string(&expected).unwrap_or_default(), "{}", case.display());
    }
}

/// Problems if there are any; otherwise what was planned, sent, received and read.
async fn run(text: &str) -> String {
    let mut site = Site::read(text);
    let problems = site.problems();
    if !problems.is_empty() {
        return problems.iter().map(|problem| format!("{problem}\n")).collect();
    }
    let case: Json = toml::from_str(text).expect("TOML");
    let answers = case["answers"].as_array().cloned().unwrap_or_default();
    let peer = Peer::start(answers.iter().map(|answer| Act::Pdu(bytes(answer.as_str().expect("text"))))).await;
    site.link["endpoint"] = json!(format!("tcp://127.0.0.1:{}", peer.port));
    let mut play = Play { link: Modbus.open(site.link.clone()).expect("valid"), site, peer, told: 0, lines: vec![] };
    play.read_all().await;
    for write in case["writes"].as_array().into_iter().flatten() {
        play.write(write[0].as_str().expect("a name"), Value::from_json(&write[1])).await;
    }
    assert!(
        play.told >= answers.len(),
        "{} of {} answers were asked for:\n{}",
        play.told,
        answers.len(),
        play.lines.join("\n")
    );
    play.lines.iter().map(|line| format!("{line}\n")).collect()
}

struct Play {
    link: std::sync::Arc<dyn Link>,
    site: Site,
    peer: Peer,
    /// How many requests are in `lines`.
    told: usize,
    lines: Vec<String>,
}

impl Play {
    /// Runs every step once and splits those that are refused, as the gateway does.
    async fn read_all(&mut self) {
        let plan = self.link.plan(&self.site.devices, &self.site.points, Split::Nothing).await.expect("valid");
        for (point, reason) in &plan.rejected {
            self.lines.push(format!("{} rejected: {reason}", self.site.name(*point)));
        }
        let mut waiting = plan.steps;
        waiting.reverse();
        while let Some(step) = waiting.pop() {
            let result = exec(&*self.link, step.id, soon()).await;
            self.tell_wire();
            match result {
                Ok(values) => {
                    for (point, value, quality) in values {
                        self.lines.push(format!("  {} = {value} {quality}", self.site.name(point)));
                    }
                }
                Err(Fault::Step(reason)) => {
                    self.lines.push(format!("  refused: {reason}"));
                    waiting.extend(self.split(&step).await.into_iter().rev());
                }
                Err(fault) => self.lines.push(format!("  {fault:?}")),
            }
        }
    }

    async fn split(&self, step: &Step) -> Vec<Step> {
        let points: Vec<PointSpec> =
            self.site.points.iter().filter(|point| step.points.contains(&point.ix)).cloned().collect();
        self.link.plan(&self.site.devices, &points, Split::Step(step)).await.expect("valid").steps
    }

    async fn write(&mut self, name: &str, value: Value) {
        self.lines.push(format!("write {name} {value}"));
        let op = WriteOp { point: self.site.point(name), value };
        let result = self.link.write(&op, soon()).await;
        self.tell_wire();
        self.lines.push(match result {
            Ok(Some(value)) => format!("  {name} = {value}"),
            Ok(None) => "  not read back".into(),
            Err(fault) => format!("  {fault:?}"),
        });
    }

    /// Adds what went over the wire since the last call.
    fn tell_wire(&mut self) {
        let (requests, answers) = (self.peer.requests(), self.peer.answers());
        assert_eq!(requests.len(), answers.len());
        for (request, answer) in requests.iter().zip(&answers).skip(self.told) {
            self.lines.push(format!("> {}", hex(request)));
            self.lines.push(format!("< {}", hex(answer)));
        }
        self.told = requests.len();
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal")).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
