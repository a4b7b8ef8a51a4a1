//! scryptBlockMix, where nearly all of scrypt's time goes (RFC 7914 section 4).

use salsa20::SalsaCore;
use salsa20::cipher::StreamCipherCore;
use salsa20::cipher::typenum::U4;

/// 64 bytes: sixteen little-endian numbers of 32 bits, two in a word.
type Cell = [u64; 8];

/// `output = BlockMix(input)`
pub(super) fn block_mix(input: &[u64], output: &mut [u64]) {
    mix_cells(input.as_chunks().0.iter().copied(), output);
}

/// `output = BlockMix(x XOR y)`
pub(super) fn block_mix_xor(x: &[u64], y: &[u64], output: &mut [u64]) {
    let cells = x.as_chunks().0.iter().zip(y.as_chunks().0);
    mix_cells(cells.map(|(x, y)| xor(x, y)), output);
}

/// Even cells go to the first half of the output, odd ones to the second.
fn mix_cells(cells: impl DoubleEndedIterator<Item = Cell> + Clone, output: &mut [u64]) {
    let half = output.len() / 2;
    let (even, odd) = output.split_at_mut(half);
    let targets = even.as_chunks_mut().0.iter_mut().zip(odd.as_chunks_mut().0);
    let mut state = cells.clone().next_back().unwrap_or_default();
    let mut cells = cells;
    for (even, odd) in targets {
        for target in [even, odd] {
            if let Some(cell) = cells.next() {
                state = salsa20_8(&xor(&state, &cell));
                *target = state;
            }
        }
    }
}

fn xor(x: &Cell, y: &Cell) -> Cell {
    std::array::from_fn(|i| x[i] ^ y[i])
}

fn salsa20_8(cell: &Cell) -> Cell {
    let numbers = std::array::from_fn(|i| (cell[i / 2] >> (32 * (i % 2))) as u32);
    let mut bytes = [0; 64];
    SalsaCore::<U4>::from_raw_state(numbers).write_keystream_block((&mut bytes).into());
    let words = bytes.as_chunks().0;
    std::array::from_fn(|i| u64::from_le_bytes(words[i]))
}
