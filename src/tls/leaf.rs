//! Leaf certificates: one for each opened name, minted when first asked for, kept in a bounded cache.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::string::Ia5String;
use rcgen::{
    CertificateParams, CrlDistributionPoint, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::pki_types::{DnsName, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};

use super::authority::{Authority, now};
use super::files::AuthorityError;
use super::root::{self, BACKDATED, DAY};

/// A name for which no leaf can be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its fields are")]
pub enum LeafError {
    #[error("not a host name: {name:?}")]
    NotAName { name: String },
    #[error("{address} is an address; the CA is limited to names, so connect by name or do not open it")]
    Address { address: IpAddr },
    #[error("the CA does not permit {name}; make one that does with `copilot-recorder ca rotate`, or do not open it")]
    NotPermitted { name: String },
    #[error("cannot sign a certificate for {name}")]
    Signing { name: String, source: rcgen::Error },
}

/// Far below the 397 days that clients accept: a leaf lives in memory only, and a fresh one costs a fraction of a
/// millisecond.
const LIFE: i64 = 90 * DAY;
const RENEWED_BEFORE_END: i64 = 30 * DAY;

/// Copilot has about thirty host names. A client can invent more below a permitted name; they push the oldest out.
const CAPACITY: usize = 1024;

/// The key of all leaves and the leaves themselves, oldest out first.
///
/// One key for all, because it never leaves this process: a key for each name would protect nothing more.
pub(super) struct Leaves {
    key: KeyPair,
    signing: Arc<dyn SigningKey>,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    slots: HashMap<String, Arc<Slot>>,
    oldest: VecDeque<String>,
}

/// Held while its leaf is minted: whoever asks for the same name meanwhile waits for that one, nobody else does.
type Slot = Mutex<Option<Leaf>>;

struct Leaf {
    key: Arc<CertifiedKey>,
    renew_at: i64,
}

impl Leaves {
    pub(super) fn new() -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = super::provider().key_provider.load_private_key(der)?;
        Ok(Self { key, signing, cache: Mutex::default() })
    }

    fn slot(&self, name: &str) -> Arc<Slot> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = cache.slots.get(name) {
            return Arc::clone(slot);
        }
        let slot = Arc::<Slot>::default();
        cache.slots.insert(name.to_owned(), Arc::clone(&slot));
        cache.oldest.push_back(name.to_owned());
        if cache.oldest.len() > CAPACITY
            && let Some(oldest) = cache.oldest.pop_front()
        {
            cache.slots.remove(&oldest);
        }
        slot
    }
}

impl Authority {
    /// The leaf for a host name (any case, a final dot allowed), with its chain and key: from the cache, or minted.
    ///
    /// The chain holds the root too. Clients do not need it, but one that does not trust it can then say so
    /// ("self-signed certificate in certificate chain") instead of a puzzling "unable to verify the first certificate".
    ///
    /// # Errors
    /// When the name is not a host name, is an address, or is not permitted by the root.
    pub fn leaf(&self, name: &str) -> Result<Arc<CertifiedKey>, LeafError> {
        self.leaf_at(name, now())
    }

    pub(super) fn leaf_at(&self, name: &str, now: i64) -> Result<Arc<CertifiedKey>, LeafError> {
        let name = normalise(name)?;
        if !self.permits(&name) {
            return Err(LeafError::NotPermitted { name: name.into_owned() });
        }
        let slot = self.leaves.slot(&name);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leaf) = slot.as_ref().filter(|leaf| now < leaf.renew_at) {
            return Ok(Arc::clone(&leaf.key));
        }
        let leaf = self.mint(&name, now)?;
        let key = Arc::clone(&leaf.key);
        *slot = Some(leaf);
        Ok(key)
    }

    fn mint(&self, name: &str, now: i64) -> Result<Leaf, LeafError> {
        let (root_from, root_until) = self.root().validity();
        let not_after = (now + LIFE).min(root_until);
        let failed = |source| LeafError::Signing { name: name.to_owned(), source };

        let mut params = CertificateParams::default();
        params.not_before = root::moment((now - BACKDATED).max(root_from));
        params.not_after = root::moment(not_after);
        params.serial_number = Some(root::serial());
        params.distinguished_name = subject(name);
        params.subject_alt_names = vec![SanType::DnsName(Ia5String::try_from(name).map_err(failed)?)];
        // Says CA:FALSE, and makes rcgen write the subject key identifier.
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![self.crl_address.clone()] }];
        let certificate = params.signed_by(&self.leaves.key, &self.issuer).map_err(failed)?;

        let mut chain = vec![certificate.into()];
        chain.extend_from_slice(self.root().chain());
        let key = Arc::new(CertifiedKey::new(chain, Arc::clone(&self.leaves.signing)));
        Ok(Leaf { key, renew_at: not_after - RENEWED_BEFORE_END })
    }
}

/// The name in lower case without a final dot; borrowed where it came so, as it nearly always does.
fn normalise(name: &str) -> Result<Cow<'_, str>, LeafError> {
    let bare = name.strip_suffix('.').unwrap_or(name);
    if let Ok(address) = bare.trim_matches(['[', ']']).parse() {
        return Err(LeafError::Address { address });
    }
    // A wildcard is no host name either, though it could stand in a certificate.
    if bare.contains('*') || DnsName::try_from(bare).is_err() {
        return Err(LeafError::NotAName { name: name.chars().take(256).collect() });
    }
    Ok(match bare.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(bare.to_ascii_lowercase()),
        false => Cow::Borrowed(bare),
    })
}

/// Clients read the subject alternative name; the common name is for people, and holds 64 characters at most.
fn subject(name: &str) -> DistinguishedName {
    const UB_COMMON_NAME: usize = 64;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, if name.len() <= UB_COMMON_NAME { name } else { "copilot-recorder leaf" });
    subject
}
