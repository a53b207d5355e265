//! How messages are protected, and who the gateway says it is.

use super::link::WrittenLink;
use edgeway_sdk::Problem;
use opcua::crypto::SecurityPolicy;
use opcua::types::MessageSecurityMode;
use std::path::PathBuf;

/// The algorithms that protect messages.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Policy {
    /// None: whoever reaches the network reads and changes everything.
    #[default]
    None,
    /// Broken; for servers that have nothing else.
    Basic128rsa15,
    /// Broken; for servers that have nothing else.
    Basic256,
    /// What most servers have.
    Basic256sha256,
    /// The least that is good today.
    Aes128Sha256Rsaoaep,
    /// The best.
    Aes256Sha256Rsapss,
}

/// What is done to messages.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// Nobody can change them.
    Sign,
    /// Nor read them.
    SignAndEncrypt,
}

/// What is done where a server takes passwords only as they are.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClearText {
    /// The gateway does not connect.
    #[default]
    Refuse,
    /// It is sent: everybody on the network can read it.
    Send,
}

/// Whether an authority is trusted of which no revocation list is here that is up to date.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Revocation {
    /// No: nobody can say what it has taken back.
    #[default]
    Required,
    /// Yes. What the lists that are here revoke is refused, however old they are.
    IfPresent,
}

/// Who the gateway says it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Identity {
    Anonymous,
    User { name: String, password: String, clear_text: ClearText },
    Certificate(Files),
}

/// A certificate and its private key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Files {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// How messages are protected.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Security {
    pub(crate) policy: Policy,
    /// Set unless the policy is none.
    pub(crate) mode: Option<Mode>,
    /// Certificates of the gateway and of servers. Set unless the policy is none.
    pub(crate) pki: Option<PathBuf>,
    pub(crate) revocation: Revocation,
    /// The gateway's own certificate, if it is not in `pki`.
    pub(crate) own: Option<Files>,
    pub(crate) identity: Identity,
    /// The host name that the server's certificate has to be for. Default: that of the endpoint.
    pub(crate) server_name: Option<String>,
}

impl Policy {
    pub(crate) fn of_opcua(self) -> SecurityPolicy {
        match self {
            Policy::None => SecurityPolicy::None,
            Policy::Basic128rsa15 => SecurityPolicy::Basic128Rsa15,
            Policy::Basic256 => SecurityPolicy::Basic256,
            Policy::Basic256sha256 => SecurityPolicy::Basic256Sha256,
            Policy::Aes128Sha256Rsaoaep => SecurityPolicy::Aes128Sha256RsaOaep,
            Policy::Aes256Sha256Rsapss => SecurityPolicy::Aes256Sha256RsaPss,
        }
    }

    /// The word for it in the options.
    pub(crate) fn word(policy: SecurityPolicy) -> &'static str {
        match policy {
            SecurityPolicy::None => "none",
            SecurityPolicy::Basic128Rsa15 => "basic128rsa15",
            SecurityPolicy::Basic256 => "basic256",
            SecurityPolicy::Basic256Sha256 => "basic256sha256",
            SecurityPolicy::Aes128Sha256RsaOaep => "aes128-sha256-rsaoaep",
            SecurityPolicy::Aes256Sha256RsaPss => "aes256-sha256-rsapss",
            _ => "a policy that the gateway does not have",
        }
    }
}

impl Mode {
    /// The word for it in the options.
    pub(crate) fn word(mode: MessageSecurityMode) -> &'static str {
        match mode {
            MessageSecurityMode::Sign => "sign",
            MessageSecurityMode::SignAndEncrypt => "sign-and-encrypt",
            _ => "none",
        }
    }
}

impl Security {
    /// The mode as it is sent.
    pub(crate) fn mode_of_opcua(&self) -> MessageSecurityMode {
        match self.mode {
            None => MessageSecurityMode::None,
            Some(Mode::Sign) => MessageSecurityMode::Sign,
            Some(Mode::SignAndEncrypt) => MessageSecurityMode::SignAndEncrypt,
        }
    }

    /// Reads what a link says of security, and notes all that is wrong.
    pub(super) fn read(written: &WrittenLink, problems: &mut Vec<Problem>) -> Security {
        let secure = written.security != Policy::None;
        if !secure {
            problems.extend(written.mode.map(|_| {
                Problem::key("mode", "there is no mode without a security policy")
                    .help("set `security`, or remove `mode`")
            }));
        } else if written.pki.is_none() {
            let help = "a folder of the site, `pki = \"pki\"`: it holds the gateway's certificate and those it trusts";
            problems.push(Problem::key("pki", "certificates need a folder").help(help));
        }
        if written.revocation.is_some() && written.pki.is_none() {
            let message = "there are no certificates to be revoked without `pki`";
            problems.push(Problem::key("revocation", message).help("set `pki`, or remove `revocation`"));
        }
        let revocation = written.revocation.unwrap_or_default();
        let mode = secure.then(|| written.mode.unwrap_or(Mode::SignAndEncrypt));
        let own = files(written, ("cert", &written.cert), ("key", &written.key), problems);
        let identity = identity(written, problems);
        let (policy, pki, server_name) = (written.security, written.pki.clone(), written.server_name.clone());
        Security { policy, mode, pki, revocation, own, identity, server_name }
    }
}

/// Two files that only make sense together.
fn files(
    written: &WrittenLink,
    (cert_name, cert): (&str, &Option<PathBuf>),
    (key_name, key): (&str, &Option<PathBuf>),
    problems: &mut Vec<Problem>,
) -> Option<Files> {
    let mut alone = |has: &str, lacks: &str| {
        problems.push(Problem::key(has, format!("`{has}` needs `{lacks}` beside it")));
        None
    };
    match (cert, key) {
        (None, None) => None,
        (Some(_), None) => alone(cert_name, key_name),
        (None, Some(_)) => alone(key_name, cert_name),
        (Some(_), Some(_)) if written.security == Policy::None => {
            let message =
                format!("a certificate is of no use with `security = \"none\"`; remove `{cert_name}` and `{key_name}`");
            problems.push(Problem::key(cert_name, message).help("or set `security`"));
            None
        }
        (Some(cert), Some(key)) => Some(Files { cert: cert.clone(), key: key.clone() }),
    }
}

fn identity(written: &WrittenLink, problems: &mut Vec<Problem>) -> Identity {
    let files = files(written, ("user_cert", &written.user_cert), ("user_key", &written.user_key), problems);
    match (&written.username, &written.password, files) {
        (Some(_), _, Some(_)) => {
            problems.push(Problem::key("user_cert", "a user has a name or a certificate, not both"));
            Identity::Anonymous
        }
        (Some(name), password, None) => Identity::User {
            name: name.clone(),
            password: password.clone().unwrap_or_default(),
            clear_text: written.clear_text_password,
        },
        (None, Some(_), _) => {
            problems.push(Problem::key("password", "`password` needs `username` beside it"));
            Identity::Anonymous
        }
        (None, None, Some(files)) => Identity::Certificate(files),
        (None, None, None) => Identity::Anonymous,
    }
}
