//! The parameters of Argon2, their bounds and how they are written.

use super::block::Block;
use crate::crypto::password::error::PasswordHashError;
use crate::crypto::password::fields::{self, Parsed};

/// What an Argon2 hash costs (RFC 9106 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory `m` in KiB.
    pub memory: u32,
    /// Passes `t` over the memory.
    pub passes: u32,
    /// Lanes `p`; they run one after the other here.
    pub lanes: u32,
}

impl Argon2Cost {
    /// Most memory, in KiB: 256 MiB, a quarter of what Envoy lets a VM have.
    pub(crate) const MAX_MEMORY: u32 = 256 * 1024;
    /// Most lanes.
    pub(crate) const MAX_LANES: u32 = 16;
    /// Most blocks of 1 KiB written in all passes, `m * t`: about a second in Envoy's VM.
    pub(crate) const MAX_BLOCKS: u64 = 1 << 20;

    pub(super) fn checked(self) -> Result<Self, PasswordHashError> {
        let (memory, passes, lanes) = (self.memory.into(), self.passes.into(), self.lanes.into());
        PasswordHashError::within("Argon2 p", lanes, 1, Self::MAX_LANES.into())?;
        PasswordHashError::within("Argon2 m in KiB (at least 8 p)", memory, 8 * lanes, Self::MAX_MEMORY.into())?;
        PasswordHashError::within("Argon2 t (with m * t at most 1048576)", passes, 1, Self::MAX_BLOCKS / memory)?;
        Ok(self)
    }
}

/// OWASP's first choice: m = 19456, t = 2, p = 1.
impl Default for Argon2Cost {
    fn default() -> Self {
        Self { memory: 19_456, passes: 2, lanes: 1 }
    }
}

/// Variant, version and cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Argon2 {
    pub(super) variant: Variant,
    pub(super) version: Version,
    pub(super) cost: Argon2Cost,
}

/// How blocks are addressed: `y` in RFC 9106 section 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    D = 0,
    I = 1,
    Id = 2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Later passes overwrite the memory.
    V0x10 = 0x10,
    /// Later passes XOR into the memory.
    V0x13 = 0x13,
}

impl Default for Argon2 {
    fn default() -> Self {
        Self { variant: Variant::Id, version: Version::V0x13, cost: Argon2Cost::default() }
    }
}

impl Argon2 {
    /// Reads `v=19$m=…,t=…,p=…$salt$digest`; without `v=` the version is 0x10.
    pub(in super::super) fn parse(name: &str, rest: &[&str]) -> Result<Parsed<Self>, PasswordHashError> {
        let variant = Variant::named(name);
        let (version, rest) = match rest {
            ["v=19", rest @ ..] => (Version::V0x13, rest),
            ["v=16", rest @ ..] => (Version::V0x10, rest),
            [other, ..] if other.starts_with("v=") => {
                return Err(PasswordHashError::Unsupported(VERSIONS));
            }
            rest => (Version::V0x10, rest),
        };
        let [parameters, salt, digest] = rest else {
            return Err(PasswordHashError::Malformed("Argon2 is $argon2id$v=19$m=…,t=…,p=…$salt$digest"));
        };
        let cost = parse_cost(parameters)?.checked()?;
        let (salt, digest) = fields::salt_and_digest(salt, digest)?;
        Ok(Parsed { parameters: Self { variant, version, cost }, salt, digest })
    }

    /// Below each of OWASP's equivalent settings.
    pub(in super::super) fn is_weak(&self) -> bool {
        const FLOORS: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];
        let Argon2Cost { memory, passes, .. } = self.cost;
        !FLOORS.iter().any(|(m, t)| memory >= *m && passes >= *t)
    }

    /// Bytes of memory: `m'` blocks, RFC 9106 section 3.2.
    pub(in super::super) fn memory(&self) -> usize {
        self.blocks() as usize * size_of::<Block>()
    }

    /// `m'`: the memory rounded down to four segments in each lane.
    pub(super) fn blocks(&self) -> u32 {
        let lanes = self.cost.lanes;
        4 * lanes * (self.cost.memory / (4 * lanes))
    }
}

impl Variant {
    fn named(name: &str) -> Self {
        match name {
            "argon2d" => Self::D,
            "argon2i" => Self::I,
            _ => Self::Id,
        }
    }
}

const VERSIONS: &str = "Argon2 has the versions v=16 and v=19";

fn parse_cost(text: &str) -> Result<Argon2Cost, PasswordHashError> {
    if text.split(',').any(|pair| pair.starts_with("keyid=") || pair.starts_with("data=")) {
        return Err(PasswordHashError::Unsupported("Argon2 with keyid or data needs a key that is not known here"));
    }
    match fields::parameters(text, ["m", "t", "p"])? {
        [Some(memory), Some(passes), Some(lanes)] => Ok(Argon2Cost { memory, passes, lanes }),
        _ => Err(PasswordHashError::Malformed("Argon2 needs m, t and p")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::password::PasswordHash;

    fn parse(parameters: &str) -> Result<PasswordHash, PasswordHashError> {
        PasswordHash::parse(&format!("$argon2id$v=19${parameters}$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"))
    }

    #[test]
    fn owasps_settings_are_not_weak_and_anything_less_is() {
        for (memory, passes) in [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)] {
            assert!(!parse(&format!("m={memory},t={passes},p=1")).unwrap().is_weak());
            assert!(parse(&format!("m={},t={passes},p=1", memory - 1)).unwrap().is_weak());
        }
    }

    #[test]
    fn costs_beyond_the_bounds_are_refused() {
        for good in ["m=262144,t=4,p=1", "m=8,t=1,p=1", "m=128,t=8192,p=16"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in
            ["m=262145,t=1,p=1", "m=262144,t=5,p=1", "m=7,t=1,p=1", "m=136,t=1,p=17", "m=8,t=0,p=1", "m=8,t=1,p=0"]
        {
            assert!(matches!(parse(bad), Err(PasswordHashError::OutOfBounds { .. })), "{bad}");
        }
    }

    #[test]
    fn keys_and_data_are_refused_by_name() {
        for bad in ["m=8,t=1,p=1,keyid=Zm9v", "m=8,t=1,p=1,data=Zm9v"] {
            assert!(parse(bad).unwrap_err().to_string().contains("keyid or data"), "{bad}");
        }
    }
}
