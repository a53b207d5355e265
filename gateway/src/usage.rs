//! What this process uses, as the kernel counts it.

use std::time::Duration;

/// Processor time used so far by all threads.
pub(crate) fn cpu() -> Duration {
    // Fields 14 and 15 of /proc/self/stat, in ticks of 10 ms (proc(5)); the name before them may hold spaces.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Resident memory in bytes.
pub(crate) fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
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
