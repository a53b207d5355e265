//! What the fuzz targets share: damaged copies of sound folders, and a site to speak of.

mod damage;
mod folder;
mod log;
pub mod seal;
mod site;
mod wait;

pub use damage::{Checksums, Damage};
pub use folder::Folder;
pub use log::{Bytes, FIRST_VERSION, ITEMS, Read, item, options, read_all, write};
pub use site::{things, with_known_numbers};
pub use wait::wait;
