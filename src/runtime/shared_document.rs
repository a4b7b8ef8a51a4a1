//! Where a document lies for all workers of the process: a ledger and two slots of pieces in the host's shared data.

use super::{
    host::{Host, HostError},
    shared,
};
use crate::registry::remote::{PART, SnapshotManifest};

/// The shared data of one source.
pub(super) struct SharedDocument {
    prefix: String,
}

/// How much of a document is under one key.
const PIECE: usize = 128 * 1024;
/// Each part of a document begins with a piece.
const _: () = assert!(PART.is_multiple_of(PIECE));
const BIRTHS: &str = "token-endpoint.vms";

impl SharedDocument {
    /// Opens it, and makes it if there is none: the main thread's VM does so before any worker's VM starts.
    pub(super) fn open(name: &str, host: &impl Host) -> Self {
        let prefix = format!("token-endpoint.snapshot.{name}");
        let document = Self { prefix };
        make(&document.ledger_key(), b"{}", host);
        document
    }

    /// The ledger as it is now.
    pub(super) fn ledger(&self, host: &impl Host) -> Option<SnapshotManifest> {
        let ledger = host.shared_value(&self.ledger_key()).ok()?;
        serde_json::from_slice(&ledger.bytes).ok()
    }

    /// Changes the ledger, unless `change` gives None.
    pub(super) fn update<T>(&self, host: &impl Host, change: impl Fn(&mut SnapshotManifest) -> Option<T>) -> Option<T> {
        let changed = shared::update(&self.ledger_key(), host, |bytes| {
            let mut ledger = serde_json::from_slice(bytes).unwrap_or_default();
            let result = change(&mut ledger).and_then(|result| Some((serde_json::to_vec(&ledger).ok()?, result)));
            Ok(result.map(|(bytes, result)| (Some(bytes), Some(result))).unwrap_or_default())
        });
        changed.ok().flatten()
    }

    /// Copies the body of the answer at hand into a slot, where in the document it begins at `start`, which is at the
    /// beginning of a piece.
    pub(super) fn take_answer(
        &self,
        slot: u64,
        start: usize,
        length: usize,
        host: &impl Host,
    ) -> Result<(), HostError> {
        for at in (0..length).step_by(PIECE) {
            let expected = (length - at).min(PIECE);
            let piece = host.answer_body(at, expected);
            if piece.len() != expected {
                return Err(HostError::BadArgument);
            }
            host.set_shared_value(&self.piece_key(slot, (start + at) / PIECE), &piece, None)?;
        }
        Ok(())
    }

    /// A piece of a document of this length; an empty one behind its end. None if it is not there.
    pub(super) fn piece(&self, slot: u64, number: usize, length: usize, host: &impl Host) -> Option<Vec<u8>> {
        let expected = length.saturating_sub(number.checked_mul(PIECE)?).min(PIECE);
        if expected == 0 {
            return Some(Vec::new());
        }
        let piece = host.shared_value(&self.piece_key(slot, number)).ok()?.bytes;
        (piece.len() == expected).then_some(piece)
    }

    /// Empties a piece.
    pub(super) fn clear(&self, slot: u64, number: usize, host: &impl Host) {
        if host.set_shared_value(&self.piece_key(slot, number), &[], None).is_err() {
            log::warn!("a piece of an old document stays in memory");
        }
    }

    /// How many pieces a document of this length has.
    pub(super) fn pieces(length: usize) -> usize {
        length.div_ceil(PIECE)
    }

    fn ledger_key(&self) -> String {
        format!("{}.ledger", self.prefix)
    }

    fn piece_key(&self, slot: u64, number: usize) -> String {
        format!("{}.{slot}.{number}", self.prefix)
    }
}

/// How many VMs started before this one, in this process.
pub(super) fn earlier_vms(host: &impl Host) -> u32 {
    make(BIRTHS, &0_u32.to_le_bytes(), host);
    let number = shared::update(BIRTHS, host, |bytes| {
        let number = bytes.try_into().map(u32::from_le_bytes).unwrap_or_default();
        Ok((Some(number.saturating_add(1).to_le_bytes().to_vec()), number))
    });
    number.unwrap_or(u32::MAX)
}

/// Sets a value where there is none.
fn make(key: &str, value: &[u8], host: &impl Host) {
    let is_there = host.shared_value(key).is_ok_and(|value| !value.bytes.is_empty());
    if !is_there && host.set_shared_value(key, value, None).is_err() {
        log::error!("no shared data");
    }
}
