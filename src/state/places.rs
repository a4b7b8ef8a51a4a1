//! Where the tokens of a family are used. A thief who refreshes a moment after the victim each time is in every grace, and
//! from elsewhere each time. That happens to an honest user now and then, and hardly twice in a row.

use serde::Deserialize;

/// Tells one origin from another within one family. Whoever has no token of the family learns no address from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginMark(pub u32);

/// What happens when the graces of two generations in a row were used from elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum OnGraceFromElsewhere {
    /// The family ends.
    #[default]
    End,
    /// It is told, and the family goes on.
    Tell,
}

/// What is remembered of where a family's tokens are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// From where the newest generation was begun. None where that is not known.
    pub(crate) began_from: Option<OriginMark>,
    /// The last generation whose grace was used from elsewhere.
    pub(crate) elsewhere: Option<u32>,
}

impl Places {
    /// The same once the next generation was begun from there.
    pub(super) fn begun(self, from: Option<OriginMark>) -> Self {
        Self { began_from: from, ..self }
    }

    /// The same once the grace of the newest generation was used from there. A place that is not known is nowhere else.
    pub(super) fn used_again(self, newest: u32, from: Option<OriginMark>) -> Self {
        let is_elsewhere = self.began_from.zip(from).is_some_and(|(began, again)| began != again);
        if is_elsewhere { Self { elsewhere: Some(newest), ..self } } else { self }
    }

    /// Whether what follows is the second grace in a row that was used from elsewhere. Of one generation it is told once.
    pub(super) fn is_repeated_by(self, next: Self) -> bool {
        self.elsewhere.is_some_and(|last| next.elsewhere == last.checked_add(1))
    }
}
