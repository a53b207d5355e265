//! Servers whose certificates were signed by authorities, which openssl makes.

use super::asyncua::Asyncua;
use super::certificates::{Certificates, GATEWAY, SERVER, Special};
use super::node_opcua::NodeOpcua;
use super::security::{host, reason, start, with, works};
use super::{lab, link_with, polled};
use crate::host::Host;
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};

/// Signs with `openssl ca`, as people do it who have nothing better.
struct Authority<'a> {
    folder: &'a Path,
    name: &'static str,
}

/// Days from now, as openssl takes times.
fn time(days: i64) -> String {
    let command = Command::new("date").args(["-u", "-d", &format!("{days} days"), "+%Y%m%d%H%M%SZ"]).output();
    String::from_utf8(command.expect("every machine has one").stdout).unwrap().trim().to_owned()
}

const AUTHORITY: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign";

impl<'a> Authority<'a> {
    /// Signed by itself, or by the one above.
    fn new(folder: &'a Path, name: &'static str, above: Option<&Authority<'_>>) -> Authority<'a> {
        Authority::until(folder, name, above, 30)
    }

    fn until(folder: &'a Path, name: &'static str, above: Option<&Authority<'_>>, days: i64) -> Authority<'a> {
        let authority = Authority { folder, name };
        let settings = format!(
            "[ca]\ndefault_ca=a\n[a]\ndatabase={name}.index\nrand_serial=yes\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n\
             unique_subject=no\ndefault_crl_days=30\n[p]\ncommonName=supplied\n"
        );
        std::fs::write(folder.join(format!("{name}.conf")), settings).unwrap();
        std::fs::write(folder.join(format!("{name}.index")), "").unwrap();
        authority.openssl(&["genrsa", "-out", &authority.file("key"), "2048"]);
        match above {
            Some(above) => above.sign(name, AUTHORITY, (-40, days), &[]),
            None => authority.sign(name, AUTHORITY, (-40, days), &["-selfsign"]),
        }
        authority
    }

    fn file(&self, end: &str) -> String {
        format!("{}.{end}", self.name)
    }

    /// Makes NAME.pem and NAME.der for NAME.key.
    fn sign(&self, name: &str, extensions: &str, (from, until): (i64, i64), more: &[&str]) {
        let [key, request, pem, der] = ["key", "csr", "pem", "der"].map(|end| format!("{name}.{end}"));
        self.openssl(&["req", "-new", "-subj", &format!("/CN={name}"), "-key", &key, "-out", &request]);
        std::fs::write(self.folder.join("extensions"), extensions).unwrap();
        let times = [time(from), time(until)];
        let times = ["-startdate", &times[0], "-enddate", &times[1]];
        let made = ["-batch", "-notext", "-in", &request, "-out", &pem, "-extfile", "extensions"];
        self.ca(&[&made[..], &times, more].concat());
        self.openssl(&["x509", "-in", &pem, "-outform", "der", "-out", &der]);
    }

    /// Signs the certificate of the server, which `Certificates` have made.
    fn sign_server(&self, uri: &str) {
        self.sign_server_with(uri, "sha256");
    }

    fn sign_server_with(&self, uri: &str, hash: &str) {
        std::fs::copy(self.folder.join("server.pem"), self.folder.join("server.key")).unwrap();
        let extensions = format!(
            "subjectAltName=URI:{uri},IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n\
             keyUsage=digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment"
        );
        // `sign` makes a certificate `server.pem`, which is where the key was.
        self.sign("server", &extensions, (-1, 30), &["-md", hash]);
        std::fs::rename(self.folder.join("server.pem"), self.folder.join("server.crt")).unwrap();
        std::fs::copy(self.folder.join("server.key"), self.folder.join("server.pem")).unwrap();
    }

    /// Makes NAME.crl, with what was revoked until now.
    fn list(&self) {
        self.ca(&["-gencrl", "-out", &self.file("crl")]);
    }

    fn revoke(&self, certificate: &str, reason: &str) {
        self.ca(&["-revoke", certificate, "-crl_reason", reason]);
    }

    fn ca(&self, arguments: &[&str]) {
        let [conf, cert, key] = ["conf", "pem", "key"].map(|end| self.file(end));
        let who = match arguments.contains(&"-selfsign") {
            true => vec!["ca", "-config", &conf, "-keyfile", &key],
            false => vec!["ca", "-config", &conf, "-keyfile", &key, "-cert", &cert],
        };
        self.openssl(&[&who[..], arguments].concat());
    }

    fn openssl(&self, arguments: &[&str]) {
        let mut command = Command::new("openssl");
        command.args(arguments).current_dir(self.folder).stdin(Stdio::null());
        let done = command.output().expect("openssl is there; tests/run installs it");
        assert!(done.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Certificates {
    fn copy(&self, from: &str, to: &str) {
        let to = self.path(&format!("pki/{to}"));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(self.path(from), to).unwrap();
    }

    fn rejected(&self) -> usize {
        std::fs::read_dir(self.path("pki/rejected")).unwrap().count()
    }
}

async fn encrypting(certificates: &Certificates) -> Asyncua {
    start(certificates, "Basic256Sha256_SignAndEncrypt", &[]).await
}

fn encrypted(certificates: &Certificates, server: &Asyncua) -> Host {
    host(server, certificates.options("basic256sha256", "sign-and-encrypt"))
}

/// The same where authorities need no lists.
fn without_lists(certificates: &Certificates, server: &Asyncua) -> Host {
    let options = certificates.options("basic256sha256", "sign-and-encrypt");
    host(server, with(options, json!({ "revocation": "if-present" })))
}

#[tokio::test]
async fn an_authority_is_trusted_with_its_servers_until_it_revokes_them() {
    let certificates = Certificates::make(Special::default()).await;
    let folder = certificates.path("");
    let plant = Authority::new(&folder, "Plant", None);
    plant.sign_server(SERVER);
    let server = encrypting(&certificates).await;
    let host = encrypted(&certificates, &server);

    let unknown = reason(&host).await;
    assert!(unknown.contains(&certificates.text("pki/rejected")), "the file to move is named: {unknown}");
    assert!(unknown.contains("or put the certificate of its authority `CN=Plant` into `"), "{unknown}");
    assert_eq!(certificates.rejected(), 1);

    certificates.copy("Plant.pem", "trusted/plant.pem");
    let unlisted = reason(&host).await;
    assert!(unlisted.contains("there is no revocation list of `CN=Plant`"), "{unlisted}");
    works(&without_lists(&certificates, &server)).await;
    plant.list();
    certificates.copy("Plant.crl", "trusted/crl/plant.crl");
    works(&host).await;
    assert_eq!(certificates.rejected(), 0, "who trusts it does not reject it");

    plant.revoke("server.crt", "keyCompromise");
    plant.list();
    plant.openssl(&["crl", "-in", "Plant.crl", "-outform", "der", "-out", "Plant.crl.der"]);
    certificates.copy("Plant.crl.der", "trusted/crl/plant.crl");
    let today = &time(0)[..8];
    let today = format!("{}-{}-{}", &today[..4], &today[4..6], &today[6..]);
    let revoked = format!(
        "the server's certificate is not trusted: the server's certificate was revoked by `CN=Plant` on {today}: its key is known to others"
    );
    for host in [&host, &without_lists(&certificates, &server)] {
        assert_eq!(reason(host).await, revoked);
    }
    assert_eq!(certificates.rejected(), 0, "what was revoked is not offered to be trusted");
}

#[tokio::test]
async fn an_authority_in_between_is_found_among_the_issuers() {
    let certificates = Certificates::make(Special::default()).await;
    let folder = certificates.path("");
    let plant = Authority::new(&folder, "Plant", None);
    let hall = Authority::new(&folder, "Hall", Some(&plant));
    hall.sign_server(SERVER);
    certificates.copy("Plant.der", "trusted/certs/plant.der");
    let server = encrypting(&certificates).await;
    let host = encrypted(&certificates, &server);
    let unknown = reason(&host).await;
    assert!(unknown.contains("the certificate of its authority `CN=Hall`"), "{unknown}");
    certificates.copy("Hall.der", "issuers/certs/hall.der");
    for authority in [plant, hall] {
        authority.list();
        certificates.copy(&authority.file("crl"), &format!("issuers/crl/{}", authority.file("crl")));
    }
    works(&host).await;
}

#[tokio::test]
async fn an_authority_that_has_expired_stands_for_nobody() {
    let certificates = Certificates::make(Special::default()).await;
    let folder = certificates.path("");
    let plant = Authority::until(&folder, "Plant", None, -1);
    plant.sign_server(SERVER);
    certificates.copy("Plant.der", "trusted/plant.der");
    let server = encrypting(&certificates).await;
    let expired = reason(&without_lists(&certificates, &server)).await;
    assert!(expired.contains("the certificate of `CN=Plant`, which has signed it, has expired on "), "{expired}");
}

/// A gateway that an authority has signed for is nobody who signs for others.
#[tokio::test]
async fn who_is_no_authority_signs_for_nobody() {
    let certificates = Certificates::make(Special::default()).await;
    let folder = certificates.path("");
    let plant = Authority::new(&folder, "Plant", None);
    let leaf = Authority { folder: &folder, name: "Leaf" };
    for end in ["conf", "key", "index"] {
        std::fs::copy(folder.join(format!("Plant.{end}")), folder.join(leaf.file(end))).unwrap();
    }
    plant.sign("Leaf", &format!("subjectAltName=URI:{GATEWAY}\nbasicConstraints=CA:FALSE"), (-1, 30), &[]);
    leaf.sign_server(SERVER);
    certificates.copy("Plant.der", "trusted/plant.der");
    certificates.copy("Leaf.der", "issuers/leaf.der");
    let server = encrypting(&certificates).await;
    let no_authority = reason(&without_lists(&certificates, &server)).await;
    assert!(
        no_authority.contains("the certificate of `CN=Leaf`, which has signed it, is no authority"),
        "{no_authority}"
    );
}

#[tokio::test]
async fn a_certificate_that_was_changed_is_told_from_one_that_was_signed() {
    let certificates = Certificates::make(Special::default()).await;
    let folder = certificates.path("");
    Authority::new(&folder, "Plant", None).sign_server(SERVER);
    certificates.copy("Plant.der", "trusted/plant.der");
    let mut der = std::fs::read(certificates.path("server.der")).unwrap();
    *der.last_mut().unwrap() ^= 1;
    std::fs::write(certificates.path("server.der"), der).unwrap();
    let server = encrypting(&certificates).await;
    let changed = reason(&without_lists(&certificates, &server)).await;
    assert!(changed.contains("the signature of the server's certificate is not that of `CN=Plant`"), "{changed}");
}

#[tokio::test]
async fn a_signature_that_others_can_make_does_not_count() {
    let certificates = Certificates::make(Special::default()).await;
    let folder = certificates.path("");
    Authority::new(&folder, "Plant", None).sign_server_with(SERVER, "sha1");
    certificates.copy("Plant.der", "trusted/plant.der");
    let server = encrypting(&certificates).await;
    let host = without_lists(&certificates, &server);
    let sha1 = reason(&host).await;
    assert!(sha1.contains("the server's certificate is signed by `CN=Plant` with SHA-1"), "{sha1}");
    certificates.copy("server.der", "trusted/server.der");
    works(&host).await;
}

/// node-opcua shows them wherever it shows its own: among its endpoints, when it opens a channel and for the session.
#[tokio::test]
async fn authorities_that_come_along_with_a_server_are_taken() {
    let certificates = Certificates::make(Special::default()).await;
    let folder = certificates.path("");
    let plant = Authority::new(&folder, "Plant", None);
    let hall = Authority::new(&folder, "Hall", Some(&plant));
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    hall.sign_server(&format!("urn:{}:NodeOPCUA-Server", machine.trim()));
    let pki = tempfile::tempdir().unwrap();
    for (from, to) in
        [("server.key", "server/own/private/private_key.pem"), ("server.crt", "server/own/certs/certificate.pem")]
    {
        std::fs::create_dir_all(pki.path().join(to).parent().unwrap()).unwrap();
        std::fs::copy(certificates.path(from), pki.path().join(to)).unwrap();
    }
    let chain = ["server.crt", "Hall.pem"].map(|name| std::fs::read_to_string(certificates.path(name)).unwrap());
    std::fs::write(pki.path().join("server/own/certs/certificate.pem"), chain.concat()).unwrap();
    let server = NodeOpcua::start_in(pki).await;
    certificates.copy("Plant.der", "trusted/plant.der");
    for authority in [plant, hall] {
        authority.list();
        certificates.copy(&authority.file("crl"), &format!("trusted/crl/{}", authority.file("crl")));
    }
    for security in ["basic256sha256", "aes128-sha256-rsaoaep", "aes256-sha256-rsapss"] {
        let user = json!({ "username": "ada", "password": "secret" });
        let options = with(certificates.options(security, "sign-and-encrypt"), user);
        let host = Host::new(&link_with(server.port, options), lab(), &polled(&["WTG02.Name"]));
        host.connect().await.unwrap_or_else(|fault| panic!("{security}: {fault}"));
        assert_eq!(host.values().await, ["WTG-02".into()]);
        host.close().await;
    }
    // A password goes out encrypted with the same certificate where nothing else is encrypted.
    let user = json!({ "username": "ada", "password": "secret", "pki": certificates.text("pki") });
    let plain = Host::new(&link_with(server.port, user), lab(), &polled(&["WTG02.Name"]));
    plain.connect().await.unwrap();
    plain.close().await;
}
