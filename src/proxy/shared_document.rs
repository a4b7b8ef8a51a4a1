//! Where a document lies for all workers of the process: a ledger and two slots of pieces in the host's shared data.

use proxy_wasm::types::Status;

use super::host;
use crate::registry::remote::{Ledger, PART};

/// The shared data of one source.
pub struct SharedDocument {
    prefix: String,
}

/// How much of a document is under one key.
const PIECE: usize = 128 * 1024;
/// Each part of a document begins with a piece.
const _: () = assert!(PART.is_multiple_of(PIECE));
const BIRTHS: &str = "token-endpoint.vms";
/// How often an update that another worker got in the way of is tried again.
const TRIES: u32 = 32;

impl SharedDocument {
    /// Opens it, and makes it if there is none: the main thread's VM does so before any worker's VM starts.
    pub fn open(name: &str) -> Self {
        let prefix = format!("token-endpoint.snapshot.{name}");
        let document = Self { prefix };
        make(&document.ledger_key(), b"{}");
        document
    }

    /// The ledger as it is now.
    pub fn ledger(&self) -> Option<Ledger> {
        let (bytes, _) = host::shared_data(&self.ledger_key()).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Changes the ledger, unless `change` gives None.
    pub fn update<T>(&self, change: impl Fn(&mut Ledger) -> Option<T>) -> Option<T> {
        update(&self.ledger_key(), |bytes| {
            let mut ledger = serde_json::from_slice(bytes).unwrap_or_default();
            let result = change(&mut ledger)?;
            Some((serde_json::to_vec(&ledger).ok()?, result))
        })
    }

    /// Copies the body of the answer at hand into a slot, where in the document it begins at `start`, which is at the
    /// beginning of a piece.
    pub fn take_answer(&self, slot: u64, start: usize, length: usize) -> Result<(), Status> {
        for at in (0..length).step_by(PIECE) {
            let expected = (length - at).min(PIECE);
            let piece = host::answer_body(at, expected);
            if piece.len() != expected {
                return Err(Status::BadArgument);
            }
            host::set_shared_data(&self.piece_key(slot, (start + at) / PIECE), &piece, None)?;
        }
        Ok(())
    }

    /// A piece of a document of this length; an empty one behind its end. None if it is not there.
    pub fn piece(&self, slot: u64, number: usize, length: usize) -> Option<Vec<u8>> {
        let expected = length.saturating_sub(number.checked_mul(PIECE)?).min(PIECE);
        if expected == 0 {
            return Some(Vec::new());
        }
        let (piece, _) = host::shared_data(&self.piece_key(slot, number)).ok()?;
        (piece.len() == expected).then_some(piece)
    }

    /// Empties a piece.
    pub fn clear(&self, slot: u64, number: usize) {
        if host::set_shared_data(&self.piece_key(slot, number), &[], None).is_err() {
            log::warn!("a piece of an old document stays in memory");
        }
    }

    /// How many pieces a document of this length has.
    pub fn pieces(length: usize) -> usize {
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
pub fn earlier_vms() -> u32 {
    make(BIRTHS, &0_u32.to_le_bytes());
    let number = update(BIRTHS, |bytes| {
        let number = bytes.try_into().map(u32::from_le_bytes).unwrap_or_default();
        Some((number.saturating_add(1).to_le_bytes().to_vec(), number))
    });
    number.unwrap_or(u32::MAX)
}

/// Sets a value where there is none.
fn make(key: &str, value: &[u8]) {
    let is_there = host::shared_data(key).is_ok_and(|(value, _)| !value.is_empty());
    if !is_there && host::set_shared_data(key, value, None).is_err() {
        log::error!("no shared data");
    }
}

/// Changes a value by compare-and-swap, unless `change` gives None.
fn update<T>(key: &str, change: impl Fn(&[u8]) -> Option<(Vec<u8>, T)>) -> Option<T> {
    for _ in 0..TRIES {
        let (before, version) = host::shared_data(key).ok()?;
        let (after, result) = change(&before)?;
        match host::set_shared_data(key, &after, version) {
            Err(Status::CasMismatch) => {}
            outcome => return outcome.ok().map(|()| result),
        }
    }
    None
}
