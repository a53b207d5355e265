//! The driver: what the gateway calls.

mod browse;
mod call;
mod client_link;
mod discover;
mod hook_link;
mod read;
mod thing;
mod write;

use crate::Http;
use crate::config::{DeviceOptions, LinkOptions, Point, WrittenDevice, WrittenLink, WrittenPoint};
use crate::plan;
use async_trait::async_trait;
use client_link::ClientLink;
use edgeway_sdk::{Access, Capabilities, Deadline, Discovered, Driver, Fault, Json, Link, Manifest, Problem};
use hook_link::HookLink;
use std::sync::{Arc, LazyLock};
use tokio::sync::mpsc;

#[async_trait]
impl Driver for Http {
    fn manifest(&self) -> &Manifest {
        static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
            let can = Capabilities { write: true, watch: true, call: true, browse: true, discover: true };
            Manifest::new("http", env!("CARGO_PKG_VERSION"), "HTTP: polls, and webhooks")
                .can(can)
                .wire(&["endpoint", "username"])
                .options::<WrittenLink, WrittenDevice, WrittenPoint>()
        });
        &MANIFEST
    }

    fn check_link(&self, options: &Json) -> Result<String, Vec<Problem>> {
        LinkOptions::parse(options).map(|link| link.key())
    }

    fn check_device(&self, options: &Json) -> Vec<Problem> {
        DeviceOptions::parse(options).err().unwrap_or_default()
    }

    fn check_point(&self, options: &Json, access: Access) -> Vec<Problem> {
        Point::parse(options, access).err().unwrap_or_default()
    }

    fn open(&self, options: Json) -> Result<Arc<dyn Link>, Fault> {
        match LinkOptions::parse(&options).map_err(|problems| plan::wrong(&problems))? {
            LinkOptions::Client(options) => Ok(Arc::new(ClientLink::new(*options))),
            LinkOptions::Hooks(options) => Ok(Arc::new(HookLink::new(options))),
        }
    }

    async fn discover(&self, hint: Json, found: mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
        discover::run(hint, &found, by).await
    }
}
