//! The parameters of scrypt, their bounds and how they are written.

use crate::crypto::password::error::PasswordHashError::{self, Malformed};
use crate::crypto::password::fields::{self, Parsed};

/// What a scrypt hash costs (RFC 7914 section 2): `N = 1 << log_n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Scrypt {
    pub(super) log_n: u32,
    pub(super) r: u32,
    pub(super) p: u32,
}

impl Scrypt {
    /// Most memory in bytes, `128 * N * r`: 256 MiB.
    const MAX_MEMORY: u32 = 256 * 1024 * 1024;
    /// Most work, `N * r * p`: a few seconds in Envoy's VM.
    const MAX_WORK: u32 = 1 << 22;
    const MAX_R: u32 = 32;
    const MAX_P: u32 = 16;

    /// Reads `ln=…,r=…,p=…$salt$digest`.
    pub(in super::super) fn parse(rest: &[&str]) -> Result<Parsed<Self>, PasswordHashError> {
        let [parameters, salt, digest] = rest else {
            return Err(Malformed("scrypt is $scrypt$ln=…,r=…,p=…$salt$digest"));
        };
        let [Some(log_n), Some(r), Some(p)] = fields::parameters(parameters, ["ln", "r", "p"])? else {
            return Err(Malformed("scrypt needs ln, r and p"));
        };
        let scrypt = Self { log_n, r, p }.checked()?;
        let (salt, digest) = fields::salt_and_digest(salt, digest)?;
        Ok(Parsed { parameters: scrypt, salt, digest })
    }

    fn checked(self) -> Result<Self, PasswordHashError> {
        let Self { log_n, r, p } = self;
        PasswordHashError::within("scrypt r", r.into(), 1, Self::MAX_R.into())?;
        PasswordHashError::within("scrypt p", p.into(), 1, Self::MAX_P.into())?;
        let most = (Self::MAX_MEMORY / 128 / r).min(Self::MAX_WORK / (r * p)).ilog2();
        // RFC 7914 section 2: N is less than 2^(128 * r / 8).
        let most = most.min(16 * r - 1);
        PasswordHashError::within("scrypt ln (with these r and p)", log_n.into(), 1, most.into())?;
        Ok(self)
    }

    /// Below each of OWASP's equivalent settings, which have r = 8.
    pub(in super::super) fn is_weak(&self) -> bool {
        const FLOORS: [(u32, u32); 5] = [(17, 1), (16, 2), (15, 3), (14, 5), (13, 10)];
        !FLOORS.iter().any(|(log_n, p)| self.log_n >= *log_n && self.r >= 8 && self.p >= *p)
    }

    /// Bytes of the vector `V` (RFC 7914 section 5), which all lanes use in turn.
    pub(in super::super) fn memory(&self) -> usize {
        self.n() * self.row() * size_of::<u64>()
    }

    pub(super) fn n(&self) -> usize {
        1 << self.log_n
    }

    /// Words of one block of `128 * r` bytes.
    pub(super) fn row(&self) -> usize {
        16 * self.r as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::password::PasswordHash;

    fn parse(parameters: &str) -> Result<PasswordHash, PasswordHashError> {
        PasswordHash::parse(&format!("$scrypt${parameters}$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"))
    }

    #[test]
    fn owasps_settings_are_not_weak_and_anything_less_is() {
        for (log_n, p) in [(17, 1), (16, 2), (15, 3), (14, 5), (13, 10)] {
            assert!(!parse(&format!("ln={log_n},r=8,p={p}")).unwrap().is_weak());
            assert!(parse(&format!("ln={log_n},r=7,p={p}")).unwrap().is_weak());
            assert!(parse(&format!("ln={},r=8,p={p}", log_n - 1)).unwrap().is_weak());
        }
    }

    #[test]
    fn costs_beyond_the_bounds_are_refused() {
        for good in ["ln=18,r=8,p=1", "ln=18,r=8,p=2", "ln=15,r=1,p=16", "ln=1,r=32,p=16"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "ln=19,r=8,p=1",
            "ln=18,r=8,p=3",
            "ln=16,r=1,p=1",
            "ln=0,r=8,p=1",
            "ln=1,r=33,p=1",
            "ln=1,r=1,p=17",
            "ln=1,r=0,p=0",
        ] {
            assert!(matches!(parse(bad), Err(PasswordHashError::OutOfBounds { .. })), "{bad}");
        }
    }

    #[test]
    fn memory_is_the_vector_of_the_rfc() {
        assert_eq!(parse("ln=17,r=8,p=1").unwrap().memory(), (128 * 8) << 17);
    }
}
