//! Standard output, of a process of its own: this test binary, started again.

use crate::peer::{Arrived, message};
use crate::route::Route;
use edgeway_site::TargetKind;
use edgeway_targets::TargetError;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// How many lines the child writes. More than a pipe holds, so that it has to wait for its reader.
const LINES: u64 = 2_000;

/// Starts the test below as the child.
fn child() -> Child {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", "stdout::the_child_that_writes", "--ignored", "--nocapture"]);
    command.stdout(Stdio::piped()).spawn().expect("this program can be started")
}

#[tokio::test]
#[ignore = "only as a child of the tests below"]
async fn the_child_that_writes() {
    let mut route = Route::new(TargetKind::Stdout);
    route.send([]).await;
    let done = route.target.send((0..LINES).map(|n| message(n, 300)).collect()).await;
    let is_denied = matches!(done, Err(TargetError::Denied(_)));
    assert!(is_denied || done.is_ok_and(|outcomes| outcomes.len() as u64 == LINES));
    // Nobody may be left to read what the test harness says in the end.
    std::process::exit(if is_denied { 3 } else { 0 });
}

#[test]
fn every_message_is_a_line_in_order() {
    let mut child = child();
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let lines = out.lines().map(|line| line.expect("text")).filter(|line| line.starts_with('{'));
    let numbers: Vec<_> = lines.map(|line| Arrived::read(line.as_bytes(), None).n).collect();
    assert_eq!(numbers, (0..LINES).collect::<Vec<_>>());
    assert_eq!(child.wait().expect("our child").code(), Some(0));
}

#[test]
fn a_reader_that_leaves_is_noticed() {
    let mut child = child();
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !line.starts_with('{') {
        line.clear();
        out.read_line(&mut line).expect("text");
    }
    drop(out);
    assert_eq!(child.wait().expect("our child").code(), Some(3));
}
