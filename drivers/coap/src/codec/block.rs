//! A block of something longer (RFC 7959 section 2.2).

/// Which block, of which size, and whether it is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) number: u32,
    pub(crate) more: bool,
    /// 0 to 6: 16 to 1024 bytes.
    pub(crate) exponent: u8,
}

/// A number has 20 bits.
const NUMBER_MAX: u32 = (1 << 20) - 1;

impl Block {
    /// `None` if there are not so many.
    pub(crate) fn new(number: usize, more: bool, bytes: usize) -> Option<Block> {
        let number = u32::try_from(number).ok().filter(|number| *number <= NUMBER_MAX)?;
        Some(Block { number, more, exponent: u8::try_from(bytes.checked_ilog2()?.checked_sub(4)?).ok()? })
    }

    pub(crate) fn of_number(number: u32) -> Result<Block, String> {
        let exponent = (number & 7) as u8;
        if exponent == 7 || number >> 4 > NUMBER_MAX {
            return Err(format!("{number} is no block"));
        }
        Ok(Block { number: number >> 4, more: number & 8 != 0, exponent })
    }

    pub(crate) fn to_number(self) -> u32 {
        self.number << 4 | u32::from(self.more) << 3 | u32::from(self.exponent)
    }

    pub(crate) fn bytes(self) -> usize {
        16 << self.exponent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_a_number() {
        for (number, block) in [
            (0, Block { number: 0, more: false, exponent: 0 }),
            (0x0e, Block { number: 0, more: true, exponent: 6 }),
            (0x24, Block { number: 2, more: false, exponent: 4 }),
        ] {
            assert_eq!(Block::of_number(number), Ok(block));
            assert_eq!(block.to_number(), number);
        }
        assert!(Block::of_number(7).is_err() && Block::of_number(u32::MAX - 7).is_err());
        assert_eq!(Block::new(1, true, 64).expect("a block").bytes(), 64);
        assert_eq!(Block::new(1 << 20, true, 64), None);
    }
}
