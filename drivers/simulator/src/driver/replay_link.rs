//! A link that plays a recording back.

use super::sentence;
use super::teller::Teller;
use crate::config::{DeviceOptions, On, Point, ReplayOptions, What};
use crate::replay::{self, Error, Recording, Schedule, Wanted};
use async_trait::async_trait;
use edgeway_sdk::{
    Batch, Deadline, DeviceIx, DeviceSpec, Fault, Link, LinkInfo, Plan, PointIx, PointSpec, Quality, Sink, Split,
    StepIx, Timestamp, Value,
};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Rows that are handed over together, at most.
const ROWS_MAX: u64 = 4096;

pub(crate) struct ReplayLink {
    options: ReplayOptions,
    speed: f64,
    planned: Mutex<Planned>,
    /// The file being read, which may take longer than one attempt to connect.
    reading: tokio::sync::Mutex<Option<JoinHandle<Result<Recording, Error>>>>,
    teller: Teller,
}

#[derive(Default)]
struct Planned {
    wanted: Wanted,
    playing: Option<Arc<Playing>>,
}

/// A recording on its way.
struct Playing {
    recording: Recording,
    schedule: Schedule,
    began: Instant,
    /// Every point that is played, for those that have no value yet.
    points: Vec<PointIx>,
    devices: BTreeSet<DeviceIx>,
}

impl ReplayLink {
    pub(crate) fn new(options: ReplayOptions, speed: f64) -> Self {
        let (planned, reading, teller) = Default::default();
        ReplayLink { options, speed, planned, reading, teller }
    }

    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().expect("no thread panics while it holds this lock")
    }

    /// Reads the file, apart from the threads that serve others.
    async fn read(&self, by: Deadline) -> Result<Recording, Fault> {
        let mut reading = self.reading.lock().await;
        let task = reading.get_or_insert_with(|| {
            let (options, wanted) = (self.options.clone(), self.planned().wanted.clone());
            tokio::task::spawn_blocking(move || replay::read(&options, &wanted))
        });
        let late = |_| Fault::Link(format!("{} is still being read", self.options.file));
        let read = timeout_at(by, task).await.map_err(late)?;
        *reading = None;
        match read {
            Ok(Ok(recording)) => Ok(recording),
            Ok(Err(error @ Error::Unreadable { .. })) => Err(Fault::Link(error.to_string())),
            Ok(Err(error @ Error::Unfit { .. })) => Err(Fault::Config(error.to_string())),
            Err(error) => Err(Fault::Link(format!("{}: {error}", self.options.file))),
        }
    }

    fn play(&self, recording: Recording) -> Arc<Playing> {
        let mut planned = self.planned();
        let schedule = Schedule::new(&recording, &self.options, self.speed, Timestamp::now());
        let points = planned.wanted.points.iter().map(|(point, _, _)| *point).collect();
        let devices = planned.wanted.points.iter().map(|(_, device, _)| *device).collect();
        let playing = Arc::new(Playing { recording, schedule, began: Instant::now(), points, devices });
        planned.playing = Some(playing.clone());
        playing
    }

    fn column(&self, point: &PointSpec, replays: &HashMap<DeviceIx, String>) -> Result<What, String> {
        let options = Point::read(&point.options, point.access).map_err(|problems| sentence(&problems))?;
        if !matches!(options.what, What::Column(_)) {
            return Err("a link with `replay` has columns alone, at = \"column:NAME\"".into());
        }
        match (&self.options.device, replays.contains_key(&point.device)) {
            (Some(column), false) => {
                Err(format!("the device needs `replays`: the text that its rows have in `{column}`"))
            }
            (None, true) => Err("the device says `replays`, but the `replay` of its link has no `device`".into()),
            _ => Ok(options.what),
        }
    }
}

#[async_trait]
impl Link for ReplayLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        if matches!(split, Split::Step(_)) {
            return Err(Fault::Config("a recording has no steps".into()));
        }
        let mut replays = HashMap::new();
        for device in devices {
            let options = DeviceOptions::read_on(On::Replay, &device.options).map_err(Fault::Config)?;
            replays.extend(options.replays.map(|text| (device.ix, text)));
        }
        let (mut plan, mut wanted) = (Plan::default(), Wanted::default());
        for point in points {
            match self.column(point, &replays) {
                Ok(What::Column(column)) => {
                    plan.watched.push(point.ix);
                    wanted.points.push((point.ix, point.device, column));
                }
                Ok(_) => {}
                Err(reason) => plan.rejected.push((point.ix, reason)),
            }
        }
        wanted.devices = replays.into_iter().map(|(device, text)| (text, device)).collect();
        self.teller.stop();
        *self.planned() = Planned { wanted, playing: None };
        Ok(plan)
    }

    /// Reads the file, the first time.
    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault> {
        let playing = self.planned().playing.clone();
        let playing = match playing {
            Some(playing) => playing,
            None => {
                let recording = self.read(by).await?;
                self.play(recording)
            }
        };
        Ok(LinkInfo { identity: playing.identity(), ..LinkInfo::default() })
    }

    async fn exec(&self, _: StepIx, _: &mut Batch, _: Deadline) -> Result<(), Fault> {
        Err(Fault::Step("a recording has no steps".into()))
    }

    async fn watch(&self, sink: Arc<dyn Sink>, _: Deadline) -> Result<(), Fault> {
        let playing = self.planned().playing.clone();
        let playing = playing.ok_or_else(|| Fault::Link("the recording has not been read".into()))?;
        self.teller.start(async move { playing.tell(&*sink).await });
        Ok(())
    }

    fn health(&self) -> Vec<(Cow<'static, str>, u64)> {
        let planned = self.planned();
        let mistakes = planned.playing.as_ref().map(|playing| playing.recording.mistakes.clone()).unwrap_or_default();
        vec![("rows_left_out".into(), mistakes.rows), ("cells_unusable".into(), mistakes.cells)]
    }

    async fn close(&self, _: Deadline) {
        self.teller.stop();
    }
}

impl Playing {
    fn identity(&self) -> Vec<(String, String)> {
        let rows = &self.recording.rows;
        let time = |row: Option<&replay::Row>| row.map(|row| row.time.to_string()).unwrap_or_default();
        let mistakes = &self.recording.mistakes;
        let mut identity = vec![
            ("rows".into(), rows.len().to_string()),
            ("from".into(), time(rows.first())),
            ("to".into(), time(rows.last())),
        ];
        if mistakes.rows + mistakes.cells > 0 {
            identity.push(("rows left out".into(), mistakes.rows.to_string()));
            identity.push(("cells unusable".into(), mistakes.cells.to_string()));
            identity.push(("mistakes".into(), mistakes.told.join("; ")));
        }
        identity
    }

    /// Tells the present values, then every row when it is due, until the recording ends.
    async fn tell(&self, sink: &dyn Sink) {
        let mut n = self.schedule.passed(self.began.elapsed(), &self.recording);
        sink.data(self.present(n));
        while let Some(due) = self.schedule.due(n, &self.recording) {
            sleep_until(self.began + due).await;
            let now = self.began.elapsed();
            let mut batch = Batch::default();
            let end = n + ROWS_MAX;
            while n < end && self.schedule.due(n, &self.recording).is_some_and(|due| due <= now) {
                self.add(n, &mut batch);
                n += 1;
            }
            sink.data(batch);
            // At a high speed there is always more; others are to have their turn.
            tokio::task::yield_now().await;
        }
        for device in &self.devices {
            sink.online(*device, Some("the recording has ended"));
        }
    }

    fn add(&self, n: u64, batch: &mut Batch) {
        let time = self.schedule.source_time(n, &self.recording);
        let rows = &self.recording.rows;
        for (point, value, quality) in &rows[(n % rows.len() as u64) as usize].values {
            batch.push(*point, value.clone(), *quality, time);
        }
    }

    /// The newest value of every point before the nth row; bad where there is none.
    fn present(&self, n: u64) -> Batch {
        let mut newest: HashMap<PointIx, (Value, Quality, Timestamp)> = HashMap::new();
        let rows = &self.recording.rows;
        for n in n.saturating_sub(rows.len() as u64)..n {
            let time = self.schedule.source_time(n, &self.recording);
            for (point, value, quality) in &rows[(n % rows.len() as u64) as usize].values {
                newest.insert(*point, (value.clone(), *quality, time));
            }
        }
        let mut batch = Batch::default();
        let now = Timestamp::now();
        for point in &self.points {
            let absent = (Value::Null, Quality::Bad, now);
            let (value, quality, time) = newest.remove(point).unwrap_or(absent);
            batch.push(*point, value, quality, time);
        }
        batch
    }
}

#[cfg(test)]
mod tests;
