//! Files in an object store that speaks S3: one request if they are small, an upload in parts if not. Either is there at
//! once and whole, or not at all.

use crate::TargetError;
use edgeway_site::ObjectStore as StoreSite;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ClientOptions, Error, MultipartUpload, ObjectStoreExt, RetryConfig};
use std::sync::Arc;
use std::time::Duration;

/// The smallest part that S3 takes. All parts but the last have this size, as some other stores want it.
const PART_BYTES: usize = 5 << 20;
/// A part takes this long on a link of 256 kbit/s.
const REQUEST_WITHIN: Duration = Duration::from_secs(180);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// The library repeats a request that failed. The route does so as well, so a few times are enough.
const REPEATS_MAX: usize = 2;
const REPEATED_WITHIN: Duration = Duration::from_secs(30);

pub(super) struct Store {
    store: Arc<AmazonS3>,
    prefix: String,
}

/// An object that nobody sees yet.
pub(super) struct Draft {
    store: Arc<AmazonS3>,
    path: Path,
    held: Vec<u8>,
    upload: Option<Box<dyn MultipartUpload>>,
}

impl Store {
    /// Begins an upload and ends it at once, which needs the rights that writing needs.
    pub(super) async fn open(route: &str, site: &StoreSite) -> Result<Self, TargetError> {
        let StoreSite::S3 { bucket, prefix, .. } = site else {
            return Err(TargetError::Denied("this is no object store".into()));
        };
        let store = builder(site).build().map_err(|error| TargetError::Denied(error.to_string()))?;
        let store = Store { store: Arc::new(store), prefix: prefix.trim_matches('/').to_owned() };
        let probe = store.path("", &format!(".{route}.probe"))?;
        let tried = async { store.store.put_multipart(&probe).await?.abort().await };
        tried.await.map_err(|error| match said(error) {
            TargetError::Denied(reason) => TargetError::Denied(format!(
                "{reason}; this login needs s3:PutObject and s3:AbortMultipartUpload in the bucket `{bucket}`"
            )),
            other => other,
        })?;
        Ok(store)
    }

    pub(super) fn create(&self, folder: &str, name: &str) -> Result<Draft, TargetError> {
        Ok(Draft { store: self.store.clone(), path: self.path(folder, name)?, held: vec![], upload: None })
    }

    fn path(&self, folder: &str, name: &str) -> Result<Path, TargetError> {
        let levels: Vec<_> = [&self.prefix, folder, name].into_iter().filter(|level| !level.is_empty()).collect();
        Path::parse(levels.join("/")).map_err(|error| TargetError::Denied(error.to_string()))
    }
}

fn builder(site: &StoreSite) -> AmazonS3Builder {
    let StoreSite::S3 { endpoint, region, bucket, key, .. } = site else { return AmazonS3Builder::new() };
    let builder = match key {
        Some((id, secret)) => AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(secret.reveal()),
        None => AmazonS3Builder::from_env(),
    };
    let retry = RetryConfig { max_retries: REPEATS_MAX, retry_timeout: REPEATED_WITHIN, ..RetryConfig::default() };
    let options = ClientOptions::new().with_timeout(REQUEST_WITHIN).with_connect_timeout(CONNECT_WITHIN);
    let is_plain = endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
    let builder = builder
        .with_region(region)
        .with_bucket_name(bucket)
        .with_retry(retry)
        .with_client_options(options.with_allow_http(is_plain));
    match endpoint {
        Some(endpoint) => builder.with_endpoint(endpoint),
        None => builder,
    }
}

impl Draft {
    pub(super) async fn put(&mut self, bytes: Vec<u8>) -> Result<(), TargetError> {
        self.held.extend(bytes);
        while self.held.len() > PART_BYTES {
            let rest = self.held.split_off(PART_BYTES);
            let part = std::mem::replace(&mut self.held, rest);
            self.put_part(part).await.map_err(said)?;
        }
        Ok(())
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.held.len()
    }

    pub(super) async fn complete(mut self) -> Result<(), TargetError> {
        let last = std::mem::take(&mut self.held);
        if self.upload.is_none() {
            return self.store.put(&self.path, last.into()).await.map(drop).map_err(said);
        }
        self.put_part(last).await.map_err(said)?;
        match &mut self.upload {
            Some(upload) => upload.complete().await.map(drop).map_err(said),
            None => Ok(()),
        }
    }

    pub(super) async fn discard(mut self) {
        if let Some(upload) = &mut self.upload {
            // What stays costs money and no correctness; a rule of the bucket's lifecycle removes it.
            let _ = upload.abort().await;
        }
    }

    async fn put_part(&mut self, part: Vec<u8>) -> Result<(), Error> {
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(self.store.put_multipart(&self.path).await?),
        };
        upload.put_part(part.into()).await
    }
}

fn said(error: Error) -> TargetError {
    match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } | Error::NotFound { .. } => {
            TargetError::Denied(error.to_string())
        }
        _ => TargetError::Away(error.to_string()),
    }
}
