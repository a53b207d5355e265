//! How much memory and processor a process may take, and whether it does.

use crate::usage;
use std::time::{Duration, Instant};

/// Over how long the processor is averaged.
const CPU_OVER: Duration = Duration::from_secs(10);
/// So many averages in a row may be too high; it is too much with the next.
const CPU_TOO_HIGH_MAX: u32 = 2;

/// What a process may take.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Limits {
    /// Resident memory, in bytes.
    pub(crate) memory_max: Option<u64>,
    /// Cores.
    pub(crate) cpu_max: Option<f64>,
}

/// What a process takes, looked at now and then.
pub(crate) struct Meter {
    pid: u32,
    limits: Limits,
    since: Instant,
    cpu_at: Duration,
    too_high: u32,
    pub(crate) memory_bytes: u64,
    pub(crate) cpu_cores: f64,
}

impl Meter {
    pub(crate) fn new(pid: u32, limits: Limits) -> Self {
        let (since, cpu_at) = (Instant::now(), Duration::ZERO);
        Meter { pid, limits, since, cpu_at, too_high: 0, memory_bytes: 0, cpu_cores: 0.0 }
    }

    /// Looks. Says what is too much, if anything is.
    pub(crate) fn look(&mut self, now: Instant) -> Option<String> {
        self.memory_bytes = usage::resident_bytes(self.pid)?;
        let passed = now.duration_since(self.since);
        if passed >= CPU_OVER {
            let cpu = usage::cpu(self.pid)?;
            self.cpu_cores = cpu.saturating_sub(self.cpu_at).as_secs_f64() / passed.as_secs_f64();
            (self.since, self.cpu_at) = (now, cpu);
            let high = self.limits.cpu_max.is_some_and(|most| self.cpu_cores > most);
            self.too_high = if high { self.too_high + 1 } else { 0 };
        }
        self.too_much()
    }

    fn too_much(&self) -> Option<String> {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        if let Some(most) = self.limits.memory_max.filter(|most| self.memory_bytes > *most) {
            return Some(format!("used {:.0} MiB of memory, and may use {:.0}", mib(self.memory_bytes), mib(most)));
        }
        let most = self.limits.cpu_max.filter(|_| self.too_high > CPU_TOO_HIGH_MAX)?;
        Some(format!("used {:.2} cores for half a minute, and may use {most:.2}", self.cpu_cores))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_said_in_numbers() {
        let limits = Limits { memory_max: Some(1 << 20), cpu_max: None };
        let mut meter = Meter::new(std::process::id(), limits);
        let said = meter.look(Instant::now()).expect("a test takes more than 1 MiB");
        assert!(said.ends_with("MiB of memory, and may use 1"), "{said}");
        assert!(meter.memory_bytes > 1 << 20);
    }

    #[test]
    fn a_busy_moment_is_not_too_much_and_half_a_minute_is() {
        let limits = Limits { memory_max: None, cpu_max: Some(0.0) };
        let mut meter = Meter::new(std::process::id(), limits);
        let start = Instant::now();
        // The processor time of this process only grows, by too little to count on: what counts is put in by hand.
        let mut look = |second| {
            meter.cpu_at = Duration::ZERO;
            (0..2_000_000_u64).for_each(|number| {
                std::hint::black_box(number);
            });
            meter.look(start + Duration::from_secs(second))
        };
        let looks: Vec<_> = [2, 10, 12, 20, 30].into_iter().map(|second| look(second).is_some()).collect();
        assert_eq!(looks, [false, false, false, false, true]);
    }

    #[test]
    fn a_process_that_is_gone_takes_nothing() {
        assert_eq!(Meter::new(u32::MAX, Limits::default()).look(Instant::now()), None);
    }
}
