//! The compression function `G` of Argon2, where nearly all of its time goes (RFC 9106 sections 3.5 and 3.6).
//!
//! It is written for a WebAssembly compiler as much as for a reader. Each mix takes four words from memory and puts
//! them back, because sixteen at once do not fit a machine's registers and every spill costs as much as a load.

use std::hint::black_box;

/// One KiB of Argon2's memory: eight rows of 16 words.
pub(super) type Block = [u64; 128];

/// One row of a block.
type Row = [u64; 16];

/// A block from the first to the last word of one column: two words in every 16.
type Column = [u64; 114];

/// Does a step at the columns of the 4 by 4 matrix that `P` works on. A macro, since closures of this size become
/// calls.
macro_rules! straight {
    (|$at:ident| $step:expr) => {
        repeat!(|$at| $step; [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15])
    };
}

/// Does a step at the diagonals of that matrix.
macro_rules! diagonal {
    (|$at:ident| $step:expr) => {
        repeat!(|$at| $step; [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14])
    };
}

macro_rules! repeat {
    (|$at:ident| $step:expr; $($position:expr),*) => {
        $({
            let $at = $position;
            $step;
        })*
    };
}

/// `target = G(x, y)`, or `target = target XOR G(x, y)` where `ONTO`; `z` is room to work in, since zeroing a fresh
/// block each time would be felt.
#[inline(never)]
pub(super) fn compress<const ONTO: bool>(x: &Block, y: &Block, z: &mut Block, target: &mut Block) {
    touch(y);
    permute_rows(x, y, z);
    permute_columns(z);
    for i in (0..8).map(black_box) {
        finish_column::<ONTO>(column(z, i), column(x, i), column(y, i), column_mut(target, i));
    }
}

/// Asks for all of the block's cache lines at once, since one after the other they would each be waited for.
#[inline(always)]
fn touch(block: &Block) {
    let mut sum = 0;
    for line in block.as_chunks::<8>().0 {
        sum |= line[0];
    }
    black_box(sum);
}

/// `z = x XOR y`, and then the permutation `P` on each row.
#[inline(always)]
fn permute_rows(x: &Block, y: &Block, z: &mut Block) {
    // An index that the compiler knows nothing of keeps the offsets of the words constant, which V8 folds into
    // its loads and stores; a known one it turns into running pointers, with an addition for each word.
    for i in (0..8).map(black_box) {
        let (x, y, z) = (row(x, i), row(y, i), row_mut(z, i));
        straight!(|at| put(z, at, mix(xor(get(x, at), get(y, at)))));
    }
    for i in (0..8).map(black_box) {
        let z = row_mut(z, i);
        diagonal!(|at| put(z, at, mix(get(z, at))));
    }
}

/// The first half of the permutation `P` on each column.
#[inline(always)]
fn permute_columns(z: &mut Block) {
    for i in (0..8).map(black_box) {
        let z = column_mut(z, i);
        straight!(|at| put(z, down(at), mix(get(z, down(at)))));
    }
}

/// The second half of `P` on a column, and the final XOR.
#[inline(always)]
fn finish_column<const ONTO: bool>(z: &Column, x: &Column, y: &Column, target: &mut Column) {
    diagonal!(|at| {
        let at = down(at);
        let fresh = xor(mix(get(z, at)), xor(get(x, at), get(y, at)));
        let old = if ONTO { get(target, at) } else { [0; 4] };
        put(target, at, xor(old, fresh));
    });
}

// Four words at a time, written out: LLVM leaves `array::map` and loops over the positions as real loops here.

#[inline(always)]
fn get<const N: usize>(words: &[u64; N], [a, b, c, d]: [usize; 4]) -> [u64; 4] {
    [words[a], words[b], words[c], words[d]]
}

#[inline(always)]
fn put<const N: usize>(words: &mut [u64; N], at: [usize; 4], four: [u64; 4]) {
    words[at[0]] = four[0];
    words[at[1]] = four[1];
    words[at[2]] = four[2];
    words[at[3]] = four[3];
}

#[inline(always)]
fn xor([a, b, c, d]: [u64; 4], [e, f, g, h]: [u64; 4]) -> [u64; 4] {
    [a ^ e, b ^ f, c ^ g, d ^ h]
}

/// `GB(a, b, c, d)`
#[inline(always)]
fn mix([mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    a = add(a, b);
    d = (d ^ a).rotate_right(32);
    c = add(c, d);
    b = (b ^ c).rotate_right(24);
    a = add(a, b);
    d = (d ^ a).rotate_right(16);
    c = add(c, d);
    b = (b ^ c).rotate_right(63);
    [a, b, c, d]
}

/// `x + y + 2 * lo(x) * lo(y)`
#[inline(always)]
fn add(x: u64, y: u64) -> u64 {
    let product = u64::from(x as u32) * u64::from(y as u32);
    // As a sum, since of a doubled product LLVM makes a product of a doubled factor: two instructions more.
    [x, y, product, product].into_iter().fold(0, u64::wrapping_add)
}

/// The positions in a column instead of a row: pairs of words, 16 words apart.
#[inline(always)]
const fn down([a, b, c, d]: [usize; 4]) -> [usize; 4] {
    const fn one(i: usize) -> usize {
        16 * (i / 2) + i % 2
    }
    [one(a), one(b), one(c), one(d)]
}

#[inline(always)]
fn row(block: &Block, i: usize) -> &Row {
    &block.as_chunks().0[i % 8]
}

#[inline(always)]
fn row_mut(block: &mut Block, i: usize) -> &mut Row {
    &mut block.as_chunks_mut().0[i % 8]
}

#[inline(always)]
fn column(block: &Block, i: usize) -> &Column {
    block[2 * (i % 8)..].first_chunk().expect(COLUMNS_FIT)
}

#[inline(always)]
fn column_mut(block: &mut Block, i: usize) -> &mut Column {
    block[2 * (i % 8)..].first_chunk_mut().expect(COLUMNS_FIT)
}

const COLUMNS_FIT: &str = "the last of 8 columns begins 114 words before the end";
