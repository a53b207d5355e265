//! Messages of all kinds with values of all types, most of which fit their models.

use crate::sample::{PUMP, TURBINE, things};
use edgeway_formats::Item;
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{
    Account, Action, Balance, Body, ClockState, Command, CommandRecord, CommandState, DataType, Event, EventIx, Field,
    Firing, GatewayId, Ledger, Message, MessageId, Notice, Observation, Online, Origin, PropertyIx, Report, Row,
    Selected, ServiceIx, Status,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::Arc;

/// One to six messages on their way out.
pub(crate) fn items() -> impl Strategy<Value = Vec<Item>> {
    vec(item(), 1..7)
}

fn item() -> impl Strategy<Value = Item> {
    let clock = select(vec![ClockState::Set, ClockState::Unset, ClockState::Corrected]);
    let selected = option::weighted(0.1, selected());
    (time(), body(), any::<u32>(), 0..1_u64 << 48, clock, selected, any::<bool>()).prop_map(
        |(time, body, epoch, offset, clock, selected, late)| Item {
            message: Arc::new(Message { time, body }),
            id: MessageId { gateway: GatewayId::of("waterworks-1a2b"), epoch, offset },
            clock,
            selected: selected.map(Arc::new),
            late,
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        4 => report(),
        2 => event(),
        1 => status(),
        2 => (text(), text(), columns(), time()).prop_map(|(query, id, (columns, values), source_time)| {
            Body::Row(Row { query, id, columns, values, source_time })
        }),
        1 => (text(), text(), vec(text(), 0..3)).prop_map(|(scene, cause, chain)| Body::Firing(Firing { scene, cause, chain })),
        2 => command(),
        1 => (text(), text(), text()).prop_map(|(channel, text, scene)| Body::Notice(Notice { channel, text, scene })),
        1 => (text(), text(), any::<[u32; 3]>()).prop_map(|(consumer, reason, [from, to, count])| {
            Body::Ledger(Ledger { consumer, reason, from: from.into(), to: to.into(), count: count.into() })
        }),
        1 => (text(), account(), vec((text(), account()), 0..3))
            .prop_map(|(route, total, devices)| Body::Balance(Balance { route, total, devices })),
    ]
}

/// Values of some of a device's properties, each property once.
fn report() -> impl Strategy<Value = Body> {
    device().prop_flat_map(|device| {
        let properties = things().model_of(device).properties.clone();
        let all = properties.into_iter().enumerate().map(|(at, property)| observation(at as u16, property.data_type));
        (all.collect::<Vec<_>>(), any::<u16>()).prop_map(move |(mut values, some)| {
            values.retain(|seen| some & (1 << seen.property.0) != 0);
            values.truncate(12);
            if values.is_empty() {
                values.push(crate::sample::seen(0, Value::Null, Quality::Bad));
            }
            Body::Report(Report { device, values })
        })
    })
}

fn observation(property: u16, data_type: DataType) -> impl Strategy<Value = Observation> {
    (nearly_always(data_type), quality(), time()).prop_map(move |(value, quality, source_time)| Observation {
        property: PropertyIx(property),
        value,
        quality,
        source_time,
    })
}

fn event() -> impl Strategy<Value = Body> {
    let leak = things().model_of(PUMP).events[1].output.clone();
    let alarm = things().model_of(TURBINE).events[0].output.clone();
    let of = |device, event, output| {
        (named(output), time()).prop_map(move |(output, source_time)| {
            Body::Event(Event { device, event: EventIx(event), output, source_time })
        })
    };
    prop_oneof![of(PUMP, 0, vec![]), of(PUMP, 1, leak), of(TURBINE, 0, alarm)]
}

fn status() -> impl Strategy<Value = Body> {
    let online = select(vec![Online::Unknown, Online::Online, Online::Degraded, Online::Offline]);
    (device(), online, text()).prop_map(|(device, online, reason)| Body::Status(Status { device, online, reason }))
}

fn command() -> impl Strategy<Value = Body> {
    let set = (nearly_always(things().property(PUMP, PropertyIx(4)).data_type.clone()))
        .prop_map(|value| Action::Set { property: PropertyIx(4), value });
    let invoke = named(things().model_of(PUMP).services[0].input.clone())
        .prop_map(|input| Action::Invoke { service: ServiceIx(0), input });
    let state = prop_oneof![
        Just(CommandState::Accepted),
        Just(CommandState::Expired),
        option::of(value()).prop_map(|result| CommandState::Applied { result }),
        text().prop_map(|reason| CommandState::Refused { reason }),
        text().prop_map(|reason| CommandState::Failed { reason }),
        text().prop_map(|reason| CommandState::Unconfirmed { reason }),
    ];
    let origin = prop_oneof![Just(Origin::Api), text().prop_map(|target| Origin::Cloud { target })];
    (text(), prop_oneof![set, invoke], origin, time(), time(), state).prop_map(
        |(id, action, origin, issued, deadline, state)| {
            let command = Command { id, device: PUMP, action, origin, issued, deadline };
            Body::Command(CommandRecord { command, state })
        },
    )
}

fn account() -> impl Strategy<Value = Account> {
    any::<[u32; 5]>().prop_map(|counts| {
        let [taken, delivered, expired, dropped, dead] = counts.map(u64::from);
        Account { taken, delivered, expired, dropped, dead }
    })
}

fn selected() -> impl Strategy<Value = Selected> {
    columns().prop_map(|(columns, values)| Selected { columns, values })
}

fn columns() -> impl Strategy<Value = (Arc<[Arc<str>]>, Vec<Value>)> {
    let names = select(vec![vec!["a"], vec!["device", "Mean flow"], vec!["温度", "id", "a-b"]]);
    names.prop_flat_map(|names| {
        let columns: Arc<[Arc<str>]> = names.iter().map(|name| Arc::from(*name)).collect();
        vec(value(), names.len()).prop_map(move |values| (columns.clone(), values))
    })
}

fn named(fields: Vec<Field>) -> impl Strategy<Value = Vec<(Arc<str>, Value)>> {
    let each = fields
        .into_iter()
        .map(|field| nearly_always(field.data_type).prop_map(move |value| (field.identifier.clone(), value)));
    each.collect::<Vec<_>>()
}

/// A value of the type, or now and then of any other.
fn nearly_always(data_type: DataType) -> BoxedStrategy<Value> {
    prop_oneof![20 => of(&data_type), 1 => value()].boxed()
}

fn of(data_type: &DataType) -> BoxedStrategy<Value> {
    match data_type {
        DataType::Int(_) | DataType::Enum(_) | DataType::Date => any::<i64>().prop_map(Value::Int).boxed(),
        DataType::Float(_) => any::<f32>().prop_map(|x| Value::Float(x.into())).boxed(),
        DataType::Double(_) => any::<f64>().prop_map(Value::Float).boxed(),
        DataType::Bool { .. } => any::<bool>().prop_map(Value::Bool).boxed(),
        DataType::Text { .. } => text().prop_map(Value::Text).boxed(),
        DataType::Struct(fields) => named(fields.clone()).prop_map(|fields| Value::Struct(fields.into())).boxed(),
        DataType::Array { item, .. } => vec(of(item), 0..4).prop_map(|items| Value::Array(items.into())).boxed(),
    }
}

/// Any value at all.
fn value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        Just(Value::Float(f64::NAN)),
        text().prop_map(Value::Text),
        vec(any::<u8>(), 0..9).prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    let nested = |inner: BoxedStrategy<Value>| {
        let fields = vec(inner.clone(), 0..3).prop_map(|values| {
            let named = values.into_iter().enumerate().map(|(at, value)| (Arc::from(format!("f{at}")), value));
            Value::Struct(named.collect())
        });
        prop_oneof![vec(inner, 0..3).prop_map(|items| Value::Array(items.into())), fields]
    };
    leaf.prop_recursive(2, 8, 3, move |inner| nested(inner.boxed())).boxed()
}

fn text() -> impl Strategy<Value = Arc<str>> {
    let odd = [",\"\n\r", "{{ x }}", "\u{0}\u{7f}", "=1+1", "日本語 🌬", "a/b+c#"].map(Arc::from);
    prop_oneof![any::<String>().prop_map(Arc::from), select(odd.to_vec())]
}

fn quality() -> impl Strategy<Value = Quality> {
    select(vec![
        Quality::Good,
        Quality::Uncertain,
        Quality::Stale,
        Quality::Bad,
        Quality::BadConfig,
        Quality::BadNotConnected,
        Quality::BadDevice,
        Quality::BadTimeout,
        Quality::BadOutOfRange,
    ])
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_nanos)
}

fn device() -> impl Strategy<Value = DeviceIx> {
    select(vec![PUMP, TURBINE])
}
