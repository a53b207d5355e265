//! Revocation lists: what an authority has signed and does not stand for any more (RFC 5280, 5).

use super::Rules;
use super::certificate::{Certificate, day, shown};
use super::folder::Known;
use super::signature::Signed;
use crate::config::Revocation;
use std::path::{Path, PathBuf};
use std::time::Duration;
use x509_cert::certificate::Version;
use x509_cert::crl::RevokedCert;
use x509_cert::der::asn1::ContextSpecific;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Reader, Result, SliceReader, TagNumber};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::{CrlReason, KeyUsages};
use x509_cert::name::Name;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::Time;

/// A revocation list, and the file that it is in.
pub(super) struct List {
    path: PathBuf,
    signed: Signed,
    issuer: Name,
    from: Time,
    until: Option<Time>,
    revoked: Vec<RevokedCert>,
    /// It says of some certificates only, or of what has changed since another list: who is not in it may be revoked.
    is_partial: bool,
}

impl List {
    /// Reads one by hand: the crate's own type takes none of version 1, which `openssl ca` makes unless it is told otherwise.
    pub(super) fn read(path: &Path, der: &[u8]) -> Result<List> {
        let signed = Signed::of(der)?;
        SliceReader::new(&signed.content)?
            .sequence(|reader| {
                Option::<Version>::decode(reader)?;
                AlgorithmIdentifierOwned::decode(reader)?;
                let issuer = Name::decode(reader)?;
                let (from, until) = (Time::decode(reader)?, Option::<Time>::decode(reader)?);
                let revoked = Option::<Vec<RevokedCert>>::decode(reader)?.unwrap_or_default();
                let extensions = ContextSpecific::<Extensions>::decode_explicit(reader, TagNumber::N0)?;
                // All that limit a list are critical (5.2.4 and 5.2.5).
                let is_partial = extensions.is_some_and(|all| all.value.iter().any(|extension| extension.critical));
                Ok((issuer, from, until, revoked, is_partial))
            })
            .map(|(issuer, from, until, revoked, is_partial)| List {
                path: path.to_owned(),
                signed,
                issuer,
                from,
                until,
                revoked,
                is_partial,
            })
    }

    fn is_current(&self, now: Duration) -> bool {
        now >= self.from.to_unix_duration() && self.until.is_none_or(|until| now <= until.to_unix_duration())
    }

    /// When and why this certificate was revoked.
    fn find(&self, certificate: &Certificate) -> Option<String> {
        let entry = self.revoked.iter().find(|entry| entry.serial_number == *certificate.serial())?;
        let extensions = entry.crl_entry_extensions.iter().flatten();
        let reason = extensions
            .filter(|extension| extension.extn_id == CrlReason::OID)
            .find_map(|extension| CrlReason::from_der(extension.extn_value.as_bytes()).ok());
        let why = match reason {
            None | Some(CrlReason::Unspecified) => "it does not say why",
            Some(CrlReason::KeyCompromise) => "its key is known to others",
            Some(CrlReason::CaCompromise) => "the key of an authority is known to others",
            Some(CrlReason::AffiliationChanged) => "it belongs to somebody else now",
            Some(CrlReason::Superseded) => "there is a new one",
            Some(CrlReason::CessationOfOperation) => "it is out of use",
            Some(CrlReason::CertificateHold) => "it is on hold",
            Some(CrlReason::PrivilegeWithdrawn) => "its rights were withdrawn",
            Some(CrlReason::AaCompromise) => "the key of an attribute authority is known to others",
            // Only in lists of changes: it is good again.
            Some(CrlReason::RemoveFromCRL) => return None,
        };
        Some(format!("on {}: {why}", day(&entry.revocation_date)))
    }
}

/// Whether an authority still stands for what it has signed.
///
/// # Errors
/// Why not, as a sentence about `what`, the certificate.
pub(super) fn check(
    certificate: &Certificate,
    what: &str,
    authority: &Certificate,
    known: &Known,
    rules: &Rules,
) -> std::result::Result<(), String> {
    let by = shown(authority.subject());
    // Two authorities may share a name, and have a list each.
    let named = known.lists.as_ref().map_err(Clone::clone)?.iter().filter(|list| list.issuer == *authority.subject());
    let (own, strange): (Vec<&List>, Vec<&List>) = named.partition(|list| is_by(list, authority));
    if let (true, Some(list)) = (own.is_empty(), strange.first()) {
        return Err(format!(
            "the revocation list `{}` is in the name of `{by}`, whose signature it lacks, or whose signature does not \
             count (made with SHA-1, or with a keyUsage without cRLSign): get its list anew",
            list.path.display()
        ));
    }
    if let Some(how) = own.iter().find_map(|list| list.find(certificate)) {
        return Err(format!("{what} was revoked by `{by}` {how}"));
    }
    let whole: Vec<&&List> = own.iter().filter(|list| !list.is_partial).collect();
    if rules.revocation == Revocation::IfPresent || whole.iter().any(|list| list.is_current(rules.now)) {
        return Ok(());
    }
    let instead = "set `revocation = \"if-present\"` to do without";
    Err(match (whole.first(), own.first()) {
        (Some(list), _) => format!(
            "the revocation list `{}` of `{by}` is {}: put its new one there, or {instead}",
            list.path.display(),
            list.period(rules.now)
        ),
        (None, Some(list)) => format!(
            "the revocation list `{}` of `{by}` is only a part: put a whole one there, or {instead}",
            list.path.display()
        ),
        (None, None) => {
            format!("there is no revocation list of `{by}`: put it (DER or PEM) into `trusted/crl`, or {instead}")
        }
    })
}

impl List {
    fn period(&self, now: Duration) -> String {
        match &self.until {
            Some(until) if now > until.to_unix_duration() => format!("out of date since {}", day(until)),
            _ => format!("not valid before {}", day(&self.from)),
        }
    }
}

fn is_by(list: &List, authority: &Certificate) -> bool {
    authority.may(KeyUsages::CRLSign).unwrap_or(false) && list.signed.is_by(authority.key()).is_ok()
}
