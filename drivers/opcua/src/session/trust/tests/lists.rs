//! What authorities take back, and whether they say so in time.

use super::*;

#[test]
fn what_was_revoked_is_refused_with_its_day_and_reason() {
    let root = Authority::root("Plant");
    for (reason, why) in [
        (Some(RevocationReason::KeyCompromise), "its key is known to others"),
        (Some(RevocationReason::CertificateHold), "it is on hold"),
        (None, "it does not say why"),
    ] {
        for (lab, name) in [(Lab::strict(), "trusted/crl/plant.crl"), (Lab::new(), "issuers/crl/plant.crl")] {
            let lab =
                lab.put("trusted/plant.der", &root.der).put(name, root.list((5, 7), &[(1, None), (SERIAL, reason)]));
            assert_eq!(
                lab.refused(&[&root.server()]),
                format!("{NOT_TRUSTED}the server's certificate was revoked by `CN=Plant` on 2026-03-14: {why}")
            );
        }
    }
}

#[test]
fn an_authority_in_between_can_be_revoked_too() {
    let root = Authority::root("Plant");
    let mut params = authority("Hall");
    params.serial_number = Some(SerialNumber::from(7));
    let hall = Authority::with(params, Some(&root));
    let list = root.list((5, 7), &[(7, Some(RevocationReason::CaCompromise))]);
    let revoked = format!(
        "{NOT_TRUSTED}the certificate of `CN=Hall` was revoked by `CN=Plant` on 2026-03-14: the key of an authority is \
         known to others"
    );
    let lab = Lab::new().put("trusted/plant.der", &root.der).put("trusted/crl/plant.crl", &list);
    assert_eq!(lab.refused(&[&hall.server(), &hall.der]), revoked);
    let lab = Lab::new().put("issuers/plant.der", &root.der).put("trusted/crl/plant.crl", &list);
    assert_eq!(
        lab.put("trusted/hall.der", &hall.der).refused(&[&hall.server()]),
        revoked,
        "even if it is trusted itself"
    );
}

#[test]
fn a_server_that_is_trusted_itself_can_be_revoked_by_its_authority() {
    let root = Authority::root("Plant");
    let server = root.server();
    let lab = Lab::strict().put("trusted/server.der", &server).put("issuers/plant.der", &root.der);
    assert_eq!(lab.check(&[&server]), Ok(()), "no list is needed for it");
    let lab = lab.put("issuers/crl/plant.crl", root.list((5, 7), &[(SERIAL, None)]));
    assert!(lab.refused(&[&server]).contains("the server's certificate was revoked by `CN=Plant` on 2026-03-14"));
}

#[test]
fn an_authority_needs_a_list_unless_that_is_not_wanted() {
    let root = Authority::root("Plant");
    let hall = Authority::below("Hall", &root);
    let server = hall.server();
    let lab = Lab::strict().put("trusted/plant.der", &root.der).put("issuers/hall.der", &hall.der);
    let none = |name: &str| {
        format!(
            "{NOT_TRUSTED}there is no revocation list of `CN={name}`: put it (DER or PEM) into `trusted/crl`, or set \
             `revocation = \"if-present\"` to do without"
        )
    };
    assert_eq!(lab.refused(&[&server]), none("Hall"));
    let lab = lab.put("issuers/crl/hall.crl", hall.list((5, 7), &[]));
    assert_eq!(lab.refused(&[&server]), none("Plant"));
    let lab = lab.put("trusted/crl/plant.crl", root.list((5, 7), &[(1, None)]));
    assert_eq!(lab.check(&[&server]), Ok(()));
    assert_eq!(Lab::new().put("trusted/hall.der", &hall.der).check(&[&server]), Ok(()));
}

#[test]
fn a_list_that_is_not_of_today_says_nothing_of_those_that_it_does_not_name() {
    let root = Authority::root("Plant");
    for (months, period) in [((1, 5), "out of date since 2026-05-01"), ((7, 9), "not valid before 2026-07-01")] {
        let with = |lab: Lab, revoked: &[(u64, Option<RevocationReason>)]| {
            lab.put("trusted/plant.der", &root.der).put("trusted/crl/plant.crl", root.list(months, revoked))
        };
        assert_eq!(
            with(Lab::strict(), &[]).refused(&[&root.server()]),
            format!(
                "{NOT_TRUSTED}the revocation list `trusted/crl/plant.crl` of `CN=Plant` is {period}: put its new one there, or \
                 set `revocation = \"if-present\"` to do without"
            )
        );
        assert_eq!(with(Lab::new(), &[]).check(&[&root.server()]), Ok(()));
        assert!(with(Lab::new(), &[(SERIAL, None)]).refused(&[&root.server()]).contains("was revoked by"));
        let renewed = with(Lab::strict(), &[]).put("trusted/crl/new.crl", root.list((5, 7), &[]));
        assert_eq!(renewed.check(&[&root.server()]), Ok(()), "one of today is enough");
    }
}

#[test]
fn a_list_of_some_certificates_says_nothing_of_the_others() {
    let root = Authority::root("Plant");
    let part = CrlIssuingDistributionPoint {
        distribution_point: CrlDistributionPoint { uris: vec!["http://plant/1.crl".into()] },
        scope: None,
    };
    let lab = Lab::strict().put("trusted/plant.der", &root.der);
    let lab = lab.put("trusted/crl/part.crl", root.list_of((5, 7), &[(1, None)], Some(part)));
    assert!(lab.refused(&[&root.server()]).contains("`trusted/crl/part.crl` of `CN=Plant` is only a part"));
}

#[test]
fn a_list_counts_only_if_its_authority_has_signed_it() {
    let (root, stranger) = (Authority::root("Plant"), Authority::root("Plant"));
    for lab in [Lab::strict(), Lab::new()] {
        let lab = lab.put("trusted/plant.der", &root.der).put("trusted/crl/plant.crl", stranger.list((5, 7), &[]));
        assert_eq!(
            lab.refused(&[&root.server()]),
            format!(
                "{NOT_TRUSTED}the revocation list `trusted/crl/plant.crl` is in the name of `CN=Plant`, whose signature it lacks, \
                 or whose signature does not count (made with SHA-1, or with a keyUsage without cRLSign): get its list anew"
            )
        );
        let lab = lab.put("trusted/crl/right.crl", root.list((5, 7), &[]));
        assert_eq!(lab.check(&[&root.server()]), Ok(()), "that of another of its name is none of its business");
    }
}

#[test]
fn a_list_counts_only_if_its_authority_may_sign_one() {
    let key = KeyPair::generate().unwrap();
    let mut params = authority("Plant");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let der = params.self_signed(&key).unwrap().der().to_vec();
    let root = Authority { der, issuer: Issuer::new(authority("Plant"), key) };
    let lab = Lab::strict().put("trusted/plant.der", &root.der).put("trusted/crl/plant.crl", root.list((5, 7), &[]));
    assert!(lab.refused(&[&root.server()]).contains("or with a keyUsage without cRLSign"));
}

#[test]
fn a_list_that_cannot_be_read_is_not_passed_over() {
    let root = Authority::root("Plant");
    let list = root.list((5, 7), &[]);
    for bytes in [b"".as_slice(), b"text", &list[..list.len() - 1], &root.der] {
        let lab = Lab::new().put("trusted/plant.der", &root.der).put("trusted/crl/plant.crl", bytes);
        assert_eq!(
            lab.refused(&[&root.server()]),
            format!(
                "{NOT_TRUSTED}`trusted/crl/plant.crl` holds no revocation list in DER or PEM: replace it, or remove it"
            )
        );
        let alone = Authority::root("server").server();
        assert_eq!(
            lab.put("trusted/alone.der", &alone).check(&[&alone]),
            Ok(()),
            "who needs no authority needs no list"
        );
    }
    let lab = Lab::new().put("trusted/plant.der", &root.der).put("trusted/crl/.keep", "");
    assert_eq!(lab.check(&[&root.server()]), Ok(()), "hidden files are no lists");
}
