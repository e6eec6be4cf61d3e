use std::fs;
use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, IsCa, Issuer, KeyPair};

use super::super::PageTls;
use super::super::authority::now;
use super::super::root::DAY;
use super::*;

/// A folder with `page.pem` and `page-key.pem`.
struct Case {
    folder: tempfile::TempDir,
    files: WebTls,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = WebTls { certificate: folder.path().join("page.pem"), key: folder.path().join("page-key.pem") };
        let case = Self { folder, files };
        case.write(&made(&["recorder.example", "192.0.2.7", "2001:db8::1"], -1, 90));
        case
    }

    fn write(&self, (certificate, key): &(String, String)) {
        self.certificate(certificate);
        self.key(key);
    }

    /// As certbot does: a new file in the place of the old one.
    fn certificate(&self, pem: &str) {
        put(&self.files.certificate, pem);
    }

    fn key(&self, pem: &str) {
        put(&self.files.key, pem);
    }

    fn load(&self) -> Result<PageCertificate, String> {
        let said = |error: PairError| format!("{:#}", anyhow::Error::from(error));
        let pair = Pair::load(&self.files, now()).map_err(said).map(|pair| pair.certificate);
        pair.map_err(|error| error.replace(&format!("{}/", self.folder.path().display()), ""))
    }

    #[track_caller]
    fn fails(&self, says: &str) {
        let error = self.load().unwrap_err();
        assert!(error.starts_with(says), "{error}\n{says}");
        assert!(!error.contains("MII") && !error.contains("MH"), "no bytes of a file: {error}");
    }
}

fn put(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, Permissions::from_mode(0o600)).unwrap();
    fs::rename(&new, path).unwrap();
}

/// A certificate that signs itself, valid between these days from now, and its key.
fn made(names: &[&str], from: i64, until: i64) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (certificate_for(&key, names, from, until), key.serialize_pem())
}

fn certificate_for(key: &KeyPair, names: &[&str], from: i64, until: i64) -> String {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = root::moment(now() + from * DAY);
    params.not_after = root::moment(now() + until * DAY);
    params.self_signed(key).unwrap().pem()
}

/// A key as OpenSSL writes it; `None` where there is no OpenSSL.
fn openssl(words: &[&str]) -> Option<String> {
    let output = Command::new("openssl").args(words).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn what_people_want_to_know_is_read() {
    let certificate = Case::new().load().unwrap();
    assert_eq!(certificate.names, ["recorder.example", "192.0.2.7", "2001:db8::1"]);
    assert_eq!(certificate.subject, "");
    assert_eq!((certificate.not_after - certificate.not_before).num_days(), 91);
    assert_eq!((certificate.fingerprint.len(), certificate.soon()), (95, 30));
    let case = Case::new();
    case.write(&made(&["Short.example"], 0, 6));
    assert_eq!(case.load().unwrap().soon(), 2, "one that lives for six days is not always about to end");
    assert_eq!(case.load().unwrap().names, ["short.example"]);
}

#[test]
fn each_thing_that_can_be_wrong_has_its_sentence() {
    let (certificate, key) = made(&["a.example"], -1, 90);
    let case = Case::new();
    case.write(&(certificate.clone(), key.clone()));
    case.load().unwrap();

    case.certificate("");
    case.fails("the page's certificate page.pem is a file without any certificate; it should hold lines between BEGIN");
    case.certificate(&key);
    case.fails("the page's certificate page.pem is a file without any certificate");
    case.certificate(&certificate[..certificate.len() / 2]);
    case.fails("the page's certificate page.pem is not a whole PEM file");
    case.certificate("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    case.fails("the page's certificate page.pem holds something that is not a certificate (");
    fs::remove_file(&case.files.certificate).unwrap();
    case.fails("cannot read the page's certificate page.pem; check the name given to `web_cert` and who may read");
    fs::create_dir(&case.files.certificate).unwrap();
    case.fails("cannot read the page's certificate page.pem");
    fs::remove_dir(&case.files.certificate).unwrap();
    case.write(&made(&["a.example"], -90, -1));
    case.fails("the page's certificate page.pem expired on 2");
    case.write(&made(&["a.example"], 1, 90));
    case.fails("the page's certificate page.pem is not valid before 2");

    case.certificate(&certificate);
    case.fails("the page's key page-key.pem does not belong to the certificate page.pem; name the two");
    for none in ["", &certificate] {
        case.key(none);
        case.fails("the page's key page-key.pem is a file without any key; it should hold lines between BEGIN");
    }
    // What an editor or a variable of the environment makes of line ends.
    for cut in [key.replace('\n', " "), key[..key.len() / 2].to_owned(), key.replace("MI", "M!")] {
        case.key(&cut);
        case.fails("the page's key page-key.pem is not a whole PEM file");
    }
    case.key("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
    case.fails("the page's key page-key.pem is none that can be used; RSA of 2048 bits");
    case.key("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n");
    case.fails("the page's key page-key.pem is encrypted, and a program that starts by itself has no password for it");
    case.key("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIB\n-----END RSA PRIVATE KEY-----\n");
    case.fails("the page's key page-key.pem is encrypted");
    fs::remove_file(&case.files.key).unwrap();
    case.fails("cannot read the page's key page-key.pem; check the name given to `web_key` and who may read the file");
}

#[test]
fn a_chain_and_a_file_with_both_are_taken() {
    let (root_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&root_key).unwrap();
    let leaf = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(params, root_key)).unwrap();
    let case = Case::new();
    case.write(&(format!("{}{}", leaf.pem(), root.pem()), key.serialize_pem()));
    assert_eq!(Pair::load(&case.files, now()).unwrap().certified.cert.len(), 2);
    case.certificate(&format!("{}{}", root.pem(), leaf.pem()));
    case.fails("the page's key page-key.pem does not belong to the certificate");
    case.key(&format!("{}{}", key.serialize_pem(), leaf.pem()));
    let both = WebTls { certificate: case.files.key.clone(), key: case.files.key.clone() };
    assert!(Pair::load(&both, now()).is_ok());
}

#[test]
fn keys_in_all_three_forms_are_taken() {
    let Some(rsa) = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]) else {
        eprintln!("NOTE: openssl is missing, so the older forms of keys are not tried");
        return;
    };
    let ec = openssl(&["ecparam", "-name", "prime256v1", "-genkey"]).unwrap();
    let case = Case::new();
    for (form, text, traditional) in [
        ("-----BEGIN PRIVATE KEY-----", rsa.clone(), false),
        ("-----BEGIN RSA PRIVATE KEY-----", rsa, true),
        ("-----BEGIN EC PRIVATE KEY-----", ec, false),
    ] {
        let path = case.folder.path().join("made.pem");
        put(&path, &text);
        let path = path.to_str().unwrap();
        let text = if traditional { openssl(&["pkey", "-in", path, "-traditional"]).unwrap() } else { text };
        assert!(text.contains(form), "{text}");
        let request = ["req", "-x509", "-new", "-key", path, "-subj", "/CN=a", "-days", "2"];
        case.write(&(openssl(&request).unwrap(), text));
        assert_eq!(case.load().unwrap().subject, "CN=a", "{form}");
    }
}

#[test]
fn a_key_that_everybody_can_read_is_taken_away_from_them() {
    let case = Case::new();
    for (mode, left) in [(0o644, 0o640), (0o666, 0o640), (0o640, 0o640), (0o600, 0o600), (0o400, 0o400)] {
        fs::set_permissions(&case.files.key, Permissions::from_mode(mode)).unwrap();
        case.load().unwrap();
        let mode = fs::metadata(&case.files.key).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, left);
    }
}

#[test]
fn a_file_that_is_no_key_is_left_to_those_who_need_it() {
    let case = Case::new();
    // As where the two names were exchanged.
    case.key(&fs::read_to_string(&case.files.certificate).unwrap());
    fs::set_permissions(&case.files.key, Permissions::from_mode(0o644)).unwrap();
    case.fails("the page's key page-key.pem is a file without any key");
    assert_eq!(fs::metadata(&case.files.key).unwrap().permissions().mode() & 0o7777, 0o644);
}

#[test]
fn new_files_are_taken_up_and_bad_ones_are_not() {
    let case = Case::new();
    let tls = PageTls::open(&case.files).unwrap();
    let (config, (first, _)) = (tls.config(), tls.certificate());
    assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    assert!(Arc::ptr_eq(&config, &tls.config()), "nothing has changed");

    let next = made(&["next.example"], -1, 60);
    case.certificate(&next.0);
    let (same, complaint) = tls.certificate();
    assert_eq!(same, first, "a certificate whose key has not come yet");
    assert!(complaint.unwrap().contains("does not belong to the certificate"));
    assert!(Arc::ptr_eq(&config, &tls.config()));

    case.key(&next.1);
    let (second, complaint) = tls.certificate();
    assert_eq!((&second.names[..], complaint), (&["next.example".to_owned()][..], None));
    assert!(!Arc::ptr_eq(&config, &tls.config()));

    case.write(&made(&["old.example"], -60, -1));
    assert!(tls.certificate().1.unwrap().contains("expired on"));
    fs::remove_file(&case.files.certificate).unwrap();
    let (same, complaint) = tls.certificate();
    assert_eq!(same, second);
    assert!(complaint.unwrap().contains("cannot read the page's certificate"));
    case.write(&next);
    assert_eq!(tls.certificate(), (second, None), "and back again");
}
