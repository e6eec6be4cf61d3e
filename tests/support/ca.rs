//! A throw-away certificate authority: leaves for whatever name the client asks for.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::{default_provider, sign::any_ecdsa_type};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The authority, and the leaves that it made.
pub(crate) struct TestCa {
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    leaf_key: KeyPair,
    /// Every leaf is for this name, whatever was asked for.
    always: Option<String>,
    leaves: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl std::fmt::Debug for TestCa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestCa")
    }
}

impl TestCa {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "test upstream root");
        let certificate = params.self_signed(&key).expect("a root");
        Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
            leaf_key: KeyPair::generate().expect("a key"),
            always: None,
            leaves: Mutex::default(),
        }
    }

    /// An authority whose leaves are all for `name`: valid for nobody who asks for another.
    pub(crate) fn only_for(name: &str) -> Self {
        Self { always: Some(name.to_owned()), ..Self::new() }
    }

    /// The root as PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Trust in this root alone.
    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).expect("our own root is well formed");
        Arc::new(roots)
    }

    /// A certificate for these names with the root behind it, and its key, as PEM. Valid in this time, counted in days
    /// from now, and half a day longer: so many whole days are left.
    pub(crate) fn pair(&self, names: &[&str], valid: Range<i64>) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        let day = |days| time::OffsetDateTime::from(std::time::SystemTime::now()) + time::Duration::days(days);
        (params.not_before, params.not_after) = (day(valid.start), day(valid.end) + time::Duration::hours(12));
        let leaf = params.signed_by(&key, &self.issuer).expect("a leaf");
        (format!("{}{}", leaf.pem(), self.pem), key.serialize_pem())
    }

    fn leaf(&self, name: &str) -> Arc<CertifiedKey> {
        let name = self.always.as_deref().unwrap_or(name);
        let mut leaves = self.leaves.lock().expect("no test panics while it holds this");
        let made = leaves.entry(name.to_owned()).or_insert_with(|| {
            let params = CertificateParams::new(vec![name.to_owned()]).expect("a host name");
            let leaf = params.signed_by(&self.leaf_key, &self.issuer).expect("a leaf");
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.leaf_key.serialize_der()));
            let key = any_ecdsa_type(&key).expect("rcgen makes P-256 keys");
            Arc::new(CertifiedKey::new(vec![leaf.der().clone(), self.der.clone()], key))
        });
        made.clone()
    }
}

impl ResolvesServerCert for TestCa {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.leaf(hello.server_name().unwrap_or("localhost")))
    }
}

/// Trust in the roots of a PEM file, as a client that was given `certs/ca.pem`.
pub(crate) fn roots_from(path: &Path) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).expect("a readable PEM file") {
        roots.add(certificate.expect("a certificate")).expect("a root");
    }
    assert!(!roots.is_empty(), "{} holds no certificate", path.display());
    Arc::new(roots)
}

/// The one provider of cryptography, for the builders of both sides.
pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(default_provider())
}
