//! Parquet files in a folder or in an object store.

use super::Around;
use super::address::{self, Scheme, Tail, Tls, Wanted};
use crate::report::Report;
use crate::section::{Found, Section};
use crate::site::{ObjectStore, ParquetTarget, Secret, TargetKind};
use edgeway_sdk::Problem;
use std::sync::Arc;
use std::time::Duration;

const FILE_BYTES: u64 = 32 << 20;
const FILE_BYTES_MIN: u64 = 64 << 10;
const FILE_BYTES_MAX: u64 = 1 << 30;
const FILE_AGE: Duration = Duration::from_secs(15 * 60);
const FILE_AGE_MAX: Duration = Duration::from_secs(24 * 3600);
const REGION: &str = "us-east-1";
/// Keys that belong to a bucket.
const OF_BUCKETS: [&str; 5] = ["prefix", "endpoint", "region", "access_key", "secret"];

const ENDPOINT: Wanted = Wanted {
    noun: "an object store",
    schemes: [
        Scheme { name: "http", tls: Tls::Without, port: 80 },
        Scheme { name: "https", tls: Tls::With, port: 443 },
    ],
    tail: Tail::Nothing,
    help: "`https://host`, without the bucket",
};

pub(super) fn read(section: &mut Section<'_>, around: &Around<'_>, report: &mut Report) -> Option<TargetKind> {
    let store = store(section, around, report);
    let size = section.bytes("size", FILE_BYTES_MIN..=FILE_BYTES_MAX, report);
    let age = section.duration("age", Duration::from_secs(1)..=FILE_AGE_MAX, report);
    Some(TargetKind::Parquet(Box::new(ParquetTarget {
        store: store?,
        file_bytes: size.map_or(FILE_BYTES, |found| found.value),
        file_age: age.map_or(FILE_AGE, |found| found.value),
    })))
}

/// Either `path` or `bucket`.
fn store(section: &mut Section<'_>, around: &Around<'_>, report: &mut Report) -> Option<ObjectStore> {
    let path = section.text("path", report);
    let bucket = section.text("bucket", report);
    match (path, bucket) {
        (Some(path), None) => {
            for key in OF_BUCKETS {
                let why = format!("`{key}` has a meaning with `bucket` alone");
                section.forbid(key, &why, &format!("leave `{key}` out"), report);
            }
            Some(ObjectStore::Folder(around.names.data.join(&*path.value)))
        }
        (None, Some(bucket)) => s3(section, &bucket, report),
        (Some(_), Some(bucket)) => {
            section.know(&OF_BUCKETS);
            let problem = Problem::new(bucket.mark.say("`path` and `bucket` are two places"));
            report.add(&bucket.mark, problem.help("keep one of them, or make it two targets"));
            None
        }
        (None, None) => {
            let written = section.entry("path").is_some() || section.entry("bucket").is_some();
            section.know(&OF_BUCKETS);
            if !written {
                let mark = section.mark();
                report.add(mark, Problem::new(mark.say("`path` is missing")).help("or `bucket`, for an object store"));
            }
            None
        }
    }
}

fn s3(section: &mut Section<'_>, bucket: &Found<Arc<str>>, report: &mut Report) -> Option<ObjectStore> {
    if !is_bucket(&bucket.value) {
        let problem = Problem::new(bucket.mark.say(format!("`{}` cannot be a bucket", bucket.value)));
        report.add(&bucket.mark, problem.help("lower-case letters, digits, `-` and `.`, 3 to 63"));
    }
    let prefix = section.text("prefix", report).map_or_else(String::new, |found| found.value.to_string());
    let endpoint = section.text("endpoint", report);
    let endpoint_is_right = endpoint.as_ref().is_none_or(|url| address::read(url, &ENDPOINT, report).is_some());
    let region = section.text("region", report).map_or_else(|| REGION.to_owned(), |found| found.value.to_string());
    let key = key(section, report);
    endpoint_is_right.then(|| ObjectStore::S3 {
        endpoint: endpoint.map(|found| found.value.to_string()),
        region,
        bucket: bucket.value.to_string(),
        prefix,
        key,
    })
}

/// The rules of S3.
fn is_bucket(text: &str) -> bool {
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&text.len())
        && text.chars().all(|c| right(c) || matches!(c, '-' | '.'))
        && text.starts_with(right)
        && text.ends_with(right)
}

fn key(section: &mut Section<'_>, report: &mut Report) -> Option<(String, Secret)> {
    let id = section.text("access_key", report);
    let secret = section.text("secret", report);
    match (id, secret) {
        (Some(id), Some(secret)) => Some((id.value.to_string(), Secret::new(&*secret.value))),
        (None, None) => None,
        (Some(lonely), None) | (None, Some(lonely)) => {
            report.add(&lonely.mark, Problem::new(lonely.mark.say("`access_key` and `secret` go together")));
            None
        }
    }
}
