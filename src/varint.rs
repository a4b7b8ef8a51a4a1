//! Whole numbers as protobuf's wire format has them: seven bits a byte, the least first.

/// Takes a number of 63 bits at most from the beginning of a message. None if there is none.
pub(crate) fn take(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Adds a number to the end of a message.
pub fn append(message: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        message.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    message.push(number.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_comes_back_and_what_follows_it_stays() {
        for number in [0, 1, 127, 128, 300, 16_384, u64::from(u32::MAX), (1 << 63) - 1] {
            let mut message = Vec::new();
            append(&mut message, number);
            message.push(7);
            let mut rest = message.as_slice();
            assert_eq!((take(&mut rest), rest), (Some(number), &[7][..]), "{number}");
        }
    }

    #[test]
    fn a_number_without_an_end_is_none() {
        for mut message in [&[][..], &[0x80], &[0xff; 10]] {
            assert_eq!(take(&mut message), None);
        }
    }
}
