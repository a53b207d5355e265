//! How likely a bit is to be one, learnt from the bits so far.

/// A probability in 65,536ths.
#[derive(Clone, Copy)]
pub(crate) struct Probability {
    one: u16,
    seen: u8,
}

/// It begins as an average of all bits, so that a short frame learns quickly, and goes on as one that forgets.
const SEEN_MAX: u8 = 30;

/// What the next bit weighs after so many, in 65,536ths: 1 / (seen + 1.5).
const WEIGHTS: [u32; SEEN_MAX as usize + 1] = {
    let mut weights = [0; SEEN_MAX as usize + 1];
    let mut seen = 0;
    while seen < weights.len() {
        weights[seen] = 2 * 65_536 / (2 * seen as u32 + 3);
        seen += 1;
    }
    weights
};

impl Default for Probability {
    fn default() -> Self {
        Probability { one: 1 << 15, seen: 0 }
    }
}

impl Probability {
    /// The last number of the interval that stands for one. Rounding never lets a probability come near 0 or 1, so each
    /// part has at least one number.
    #[inline]
    pub(super) fn split(self, low: u32, high: u32) -> u32 {
        low + ((u64::from(high - low) * u64::from(self.one)) >> 16) as u32
    }

    #[inline]
    pub(super) fn learn(&mut self, bit: bool) {
        let weight = WEIGHTS[usize::from(self.seen)];
        if bit {
            self.one += ((u32::from(u16::MAX - self.one) * weight) >> 16) as u16;
        } else {
            self.one -= ((u32::from(self.one) * weight) >> 16) as u16;
        }
        self.seen += u8::from(self.seen < SEEN_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_never_becomes_certain() {
        for bit in [false, true] {
            let mut one = Probability::default();
            (0..1_000_000).for_each(|_| one.learn(bit));
            assert!((20..=u16::MAX - 20).contains(&one.one), "{}", one.one);
            assert!(one.split(5, 6) < 6);
        }
    }
}
