//! What this process uses, as the kernel counts it.

use edgeway_driver_host::usage;
use std::time::Duration;

/// Processor time used so far by all threads.
pub(crate) fn cpu() -> Duration {
    usage::cpu(std::process::id()).unwrap_or_default()
}

/// Resident memory in bytes.
pub(crate) fn resident_bytes() -> u64 {
    usage::resident_bytes(std::process::id()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_understood() {
        assert!(resident_bytes() > 100_000);
        let before = cpu();
        let mut sum = 0_u64;
        while cpu() == before {
            sum = sum.wrapping_mul(31).wrapping_add(1);
        }
        assert!(cpu() > before, "{sum}");
    }
}
