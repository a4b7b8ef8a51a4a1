//! Numbers and spans of time within bounds.

use std::time::Duration;

use super::{
    document::Object,
    setting::{Count, Span},
    shape::{Field, Seconds, Within},
};

/// In seconds: a year.
pub(super) const LONGEST: u64 = 365 * 86_400;

/// A whole number within bounds, if it is given.
pub(super) fn within<const LEAST: u64, const MOST: u64>(
    object: &mut Object,
    field: Field<Option<Within<LEAST, MOST>>>,
) -> Option<u64> {
    let Count(number) = object.optional(field.read_as())?;
    if !(LEAST..=MOST).contains(&number) {
        object.problem(field.name, format!("expected {LEAST} to {MOST}"));
    }
    Some(number)
}

/// A span of whole seconds, if it is given.
pub(super) fn whole_seconds<const MOST: u64>(
    object: &mut Object,
    field: Field<Option<Seconds<MOST>>>,
) -> Option<Duration> {
    let Span(span) = object.optional(field.read_as())?;
    if span.subsec_nanos() != 0 || !(1..=MOST).contains(&span.as_secs()) {
        object.problem(field.name, format!("expected whole seconds, 1s to {MOST}s"));
    }
    Some(span)
}

/// A span of whole seconds, up to a year.
pub(super) fn whole_seconds_or(
    object: &mut Object,
    field: Field<Option<Seconds<LONGEST>>>,
    default: Duration,
) -> Duration {
    whole_seconds(object, field).unwrap_or(default)
}
