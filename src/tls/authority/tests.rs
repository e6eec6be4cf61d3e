use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

const BASE: &str = "http://127.0.0.1:8080";

fn patterns(texts: &[&str]) -> Vec<HostPattern> {
    texts.iter().map(|text| HostPattern::parse(text).unwrap()).collect()
}

fn load(folder: &Path, open: &[&str]) -> Result<(Authority, Origin), AuthorityError> {
    Authority::load_or_create(folder, &patterns(open), BASE)
}

/// A folder with a CA for `*.githubcopilot.com`.
fn made() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(load(folder.path(), &["*.githubcopilot.com"]).unwrap().1, Origin::Created);
    folder
}

fn error(folder: &Path) -> String {
    load(folder, &["*.githubcopilot.com"]).unwrap_err().to_string()
}

fn mode(path: PathBuf) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn is_made_once_and_loaded_after() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("new/certs");
    let (made, origin) = load(&folder, &["*.githubcopilot.com"]).unwrap();
    assert_eq!(origin, Origin::Created);
    let (loaded, origin) = load(&folder, &["*.githubcopilot.com", "api.githubcopilot.com"]).unwrap();
    assert_eq!(origin, Origin::Loaded);
    assert_eq!(made.fingerprint(), loaded.fingerprint());
    assert_eq!(loaded.certificate_pem(), fs::read_to_string(folder.join("ca.pem")).unwrap());
    assert_eq!(loaded.permitted(), Some(["githubcopilot.com".to_owned()].as_slice()));

    assert_eq!(mode(folder.clone()), 0o700);
    assert_eq!(mode(folder.join("ca-key.pem")), 0o600);
    assert_eq!(mode(folder.join("ca.pem")), 0o644);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn two_programs_that_start_at_once_get_one_ca() {
    let folder = tempfile::tempdir().unwrap();
    let found: Vec<_> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..8).map(|_| scope.spawn(|| load(folder.path(), &["a.example"]).unwrap())).collect();
        starting.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(found.iter().filter(|(_, origin)| *origin == Origin::Created).count(), 1);
    assert!(found.iter().all(|(authority, _)| authority.fingerprint() == found[0].0.fingerprint()));
}

#[test]
fn permits_the_names_and_those_below() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, _) = load(folder.path(), &["*.githubcopilot.com", "proxy.example.com"]).unwrap();
    for host in ["api.githubcopilot.com", "A.B.GITHUBCOPILOT.COM.", "githubcopilot.com", "x.proxy.example.com"] {
        assert!(authority.permits(host), "{host}");
    }
    for host in ["example.com", "evilgithubcopilot.com", "com", "", "githubcopilot.com.evil.example", "10.0.0.1"] {
        assert!(!authority.permits(host), "{host}");
    }
}

#[test]
fn without_patterns_it_can_sign_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, _) = load(folder.path(), &[]).unwrap();
    assert!(!authority.permits("api.githubcopilot.com"));
    assert!(authority.permitted().is_some_and(|names| !names.is_empty()));
}

#[test]
fn a_half_is_not_a_ca() {
    let folder = made();
    fs::rename(folder.path().join("ca.pem"), folder.path().join("aside")).unwrap();
    let said = error(folder.path());
    assert!(said.contains("ca-key.pem has no certificate") && said.contains("ca rotate"), "{said}");
    assert!(!folder.path().join("ca.pem").exists(), "a lost certificate is not replaced in silence");

    fs::rename(folder.path().join("aside"), folder.path().join("ca.pem")).unwrap();
    fs::remove_file(folder.path().join("ca-key.pem")).unwrap();
    let said = error(folder.path());
    assert!(said.contains("ca.pem has no key") && said.contains("ca rotate"), "{said}");
}

#[test]
fn says_which_file_is_damaged() {
    let folder = made();
    let key = fs::read(folder.path().join("ca-key.pem")).unwrap();
    for damaged in [&b""[..], b"hello", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        fs::write(folder.path().join("ca-key.pem"), damaged).unwrap();
        let said = error(folder.path());
        assert!(said.contains("ca-key.pem does not hold a private key"), "{said}");
    }
    fs::write(folder.path().join("ca-key.pem"), &key).unwrap();
    for damaged in [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff\xfe"]
    {
        fs::write(folder.path().join("ca.pem"), damaged).unwrap();
        let said = error(folder.path());
        assert!(said.contains("ca.pem does not hold a certificate"), "{said}");
    }
    fs::remove_file(folder.path().join("ca.pem")).unwrap();
    fs::create_dir(folder.path().join("ca.pem")).unwrap();
    let said = error(folder.path());
    assert!(said.contains("cannot read") && said.contains("--certs"), "{said}");
}

#[test]
fn no_key_reaches_a_message_or_debug_output() {
    let folder = made();
    let key = fs::read_to_string(folder.path().join("ca-key.pem")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    let (authority, _) = load(folder.path(), &["*.githubcopilot.com"]).unwrap();
    assert!(!format!("{authority:?}").contains(secret));
    fs::write(folder.path().join("ca-key.pem"), key.replace("END PRIVATE", "END")).unwrap();
    let error = load(folder.path(), &["*.githubcopilot.com"]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(secret));
}

#[test]
fn the_key_must_be_the_certificates() {
    let (folder, other) = (made(), made());
    fs::copy(other.path().join("ca-key.pem"), folder.path().join("ca-key.pem")).unwrap();
    let said = error(folder.path());
    assert!(said.contains("does not belong to the certificate"), "{said}");
}

#[test]
fn the_key_of_the_root_is_kept_nowhere() {
    let folder = made();
    let root = Root::read(folder.path()).unwrap();
    let text = fs::read_to_string(folder.path().join("ca-key.pem")).unwrap();
    assert_eq!(text.matches("PRIVATE KEY-----").count(), 2, "one key, its BEGIN and END");
    assert!(!root.has_key(&KeyPair::from_pem(&text).unwrap()));
    let issuing = Root::parse(Path::new("ca-key.pem"), &text).unwrap();
    assert!(issuing.is_below(&root) && issuing.has_key(&KeyPair::from_pem(&text).unwrap()));
    assert_eq!(issuing.permitted(), root.permitted());

    // Without the issuing CA's certificate the key is nobody's.
    let (key, _) = text.split_once("-----BEGIN CERTIFICATE").unwrap();
    fs::write(folder.path().join("ca-key.pem"), key).unwrap();
    assert!(error(folder.path()).contains("ca-key.pem does not hold a certificate"));
}

#[test]
fn is_refused_outside_its_time() {
    let folder = made();
    let open = patterns(&["*.githubcopilot.com"]);
    let at = |now| Authority::load_or_create_at(folder.path(), &open, BASE, now).map(|_| ());
    let (from, until) = Root::read(folder.path()).unwrap().validity();
    assert!(at(from).is_ok() && at(until - 1).is_ok());
    let early = at(from - 1).unwrap_err().to_string();
    assert!(early.contains("is not valid before") && early.contains("clock"), "{early}");
    let late = at(until).unwrap_err().to_string();
    assert!(late.contains("expired on") && late.contains("`copilot-recorder ca rotate`"), "{late}");
}

#[test]
fn a_leaf_certificate_is_not_a_ca() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["api.githubcopilot.com".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
    fs::write(folder.path().join("ca-key.pem"), key.serialize_pem()).unwrap();
    let said = error(folder.path());
    assert!(said.contains("is not a CA's certificate"), "{said}");

    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    fs::write(folder.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let said = error(folder.path());
    assert!(said.contains("key usage"), "{said}");
}

#[test]
fn names_the_host_that_it_does_not_permit() {
    let folder = made();
    let said = load(folder.path(), &["*.githubcopilot.com", "copilot.example.org"]).unwrap_err().to_string();
    assert!(said.contains("does not permit copilot.example.org"), "{said}");
    assert!(said.contains("`copilot-recorder ca rotate`, then install it at the clients"), "{said}");
}

#[test]
fn a_key_that_others_can_read_is_taken_away_from_them() {
    let folder = made();
    let key = folder.path().join("ca-key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    load(folder.path(), &["*.githubcopilot.com"]).unwrap();
    assert_eq!(mode(key), 0o600);
}

#[test]
fn a_companys_own_ca_with_its_chain_is_used_and_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (top, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let top = rcgen::CertifiedIssuer::self_signed(params.clone(), top).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "issuing CA");
    params.use_authority_key_identifier_extension = true;
    let issuing = params.signed_by(&key, &top).unwrap();
    fs::write(folder.path().join("ca.pem"), format!("{}{}", issuing.pem(), top.pem())).unwrap();
    fs::write(folder.path().join("ca-key.pem"), key.serialize_pem()).unwrap();

    let (authority, origin) = load(folder.path(), &["*.githubcopilot.com"]).unwrap();
    assert_eq!((origin, authority.permitted()), (Origin::Loaded, None));
    assert!(authority.root_crl_der().is_none());
    let leaf = authority.leaf("api.githubcopilot.com").unwrap();
    assert_eq!(leaf.cert[1..], [issuing.der().clone(), top.der().clone()]);
}

#[test]
fn the_crl_is_signed_once_a_day() {
    let folder = made();
    let (authority, _) = load(folder.path(), &["*.githubcopilot.com"]).unwrap();
    let now = now();
    let first = authority.crl_der_at(now).unwrap();
    assert!(Arc::ptr_eq(&first, &authority.crl_der_at(now + CRL_RENEWED_AFTER - 1).unwrap()));
    let second = authority.crl_der_at(now + CRL_RENEWED_AFTER).unwrap();
    assert_ne!(first, second);
    // A clock that was set back must not leave clients with a list from the future.
    assert!(!Arc::ptr_eq(&second, &authority.crl_der_at(now).unwrap()));
}

#[test]
fn an_address_for_the_crl_must_fit_a_certificate() {
    let folder = made();
    for base in ["http://bücher.example", "http://a b"] {
        let error = Authority::load_or_create(folder.path(), &[], base).unwrap_err();
        assert!(matches!(error, AuthorityError::CrlAddress { .. }), "{error}");
    }
}

#[test]
fn rotation_keeps_the_old_certificate_and_no_old_key() {
    let folder = made();
    let path = folder.path();
    let (certificate, key) = (fs::read(path.join("ca.pem")).unwrap(), fs::read(path.join("ca-key.pem")).unwrap());
    let open = patterns(&["copilot.example.org"]);
    let rotation = Authority::rotate(path, &open, BASE).unwrap();
    assert!(rotation.root.permits("copilot.example.org") && !rotation.root.permits("api.githubcopilot.com"));
    assert_eq!(fs::read(rotation.old.unwrap()).unwrap(), certificate);
    for file in fs::read_dir(path).unwrap() {
        assert_ne!(fs::read(file.unwrap().path()).unwrap(), key, "the old key is gone");
    }
    assert_eq!(mode(path.join("ca-key.pem")), 0o600);
    let (loaded, origin) = load(path, &["copilot.example.org"]).unwrap();
    assert_eq!((origin, loaded.fingerprint()), (Origin::Loaded, rotation.root.fingerprint()));

    // Twice on one day, and from a broken state.
    let second = Authority::rotate(path, &open, BASE).unwrap().old.unwrap();
    fs::remove_file(path.join("ca.pem")).unwrap();
    assert!(Authority::rotate(path, &open, BASE).unwrap().old.is_none());
    assert!(second.exists() && fs::read_dir(path).unwrap().count() == 4);
}
