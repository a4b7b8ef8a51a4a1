//! The same parameters for the crate `argon2`, which does the work at once and with vector instructions.

use argon2::{Algorithm, Params};

use super::parameters::{Argon2, Variant, Version};

impl Argon2 {
    /// None where the crate does not take them.
    pub(in super::super) fn of_crate(&self, digest_length: usize) -> Option<argon2::Argon2<'static>> {
        let algorithm = match self.variant {
            Variant::D => Algorithm::Argon2d,
            Variant::I => Algorithm::Argon2i,
            Variant::Id => Algorithm::Argon2id,
        };
        let version = match self.version {
            Version::V0x10 => argon2::Version::V0x10,
            Version::V0x13 => argon2::Version::V0x13,
        };
        let params = Params::new(self.cost.memory, self.cost.passes, self.cost.lanes, Some(digest_length)).ok()?;
        Some(argon2::Argon2::new(algorithm, version, params))
    }
}
