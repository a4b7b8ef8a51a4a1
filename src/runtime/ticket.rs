//! Who waits for an answer.

use crate::{endpoint::cors::Page, origin::Origin};

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The stream, by the host's number for it.
    pub exchange: u32,
    /// Where the request comes from.
    pub origin: Origin,
    /// The page that asks.
    pub page: Page,
}
