//! Python's own server and client: `python -m http.server`, `urllib`, `ssl` and `hmac`.

mod certificates;
mod client;
mod secure_client;
mod server;

use std::path::PathBuf;

fn python() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python")
}
