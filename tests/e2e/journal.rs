//! `edgeway journal`: what is on disk can be looked at, whether the gateway runs or not, and damage is told.

use harness::{Gateway, edgeway, free_port, wait_for};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let init = edgeway(&["init", text(folder.path())]);
    assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
    let config = format!("name = \"plant\"\n[api]\nlisten = \"127.0.0.1:{}\"\n", free_port());
    std::fs::write(folder.path().join("edgeway.toml"), config).expect("our own folder");
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// `edgeway journal WHAT SITE ...`
fn journal(what: &str, site: &Path, more: &[&str]) -> Output {
    edgeway(&[&["journal", what, text(site)], more].concat())
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// A gateway that has written at least so many messages and was stopped.
fn stopped_after(messages: usize) -> tempfile::TempDir {
    let site = site();
    let gateway = Gateway::run(site.path());
    wait_for("messages on disk", SOON, || (lines(&journal("dump", site.path(), &[])).len() >= messages).then_some(()));
    assert_eq!(gateway.stop(), 0);
    site
}

fn segment(site: &Path, class: &str) -> PathBuf {
    let files = std::fs::read_dir(site.join("data/journal").join(class)).expect("a folder for each class");
    let mut segments: Vec<PathBuf> = files.map(|file| file.expect("readable").path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "seg"));
    segments.pop().expect("a segment")
}

#[test]
fn messages_can_be_read_while_the_gateway_runs_and_after_it_has_stopped() {
    let site = site();
    let gateway = Gateway::run(site.path());
    let chosen = || lines(&journal("dump", site.path(), &["--subject", "status/#", "--count", "2"]));
    let found = wait_for("two status messages", SOON, || Some(chosen()).filter(|lines| lines.len() == 2));
    assert!(found.iter().all(|line| line["subject"].as_str().expect("a subject").starts_with("status/")));
    assert_eq!(journal("verify", site.path(), &[]).status.code(), Some(0));
    assert_eq!(gateway.stop(), 0);

    let all = lines(&journal("dump", site.path(), &[]));
    let file = site.path().join("out.jsonl");
    let export = journal("export", site.path(), &["--file", text(&file)]);
    assert_eq!(export.status.code(), Some(0), "{}", String::from_utf8_lossy(&export.stderr));
    let exported = std::fs::read_to_string(&file).expect("written");
    assert_eq!(exported.lines().count(), all.len());
    let again = journal("export", site.path(), &["--file", text(&file)]);
    assert_eq!(again.status.code(), Some(1), "a file that is there is left alone");
}

#[test]
fn damaged_bytes_are_found_with_their_file_and_cost_neither_the_rest_nor_a_start() {
    let site = stopped_after(30);
    let before = lines(&journal("dump", site.path(), &[])).len();
    let path = segment(site.path(), "normal");
    let mut bytes = std::fs::read(&path).expect("a segment");
    // Frames lie behind the header; a hundred bytes are a frame or two.
    let middle = bytes.len() - bytes.len().min(1500) / 2;
    bytes[middle..middle + 100].fill(0xA5);
    std::fs::write(&path, bytes).expect("our own file");

    let verify = journal("verify", site.path(), &[]);
    let said = String::from_utf8_lossy(&verify.stdout);
    assert_eq!(verify.status.code(), Some(1), "{said}");
    assert!(said.contains(text(path.file_name().map(Path::new).expect("a name"))), "{said}");
    let dump = journal("dump", site.path(), &[]);
    assert_eq!(dump.status.code(), Some(1), "what is lost is told");
    let after = lines(&dump).len();
    assert!(after < before && after + 20 > before, "{before} messages before, {after} after");

    let gateway = Gateway::run(site.path());
    wait_for("new messages", SOON, || (lines(&journal("dump", site.path(), &[])).len() > before).then_some(()));
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn a_folder_without_a_journal_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = journal("stat", folder.path(), &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("there is no journal in"), "{said}");
}

/// `edgeway sql` about all reports of turbines: how many there are, and how many places in the journal they have.
fn reports(site: &Path) -> i64 {
    let statement = "SELECT count(*) AS n, sum(active_power) AS p FROM wind_turbine";
    let answer = edgeway(&["sql", statement, "--site", text(site), "--output", "json"]);
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    lines(&answer)[0]["n"].as_i64().expect("a number")
}

#[test]
fn questions_about_the_past_are_answered_from_parquet_files_too() {
    let site = site();
    let routes = "[target.cold]\nkind = \"parquet\"\npath = \"../cold\"\nage = \"1s\"\n\n\
                  [[route]]\nname = \"cold\"\nsubjects = [\"property/#\"]\ntarget = \"cold\"\nfrom = \"start\"\n";
    std::fs::write(site.path().join("routes.toml"), routes).expect("our own folder");
    let run = |more_than: i64| {
        let gateway = Gateway::run(site.path());
        wait_for("reports", SOON, || (reports(site.path()) > more_than).then_some(()));
        assert_eq!(gateway.stop(), 0);
        reports(site.path())
    };
    let both = run(10);
    assert!(site.path().join("cold/kind=property").is_dir(), "what is gathered is completed at a stop");
    std::fs::remove_dir_all(site.path().join("data")).expect("our own folder");
    let with_files = run(both);
    let day = "cold/kind=property/model=wind_turbine/day=2000-01-01";
    let damaged = site.path().join(day).join(format!("cold-{:032x}.parquet", 1));
    std::fs::create_dir_all(site.path().join(day)).expect("our own folder");
    std::fs::write(&damaged, "no Parquet").expect("our own folder");
    let told = edgeway(&["sql", "SELECT device FROM wind_turbine", "--site", text(site.path())]);
    assert_eq!(told.status.code(), Some(1), "a file that cannot be read is a finding");
    assert!(String::from_utf8_lossy(&told.stderr).contains(text(&damaged).rsplit('/').next().expect("a name")));
    std::fs::remove_dir_all(site.path().join("cold")).expect("our own folder");
    let journal_alone = reports(site.path());
    // What is in both counts once. What was measured last may not have been written when the gateway stopped.
    let missing = both + journal_alone - with_files;
    assert!((0..=2).contains(&missing), "{both} before, {journal_alone} since, {with_files} together");
}
