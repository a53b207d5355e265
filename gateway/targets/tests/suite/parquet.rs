//! Parquet files, read with pyarrow, in a folder and in an object store (moto).

mod gate;

use crate::peer::{Arrived, Peer, WITHIN, id, look_until, message, open};
use crate::process::Process;
use crate::promises::suite;
use crate::route::Route;
use crate::tables::{self, MIDNIGHT_MILLIS, TABLE, delivery, row};
use async_trait::async_trait;
use edgeway_site::{ObjectStore, ParquetTarget, Secret, TargetKind};
use edgeway_targets::{Delivery, Opening, Outcome, TargetError};
use gate::Gate;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

const READER: &str = "tests/suite/parquet/reader.py";
const BUCKET: &str = "farm";
/// Files are finished by age in the suite, so that everything is settled soon.
const SOON: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_secs(3600);

/// What the reader prints.
async fn read(arguments: &[&str]) -> Vec<Value> {
    let python = format!("{}/../../.venv/bin/python", env!("CARGO_MANIFEST_DIR"));
    let mut command = tokio::process::Command::new(python);
    let command = command.arg(format!("{}/{READER}", env!("CARGO_MANIFEST_DIR"))).args(arguments);
    let done = command.output().await.expect("tests/run installs Python's packages");
    assert!(done.status.success(), "{}: {}", done.status, String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The rows of all files, in the order of their names.
fn rows(files: &[Value]) -> Vec<Arrived> {
    let rows = files.iter().flat_map(|file| file["rows"].as_array().expect("rows"));
    let arrived = rows.map(|row| Arrived {
        n: row[1].as_u64().expect("a number"),
        bytes: row[2].as_u64().expect("a number") as usize,
        id: row[0].as_str().map(str::to_owned),
    });
    arrived.collect()
}

fn numbers(files: &[Value]) -> Vec<u64> {
    rows(files).into_iter().map(|row| row.n).collect()
}

fn in_folder(path: &Path, file_bytes: u64, file_age: Duration) -> TargetKind {
    let store = ObjectStore::Folder(path.to_owned());
    TargetKind::Parquet(Box::new(ParquetTarget { store, file_bytes, file_age }))
}

/// A row whose time is in no calendar.
fn unwanted(n: u64) -> Delivery {
    delivery(n..n + 1, tables::table(TABLE, n..n + 1, i64::MAX, ""))
}

/// What restarts is whoever tidies up: the folder is set aside while we write.
struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    async fn new() -> Self {
        Folder { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("out")
    }
}

#[async_trait]
impl Peer for Folder {
    fn site(&self) -> TargetKind {
        in_folder(&self.path(), 64 << 20, SOON)
    }

    fn message(&self, n: u64, bytes: usize) -> Delivery {
        row(n, bytes)
    }

    fn unwanted(&self, n: u64) -> Option<Delivery> {
        Some(unwanted(n))
    }

    async fn restart(&mut self) {
        std::fs::rename(self.path(), self.folder.path().join("aside")).expect("the folder is there");
    }

    async fn arrived(&mut self, _wanted: usize) -> Vec<Arrived> {
        rows(&read(&["folder", self.folder.path().to_str().expect("text")]).await)
    }
}

suite!(promises_of_parquet_in_a_folder, Folder::new());

/// moto has its objects in memory, so what restarts is the network before it.
struct Bucket {
    gate: Gate,
    endpoint: String,
    _moto: Process,
}

impl Bucket {
    async fn new() -> Self {
        let port = edgeway_conformance::free_port();
        let program = format!("{}/../../.venv/bin/moto_server", env!("CARGO_MANIFEST_DIR"));
        let mut command = tokio::process::Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stderr(Stdio::null());
        let moto = Process::start("moto_server", &mut command);
        look_until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()).await;
        let endpoint = format!("http://127.0.0.1:{port}");
        read(&["bucket", &endpoint, BUCKET]).await;
        Bucket { gate: Gate::before(port).await, endpoint, _moto: moto }
    }

    fn target(&self, bucket: &str, file_bytes: u64, file_age: Duration) -> TargetKind {
        let store = ObjectStore::S3 {
            endpoint: Some(format!("http://127.0.0.1:{}", self.gate.port)),
            region: "us-east-1".into(),
            bucket: bucket.into(),
            prefix: "north/".into(),
            key: Some(("farm".into(), Secret::new("s3cret"))),
        };
        TargetKind::Parquet(Box::new(ParquetTarget { store, file_bytes, file_age }))
    }

    async fn files(&self) -> Vec<Value> {
        read(&["s3", &self.endpoint, BUCKET]).await
    }
}

#[async_trait]
impl Peer for Bucket {
    fn site(&self) -> TargetKind {
        self.target(BUCKET, 64 << 20, SOON)
    }

    /// moto knows no wrong keys, but wrong buckets.
    fn stranger(&self) -> Option<TargetKind> {
        Some(self.target("nobodys", 64 << 20, SOON))
    }

    fn message(&self, n: u64, bytes: usize) -> Delivery {
        row(n, bytes)
    }

    fn unwanted(&self, n: u64) -> Option<Delivery> {
        Some(unwanted(n))
    }

    async fn restart(&mut self) {
        self.gate.cut();
    }

    async fn arrived(&mut self, _wanted: usize) -> Vec<Arrived> {
        rows(&self.files().await)
    }
}

suite!(promises_of_parquet_in_a_bucket, Bucket::new());

/// Sends everything and finishes its files.
async fn run(site: TargetKind, deliveries: Vec<Delivery>) -> Route {
    let mut route = Route::new(site);
    route.target.connect(Opening::default()).await.expect("a place to write");
    route.send(deliveries).await;
    let finished = route.target.finish().await;
    route.note(finished).await;
    assert_eq!(route.errors, []);
    route.target.close().await;
    route
}

/// Text that does not compress, in deliveries of 1,000 rows each.
fn noise(deliveries: u64) -> Vec<Delivery> {
    let mut seed = 7_u64;
    let mut text = || {
        let digits = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{:015x}", seed >> 4)
        });
        digits.take(70).collect::<String>()
    };
    let deliveries = (0..deliveries).map(|at| {
        let numbers = at * 1000..(at + 1) * 1000;
        let pads: Vec<_> = numbers.clone().map(|_| text()).collect();
        let table = tables::table(TABLE, numbers.clone(), MIDNIGHT_MILLIS, "");
        let pads = tables::texts(pads.iter().map(|pad| Some(pad.as_str())).collect());
        let columns = ["id", "time", "n"].map(|name| (name, table.batch.column_by_name(name).expect("there").clone()));
        let [id, time, n] = columns;
        delivery(
            numbers,
            edgeway_formats::Table { name: TABLE.into(), batch: tables::rows([id, time, n, ("pad", pads)]) },
        )
    });
    deliveries.collect()
}

#[tokio::test]
async fn files_are_partitioned_by_kind_model_and_day_and_named_by_their_first_row() {
    let peer = Folder::new().await;
    let other = |n: u64, name: &str, millis| delivery(n..n + 1, tables::table(name, n..n + 1, millis, "x"));
    let deliveries = vec![
        row(1, 1),
        other(2, TABLE, MIDNIGHT_MILLIS - 1),
        other(3, "stream/ti_10min", MIDNIGHT_MILLIS),
        row(4, 1),
        other(5, "status", MIDNIGHT_MILLIS),
    ];
    run(in_folder(&peer.path(), 64 << 20, LATE), deliveries).await;
    let files = read(&["folder", peer.path().to_str().expect("text")]).await;
    let expected = [
        format!("kind=property/model=wind_turbine/day=2026-11-25/suite-{}.parquet", id(2)),
        format!("kind=property/model=wind_turbine/day=2026-11-26/suite-{}.parquet", id(1)),
        format!("kind=status/day=2026-11-26/suite-{}.parquet", id(5)),
        format!("kind=stream/query=ti_10min/day=2026-11-26/suite-{}.parquet", id(3)),
    ];
    assert_eq!(files.iter().map(|file| file["path"].as_str().expect("a path")).collect::<Vec<_>>(), expected);
    assert_eq!(numbers(&files[1..2]), [1, 4]);
    let types = serde_json::json!({
        "id": "fixed_size_binary[16]", "time": "timestamp[ms, tz=UTC]", "device": "string", "n": "int64", "pad": "string"
    });
    assert_eq!(files[0]["types"], types);
    assert_eq!(files[0]["compression"], "ZSTD");
    let dataset = read(&["hive", peer.path().join("kind=property").to_str().expect("text")]).await;
    let row = |n, day| serde_json::json!({"model": "wind_turbine", "day": day, "n": n});
    assert_eq!(dataset[0], serde_json::json!([row(1, "2026-11-26"), row(2, "2026-11-25"), row(4, "2026-11-26")]));
}

#[tokio::test]
async fn a_file_is_finished_at_its_size_and_row_groups_are_small() {
    let peer = Folder::new().await;
    run(in_folder(&peer.path(), 20 << 20, LATE), noise(50)).await;
    let files = read(&["folder", peer.path().to_str().expect("text")]).await;
    assert_eq!(numbers(&files), (0..50_000).collect::<Vec<_>>());
    let sizes: Vec<_> = files.iter().map(|file| size(&peer.path(), file)).collect();
    assert!(sizes.len() >= 2 && sizes.iter().all(|size| *size < 24 << 20), "{sizes:?}");
    let groups = files.iter().flat_map(|file| file["groups"].as_array().expect("sizes")).map(Value::as_u64);
    let groups: Vec<_> = groups.map(|bytes| bytes.expect("a size")).collect();
    assert!(groups.len() > sizes.len() && groups.iter().all(|bytes| *bytes <= 10 << 20), "{groups:?}");
}

fn size(root: &Path, file: &Value) -> u64 {
    std::fs::metadata(root.join(file["path"].as_str().expect("a path"))).expect("it is there").len()
}

#[tokio::test]
async fn large_objects_are_uploaded_in_parts() {
    let peer = Bucket::new().await;
    run(peer.target(BUCKET, 64 << 20, LATE), noise(20)).await;
    let files = peer.files().await;
    assert_eq!(files.len(), 1);
    let path = format!("north/kind=property/model=wind_turbine/day=2026-11-26/suite-{}.parquet", id(0));
    assert_eq!(files[0]["path"], path);
    let etag = files[0]["etag"].as_str().expect("every object has one");
    assert!(etag.contains("-3"), "{etag} is not that of three parts");
    assert_eq!(numbers(&files), (0..20_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_is_settled_or_seen_before_its_file_is_complete() {
    let peer = Folder::new().await;
    let mut target = open(in_folder(&peer.path(), 64 << 20, LATE));
    target.connect(Opening::default()).await.expect("a folder");
    assert_eq!(target.send(vec![row(0, 10)]).await, Ok(vec![]));
    look_until(|| hidden(&peer.path()).len() == 1).await;
    assert_eq!(hidden(&peer.path()).len(), 1, "it is being gathered");
    assert_eq!(read(&["folder", peer.path().to_str().expect("text")]).await, Vec::<Value>::new());
    drop(target);
    look_until(|| hidden(&peer.path()).is_empty()).await;
    assert!(hidden(&peer.path()).is_empty(), "who gives up gathering leaves nothing");
}

/// Files that are not finished.
fn hidden(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let unfinished = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "tmp"));
    unfinished.chain(folders.iter().flat_map(|folder| hidden(folder))).collect()
}

#[tokio::test]
async fn what_is_sent_again_replaces_what_was_there() {
    let peer = Folder::new().await;
    for _ in 0..2 {
        run(peer.site(), (0..10).map(|n| row(n, 10)).collect()).await;
    }
    let files = read(&["folder", peer.path().to_str().expect("text")]).await;
    assert_eq!((files.len(), numbers(&files)), (1, (0..10).collect()));
}

#[tokio::test]
async fn two_routes_in_one_folder_touch_only_their_own() {
    let peer = Folder::new().await;
    let other = peer.path().join(format!("kind=status/day=2026-11-26/.suite-2-{}.parquet.tmp", id(0)));
    let own = peer.path().join(format!("kind=status/day=2026-11-26/.suite-{}.parquet.tmp", id(0)));
    std::fs::create_dir_all(own.parent().expect("a folder")).expect("our own folder");
    for path in [&own, &other] {
        std::fs::write(path, "torn").expect("our own folder");
    }
    open(peer.site()).connect(Opening::default()).await.expect("a folder");
    assert_eq!(hidden(&peer.path()), [other]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_is_denied() {
    let peer = Folder::new().await;
    std::fs::write(peer.path(), "a file").expect("our own folder");
    let error = open(in_folder(&peer.path().join("below"), 1 << 20, SOON)).connect(Opening::default()).await;
    assert!(matches!(error, Err(TargetError::Denied(_))), "{error:?}");
}

#[tokio::test]
async fn bytes_are_refused() {
    let peer = Folder::new().await;
    let route = run(peer.site(), vec![message(0, 10)]).await;
    assert!(matches!(route.settled[0].1, Outcome::Refused(_)));
}

/// Where the child writes.
const CHILD_FOLDER: &str = "EDGEWAY_SUITE_FOLDER";
const CHILD_FILE_BYTES: u64 = 100_000;

#[tokio::test]
#[ignore = "only as a child of the test below"]
async fn the_child_that_writes() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER) else { return };
    let mut route = Route::new(in_folder(Path::new(&folder), CHILD_FILE_BYTES, LATE));
    route.target.connect(Opening::default()).await.expect("a place to write");
    for n in 0.. {
        route.send([row(n, 1000)]).await;
    }
}

#[tokio::test]
async fn a_kill_leaves_whole_files_and_what_is_sent_again_completes_them() {
    let peer = Folder::new().await;
    let mut command = tokio::process::Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "parquet::the_child_that_writes", "--ignored", "--nocapture"]);
    let mut child =
        command.env(CHILD_FOLDER, peer.path()).stdout(Stdio::null()).kill_on_drop(true).spawn().expect("started");
    let finished = || std::fs::read_dir(day(&peer.path())).into_iter().flatten().flatten().count() > 5;
    look_until(finished).await;
    child.kill().await.expect("our child");
    let before = read(&["folder", peer.path().to_str().expect("text")]).await;
    assert!(before.len() >= 4, "{} files", before.len());
    // A whole number of files means that the next message is the first that no file has.
    let count = rows(&before).len() as u64;
    assert_eq!(numbers(&before), (0..count).collect::<Vec<_>>());
    run(in_folder(&peer.path(), CHILD_FILE_BYTES, LATE), (0..count + 10).map(|n| row(n, 1000)).collect()).await;
    let after = read(&["folder", peer.path().to_str().expect("text")]).await;
    assert_eq!(numbers(&after), (0..count + 10).collect::<Vec<_>>());
    assert_eq!(hidden(&peer.path()), Vec::<PathBuf>::new());
}

fn day(root: &Path) -> PathBuf {
    root.join("kind=property/model=wind_turbine/day=2026-11-26")
}

#[tokio::test]
async fn a_bucket_that_is_cut_off_is_away() {
    let peer = Bucket::new().await;
    let nobody =
        tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port").local_addr().expect("bound");
    let TargetKind::Parquet(mut site) = peer.site() else { unreachable!("it is one") };
    let ObjectStore::S3 { endpoint, .. } = &mut site.store else { unreachable!("it is one") };
    *endpoint = Some(format!("http://{nobody}"));
    let mut target = open(TargetKind::Parquet(site));
    let connected = tokio::time::timeout(WITHIN, target.connect(Opening::default())).await.expect("an answer");
    assert!(matches!(connected, Err(TargetError::Away(_))), "{connected:?}");
}
