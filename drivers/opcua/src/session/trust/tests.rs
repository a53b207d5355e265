//! Whom the folder makes trusted, and what is said of the others.

mod lists;

use super::*;
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, NameConstraints, PKCS_RSA_SHA256, PublicKeyData, RevocationReason, RevokedCertParams, SanType,
    SerialNumber, SignatureAlgorithm, date_time_ymd,
};
use std::net::Ipv4Addr;
use tempfile::TempDir;

/// 2026-06-01, in the middle of what is valid.
const NOW: Duration = Duration::from_secs(1_780_272_000);
const SERIAL: u64 = 4711;

/// A key of 2048 bits that nobody has: servers sign nothing here.
struct ServerKey(Vec<u8>);

impl ServerKey {
    fn new() -> ServerKey {
        // RSAPublicKey (RFC 8017, A.1.1): a modulus and 65537.
        let modulus = [&[0x02, 0x82, 0x01, 0x01, 0x00][..], &[0xC5; 256]].concat();
        ServerKey([&[0x30, 0x82, 0x01, 0x0A][..], &modulus, &[0x02, 0x03, 0x01, 0x00, 0x01]].concat())
    }
}

impl PublicKeyData for ServerKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

/// Somebody who signs, rightly or not.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
}

impl Authority {
    fn root(name: &str) -> Authority {
        Authority::with(authority(name), None)
    }

    fn below(name: &str, above: &Authority) -> Authority {
        Authority::with(authority(name), Some(above))
    }

    fn with(params: CertificateParams, above: Option<&Authority>) -> Authority {
        let key = KeyPair::generate().unwrap();
        let made = match above {
            None => params.self_signed(&key),
            Some(above) => params.signed_by(&key, &above.issuer),
        };
        Authority { der: made.unwrap().der().to_vec(), issuer: Issuer::new(params, key) }
    }

    fn server(&self) -> Vec<u8> {
        self.sign(server())
    }

    fn sign(&self, params: CertificateParams) -> Vec<u8> {
        params.signed_by(&ServerKey::new(), &self.issuer).unwrap().der().to_vec()
    }

    /// A list of these months of 2026 that revokes these numbers.
    fn list(&self, months: (u8, u8), revoked: &[(u64, Option<RevocationReason>)]) -> Vec<u8> {
        self.list_of(months, revoked, None)
    }

    fn list_of(
        &self,
        (from, until): (u8, u8),
        revoked: &[(u64, Option<RevocationReason>)],
        part: Option<CrlIssuingDistributionPoint>,
    ) -> Vec<u8> {
        let entry = |(number, reason): &(u64, Option<RevocationReason>)| RevokedCertParams {
            serial_number: SerialNumber::from(*number),
            revocation_time: date_time_ymd(2026, 3, 14),
            reason_code: *reason,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, from, 1),
            next_update: date_time_ymd(2026, until, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: part,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().der().to_vec()
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server() -> CertificateParams {
    let mut params = named("server");
    params.is_ca = IsCa::ExplicitNoCa;
    params.serial_number = Some(SerialNumber::from(SERIAL));
    params.subject_alt_names =
        vec![SanType::URI("urn:lab:server".try_into().unwrap()), SanType::IpAddress(Ipv4Addr::LOCALHOST.into())];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params
}

struct Lab {
    folder: TempDir,
    revocation: Revocation,
}

impl Lab {
    /// Where only what lists say counts.
    fn new() -> Lab {
        Lab { folder: tempfile::tempdir().unwrap(), revocation: Revocation::IfPresent }
    }

    fn strict() -> Lab {
        Lab { revocation: Revocation::Required, ..Lab::new() }
    }

    fn put(self, name: &str, bytes: impl AsRef<[u8]>) -> Lab {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::create_dir_all(self.path("rejected")).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn check(&self, shown: &[&[u8]]) -> Result<(), String> {
        self.check_at(NOW, shown)
    }

    fn check_at(&self, now: Duration, shown: &[&[u8]]) -> Result<(), String> {
        let folder = self.folder.path().to_owned();
        let own = Files { cert: folder.join(OWN), key: folder.join(KEY) };
        let trust = Trust { folder, own, revocation: self.revocation };
        let expected = Expected {
            policy: SecurityPolicy::Basic256Sha256,
            host: "127.0.0.1".into(),
            application_uri: "urn:lab:server".into(),
            now,
        };
        let checked = trust.check(&shown.concat().into(), &expected);
        // Names of temporary folders are in nobody's way.
        let checked = checked.map_err(|why| why.replace(&format!("{}/", self.folder.path().display()), ""));
        checked.map(|own| assert_eq!(own.as_ref(), shown[0], "the server's own certificate of all"))
    }

    fn refused(&self, shown: &[&[u8]]) -> String {
        self.check(shown).unwrap_err()
    }
}

const NOT_TRUSTED: &str = "the server's certificate is not trusted: ";

#[test]
fn an_authority_makes_what_it_signs_trusted() {
    let root = Authority::root("Plant");
    for folder in ["trusted", "trusted/certs"] {
        let lab = Lab::new().put(&format!("{folder}/plant.crt"), &root.der);
        assert_eq!(lab.check(&[&root.server()]), Ok(()), "{folder}");
    }
}

#[test]
fn authorities_in_between_may_be_here_or_come_along() {
    let root = Authority::root("Plant");
    let hall = Authority::below("Hall", &root);
    let line = Authority::below("Line", &hall);
    let server = line.server();
    let trusted = || Lab::new().put("trusted/plant.der", &root.der);
    assert_eq!(trusted().check(&[&server, &line.der, &hall.der]), Ok(()));
    assert_eq!(trusted().check(&[&server, &root.der, &hall.der, &line.der]), Ok(()), "in any order");
    for folder in ["issuers", "issuers/certs", "issuer", "issuer/certs"] {
        let lab = trusted().put(&format!("{folder}/line.der"), &line.der).put(&format!("{folder}/hall.der"), &hall.der);
        assert_eq!(lab.check(&[&server]), Ok(()), "{folder}");
    }
    let both = trusted().put("issuers/both.der", [line.der.clone(), hall.der.clone()].concat());
    assert_eq!(both.check(&[&server]), Ok(()), "in one file");
    assert_eq!(Lab::new().put("trusted/line.der", &line.der).check(&[&server]), Ok(()), "the nearest is enough");
}

#[test]
fn a_file_with_a_chain_makes_only_its_first_certificate_trusted() {
    let root = Authority::root("Plant");
    let first = root.server();
    let lab = Lab::new().put("trusted/chain.der", [first.clone(), root.der.clone()].concat());
    assert_eq!(lab.check(&[&first]), Ok(()));
    assert!(lab.refused(&[&root.server(), &root.der]).contains("is not trusted; if it is the right one"));
}

#[test]
fn an_authority_that_is_only_an_issuer_makes_nobody_trusted() {
    let root = Authority::root("Plant");
    let lab = Lab::new().put("issuers/plant.der", &root.der);
    assert!(lab.refused(&[&root.server()]).contains("is not trusted; if it is the right one"));
}

#[test]
fn who_is_unknown_is_kept_and_both_ways_to_trust_him_are_told() {
    let root = Authority::root("Plant");
    let hall = Authority::below("Hall", &root);
    let server = hall.server();
    let lab = Lab::new().put("trusted/notes.txt", "call Ada");
    let why = lab.refused(&[&server, &hall.der]);
    let kept = files(&lab.path("rejected"));
    assert_eq!(kept.len(), 1, "the server's own alone");
    assert_eq!(fs::read(&kept[0]).unwrap(), server);
    let name = kept[0].file_name().unwrap().to_str().unwrap();
    let thumbprint = Certificate::read(&server).unwrap().thumbprint().unwrap();
    assert_eq!(
        why.replace(&lab.folder.path().display().to_string(), "PKI"),
        format!(
            "the server's certificate is not trusted; if it is the right one (SHA-1 {thumbprint}), move `rejected/{name}` to \
             `PKI/trusted`; or put the certificate of its authority `CN=Plant` into `PKI/trusted`, to trust all servers that it \
             signs for; `trusted/notes.txt` holds no certificate in DER or PEM"
        )
        .replace("PKI/", "")
    );
    let lab = lab.put("trusted/server.der", &server);
    assert_eq!(lab.check(&[&server, &hall.der]), Ok(()));
    assert_eq!(files(&lab.path("rejected")), [] as [PathBuf; 0], "who trusts it does not reject it");
}

#[test]
fn a_server_that_signs_for_itself_is_trusted_as_itself_and_signs_for_nobody() {
    let mut params = server();
    params.distinguished_name.push(DnType::CommonName, "alone");
    let alone = Authority::with(params, None);
    let lab = Lab::strict().put("trusted/alone.der", &alone.der);
    assert_eq!(
        lab.refused(&[&alone.der]),
        "the server's certificate has a key of 0 bits, which its security policy does not allow",
        "it is trusted, but its key is no RSA key"
    );
    assert_eq!(
        lab.refused(&[&alone.server()]),
        format!(
            "{NOT_TRUSTED}the certificate of `CN=alone`, which has signed it, is no authority (its basicConstraints do not say \
             `CA:TRUE`)"
        )
    );
}

#[test]
fn a_server_with_a_new_certificate_of_its_own_is_met_anew() {
    let [old, new] = [Authority::root("server").server(), Authority::root("server").server()];
    let lab = Lab::strict().put("trusted/old.der", &old);
    assert_eq!(lab.check(&[&old]), Ok(()));
    assert!(lab.refused(&[&new]).contains("is not trusted; if it is the right one"));
    assert_eq!(files(&lab.path("rejected")).len(), 1);
    assert_eq!(lab.put("trusted/new.der", &new).check(&[&new]), Ok(()));
}

/// Each of them is signed as it should be.
#[test]
fn who_may_not_sign_makes_nobody_trusted() {
    let root = Authority::root("Plant");
    let changed = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = authority("Hall");
        change(&mut params);
        Authority::with(params, Some(&root))
    };
    for (hall, why) in [
        (Authority::with(named("Hall"), Some(&root)), "is no authority (its basicConstraints do not say `CA:TRUE`)"),
        (
            changed(&|params| params.is_ca = IsCa::ExplicitNoCa),
            "is no authority (its basicConstraints do not say `CA:TRUE`)",
        ),
        (
            changed(&|params| params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth]),
            "is not for servers (its extendedKeyUsage lacks serverAuth)",
        ),
        (
            changed(&|params| {
                let uri = "urn:plant:hall".try_into().expect("an URI");
                params.subject_alt_names = vec![rcgen::SanType::URI(uri)];
            }),
            "is that of an application (it is for a URI), which stands for no others",
        ),
        (
            changed(&|params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign]),
            "may not sign certificates (its keyUsage lacks keyCertSign)",
        ),
        (changed(&|params| params.not_after = date_time_ymd(2026, 5, 31)), "has expired on 2026-05-31"),
        (changed(&|params| params.not_before = date_time_ymd(2026, 6, 2)), "is not valid before 2026-06-02"),
        (
            changed(&|params| {
                params.name_constraints = Some(NameConstraints {
                    permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("a".into())],
                    excluded_subtrees: vec![],
                })
            }),
            "limits the names that it signs for (nameConstraints), which the gateway cannot check",
        ),
        (
            changed(&|params| {
                let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
                unknown.set_criticality(true);
                params.custom_extensions = vec![unknown];
            }),
            "has a critical extension that the gateway does not know (1.2.3.4)",
        ),
    ] {
        let lab = Lab::new().put("trusted/plant.der", &root.der);
        assert_eq!(
            lab.refused(&[&hall.server(), &hall.der]),
            format!("{NOT_TRUSTED}the certificate of `CN=Hall`, which has signed it, {why}")
        );
        assert_eq!(files(&lab.path("rejected")), [] as [PathBuf; 0], "it is not offered to be trusted");
    }
}

#[test]
fn an_authority_that_is_trusted_has_to_be_one_that_is_valid() {
    let mut params = authority("Plant");
    params.not_after = date_time_ymd(2026, 5, 1);
    let root = Authority::with(params, None);
    let lab = Lab::new().put("trusted/plant.der", &root.der);
    assert_eq!(
        lab.refused(&[&root.server()]),
        format!("{NOT_TRUSTED}the certificate of `CN=Plant`, which has signed it, has expired on 2026-05-01")
    );
}

#[test]
fn how_many_authorities_may_be_below_is_counted() {
    let mut params = authority("Plant");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let root = Authority::with(params, None);
    let hall = Authority::below("Hall", &root);
    let lab = Lab::new().put("trusted/plant.der", &root.der);
    assert_eq!(lab.check(&[&root.server()]), Ok(()));
    assert_eq!(
        lab.refused(&[&hall.server(), &hall.der]),
        format!(
            "{NOT_TRUSTED}the certificate of `CN=Plant`, which has signed it, may stand above 0 other authorities (its pathLen), \
             and stands above 1"
        )
    );
}

#[test]
fn a_chain_is_no_longer_than_it_may_be() {
    let mut chain = vec![Authority::root("0")];
    for number in 1..CHAIN_MAX {
        chain.push(Authority::below(&number.to_string(), &chain[number - 1]));
    }
    let lab = Lab::new().put("trusted/0.der", &chain[0].der);
    let shown = |top: usize| -> Vec<Vec<u8>> {
        std::iter::once(chain[top].server()).chain(chain[1..=top].iter().map(|one| one.der.clone())).collect()
    };
    let check = |shown: &[Vec<u8>]| lab.check(&shown.iter().map(Vec::as_slice).collect::<Vec<_>>());
    assert_eq!(check(&shown(CHAIN_MAX - 2)), Ok(()), "{CHAIN_MAX} with the one that is here");
    assert!(check(&shown(CHAIN_MAX - 1)).unwrap_err().contains("is not trusted; if it is the right one"));
    let mut many = shown(CHAIN_MAX - 1);
    many.push(chain[0].der.clone());
    assert_eq!(check(&many).unwrap_err(), "the server shows 9 certificates, more than 8");
}

/// Two authorities that have signed each other, and whoever else is of their names.
#[test]
fn authorities_in_a_circle_come_to_an_end() {
    let (one, two) = (Authority::root("One"), Authority::root("Two"));
    let crossed = |name: &str, by: &Authority| Authority::with(authority(name), Some(by)).der;
    let shown = [one.server(), crossed("One", &two), crossed("Two", &one), one.der.clone(), two.der.clone()];
    let shown: Vec<&[u8]> = shown.iter().map(Vec::as_slice).collect();
    assert!(Lab::new().put("trusted/x.der", []).refused(&shown).contains("is not trusted"));
}

#[test]
fn what_was_changed_has_no_signature_any_more() {
    let (root, stranger) = (Authority::root("Plant"), Authority::root("Plant"));
    let wrong = format!(
        "{NOT_TRUSTED}the signature of the server's certificate is not that of `CN=Plant`: it was changed, or the authority \
         has another key now and its new certificate is needed"
    );
    let mut server = root.server();
    let at = server.windows(6).position(|bytes| bytes == b"server").unwrap();
    server[at] = b'S';
    let lab = Lab::new().put("trusted/plant.der", &root.der);
    assert_eq!(lab.refused(&[&server]), wrong);
    assert_eq!(lab.refused(&[&stranger.server()]), wrong, "somebody else of the same name");
    let lab = lab.put("trusted/new.der", &stranger.der);
    assert_eq!(lab.check(&[&stranger.server()]), Ok(()), "one of both has signed it");
    assert_eq!(lab.check(&[&root.server()]), Ok(()));
}

#[test]
fn what_an_authority_signs_is_for_servers_and_for_this_one() {
    let root = Authority::root("Plant");
    let lab = Lab::new().put("trusted/plant.der", &root.der);
    let changed = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = server();
        change(&mut params);
        root.sign(params)
    };
    let client = changed(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    assert_eq!(
        lab.refused(&[&client]),
        format!("{NOT_TRUSTED}the server's certificate is not for servers (its extendedKeyUsage lacks serverAuth)")
    );
    assert_eq!(lab.check(&[&changed(&|params| params.extended_key_usages = vec![])]), Ok(()));
    let old = changed(&|params| params.not_after = date_time_ymd(2026, 5, 1));
    assert_eq!(lab.refused(&[&old]), "the server's certificate has expired on 2026-05-01");
    let elsewhere = changed(&|params| params.subject_alt_names = vec![SanType::DnsName("plc-7".try_into().unwrap())]);
    assert!(lab.refused(&[&elsewhere]).contains("is for `plc-7`, not for the host `127.0.0.1`"));
}

#[test]
fn a_chain_that_cannot_be_read_is_none() {
    let root = Authority::root("Plant");
    let server = root.server();
    let lab = Lab::new().put("trusted/server.der", &server);
    assert_eq!(lab.refused(&[&[]]), "the server shows no certificate");
    for shown in [&[b"text".as_slice()][..], &[&server, b"text"], &[&server[..100]], &[&[0x30, 0], &server]] {
        assert_eq!(lab.refused(shown), "the server's certificate cannot be read");
    }
}

proptest! {
    /// Whatever a server or a file holds, it is read or it is not.
    #[test]
    fn nothing_that_is_read_breaks_anything(at in 0_usize..1000, byte: u8, cut in prop::option::of(0_usize..1000)) {
        let root = Authority::root("Plant");
        let (mut server, mut list) = (root.server(), root.list((5, 7), &[(SERIAL, None)]));
        for bytes in [&mut server, &mut list] {
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(cut.unwrap_or(length));
        }
        let lab = Lab::new().put("trusted/plant.der", &root.der);
        let _ = lab.check(&[&server, &root.der]);
        let _ = lab.put("trusted/crl/plant.crl", list).check(&[&root.server()]);
    }

    #[test]
    fn a_file_is_cut_into_all_of_it_or_not_at_all(bytes: Vec<u8>, text in "(-----BEGIN |-----END |A|-----|\n|QUJD){0,12}") {
        if let Some(all) = ders(&bytes) {
            prop_assert_eq!(all.concat(), bytes);
        }
        let _ = ders(text.as_bytes());
    }
}
