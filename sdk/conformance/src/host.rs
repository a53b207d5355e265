//! What the gateway would do with the driver: open, plan, connect, poll, back off, split, connect again.
//!
//! Whatever part it is used in, it looks at what must always hold: a good value is the right one, a step brings its points
//! and no others, nothing comes with a fault, source times do not run backwards, deadlines are kept, nothing panics.

mod inbox;
mod judge;
mod poll;

pub(crate) use judge::Seen;

use crate::ground::Ground;
use crate::stage::{Breach, GRACE, Stage};
use crate::verdict::Verdict;
use edgeway_sdk::{
    Deadline, DeviceIx, DeviceSpec, Fault, Link, LinkInfo, Plan, PointIx, PointSpec, Split, Step, Timestamp, Value,
    WriteOp,
};
use inbox::Inbox;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Planning has no deadline in the contract; this ends a driver that hangs.
const PLAN_WITHIN: Duration = Duration::from_secs(120);
/// So long it takes at most until all is right again, beside some timeouts.
const RIGHT_WITHIN: Duration = Duration::from_secs(8);
/// A driver that breaches its contract as often is not called any more.
const BREACHES_MAX: u32 = 3;
const BACKOFF_MAX: Duration = Duration::from_millis(400);

/// What the gateway would be to a link.
pub(crate) struct Host<'g> {
    ground: &'g Ground<'g>,
    pub(crate) stage: Stage,
    pub(crate) link: Arc<dyn Link>,
    devices: Vec<DeviceSpec>,
    points: Vec<PointSpec>,
    steps: Vec<Step>,
    watched: HashSet<PointIx>,
    /// False if the driver has said that there is nothing to tell on this link.
    tells: bool,
    /// Set while the wire is up.
    info: Option<LinkInfo>,
    inbox: Arc<Inbox>,
    /// What watched points have told since the wire came up.
    told: HashMap<PointIx, Seen>,
    quiet_until: HashMap<DeviceIx, Instant>,
    backoff: Duration,
    /// The values that a point may have now.
    allowed: HashMap<PointIx, Vec<Value>>,
    newest: HashMap<PointIx, Timestamp>,
    breaches: u32,
}

/// What one poll brought.
#[derive(Debug, Default)]
pub(crate) struct Polled {
    pub(crate) seen: HashMap<PointIx, Seen>,
    pub(crate) faults: Vec<Fault>,
    /// What was told unasked meanwhile.
    pub(crate) told: Vec<(PointIx, Seen)>,
}

impl<'g> Host<'g> {
    /// Opens a link and plans these points; nothing is connected yet. `None` if that is not possible, which is a finding.
    pub(crate) async fn open(
        ground: &'g Ground<'_>,
        points: Vec<PointSpec>,
        verdict: &mut Verdict,
    ) -> std::io::Result<Option<Host<'g>>> {
        let stage = Stage::new()?;
        let (driver, options) = (ground.driver.clone(), ground.link());
        let opened = stage.call(soon(), async move { driver.open(options) }).await;
        let link = match opened {
            Ok(Ok(link)) => link,
            Ok(Err(fault)) => {
                verdict.finding(format!("open refuses the options of the subject: {fault}"));
                return Ok(None);
            }
            Err(breach) => {
                told(&stage, "open", breach, verdict);
                return Ok(None);
            }
        };
        let mut host = Host {
            ground,
            stage,
            link,
            devices: ground.subject.devices(),
            points,
            steps: vec![],
            watched: HashSet::new(),
            tells: true,
            info: None,
            inbox: Arc::default(),
            told: HashMap::new(),
            quiet_until: HashMap::new(),
            backoff: Duration::ZERO,
            allowed: HashMap::new(),
            newest: HashMap::new(),
            breaches: 0,
        };
        for (ix, point) in (0..).map(PointIx).zip(&ground.subject.points) {
            host.allowed.insert(ix, vec![point.value.clone()]);
        }
        let points = host.points.clone();
        let plan = host.plan(points, None, verdict).await;
        Ok(plan.map(|plan| {
            host.watched = plan.watched.into_iter().collect();
            host.steps = plan.steps;
            host
        }))
    }

    /// Opens a link with the points that the device has, and waits until all are right. `None` if they never are.
    pub(crate) async fn running(ground: &'g Ground<'_>, verdict: &mut Verdict) -> std::io::Result<Option<Host<'g>>> {
        let Some(mut host) = Host::open(ground, ground.subject.point_specs(), verdict).await? else { return Ok(None) };
        let is_right = host.until_right("at the start", verdict).await;
        if !is_right {
            ground.has_started_badly.store(true, Ordering::Relaxed);
        }
        Ok(is_right.then_some(host))
    }

    /// Calls `plan`. `None` after a fault, which is a finding.
    pub(crate) async fn plan(
        &mut self,
        points: Vec<PointSpec>,
        split: Option<Step>,
        verdict: &mut Verdict,
    ) -> Option<Plan> {
        let (link, devices) = (self.link.clone(), self.devices.clone());
        let planning = async move {
            let split = split.as_ref().map_or(Split::Nothing, Split::Step);
            link.plan(&devices, &points, split).await
        };
        let by = Instant::now() + PLAN_WITHIN;
        match self.call("plan", by, planning, verdict).await? {
            Ok(plan) => Some(plan),
            Err(fault) => {
                verdict.finding(format!("plan refuses the points of the subject: {fault}"));
                None
            }
        }
    }

    /// Calls something of the driver. `None` if it panicked or overran, which is a finding.
    pub(crate) async fn call<T: Send + 'static>(
        &mut self,
        what: &str,
        by: Deadline,
        call: impl Future<Output = T> + Send + 'static,
        verdict: &mut Verdict,
    ) -> Option<T> {
        if self.breaches >= BREACHES_MAX {
            return None;
        }
        match self.stage.call(by, call).await {
            Ok(result) => Some(result),
            Err(breach) => {
                self.breached(what, breach, verdict);
                None
            }
        }
    }

    fn breached(&mut self, what: &str, breach: Breach, verdict: &mut Verdict) {
        self.breaches += 1;
        self.info = None;
        told(&self.stage, what, breach, verdict);
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.breaches >= BREACHES_MAX
    }

    /// How many calls may run at the same time.
    pub(crate) fn concurrency(&self) -> usize {
        usize::from(self.info.as_ref().map_or(1, |info| info.concurrency)).max(1)
    }

    pub(crate) fn settle(&self) -> Duration {
        self.info.as_ref().map_or(Duration::ZERO, |info| info.settle)
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The points that nobody has to ask for.
    pub(crate) fn watched(&self) -> &HashSet<PointIx> {
        &self.watched
    }

    /// False if the driver has said, when it was connected last, that there is nothing to tell on this link.
    pub(crate) fn tells(&self) -> bool {
        self.tells
    }

    /// From now on a point may have these values.
    pub(crate) fn allow(&mut self, point: PointIx, values: Vec<Value>) {
        self.allowed.insert(point, values);
    }

    /// Connects once, and begins to watch if the driver can.
    pub(crate) async fn connect(&mut self, verdict: &mut Verdict) -> Result<(), Option<Fault>> {
        let by = Instant::now() + CONNECT_WITHIN;
        let link = self.link.clone();
        let watches = self.ground.driver.manifest().can.watch;
        self.told.clear();
        self.inbox = Arc::default();
        let sink = self.inbox.clone();
        let connecting = async move {
            let info = link.connect(by).await?;
            let watching = if watches { link.watch(sink, by).await } else { Ok(()) };
            match watching {
                Ok(()) => Ok((info, true)),
                Err(Fault::Unsupported(_)) => Ok((info, false)),
                Err(fault) => Err(fault),
            }
        };
        match self.call("connect", by, connecting, verdict).await {
            None => Err(None),
            Some(Err(fault)) => Err(Some(fault)),
            Some(Ok((info, tells))) => {
                self.tells = tells;
                verdict.check(info.concurrency > 0, || "connect says that 0 calls may run at the same time".into());
                self.quiet_until.clear();
                self.info = Some(info);
                Ok(())
            }
        }
    }

    /// Writes once.
    pub(crate) async fn write(
        &mut self,
        point: PointIx,
        value: &Value,
        verdict: &mut Verdict,
    ) -> Option<Result<Option<Value>, Fault>> {
        self.write_by(point, value, Instant::now() + self.patience(), verdict).await
    }

    /// Writes once, with a deadline.
    pub(crate) async fn write_by(
        &mut self,
        point: PointIx,
        value: &Value,
        by: Deadline,
        verdict: &mut Verdict,
    ) -> Option<Result<Option<Value>, Fault>> {
        let (link, op) = (self.link.clone(), WriteOp { point, value: value.clone() });
        let written = self.call("write", by, async move { link.write(&op, by).await }, verdict).await;
        if matches!(written, Some(Err(Fault::Link(_)))) {
            self.info = None;
        }
        written
    }

    /// Closes the wire.
    pub(crate) async fn close(&mut self, verdict: &mut Verdict) {
        let by = Instant::now() + CONNECT_WITHIN;
        let link = self.link.clone();
        self.call("close", by, async move { link.close(by).await }, verdict).await;
        self.info = None;
    }

    /// How long a call gets: several timeouts, so that it is the driver's own that ends it.
    pub(crate) fn patience(&self) -> Duration {
        self.ground.timeout() * 4 + Duration::from_secs(1)
    }

    /// The wire is gone, as a call has said that was not made by a poll.
    pub(crate) fn link_lost(&mut self) {
        self.info = None;
    }

    /// A device has not answered: for a while it is asked nothing.
    pub(crate) fn leave_alone(&mut self, device: DeviceIx) {
        self.quiet_until.insert(device, Instant::now() + self.settle());
    }

    /// Waits until every device may be asked again.
    pub(crate) async fn rest(&mut self) {
        let until = self.quiet_until.values().max().copied();
        if let Some(until) = until {
            sleep_until(until).await;
        }
    }

    /// Forgets what has been said unasked so far, after a look at it.
    pub(crate) fn drain(&mut self, verdict: &mut Verdict) {
        self.take_in(&mut Polled::default(), verdict);
    }

    /// Opens one more link beside this one and connects it. `None` after a fault, which is a finding.
    pub(crate) async fn another(&mut self, verdict: &mut Verdict) -> Option<Arc<dyn Link>> {
        let (driver, options) = (self.ground.driver.clone(), self.ground.link());
        let by = soon();
        let opening = async move {
            let link = driver.open(options)?;
            link.connect(by).await?;
            Ok::<_, Fault>(link)
        };
        match self.call("open and connect", by, opening, verdict).await? {
            Ok(link) => Some(link),
            Err(fault) => {
                verdict.finding(format!("expected to open one more link, came: {fault}"));
                None
            }
        }
    }

    /// Polls until every point that is read has been good. That it does not come to that is a finding.
    pub(crate) async fn until_right(&mut self, when: &str, verdict: &mut Verdict) -> bool {
        let began = Instant::now();
        let is_hopeless = self.ground.has_started_badly.load(Ordering::Relaxed);
        let beside = if is_hopeless { Duration::ZERO } else { RIGHT_WITHIN };
        let within = beside + self.ground.timeout() * 10 + self.settle() * 3;
        let mut missing = self.to_be_right();
        let mut last = String::from("nothing was heard of it");
        while !missing.is_empty() {
            if self.is_given_up() {
                return false;
            }
            if began.elapsed() > within {
                let mut names: Vec<String> = missing.iter().map(|point| self.ground.subject.name(*point)).collect();
                names.sort();
                names.truncate(3);
                let names = names.join(", ");
                verdict.finding(format!("{when}, {names}: expected right values within {within:?}, {last}"));
                return false;
            }
            let polled = self.poll(verdict).await;
            missing.retain(|point| !polled.seen.get(point).is_some_and(|seen| seen.quality.is_good()));
            if let Some(fault) = polled.faults.last() {
                last = format!("the last fault was: {fault}");
            } else if let Some(seen) = missing.iter().find_map(|point| polled.seen.get(point)) {
                last = format!("the last that came was {seen}");
            }
            self.breathe(&polled).await;
        }
        verdict.check(true, String::new);
        true
    }

    /// A little rest when there is nothing to do, so that a driver without a wire is not called without end.
    async fn breathe(&self, polled: &Polled) {
        if self.steps.is_empty() || !polled.faults.is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The points that the device has and that can be read, by what `plan` has said.
    fn to_be_right(&self) -> HashSet<PointIx> {
        let planned = self.steps.iter().flat_map(|step| &step.points).chain(&self.watched);
        planned.copied().filter(|point| self.ground.subject.point(*point).is_some()).collect()
    }
}

fn soon() -> Deadline {
    Instant::now() + CONNECT_WITHIN
}

fn told(stage: &Stage, what: &str, breach: Breach, verdict: &mut Verdict) {
    match breach {
        Breach::Overran => {
            verdict.finding(format!("{what}: expected an end by the deadline, it was still busy {GRACE:?} later"));
        }
        Breach::Panicked(words) => {
            // The same panic has been heard of on the thread, too.
            stage.panics();
            verdict.finding(format!("{what}: expected a fault, the driver panicked: {words}"));
        }
    }
}
