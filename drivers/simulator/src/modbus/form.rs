//! Numbers as registers.

/// How a number lies in registers: most significant word first, unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A coil or a discrete input.
    Bit,
    U16,
    I16,
    U32,
    I32,
    F32,
    /// The less significant word first.
    F32Cdab,
    U64,
    F64,
}

impl Form {
    /// How many registers, or one coil.
    pub(crate) const fn len(self) -> u16 {
        match self {
            Form::Bit | Form::U16 | Form::I16 => 1,
            Form::U32 | Form::I32 | Form::F32 | Form::F32Cdab => 2,
            Form::U64 | Form::F64 => 4,
        }
    }

    /// The number in registers, as the first `len` words. Whole numbers are rounded, and stop at their type's ends.
    pub(crate) fn encode(self, number: f64) -> [u16; 4] {
        let whole = number.round();
        match self {
            Form::Bit => [u16::from(number != 0.0), 0, 0, 0],
            Form::U16 => [whole as u16, 0, 0, 0],
            Form::I16 => [whole as i16 as u16, 0, 0, 0],
            Form::U32 => two(whole as u32),
            Form::I32 => two(whole as i32 as u32),
            Form::F32 => two((number as f32).to_bits()),
            Form::F32Cdab => two((number as f32).to_bits().rotate_left(16)),
            Form::U64 => four(whole as u64),
            Form::F64 => four(number.to_bits()),
        }
    }

    /// The number that a written word stands for; none if one word is not enough for it.
    pub(crate) fn decode(self, word: u16) -> Option<f64> {
        match self {
            Form::Bit | Form::U16 => Some(f64::from(word)),
            Form::I16 => Some(f64::from(word as i16)),
            _ => None,
        }
    }
}

fn two(bits: u32) -> [u16; 4] {
    [(bits >> 16) as u16, bits as u16, 0, 0]
}

fn four(bits: u64) -> [u16; 4] {
    [(bits >> 48) as u16, (bits >> 32) as u16, (bits >> 16) as u16, bits as u16]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_lies_as_the_map_says() {
        assert_eq!(Form::F32.encode(12.5)[..2], [0x4148, 0x0000]);
        assert_eq!(Form::F32Cdab.encode(12.5)[..2], [0x0000, 0x4148]);
        assert_eq!(Form::I32.encode(-2.0)[..2], [0xffff, 0xfffe]);
        assert_eq!(Form::U64.encode(4_295_032_833.0), [0, 1, 1, 1]);
        assert_eq!(Form::F64.encode(1.0), [0x3ff0, 0, 0, 0]);
    }

    #[test]
    fn numbers_too_large_stop_at_the_end_of_their_type() {
        assert_eq!(Form::I16.encode(-1e9)[0], 0x8000);
        assert_eq!(Form::U16.encode(-3.0)[0], 0);
        assert_eq!(Form::U16.encode(70_000.0)[0], u16::MAX);
    }
}
