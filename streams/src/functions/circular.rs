//! `circ_mean(x)` and `circ_stddev(x)`: the mean and the spread of directions in degrees, of which 359 and 1 are neighbours.
//!
//! With the mean resultant length `R` = |sum of unit vectors| / n, the mean is the direction of that sum, in [0, 360), and
//! the deviation is `sqrt(-2 ln R)` in degrees (Mardia and Jupp, Directional Statistics, 2000, section 2.3). Directions
//! that cancel out have neither.

use super::summary::Summary;

/// A resultant length below this is rounding, not a direction.
const R_LEAST: f64 = 1e-9;

/// The sum of some directions as unit vectors, asked for their spread or for their mean.
#[derive(Debug, Clone, Default)]
pub(super) struct Directions<const SPREAD: bool> {
    sin: f64,
    cos: f64,
    count: u64,
}

/// Their mean.
pub(super) type Mean = Directions<false>;

/// Their spread.
pub(super) type Deviation = Directions<true>;

impl<const SPREAD: bool> Directions<SPREAD> {
    /// The direction of the sum in degrees and its length for each direction; `None` if they cancel out.
    fn resultant(&self) -> Option<(f64, f64)> {
        let length = self.sin.hypot(self.cos) / self.count as f64;
        let degrees = self.sin.atan2(self.cos).to_degrees().rem_euclid(360.0);
        // Just below zero rounds up to the full circle.
        let degrees = if degrees < 360.0 { degrees } else { 0.0 };
        (length >= R_LEAST).then_some((degrees, length.min(1.0)))
    }
}

impl<const SPREAD: bool> Summary for Directions<SPREAD> {
    const WORDS: usize = 3;

    fn add(&mut self, degrees: f64, _: i64) {
        let (sin, cos) = degrees.to_radians().sin_cos();
        self.sin += sin;
        self.cos += cos;
        self.count += 1;
    }

    fn merge(&mut self, other: &Self) {
        self.sin += other.sin;
        self.cos += other.cos;
        self.count += other.count;
    }

    fn words(&self) -> [i64; 8] {
        [self.sin.to_bits() as i64, self.cos.to_bits() as i64, self.count as i64, 0, 0, 0, 0, 0]
    }

    fn of_words([sin, cos, count, ..]: [i64; 8]) -> Self {
        Directions { sin: f64::from_bits(sin as u64), cos: f64::from_bits(cos as u64), count: count as u64 }
    }

    fn answer(&self) -> Option<f64> {
        let (degrees, length) = self.resultant()?;
        Some(if SPREAD { (-2.0 * length.ln()).abs().sqrt().to_degrees() } else { degrees })
    }
}

#[cfg(test)]
mod tests {
    use super::super::summary::testing::in_parts;
    use super::*;

    fn of<S: Summary>(degrees: &[f64]) -> Option<f64> {
        let rows: Vec<(f64, i64)> = degrees.iter().map(|degrees| (*degrees, 0)).collect();
        in_parts::<S>(&rows, 2, (0, 0))
    }

    fn close(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 1e-9)
    }

    #[test]
    fn the_mean_of_directions_around_north_is_north() {
        assert!(close(of::<Mean>(&[350.0, 20.0]), 5.0));
        assert!(close(of::<Mean>(&[-90.0]), 270.0));
        assert!(close(of::<Mean>(&[80.0, 100.0, f64::NAN]), 90.0));
        assert_eq!(of::<Mean>(&[-1e-14]), Some(0.0));
    }

    #[test]
    fn the_deviation_does_not_jump_at_north() {
        let south = of::<Deviation>(&[170.0, 180.0, 190.0]);
        assert!(close(of::<Deviation>(&[350.0, 0.0, 10.0]), south.expect("a deviation")));
        // R = (1 + 2 cos 10°) / 3.
        let length: f64 = (1.0 + 2.0 * 10_f64.to_radians().cos()) / 3.0;
        assert!(close(south, (-2.0 * length.ln()).sqrt().to_degrees()));
        assert!(of::<Deviation>(&[42.0, 42.0]).is_some_and(|none| none < 1e-5));
    }

    #[test]
    fn directions_that_cancel_out_and_none_at_all_have_no_mean() {
        for none in [&[][..], &[0.0, 180.0], &[0.0, 120.0, 240.0]] {
            assert_eq!((of::<Mean>(none), of::<Deviation>(none)), (None, None), "{none:?}");
        }
    }
}
