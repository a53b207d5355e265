//! Which of a server's endpoints fits the link.

use super::failure::words;
use crate::config::{Endpoint, Identity, Mode, Policy, Security};
use opcua::crypto::SecurityPolicy;
use opcua::types::{EndpointDescription, MessageSecurityMode, StatusCode, UserTokenPolicy, UserTokenType};

/// A server's endpoint whose security is that of the link, under the address that the link has for it.
///
/// # Errors
/// What the server has instead, for the operator.
pub(super) fn choose(
    endpoints: Vec<EndpointDescription>,
    at: &Endpoint,
    security: &Security,
) -> Result<EndpointDescription, String> {
    let (policy, mode) = (security.policy.of_opcua(), security.mode_of_opcua());
    let fits = |endpoint: &&EndpointDescription| {
        policy_of(endpoint) == policy && endpoint.security_mode == mode && is_binary(endpoint)
    };
    let fitting: Vec<&EndpointDescription> = endpoints.iter().filter(fits).collect();
    // Behind one port there may be several servers, by path; what the link names goes before.
    let path = path(&at.to_string());
    let best = fitting.iter().find(|endpoint| path_of(endpoint) == path).or(fitting.first());
    let Some(best) = best else {
        let (policy, mode) = (Policy::word(policy), Mode::word(mode));
        return Err(format!("the server does not offer {}; it offers {}", offer(policy, mode), offers(&endpoints)));
    };
    let mut endpoint = (*best).clone();
    endpoint.endpoint_url = format!("{}{}", at.server(), path_of(best)).into();
    token_policy(&mut endpoint, security)?;
    Ok(endpoint)
}

/// Leaves only the token policy that is used, so that it is the one that the library finds.
fn token_policy(endpoint: &mut EndpointDescription, security: &Security) -> Result<(), String> {
    let wanted = match security.identity {
        Identity::Anonymous => UserTokenType::Anonymous,
        Identity::User { .. } => UserTokenType::UserName,
        Identity::Certificate(_) => UserTokenType::Certificate,
    };
    let policies = endpoint.user_identity_tokens.take().unwrap_or_default();
    let known =
        |policy: &&UserTokenPolicy| policy.token_type == wanted && of_token(policy) != Some(SecurityPolicy::Unknown);
    // Of several, the one that encrypts.
    let encrypts = |policy: &&UserTokenPolicy| of_token(policy) != Some(SecurityPolicy::None);
    let found = policies.iter().filter(known).find(encrypts).or_else(|| policies.iter().find(known));
    match found {
        Some(policy) => {
            let mut policy = policy.clone();
            // Where no policy is named it is that of the channel; the library would leave the signature out.
            if wanted == UserTokenType::Certificate && of_token(&policy).is_none() {
                policy.security_policy_uri = endpoint.security_policy_uri.clone();
            }
            endpoint.user_identity_tokens = Some(vec![policy]);
        }
        // A server that says nothing of users takes everybody.
        None if wanted == UserTokenType::Anonymous && policies.is_empty() => {
            let anybody = UserTokenPolicy { policy_id: "anonymous".into(), token_type: wanted, ..Default::default() };
            endpoint.user_identity_tokens = Some(vec![anybody]);
        }
        None => {
            let instead = match wanted {
                UserTokenType::Anonymous => {
                    "the server wants a user: set `username` and `password`, or `user_cert` and `user_key`"
                }
                UserTokenType::UserName => "the server takes no users with passwords here",
                _ => "the server takes no users with certificates here",
            };
            return Err(instead.into());
        }
    }
    Ok(())
}

/// With which policy a secret is encrypted; `None` for that of the channel.
fn of_token(policy: &UserTokenPolicy) -> Option<SecurityPolicy> {
    let uri = policy.security_policy_uri.as_ref();
    (!uri.is_empty()).then(|| SecurityPolicy::from_uri(uri))
}

/// How a password would be sent.
#[derive(Debug, PartialEq)]
pub(super) enum Secrecy {
    /// By the channel that encrypts everything.
    Channel,
    /// With the server's key.
    Key,
    /// Not at all.
    Clear,
}

/// How the endpoint that was chosen takes passwords (OPC 10000-4, 7.40.4).
pub(super) fn secrecy(endpoint: &EndpointDescription) -> Secrecy {
    let token = endpoint.user_identity_tokens.as_deref().and_then(<[_]>::first).and_then(of_token);
    match token.unwrap_or_else(|| policy_of(endpoint)) {
        SecurityPolicy::None if endpoint.security_mode == MessageSecurityMode::SignAndEncrypt => Secrecy::Channel,
        SecurityPolicy::None => Secrecy::Clear,
        _ => Secrecy::Key,
    }
}

pub(crate) fn policy_of(endpoint: &EndpointDescription) -> SecurityPolicy {
    SecurityPolicy::from_uri(endpoint.security_policy_uri.as_ref())
}

fn is_binary(endpoint: &EndpointDescription) -> bool {
    endpoint.endpoint_url.as_ref().starts_with("opc.tcp://")
}

fn path_of(endpoint: &EndpointDescription) -> String {
    path(endpoint.endpoint_url.as_ref())
}

fn path(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("", |at| &rest[at..]).trim_end_matches('/').to_owned()
}

fn offers(endpoints: &[EndpointDescription]) -> String {
    let mut all: Vec<String> = endpoints
        .iter()
        .filter(|endpoint| is_binary(endpoint))
        .map(|endpoint| offer(Policy::word(policy_of(endpoint)), Mode::word(endpoint.security_mode)))
        .collect();
    all.sort();
    all.dedup();
    if all.is_empty() { "nothing".into() } else { all.join(", ") }
}

fn offer(policy: &str, mode: &str) -> String {
    if mode == "none" { format!("`{policy}`") } else { format!("`{policy}` with `{mode}`") }
}

/// Why a user was not let in.
pub(super) fn login(status: StatusCode) -> String {
    format!("the server does not let the user in: {}", words(status))
}
