//! Services made of writes.

use edgeway_sdk::{PointIx, Value, WriteOp};
use edgeway_site::{PointSite, ServiceWrite, WriteFrom};
use std::sync::Arc;

/// What has to be written for a service, in order.
///
/// # Errors
/// If an input is missing or stands for nothing that could be written.
pub(super) fn writes(
    service: &[ServiceWrite],
    input: &[(Arc<str>, Value)],
    points: &[PointSite],
) -> Result<Vec<WriteOp>, String> {
    service.iter().map(|write| Ok(WriteOp { point: write.point, value: value(write, input, points)? })).collect()
}

fn value(write: &ServiceWrite, input: &[(Arc<str>, Value)], points: &[PointSite]) -> Result<Value, String> {
    match &write.from {
        WriteFrom::Constant(value) => Ok(value.clone()),
        WriteFrom::Input(name) => Ok(raw(given(name, input)?, write.point, points)),
        WriteFrom::Mapped { input: name, map } => {
            let value = given(name, input)?;
            let number = value.as_f64().map(|number| number as i64);
            let raw = number.and_then(|number| map.get(&number));
            raw.cloned().ok_or_else(|| format!("the input `{name}` is {value}, which this device has no value for"))
        }
    }
}

fn given<'i>(name: &str, input: &'i [(Arc<str>, Value)]) -> Result<&'i Value, String> {
    let found = input.iter().find(|(given, _)| &**given == name);
    found.map(|(_, value)| value).ok_or_else(|| format!("the input `{name}` is missing"))
}

/// Takes scale and offset off. What is not a number is written as it is.
fn raw(value: &Value, point: PointIx, points: &[PointSite]) -> Value {
    let point = &points[point.0 as usize];
    match value {
        Value::Int(_) | Value::Float(_) if point.scale != 1.0 || point.offset != 0.0 => {
            let number = value.as_f64().expect("an int or a float is a number");
            Value::Float((number - point.offset) / point.scale)
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::{Access, DeviceIx};
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn point(scale: f64, offset: f64) -> PointSite {
        let (period, stale_after) = (SECOND, SECOND);
        PointSite {
            device: DeviceIx(0),
            property: None,
            scale,
            offset,
            access: Access::Write,
            period,
            stale_after,
            stale_after_said: false,
            reporting: edgeway_site::Reporting::Always,
        }
    }

    #[test]
    fn constants_inputs_and_maps_become_raw_values() {
        let points = [point(0.5, 10.0)];
        let write = |from| ServiceWrite { point: PointIx(0), from };
        let service = [
            write(WriteFrom::Constant(Value::Int(1))),
            write(WriteFrom::Input("level".into())),
            write(WriteFrom::Mapped { input: "mode".into(), map: [(1, Value::Int(3))].into() }),
        ];
        let input = [("level".into(), Value::Int(30)), ("mode".into(), Value::Int(1))];
        let values: Vec<Value> =
            writes(&service, &input, &points).expect("complete").into_iter().map(|op| op.value).collect();
        assert_eq!(values, [Value::Int(1), Value::Float(40.0), Value::Int(3)]);
        assert!(writes(&service, &input[..1], &points).is_err_and(|error| error.contains("`mode` is missing")));
        let unknown = [input[0].clone(), ("mode".into(), Value::Int(7))];
        assert!(writes(&service, &unknown, &points).is_err());
    }
}
