//! Passwords: made, hashed, checked.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::rand;

/// The least that OWASP recommends for argon2id with one lane: 19 MiB, two passes; some 25 ms of one core.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What a hash in the users file may ask for: one check must not take the machine with it.
const MAX_MEMORY_KIB: u32 = 256 << 10;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;

/// Bytes of a password; more serves nobody and would not fit the header that carries it.
const MAX_PASSWORD: usize = 1024;

/// Without the letters and digits that look like others, and without any that an URL would need to escape.
const ALPHABET: &[u8; 54] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ2345678";

/// Characters of a generated password: 138 bits.
const GENERATED: usize = 24;

/// Why a text cannot be a password, or could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Clients send no credentials at all when the password is empty.
    #[error("the password is empty; some editors send nothing when it is")]
    Empty,
    /// RFC 7617 section 2 forbids control characters.
    #[error("the password holds a control character, which the Basic scheme does not allow")]
    Control,
    /// Longer than what the header carries.
    #[error("the password is longer than {MAX_PASSWORD} bytes")]
    TooLong,
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes")]
    Random,
    /// The hash function refused.
    #[error("the password could not be hashed: {0}")]
    Hash(argon2::password_hash::Error),
}

/// A strong password without look-alike characters: 24 of them, 138 bits.
///
/// # Errors
/// [`PasswordError::Random`] where the operating system gives no random bytes.
pub fn generate_password() -> Result<String, PasswordError> {
    // Bytes past the largest multiple of the alphabet's length would favour its first letters.
    let fair = u8::try_from(256 / ALPHABET.len() * ALPHABET.len())
        .expect("below 256: the alphabet's length does not divide it");
    let mut password = String::with_capacity(GENERATED);
    let mut bytes = [0_u8; 64];
    while password.len() < GENERATED {
        rand::fill(&mut bytes).map_err(|_| PasswordError::Random)?;
        let letters =
            bytes.iter().filter(|&&byte| byte < fair).map(|&byte| ALPHABET[usize::from(byte) % ALPHABET.len()]);
        password.extend(letters.take(GENERATED - password.len()).map(char::from));
    }
    Ok(password)
}

/// Hashes a password with argon2id and a random salt; the result is the PHC string that the users file holds.
///
/// # Errors
/// Where the password is empty, too long, or holds control characters, or random bytes are not to be had.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    if password.is_empty() {
        return Err(PasswordError::Empty);
    }
    if password.len() > MAX_PASSWORD {
        return Err(PasswordError::TooLong);
    }
    if password.chars().any(char::is_control) {
        return Err(PasswordError::Control);
    }
    let hash: PasswordHash = hasher().hash_password(password.as_bytes()).map_err(PasswordError::Hash)?;
    Ok(hash.to_string())
}

/// Whether the password is the hash's. `false` also for a hash that cannot be read; [`usable`] is asked before.
pub(super) fn verify(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    PasswordVerifier::<PasswordHash>::verify_password(&Argon2::default(), password.as_bytes(), &hash).is_ok()
}

/// Why a text is not a hash that we check passwords against; `Ok` when it is.
pub(super) fn usable(hash: &str) -> Result<(), String> {
    if !hash.starts_with("$argon2id$") {
        return Err("only argon2id hashes are understood".into());
    }
    let hash = PasswordHash::new(hash).map_err(|error| error.to_string())?;
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err("the salt or the hash itself is missing".into());
    }
    let params = Params::try_from(&hash).map_err(|error| error.to_string())?;
    let costs = [(params.m_cost(), MAX_MEMORY_KIB), (params.t_cost(), MAX_PASSES), (params.p_cost(), MAX_LANES)];
    if costs.iter().any(|(asked, most)| asked > most) {
        return Err(format!("its cost is above m={MAX_MEMORY_KIB},t={MAX_PASSES},p={MAX_LANES}"));
    }
    Ok(())
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("constants within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_generated_password_is_long_clear_and_new_each_time() {
        let made: HashSet<_> = (0..100).map(|_| generate_password().unwrap()).collect();
        assert_eq!(made.len(), 100);
        for password in &made {
            assert_eq!(password.len(), GENERATED);
            assert!(!password.contains(['0', 'O', '1', 'l', 'I', 'i', 'o', '9']), "{password}");
        }
        let letters: HashSet<_> = made.iter().flat_map(|p| p.bytes()).collect();
        assert_eq!(letters.len(), ALPHABET.len(), "2,400 letters use the whole alphabet");
    }

    #[test]
    fn a_hash_knows_its_password() {
        let hash = hash_password("p@ss:wörd").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(usable(&hash), Ok(()));
        assert!(verify("p@ss:wörd", &hash));
        assert!(!verify("p@ss:word", &hash));
        assert_ne!(hash, hash_password("p@ss:wörd").unwrap(), "salted");
    }

    #[test]
    fn what_cannot_be_a_password() {
        assert!(matches!(hash_password(""), Err(PasswordError::Empty)));
        assert!(matches!(hash_password("a\nb"), Err(PasswordError::Control)));
        assert!(matches!(hash_password(&"x".repeat(1025)), Err(PasswordError::TooLong)));
    }

    #[test]
    fn hashes_that_are_refused() {
        for hash in [
            "",
            "secret",
            "$2y$05$abcdefghijklmnopqrstuv",
            "$argon2id$",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ",
            "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=19456,t=9999,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        ] {
            assert!(usable(hash).is_err(), "{hash}");
            assert!(hash.contains("4194304") || hash.contains("9999") || !verify("x", hash), "{hash}");
        }
    }
}
