//! `edgeway.proto` in Rust, written by hand so that no build needs a protobuf compiler. A test compiles the schema and
//! reads these bytes with it.

/// `edgeway.v1.Batch`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Batch {
    #[prost(message, repeated, tag = "1")]
    pub(super) messages: Vec<Message>,
}

/// `edgeway.v1.Message`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Message {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) id: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(super) subject: String,
    #[prost(int64, tag = "3")]
    pub(super) time_ms: i64,
    #[prost(enumeration = "Clock", tag = "4")]
    pub(super) clock: i32,
    #[prost(oneof = "Body", tags = "10, 11, 12, 13, 14, 15, 16, 17, 18, 19")]
    pub(super) body: Option<Body>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Body {
    #[prost(message, tag = "10")]
    Report(Report),
    #[prost(message, tag = "11")]
    Event(Event),
    #[prost(message, tag = "12")]
    Status(Status),
    #[prost(message, tag = "13")]
    Row(Row),
    #[prost(message, tag = "14")]
    Firing(Firing),
    #[prost(message, tag = "15")]
    Command(Command),
    #[prost(message, tag = "16")]
    Notice(Notice),
    #[prost(message, tag = "17")]
    Ledger(Ledger),
    #[prost(message, tag = "18")]
    Balance(Balance),
    #[prost(message, tag = "19")]
    Selected(Struct),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum Clock {
    Set = 0,
    Unset = 1,
    Corrected = 2,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Value {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6, 7, 8")]
    pub(super) kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Kind {
    #[prost(bool, tag = "1")]
    Boolean(bool),
    #[prost(sint64, tag = "2")]
    Integer(i64),
    #[prost(float, tag = "3")]
    Single(f32),
    #[prost(double, tag = "4")]
    Number(f64),
    #[prost(string, tag = "5")]
    Text(String),
    #[prost(bytes, tag = "6")]
    Binary(Vec<u8>),
    #[prost(message, tag = "7")]
    List(List),
    #[prost(message, tag = "8")]
    Struct(Struct),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct List {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<Value>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Struct {
    #[prost(message, repeated, tag = "1")]
    pub(super) fields: Vec<Field>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Field {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum Quality {
    Good = 0,
    Uncertain = 1,
    Stale = 2,
    Bad = 3,
    BadConfig = 4,
    BadNotConnected = 5,
    BadDevice = 6,
    BadTimeout = 7,
    BadOutOfRange = 8,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Report {
    #[prost(string, tag = "1")]
    pub(super) device: String,
    #[prost(string, tag = "2")]
    pub(super) model: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) values: Vec<Observation>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Observation {
    #[prost(string, tag = "1")]
    pub(super) property: String,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<Value>,
    #[prost(string, optional, tag = "3")]
    pub(super) label: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(super) unit: Option<String>,
    #[prost(enumeration = "Quality", tag = "5")]
    pub(super) quality: i32,
    #[prost(int64, tag = "6")]
    pub(super) source_time_ms: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Event {
    #[prost(string, tag = "1")]
    pub(super) device: String,
    #[prost(string, tag = "2")]
    pub(super) model: String,
    #[prost(string, tag = "3")]
    pub(super) event: String,
    #[prost(string, tag = "4")]
    pub(super) kind: String,
    #[prost(message, optional, tag = "5")]
    pub(super) output: Option<Struct>,
    #[prost(int64, tag = "6")]
    pub(super) source_time_ms: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Status {
    #[prost(string, tag = "1")]
    pub(super) device: String,
    #[prost(string, tag = "2")]
    pub(super) model: String,
    #[prost(string, tag = "3")]
    pub(super) state: String,
    #[prost(string, tag = "4")]
    pub(super) reason: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Row {
    #[prost(string, tag = "1")]
    pub(super) query: String,
    #[prost(string, tag = "2")]
    pub(super) row_id: String,
    #[prost(message, optional, tag = "3")]
    pub(super) values: Option<Struct>,
    #[prost(int64, tag = "4")]
    pub(super) source_time_ms: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Firing {
    #[prost(string, tag = "1")]
    pub(super) scene: String,
    #[prost(string, tag = "2")]
    pub(super) cause: String,
    #[prost(string, repeated, tag = "3")]
    pub(super) chain: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Command {
    #[prost(string, tag = "1")]
    pub(super) device: String,
    #[prost(string, tag = "2")]
    pub(super) model: String,
    #[prost(string, tag = "3")]
    pub(super) command: String,
    #[prost(string, tag = "4")]
    pub(super) state: String,
    #[prost(string, optional, tag = "5")]
    pub(super) reason: Option<String>,
    #[prost(message, optional, tag = "6")]
    pub(super) result: Option<Value>,
    #[prost(oneof = "Action", tags = "7, 8")]
    pub(super) action: Option<Action>,
    #[prost(string, tag = "9")]
    pub(super) origin: String,
    #[prost(int64, tag = "10")]
    pub(super) issued_ms: i64,
    #[prost(int64, tag = "11")]
    pub(super) deadline_ms: i64,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Action {
    #[prost(message, tag = "7")]
    Set(Field),
    #[prost(message, tag = "8")]
    Invoke(Invoke),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Invoke {
    #[prost(string, tag = "1")]
    pub(super) service: String,
    #[prost(message, optional, tag = "2")]
    pub(super) input: Option<Struct>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Notice {
    #[prost(string, tag = "1")]
    pub(super) channel: String,
    #[prost(string, tag = "2")]
    pub(super) text: String,
    #[prost(string, tag = "3")]
    pub(super) scene: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Ledger {
    #[prost(string, tag = "1")]
    pub(super) consumer: String,
    #[prost(string, tag = "2")]
    pub(super) reason: String,
    #[prost(uint64, tag = "3")]
    pub(super) from: u64,
    #[prost(uint64, tag = "4")]
    pub(super) to: u64,
    #[prost(uint64, tag = "5")]
    pub(super) count: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Balance {
    #[prost(string, tag = "1")]
    pub(super) route: String,
    #[prost(message, optional, tag = "2")]
    pub(super) total: Option<Account>,
    #[prost(message, repeated, tag = "3")]
    pub(super) devices: Vec<DeviceAccount>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DeviceAccount {
    #[prost(string, tag = "1")]
    pub(super) device: String,
    #[prost(message, optional, tag = "2")]
    pub(super) account: Option<Account>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Account {
    #[prost(uint64, tag = "1")]
    pub(super) taken: u64,
    #[prost(uint64, tag = "2")]
    pub(super) delivered: u64,
    #[prost(uint64, tag = "3")]
    pub(super) queued: u64,
    #[prost(uint64, tag = "4")]
    pub(super) expired: u64,
    #[prost(uint64, tag = "5")]
    pub(super) dropped: u64,
    #[prost(uint64, tag = "6")]
    pub(super) dead: u64,
}
