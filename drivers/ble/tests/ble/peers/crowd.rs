//! 10,000 advertisements a second of strangers, and one device of our own among them.

use super::bench::{Bench, SENSOR};
use super::gatt::with_thermometer;
use super::wait_for;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const RATE: u64 = 10_000;
const SECONDS: u64 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_crowd_of_strangers_costs_little_and_hides_nobody() {
    crowd(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn so_does_one_in_which_everybody_is_new() {
    crowd(true).await;
}

async fn crowd(is_new: bool) {
    let mut bluez = with_thermometer(SENSOR).await;
    let bench = Bench::new(&bluez, &[json!({ "at": "rssi" })]).await;
    bench.begin().await;
    bench.heard.wait("0 = -60").await;
    let (memory, used, began) = (resident_kib(), processor_time(), Instant::now());
    bluez.ask(json!({ "do": "flood", "rate": RATE, "seconds": SECONDS, "new": is_new })).await;
    let wanted = RATE * SECONDS;
    let mut most = 0;
    wait_for("the crowd to be over", async || {
        most = most.max(resident_kib());
        (bench.counted("strangers") >= wanted).then_some(())
    })
    .await;
    let used = processor_time() - used;
    println!(
        "{wanted} strangers in {:?}, {used:?} of a processor, {} KiB more",
        began.elapsed(),
        most.saturating_sub(memory)
    );
    assert_eq!(bench.counted("strangers"), wanted, "all were heard, none twice");
    assert!(most < memory + 32 * 1024, "{memory} KiB before, {most} KiB at most");
    bench.heard.take();
    sleep(Duration::from_millis(1)).await;
    bench.heard.wait("0 = -60").await;
    assert!(bench.counted("advertisements") > 10, "its own device was heard in between");
}

/// Of this process, in user and system mode; other tests at the same time count too.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    // Fields 14 and 15 of proc(5), in hundredths of a second; the first two are before the name's end.
    let ticks =
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().expect("a number")).sum::<u64>();
    Duration::from_millis(10 * ticks)
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("the resident set");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}
