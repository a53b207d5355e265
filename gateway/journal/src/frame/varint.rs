//! Whole numbers in as few bytes as they need, and runs of equal ones.

/// LEB128: seven bits a byte, the lowest first.
pub(super) fn push(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Small numbers of either sign as small ones without.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Each run of equal values as the value and how often it comes.
pub(super) fn push_runs(values: impl Iterator<Item = u64>, out: &mut Vec<u8>) {
    let mut run = None;
    for value in values {
        run = match run {
            Some((same, count)) if same == value => Some((same, count + 1)),
            ended => {
                push_run(ended, out);
                Some((value, 1u64))
            }
        };
    }
    push_run(run, out);
}

fn push_run(run: Option<(u64, u64)>, out: &mut Vec<u8>) {
    if let Some((value, count)) = run {
        push(value, out);
        push(count, out);
    }
}

/// Exactly `count` values of runs.
pub(super) fn take_runs(bytes: &mut &[u8], count: usize, mut each: impl FnMut(u64) -> Option<()>) -> Option<()> {
    let mut left = count as u64;
    while left > 0 {
        let (value, run) = (take(bytes)?, take(bytes)?);
        left = left.checked_sub(run).filter(|_| run > 0)?;
        (0..run).try_for_each(|_| each(value))?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_long_ones_are_refused() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = vec![];
            push(value, &mut out);
            assert_eq!(take(&mut &out[..]), Some(value));
            assert_eq!(take(&mut &out[..out.len() - 1]), None);
        }
        assert_eq!(take(&mut &[0xFF; 11][..]), None);
        for value in [0, 1, -1, 77, i64::MIN, i64::MAX] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
    }

    #[test]
    fn runs_come_back_exactly() {
        let values = [1, 1, 1, 1, 7, 1, 1, 300];
        let mut out = vec![];
        push_runs(values.into_iter(), &mut out);
        assert_eq!(out, [1, 4, 7, 1, 1, 2, 0xAC, 2, 1]);
        let mut back = vec![];
        let mut keep = |value| {
            back.push(value);
            Some(())
        };
        assert_eq!(take_runs(&mut &out[..], 8, &mut keep), Some(()));
        assert_eq!(back, values);
        assert_eq!(take_runs(&mut &out[..], 3, |_| Some(())), None, "a run that is too long");
        assert_eq!(take_runs(&mut &[1, 0][..], 1, |_| Some(())), None, "a run of nothing");
    }
}
