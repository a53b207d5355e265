//! The two traits of a driver.

use crate::{Batch, Discovered, Fault, Json, Problem, Timestamp, Value};
use async_trait::async_trait;
use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// A device, numbered by the gateway from 0 without gaps. The number lives as long as the loaded site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceIx(pub u32);

/// A point, numbered by the gateway from 0 without gaps over the whole site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointIx(pub u32);

/// A step, numbered by the driver as it likes. A number is never given to a second step of the same link, unless a plan
/// for all its points has replaced the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepIx(pub u32);

/// When an answer is due. On tokio's clock, so that tests can pause it.
pub type Deadline = tokio::time::Instant;

/// What a driver says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The word in `driver = "..."`.
    pub name: String,
    /// The driver's version.
    pub version: String,
    /// One line: what it speaks.
    pub summary: String,
    /// What it can do beside reading.
    pub can: Capabilities,
    /// The options of a link that say which wire it is. Only asked for from a driver in another process, whose
    /// [`Driver::check_link`] cannot be called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wire: Vec<String>,
    /// What its options look like.
    pub options: Schemas,
}

/// What a driver can do beside reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// [`Link::write`].
    pub write: bool,
    /// [`Link::watch`]: devices say by themselves what is new.
    pub watch: bool,
    /// [`Link::call`].
    pub call: bool,
    /// [`Link::browse`].
    pub browse: bool,
    /// [`Driver::discover`].
    pub discover: bool,
}

/// The options of a driver as JSON Schemas (2020-12), for editors, forms and `edgeway driver describe`. What a schema
/// cannot say, `check_link`, `check_device` and `check_point` do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Schemas {
    /// Of `[link.NAME]`.
    pub link: Json,
    /// Of a device's table that is named after the driver. A table in it with `"x-names": "services"` or `"events"` has an entry
    /// for each service or event of the model that the device has; an entry of another name is a mistake.
    pub device: Json,
    /// Of a point.
    pub point: Json,
}

impl Manifest {
    /// Of a driver that reads, and whose options are not described yet.
    pub fn new(name: &str, version: &str, summary: &str) -> Self {
        let (name, version, summary) = (name.into(), version.into(), summary.into());
        Manifest { name, version, summary, can: Capabilities::default(), wire: vec![], options: Schemas::default() }
    }

    /// The same with more capabilities.
    pub fn can(mut self, can: Capabilities) -> Self {
        self.can = can;
        self
    }

    /// The same with the options of a link that name its wire.
    pub fn wire(mut self, options: &[&str]) -> Self {
        self.wire = options.iter().map(|&option| option.to_owned()).collect();
        self
    }

    /// The same with the options described: those of a link, a device and a point.
    pub fn options<L: JsonSchema, D: JsonSchema, P: JsonSchema>(mut self) -> Self {
        let [link, device, point] = [schema_for!(L), schema_for!(D), schema_for!(P)].map(Json::from);
        self.options = Schemas { link, device, point };
        self
    }
}

/// A device on a link.
#[derive(Debug, Clone)]
pub struct DeviceSpec {
    /// The device.
    pub ix: DeviceIx,
    /// Its options for this driver: the table named after the driver, `modbus = { unit = 7 }`.
    pub options: Json,
}

/// A point of a device.
#[derive(Debug, Clone)]
pub struct PointSpec {
    /// The point.
    pub ix: PointIx,
    /// Its device.
    pub device: DeviceIx,
    /// Its options for this driver: `{ "at": "holding:100", "type": "f32" }`. Points that are written alike share them.
    pub options: Arc<Json>,
    /// Whether it is read, written or both.
    pub access: Access,
    /// How often it is to be read. Points of one step share a period.
    pub period: Duration,
}

/// What may be done with a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Polled, never written.
    Read,
    /// Polled and written.
    ReadWrite,
    /// Written, never polled.
    Write,
}

impl Access {
    /// True unless the point can only be written.
    pub fn reads(self) -> bool {
        self != Access::Write
    }

    /// True unless the point can only be read.
    pub fn writes(self) -> bool {
        self != Access::Read
    }
}

/// What `plan` is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Split<'a> {
    /// A plan for all the points given. It replaces everything planned before.
    Nothing,
    /// Smaller steps for the points given, which are exactly those of this step that the device refused. At best
    /// halves, down to one point a step. Other steps stay as they are.
    Step(&'a Step),
}

/// One wire transaction that reads some points of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its number.
    pub id: StepIx,
    /// The device that it talks to.
    pub device: DeviceIx,
    /// The points that it reads.
    pub points: Vec<crate::PointIx>,
    /// How often it runs.
    pub period: Duration,
    /// How long it keeps the wire busy, as far as the driver can tell beforehand: what the bytes of question and answer
    /// take on a serial line. Zero if that is nothing to speak of. The gateway learns the rest by measuring.
    pub wire_time: Duration,
}

/// What `plan` answers. Every readable point is in exactly one step, or watched, or rejected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The transactions.
    pub steps: Vec<Step>,
    /// Points that nobody has to ask for: [`Link::watch`] tells what is new.
    pub watched: Vec<PointIx>,
    /// Points that cannot be read, each with a reason for the operator.
    pub rejected: Vec<(PointIx, String)>,
    /// How many steps will run at the same time, as far as the driver knows before it connects; 0 is 1.
    pub concurrency: u16,
}

/// What a link turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkInfo {
    /// How many `exec` and `write` calls may run at the same time, at least 1.
    pub concurrency: u16,
    /// What the other end says of itself: vendor, product, version.
    pub identity: Vec<(String, String)>,
    /// For how long a device is left alone that has not answered, on a wire where its late answer could be taken for the
    /// answer to a later question. Its neighbours are not.
    pub settle: Duration,
}

impl Default for LinkInfo {
    fn default() -> Self {
        LinkInfo { concurrency: 1, identity: vec![], settle: Duration::ZERO }
    }
}

/// One value to write.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteOp {
    /// Where.
    pub point: PointIx,
    /// The raw value, after scale and offset were taken off.
    pub value: Value,
}

/// Takes what devices say unasked. It never blocks: what comes faster than the gateway takes it is merged, the newest
/// value of each point winning, and counted.
pub trait Sink: Send + Sync + 'static {
    /// New values.
    fn data(&self, batch: Batch);

    /// An event of a device, by the name that its model has for it.
    fn event(&self, device: DeviceIx, event: &str, output: Json, source_time: Timestamp);

    /// A device has come, or gone for this reason.
    fn online(&self, device: DeviceIx, gone: Option<&str>);

    /// The wire is gone, for this reason. The gateway connects again; nothing more is said before it does.
    fn lost(&self, reason: &str);
}

/// A southbound protocol: knows what its options look like and opens links. Does no I/O itself.
#[async_trait]
pub trait Driver: Send + Sync + 'static {
    /// What this driver says of itself, always the same.
    fn manifest(&self) -> &Manifest;

    /// Checks the options of a link and names its wire. Two links with the same key share one wire and would disturb
    /// each other; the gateway refuses them.
    ///
    /// # Errors
    /// All mistakes found.
    fn check_link(&self, options: &Json) -> Result<String, Vec<Problem>>;

    /// Checks the options of a device; empty if they are right.
    fn check_device(&self, options: &Json) -> Vec<Problem>;

    /// Checks the options of a point; empty if they are right.
    fn check_point(&self, options: &Json, access: Access) -> Vec<Problem>;

    /// Makes a link, without any I/O yet.
    ///
    /// # Errors
    /// [`Fault::Config`] if the options are wrong after all.
    fn open(&self, options: Json) -> Result<Arc<dyn Link>, Fault>;

    /// Looks for devices and tells of each as soon as it is found. `hint` holds what the user knows: options of a link,
    /// and what the driver's README says beside. Ends early if nobody listens any more.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] unless the driver implements it; [`Fault::Config`] if the hint is wrong.
    async fn discover(&self, _hint: Json, _found: mpsc::Sender<Discovered>, _by: Deadline) -> Result<(), Fault> {
        Err(Fault::Unsupported("discovery"))
    }
}

/// One wire and everything on it.
///
/// The gateway never has more calls of `exec` and `write` in flight than [`LinkInfo::concurrency`]. It does not
/// cancel them: each gets a deadline, keeps to it, and leaves the wire clean, so that an answer that comes too late is
/// never taken for the answer to a later question.
#[async_trait]
pub trait Link: Send + Sync + 'static {
    /// Groups points into transactions. Called before the first `connect`, and again with [`Split::Step`] after
    /// [`Fault::Step`], or [`Fault::Point`] of a step with several points. The same input gives the same plan. An empty plan
    /// for [`Split::Step`] says that it cannot be divided: its points stand or fall together, and all count as refused.
    ///
    /// # Errors
    /// [`Fault::Config`] if the options of a device or a point are wrong after all.
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault>;

    /// Opens the wire. Called first, and again after [`Fault::Link`].
    ///
    /// # Errors
    /// [`Fault::Link`] if nobody is there; [`Fault::Config`] if trying again is of no use.
    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault>;

    /// Runs one transaction and pushes what it brought, one entry for every point of the step.
    ///
    /// # Errors
    /// A [`Fault`] of the narrowest scope that is true. On an error, nothing has been pushed.
    async fn exec(&self, step: StepIx, out: &mut Batch, by: Deadline) -> Result<(), Fault>;

    /// Begins to tell the sink what is new: of the points that `plan` called watched, each with its present value first,
    /// and events. Called after each `connect` if the manifest says that the driver can; it ends with the wire.
    ///
    /// # Errors
    /// A [`Fault`]. [`Fault::Unsupported`] if there is nothing to tell on this link.
    async fn watch(&self, _sink: Arc<dyn Sink>, _by: Deadline) -> Result<(), Fault> {
        Err(Fault::Unsupported("watching"))
    }

    /// Writes one value and reads it back where the protocol allows. `Some` is the value read back.
    ///
    /// # Errors
    /// A [`Fault`]. After [`Fault::Device`] and [`Fault::Link`] nobody knows whether the device took the value.
    async fn write(&self, _op: &WriteOp, _by: Deadline) -> Result<Option<Value>, Fault> {
        Err(Fault::Unsupported("writing"))
    }

    /// Calls a service of the device. Services made of writes (a point to set for each input) are the gateway's
    /// affair; this is for protocols that have calls of their own.
    ///
    /// # Errors
    /// A [`Fault`], as for `write`.
    async fn call(&self, _device: DeviceIx, _service: &str, _input: Json, _by: Deadline) -> Result<Json, Fault> {
        Err(Fault::Unsupported("calling services"))
    }

    /// Lists what a device has to offer, below `at` if given.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] unless the driver implements it.
    async fn browse(&self, _device: DeviceIx, _at: Option<&str>, _by: Deadline) -> Result<Vec<Discovered>, Fault> {
        Err(Fault::Unsupported("browsing"))
    }

    /// What the driver counts beside what the gateway does, each with a name in snake_case: late answers, answers of a
    /// stranger. Cheap, and does no I/O.
    fn health(&self) -> Vec<(Cow<'static, str>, u64)> {
        vec![]
    }

    /// Closes the wire. Called last; `connect` may follow.
    async fn close(&self, by: Deadline);
}
