//! One certificate, and what of it matters here.

use super::signature::Signed;
use opcua::crypto::{KeySize, X509};
use std::net::IpAddr;
use std::time::Duration;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::oid::db::rfc5280::{ANY_EXTENDED_KEY_USAGE, ID_KP_SERVER_AUTH};
use x509_cert::der::{Decode, Document, Reader, SliceReader};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, CertificatePolicies, ExtendedKeyUsage, KeyUsage, KeyUsages, NameConstraints, SubjectAltName,
};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::Time;

/// What a name may take of a message.
const NAME_CHARS_MAX: usize = 120;

/// A certificate with the bytes that it came in.
pub(super) struct Certificate {
    pub(super) der: Vec<u8>,
    pub(super) signed: Signed,
    inner: x509_cert::Certificate,
}

impl Certificate {
    pub(super) fn read(der: &[u8]) -> Option<Certificate> {
        let (inner, signed) = (Decode::from_der(der).ok()?, Signed::of(der).ok()?);
        Some(Certificate { der: der.to_vec(), signed, inner })
    }

    pub(super) fn subject(&self) -> &Name {
        &self.inner.tbs_certificate.subject
    }

    pub(super) fn issuer(&self) -> &Name {
        &self.inner.tbs_certificate.issuer
    }

    /// Nobody stands above it.
    pub(super) fn is_self_issued(&self) -> bool {
        self.subject() == self.issuer()
    }

    pub(super) fn serial(&self) -> &SerialNumber {
        &self.inner.tbs_certificate.serial_number
    }

    pub(super) fn key(&self) -> &SubjectPublicKeyInfoOwned {
        &self.inner.tbs_certificate.subject_public_key_info
    }

    /// By which people compare certificates.
    pub(super) fn thumbprint(&self) -> Option<String> {
        Some(X509::from_der(&self.der).ok()?.thumbprint().as_hex_string())
    }

    /// As the library has it; `None` for keys other than RSA.
    pub(super) fn key_bits(&self) -> Option<usize> {
        let key = X509::from_der(&self.der).ok()?.public_key().ok()?;
        Some(key.bit_length())
    }

    /// What is wrong with it today, as the end of a sentence.
    pub(super) fn check_time(&self, now: Duration) -> Result<(), String> {
        let validity = &self.inner.tbs_certificate.validity;
        if now > validity.not_after.to_unix_duration() {
            return Err(format!("has expired on {}", day(&validity.not_after)));
        }
        match now < validity.not_before.to_unix_duration() {
            true => Err(format!("is not valid before {}", day(&validity.not_before))),
            false => Ok(()),
        }
    }

    /// Whether it may sign certificates, with so many other authorities between it and a server (RFC 5280, 6.1.4); why not as
    /// the end of a sentence.
    pub(super) fn check_authority(&self, below: usize) -> Result<(), String> {
        let constraints = self.extension::<BasicConstraints>()?.filter(|constraints| constraints.ca);
        let Some(constraints) = constraints else {
            return Err("is no authority (its basicConstraints do not say `CA:TRUE`)".into());
        };
        if !self.may(KeyUsages::KeyCertSign)? {
            return Err("may not sign certificates (its keyUsage lacks keyCertSign)".into());
        }
        // Applications make themselves certificates that say `CA:TRUE`, too. Who trusts one of them trusts no others by it.
        if !Names::of(self).uris.is_empty() {
            return Err("is that of an application (it is for a URI), which stands for no others".into());
        }
        match constraints.path_len_constraint {
            Some(most) if below > usize::from(most) => {
                Err(format!("may stand above {most} other authorities (its pathLen), and stands above {below}"))
            }
            _ => Ok(()),
        }
    }

    /// Whether its key usage, if it has one, allows this.
    pub(super) fn may(&self, usage: KeyUsages) -> Result<bool, String> {
        Ok(self.extension::<KeyUsage>()?.is_none_or(|allowed| allowed.0.contains(usage)))
    }

    /// Whether it is for servers, or says nothing of that.
    pub(super) fn check_server(&self) -> Result<(), String> {
        let usages = self.extension::<ExtendedKeyUsage>()?;
        let fits = |usage: &_| *usage == ID_KP_SERVER_AUTH || *usage == ANY_EXTENDED_KEY_USAGE;
        match usages.is_none_or(|usages| usages.0.iter().any(fits)) {
            true => Ok(()),
            false => Err("is not for servers (its extendedKeyUsage lacks serverAuth)".into()),
        }
    }

    /// Whether there is nothing in it that limits it and that nobody looks at here.
    pub(super) fn check_understood(&self) -> Result<(), String> {
        const LOOKED_AT: [x509_cert::der::oid::ObjectIdentifier; 5] = [
            BasicConstraints::OID,
            KeyUsage::OID,
            ExtendedKeyUsage::OID,
            SubjectAltName::OID,
            // They are for those who demand a policy, which the gateway does not.
            CertificatePolicies::OID,
        ];
        for extension in self.inner.tbs_certificate.extensions.iter().flatten() {
            if extension.extn_id == NameConstraints::OID {
                return Err(
                    "limits the names that it signs for (nameConstraints), which the gateway cannot check".into()
                );
            }
            if extension.critical && !LOOKED_AT.contains(&extension.extn_id) {
                return Err(format!("has a critical extension that the gateway does not know ({})", extension.extn_id));
            }
        }
        Ok(())
    }

    fn extension<'a, T: Decode<'a> + AssociatedOid>(&'a self) -> Result<Option<T>, String> {
        let found = self.inner.tbs_certificate.get::<T>();
        Ok(found.map_err(|_| "has an extension that cannot be read".to_owned())?.map(|(_, found)| found))
    }
}

/// The certificates or lists of a file, or of a server's chain, one after the other; `None` if it is anything else.
pub(super) fn ders(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains("-----BEGIN ") => pems(text),
        _ => {
            let mut reader = SliceReader::new(bytes).ok()?;
            let mut all = vec![];
            while !reader.is_finished() {
                all.push(reader.tlv_bytes().ok()?.to_vec());
            }
            Some(all)
        }
    }
}

fn pems(text: &str) -> Option<Vec<Vec<u8>>> {
    const END: &str = "-----END ";
    let blocks = text.split("-----BEGIN ").skip(1);
    let der = |block: &str| {
        let label = block.find(END)? + END.len();
        let end = label + block[label..].find("-----")? + "-----".len();
        let (_, document) = Document::from_pem(&format!("-----BEGIN {}\n", &block[..end])).ok()?;
        Some(document.as_bytes().to_vec())
    };
    blocks.map(der).collect()
}

/// A name as people read it. It may be a stranger's, who writes into it what he likes.
pub(super) fn shown(name: &Name) -> String {
    harmless(&name.to_string())
}

fn harmless(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(NAME_CHARS_MAX).collect()
}

/// The day of a time.
pub(super) fn day(time: &Time) -> String {
    let time = time.to_date_time();
    format!("{:04}-{:02}-{:02}", time.year(), time.month(), time.day())
}

/// Whom a certificate is for.
#[derive(Default)]
pub(super) struct Names {
    pub(super) hosts: Vec<String>,
    pub(super) uris: Vec<String>,
}

impl Names {
    pub(super) fn of(certificate: &Certificate) -> Names {
        let mut names = Names::default();
        let Ok(Some(SubjectAltName(all))) = certificate.extension::<SubjectAltName>() else { return names };
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

    pub(super) fn shown(&self) -> String {
        let hosts: Vec<String> = self.hosts.iter().map(|host| format!("`{}`", harmless(host))).collect();
        if hosts.is_empty() { "no host".into() } else { hosts.join(", ") }
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let v6 = || <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| v6()).ok().map(|address| address.to_string())
}
