//! Who dials in, and whether it may sit down.

use crate::seat::Seat;
use crate::session::{CREDIT, HEARTBEAT, OUT_MAX, Session};
use edgeway_sdk::Manifest;
use edgeway_sdk_wire::proto::driver_host_server::{DriverHost, DriverHostServer};
use edgeway_sdk_wire::proto::to_driver::Body as Question;
use edgeway_sdk_wire::proto::{Hello, ToDriver, ToGateway, Welcome, to_gateway};
use edgeway_sdk_wire::{API, TO_DRIVER_MAX, TO_GATEWAY_MAX, words};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::UdsConnectInfo;
use tonic::{Request, Response, Status, Streaming};
use tracing::warn;

/// How long whoever dials in may take to say hello.
pub(crate) const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// Takes whoever dials in.
#[derive(Clone)]
pub(crate) struct Reception {
    seats: Arc<[Arc<Seat>]>,
}

impl Reception {
    pub(crate) fn service(seats: Arc<[Arc<Seat>]>) -> DriverHostServer<Reception> {
        let service = DriverHostServer::new(Reception { seats });
        service.max_decoding_message_size(TO_GATEWAY_MAX).max_encoding_message_size(TO_DRIVER_MAX)
    }

    /// The seat for whoever says this.
    ///
    /// # Errors
    /// Why there is none.
    fn seat(&self, hello: &Hello) -> Result<&Arc<Seat>, Status> {
        let seat = self.seats.iter().find(|seat| seat.knows(&hello.token));
        let seat = seat.ok_or_else(|| Status::unauthenticated("this token is not known, or not any more"))?;
        if hello.api_min > API || hello.api_max < API {
            let (min, max) = (hello.api_min, hello.api_max);
            let reason = format!("it speaks versions {min} to {max} of the contract, the gateway speaks {API}");
            return Err(Status::failed_precondition(reason));
        }
        let manifest: Option<Manifest> = serde_json::from_str(&hello.manifest).ok();
        if manifest.as_ref() != Some(&seat.manifest) {
            let reason = "its manifest is not the one that the gateway has loaded: restart the gateway";
            return Err(Status::failed_precondition(reason));
        }
        Ok(seat)
    }
}

#[tonic::async_trait]
impl DriverHost for Reception {
    type SessionStream = ReceiverStream<Result<ToDriver, Status>>;

    async fn session(&self, request: Request<Streaming<ToGateway>>) -> Result<Response<Self::SessionStream>, Status> {
        is_ours(&request)?;
        let mut said = request.into_inner();
        let first = timeout(HELLO_WITHIN, said.next()).await;
        let Ok(Some(Ok(ToGateway { body: Some(to_gateway::Body::Hello(hello)), .. }))) = first else {
            return Err(Status::invalid_argument("a session begins with a hello, within 10 s"));
        };
        let seat =
            self.seat(&hello).inspect_err(|status| warn!(reason = status.message(), "A driver was turned away."))?;
        let (out, to_driver) = mpsc::channel(OUT_MAX);
        let welcome = Welcome { api: API, credit: CREDIT, heartbeat_ms: words::millis(HEARTBEAT) };
        let welcome = ToDriver { id: 0, body: Some(Question::Welcome(welcome)) };
        out.try_send(Ok(welcome)).map_err(|_| Status::internal("the first message does not fit"))?;
        let session = Arc::new(Session::new(seat.name.clone(), out));
        if let Err(reason) = seat.sit(session.clone(), hello.epoch) {
            warn!(driver = %seat.name, %reason, "A driver was turned away.");
            return Err(Status::failed_precondition(reason));
        }
        let seat = seat.clone();
        tokio::spawn(async move {
            tokio::join!(session.listen(said), session.beat());
            seat.leave(&session);
        });
        Ok(Response::new(ReceiverStream::new(to_driver)))
    }
}

/// Over a Unix socket, only processes of our own user.
fn is_ours(request: &Request<Streaming<ToGateway>>) -> Result<(), Status> {
    let Some(peer) = request.extensions().get::<UdsConnectInfo>().and_then(|info| info.peer_cred) else {
        return Ok(());
    };
    match peer.uid() == rustix::process::getuid().as_raw() {
        true => Ok(()),
        false => Err(Status::permission_denied("the gateway runs as another user")),
    }
}
