//! Hashes that tell whether two states mean the same.

/// A 64-bit FNV-1a hash: the same in every build, unlike the standard library's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fingerprint(pub(crate) u64);

impl Fingerprint {
    pub(crate) fn new() -> Self {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }

    /// With one more word; words do not run into each other.
    pub(crate) fn with(self, word: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Fingerprint(word.bytes().chain([0xff]).fold(self.0, step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_do_not_run_into_each_other() {
        assert_ne!(Fingerprint::new().with("ab").with("c").0, Fingerprint::new().with("a").with("bc").0);
    }
}
