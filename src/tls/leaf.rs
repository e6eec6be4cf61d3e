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
        let (from, until) = self.validity();
        let not_after = (now + LIFE).min(until);
        let failed = |source| LeafError::Signing { name: name.to_owned(), source };

        let mut params = CertificateParams::default();
        params.not_before = root::moment((now - BACKDATED).max(from));
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
        chain.extend(self.chain().cloned());
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use x509_parser::prelude::{FromDer, X509Certificate};

    use super::*;
    use crate::rules::HostPattern;

    fn authority() -> Authority {
        let folder = tempfile::tempdir().unwrap();
        let open = [HostPattern::parse("*.githubcopilot.com").unwrap()];
        Authority::load_or_create(folder.path(), &open, "http://127.0.0.1:8080").unwrap().0
    }

    fn validity(key: &CertifiedKey) -> (i64, i64) {
        let (_, x509) = X509Certificate::from_der(&key.cert[0]).unwrap();
        (x509.validity().not_before.timestamp(), x509.validity().not_after.timestamp())
    }

    #[test]
    fn one_leaf_for_all_spellings_of_a_name() {
        let authority = authority();
        let leaf = authority.leaf("proxy.githubcopilot.com").unwrap();
        assert!(Arc::ptr_eq(&leaf, &authority.leaf("Proxy.GitHubCopilot.com.").unwrap()));
        assert!(!Arc::ptr_eq(&leaf, &authority.leaf("api.githubcopilot.com").unwrap()));
        assert_eq!(leaf.cert.len(), 3, "leaf, issuing CA, root");
        assert_eq!(&leaf.cert[2], authority.certificate_der());
    }

    #[test]
    fn mints_once_for_many_that_ask_at_once() {
        let authority = authority();
        let leaves: Vec<_> = std::thread::scope(|scope| {
            let asking: Vec<_> =
                (0..16).map(|_| scope.spawn(|| authority.leaf("api.githubcopilot.com").unwrap())).collect();
            asking.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(leaves.iter().all(|leaf| Arc::ptr_eq(leaf, &leaves[0])));
    }

    #[test]
    fn renews_before_the_end_and_never_outlives_the_root() {
        let authority = authority();
        let (from, until) = authority.root().validity();
        let start = from + BACKDATED;
        let leaf = authority.leaf_at("api.githubcopilot.com", start).unwrap();
        let (not_before, not_after) = validity(&leaf);
        assert_eq!(not_before, start - DAY, "backdated, for clocks that are behind");
        assert!(not_after - not_before <= 397 * DAY);

        let renew_at = not_after - RENEWED_BEFORE_END;
        assert!(Arc::ptr_eq(&leaf, &authority.leaf_at("api.githubcopilot.com", renew_at - 1).unwrap()));
        assert!(!Arc::ptr_eq(&leaf, &authority.leaf_at("api.githubcopilot.com", renew_at).unwrap()));

        let last = authority.leaf_at("api.githubcopilot.com", until - DAY).unwrap();
        assert_eq!(validity(&last).1, until);
    }

    #[test]
    fn invented_names_push_the_oldest_out() {
        let authority = authority();
        let first = authority.leaf("first.githubcopilot.com").unwrap();
        for number in 0..CAPACITY {
            authority.leaf(&format!("n{number}.githubcopilot.com")).unwrap();
        }
        let cache = authority.leaves.cache.lock().unwrap();
        assert_eq!((cache.slots.len(), cache.oldest.len()), (CAPACITY, CAPACITY));
        drop(cache);
        assert!(!Arc::ptr_eq(&first, &authority.leaf("first.githubcopilot.com").unwrap()), "minted anew");
    }

    #[test]
    fn refuses_what_is_not_a_permitted_host_name() {
        let authority = authority();
        let not_permitted = ["bank.example", "githubcopilot.com.evil.example", "evilgithubcopilot.com", "com"];
        for name in not_permitted {
            assert!(matches!(authority.leaf(name), Err(LeafError::NotPermitted { .. })), "{name}");
        }
        for name in ["127.0.0.1", "::1", "[::1]", "169.254.169.254"] {
            assert!(matches!(authority.leaf(name), Err(LeafError::Address { .. })), "{name}");
        }
        let long = format!("{}.githubcopilot.com", "a".repeat(64));
        let longer = format!("{}githubcopilot.com", "a.".repeat(200));
        let not_names = [
            "",
            ".",
            "*.githubcopilot.com",
            "a..githubcopilot.com",
            "a b.githubcopilot.com",
            "é.githubcopilot.com",
            "a\0.githubcopilot.com",
            "../githubcopilot.com",
            "a.githubcopilot.com:443",
            "-.githubcopilot.com",
            &long,
            &longer,
        ];
        for name in not_names {
            let error = authority.leaf(name).unwrap_err();
            assert!(matches!(error, LeafError::NotAName { .. }), "{name:?}: {error:?}");
            assert!(error.to_string().len() < 2_000);
        }
        assert!(authority.leaves.cache.lock().unwrap().slots.is_empty(), "a refused name takes no place");
    }

    #[test]
    fn a_name_too_long_for_a_common_name_still_gets_its_leaf() {
        let authority = authority();
        let name = format!("{0}.{0}.{0}.githubcopilot.com", "a".repeat(60));
        let leaf = authority.leaf(&name).unwrap();
        let (_, x509) = X509Certificate::from_der(&leaf.cert[0]).unwrap();
        assert_eq!(x509.subject().to_string(), "CN=copilot-recorder leaf");
        let san = x509.subject_alternative_name().unwrap().unwrap();
        assert_eq!(san.value.general_names, [x509_parser::extensions::GeneralName::DNSName(&name)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn any_text_gives_a_leaf_for_it_or_an_error(name in "\\PC{0,40}(\\.githubcopilot\\.com)?") {
            let authority = SHARED.get_or_init(authority);
            if let Ok(leaf) = authority.leaf(&name) {
                let (_, x509) = X509Certificate::from_der(&leaf.cert[0]).unwrap();
                let san = x509.subject_alternative_name().unwrap().unwrap();
                let expected = name.trim_end_matches('.').to_ascii_lowercase();
                prop_assert!(authority.permits(&expected));
                prop_assert_eq!(&san.value.general_names, &[x509_parser::extensions::GeneralName::DNSName(&expected)]);
            }
        }
    }

    static SHARED: std::sync::OnceLock<Authority> = std::sync::OnceLock::new();
}
