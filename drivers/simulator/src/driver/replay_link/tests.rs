use super::*;
use crate::Simulator;
use crate::driver::heard::Heard;
use edgeway_sdk::{Access, Driver, Json};
use serde_json::json;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const TEXT: &str = "time,device,power\n1000,a,1\n2000,b,2\n4000,a,3\n5000,b,broken\n";

fn by() -> Deadline {
    Instant::now() + 60 * SECOND
}

fn point(ix: u32, device: u32, at: &str) -> PointSpec {
    let options: Json = json!({"at": at, "type": "number"});
    let (ix, device) = (PointIx(ix), DeviceIx(device));
    PointSpec { ix, device, options: options.into(), access: Access::Read, period: SECOND }
}

fn devices(options: [Json; 2]) -> Vec<DeviceSpec> {
    (0..).map(DeviceIx).zip(options).map(|(ix, options)| DeviceSpec { ix, options }).collect()
}

/// A link that plays a file with this text; the folder must outlive it.
async fn open(text: Option<&str>, speed: f64, more: Json) -> (tempfile::TempDir, Arc<dyn Link>) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("recording.csv");
    if let Some(text) = text {
        std::fs::write(&file, text).expect("written");
    }
    let mut replay = more;
    replay["file"] = file.to_str().expect("UTF-8").into();
    replay["device"] = "device".into();
    let link = Simulator.open(json!({"speed": speed, "replay": replay})).expect("valid options");
    let devices = devices([json!({"replays": "a"}), json!({"replays": "b"})]);
    let points = [point(0, 0, "column:power"), point(1, 1, "column:power")];
    let plan = link.plan(&devices, &points, Split::Nothing).await.expect("a plan");
    assert_eq!((plan.watched.len(), plan.steps.len(), plan.rejected), (2, 0, vec![]));
    (folder, link)
}

async fn play(speed: f64, more: Json, time: Duration) -> Arc<Heard> {
    let (_folder, link) = open(Some(TEXT), speed, more).await;
    link.connect(by()).await.expect("the file is there");
    let heard = Arc::new(Heard::default());
    link.watch(heard.clone(), by()).await.expect("it can watch");
    tokio::time::sleep(time).await;
    link.close(by()).await;
    heard
}

#[tokio::test(start_paused = true)]
async fn rows_are_told_when_they_are_due_and_at_the_end_the_devices_are_gone() {
    let heard = play(1.0, json!({}), Duration::from_millis(3500)).await;
    assert_eq!(heard.words(), ["0 = 1", "1 = bad", "1 = 2", "0 = 3"]);
    let heard = play(2.0, json!({}), 3 * SECOND).await;
    let all = ["0 = 1", "1 = bad", "1 = 2", "0 = 3", "1 = bad", "device 0 gone", "device 1 gone"];
    assert_eq!(heard.words(), all, "twice as fast");
}

#[tokio::test(start_paused = true)]
async fn original_times_are_kept_whatever_the_speed() {
    let heard = play(10.0, json!({"times": "original"}), SECOND).await;
    let times: Vec<i64> = heard.times()[2..5].iter().map(|time| time.as_millis()).collect();
    assert_eq!(times, [2000, 4000, 5000]);
}

#[tokio::test(start_paused = true)]
async fn shifted_times_begin_now_and_keep_their_distance() {
    let before = Timestamp::now();
    let heard = play(1.0, json!({}), 4500 * Duration::from_millis(1)).await;
    let times = heard.times();
    assert!(times[0] >= before && times[0] <= Timestamp::now());
    assert_eq!(times[3].since(times[0]), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_recording_goes_on() {
    let heard = play(1.0, json!({"at_end": "repeat"}), 11 * SECOND).await;
    let of_a = heard.words().into_iter().filter(|word| word.starts_with("0 =")).collect::<Vec<_>>();
    assert_eq!(of_a, ["0 = 1", "0 = 3", "0 = 1", "0 = 3", "0 = 1"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_listens_anew_hears_the_present_values_first() {
    let (_folder, link) = open(Some(TEXT), 1.0, json!({})).await;
    link.connect(by()).await.expect("the file is there");
    tokio::time::advance(Duration::from_millis(3500)).await;
    let heard = Arc::new(Heard::default());
    link.connect(by()).await.expect("it is there still");
    link.watch(heard.clone(), by()).await.expect("it can watch");
    tokio::time::sleep(SECOND).await;
    assert_eq!(heard.words()[..3], ["0 = 3", "1 = 2", "1 = bad"]);
}

#[tokio::test(start_paused = true)]
async fn mistakes_of_the_file_are_said_of_the_link() {
    let (_folder, link) = open(Some(TEXT), 1.0, json!({})).await;
    let identity = link.connect(by()).await.expect("the file is there").identity;
    let about = |name: &str| identity.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    assert_eq!((about("rows"), about("from")), (Some("4"), Some("1970-01-01T00:00:01.000Z")));
    assert_eq!(about("mistakes"), Some("line 5: `power` is `broken`, which is no number"));
    assert_eq!(link.health()[..2], [("rows_left_out".into(), 0), ("cells_unusable".into(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_not_there_is_tried_again_and_one_that_does_not_fit_is_not() {
    let (folder, link) = open(None, 1.0, json!({})).await;
    assert!(matches!(link.connect(by()).await, Err(Fault::Link(_))));
    std::fs::write(folder.path().join("recording.csv"), TEXT).expect("written");
    assert!(link.connect(by()).await.is_ok());
    let (_folder, link) = open(Some("time,device,watts\n"), 1.0, json!({})).await;
    let Err(Fault::Config(reason)) = link.connect(by()).await else { panic!("there is no column `power`") };
    assert!(reason.ends_with("there is no column `power` (one of `time`, `device`, `watts`)"), "{reason}");
}

#[tokio::test]
async fn points_and_devices_that_do_not_fit_are_rejected() {
    let link = Simulator.open(json!({"replay": {"file": "a.csv", "device": "who"}})).expect("valid options");
    let points = [point(0, 0, "column:power"), point(1, 1, "sine"), point(2, 1, "column:power")];
    let points = points.map(|point| {
        let mut options = (*point.options).clone();
        if options["at"] == "sine" {
            options = json!({"at": "sine"});
        }
        PointSpec { options: options.into(), ..point }
    });
    let plan =
        link.plan(&devices([json!({}), json!({"replays": "b"})]), &points, Split::Nothing).await.expect("a plan");
    assert_eq!(plan.watched, [PointIx(2)]);
    let reasons: Vec<&str> = plan.rejected.iter().map(|(_, reason)| reason.as_str()).collect();
    let expected = [
        "the device needs `replays`: the text that its rows have in `who`",
        "a link with `replay` has columns alone, at = \"column:NAME\"",
    ];
    assert_eq!(reasons, expected);
}
