//! The certificate authority of one run: it signs the upstream's leaf, and hudsucker's forwarder issues from it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
};

use crate::workload::{PLAN_H1, PLAN_H2};

/// Where the authority's certificate and key lie while the run lasts.
pub struct BenchCa {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl BenchCa {
    pub fn in_folder(folder: &Path) -> Self {
        Self { cert: folder.join("bench-ca.pem"), key: folder.join("bench-ca-key.pem") }
    }

    pub fn create(folder: &Path) -> Result<Self> {
        let ca = Self::in_folder(folder);
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "copilot-recorder bench CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        std::fs::write(&ca.cert, params.self_signed(&key)?.pem()).context("cannot write the bench CA")?;
        std::fs::write(&ca.key, key.serialize_pem()).context("cannot write the bench CA's key")?;
        Ok(ca)
    }

    pub fn issuer(&self) -> Result<Issuer<'static, KeyPair>> {
        let key = KeyPair::from_pem(&std::fs::read_to_string(&self.key)?)?;
        Ok(Issuer::from_ca_cert_pem(&std::fs::read_to_string(&self.cert)?, key)?)
    }

    /// The upstream's TLS settings with the given ALPN list; the leaf covers every host of the bench.
    pub fn server_config(&self, alpn: &[&[u8]]) -> Result<Arc<ServerConfig>> {
        let key = KeyPair::generate()?;
        let names: Vec<String> = [PLAN_H1, PLAN_H2]
            .iter()
            .flat_map(|plan| ["proxy", "telemetry"].map(|service| format!("{service}.{plan}.githubcopilot.com")))
            .collect();
        let leaf = CertificateParams::new(names)?.signed_by(&key, &self.issuer()?)?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )?;
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }
}

/// A client that trusts the authorities in `roots`; with `resume` it keeps session tickets.
pub fn client_config(roots: &[PathBuf], alpn: &[&[u8]], resume: bool) -> Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    for file in roots {
        for cert in CertificateDer::pem_file_iter(file).with_context(|| format!("cannot read {}", file.display()))? {
            store.add(cert?)?;
        }
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    if !resume {
        config.resumption = Resumption::disabled();
    }
    Ok(config)
}

/// The one crypto provider of all parties.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
