//! Python's own server and client: `python -m http.server`, `urllib` and `hmac`.

mod client;
mod server;

use std::path::PathBuf;

fn python() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python")
}
