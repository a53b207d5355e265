//! Scale and offset without floating-point noise.

/// `model = (raw * factor + shift) / divisor`.
///
/// People write scales as decimal fractions, and 0.1 is not one in binary: 3 * 0.1 is 0.30000000000000004. A scale and
/// an offset that are whole multiples of a power of ten are therefore kept as whole numbers with that power as the
/// divisor. A whole raw value then stays exact up to the division, whose result is the number that a person expects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scaling {
    factor: f64,
    shift: f64,
    divisor: f64,
}

/// More decimal places than this are taken as they are.
const PLACES_MAX: i32 = 12;
/// A factor up to this keeps products with 32-bit raw values exact.
const FACTOR_MAX: f64 = 1_048_576.0;
/// Whole numbers up to this are exact.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// A raw value this near to a whole number, relative to its size, is one.
const NOISE: f64 = 1e-12;

impl Scaling {
    pub(super) fn new(scale: f64, offset: f64) -> Self {
        let plain = Scaling { factor: scale, shift: offset, divisor: 1.0 };
        (0..=PLACES_MAX).find_map(|places| Scaling::decimal(scale, offset, 10_f64.powi(places))).unwrap_or(plain)
    }

    fn decimal(scale: f64, offset: f64, divisor: f64) -> Option<Self> {
        let factor = numerator(scale, divisor).filter(|factor| factor.abs() <= FACTOR_MAX)?;
        Some(Scaling { factor, shift: numerator(offset, divisor)?, divisor })
    }

    pub(super) fn is_identity(&self) -> bool {
        *self == Scaling { factor: 1.0, shift: 0.0, divisor: 1.0 }
    }

    pub(super) fn to_model(self, raw: f64) -> f64 {
        (raw * self.factor + self.shift) / self.divisor
    }

    /// The inverse; noise around a whole number is taken off.
    pub(super) fn to_raw(self, model: f64) -> f64 {
        let raw = (model * self.divisor - self.shift) / self.factor;
        let noise = NOISE * raw.abs().max(self.shift.abs()).max(1.0);
        if (raw - raw.round()).abs() <= noise { raw.round() } else { raw }
    }
}

/// The whole number that gives `x` when it is divided by `divisor`, if there is one.
fn numerator(x: f64, divisor: f64) -> Option<f64> {
    let whole = (x * divisor).round();
    (whole.abs() <= WHOLE_MAX && whole / divisor == x).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_scales_give_the_decimal_that_a_person_expects() {
        let cases = [
            (12345.0, 0.1, 0.0, 1234.5),
            (3.0, 0.1, 0.0, 0.3),
            (7.0, 0.02, 0.0, 0.14),
            (29915.0, 0.01, -273.15, 26.0),
            (2.0, 0.1, 0.1, 0.3),
            (3.0, 1000.0, 0.0, 3000.0),
            (5.0, 0.25, -0.05, 1.2),
            (4_294_967_295.0, 0.001, 0.0, 4_294_967.295),
        ];
        for (raw, scale, offset, model) in cases {
            assert_eq!(Scaling::new(scale, offset).to_model(raw), model, "{raw} * {scale} + {offset}");
            assert_eq!(Scaling::new(scale, offset).to_raw(model), raw, "({model} - {offset}) / {scale}");
        }
    }

    #[test]
    fn a_scale_without_a_short_decimal_form_is_multiplied() {
        let third = Scaling::new(1.0 / 3.0, 0.5);
        assert!((third.to_model(3.0) - 1.5).abs() < 1e-12);
        assert_eq!(third.to_raw(1.5), 3.0);
    }

    #[test]
    fn a_fraction_that_is_more_than_noise_stays() {
        assert_eq!(Scaling::new(0.1, 0.0).to_raw(21.55), 215.5);
        assert_eq!(Scaling::new(1000.0, 0.0).to_raw(1234.0), 1.234);
    }

    #[test]
    fn only_one_and_zero_leave_values_as_they_are() {
        assert!(Scaling::new(1.0, 0.0).is_identity());
        assert!(!Scaling::new(1.0, 0.5).is_identity() && !Scaling::new(-1.0, 0.0).is_identity());
    }
}
