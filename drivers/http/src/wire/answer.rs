//! A whole answer, and no more of it than is allowed.

use super::Failure;
use bytes::{Bytes, BytesMut};
use edgeway_sdk::Timestamp;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Client, Request, Response, StatusCode, Url};

/// A body of unknown length begins with room for so much.
const ROOM_BYTES: usize = 4 << 10;
/// So much of what a server says to a refusal is shown.
const SAID_CHARS_MAX: usize = 200;

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) received: Timestamp,
}

impl Answer {
    /// Sends a request and receives all of its answer. If this is given up, or fails, the connection is closed: what comes late
    /// answers nobody else.
    pub(super) async fn receive(
        client: &Client,
        request: Request,
        url: &Url,
        bytes_max: usize,
    ) -> Result<Answer, Failure> {
        let mut response = client.execute(request).await.map_err(|error| Failure::of(&error))?;
        if let Some(encoding) = packed(response.headers()) {
            return Err(Failure::Broken(format!("{url} answered packed with {encoding}, which was not asked for")));
        }
        let body = body(&mut response, bytes_max, url).await?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        Ok(Answer { status, headers, body, received: Timestamp::now() })
    }

    /// The media type, if it is told.
    pub(crate) fn media_type(&self) -> Option<&str> {
        self.headers.get(CONTENT_TYPE)?.to_str().ok()
    }

    /// The status, and what the server says to it, in one line.
    pub(crate) fn said(&self) -> String {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(SAID_CHARS_MAX * 4)]);
        let is_prose = self.media_type().is_none_or(|kind| !kind.starts_with("text/html"));
        let shown: String = text.chars().filter(|c| !c.is_control()).take(SAID_CHARS_MAX).collect();
        match shown.trim() {
            said if is_prose && !said.is_empty() => format!("{}: {said}", self.status),
            _ => self.status.to_string(),
        }
    }
}

/// Unpacking what a stranger has packed can take any amount of memory.
fn packed(headers: &HeaderMap) -> Option<String> {
    let encoding = headers.get(CONTENT_ENCODING)?;
    let text = String::from_utf8_lossy(encoding.as_bytes()).trim().to_ascii_lowercase();
    (!text.is_empty() && text != "identity").then_some(text)
}

async fn body(response: &mut Response, bytes_max: usize, url: &Url) -> Result<Bytes, Failure> {
    let too_long = || Failure::Broken(format!("{url} answered with more than {bytes_max} bytes (`max_body`)"));
    let told = response.content_length().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if told.is_some_and(|length| length > bytes_max) {
        return Err(too_long());
    }
    let mut next = async || response.chunk().await.map_err(|error| Failure::of(&error));
    let Some(first) = next().await? else { return Ok(Bytes::new()) };
    // Most answers come in one piece, which is not copied.
    if told == Some(first.len()) {
        return match next().await? {
            None => Ok(first),
            Some(_) => Err(Failure::Broken(format!("{url} answered with more than it had said"))),
        };
    }
    let mut body = BytesMut::with_capacity(told.unwrap_or(ROOM_BYTES).max(first.len()));
    let mut piece = Some(first);
    while let Some(bytes) = piece {
        if body.len() + bytes.len() > bytes_max {
            return Err(too_long());
        }
        body.extend_from_slice(&bytes);
        piece = next().await?;
    }
    Ok(body.freeze())
}

/// Where an answer sends us.
pub(super) fn moved_to(answer: &Answer, from: &Url) -> Option<Url> {
    let moves = matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let place = answer.headers.get(LOCATION).filter(|_| moves)?;
    from.join(place.to_str().ok()?).ok()
}
