//! Reads a site folder and says everything that is wrong with it.
//!
//! A site is a folder that describes one gateway completely: models, links, devices, scenes, queries, routes.
//! [`load`] parses and validates it; the gateway then builds from the [`Site`] that comes out. Every mistake is found
//! in one go, each a [`Finding`] with file, line, column and key. The format is documented in this package's README.
//!
//! **It is not** the place where anything is opened or started: it reads the files of the folder (and files that
//! secrets name) and nothing else. It compiles no scenes and plans no queries; it only lists and reads them. The
//! gateway compiles them and adds what it finds to the same report.
//!
//! # Limits
//!
//! 16 MiB a file; symbolic links must end inside the folder; polls from 10 ms to 24 h.
//!
//! # Example
//!
//! ```no_run
//! # let drivers: Vec<std::sync::Arc<dyn edgeway_sdk::Driver>> = vec![];
//! match edgeway_site::load(std::path::Path::new("sites/wind-farm"), &drivers) {
//!     Ok(loaded) => println!("{} devices", loaded.site.things.devices().len()),
//!     Err(failed) => eprint!("{failed}"),
//! }
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod devices;
mod finding;
mod folder;
mod init;
mod load;
mod models;
mod quantity;
mod report;
mod routes;
mod scenes;
mod schema;
mod section;
mod settings;
mod site;
mod subjects;
mod tables;
mod tree;
mod variable;

pub use devices::sheet::{Export, Imported, Sheet, export, import};
pub use finding::{Failed, Finding, render, sort};
pub use init::{Error, init};
pub use load::{Loaded, drivers, load, load_with_variables};
pub use quantity::is_name;
pub use schema::{SchemaOf, schema};
pub use site::{
    ClassOptions, ClassSite, DriverListen, DriverSite, DriverStart, EventSite, FileTarget, FormatSite, HttpAuth,
    HttpTarget, JournalOptions, KafkaTarget, LinkSite, MqttPreset, MqttTarget, MqttVersion, NatsTarget, ObjectStore,
    OnFull, Order, ParquetTarget, PointSite, PostgresTarget, Rate, Reporting, RouteSite, SceneOptions, SceneUses,
    Secret, ServiceWrite, Site, SourceFile, SqlSite, Start, SyncSite, TargetKind, TargetSite, TextPlace, TlsFiles,
    Transport, UnsetClock, WriteFrom,
};
pub use tables::TableFile;
