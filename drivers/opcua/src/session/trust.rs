//! Certificates: the gateway's own, and whether that of a server is good.
//!
//! The folder is laid out as OPC UA applications do it: `own/cert.der` and `private/private.pem`, `trusted` with the
//! certificates of servers and authorities, `issuers` with those of authorities between them, `trusted/crl` with revocation
//! lists, `rejected` with certificates that were met and nobody has said anything of.
//!
//! The library knows neither authorities nor chains. Whom to trust is decided here alone, and it gets the server's own
//! certificate.

mod certificate;
mod chain;
mod folder;
mod revocation;
mod signature;

use crate::config::{Files, Revocation, Security};
use certificate::{Certificate, Names, ders};
use chain::{Broken, CHAIN_MAX};
use edgeway_sdk::Fault;
use folder::{Known, files};
use opcua::crypto::{CertificateStore, PrivateKey, SecurityPolicy, X509, X509Data};
use opcua::types::{ApplicationDescription, ApplicationType, ByteString, LocalizedText, StatusCode};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    revocation: Revocation,
}

/// What a server's certificate has to be.
pub(super) struct Expected {
    pub(super) policy: SecurityPolicy,
    pub(super) host: String,
    pub(super) application_uri: String,
    /// Since 1970.
    pub(super) now: Duration,
}

/// By what authorities are judged.
struct Rules {
    now: Duration,
    revocation: Revocation,
}

impl Trust {
    /// Of a link; `None` if it has no folder of certificates.
    pub(super) fn of(security: &Security) -> Option<Trust> {
        let folder = security.pki.clone()?;
        let own = security.own.clone().unwrap_or_else(|| Files { cert: folder.join(OWN), key: folder.join(KEY) });
        Some(Trust { folder, own, revocation: security.revocation })
    }

    /// Opens the folder, and makes a certificate of the gateway's own if there is none.
    pub(super) fn open(&self, application_uri: &str) -> Result<CertificateStore, Fault> {
        for name in ["trusted", "rejected"] {
            let folder = self.folder.join(name);
            fs::create_dir_all(&folder).map_err(|error| unusable(&folder, &error.to_string()))?;
        }
        // They show where things belong, and are not needed.
        for name in ["trusted/crl", "issuers"] {
            let _ = fs::create_dir_all(self.folder.join(name));
        }
        let Files { cert, key } = &self.own;
        if !cert.exists() && !key.exists() && self.own.cert.starts_with(&self.folder) {
            self.make_own(application_uri)?;
        }
        let own =
            CertificateStore::read_cert(cert).map_err(|_| unusable(cert, "it holds no certificate in DER or PEM"))?;
        CertificateStore::read_pkey(key).map_err(|_| unusable(key, "it holds no private key in PEM"))?;
        let own = own
            .to_der()
            .ok()
            .and_then(|der| Certificate::read(&der))
            .ok_or_else(|| unusable(cert, "it cannot be read"))?;
        if !Names::of(&own).uris.iter().any(|uri| uri == application_uri) {
            let why =
                format!("it is not for the URI `{application_uri}`; set `application_uri` to the one that it is for");
            return Err(unusable(cert, &why));
        }
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let none: Option<X509Data> = None;
        let (store, ..) = CertificateStore::new_with_x509_data(
            &absolute(&self.folder),
            false,
            Some(&absolute(cert)),
            Some(&absolute(key)),
            none,
        );
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

    /// Whether a server's certificate is good: the server's own, and those of authorities that may have come along with it.
    /// One that nobody knows is put where it can be trusted from. Gives the server's own.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub(super) fn check(&self, shown: &ByteString, expected: &Expected) -> Result<ByteString, String> {
        let (server, sent) = chain(shown)?;
        let rules = Rules { now: expected.now, revocation: self.revocation };
        self.find(&server, &sent, &rules)?;
        server.check_time(rules.now).map_err(|why| format!("the server's certificate {why}"))?;
        let bits = server.key_bits().unwrap_or_default();
        if !expected.policy.is_valid_keylength(bits) {
            return Err(format!(
                "the server's certificate has a key of {bits} bits, which its security policy does not allow"
            ));
        }
        let Expected { host, application_uri, .. } = expected;
        let names = Names::of(&server);
        if !names.hosts.iter().any(|name| name.eq_ignore_ascii_case(host)) {
            return Err(format!(
                "the server's certificate is for {}, not for the host `{host}`; if it is the right one, name its host in `server_name`",
                names.shown()
            ));
        }
        match names.uris.iter().any(|uri| uri == application_uri) {
            true => Ok(server.der.into()),
            false => Err(format!(
                "the server's certificate is not for the application `{application_uri}` that it says it is"
            )),
        }
    }

    /// Finds a certificate in `trusted`, or an authority there that stands for it; else puts it into `rejected`.
    fn find(&self, server: &Certificate, sent: &[Certificate], rules: &Rules) -> Result<(), String> {
        let known = Known::read(&self.folder);
        let rejected = self.folder.join("rejected").join(file_name(server)?);
        let trusted = match known.trusted.iter().any(|trusted| trusted.der == server.der) {
            true => chain::check_listed(server, chain::SERVERS, &known, rules).map_err(Broken::Wrong),
            false => chain::trace(server, sent, &known, rules),
        };
        match trusted {
            Ok(()) => {
                // Who trusts it does not reject it.
                let _ = fs::remove_file(&rejected);
                Ok(())
            }
            Err(Broken::Wrong(why)) => Err(format!("the server's certificate is not trusted: {why}")),
            Err(Broken::Unknown { authority }) => Err(self.reject(server, &rejected, authority, &known)),
        }
    }

    /// Keeps a certificate that nobody knows, and says what can be done with it.
    fn reject(&self, server: &Certificate, file: &Path, authority: Option<String>, known: &Known) -> String {
        let [trusted, rejected] = ["trusted", "rejected"].map(|name| self.folder.join(name).display().to_string());
        if !file.exists() {
            if files(Path::new(&rejected)).len() >= REJECTED_MAX {
                return format!("the server's certificate is not trusted, and `{rejected}` is full");
            }
            if let Err(error) = fs::write(file, &server.der) {
                return format!(
                    "the server's certificate is not trusted, and cannot be put into `{rejected}`: {error}"
                );
            }
        }
        let authority = authority.map(|name| {
            format!(
                "; or put the certificate of its authority `{name}` into `{trusted}`, to trust all servers that it signs for"
            )
        });
        let unreadable =
            known.unreadable.first().map(|path| format!("; `{}` holds no certificate in DER or PEM", path.display()));
        format!(
            "the server's certificate is not trusted; if it is the right one (SHA-1 {}), move `{}` to `{trusted}`{}{}",
            server.thumbprint().unwrap_or_default(),
            file.display(),
            authority.unwrap_or_default(),
            unreadable.unwrap_or_default(),
        )
    }
}

/// The certificates that a server shows: its own, and those behind it.
fn chain(shown: &ByteString) -> Result<(Certificate, Vec<Certificate>), String> {
    let unreadable = || "the server's certificate cannot be read".to_owned();
    if shown.is_null_or_empty() {
        return Err("the server shows no certificate".into());
    }
    let all = ders(shown.as_ref()).ok_or_else(unreadable)?;
    if all.len() > CHAIN_MAX {
        return Err(format!("the server shows {} certificates, more than {CHAIN_MAX}", all.len()));
    }
    let (server, sent) = all.split_first().ok_or_else(unreadable)?;
    let server = Certificate::read(server).ok_or_else(unreadable)?;
    Ok((server, sent.iter().filter_map(|der| Certificate::read(der)).collect()))
}

/// The server's own certificate of those that it shows.
pub(super) fn own(shown: &ByteString) -> Result<ByteString, String> {
    Ok(chain(shown)?.0.der.into())
}

/// The name that the certificate has in files, as other applications of the library's kind give it.
fn file_name(certificate: &Certificate) -> Result<String, String> {
    let known = X509::from_der(&certificate.der).map_err(|_| "the server's certificate cannot be read".to_owned())?;
    let is_strange = |letter: char| letter.is_control() || matches!(letter, '/' | '\\');
    Ok(CertificateStore::cert_file_name(&known).replace(is_strange, "_"))
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

#[cfg(test)]
mod tests;
