//! `circ_mean(x)` and `circ_stddev(x)`: the mean and the spread of directions in degrees, of which 359 and 1 are neighbours.
//!
//! With the mean resultant length `R` = |sum of unit vectors| / n, the mean is the direction of that sum, in [0, 360), and
//! the deviation is `sqrt(-2 ln R)` in degrees (Mardia and Jupp, Directional Statistics, 2000, section 2.3). Directions
//! that cancel out have neither.

use crate::df::{
    Accumulator, AccumulatorArgs, AggregateUDFImpl, ArrayRef, AsArray, DataType, Field, FieldRef, Float64Type, Result,
    ScalarValue, Signature, StateFieldsArgs, UInt64Type, Volatility,
};
use std::sync::Arc;

/// A resultant length below this is rounding, not a direction.
const R_LEAST: f64 = 1e-9;

/// Both functions.
pub(super) fn all() -> [Circular; 2] {
    [What::Mean, What::Deviation].map(|what| Circular { what, signature: signature() })
}

fn signature() -> Signature {
    Signature::exact(vec![DataType::Float64], Volatility::Immutable)
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Circular {
    what: What,
    signature: Signature,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Mean,
    Deviation,
}

impl AggregateUDFImpl for Circular {
    fn name(&self) -> &str {
        match self.what {
            What::Mean => "circ_mean",
            What::Deviation => "circ_stddev",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Directions { what: self.what, sin: 0.0, cos: 0.0, count: 0 }))
    }

    fn state_fields(&self, _: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |name, data_type| Arc::new(Field::new(name, data_type, true));
        Ok(vec![field("sin", DataType::Float64), field("cos", DataType::Float64), field("count", DataType::UInt64)])
    }
}

/// The sum of some directions as unit vectors.
#[derive(Debug)]
struct Directions {
    what: What,
    sin: f64,
    cos: f64,
    count: u64,
}

impl Directions {
    /// The direction of the sum in degrees and its length for each direction; `None` if they cancel out.
    fn resultant(&self) -> Option<(f64, f64)> {
        let length = self.sin.hypot(self.cos) / self.count as f64;
        let degrees = self.sin.atan2(self.cos).to_degrees().rem_euclid(360.0);
        // Just below zero rounds up to the full circle.
        let degrees = if degrees < 360.0 { degrees } else { 0.0 };
        (length >= R_LEAST).then_some((degrees, length.min(1.0)))
    }
}

impl Accumulator for Directions {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let degrees = values[0].as_primitive::<Float64Type>().iter().flatten();
        for (sin, cos) in degrees.filter(|degrees| degrees.is_finite()).map(|degrees| degrees.to_radians().sin_cos()) {
            self.sin += sin;
            self.cos += cos;
            self.count += 1;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let found = self.resultant().map(|(degrees, length)| match self.what {
            What::Mean => degrees,
            What::Deviation => (-2.0 * length.ln()).abs().sqrt().to_degrees(),
        });
        Ok(ScalarValue::Float64(found))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.sin.into(), self.cos.into(), self.count.into()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let sum = |at: usize| states[at].as_primitive::<Float64Type>().iter().flatten().sum::<f64>();
        self.sin += sum(0);
        self.cos += sum(1);
        self.count += states[2].as_primitive::<UInt64Type>().iter().flatten().sum::<u64>();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::df::Float64Array;

    fn of(what: What, degrees: &[f64]) -> Option<f64> {
        let mut directions = Directions { what, sin: 0.0, cos: 0.0, count: 0 };
        directions.update_batch(&[Arc::new(Float64Array::from(degrees.to_vec())) as ArrayRef]).expect("numbers");
        match directions.evaluate().expect("a number or none") {
            ScalarValue::Float64(found) => found,
            other => panic!("{other:?}"),
        }
    }

    fn close(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 1e-9)
    }

    #[test]
    fn the_mean_of_directions_around_north_is_north() {
        assert!(close(of(What::Mean, &[350.0, 20.0]), 5.0));
        assert!(close(of(What::Mean, &[-90.0]), 270.0));
        assert!(close(of(What::Mean, &[80.0, 100.0, f64::NAN]), 90.0));
        assert_eq!(of(What::Mean, &[-1e-14]), Some(0.0));
    }

    #[test]
    fn the_deviation_does_not_jump_at_north() {
        let south = of(What::Deviation, &[170.0, 180.0, 190.0]);
        assert!(close(of(What::Deviation, &[350.0, 0.0, 10.0]), south.expect("a deviation")));
        // R = (1 + 2 cos 10°) / 3.
        let length: f64 = (1.0 + 2.0 * 10_f64.to_radians().cos()) / 3.0;
        assert!(close(south, (-2.0 * length.ln()).sqrt().to_degrees()));
        assert!(of(What::Deviation, &[42.0, 42.0]).is_some_and(|none| none < 1e-5));
    }

    #[test]
    fn directions_that_cancel_out_and_none_at_all_have_no_mean() {
        for none in [&[][..], &[0.0, 180.0], &[0.0, 120.0, 240.0]] {
            assert_eq!((of(What::Mean, none), of(What::Deviation, none)), (None, None), "{none:?}");
        }
    }
}
