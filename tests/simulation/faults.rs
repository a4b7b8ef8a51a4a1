//! What goes wrong beside single calls, and becomes well again.

use std::{rc::Rc, time::Duration};

use super::{
    agenda::{Event, Healing},
    fleet::WORKERS,
    world::World,
};

impl World {
    pub fn fault(self: &Rc<Self>) {
        if self.faults.are_over.get() {
            return;
        }
        let process = self.chance.index(self.processes.len());
        match self.chance.below(22) {
            0..2 if self.settings.pacing => {
                self.happens("fault: the pacing cluster dies");
                self.faults.pacing_is_dead.set(true);
                self.heal_after(20_000, Healing::Pacing);
            }
            2..5 => {
                self.happens("fault: a VM crashes");
                self.crash(self.chance.index(WORKERS));
            }
            // Without entropy a process doesn't even start.
            5 if !self.faults.no_entropy.get() => {
                self.happens("fault: a process restarts");
                self.restart(process);
                self.model.borrow_mut().guesses.forget_all();
            }
            6..8 => {
                self.happens("fault: the configuration changes");
                self.reload(process);
            }
            8..11 if self.settings.etcd => {
                self.happens("fault: etcd can't be reached");
                self.processes[process].is_cut_off.set(true);
                self.heal_after(20_000, Healing::Partition(process));
            }
            11 => {
                self.happens("fault: the directories are down");
                self.faults.directories_are_down.set(true);
                self.heal_after(20_000, Healing::Directories);
            }
            12..14 => self.jump(process, 1),
            14..16 => self.jump(process, -1),
            16 => {
                self.happens("fault: there is no entropy");
                self.faults.no_entropy.set(true);
                self.heal_after(30, Healing::Entropy);
            }
            _ => self.directories.change(&self.chance, self.clock.now()),
        }
    }

    fn happens(&self, fault: &'static str) {
        self.note(|| fault.to_owned());
        self.count(fault);
    }

    fn heal_after(&self, millis: u64, healing: Healing) {
        self.later(Duration::from_millis(self.chance.below(millis)), Event::Heal(healing));
    }

    /// A wall clock jumps, and back after a while.
    fn jump(&self, process: usize, sign: i64) {
        self.happens(if sign > 0 { "fault: a wall clock jumps ahead" } else { "fault: a wall clock jumps back" });
        let seconds = *self.chance.pick(&[3, 30, 300, 3000, 30_000, 3_000_000]);
        self.set_clock(process, sign * seconds);
        self.heal_after(90_000, Healing::Clock(process));
    }

    fn set_clock(&self, process: usize, skew: i64) {
        if self.processes[process].skew.replace(skew) != skew {
            self.note(|| format!("the wall clock of process {process} is {skew} s ahead"));
            self.processes[process].skews.borrow_mut().push((self.clock.now(), skew));
            self.processes[process].jumped.set(Some(self.clock.now()));
            self.model.borrow_mut().guesses.forget_all();
        }
    }

    pub fn heal(&self, healing: Healing) {
        self.note(|| format!("well again: {healing:?}"));
        match healing {
            Healing::Partition(process) => self.processes[process].is_cut_off.set(false),
            Healing::Pacing => self.faults.pacing_is_dead.set(false),
            Healing::Directories => self.faults.directories_are_down.set(false),
            Healing::Clock(process) => self.set_clock(process, 0),
            Healing::Entropy => self.faults.no_entropy.set(false),
        }
    }

    /// Nothing goes wrong any more.
    pub fn heal_all(&self) {
        self.faults.are_over.set(true);
        let of_processes =
            (0..self.processes.len()).flat_map(|process| [Healing::Partition(process), Healing::Clock(process)]);
        of_processes
            .chain([Healing::Pacing, Healing::Directories, Healing::Entropy])
            .for_each(|healing| self.heal(healing));
    }
}
