//! Peers of other makes: aiocoap and libcoap. Each test starts its own, on a free port.

mod aiocoap;
mod libcoap;
mod process;

use std::path::PathBuf;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
