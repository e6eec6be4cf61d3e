//! The root certificate: made with name constraints, or read and checked.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, CidrSubnet,
    CrlDistributionPoint, DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyIdMethod,
    KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use super::files::{AuthorityError, Folder, read_text};
use crate::rules::HostPattern;

/// A client whose clock is behind must not find certificates that are "not yet valid".
pub(super) const BACKDATED: i64 = DAY;
pub(super) const DAY: i64 = 24 * 60 * 60;

/// Long enough that no team re-installs it often, short enough that a forgotten root dies.
const LIFE: i64 = 5 * 365 * DAY;

/// A root that permits nothing still needs one permitted name, because an empty list permits everything
/// (RFC 5280 section 4.2.1.10). Nobody can own a name below `invalid` (RFC 2606 section 2).
const NOTHING: &str = "copilot-recorder.invalid";

/// The certificate of the CA, as read from its file: what it is and which names it may sign for.
#[derive(Clone, Debug)]
pub struct Root {
    path: PathBuf,
    /// The CA's certificate, then what else the file holds: the way up to a company's root.
    chain: Vec<CertificateDer<'static>>,
    subject: String,
    not_before: i64,
    not_after: i64,
    permitted: Option<Vec<String>>,
    excluded: Vec<String>,
    is_ca: bool,
    may_sign: bool,
    public_key: Vec<u8>,
    raw_subject: Vec<u8>,
    raw_issuer: Vec<u8>,
}

impl Root {
    /// Reads `ca.pem` in the folder, without its key, and without judging it.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read, or holds no certificate.
    pub fn read(folder: &Path) -> Result<Self, AuthorityError> {
        let folder = Folder::new(folder);
        match read_text(&folder.certificate)? {
            Some(text) => Self::parse(&folder.certificate, &text),
            None => Err(AuthorityError::Missing { folder: folder.path }),
        }
    }

    pub(super) fn parse(path: &Path, pem: &str) -> Result<Self, AuthorityError> {
        let not_pem = |reason: String| AuthorityError::NotPem { path: path.to_owned(), what: "certificate", reason };
        let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| not_pem(error.to_string()))?;
        let first = chain.first().ok_or_else(|| not_pem("no certificate in it".to_owned()))?.clone();
        let (_, x509) = X509Certificate::from_der(&first).map_err(|error| not_pem(error.to_string()))?;

        let (permitted, excluded) = dns_constraints(&x509).map_err(|error| not_pem(error.to_string()))?;
        let basic = x509.basic_constraints().ok().flatten();
        let usage = x509.key_usage().ok().flatten();
        Ok(Self {
            path: path.to_owned(),
            subject: x509.subject().to_string(),
            not_before: x509.validity().not_before.timestamp(),
            not_after: x509.validity().not_after.timestamp(),
            permitted,
            excluded,
            is_ca: basic.is_some_and(|basic| basic.value.ca),
            may_sign: usage.is_none_or(|usage| usage.value.key_cert_sign() && usage.value.crl_sign()),
            public_key: x509.public_key().raw.to_vec(),
            raw_subject: x509.subject().as_raw().to_vec(),
            raw_issuer: x509.issuer().as_raw().to_vec(),
            chain,
        })
    }

    /// Checks that the root can sign now for every host that is to be opened.
    pub(super) fn check(&self, open: &[HostPattern], now: i64) -> Result<(), AuthorityError> {
        let path = self.path.clone();
        if !self.is_ca {
            return Err(AuthorityError::NotACa { path, reason: "basic constraints do not say CA" });
        }
        if !self.may_sign {
            return Err(AuthorityError::NotACa { path, reason: "key usage does not allow certificates and CRLs" });
        }
        if now >= self.not_after {
            return Err(AuthorityError::Expired { path, when: day(self.not_after) });
        }
        if now < self.not_before {
            return Err(AuthorityError::NotYetValid { path, when: day(self.not_before) });
        }
        for pattern in open {
            let host = subtree(pattern)?;
            if !self.permits(host) {
                return Err(AuthorityError::NotPermitted { path, host: host.to_owned() });
            }
        }
        Ok(())
    }

    /// Whether this key is the root's.
    pub(super) fn has_key(&self, key: &KeyPair) -> bool {
        self.public_key == key.subject_public_key_info()
    }

    /// Whether it says that this root signed it. Names of ours hold part of the key's digest; a false one would only
    /// fail at the clients.
    pub(super) fn is_below(&self, root: &Self) -> bool {
        self.raw_issuer == root.raw_subject
    }

    /// Whether a certificate for this host, signed by the root, would be accepted.
    #[must_use]
    pub fn permits(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let permitted = self.permitted.as_ref().is_none_or(|names| names.iter().any(|name| within(host, name)));
        permitted && !self.excluded.iter().any(|name| within(host, name))
    }

    /// The names that the root may sign for, each with every name below it; `None` if nothing limits it.
    #[must_use]
    pub fn permitted(&self) -> Option<&[String]> {
        self.permitted.as_deref()
    }

    /// The distinguished name, for example `O=copilot-recorder, CN=copilot-recorder CA 3fa9c1 (buildbox, 2026-11-21)`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// When it begins to be valid.
    #[must_use]
    pub fn not_before(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.not_before, 0).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    /// When it expires.
    #[must_use]
    pub fn not_after(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.not_after, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// SHA-256 of the certificate, as browsers and `openssl x509 -fingerprint -sha256` show it: `AB:CD:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(self.der())
    }

    /// The CA's certificate as DER.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        self.chain.first().expect("a root is never made without its certificate")
    }

    /// The CA's certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        use base64::prelude::{BASE64_STANDARD, Engine};
        let body = BASE64_STANDARD.encode(self.der());
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        for start in (0..body.len()).step_by(64) {
            pem.push_str(&body[start..body.len().min(start + 64)]);
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        pem
    }

    pub(super) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    pub(super) fn validity(&self) -> (i64, i64) {
        (self.not_before, self.not_after)
    }
}

/// SHA-256 of a certificate as browsers show it: `AB:CD:…`.
pub(super) fn fingerprint(der: &CertificateDer<'_>) -> String {
    let digest = crate::digest::sha256(der);
    digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// Makes a CA that can sign for the names of these patterns and for nothing else: the texts of `ca.pem` and
/// `ca-key.pem`.
///
/// ```text
/// root        ca.pem, which clients trust      its key is forgotten before this function returns
/// └ issuing   ca-key.pem, with its key         all that a thief can get
///   └ leaf    in memory
/// ```
///
/// Two steps, because some clients (Java's, for one) ignore the constraints of a certificate that they trust, but none
/// ignores those of one below it. What limits a stolen key: the permitted names, no addresses at all, no further CA
/// below (path length 0), and TLS servers only (extended key usage), so no mail, code or client certificates.
pub(super) fn mint(permitted: &[HostPattern], crl_base: &str, now: i64) -> Result<(String, String), AuthorityError> {
    let mut names = permitted.iter().map(subtree).collect::<Result<Vec<_>, _>>()?;
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        names.push(NOTHING);
    }

    let root_key = KeyPair::generate()?;
    let root = CertifiedIssuer::self_signed(ca_params(&names, "CA", 1, &root_key, now), root_key)?;
    let crl = CertificateRevocationListParams {
        this_update: moment(now - BACKDATED),
        // It can never be signed again.
        next_update: moment(now + LIFE),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let crl = crl.signed_by(&root)?;

    let key = KeyPair::generate()?;
    let mut params = ca_params(&names, "issuing CA", 0, &key, now);
    params.use_authority_key_identifier_extension = true;
    params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![crl_address(crl_base, ROOT_CRL)?] }];
    let issuing = params.signed_by(&key, &root)?;
    Ok((root.pem(), format!("{}{}{}", key.serialize_pem(), issuing.pem(), crl.pem()?)))
}

/// Path of the list of what the root revoked, which is the issuing CA or nothing.
const ROOT_CRL: &str = "ca-root.crl";
/// Path of the list of what the issuing CA revoked.
pub(super) const CRL: &str = "ca.crl";

/// `{base}/{path}`, if that can stand in a certificate.
pub(super) fn crl_address(base: &str, path: &str) -> Result<String, AuthorityError> {
    let address = format!("{}/{path}", base.trim_end_matches('/'));
    if !address.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(AuthorityError::CrlAddress { address });
    }
    Ok(address)
}

fn ca_params(names: &[&str], role: &str, below: u8, key: &KeyPair, now: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = moment(now - BACKDATED);
    params.not_after = moment(now + LIFE);
    params.serial_number = Some(serial());
    params.distinguished_name = subject(role, key, now);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.iter().map(|name| GeneralSubtree::DnsName((*name).to_owned())).collect(),
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
            GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
        ],
    });
    params
}

/// 16 random bytes, positive and never shorter (RFC 5280 section 4.1.2.2 allows up to 20).
pub(super) fn serial() -> SerialNumber {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::from(bytes.to_vec())
}

pub(super) fn moment(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

pub(super) fn day(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0)
        .map_or_else(|| "an unknown date".to_owned(), |when| when.format("%Y-%m-%d").to_string())
}

/// The name that a constraint or a check is about.
fn subtree(pattern: &HostPattern) -> Result<&str, AuthorityError> {
    let name = pattern.subtree();
    if name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Err(AuthorityError::Address { pattern: name.to_owned() });
    }
    Ok(name)
}

/// The host name and the date tell several roots in one trust store apart; the number tells them apart for sure.
fn subject(role: &str, key: &KeyPair, now: i64) -> DistinguishedName {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &key.subject_public_key_info());
    let id: String = digest.as_ref().iter().take(3).map(|byte| format!("{byte:02x}")).collect();
    let made = match machine() {
        Some(machine) => format!("{machine}, {}", day(now)),
        None => day(now),
    };
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "copilot-recorder");
    name.push(DnType::CommonName, format!("copilot-recorder {role} {id} ({made})"));
    name
}

/// This machine's name, cut so that the common name stays within its 64 characters (RFC 5280 appendix A.1).
fn machine() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::env::var("HOSTNAME")).ok()?;
    let name: String =
        name.trim().chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).take(14).collect();
    (!name.is_empty()).then_some(name)
}

type DnsConstraints = (Option<Vec<String>>, Vec<String>);

/// The dNSName subtrees of the certificate: permitted (`None`: any) and excluded.
fn dns_constraints(x509: &X509Certificate<'_>) -> Result<DnsConstraints, x509_parser::error::X509Error> {
    let Some(constraints) = x509.name_constraints()? else { return Ok((None, Vec::new())) };
    let names = |trees: &Option<Vec<x509_parser::extensions::GeneralSubtree<'_>>>| -> Vec<String> {
        let names = trees.iter().flatten().filter_map(|tree| match tree.base {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
        names.collect()
    };
    let permitted = names(&constraints.value.permitted_subtrees);
    Ok(((!permitted.is_empty()).then_some(permitted), names(&constraints.value.excluded_subtrees)))
}

/// Whether the host is the name or below it (RFC 5280 section 4.2.1.10). An empty name covers every host.
fn within(host: &str, name: &str) -> bool {
    let name = name.strip_prefix('.').unwrap_or(name);
    if name.is_empty() {
        return true;
    }
    let Some(before) = host.len().checked_sub(name.len()) else { return false };
    let (head, tail) = host.as_bytes().split_at(before);
    tail.eq_ignore_ascii_case(name.as_bytes()) && (head.is_empty() || head.ends_with(b"."))
}
