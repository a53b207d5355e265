//! Certificates: the gateway's own, and whether that of a server is good.
//!
//! The folder is laid out as OPC UA applications do it: `own/cert.der` and `private/private.pem`, `trusted` with the
//! certificates of servers, `rejected` with those that were met and nobody has said anything of.

use crate::config::{Files, Security};
use edgeway_sdk::{Fault, Timestamp};
use opcua::crypto::{CertificateStore, KeySize, PrivateKey, SecurityPolicy, X509, X509Data};
use opcua::types::{ApplicationDescription, ApplicationType, ByteString, LocalizedText, StatusCode};
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

const OWN: &str = "own/cert.der";
const KEY: &str = "private/private.pem";
const OWN_DAYS: u32 = 3650;
/// Certificates in `rejected` at most: whoever answers at the endpoint makes new ones without end.
const REJECTED_MAX: usize = 100;

/// The folder and what is in it.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    folder: PathBuf,
    own: Files,
}

/// What a server's certificate has to be.
pub(super) struct Expected<'a> {
    pub(super) policy: SecurityPolicy,
    pub(super) host: &'a str,
    pub(super) application_uri: &'a str,
}

impl Trust {
    /// Of a link; `None` if it has no folder of certificates.
    pub(super) fn of(security: &Security) -> Option<Trust> {
        let folder = security.pki.clone()?;
        let own = security.own.clone().unwrap_or_else(|| Files { cert: folder.join(OWN), key: folder.join(KEY) });
        Some(Trust { folder, own })
    }

    /// Opens the folder, and makes a certificate of the gateway's own if there is none.
    pub(super) fn open(&self, application_uri: &str) -> Result<CertificateStore, Fault> {
        for name in ["trusted", "rejected"] {
            let folder = self.folder.join(name);
            fs::create_dir_all(&folder).map_err(|error| unusable(&folder, &error.to_string()))?;
        }
        let Files { cert, key } = &self.own;
        if !cert.exists() && !key.exists() && self.own.cert.starts_with(&self.folder) {
            self.make_own(application_uri)?;
        }
        let own =
            CertificateStore::read_cert(cert).map_err(|_| unusable(cert, "it holds no certificate in DER or PEM"))?;
        CertificateStore::read_pkey(key).map_err(|_| unusable(key, "it holds no private key in PEM"))?;
        if !Names::of(&own).uris.iter().any(|uri| uri == application_uri) {
            let why =
                format!("it is not for the URI `{application_uri}`; set `application_uri` to the one that it is for");
            return Err(unusable(cert, &why));
        }
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let none: Option<X509Data> = None;
        let (mut store, ..) = CertificateStore::new_with_x509_data(
            &absolute(&self.folder),
            false,
            Some(&absolute(cert)),
            Some(&absolute(key)),
            none,
        );
        // Time, host and URI are checked here, where it can be said what is wrong.
        store.set_skip_verify_certs(true);
        Ok(store)
    }

    fn make_own(&self, application_uri: &str) -> Result<(), Fault> {
        let Files { cert, key } = &self.own;
        let failed = |error: std::io::Error| unusable(key, &error.to_string());
        for path in [cert, key] {
            fs::create_dir_all(path.parent().expect("both are below the folder")).map_err(failed)?;
        }
        create_private(key).map_err(failed)?;
        let application =
            ApplicationDescription { application_name: LocalizedText::from("Edgeway"), ..application(application_uri) };
        let data = X509Data { certificate_duration_days: OWN_DAYS, ..X509Data::from(application) };
        let made = CertificateStore::create_certificate_and_key(&data, true, cert, key);
        made.map(drop).map_err(|error| unusable(cert, &error))
    }

    /// Whether a server's certificate is good. One that nobody knows is put where it can be trusted from.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub(super) fn check(&self, certificate: &ByteString, expected: &Expected<'_>) -> Result<(), String> {
        if certificate.is_null_or_empty() {
            return Err("the server shows no certificate".into());
        }
        let cert =
            X509::from_byte_string(certificate).map_err(|_| "the server's certificate cannot be read".to_owned())?;
        self.find(&cert)?;
        check_time(&cert)?;
        let bits = cert.public_key().map(|key| key.bit_length()).unwrap_or_default();
        if !expected.policy.is_valid_keylength(bits) {
            return Err(format!(
                "the server's certificate has a key of {bits} bits, which its security policy does not allow"
            ));
        }
        let Expected { host, application_uri, .. } = expected;
        let names = Names::of(&cert);
        if !names.hosts.iter().any(|name| name.eq_ignore_ascii_case(host)) {
            return Err(format!(
                "the server's certificate is for {}, not for the host `{host}`; if it is the right one, name its host in `server_name`",
                names.shown()
            ));
        }
        match names.uris.iter().any(|uri| uri == application_uri) {
            true => Ok(()),
            false => Err(format!(
                "the server's certificate is not for the application `{application_uri}` that it says it is"
            )),
        }
    }

    /// Finds a certificate in `trusted`, or puts it into `rejected`.
    fn find(&self, cert: &X509) -> Result<(), String> {
        let name = CertificateStore::cert_file_name(cert).replace(['/', '\\', '\0'], "_");
        let [trusted, rejected] = ["trusted", "rejected"].map(|folder| self.folder.join(folder).join(&name));
        let wanted = cert.to_der().map_err(|_| "the server's certificate cannot be read".to_owned())?;
        let is_it = |path: &Path| {
            CertificateStore::read_cert(path).is_ok_and(|found| found.to_der().is_ok_and(|der| der == wanted))
        };
        let other = || files(&self.folder.join("trusted")).into_iter().find(|path| is_it(path));
        if is_it(&trusted) || other().is_some_and(|path| fs::rename(path, &trusted).is_ok()) {
            // Who trusts it does not reject it, or the library would still see it there.
            let _ = fs::remove_file(&rejected);
            return Ok(());
        }
        let kept = rejected.exists()
            || (files(&self.folder.join("rejected")).len() < REJECTED_MAX && fs::write(&rejected, &wanted).is_ok());
        match kept {
            true => Err(format!(
                "the server's certificate is not trusted; if it is the right one (SHA-1 {}), move `{}` to `{}`",
                cert.thumbprint().as_hex_string(),
                rejected.display(),
                self.folder.join("trusted").display()
            )),
            false => Err(format!(
                "the server's certificate is not trusted, and `{}` is full",
                self.folder.join("rejected").display()
            )),
        }
    }
}

/// Whom a certificate is for. Certificates name hosts and URI in any order, which the library does not expect.
#[derive(Default)]
struct Names {
    hosts: Vec<String>,
    uris: Vec<String>,
}

impl Names {
    fn of(cert: &X509) -> Names {
        let der = cert.to_der().unwrap_or_default();
        let mut names = Names::default();
        let Ok(cert) = Certificate::from_der(&der) else { return names };
        let Ok(Some((_, SubjectAltName(all)))) = cert.tbs_certificate.get() else { return names };
        for name in all {
            match name {
                GeneralName::UniformResourceIdentifier(uri) => names.uris.push(uri.to_string()),
                GeneralName::DnsName(host) => names.hosts.push(host.to_string()),
                GeneralName::IpAddress(bytes) => names.hosts.extend(address(bytes.as_bytes())),
                _ => {}
            }
        }
        names
    }

    fn shown(&self) -> String {
        let hosts: Vec<String> = self.hosts.iter().map(|host| format!("`{host}`")).collect();
        if hosts.is_empty() { "no host".into() } else { hosts.join(", ") }
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let v6 = || <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| v6()).ok().map(|address| address.to_string())
}

fn check_time(cert: &X509) -> Result<(), String> {
    let now = Timestamp::now().as_millis() / 1000;
    match (cert.not_before(), cert.not_after()) {
        (_, Ok(until)) if now > until.timestamp() => {
            Err(format!("the server's certificate has expired on {}", until.date_naive()))
        }
        (Ok(from), Ok(_)) if now < from.timestamp() => {
            Err(format!("the server's certificate is not valid before {}", from.date_naive()))
        }
        (Ok(_), Ok(_)) => Ok(()),
        _ => Err("the server's certificate does not say until when it is valid".into()),
    }
}

/// What the gateway says of itself.
pub(super) fn application(uri: &str) -> ApplicationDescription {
    ApplicationDescription {
        application_uri: uri.into(),
        product_uri: "urn:edgeway".into(),
        application_name: LocalizedText::from("Edgeway"),
        application_type: ApplicationType::Client,
        ..ApplicationDescription::default()
    }
}

/// A user's certificate and key.
pub(super) fn user(files: &Files) -> Result<(X509, PrivateKey), Fault> {
    let cert = CertificateStore::read_cert(&files.cert);
    let cert = cert.map_err(|_| unusable(&files.cert, "it holds no certificate in DER or PEM"))?;
    let key = CertificateStore::read_pkey(&files.key);
    Ok((cert, key.map_err(|_| unusable(&files.key, "it holds no private key in PEM"))?))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}

/// A file that only its owner reads. What is written to it later keeps that.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn unusable(path: &Path, why: &str) -> Fault {
    Fault::Config(format!("`{}` cannot be used: {why}", path.display()))
}

/// Where the library keeps nothing, for a link without certificates.
pub(super) fn nowhere() -> CertificateStore {
    CertificateStore::new(Path::new("/nonexistent"))
}

/// Whether the server says that it does not know who is asking.
pub(super) fn is_login(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BadUserAccessDenied | StatusCode::BadIdentityTokenRejected | StatusCode::BadIdentityTokenInvalid
    )
}
