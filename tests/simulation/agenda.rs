//! What is going to happen, in order of time.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use super::{host::CallAnswer, network::Call};

/// Something that happens.
pub enum Event {
    /// The next request is made up and sent.
    Traffic,
    /// The rest of a request has come.
    Body(u32),
    /// A caller goes away.
    Leave(u32),
    /// A plugin asked to be woken.
    Woken(u32),
    /// A plugin's timer, unless it was set anew meanwhile.
    Tick(u32, u64),
    /// A call reaches its upstream.
    Arrive(Call),
    /// A call is answered.
    Answered(u32, u32, CallAnswer),
    /// Something goes wrong, or is changed.
    Fault,
    /// Something that went wrong is well again.
    Heal(Healing),
}

/// What is well again.
#[derive(Clone, Copy, Debug)]
pub enum Healing {
    Partition(usize),
    Pacing,
    Directories,
    Clock(usize),
    Entropy,
}

#[derive(Default)]
pub struct Agenda {
    events: RefCell<BTreeMap<(Duration, u64), Event>>,
    number: std::cell::Cell<u64>,
}

impl Agenda {
    pub fn add(&self, at: Duration, event: Event) {
        self.number.set(self.number.get() + 1);
        self.events.borrow_mut().insert((at, self.number.get()), event);
    }

    pub fn next(&self) -> Option<(Duration, Event)> {
        self.events.borrow_mut().pop_first().map(|((at, _), event)| (at, event))
    }

    /// What one of these plugins does next, if that is before `until`.
    pub fn next_of(&self, is_wanted: impl Fn(u32) -> bool, until: Duration) -> Option<Event> {
        let mut events = self.events.borrow_mut();
        let before = events.range(..(until, 0)).find(|(_, event)| event.plugin().is_some_and(&is_wanted));
        let key = *before?.0;
        events.remove(&key)
    }
}

impl Event {
    fn plugin(&self) -> Option<u32> {
        match self {
            Self::Woken(plugin) | Self::Tick(plugin, _) | Self::Answered(plugin, ..) => Some(*plugin),
            _ => None,
        }
    }
}

impl Agenda {
    /// No request is made up any more, and nothing becomes wrong or well.
    pub fn stop_traffic(&self) {
        let is_of_traffic =
            |event: &mut Event| matches!(event, Event::Traffic | Event::Fault | Event::Heal(_) | Event::Leave(_));
        self.events.borrow_mut().retain(|_, event| !is_of_traffic(event));
    }

    /// Whether nothing happens before `end`.
    pub fn is_quiet_until(&self, end: Duration) -> bool {
        self.events.borrow().first_key_value().is_none_or(|((at, _), _)| *at >= end)
    }
}
