//! Which of several keys is used when: of those whose time it is, the one whose time began last. So one configuration
//! holds a rotation that is still to come, and nothing has to happen at the moment itself.

use std::collections::BTreeSet;

use crate::time::UnixTime;

/// The time in which a key may be used; a bound that is missing is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The first second.
    pub(crate) not_before: Option<UnixTime>,
    /// The first second after it.
    pub(crate) not_after: Option<UnixTime>,
}

/// The periods of several keys, in the order of a configuration.
#[derive(Debug, Default)]
pub(crate) struct KeySchedule(Vec<Period>);

/// Why keys with these periods can't do their work. Keys are named by their position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScheduleError {
    /// The period has no second in it.
    Empty(usize),
    /// It is nobody's turn now.
    NobodyNow,
    /// It is nobody's turn when the key's period ends.
    NobodyAfter(usize),
    /// It is never the key's turn, although it is given a period.
    Never(usize),
}

impl Period {
    /// Whether the period has begun.
    pub(crate) fn has_begun(self, now: UnixTime) -> bool {
        self.not_before <= Some(now)
    }

    /// Whether the period is over.
    pub(crate) fn has_ended(self, now: UnixTime) -> bool {
        self.not_after.is_some_and(|end| end <= now)
    }

    fn is_empty(self) -> bool {
        self.not_before.zip(self.not_after).is_some_and(|(begin, end)| end <= begin)
    }
}

impl KeySchedule {
    /// The timetable of keys with these periods.
    pub(crate) fn new(periods: Vec<Period>) -> Self {
        Self(periods)
    }

    /// The periods.
    pub(crate) fn periods(&self) -> &[Period] {
        &self.0
    }

    /// Whose turn it is: of the periods that have begun and not ended, the one that began last; the first in order, of
    /// several that began together.
    pub(crate) fn active_key(&self, now: UnixTime) -> Option<usize> {
        let periods = self.0.iter().enumerate().rev();
        let at_their_time = periods.filter(|(_, period)| period.has_begun(now) && !period.has_ended(now));
        at_their_time.max_by_key(|(_, period)| period.not_before).map(|(at, _)| at)
    }

    /// All moments at which the turn may change.
    pub(crate) fn moments(&self) -> BTreeSet<UnixTime> {
        self.0.iter().flat_map(|period| [period.not_before, period.not_after]).flatten().collect()
    }

    /// The first moment after `now` from which it is the turn of a key, or no longer its turn.
    pub(crate) fn next_moment(&self, now: UnixTime, turn: impl Fn(Option<usize>) -> bool) -> Option<UnixTime> {
        self.moments().into_iter().filter(|moment| *moment > now).find(|moment| turn(self.active_key(*moment)))
    }

    /// All that is wrong from now on. What has no flaw now has none later.
    pub(crate) fn flaws(&self, now: UnixTime) -> Vec<ScheduleError> {
        let nobody = self.active_key(now).is_none().then_some(ScheduleError::NobodyNow);
        let of_keys = self.0.iter().enumerate().filter_map(|(at, period)| self.flaw(at, *period, now));
        nobody.into_iter().chain(of_keys).collect()
    }

    fn flaw(&self, at: usize, period: Period, now: UnixTime) -> Option<ScheduleError> {
        let ends_in_nothing = |end| end > now && self.active_key(end).is_none();
        if period.is_empty() {
            Some(ScheduleError::Empty(at))
        } else if period != Period::default() && !self.ever(at) {
            Some(ScheduleError::Never(at))
        } else {
            period.not_after.filter(|end| ends_in_nothing(*end)).map(|_| ScheduleError::NobodyAfter(at))
        }
    }

    /// Whether it is ever the key's turn, the past included.
    fn ever(&self, at: usize) -> bool {
        let beginning = UnixTime(0);
        self.active_key(beginning) == Some(at) || self.next_moment(beginning, |turn| turn == Some(at)).is_some()
    }
}
