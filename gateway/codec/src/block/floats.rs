//! Floating-point numbers: first in which form, then the integer.

use super::lane::{Earlier, Lane};
use super::shapes::Kin;
use super::values::{Before, NO_FORM};
use crate::coder::Probability;
use crate::form::Form;
use crate::number::{Bits, Choice};
use crate::stream::{Sink, Source};
use edgeway_sdk::Value;

/// What is expected of the next floating-point number.
pub(super) struct Floats {
    /// The form of the last one.
    last: Form,
    /// Whether the form is the one that stood there before: by the same device, by another one.
    same_form: [Probability; 2],
    forms: Choice<64>,
    decimals: Lane,
    singles: Lane,
    doubles: Lane,
}

impl Default for Floats {
    fn default() -> Self {
        Floats {
            last: NO_FORM,
            same_form: Default::default(),
            forms: Choice::default(),
            decimals: Lane::default(),
            singles: Lane::default(),
            doubles: Lane::default(),
        }
    }
}

/// A floating-point number that stood at the same place before.
#[derive(Clone, Copy)]
struct FloatBefore {
    number: f64,
    form: Form,
    bits: Bits,
    kin: Kin,
}

impl FloatBefore {
    /// As an integer of the form in which the next number is written.
    fn in_form(self, form: Form) -> Earlier {
        Earlier { number: form.integer(self.number), bits: self.bits, kin: self.kin }
    }
}

impl Floats {
    #[inline]
    pub(super) fn encode(&mut self, number: f64, before: Option<Before<'_>>, sink: &mut Sink) -> (Bits, Form) {
        let before = float_before(before);
        let form = Form::choose(number, before.map(|before| before.form), self.last);
        self.encode_form(form, before, sink);
        let earlier = before.map(|before| before.in_form(form));
        (self.lane(form).encode(form.integer(number), earlier, sink), form)
    }

    #[inline]
    pub(super) fn decode(
        &mut self,
        before: Option<Before<'_>>,
        source: &mut Source<'_>,
    ) -> Option<(Value, Bits, Form)> {
        let before = float_before(before);
        let form = self.decode_form(before, source)?;
        let earlier = before.map(|before| before.in_form(form));
        let (integer, bits) = self.lane(form).decode(earlier, source);
        Some((Value::Float(form.number(integer)), bits, form))
    }

    #[inline]
    fn encode_form(&mut self, form: Form, before: Option<FloatBefore>, sink: &mut Sink) {
        self.last = form;
        if let Some(before) = before {
            sink.bit(&mut self.same_form[before.kin as usize], form == before.form);
            if form == before.form {
                return;
            }
        }
        self.forms.encode(form.code(), sink);
    }

    #[inline]
    fn decode_form(&mut self, before: Option<FloatBefore>, source: &mut Source<'_>) -> Option<Form> {
        match before {
            Some(before) if source.bit(&mut self.same_form[before.kin as usize]) => Some(before.form),
            _ => Form::from_code(self.forms.decode(source)),
        }
    }

    #[inline]
    fn lane(&mut self, form: Form) -> &mut Lane {
        match form {
            Form::Decimal(_) | Form::SingleDecimal(_) => &mut self.decimals,
            Form::Single => &mut self.singles,
            Form::Double => &mut self.doubles,
        }
    }
}

#[inline]
fn float_before(before: Option<Before<'_>>) -> Option<FloatBefore> {
    let Before { observation, trace, kin } = before?;
    match observation.value {
        Value::Float(number) => Some(FloatBefore { number, form: trace.form, bits: trace.value, kin }),
        _ => None,
    }
}
