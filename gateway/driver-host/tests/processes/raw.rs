//! Whoever speaks the contract badly: a client of gRPC that keeps to none of its rules.

use crate::house::*;
use edgeway_driver_host::{DriverHost, ProcessDriver, manifest};
use edgeway_sdk::*;
use edgeway_sdk_wire::proto::driver_host_client::DriverHostClient;
use edgeway_sdk_wire::proto::{Data, Hello, ToDriver, ToGateway, to_driver, to_gateway};
use serde_json::json;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;
use tonic::{Status, Streaming};

const TOKEN: &str = "a-token-of-the-operators";

/// A host that expects whoever knows the token.
struct Door {
    driver: Arc<ProcessDriver>,
    host: DriverHost,
    folder: TempDir,
}

impl Door {
    async fn open() -> Door {
        let folder = tempfile::tempdir().unwrap();
        let manifest = manifest(&launch(folder.path().to_owned())).unwrap();
        let driver = Arc::new(ProcessDriver::remote(manifest, TOKEN.into()).unwrap());
        let host = DriverHost::start(folder.path(), std::slice::from_ref(&driver), None).await.unwrap();
        Door { driver, host, folder }
    }

    fn hello(&self) -> Hello {
        let manifest = serde_json::to_string(self.driver.manifest()).unwrap();
        Hello { manifest, api_min: 1, api_max: 1, token: TOKEN.into(), epoch: 1 }
    }

    /// Says hello, and gives both directions if that was welcome.
    async fn dial(&self, hello: Hello) -> Result<(mpsc::Sender<ToGateway>, Streaming<ToDriver>), Status> {
        let place = format!("unix:{}", self.folder.path().join("drivers.sock").display());
        let channel = Endpoint::from_shared(place).unwrap().connect().await.unwrap();
        let mut client = DriverHostClient::new(channel).max_encoding_message_size(usize::MAX);
        let (out, to_send) = mpsc::channel(1024);
        out.send(ToGateway { re: 0, body: Some(to_gateway::Body::Hello(hello)) }).await.unwrap();
        let mut said = client.session(ReceiverStream::new(to_send)).await?.into_inner();
        let welcome = said.message().await?.and_then(|message| message.body);
        assert!(matches!(welcome, Some(to_driver::Body::Welcome(_))));
        Ok((out, said))
    }

    async fn until(&self, word: &str) {
        let is = || async { (self.driver.status().condition.word() == word).then_some(()) };
        eventually(&format!("the driver to be {word}"), is).await;
    }
}

/// The end of a session.
async fn ended(mut said: Streaming<ToDriver>) {
    let end = async { while let Ok(Some(_)) = said.message().await {} };
    timeout(WITHIN, end).await.expect("the session ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_64_mib_ends_the_session_and_the_next_one_is_welcome() {
    let door = Door::open().await;
    let (out, said) = door.dial(door.hello()).await.unwrap();
    door.until("running").await;
    let data = Data { points: vec![0], kinds: vec![4], texts: vec!["x".repeat(64 << 20)], ..Data::default() };
    out.send(ToGateway { re: 0, body: Some(to_gateway::Body::Data(data)) }).await.unwrap();
    ended(said).await;
    door.until("awaited").await;
    assert!(door.dial(Hello { epoch: 2, ..door.hello() }).await.is_ok());
    door.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_read_is_given_up_and_questions_come_back_meanwhile() {
    let door = Door::open().await;
    let (_out, _said) = door.dial(door.hello()).await.unwrap();
    let link = door.driver.open(json!({})).unwrap();
    let asked = timeout(WITHIN, link.plan(&devices(), &points(), Split::Nothing)).await;
    assert!(matches!(asked.expect("nobody waits for ever"), Err(Fault::Link(_))));
    door.until("awaited").await;
    door.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_ends_the_session() {
    let door = Door::open().await;
    let (out, said) = door.dial(door.hello()).await.unwrap();
    out.send(ToGateway { re: 0, body: None }).await.unwrap();
    ended(said).await;
    door.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_another_manifest_and_an_old_epoch_are_turned_away_with_the_reason() {
    let door = Door::open().await;
    let (_out, _said) = door.dial(Hello { epoch: 7, ..door.hello() }).await.unwrap();
    let wrong = [
        (Hello { api_min: 2, api_max: 3, ..door.hello() }, "it speaks versions 2 to 3 of the contract"),
        (Hello { manifest: "{}".into(), ..door.hello() }, "its manifest is not the one"),
        (Hello { epoch: 6, ..door.hello() }, "epoch 6 is over, it is 7 now"),
    ];
    for (hello, reason) in wrong {
        let status = door.dial(hello).await.expect_err("turned away");
        assert!(status.message().contains(reason), "{}", status.message());
    }
    door.until("running").await;
    door.host.stop().await;
}
