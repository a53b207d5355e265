//! Chance that repeats itself: the same seed gives the same numbers.

/// SplitMix64: eight bytes of state, passes the usual statistical tests, and needs no dependency.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator of its own for each stream, so that one more turbine does not change the others.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Random(mix(seed) ^ mix(stream.wrapping_add(1) << 32))
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// From 0 up to but not including 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        fraction(self.bits())
    }

    /// Evenly spread between two numbers.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.fraction()
    }

    /// Normally distributed with mean 0 and standard deviation 1, by Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.fraction()).cos()
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }
}

/// Spreads every bit of the input over the whole output.
pub(crate) fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// 64 bits as a number from 0 up to but not including 1.
pub(crate) fn fraction(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// An Ornstein-Uhlenbeck process: wanders around 0 with a given spread, and forgets where it was after a while.
#[derive(Debug, Clone)]
pub(crate) struct Drift {
    value: f64,
    sigma: f64,
    memory_s: f64,
}

impl Drift {
    pub(crate) fn new(sigma: f64, memory_s: f64, random: &mut Random) -> Self {
        Drift { value: sigma * random.normal(), sigma, memory_s }
    }

    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    pub(crate) fn step(&mut self, dt_s: f64, random: &mut Random) -> f64 {
        let kept = (-dt_s / self.memory_s).exp();
        self.value = self.value * kept + self.sigma * (1.0 - kept * kept).sqrt() * random.normal();
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        let take = |stream| Random::new(7, stream).bits();
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
        assert_ne!(Random::new(8, 1).bits(), take(1));
    }

    #[test]
    fn normal_numbers_have_mean_0_and_deviation_1() {
        let mut random = Random::new(1, 0);
        let numbers: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let mean = numbers.iter().sum::<f64>() / 20_000.0;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    #[test]
    fn a_drift_keeps_its_spread() {
        let mut random = Random::new(1, 0);
        let mut drift = Drift::new(3.0, 10.0, &mut random);
        let squares: f64 = (0..50_000).map(|_| drift.step(1.0, &mut random).powi(2)).sum();
        assert!((squares / 50_000.0 - 9.0).abs() < 1.5, "{}", squares / 50_000.0);
    }
}
