//! The end that listens: who we are, who may come, and files that are renewed while it does.

use crate::{TlsError, denied, pem};
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

const UNKNOWN_KEY: &str =
    "its key is damaged or of no kind that can be used: RSA from 2048 bits, ECDSA P-256 or P-384, Ed25519";

/// The files that a server needs, all in PEM. Their names are those of the options, which errors name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFiles {
    /// Our certificate, with its chain.
    pub cert: PathBuf,
    /// The key of our certificate.
    pub key: PathBuf,
    /// Who comes has to show a certificate of one of these; anybody may come unless given.
    pub client_ca: Option<PathBuf>,
}

/// A server's configuration, which follows its files.
pub struct Server {
    files: ServerFiles,
    held: Mutex<Held>,
}

struct Held {
    /// What the files held when they were last looked at, usable or not.
    seen: Texts,
    /// The last that was usable.
    config: Arc<ServerConfig>,
}

/// What became of files that have changed since they were last looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// They are used from now on.
    Used,
    /// They cannot be used, for this reason; what they held before still is.
    Unusable(TlsError),
}

/// What the files hold, or why they cannot be read.
#[derive(PartialEq, Eq)]
struct Texts {
    cert: Text,
    key: Text,
    client_ca: Option<Text>,
}

type Text = Result<Vec<u8>, String>;

impl Server {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError::Denied`], with option and path, if a file is missing or cannot be used.
    pub fn open(files: ServerFiles) -> Result<Self, TlsError> {
        let seen = files.read();
        let config = Arc::new(files.config(&seen)?);
        Ok(Server { files, held: Mutex::new(Held { seen, config }) })
    }

    /// What the next connection is served with. The files are read each time, and tell of a change once. They are small,
    /// and whole texts that are compared know no clock that is too coarse.
    ///
    /// A new configuration knows no sessions of the one before, so that nobody gets in who was known to another
    /// `client_ca`.
    pub fn current(&self) -> (Arc<ServerConfig>, Option<Renewal>) {
        let mut held = self.held.lock().expect("no thread panics while it holds this lock");
        let now = self.files.read();
        if now == held.seen {
            return (held.config.clone(), None);
        }
        let renewal = match self.files.config(&now) {
            Ok(config) => {
                held.config = Arc::new(config);
                Renewal::Used
            }
            Err(error) => Renewal::Unusable(error),
        };
        held.seen = now;
        (held.config.clone(), Some(renewal))
    }
}

impl ServerFiles {
    fn read(&self) -> Texts {
        let read = |path: &PathBuf| std::fs::read(path).map_err(|error| error.to_string());
        Texts { cert: read(&self.cert), key: read(&self.key), client_ca: self.client_ca.as_ref().map(read) }
    }

    fn config(&self, texts: &Texts) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = match (&self.client_ca, &texts.client_ca) {
            (Some(path), Some(text)) => clients_of(path, text, &provider)?,
            _ => WebPkiClientVerifier::no_client_auth(),
        };
        let identity = self.identity(texts, &provider)?;
        let builder =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(denied)?;
        let builder = builder.with_client_cert_verifier(verifier);
        Ok(builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity))))
    }

    fn identity(&self, texts: &Texts, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let chain = parsed("cert", &self.cert, &texts.cert, pem::certificates)?;
        let key = parsed("key", &self.key, &texts.key, pem::key)?;
        let key = provider.key_provider.load_private_key(key).map_err(|_| bad("key", &self.key, UNKNOWN_KEY))?;
        let identity = CertifiedKey::new(chain, key);
        match identity.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(identity),
            Err(Error::InconsistentKeys(_)) => {
                let reason = format!("it is not the key of the first certificate in {}", self.cert.display());
                Err(bad("key", &self.key, reason))
            }
            Err(_) => Err(bad("cert", &self.cert, "its first certificate is damaged")),
        }
    }
}

fn clients_of(
    path: &Path,
    text: &Text,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in parsed("client_ca", path, text, pem::certificates)? {
        roots.add(certificate).map_err(|_| bad("client_ca", path, "one of its certificates is damaged"))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    verifier.map_err(|error| bad("client_ca", path, error))
}

fn parsed<T>(
    option: &str,
    path: &Path,
    text: &Text,
    parse: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Result<T, TlsError> {
    let parsed = text.as_ref().map_err(String::clone).and_then(|text| parse(text));
    parsed.map_err(|reason| bad(option, path, reason))
}

fn bad(option: &str, path: &Path, reason: impl std::fmt::Display) -> TlsError {
    denied(format!("`{option}`: {}: {reason}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};
    use std::fs;
    use tempfile::TempDir;

    /// `NAME.pem` and `NAME.key` of `a` and `b`, and `empty.pem`, `damaged.pem` and `damaged.key`.
    fn folder() -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a writable folder");
        for name in ["a", "b"] {
            let key = KeyPair::generate().expect("a key");
            let certificate = CertificateParams::new([name.to_owned()]).expect("a name").self_signed(&key);
            write(&format!("{name}.pem"), &certificate.expect("a certificate").pem());
            write(&format!("{name}.key"), &key.serialize_pem());
        }
        write("empty.pem", "");
        write("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        write("damaged.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        folder
    }

    fn files(folder: &TempDir, cert: &str, key: &str, client_ca: Option<&str>) -> ServerFiles {
        let path = |name: &str| folder.path().join(name);
        ServerFiles { cert: path(cert), key: path(key), client_ca: client_ca.map(path) }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_its_option() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let refused = |cert, key, client_ca| {
            Server::open(files(&folder, cert, key, client_ca)).err().expect("it cannot be used").to_string()
        };
        let missing = "No such file or directory (os error 2)";
        let no_certificate = "it holds no certificate in PEM";
        let cases = [
            (refused("x.pem", "a.key", None), "cert", "x.pem", missing.to_owned()),
            (refused("empty.pem", "a.key", None), "cert", "empty.pem", no_certificate.to_owned()),
            (refused("damaged.pem", "a.key", None), "cert", "damaged.pem", "its first certificate is damaged".into()),
            (refused("a.pem", "x.key", None), "key", "x.key", missing.to_owned()),
            (
                refused("a.pem", "a.pem", None),
                "key",
                "a.pem",
                "it holds no private key in PEM; one with a password cannot be used".into(),
            ),
            (refused("a.pem", "damaged.key", None), "key", "damaged.key", UNKNOWN_KEY.to_owned()),
            (
                refused("a.pem", "b.key", None),
                "key",
                "b.key",
                format!("it is not the key of the first certificate in {}", at("a.pem")),
            ),
            (refused("a.pem", "a.key", Some("x.pem")), "client_ca", "x.pem", missing.to_owned()),
            (refused("a.pem", "a.key", Some("empty.pem")), "client_ca", "empty.pem", no_certificate.to_owned()),
            (
                refused("a.pem", "a.key", Some("damaged.pem")),
                "client_ca",
                "damaged.pem",
                "one of its certificates is damaged".into(),
            ),
        ];
        for (error, option, name, reason) in cases {
            assert_eq!(error, format!("`{option}`: {}: {reason}", at(name)));
        }
    }

    #[test]
    fn what_has_not_changed_is_not_built_again() {
        let folder = folder();
        let server = Server::open(files(&folder, "a.pem", "a.key", Some("b.pem"))).expect("usable");
        let (first, none) = server.current();
        let (second, none_again) = server.current();
        assert_eq!((none, none_again), (None, None));
        assert!(Arc::ptr_eq(&first, &second), "sessions can be taken up again");
    }

    #[test]
    fn a_change_is_told_once_and_what_cannot_be_used_leaves_what_there_was() {
        let folder = folder();
        let server = Server::open(files(&folder, "a.pem", "a.key", None)).expect("usable");
        let copy = |from: &str, to: &str| fs::copy(folder.path().join(from), folder.path().join(to)).expect("copied");
        let (before, _) = server.current();
        copy("b.pem", "a.pem");
        let (kept, told) = server.current();
        assert!(Arc::ptr_eq(&before, &kept));
        assert!(matches!(&told, Some(Renewal::Unusable(TlsError::Denied(reason))) if reason.starts_with("`key`")));
        assert_eq!(server.current().1, None, "told once");
        copy("b.key", "a.key");
        let (renewed, told) = server.current();
        assert!(!Arc::ptr_eq(&before, &renewed));
        assert_eq!(told, Some(Renewal::Used));
        fs::remove_file(folder.path().join("a.key")).expect("there");
        assert!(matches!(server.current().1, Some(Renewal::Unusable(_))));
        assert!(Arc::ptr_eq(&renewed, &server.current().0));
    }
}
