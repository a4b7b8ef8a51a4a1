//! The order in which Argon2 fills its memory, and which earlier block goes into each (RFC 9106 section 3.4).

use super::block::{self, Block};
use super::parameters::{Argon2, Variant, Version};
use crate::crypto::password::budget::Meter;

/// Slices of a pass; blocks refer to other lanes only across them (RFC 9106 section 3.4).
const SLICES: u32 = 4;

/// Where the next block goes, and what is needed to say what it is made of.
pub(super) struct Fill {
    segment: u32,
    lane_length: u32,
    pass: u32,
    slice: u32,
    lane: u32,
    /// Within the segment.
    index: u32,
    /// Pseudo-random numbers of data-independent addressing, 128 at a time.
    addresses: Block,
    /// Room for the compression to work in.
    spare: Block,
}

impl Fill {
    pub(super) fn new(argon2: &Argon2) -> Self {
        let lane_length = argon2.blocks() / argon2.cost.lanes;
        let segment = lane_length / SLICES;
        Self { segment, lane_length, pass: 0, slice: 0, lane: 0, index: 2, addresses: [0; 128], spare: [0; 128] }
    }

    /// Fills on as far as the meter allows; true when the last pass is over.
    pub(super) fn advance(&mut self, argon2: &Argon2, blocks: &mut [Block], meter: &mut Meter) -> bool {
        while self.pass < argon2.cost.passes {
            if self.index == self.segment {
                self.next_segment(argon2.cost.lanes);
            } else if meter.allows(1) {
                self.fill_one(argon2, blocks);
                self.index += 1;
            } else {
                return false;
            }
        }
        true
    }

    fn fill_one(&mut self, argon2: &Argon2, blocks: &mut [Block]) {
        let current = self.position();
        let previous = self.previous();
        let random = if self.is_data_independent(argon2) { self.address(argon2) } else { blocks[previous][0] };
        let reference = self.reference(random, argon2.cost.lanes);
        // The three are never the same block (RFC 9106 section 3.4), so that this always succeeds.
        if let Ok([target, x, y]) = blocks.get_disjoint_mut([current, previous, reference]) {
            if self.pass > 0 && argon2.version == Version::V0x13 {
                block::compress::<true>(x, y, &mut self.spare, target);
            } else {
                block::compress::<false>(x, y, &mut self.spare, target);
            }
        }
    }

    /// Where the next block goes, among the blocks of all lanes.
    fn position(&self) -> usize {
        (self.lane * self.lane_length + self.slice * self.segment + self.index) as usize
    }

    /// The block before it in its lane, which for the first is the last.
    fn previous(&self) -> usize {
        match self.position() {
            first if self.slice == 0 && self.index == 0 => first + self.lane_length as usize - 1,
            other => other - 1,
        }
    }

    fn next_segment(&mut self, lanes: u32) {
        self.lane += 1;
        if self.lane == lanes {
            self.lane = 0;
            self.slice += 1;
        }
        if self.slice == SLICES {
            self.slice = 0;
            self.pass += 1;
        }
        self.index = self.first_index();
    }

    fn first_index(&self) -> u32 {
        if self.pass == 0 && self.slice == 0 { 2 } else { 0 }
    }

    fn is_data_independent(&self, argon2: &Argon2) -> bool {
        match argon2.variant {
            Variant::D => false,
            Variant::I => true,
            Variant::Id => self.pass == 0 && self.slice < SLICES / 2,
        }
    }

    /// The pseudo-random number for this block that does not depend on the password (RFC 9106 section 3.4.1.2).
    fn address(&mut self, argon2: &Argon2) -> u64 {
        if self.index.is_multiple_of(128) || self.index == self.first_index() {
            let mut input = [0; 128];
            let counter = self.index / 128 + 1;
            let numbers =
                [self.pass, self.lane, self.slice, argon2.blocks(), argon2.cost.passes, argon2.variant as u32, counter];
            for (word, number) in input.iter_mut().zip(numbers) {
                *word = number.into();
            }
            let mut middle = [0; 128];
            block::compress::<false>(&[0; 128], &input, &mut self.spare, &mut middle);
            block::compress::<false>(&[0; 128], &middle, &mut self.spare, &mut self.addresses);
        }
        self.addresses[(self.index % 128) as usize]
    }

    /// The block that `random` refers to (RFC 9106 section 3.4.2).
    fn reference(&self, random: u64, lanes: u32) -> usize {
        let is_first_slice = self.pass == 0 && self.slice == 0;
        let lane = if is_first_slice { self.lane } else { (random >> 32) as u32 % lanes };
        let finished = if self.pass == 0 { self.slice * self.segment } else { self.lane_length - self.segment };
        let area = if lane == self.lane { finished + self.index - 1 } else { finished - u32::from(self.index == 0) };
        let square = (random & 0xffff_ffff).pow(2) >> 32;
        let back = (u64::from(area) * square) >> 32;
        let start = if self.pass == 0 { 0 } else { (self.slice + 1) % SLICES * self.segment };
        let column = (start + area - 1 - back as u32) % self.lane_length;
        (lane * self.lane_length + column) as usize
    }
}
