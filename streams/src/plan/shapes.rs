//! Which of a query's rows are told.

use super::lower::Lowering;
use crate::catalog::DEVICE;
use crate::df::{DataFusionError, SchemaRef};
use crate::dialect::{At, Emit};
use crate::marker;
use crate::shaper::{Rate, Shape, Shaper};
use edgeway_sdk::{Problem, did_you_mean};

impl Lowering<'_> {
    /// Leaves out rows that are not to be told.
    pub(super) fn shape(&mut self, schema: &SchemaRef) -> Result<(), Problem> {
        self.uses(&["emit_key", "emit_rate"]);
        let options = self.around.own;
        if options.emit.is_some_and(|emit| emit.value != Emit::Update) {
            self.uses(&["emit"]);
        }
        let changes = options.emit.filter(|emit| emit.value == Emit::Change);
        let rate = options.emit_rate.as_ref();
        let Some(at) = changes.map(|changes| changes.at).or(rate.map(|rate| rate.at)) else {
            return match &options.emit_key {
                Some(key) => {
                    Err(key.at.problem("`emit_key` has no effect here").help("set emit = 'change' or emit_rate too"))
                }
                None => Ok(()),
            };
        };
        let named = options.emit_key.as_ref().map(|key| (key.at, key.value.clone()));
        let of_rate = rate.and_then(|rate| Some((rate.at, vec![rate.value.key.clone()?])));
        let names = named.or(of_rate).unwrap_or_else(|| {
            let device = schema.column_with_name(DEVICE).map(|_| DEVICE.to_owned());
            (at, device.into_iter().collect())
        });
        let keys = places(schema, &names)?;
        let is_compared =
            |at: &usize| !keys.contains(at) && !marker::TIMES.contains(&schema.field(*at).name().as_str());
        let compared = changes.map(|_| (0..schema.fields().len()).filter(is_compared).collect());
        let rate = rate.map(|rate| Rate {
            rows: rate.value.rows,
            nanos: i64::try_from(rate.value.time.as_nanos()).unwrap_or(i64::MAX),
        });
        self.uses(&["hold"]);
        let hold = self.hold();
        let text = format!("shape {keys:?} {compared:?} {rate:?} for {hold}");
        self.fingerprint = self.fingerprint.with(&text);
        let things = self.around.site.things.clone();
        let shaper = Shaper::new(Shape { keys, compared, rate, hold, limits: self.limits() }, schema, things);
        let shaper = shaper.map_err(|error: DataFusionError| self.explain(&error))?;
        self.add(shaper);
        Ok(())
    }
}

fn places(schema: &SchemaRef, (at, names): &(At, Vec<String>)) -> Result<Vec<usize>, Problem> {
    let place = |name: &String| {
        schema.index_of(name).map_err(|_| {
            let help = did_you_mean(name, schema.fields().iter().map(|field| field.name().as_str()));
            at.problem(format!("`{name}` is not a column of the answer")).maybe_help(help)
        })
    };
    names.iter().map(place).collect()
}
