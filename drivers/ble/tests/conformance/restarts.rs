//! bluetoothd is killed and started again, 20 times.

use super::bench::{Bench, soon};
use super::{ALONE, wait_for, with_devices};
use serde_json::json;
use tokio::runtime::Handle;

const TIMES: usize = 20;

/// What the process holds. Tasks are those of this test alone.
#[derive(Debug, PartialEq)]
struct Held {
    tasks: usize,
    files: usize,
    threads: usize,
}

fn held() -> Held {
    let count = |folder: &str| std::fs::read_dir(folder).expect("Linux").count();
    let tasks = Handle::current().metrics().num_alive_tasks();
    Held { tasks, files: count("/proc/self/fd"), threads: count("/proc/self/task") }
}

#[tokio::test]
async fn after_each_restart_of_bluez_everything_goes_on_and_nothing_grows() {
    let _alone = ALONE.lock().await;
    let mut bluez = with_devices().await;
    let devices = [json!({ "address": "A4:C1:38:00:11:22" }), json!({ "address": "A4:C1:38:00:11:33" })];
    let points = vec![
        (1, json!({ "at": "bthome:humidity" })),
        (0, json!({ "at": "gatt:ffe0/ffe4", "type": "u8", "watch": "notify" })),
        (0, json!({ "at": "gatt:181a/2a6e", "type": "i16" })),
    ];
    let bench = Bench::of(&bluez, json!({}), &devices, points).await;
    let mut before = None;
    for time in 0..=TIMES {
        bench.come_back().await;
        bench.heard.wait("device 0 back").await;
        bench.heard.wait("0 = 50.55").await;
        assert_eq!(bench.exec(0).await.unwrap(), ["2 = 2294"], "restart {time}");
        assert_eq!(
            bluez.ask(json!({ "do": "notify", "address": "A4:C1:38:00:11:22", "uuid": "ffe4", "value": "08" })).await,
            "told"
        );
        bench.heard.wait("1 = 8").await;
        let seen = (held(), bluez.stat("clients").await, bluez.stat("connected").await);
        assert_eq!(*before.get_or_insert_with(|| (held(), seen.1, seen.2)), seen, "restart {time}");
        bluez.kill().await;
        bench.heard.wait("lost: BlueZ has ended").await;
        bluez.resume().await;
        bench.heard.take();
    }
    bench.link.close(soon()).await;
    drop(bench);
    wait_for("the link to let go of everything", async || (bluez.stat("clients").await == 2).then_some(())).await;
}
