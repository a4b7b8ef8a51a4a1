//! Sealing: bytes that only a holder of the key can read or make. A sealed text needs no store, survives a restart
//! and opens in every proxy that has the key.

use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use ct_codecs::{Base64UrlSafeNoPadding as Base64, Decoder, Encoder};
use zeroize::Zeroizing;

use super::key_schedule::{KeySchedule, Period};
use crate::{secret::Secret, time::UnixTime};

const NONCE: usize = 24;
const TAG: usize = 16;
/// Plain text is padded to a multiple of this, so that a sealed text's length tells next to nothing of its content.
const BLOCK: usize = 64;
/// The longest text that is looked at: a sealed text is never near it, whatever a caller sends.
const LONGEST: usize = 8 * 1024;

/// Seals with the key whose turn it is (XChaCha20-Poly1305) and opens with any, so that keys can be rotated.
#[derive(Default)]
pub struct Sealer {
    keys: Vec<XChaCha20Poly1305>,
    timetable: KeySchedule,
}

/// The bytes are not a key of 32 bytes in base64url.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidSealKey;

/// One key of a [`Sealer`].
pub struct SealKey(XChaCha20Poly1305);

impl SealKey {
    /// Reads 32 bytes of base64url without padding; white space around them is ignored.
    pub fn parse(text: &Secret) -> Result<Self, InvalidSealKey> {
        let mut key = Zeroizing::new([0; 32]);
        let text = text.expose().trim_ascii();
        let written = Base64::decode(&mut key[..], text, None).map_err(|_| InvalidSealKey)?.len();
        let cipher = XChaCha20Poly1305::new_from_slice(&key[..]).map_err(|_| InvalidSealKey)?;
        (written == key.len()).then_some(Self(cipher)).ok_or(InvalidSealKey)
    }
}

impl Sealer {
    /// A sealer with these keys, and when they seal.
    pub fn new(keys: Vec<(SealKey, Period)>) -> Self {
        let (keys, periods) = keys.into_iter().map(|(key, period)| (key.0, period)).unzip();
        Self { keys, timetable: KeySchedule::new(periods) }
    }

    /// Seals `plain` for `purpose`, which must be named again to open it. None if no key seals now.
    pub(crate) fn seal(&self, now: UnixTime, nonce: [u8; NONCE], purpose: &[u8], plain: &[u8]) -> Option<String> {
        let key = self.keys.get(self.timetable.active_key(now)?)?;
        let padded = pad(plain);
        let payload = Payload { msg: &padded, aad: purpose };
        let sealed = key.encrypt(&nonce.into(), payload).ok()?;
        Base64::encode_to_string([&nonce[..], &sealed].concat()).ok()
    }

    /// The plain bytes, if this sealer (or one with a common key) sealed them for `purpose`.
    pub(crate) fn open(&self, purpose: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if sealed.len() > LONGEST {
            return None;
        }
        let bytes = Base64::decode_to_vec(sealed, None).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let payload = || Payload { msg: sealed, aad: purpose };
        let mut plain = self.keys.iter().find_map(|key| key.decrypt(nonce.into(), payload()).ok())?;
        unpad(&mut plain);
        Some(Zeroizing::new(plain))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({} keys)", self.keys.len())
    }
}

/// ISO/IEC 7816-4 padding: one 0x80, then zeroes to the end of the block.
fn pad(plain: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = (plain.len() + 1 + TAG).next_multiple_of(BLOCK) - TAG;
    let mut padded = Zeroizing::new(Vec::with_capacity(length));
    padded.extend_from_slice(plain);
    padded.push(0x80);
    padded.resize(length, 0);
    padded
}

fn unpad(padded: &mut Vec<u8>) {
    let end = padded.iter().rposition(|&byte| byte == 0x80).unwrap_or(0);
    padded.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const OTHER: &str = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn sealer(keys: &[&str]) -> Sealer {
        let key = |key: &&str| (SealKey::parse(&Secret::new(*key)).unwrap(), Period::default());
        Sealer::new(keys.iter().map(key).collect())
    }

    #[test]
    fn a_key_seals_from_its_time_on_and_the_one_before_it_still_opens() {
        let key = |key: &str, not_before| {
            (SealKey::parse(&Secret::new(key)).unwrap(), Period { not_before, not_after: None })
        };
        let rotated = Sealer::new(vec![key(KEY, None), key(OTHER, Some(NOW))]);
        let (old, new) = (sealer(&[KEY]), sealer(&[OTHER]));
        let before = rotated.seal(UnixTime(NOW.0 - 1), [1; 24], b"", b"who").unwrap();
        let after = rotated.seal(NOW, [1; 24], b"", b"who").unwrap();
        let opens = |sealer: &Sealer| [&before, &after].map(|sealed| sealer.open(b"", sealed.as_bytes()).is_some());
        assert_eq!([opens(&old), opens(&new), opens(&rotated)], [[true, false], [false, true], [true, true]]);
    }

    #[test]
    fn what_was_sealed_opens_for_the_same_purpose_only() {
        let sealer = sealer(&[KEY]);
        let sealed = sealer.seal(NOW, [1; 24], b"refresh", b"who").unwrap();
        assert_eq!(sealer.open(b"refresh", sealed.as_bytes()).unwrap()[..], b"who"[..]);
        assert!(sealer.open(b"another", sealed.as_bytes()).is_none());
    }

    #[test]
    fn a_rotated_key_still_opens_and_a_strange_one_does_not() {
        let sealed = sealer(&[KEY]).seal(NOW, [1; 24], b"", b"who").unwrap();
        assert!(sealer(&[OTHER, KEY]).open(b"", sealed.as_bytes()).is_some());
        assert!(sealer(&[OTHER]).open(b"", sealed.as_bytes()).is_none());
        assert!(sealer(&[]).open(b"", sealed.as_bytes()).is_none());
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let sealer = sealer(&[KEY]);
        let sealed = sealer.seal(NOW, [1; 24], b"", b"who").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(sealer.open(b"", &changed).is_none(), "character {at}");
        }
    }

    #[test]
    fn lengths_are_rounded_up_and_every_length_comes_back() {
        let sealer = sealer(&[KEY]);
        for length in 0..200 {
            let plain = vec![0x80; length];
            let sealed = sealer.seal(NOW, [1; 24], b"", &plain).unwrap();
            assert_eq!(Base64::decode_to_vec(&sealed, None).unwrap().len() % BLOCK, NONCE);
            assert_eq!(*sealer.open(b"", sealed.as_bytes()).unwrap(), plain);
        }
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        for text in ["", "AAAA", "not base64!", &format!("{KEY}AAAA")] {
            assert!(SealKey::parse(&Secret::new(text)).is_err());
        }
    }
}
