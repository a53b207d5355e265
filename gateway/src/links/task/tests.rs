//! A link's task over a wire that a test holds in its hand, in virtual time.

use super::*;
use edgeway_sdk::{Access, LinkInfo, Plan, Step, StepIx, Value};
use edgeway_site::{JournalOptions, Reporting};
use edgeway_thing_models::{Device, Observation, PointBinding, PropertyIx, ready_made};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

const DEVICE: DeviceIx = DeviceIx(0);
const POINT: PointIx = PointIx(0);
const POLL: Duration = Duration::from_secs(1);
const STALE_AFTER: Duration = Duration::from_secs(3);

/// A wire with one device and one point.
struct Wire {
    value: Mutex<Result<f64, Fault>>,
    /// What the device says instead of the value.
    instead: Mutex<Option<Batch>>,
    way: Way,
}

/// How the value gets here.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Polled,
    /// Polled, each answer after a while, beside a question that is never answered.
    BesideOneThatHangs,
    /// It is told when the gateway begins to watch, after these.
    Told(&'static [f64]),
}

#[async_trait]
impl Link for Wire {
    async fn plan(&self, _: &[DeviceSpec], _: &[PointSpec], _: Split<'_>) -> Result<Plan, Fault> {
        if let Way::Told(_) = self.way {
            return Ok(Plan { watched: vec![POINT], ..Plan::default() });
        }
        let step =
            |id| Step { id: StepIx(id), device: DEVICE, points: vec![POINT], period: POLL, wire_time: Duration::ZERO };
        let steps = if self.way == Way::Polled { 0..1 } else { 0..2 };
        Ok(Plan { steps: steps.map(step).collect(), ..Plan::default() })
    }

    async fn connect(&self, _: edgeway_sdk::Deadline) -> Result<LinkInfo, Fault> {
        Ok(LinkInfo { concurrency: 2, ..LinkInfo::default() })
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, _: edgeway_sdk::Deadline) -> Result<(), Fault> {
        if self.way == Way::BesideOneThatHangs {
            sleep(if step == StepIx(0) { POLL / 2 } else { POLL * 1000 }).await;
        }
        match self.instead.lock().clone() {
            Some(instead) => out.append(instead),
            None => out.good(POINT, Value::Float(self.value.lock().clone()?), Timestamp::now()),
        }
        Ok(())
    }

    async fn watch(&self, sink: Arc<dyn edgeway_sdk::Sink>, _: edgeway_sdk::Deadline) -> Result<(), Fault> {
        let Way::Told(before) = self.way else { return Err(Fault::Unsupported("watching")) };
        for value in before.iter().copied().chain([self.value.lock().clone()?]) {
            let mut batch = Batch::default();
            batch.good(POINT, Value::Float(value), Timestamp::now());
            sink.data(batch);
        }
        Ok(())
    }

    async fn close(&self, _: edgeway_sdk::Deadline) {}
}

/// A link that runs, and what it has reported.
struct Running {
    wire: Arc<Wire>,
    status: Arc<LinkStatus>,
    journal: MessageJournal,
    read_to: u64,
    stop: CancellationToken,
    task: JoinHandle<()>,
    _folder: tempfile::TempDir,
    _jobs: mpsc::Sender<WriteJob>,
}

impl Running {
    fn start(reporting: Reporting) -> Running {
        Running::of(Way::Polled, |property| point(property, reporting))
    }

    fn of(way: Way, point: impl Fn(PropertyIx) -> PointSite) -> Running {
        let mut things = Things::default();
        let model = ready_made().into_iter().find(|model| &*model.name == "met-mast").expect("shipped");
        let (property, _) = model.property("wind_speed").expect("in the model");
        let model = things.add_model(model.into());
        things.add_device(Device { id: "mast".into(), model, labels: Default::default() });
        let folder = tempfile::tempdir().expect("a folder");
        let spine = spine::open(folder.path(), &mut things, &JournalOptions::default()).expect("a journal");
        let wire = Arc::new(Wire { value: Mutex::new(Ok(5.0)), instead: Mutex::default(), way });
        let (status, stop) = (Arc::new(LinkStatus::default()), CancellationToken::new());
        let (jobs, received) = mpsc::channel(1);
        let binding = PointBinding { device: DEVICE, property, scale: 1.0, offset: 0.0, writes: false };
        let mut task = LinkTask::new(Wiring {
            link: wire.clone(),
            site: link_site(),
            events: vec![],
            points: Arc::new([point(property)]),
            binding: Arc::new(Binding::new(vec![Some(binding)])),
            things: spine.things,
            journal: spine.journal.clone(),
            status: status.clone(),
            jobs: received,
            watches: matches!(way, Way::Told(_)),
        });
        let told_to_stop = stop.clone();
        let task = tokio::spawn(async move { task.run_until(&told_to_stop).await });
        Running { wire, status, journal: spine.journal, read_to: 0, stop, task, _folder: folder, _jobs: jobs }
    }

    /// What is reported within so many seconds from now.
    async fn reported_within(&mut self, seconds: u64) -> Vec<(Value, Quality)> {
        let said = self.said_within(seconds).await;
        said.iter().flat_map(values).map(|observation| (observation.value, observation.quality)).collect()
    }

    /// What becomes of the device within so many seconds from now.
    async fn turned_within(&mut self, seconds: u64) -> Vec<(Online, String)> {
        let said = self.said_within(seconds).await;
        let status = |message: Message| match message.body {
            Body::Status(status) => Some((status.online, status.reason.to_string())),
            _ => None,
        };
        said.into_iter().filter_map(status).collect()
    }

    async fn said_within(&mut self, seconds: u64) -> Vec<Message> {
        sleep(Duration::from_secs(seconds)).await;
        let mut reader = self.journal.reader(self.read_to, edgeway_journal::Level::Appended);
        let mut said = vec![];
        while let Some(fetched) = reader.try_next(100).expect("readable") {
            said.extend(fetched.entries.iter().map(|entry| Message::clone(&entry.item)));
        }
        self.read_to = reader.position();
        said
    }

    fn set(&self, value: Result<f64, Fault>) {
        *self.wire.value.lock() = value;
    }

    fn suppressed(&self) -> u64 {
        self.status.suppressed.load(Relaxed)
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.expect("it does not panic");
    }
}

fn values(message: &Message) -> Vec<Observation> {
    match &message.body {
        Body::Report(report) => report.values.clone(),
        _ => vec![],
    }
}

fn link_site() -> LinkSite {
    let options = serde_json::json!({});
    let spec =
        PointSpec { ix: POINT, device: DEVICE, options: Arc::new(options.clone()), access: Access::Read, period: POLL };
    let devices = vec![DeviceSpec { ix: DEVICE, options: options.clone() }];
    LinkSite { name: "wire".into(), driver: 0, key: "wire".into(), options, devices, points: vec![spec] }
}

fn point(property: PropertyIx, reporting: Reporting) -> PointSite {
    PointSite {
        device: DEVICE,
        property: Some(property),
        scale: 1.0,
        offset: 0.0,
        access: Access::Read,
        period: POLL,
        stale_after: STALE_AFTER,
        stale_after_said: false,
        reporting,
    }
}

/// From here on it is certain which readings are within so many seconds.
async fn between_readings() {
    sleep(POLL / 4).await;
}

fn good(value: f64) -> (Value, Quality) {
    (Value::Float(value), Quality::Good)
}

#[tokio::test(start_paused = true)]
async fn a_value_that_does_not_change_is_reported_once_and_never_turns_stale() {
    let mut running = Running::start(Reporting::OnChange { deadband: 0.5, every: None });
    between_readings().await;
    assert_eq!(running.reported_within(0).await, [good(5.0)]);
    assert_eq!(running.reported_within(60).await, []);
    assert_eq!(running.suppressed(), 60, "all of them were read");
    assert_eq!(running.status.values.load(Relaxed), 61);
    running.set(Ok(5.5));
    assert_eq!(running.reported_within(10).await, [], "as far as the deadband, not further");
    running.set(Ok(5.75));
    assert_eq!(running.reported_within(10).await, [good(5.75)]);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_falls_silent_has_a_stale_value_and_a_new_one_when_it_is_back() {
    let mut running = Running::start(Reporting::OnChange { deadband: 0.0, every: None });
    between_readings().await;
    assert_eq!(running.reported_within(30).await, [good(5.0)]);
    running.set(Err(Fault::Device("no answer".into())));
    assert_eq!(running.reported_within(30).await, [(Value::Float(5.0), Quality::Stale)]);
    running.set(Ok(5.0));
    assert_eq!(running.reported_within(300).await, [good(5.0)], "the same value is news after it was stale");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_value_that_does_not_change_is_told_again_at_least_every_so_often() {
    let every = Duration::from_secs(10);
    let mut running = Running::start(Reporting::OnChange { deadband: 1.0, every: Some(every) });
    between_readings().await;
    assert_eq!(running.reported_within(5).await, [good(5.0)]);
    running.set(Ok(5.5));
    assert_eq!(running.reported_within(5).await, [good(5.5)], "what was read last, not what was told last");
    let again = running.reported_within(100).await;
    assert!(again.len() >= 10 && again.iter().all(|value| *value == good(5.5)), "{again:?}");
    running.set(Err(Fault::Device("no answer".into())));
    assert_eq!(running.reported_within(100).await, [(Value::Float(5.5), Quality::Stale)], "nothing is read any more");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_word_every_value_is_reported() {
    let mut running = Running::start(Reporting::Always);
    between_readings().await;
    assert_eq!(running.reported_within(9).await.len(), 10);
    assert_eq!(running.suppressed(), 0);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_told_when_it_changes_ages_only_if_a_person_has_said_so() {
    for (stale_after_said, later) in [(false, vec![]), (true, vec![(Value::Float(5.0), Quality::Stale)])] {
        let point = |property| PointSite { stale_after_said, ..point(property, Reporting::Always) };
        let mut running = Running::of(Way::Told(&[]), point);
        between_readings().await;
        assert_eq!(running.reported_within(0).await, [good(5.0)]);
        assert_eq!(running.reported_within(600).await, later);
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_told_before_it_can_be_taken_in_is_reported_value_by_value() {
    let mut running = Running::of(Way::Told(&[1.0, 2.0, 2.0]), |property| point(property, Reporting::Always));
    between_readings().await;
    assert_eq!(running.reported_within(0).await, [good(1.0), good(2.0), good(2.0), good(5.0)]);
    assert_eq!(running.status.values.load(Relaxed), 4);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_device_with_a_point_that_cannot_be_used_is_degraded_and_says_why_once() {
    let mut running = Running::start(Reporting::Always);
    between_readings().await;
    assert_eq!(running.turned_within(0).await, [(Online::Online, String::new())]);
    let mut missing = Batch::default();
    missing.unfit(POINT, Quality::BadConfig, "the payload has nothing at `speed`", Timestamp::EPOCH);
    let mut text = Batch::default();
    text.good(POINT, Value::from("a breeze"), Timestamp::EPOCH);
    for (instead, why) in [(missing, "the payload has nothing at `speed`"), (text, "the value is")] {
        *running.wire.instead.lock() = Some(instead);
        let turned = running.turned_within(60).await;
        let [(Online::Degraded, reason)] = &turned[..] else { panic!("{turned:?}") };
        assert!(reason.starts_with(&format!("mast.wind_speed cannot be used: {why}")), "{reason}");
        *running.wire.instead.lock() = None;
        assert_eq!(running.turned_within(60).await, [(Online::Online, String::new())]);
    }
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_while_the_gateway_stops_is_kept_though_another_question_hangs() {
    let mut running = Running::of(Way::BesideOneThatHangs, |property| point(property, Reporting::Always));
    sleep(POLL / 4).await;
    running.stop.cancel();
    assert_eq!(running.reported_within(1).await, [good(5.0)]);
    running.task.abort();
}
