//! A device's options.

use super::{first_given, headers, noted};
use crate::template::Template;
use edgeway_payload::{Format, Kind, Mapping, Options};
use edgeway_sdk::{Access, Json, Place, Problem, options};
use reqwest::header::{HeaderMap, HeaderName};
use std::collections::{BTreeMap, HashMap};

/// A device's options, checked.
#[derive(Clone)]
pub(crate) struct DeviceOptions {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) unchanged: Unchanged,
    pub(crate) signature: Option<Signature>,
    /// The header with the number by which a repetition is known.
    pub(crate) idempotency: Option<HeaderName>,
    pub(crate) only: Option<Only>,
    pub(crate) services: HashMap<String, Service>,
    /// A key that was given and means something only where the device is asked.
    pub(crate) key_of_asked: Option<&'static str>,
    /// A key that was given and means something only where the device sends.
    pub(crate) key_of_sender: Option<&'static str>,
}

/// Whether a server is told what we have already.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unchanged {
    /// With its `ETag`, or with its `Last-Modified` where that is exact; if nothing has changed it says so without a body
    #[default]
    Ask,
    /// No: the whole answer each time
    Ignore,
}

/// How a sender signs what it sends.
#[derive(Clone)]
pub(crate) struct Signature {
    pub(crate) header: HeaderName,
    pub(crate) secret: String,
    pub(crate) hash: Hash,
    pub(crate) encoding: Encoding,
    pub(crate) prefix: String,
}

/// The hash of a signature.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hash {
    /// SHA-256
    #[default]
    Sha256,
    /// SHA-512
    Sha512,
}

/// How a signature is written.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// Hexadecimal digits
    #[default]
    Hex,
    /// Base64, RFC 4648
    Base64,
}

/// Which payloads are this device's, where several send to one path.
#[derive(Clone)]
pub(crate) struct Only {
    pub(crate) at: Mapping,
    pub(crate) is: String,
}

/// A service of the device: one request.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) method: ServiceMethod,
    pub(crate) path: Template,
    /// The input as JSON unless given.
    pub(crate) payload: Option<Template>,
    /// The whole answer unless given.
    pub(crate) output: Option<Mapping>,
}

/// How a service is called.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ServiceMethod {
    /// GET, without a body
    Get,
    /// PUT
    Put,
    /// POST
    #[default]
    Post,
    /// PATCH
    Patch,
    /// DELETE, without a body
    Delete,
}

impl From<ServiceMethod> for reqwest::Method {
    fn from(method: ServiceMethod) -> Self {
        match method {
            ServiceMethod::Get => reqwest::Method::GET,
            ServiceMethod::Put => reqwest::Method::PUT,
            ServiceMethod::Post => reqwest::Method::POST,
            ServiceMethod::Patch => reqwest::Method::PATCH,
            ServiceMethod::Delete => reqwest::Method::DELETE,
        }
    }
}

/// A device's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "HTTP device")]
pub(crate) struct Written {
    /// Where it is, below the link's endpoint. With `listen`: the path that it sends to, which it needs
    #[serde(default)]
    path: String,
    /// Headers of each of its requests, beside those of the link
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Whether the server is told what we have already
    #[serde(default)]
    unchanged: Unchanged,
    /// `listen`: how it signs what it sends (HMAC, RFC 2104)
    hmac: Option<WrittenSignature>,
    /// `listen`: the header with a number by which a repetition is known, `Idempotency-Key`
    idempotency: Option<String>,
    /// `listen`: which payloads are its own, where several devices send to one path
    only: Option<WrittenOnly>,
    /// Its services, each a request
    #[serde(default)]
    #[schemars(extend("x-names" = "services"))]
    services: BTreeMap<String, WrittenService>,
}

/// How a sender signs what it sends.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenSignature {
    /// The header with the signature, `X-Hub-Signature-256`
    header: String,
    /// What only the sender and we know
    secret: String,
    /// The hash
    #[serde(default)]
    algorithm: Hash,
    /// How the signature is written
    #[serde(default)]
    encoding: Encoding,
    /// What stands before it, `sha256=`
    #[serde(default)]
    prefix: String,
}

/// Which payloads are a device's.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenOnly {
    /// Where the payload says whose it is, `$.device.id`
    at: String,
    /// What it says there
    is: String,
}

/// A service, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenService {
    /// How it is sent
    #[serde(default)]
    method: ServiceMethod,
    /// Where, below the device's path; `{name}` is the input of that name
    #[serde(default)]
    path: String,
    /// What is sent, with `{name}` for the inputs as JSON. Default: all inputs as a JSON object; with get and delete nothing
    payload: Option<String>,
    /// Where the result is in the answer, `$.result`. Default: the whole answer
    output: Option<String>,
}

impl DeviceOptions {
    /// Reads a device's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let problems = &mut vec![];
        let name =
            |name: &String, problems: &mut Vec<Problem>| noted(headers::header_name("idempotency", name), problems);
        let device = DeviceOptions {
            key_of_asked: written.key_of_asked(),
            key_of_sender: written.key_of_sender(),
            path: checked_path("path", written.path, problems),
            headers: headers::read("headers", &written.headers, problems),
            unchanged: written.unchanged,
            signature: written.hmac.and_then(|hmac| hmac.checked(problems)),
            idempotency: written.idempotency.as_ref().and_then(|text| name(text, problems)),
            only: written.only.and_then(|only| only.checked(problems)),
            services: services(written.services, problems),
        };
        if problems.is_empty() { Ok(device) } else { Err(std::mem::take(problems)) }
    }
}

impl Written {
    fn key_of_asked(&self) -> Option<&'static str> {
        first_given([
            ("headers", !self.headers.is_empty()),
            ("unchanged", self.unchanged != Unchanged::default()),
            ("services", !self.services.is_empty()),
        ])
    }

    fn key_of_sender(&self) -> Option<&'static str> {
        let (hmac, idempotency, only) = (&self.hmac, &self.idempotency, &self.only);
        first_given([("hmac", hmac.is_some()), ("idempotency", idempotency.is_some()), ("only", only.is_some())])
    }
}

/// A path; or a problem noted.
pub(super) fn checked_path(key: &str, path: String, problems: &mut Vec<Problem>) -> String {
    if path.contains(['?', '#']) || path.contains(char::is_control) || path.contains("://") {
        problems.push(Problem::key(key, format!("`{path}` is not a path")).help("`/status`; a point has `query`"));
    }
    path
}

impl WrittenSignature {
    fn checked(self, problems: &mut Vec<Problem>) -> Option<Signature> {
        if self.secret.is_empty() {
            problems.push(Problem::key("hmac.secret", "it is empty").help("the sender has it"));
        }
        let header = noted(headers::header_name("hmac.header", &self.header), problems)?;
        let WrittenSignature { secret, algorithm: hash, encoding, prefix, .. } = self;
        Some(Signature { header, secret, hash, encoding, prefix })
    }
}

impl WrittenOnly {
    fn checked(self, problems: &mut Vec<Problem>) -> Option<Only> {
        let at = path_mapping("only.at", &self.at, Kind::Text, problems)?;
        Some(Only { at, is: self.is })
    }
}

fn services(written: BTreeMap<String, WrittenService>, problems: &mut Vec<Problem>) -> HashMap<String, Service> {
    let checked = written.into_iter().map(|(name, service)| {
        let place = format!("services.{name}");
        let output = service.output.as_ref();
        let output = output.and_then(|at| path_mapping(&format!("{place}.output"), at, Kind::Auto, problems));
        let path = checked_path(&format!("{place}.path"), service.path, problems);
        let service = Service {
            method: service.method,
            path: Template::parse(&path),
            payload: service.payload.as_deref().map(Template::parse),
            output,
        };
        (name, service)
    });
    checked.collect()
}

/// A path in a JSON text, told of with its own key.
fn path_mapping(key: &str, at: &str, kind: Kind, problems: &mut Vec<Problem>) -> Option<Mapping> {
    let options = Options { at: Some(at.to_owned()), format: Format::Json, kind, ..Options::default() };
    let mut found = vec![];
    let mapping = Mapping::new(&options, Access::Read, &mut found);
    problems.extend(found.into_iter().map(|problem| Problem { place: Place::Key(key.to_owned()), ..problem }));
    mapping
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_mistake_of_a_device_is_told_at_once() {
        let options = json!({
            "path": "/a?b",
            "headers": { "Host": "x" },
            "idempotency": "a b",
            "hmac": { "header": "X-Sig", "secret": "" },
            "only": { "at": "$.[", "is": "7" },
            "services": { "boost": { "path": "/boost#1" } },
        });
        let problems = DeviceOptions::parse(&options).err().expect("wrong");
        let keys: Vec<String> = problems.iter().map(|problem| format!("{:?}", problem.place)).collect();
        let expected = ["path", "headers.Host", "hmac.secret", "idempotency", "only.at", "services.boost.path"];
        assert_eq!(keys, expected.map(|key| format!("Key({key:?})")));
    }

    #[test]
    fn a_misspelt_key_of_a_service_is_named() {
        let problems =
            DeviceOptions::parse(&json!({ "services": { "boost": { "methd": "post" } } })).err().expect("wrong");
        assert_eq!(problems[0].to_string(), "`services.boost.methd`: unknown key `methd` (did you mean `method`?)");
    }
}
