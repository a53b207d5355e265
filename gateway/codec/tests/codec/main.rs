//! The codec as the journal uses it.

mod golden;
mod promises;
mod site;
mod version_1;
