//! From a server's certificate to an authority that is trusted (RFC 5280, 6.1; OPC 10000-4, 6.1.3).

use super::Rules;
use super::certificate::{Certificate, shown};
use super::folder::Known;
use super::revocation;
use super::signature::Unsigned;
use crate::config::Revocation;

/// Certificates in a chain at most, the server's own counted.
pub(super) const CHAIN_MAX: usize = 8;
/// RSA keys that are shorter sign nothing.
const RSA_BITS_MIN: usize = 2048;
/// The certificate that all is about.
pub(super) const SERVERS: &str = "the server's certificate";

/// Why no authority stands for a server.
#[derive(Debug, PartialEq)]
pub(super) enum Broken {
    /// Nobody knows the authority that it names, if it names one.
    Unknown { authority: Option<String> },
    /// Somebody does, and something is wrong. A sentence.
    Wrong(String),
}

/// A certificate that is vouched for by nobody yet, and how many authorities are between it and the server.
struct Step<'a> {
    certificate: &'a Certificate,
    below: usize,
}

/// Looks for a chain of authorities, each of which has signed the one below, from the server's certificate to one that is
/// trusted. `sent` came along with it.
///
/// Each certificate is looked at once, where it is nearest to the server: nobody can make this long.
pub(super) fn trace(server: &Certificate, sent: &[Certificate], known: &Known, rules: &Rules) -> Result<(), Broken> {
    if server.is_self_issued() {
        // Its older certificate may be here, under the same name.
        return Err(Broken::Unknown { authority: None });
    }
    let mut steps = vec![Step { certificate: server, below: 0 }];
    let (mut wrong, mut unsigned) = (None, None);
    let mut at = 0;
    while let Some(&Step { certificate, below }) = steps.get(at) {
        at += 1;
        let what = if below == 0 { SERVERS.to_owned() } else { of(certificate) };
        for (authority, is_trusted) in authorities(certificate, sent, known) {
            let is_met = steps.iter().any(|step| step.certificate.der == authority.der);
            if is_met || below + 2 > CHAIN_MAX {
                continue;
            }
            if let Err(why) = check_signature(certificate, &what, authority) {
                // Another authority may have the same name.
                unsigned.get_or_insert(why);
            } else if let Err(why) = check_authority(authority, below, rules)
                .and_then(|()| revocation::check(certificate, &what, authority, known, rules))
            {
                wrong.get_or_insert(why);
            } else if is_trusted {
                return check_server(server)
                    .and_then(|()| check_listed(authority, &of(authority), known, rules))
                    .map_err(Broken::Wrong);
            } else {
                steps.push(Step { certificate: authority, below: below + 1 });
            }
        }
    }
    let top = steps.last().map_or(server, |step| step.certificate);
    Err(match wrong.or(unsigned) {
        Some(sentence) => Broken::Wrong(sentence),
        None => Broken::Unknown { authority: Some(shown(top.issuer())) },
    })
}

/// Those whose name is that of the issuer, and whether they are trusted.
fn authorities<'a>(
    certificate: &'a Certificate,
    sent: &'a [Certificate],
    known: &'a Known,
) -> impl Iterator<Item = (&'a Certificate, bool)> {
    let trusted = known.trusted.iter().map(|authority| (authority, true));
    let others = known.issuers.iter().chain(sent).map(|authority| (authority, false));
    trusted.chain(others).filter(|(authority, _)| certificate.issuer() == authority.subject())
}

/// Whether a certificate that is trusted for itself was revoked all the same, by an authority that is known.
pub(super) fn check_listed(certificate: &Certificate, what: &str, known: &Known, rules: &Rules) -> Result<(), String> {
    if certificate.is_self_issued() {
        return Ok(());
    }
    let rules = Rules { revocation: Revocation::IfPresent, ..*rules };
    // A signature that does not count any more says well enough who has made it.
    let is_above = |authority: &Certificate| !matches!(certificate.signed.is_by(authority.key()), Err(Unsigned::Wrong));
    let mut above = authorities(certificate, &[], known).filter(|(authority, _)| is_above(authority));
    above.try_for_each(|(authority, _)| revocation::check(certificate, what, authority, known, &rules))
}

fn check_signature(certificate: &Certificate, what: &str, authority: &Certificate) -> Result<(), String> {
    let by = shown(authority.subject());
    certificate.signed.is_by(authority.key()).map_err(|why| match why {
        Unsigned::Sha1 => {
            format!("{what} is signed by `{by}` with SHA-1, which others can make, too: have it signed with SHA-256")
        }
        Unsigned::Unknown => format!("{what} is signed by `{by}` in a way that the gateway does not know"),
        Unsigned::Wrong => match authority.key_bits() {
            Some(bits) if bits < RSA_BITS_MIN => {
                format!("the key of `{by}`, which should have signed {what}, has {bits} bits: {RSA_BITS_MIN} are the least")
            }
            _ => format!(
                "the signature of {what} is not that of `{by}`: it was changed, or the authority has another key now and its new \
                 certificate is needed"
            ),
        },
    })
}

/// Whether an authority may have signed what is below it.
fn check_authority(authority: &Certificate, below: usize, rules: &Rules) -> Result<(), String> {
    let check = authority
        .check_authority(below)
        .and_then(|()| authority.check_server())
        .and_then(|()| authority.check_understood())
        .and_then(|()| authority.check_time(rules.now));
    check.map_err(|why| format!("{}, which has signed it, {why}", of(authority)))
}

fn check_server(server: &Certificate) -> Result<(), String> {
    server.check_server().and_then(|()| server.check_understood()).map_err(|why| format!("{SERVERS} {why}"))
}

fn of(certificate: &Certificate) -> String {
    format!("the certificate of `{}`", shown(certificate.subject()))
}
