//! Lengths as LEB128.

/// Appends a length: seven bits a byte, the lowest first.
pub(crate) fn write(mut length: usize, out: &mut Vec<u8>) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// Takes a length off the front; `None` if it is cut, or longer than it has to be, or above 2^35.
pub(crate) fn read(bytes: &mut &[u8]) -> Option<usize> {
    let mut length = 0_u64;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.split_off_first()?;
        length |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return usize::try_from(length).ok().filter(|_| byte > 0 || shift == 0);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_one_form() {
        for length in [0, 1, 127, 128, 16_383, 16_384, u32::MAX as usize] {
            let mut bytes = vec![];
            write(length, &mut bytes);
            let mut rest = bytes.as_slice();
            assert_eq!((read(&mut rest), rest), (Some(length), &[][..]));
        }
        for refused in [&[][..], &[0x80], &[0x80, 0], &[0xff, 0xff, 0xff, 0xff, 0xff, 1]] {
            assert_eq!(read(&mut &*refused), None, "{refused:?}");
        }
    }
}
