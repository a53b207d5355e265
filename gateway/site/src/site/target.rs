//! Targets and routes: what leaves the gateway, and whereto.

use edgeway_thing_models::Filter;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A northbound destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSite {
    /// `cloud` of `[target.cloud]`.
    pub name: Arc<str>,
    /// Where it is.
    pub kind: TargetKind,
}

/// The kinds of targets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetKind {
    /// An MQTT broker.
    Mqtt(Box<MqttTarget>),
    /// A web service that takes batches by POST.
    Http(Box<HttpTarget>),
    /// NATS JetStream.
    Nats(Box<NatsTarget>),
    /// Kafka. Only in builds with the Cargo feature `kafka`.
    Kafka(Box<KafkaTarget>),
    /// PostgreSQL or TimescaleDB: one table for each kind of message and model.
    Postgres(Box<PostgresTarget>),
    /// Parquet files in a folder or in an object store.
    Parquet(Box<ParquetTarget>),
    /// A file on this machine.
    File(FileTarget),
    /// Standard output.
    Stdout,
}

/// Login by header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpAuth {
    /// No login.
    None,
    /// `Authorization: Basic`.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// `Authorization: Bearer`.
    Bearer(Secret),
}

/// A web service that takes batches by POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTarget {
    /// `http://` or `https://`, with path.
    pub url: String,
    /// Login.
    pub auth: HttpAuth,
    /// More headers, in the order of the file.
    pub headers: Vec<(String, Secret)>,
    /// Certificates (PEM) to trust; `None`: the system's. And the gateway's own.
    pub tls: TlsFiles,
    /// How long one request may take.
    pub timeout: Duration,
}

/// PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsFiles {
    /// Certificates to trust; `None`: the system's.
    pub ca: Option<PathBuf>,
    /// This gateway's certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// NATS JetStream. The stream must be there, or is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsTarget {
    /// `nats://host:4222` or `tls://host:4222`, several for a cluster.
    pub urls: Vec<String>,
    /// Login by user and password.
    pub user: Option<(String, Secret)>,
    /// Login by token.
    pub token: Option<Secret>,
    /// Login by a `.creds` file.
    pub credentials: Option<PathBuf>,
    /// PEM files.
    pub tls: TlsFiles,
    /// The stream that must take the messages; publishing waits for its acknowledgement.
    pub stream: String,
    /// The subjects of the stream, if it has to be made; `None`: it must be there already.
    pub create: Option<Vec<String>>,
    /// Publishes under way at one time, at least 1.
    pub inflight: u16,
}

/// Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaTarget {
    /// `host:9092`, at least one.
    pub brokers: Vec<String>,
    /// Login by SASL: mechanism (`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`), user, password.
    pub sasl: Option<(String, String, Secret)>,
    /// TLS, if any.
    pub tls: Option<TlsFiles>,
    /// Compression by the client: `none`, `gzip`, `lz4`, `zstd`, `snappy`.
    pub compression: String,
}

/// PostgreSQL or TimescaleDB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresTarget {
    /// Name or address.
    pub host: String,
    /// 5432 unless given.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The user.
    pub username: String,
    /// The password.
    pub password: Option<Secret>,
    /// With or without TLS.
    pub transport: Transport,
    /// The schema of the tables, `public` unless given.
    pub schema: String,
    /// Put before each table's name.
    pub table_prefix: String,
    /// Make tables that are missing, and columns that a model gained.
    pub create: bool,
    /// Turn tables that are made into TimescaleDB hypertables.
    pub hypertables: bool,
}

/// Parquet files, in `kind/model/day` partitions in the manner of Hive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParquetTarget {
    /// Where.
    pub store: ObjectStore,
    /// A file is finished at about this size ...
    pub file_bytes: u64,
    /// ... or when its first message is this old.
    pub file_age: Duration,
}

/// Where files go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectStore {
    /// A folder on this machine.
    Folder(PathBuf),
    /// A bucket of S3 or of something that speaks like it.
    S3 {
        /// Its address; `None`: Amazon's.
        endpoint: Option<String>,
        /// Its region, `us-east-1` unless given.
        region: String,
        /// The bucket.
        bucket: String,
        /// Put before all names.
        prefix: String,
        /// Login: key id and secret; `None`: the environment's.
        key: Option<(String, Secret)>,
    },
}

/// An MQTT broker. Everything is published with QoS 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttTarget {
    /// Name or address.
    pub host: String,
    /// 1883 or 8883 unless the URL names another.
    pub port: u16,
    /// With or without TLS.
    pub transport: Transport,
    /// The protocol's version.
    pub version: MqttVersion,
    /// The shape of topics and logins that the broker's platform wants.
    pub preset: MqttPreset,
    /// Unique on the broker; `edgeway-<site>-<target>` unless given. With the preset `azure-iot-hub` the device's id,
    /// which the platform wants as it is; with it and with `alink` only one route leads here.
    pub client_id: String,
    /// The user, if the broker wants one. With a preset as the platform wants it: `<device>&<product>` for `alink`,
    /// `<host>/<device>/?api-version=...` for `azure-iot-hub`.
    pub username: Option<String>,
    /// The user's password, or the secret that one is made from when a connection is opened: the device's secret for
    /// `alink`, the base64 of the shared access key for `azure-iot-hub`. Without a user, with the preset `thingsboard`:
    /// the access token, which is sent as the user.
    pub password: Option<Secret>,
    /// How often the connection proves that it lives.
    pub keep_alive: Duration,
    /// The most publishes under way at one time, at least 1.
    pub inflight: u16,
    /// The topic of commands, with `{device}` still in it and `{site}` replaced; `None`: the cloud cannot send any.
    pub commands: Option<String>,
    /// The topic of their results, in the same form; `None`: no replies.
    pub replies: Option<String>,
}

/// What a platform's broker wants: defaults for topic, format, client id and login, all of which can be given instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MqttPreset {
    /// Nothing special.
    Generic,
    /// Alibaba Cloud IoT Platform.
    Alink,
    /// AWS IoT Core.
    AwsIot,
    /// Azure IoT Hub.
    AzureIotHub,
    /// ThingsBoard's gateway API.
    ThingsBoard,
}

/// With or without TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// `mqtt://`
    Plain,
    /// `mqtts://`
    Tls {
        /// Certificates (PEM) to trust; `None`: the system's.
        ca: Option<PathBuf>,
        /// This gateway's certificate and its key (PEM), if the broker wants one.
        identity: Option<(PathBuf, PathBuf)>,
    },
}

/// The version of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MqttVersion {
    /// 3.1.1
    V3,
    /// 5
    V5,
}

/// A file on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTarget {
    /// Where, below the site's data folder unless absolute.
    pub path: PathBuf,
    /// At this size it is renamed to `NAME.1` and begun anew.
    pub file_bytes: u64,
}

/// Text that never shows up in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Text to be kept out of logs.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// SQL as written in `routes.toml`, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlSite {
    /// The text.
    pub text: Arc<str>,
    /// Line of its first character in `routes.toml`, from 1.
    pub line: usize,
    /// Column, from 1. Exact unless the text has escapes or `${VAR}`.
    pub column: usize,
}

/// Where a text begins that is in another language than TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPlace {
    /// The file, relative to the site.
    pub file: PathBuf,
    /// Line of its first character, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// The form of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatSite {
    /// One object, or an array of several.
    Json,
    /// One object a line.
    JsonLines,
    /// One row for each value, with a header line.
    Csv,
    /// An Arrow IPC stream, one table for each kind and model.
    ArrowIpc,
    /// `edgeway.v1.Batch` of `edgeway.proto`.
    Protobuf,
    /// Sparkplug B, as an edge node with its devices.
    SparkplugB {
        /// The group id.
        group: String,
        /// The edge node id.
        node: String,
    },
    /// Alibaba's Alink JSON.
    Alink {
        /// Product key by model; a model that is not in here has its name as product key.
        product_keys: BTreeMap<String, String>,
    },
    /// The text that a template makes of each message.
    Template {
        /// A Jinja template; `message` is the message in its JSON form.
        text: Arc<str>,
        /// What the text is, `text/plain` unless given.
        content_type: String,
    },
}

/// What happens when the journal is full and a route has not sent what is oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFull {
    /// The oldest messages are dropped, counted.
    DropOldest,
    /// What waits is kept; newer messages are dropped for this route, counted.
    DropNewest,
    /// Nothing that waits is dropped: the class takes no new messages. Pollers go on, pushing devices are not
    /// acknowledged.
    Block,
    /// When three quarters are full, only every n-th report of each device is stored, until there is room again.
    Sample(u32),
}

/// How fast a route may send.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// At most so many messages a second.
    pub messages_per_second: Option<f64>,
    /// At most so many payload bytes a second.
    pub bytes_per_second: Option<u64>,
    /// The part of the rate, 0 to 1, that new messages have while a backlog drains. At 0 everything waits its turn.
    pub live_share: f64,
}

impl Eq for Rate {}

/// The order in which a route sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// In order for each device and class; critical messages first.
    Device,
    /// In the one order of the journal.
    Strict,
}

/// The priority classes, each with a log of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClassSite {
    /// Alarms, commands, status, notices, ledgers.
    Critical,
    /// Everything else.
    Normal,
    /// What the site says is bulk.
    Bulk,
}

/// Whether messages of a time when the clock was not set may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsetClock {
    /// They are sent, flagged.
    Send,
    /// They wait until the time is known, and are then sent with their times put right.
    Hold,
}

/// Which subjects go to which target, in which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSite {
    /// Its name; also the name of its cursor in the journal.
    pub name: Arc<str>,
    /// A message goes this way if one of these matches its subject ...
    pub subjects: Vec<Filter>,
    /// ... and none of these.
    pub except: Vec<Filter>,
    /// Only messages for which this is true.
    pub filter: Option<SqlSite>,
    /// What to send of a message instead of all of it.
    pub select: Option<SqlSite>,
    /// Only messages of this class; `None`: of all.
    pub class: Option<ClassSite>,
    /// The target's place in [`Site::targets`](crate::Site::targets).
    pub target: usize,
    /// The topic, with `{site}` replaced and `{subject}`, `{kind}`, `{model}` and `{device}` still in it; empty for
    /// targets without topics and formats with topics of their own.
    pub topic: String,
    /// The form of payloads; without meaning for targets that store tables.
    pub format: FormatSite,
    /// Where the template is, if the site wrote one.
    pub template_place: Option<TextPlace>,
    /// The most messages in one payload. 1: one JSON object; more: a JSON array.
    pub batch_messages: usize,
    /// The most bytes in one payload of several messages.
    pub batch_bytes: usize,
    /// How long a message waits for others of its payload.
    pub batch_age: Duration,
    /// What happens when the journal is full.
    pub on_full: OnFull,
    /// Messages older than this are not sent any more.
    pub ttl: Option<Duration>,
    /// How fast it may send; `None`: as fast as the target takes it.
    pub rate: Option<Rate>,
    /// In which order.
    pub order: Order,
    /// What becomes of messages from before the clock was set.
    pub unset_clock: UnsetClock,
    /// Where a route that the journal does not know yet begins.
    pub from: Start,
}

/// Where a new route begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the oldest message that the journal still has.
    Oldest,
    /// At the next message.
    Now,
}
