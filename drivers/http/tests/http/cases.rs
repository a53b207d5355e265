//! `tests/cases/NAME`: a site and what its server answers (`case.toml`), and what comes of it (`expected.txt`).
//!
//! A case has two keys beside those of a site: `answers`, each with `status`, `headers` and `body`, and `writes`, names with
//! values. `UPDATE_EXPECTED=1` writes `expected.txt` anew.

use crate::bench::{exec, soon};
use crate::peer::{Act, Asked, Peer, reply};
use crate::site::Site;
use edgeway_driver_http::Http;
use edgeway_sdk::{Driver, Fault, Json, Link, Split, Value, WriteOp};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the peer's address is called in cases.
const ENDPOINT: &str = "http://device";

#[tokio::test]
async fn every_case_comes_out_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = std::fs::read_dir(folder).expect("the cases");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("a case").path()).collect();
    cases.sort();
    assert!(cases.len() > 4, "{cases:?}");
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

/// Problems if there are any; otherwise what was asked, answered and read.
async fn run(text: &str) -> String {
    let mut site = Site::read(text);
    let problems = site.problems();
    if !problems.is_empty() {
        return problems.join("\n") + "\n";
    }
    let case: Json = toml::from_str(text).expect("TOML");
    let answers: Vec<Act> = case["answers"].as_array().into_iter().flatten().map(answer).collect();
    let count = answers.len();
    let peer = Peer::start(move |asked| answers.get(asked.nth).cloned().unwrap_or(Act::Silent)).await;
    let endpoint = site.link["endpoint"].as_str().expect("an endpoint").replace(ENDPOINT, &peer.address());
    (site.link["endpoint"], site.link["timeout"]) = (json!(endpoint), json!("2s"));
    let link = Http.open(site.link.clone()).expect("valid");
    link.connect(soon()).await.expect("the peer is there");
    let mut play = Play { link, site, peer, told: 0, lines: vec![] };
    play.read_all().await;
    for write in case["writes"].as_array().into_iter().flatten() {
        play.write(write[0].as_str().expect("a name"), Value::from_json(&write[1])).await;
    }
    assert_eq!(play.told, count, "answers were asked for:\n{}", play.lines.join("\n"));
    (play.lines.join("\n") + "\n").replace(&play.peer.address(), ENDPOINT)
}

fn answer(answer: &Json) -> Act {
    let headers = answer["headers"].as_object().into_iter().flatten();
    let headers: Vec<(&str, &str)> = headers.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    reply(answer["status"].as_str().unwrap_or("200 OK"), &headers, answer["body"].as_str().unwrap_or_default())
}

struct Play {
    link: Arc<dyn Link>,
    site: Site,
    peer: Peer,
    /// How many requests are in `lines`.
    told: usize,
    lines: Vec<String>,
}

impl Play {
    /// Runs every step once.
    async fn read_all(&mut self) {
        let plan = self.link.plan(&self.site.devices, &self.site.points, Split::Nothing).await.expect("valid");
        for step in plan.steps {
            let result = exec(&*self.link, step.id, soon()).await;
            self.tell_wire();
            match result {
                Ok(all) => {
                    let show = |seen: &crate::bench::Seen| {
                        format!("  {} = {} {}", self.site.name(seen.point), seen.value, seen.quality)
                    };
                    let lines: Vec<String> = all.iter().map(show).collect();
                    self.lines.extend(lines);
                }
                Err(Fault::Step(reason)) => self.lines.push(format!("  refused: {reason}")),
                Err(fault) => self.lines.push(format!("  {fault:?}")),
            }
        }
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

    /// Adds what was asked since the last call.
    fn tell_wire(&mut self) {
        let asked = self.peer.asked();
        self.lines.extend(asked.iter().skip(self.told).map(shown));
        self.told = asked.len();
    }
}

fn shown(asked: &Asked) -> String {
    format!("> {} {}", asked.line(), asked.body).trim_end().to_owned()
}
