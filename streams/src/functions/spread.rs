//! `stddev`, `var` and their like, by Welford's sums (Chan, Golub and LeVeque, Updating Formulae, 1979).
//!
//! DataFusion has them too, but there a state that is merged into an empty one can change in its last digit.

use super::summary::Summary;

/// Of which kind the spread is.
pub(super) trait Kind: Default + Clone + std::fmt::Debug + Send + Sync + 'static {
    /// What the sum of squares is divided by.
    fn divisor(count: u64) -> Option<u64>;
    fn finish(variance: f64) -> f64;
}

/// The spread of some numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Spread<K> {
    count: u64,
    mean: f64,
    squares: f64,
    kind: std::marker::PhantomData<K>,
}

impl<K: Kind> Summary for Spread<K> {
    const WORDS: usize = 3;

    fn add(&mut self, value: f64, _: i64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    fn merge(&mut self, other: &Self) {
        if self.count == 0 || other.count == 0 {
            if self.count == 0 {
                *self = other.clone();
            }
            return;
        }
        let (own, others) = (self.count as f64, other.count as f64);
        let (all, apart) = (own + others, other.mean - self.mean);
        self.squares += other.squares + apart * apart * own * others / all;
        self.mean += apart * others / all;
        self.count += other.count;
    }

    fn words(&self) -> [i64; 8] {
        [self.count as i64, self.mean.to_bits() as i64, self.squares.to_bits() as i64, 0, 0, 0, 0, 0]
    }

    fn of_words([count, mean, squares, ..]: [i64; 8]) -> Self {
        let float = |word: i64| f64::from_bits(word as u64);
        Spread { count: count as u64, mean: float(mean), squares: float(squares), kind: Default::default() }
    }

    fn answer(&self) -> Option<f64> {
        Some(K::finish(self.squares / K::divisor(self.count)? as f64))
    }
}

macro_rules! kind {
    ($name:ident, $divisor:expr, $finish:expr) => {
        #[derive(Debug, Clone, Default)]
        pub(super) struct $name;

        impl Kind for $name {
            fn divisor(count: u64) -> Option<u64> {
                let divisor: fn(u64) -> Option<u64> = $divisor;
                divisor(count).filter(|divisor| *divisor > 0)
            }

            fn finish(variance: f64) -> f64 {
                let finish: fn(f64) -> f64 = $finish;
                finish(variance)
            }
        }
    };
}

kind!(VarSample, |count| count.checked_sub(1), |variance| variance);
kind!(VarPopulation, Some, |variance| variance);
kind!(StddevSample, |count| count.checked_sub(1), f64::sqrt);
kind!(StddevPopulation, Some, f64::sqrt);

#[cfg(test)]
mod tests {
    use super::super::summary::testing::in_parts;
    use super::*;

    const ROWS: [(f64, i64); 5] = [(2.0, 0), (4.0, 0), (4.0, 0), (5.0, 0), (10.0, 0)];

    #[test]
    fn the_spread_does_not_depend_on_how_rows_are_cut() {
        for parts in 1..=5 {
            let variance = in_parts::<Spread<VarSample>>(&ROWS, parts, (0, 0)).expect("a variance");
            assert!((variance - 9.0).abs() < 1e-12, "{parts}: {variance}");
        }
        assert_eq!(in_parts::<Spread<StddevPopulation>>(&ROWS[..1], 1, (0, 0)), Some(0.0));
        assert_eq!(in_parts::<Spread<StddevSample>>(&ROWS[..1], 1, (0, 0)), None);
        assert_eq!(in_parts::<Spread<VarPopulation>>(&[], 1, (0, 0)), None);
    }
}
