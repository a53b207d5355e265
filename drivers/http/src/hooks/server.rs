//! The server for what devices send: HTTP/1.1, with a deadline for everything that a sender does.

use super::desk::{Desk, Refusal};
use super::door::Door;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// The most headers of a request.
const HEADERS_MAX: usize = 64;
/// How long nobody is let in when there is no room for one more connection in the whole system.
const NO_ROOM: Duration = Duration::from_millis(50);

/// Takes connections until it is dropped; all of them end with it.
pub(crate) async fn serve(listener: TcpListener, door: Option<Door>, desk: Desk) {
    let (door, desk) = (door.map(Arc::new), Arc::new(desk));
    let room = Arc::new(Semaphore::new(desk.connections_max));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (door, desk) = (door.clone(), desk.clone());
                connections.spawn(async move {
                    enter(stream, door, desk).await;
                    drop(place);
                });
            }
            Err(_) => sleep(NO_ROOM).await,
        }
    }
}

async fn enter(stream: TcpStream, door: Option<Arc<Door>>, desk: Arc<Desk>) {
    match door {
        None => connection(stream, desk).await,
        Some(door) => {
            if let Some(stream) = door.enter(stream).await {
                connection(stream, desk).await;
            }
        }
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, desk: Arc<Desk>) {
    let patience = desk.timeout;
    let answer = service_fn(move |request| {
        let desk = desk.clone();
        async move { Ok::<_, Infallible>(answer(&desk, request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        // Also how long a connection is kept on which nothing comes.
        .header_read_timeout(patience)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), answer);
    // What a sender does to its connection is its own affair.
    let _ = served.await;
}

async fn answer(desk: &Desk, request: Request<Incoming>) -> Response<Full<Bytes>> {
    match take(desk, request).await {
        Ok(()) => status(StatusCode::NO_CONTENT, Bytes::new()),
        Err(refusal) => {
            desk.counters.refused.add();
            refused(refusal)
        }
    }
}

async fn take(desk: &Desk, request: Request<Incoming>) -> Result<(), Refusal> {
    let (head, body) = request.into_parts();
    desk.admit(&head.method, head.uri.path(), &head.headers)?;
    let payload = payload(desk, body).await?;
    desk.take(head.uri.path(), &head.headers, &payload)
}

async fn payload(desk: &Desk, body: Incoming) -> Result<Bytes, Refusal> {
    let too_long = || {
        let reason = format!("the body has more than {} bytes", desk.body_bytes_max);
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
    };
    if body.size_hint().lower() > desk.body_bytes_max as u64 {
        return Err(too_long());
    }
    match timeout(desk.timeout, Limited::new(body, desk.body_bytes_max).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_long()),
        Ok(Err(error)) => Err(Refusal::new(StatusCode::BAD_REQUEST, format!("the body is not whole: {error}"))),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
    }
}

fn refused(refusal: Refusal) -> Response<Full<Bytes>> {
    let mut response = status(refusal.status, Bytes::from(refusal.reason + "\n"));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    match refusal.status {
        StatusCode::METHOD_NOT_ALLOWED => drop(headers.insert(ALLOW, HeaderValue::from_static("POST, PUT"))),
        StatusCode::UNAUTHORIZED => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        _ => {}
    }
    response
}

fn status(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}
