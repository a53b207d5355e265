//! Tables, and the two formats that are made of them.

use crate::printed::batch;
use crate::sample::{PUMP, TURBINE, around, full_report, item, leak, report, row, seen, status};
use crate::{encoded, refused};
use edgeway_formats::{Content, Item, messages_of_table, table_format, table_name, tables};
use edgeway_sdk::{Quality, Value};
use edgeway_thing_models::{Body, Message, Online, Row};
use std::sync::Arc;

fn flow(offset: u64) -> Item {
    item(offset, report(PUMP, vec![seen(1, 2.5, Quality::Good)]))
}

fn wind(offset: u64) -> Item {
    item(offset, report(TURBINE, vec![seen(0, 7.5, Quality::Good)]))
}

#[test]
fn messages_are_sorted_into_tables_and_keep_their_order_in_each() {
    let items = [flow(1), wind(2), flow(3), item(4, leak()), wind(5)];
    let tables = tables(&around(), &items).unwrap();
    let names: Vec<_> = tables.iter().map(|(table, places)| (table.name.as_str(), places.clone())).collect();
    let expected =
        [("property/big_pump", vec![0, 2]), ("property/wind_turbine", vec![1, 4]), ("event/big_pump/leak", vec![3])];
    assert_eq!(names, expected);
    assert!(tables.iter().all(|(table, places)| table.batch.num_rows() == places.len()));
    let things = around().things;
    assert_eq!(table_name(&items[1].message, None, &things), "property/wind_turbine");
}

#[test]
fn a_payload_is_a_run_of_one_table() {
    let items = [flow(1), flow(2), wind(3), flow(4)];
    let payloads = encoded(&mut *table_format(&around()), &items);
    let runs: Vec<_> = payloads.iter().map(|payload| payload.items.clone()).collect();
    assert_eq!(runs, [0..2, 2..3, 3..4]);
    assert!(payloads.iter().all(
        |payload| matches!(&payload.content, Content::Table(table) if table.batch.num_rows() == payload.items.len())
    ));
}

#[test]
fn a_value_that_is_not_of_its_models_type_makes_its_message_unfit() {
    let items = [flow(1), item(2, report(PUMP, vec![seen(1, "fast", Quality::Good)]))];
    let unfit = table_format(&around()).encode(&items).expect_err("text is no flow");
    assert_eq!((unfit.item, unfit.reason.as_str()), (1, "the value fast does not fit the column `flow`"));
    let half = item(1, report(PUMP, vec![seen(0, 0.5, Quality::Good)]));
    assert_eq!(refused(&mut *table_format(&around()), &half), "the value 0.5 does not fit the column `starts`");
}

#[test]
fn numbers_change_their_kind_only_where_nothing_is_lost() {
    let whole = item(1, report(PUMP, vec![seen(0, 3.0, Quality::Good), seen(1, 2_i64, Quality::Good)]));
    let (table, _) = &tables(&around(), &[whole]).unwrap()[0];
    let printed = batch(&table.batch);
    assert!(printed.contains("starts Int64? {type=int unit=1} 3,"), "{printed}");
    assert!(printed.contains("flow Float64? {type=float unit=m³/h} 2.0,"), "{printed}");
    let large = item(1, report(PUMP, vec![seen(1, (1_i64 << 53) + 1, Quality::Good)]));
    assert!(tables(&around(), &[large]).is_err());
}

/// The columns of a query's table with these values, one row each.
fn column_of(values: Vec<Value>) -> String {
    let Body::Row(first) = row() else { unreachable!("a row") };
    let rows =
        values.into_iter().map(|value| Row { columns: ["x".into()].into(), values: vec![value], ..first.clone() });
    let items: Vec<_> = rows.map(|row| item(1, Body::Row(row))).collect();
    let (table, _) = &tables(&around(), &items).unwrap()[0];
    batch(&table.batch).lines().find(|line| line.starts_with("x ")).unwrap_or("left out").to_owned()
}

#[test]
fn columns_of_queries_have_the_type_of_their_values() {
    let large = Value::Int((1 << 53) + 1);
    let cases = [
        (vec![Value::Null, Value::Int(1)], "x Int64? {} null,1,"),
        (vec![Value::Int(1), Value::Float(0.5)], "x Float64? {} 1.0,0.5,"),
        (vec![large, Value::Float(0.5)], r#"x Utf8? {} "9007199254740993","0.5","#),
        (vec![Value::Bool(true), Value::Null], "x Boolean? {} true,null,"),
        (vec!["a".into(), Value::Int(1)], r#"x Utf8? {} "\"a\"","1","#),
        (vec![Value::Array([Value::Int(1)].into())], r#"x Utf8? {} "[1]","#),
        (vec![Value::Null], "left out"),
    ];
    for (values, expected) in cases {
        assert_eq!(column_of(values.clone()), expected, "{values:?}");
    }
}

#[test]
fn reports_events_and_status_come_back_from_their_tables() {
    let items = [item(1, full_report()), item(2, leak()), item(3, status(Online::Offline, "no answer")), wind(4)];
    let things = around().things;
    let tables = tables(&around(), &items).unwrap();
    let back = tables.iter().flat_map(|(table, _)| messages_of_table(&table.name, &table.batch, &things).unwrap());
    for ((id, message), item) in back.zip(&items) {
        assert_eq!((id, &message), (item.id, &*rounded(item)));
    }
    assert_eq!(tables.len(), items.len());
}

/// A message with the digits that a table keeps: 32 bits of a float become those that people read.
fn rounded(item: &Item) -> Arc<Message> {
    let mut message = (*item.message).clone();
    if let Body::Report(report) = &mut message.body {
        for seen in &mut report.values {
            if seen.value == Value::Float(f64::from(7.1_f32)) {
                seen.value = Value::Float(7.1);
            }
        }
    }
    Arc::new(message)
}

#[test]
fn tables_of_what_the_site_does_not_have_give_nothing_and_strange_ones_a_reason() {
    let things = around().things;
    let (table, _) = &tables(&around(), &[flow(1)]).unwrap()[0];
    let read = |name: &str| messages_of_table(name, &table.batch, &things);
    for name in ["property/small_pump", "event/big_pump/burst", "stream/mean", "scene"] {
        assert_eq!(read(name), Ok(vec![]), "{name}");
    }
    assert_eq!(read("property/wind_turbine"), Ok(vec![]), "its device is of another model");
    assert_eq!(read("status").expect_err("no status"), "it has no column `state`");
    let alone = table.batch.project(&[1]).unwrap();
    let reason = messages_of_table("status", &alone, &things).expect_err("no rows of ours");
    assert_eq!(reason, "it has no column `id`");
}
