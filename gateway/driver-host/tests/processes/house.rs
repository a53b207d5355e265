//! A host with one driver, and a link of it that is planned.

use edgeway_driver_host::{Condition, DriverHost, Launch, ProcessDriver, manifest};
use edgeway_sdk::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long anything may take that does happen.
pub(crate) const WITHIN: Duration = Duration::from_secs(30);

pub(crate) struct House {
    pub(crate) driver: Arc<ProcessDriver>,
    pub(crate) host: DriverHost,
    folder: TempDir,
}

impl House {
    pub(crate) async fn new() -> House {
        House::with(|_| {}).await
    }

    /// With the launch changed.
    pub(crate) async fn with(change: impl FnOnce(&mut Launch)) -> House {
        let folder = tempfile::tempdir().unwrap();
        let mut launch = launch(folder.path().to_owned());
        let manifest = manifest(&launch).unwrap();
        change(&mut launch);
        let driver = Arc::new(ProcessDriver::launched(launch, manifest).unwrap());
        let host = DriverHost::start(folder.path(), std::slice::from_ref(&driver), None).await.unwrap();
        House { driver, host, folder }
    }

    /// A link with this behaviour, planned.
    pub(crate) async fn link(&self, does: &str) -> (Arc<dyn Link>, Plan) {
        let link = self.driver.open(json!({ "endpoint": "x", "does": does })).unwrap();
        let plan = eventually("a plan", || async { link.plan(&devices(), &points(), Split::Nothing).await.ok() }).await;
        (link, plan)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("drivers.sock")
    }

    /// Waits until the driver is so, and gives the reason if it has one.
    pub(crate) async fn until(&self, word: &str) -> String {
        let what = format!("the driver to be {word}");
        let condition: Condition = eventually(&what, || async {
            Some(self.driver.status().condition).filter(|condition| condition.word() == word)
        })
        .await;
        condition.reason().unwrap_or_default()
    }
}

pub(crate) fn launch(folder: PathBuf) -> Launch {
    let program = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("examples/subject");
    assert!(program.exists(), "{} is built with the tests", program.display());
    Launch {
        name: "subject".into(),
        folder,
        command: vec![program.display().to_string()],
        environment: BTreeMap::new(),
        memory_max: None,
        cpu_max: None,
    }
}

/// Device 7 on every link.
pub(crate) fn devices() -> [DeviceSpec; 1] {
    [DeviceSpec { ix: DeviceIx(7), options: json!({}) }]
}

/// Points 10 to 13 that are read, and 20 that tells by itself.
pub(crate) fn points() -> Vec<PointSpec> {
    let point = |ix: u32, options: Json| PointSpec {
        ix: PointIx(ix),
        device: DeviceIx(7),
        options: Arc::new(options),
        access: Access::ReadWrite,
        period: Duration::from_millis(100),
    };
    let read = (10..14).map(|ix| point(ix, json!({ "at": f64::from(ix) + 0.5 })));
    read.chain([point(20, json!({ "at": 1, "watched": true }))]).collect()
}

pub(crate) fn soon() -> Deadline {
    Instant::now() + Duration::from_secs(2)
}

/// Connects, as often as the gateway would.
pub(crate) async fn connected(link: &Arc<dyn Link>) -> LinkInfo {
    eventually("a connection", || async { link.connect(soon()).await.ok() }).await
}

/// The values of a step.
pub(crate) async fn values(link: &Arc<dyn Link>, step: &Step) -> Result<Vec<Value>, Fault> {
    let mut batch = Batch::default();
    link.exec(step.id, &mut batch, soon()).await?;
    assert_eq!(batch.points, step.points);
    assert!(batch.qualities.iter().all(|quality| quality.is_good()));
    Ok(batch.values)
}

/// Waits until there is something.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let until = Instant::now() + WITHIN;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "waited {WITHIN:?} for {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
