//! Conditions and lists over single messages.

use crate::*;
use edgeway_streams::{Part, Selection, SelectionError, Verdict};
use edgeway_thing_models::{
    Account, Action, Balance, Command, CommandRecord, CommandState, Event, EventIx, Firing, Ledger, Notice, Online,
    Origin, PropertyIx, Status,
};

fn compiled(filter: Option<&str>, select: Option<&str>) -> Selection {
    Selection::compile(filter, select, &things()).unwrap_or_else(|error| panic!("{error}"))
}

fn error(filter: Option<&str>, select: Option<&str>) -> SelectionError {
    Selection::compile(filter, select, &things()).expect_err("a mistake")
}

/// Whether a condition is true for a message.
fn passes(filter: &str, message: &Message) -> bool {
    match &compiled(Some(filter), None).apply(&[message])[..] {
        [Verdict::Pass(None)] => true,
        [Verdict::Drop] => false,
        other => panic!("{filter}: {other:?}"),
    }
}

/// What a list makes of a message.
fn values(select: &str, message: &Message) -> Vec<Value> {
    match &mut compiled(None, Some(select)).apply(&[message])[..] {
        [Verdict::Pass(Some(values))] => std::mem::take(values),
        other => panic!("{select}: {other:?}"),
    }
}

fn message(body: Body) -> Message {
    Message { time: at(1.0), body }
}

fn probe(values: &[(&str, Value)]) -> Message {
    let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.clone(), Quality::Good, at(0.5))).collect();
    report(&things(), "probe-1", at(1.0), &values)
}

fn alarm(code: i64) -> Message {
    message(Body::Event(Event {
        device: device_ix("probe-1"),
        event: EventIx(0),
        output: vec![("code".into(), Value::Int(code)), ("text".into(), Value::from("hot"))],
        source_time: at(0.5),
    }))
}

fn status(online: Online) -> Message {
    message(Body::Status(Status { device: device_ix("probe-1"), online, reason: "timeout".into() }))
}

fn command() -> Message {
    let action = Action::Set { property: PropertyIx(1), value: Value::Float(1.0) };
    let origin = Origin::Scene { scene: "night".into() };
    let command =
        Command { id: "c-1".into(), device: device_ix("probe-1"), action, origin, issued: at(0.0), deadline: at(9.0) };
    message(Body::Command(CommandRecord { command, state: CommandState::Failed { reason: "no answer".into() } }))
}

fn row(values: &[(&str, Value)]) -> Message {
    message(Body::Row(Row {
        query: "means".into(),
        id: "means/1".into(),
        columns: values.iter().map(|(name, _)| Arc::from(*name)).collect(),
        values: values.iter().map(|(_, value)| value.clone()).collect(),
        source_time: at(0.5),
    }))
}

/// A selection that knows the columns of a query called `means`.
fn over_rows(filter: Option<&str>, select: Option<&str>) -> Selection {
    let text = "SELECT device, avg(wind_speed) AS mean, count(*) AS n, window_end
                FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')";
    let queries = load(&[("means", text)]);
    Selection::compile_with_queries(filter, select, &things(), &queries.list()).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_condition_takes_reports_for_which_it_is_true() {
    let mut selection = compiled(Some("wind_speed > 10"), None);
    assert_eq!(selection.columns(), None);
    let messages = [wind("wind-turbine-1", 0.0, 9.0), wind("wind-turbine-2", 0.0, 11.0), wind("met-mast-1", 0.0, 12.0)];
    let verdicts = selection.apply(&messages.iter().collect::<Vec<_>>());
    assert_eq!(verdicts, [Verdict::Drop, Verdict::Pass(None), Verdict::Pass(None)]);
}

#[test]
fn what_a_message_does_not_have_is_unknown() {
    let report = probe(&[("level", Value::Float(3.0))]);
    assert!(!passes("wind_speed > 0", &report), "the model has no wind speed");
    assert!(!passes("count > 0", &report), "it was not in this report");
    assert!(passes("wind_speed IS NULL AND count IS NULL AND level IS NOT NULL", &report));
    assert!(!passes("level > 0", &status(Online::Offline)), "another kind of message");
    let stale = report_of_quality(Quality::Stale);
    assert!(!passes("level > 0", &stale), "only good values count, as in queries");
    assert!(passes("quality = 'stale'", &stale));
}

fn report_of_quality(quality: Quality) -> Message {
    report(&things(), "probe-1", at(1.0), &[("level", Value::Float(3.0), quality, at(0.5))])
}

#[test]
fn every_message_says_where_it_is_from_and_when() {
    let message = probe(&[("level", Value::Float(3.0))]);
    assert!(passes("subject = 'property/probe/probe-1' AND kind = 'property'", &message));
    assert!(passes("device = 'probe-1' AND model = 'probe' AND quality = 'good'", &message));
    let millis = |time: Timestamp| Value::Int(time.as_millis());
    assert_eq!(values("time, ts", &message), [millis(at(1.0)), millis(at(0.5))]);
    assert!(passes("time - ts >= INTERVAL '500 milliseconds'", &message));
    assert_eq!(values("time, ts", &status(Online::Online)), [millis(at(1.0)), millis(at(1.0))]);
}

#[test]
fn every_type_of_property_comes_out_as_it_is() {
    let message = probe(&[
        ("count", Value::Int(7)),
        ("level", Value::Float(0.5)),
        ("open", Value::Bool(true)),
        ("mode", Value::Int(1)),
        ("label", Value::from("x")),
        ("serviced", Value::Int(1_700_000_000_123)),
    ]);
    let found = values("count, level, open, mode, label, serviced, count / 2 AS half, upper(label) AS loud", &message);
    let date = Value::Int(1_700_000_000_123);
    let mut expected = vec![Value::Int(7), Value::Float(0.5), Value::Bool(true), Value::Int(1), Value::from("x"), date];
    expected.extend([Value::Int(3), Value::from("X")]);
    assert_eq!(found, expected);
    assert!(passes("open AND mode = 1 AND serviced < ts", &message));
}

#[test]
fn fields_of_a_struct_and_elements_of_an_array_can_be_named() {
    let place = Value::Struct([("x".into(), Value::Int(3)), ("y".into(), Value::Float(2.5))].into());
    let blades = Value::Array([1.5, 7.0].map(Value::Float).into());
    let report = probe(&[("place", place), ("blades", blades.clone())]);
    assert!(passes("place.x = 3 AND blades[2] > 5", &report));
    assert!(!passes("place.x = 4", &report));
    assert_eq!(values("place.y, array_max(blades), blades", &report), [2.5.into(), 7.0.into(), blades]);
    assert!(
        !passes("array_max(blades) > 1", &wind("wind-turbine-1", 0.0, 9.0)),
        "what a message does not have is unknown"
    );
    assert_eq!(compiled(None, Some("place.y")).columns(), Some(["place.y".into()].into()));
}

#[test]
fn a_list_has_the_same_names_for_all_messages() {
    let mut selection = compiled(Some("device = 'probe-1'"), Some("device, level * 2 AS twice, code, level + 1"));
    let names: Vec<String> = selection.columns().unwrap().iter().map(|name| name.to_string()).collect();
    assert_eq!(names, ["device", "twice", "code", "level + 1"]);
    let messages = [probe(&[("level", Value::Float(2.0))]), alarm(9), wind("met-mast-1", 0.0, 1.0)];
    let verdicts = selection.apply(&messages.iter().collect::<Vec<_>>());
    let id = || Value::from("probe-1");
    let of_report = vec![id(), Value::Float(4.0), Value::Null, Value::Float(3.0)];
    let of_alarm = vec![id(), Value::Null, Value::Int(9), Value::Null];
    assert_eq!(verdicts, [Verdict::Pass(Some(of_report)), Verdict::Pass(Some(of_alarm)), Verdict::Drop]);
}

#[test]
fn other_kinds_have_columns_of_their_own() {
    assert!(passes("event = 'alarm' AND event_kind = 'alert' AND code > 3", &alarm(4)));
    assert!(passes("state = 'offline' AND reason LIKE 'time%'", &status(Online::Offline)));
    assert!(passes("command = 'c-1' AND state = 'failed' AND reason = 'no answer'", &command()));
    assert!(passes(
        "property = 'level' AND service IS NULL AND origin = 'scene/night' AND deadline > issued",
        &command()
    ));
    let firing = Firing { scene: "night".into(), cause: "dark".into(), chain: vec![] };
    assert!(passes("scene = 'night' AND cause = 'dark' AND device IS NULL", &message(Body::Firing(firing))));
    let notice = Notice { channel: "on-call".into(), text: "fire".into(), scene: "night".into() };
    assert!(passes("channel = 'on-call' AND text = 'fire' AND scene = 'night'", &message(Body::Notice(notice))));
    let ledger = Ledger { consumer: "r".into(), reason: "retention".into(), from: 1, to: 5, count: 5 };
    assert!(passes("consumer = 'r' AND reason = 'retention' AND count = 5", &message(Body::Ledger(ledger))));
    let total = Account { taken: 9, delivered: 4, expired: 1, dropped: 0, dead: 2 };
    let balance = message(Body::Balance(Balance { route: "r".into(), total, devices: vec![] }));
    assert!(passes("route = 'r' AND taken = delivered + queued + expired + dropped + dead AND queued = 2", &balance));
}

#[test]
fn labels_of_devices_are_columns() {
    let mut things = Things::default();
    let model = things.add_model(Arc::new(ready_made().into_iter().next().expect("one ships")));
    for (id, row) in [("a", "north"), ("b", "south")] {
        let labels = BTreeMap::from([("row".to_owned(), row.to_owned())]);
        things.add_device(Device { id: id.into(), model, labels }).expect("a new id");
    }
    let things = Arc::new(things);
    let status = |id| Status { device: things.device_ix(id).unwrap(), online: Online::Online, reason: "".into() };
    let messages = [message(Body::Status(status("a"))), message(Body::Status(status("b")))];
    let filter = "labels.row = 'south'";
    let mut selection = Selection::compile(Some(filter), Some("labels.row, device"), &things).unwrap();
    assert_eq!(&*selection.columns().unwrap()[0], "row");
    let verdicts = selection.apply(&messages.iter().collect::<Vec<_>>());
    assert_eq!(verdicts, [Verdict::Drop, Verdict::Pass(Some(vec![Value::from("south"), Value::from("b")]))]);
    let error = Selection::compile(Some("labels.rwo = 'x'"), None, &things).expect_err("no such label");
    assert_eq!(error.to_string(), "where:1:1: no device has a label `rwo` (did you mean `labels.row`?)");
}

#[test]
fn rows_of_queries_have_the_types_that_their_values_show() {
    let mut selection = over_rows(Some("mean > 9.5 OR n = 0"), Some("device, mean, n"));
    let rows = [
        row(&[("device", Value::from("a")), ("mean", Value::Null), ("n", Value::Int(0))]),
        row(&[("device", Value::from("b")), ("mean", Value::Float(9.0)), ("n", Value::Int(3))]),
        row(&[("device", Value::Null), ("mean", Value::Float(10.0)), ("n", Value::Int(4))]),
        row(&[("device", Value::from("d")), ("mean", Value::Int(11)), ("n", Value::Int(4))]),
    ];
    let verdicts = selection.apply(&rows.iter().collect::<Vec<_>>());
    let passed = |device, mean, n| Verdict::Pass(Some(vec![device, mean, Value::Int(n)]));
    assert_eq!(verdicts[0], passed(Value::from("a"), Value::Null, 0));
    assert_eq!(verdicts[1], Verdict::Drop);
    assert_eq!(verdicts[2], passed(Value::Null, Value::Float(10.0), 4));
    assert_eq!(verdicts[3], passed(Value::from("d"), Value::Float(11.0), 4));
    assert_eq!(selection.apply(&[&rows[1], &rows[0]]), [verdicts[1].clone(), verdicts[0].clone()]);
    assert!(passes("kind = 'stream' AND subject = 'stream/means'", &rows[0]));
}

#[test]
fn a_message_for_which_an_expression_fails_leaves_its_neighbours_alone() {
    let mut selection = compiled(Some("100 / count >= 10"), None);
    let messages: Vec<Message> = [4, 0, 10, 50, 0].iter().map(|n| probe(&[("count", Value::Int(*n))])).collect();
    let verdicts = selection.apply(&messages.iter().collect::<Vec<_>>());
    let failed = Verdict::Failed("divide by zero error".into());
    let passed = Verdict::Pass(None);
    assert_eq!(verdicts, [passed.clone(), failed.clone(), passed, Verdict::Drop, failed]);
}

#[test]
fn a_condition_that_does_not_fit_some_kind_fails_there_alone() {
    // `state` is a number in reports of turbines and a word in statuses.
    let mut selection = compiled(Some("state + 1 > 2"), None);
    let turbine = device_ix("wind-turbine-1");
    let report = report(&things(), "wind-turbine-1", at(0.0), &[("state", Value::Int(2), Quality::Good, at(0.0))]);
    let status = message(Body::Status(Status { device: turbine, online: Online::Online, reason: "".into() }));
    let verdicts = selection.apply(&[&report, &status]);
    assert_eq!(verdicts[0], Verdict::Pass(None));
    assert!(matches!(&verdicts[1], Verdict::Failed(_)), "{:?}", verdicts[1]);
}

#[test]
fn verdicts_do_not_depend_on_how_messages_are_given() {
    let mut messages: Vec<Message> = (0..50).map(|n| wind("wind-turbine-1", f64::from(n), f64::from(n))).collect();
    messages.extend((0..50).map(|n| probe(&[("count", Value::Int(n % 3))])));
    messages.extend([alarm(1), status(Online::Offline), command()]);
    let texts = (Some("wind_speed > 20 OR 6 / count = 3 OR code = 1"), Some("device, wind_speed, 6 / count AS c"));
    let all: Vec<&Message> = messages.iter().rev().collect();
    let together = compiled(texts.0, texts.1).apply(&all);
    let mut selection = compiled(texts.0, texts.1);
    let alone: Vec<Verdict> = all.iter().flat_map(|message| selection.apply(&[message])).collect();
    assert_eq!(together, alone);
    for kind in ["Pass", "Drop", "Failed"] {
        assert!(alone.iter().any(|verdict| format!("{verdict:?}").starts_with(kind)), "no verdict {kind}");
    }
}

#[test]
fn mistakes_have_their_place_and_the_name_that_was_meant() {
    let cases = [
        ("wind_sped > 3", "where:1:1: no message has a column `wind_sped` (did you mean `wind_speed`?)"),
        ("device = 'a' AND\n  rount(level) = 1", "where:2:3: unknown function `rount` (did you mean `round`?)"),
        (
            "ts < now()",
            "where:1:6: `now` is not available: a query must give the same rows when it is run again (use `ts`, the time of the row)",
        ),
        (
            "random() > 0.5",
            "where:1:1: `random` is not available: a query must give the same rows when it is run again",
        ),
        (
            "avg(level) > 3",
            "where:1:1: `avg` is over many messages, and this is about one (write a query, and a route for its rows)",
        ),
        ("device IN (SELECT device FROM probe)", "where:1:12: a sub-query is not supported"),
        ("row_number() OVER (ORDER BY ts) > 1", "where:1:1: OVER is not supported"),
        ("WHERE level > 3", "where:1:1: `WHERE` does not belong here (write what follows it)"),
        ("level > 3 LIMIT 5", "where:1:11: `LIMIT` does not belong here: the expression has ended"),
        ("level >", "where:1:1: expected an expression, found the end of the text"),
        ("", "where:1:1: there is no expression here"),
        ("place = 1", "where:1:1: `place` is a struct, which is not a column (name its fields: `place.x`, `place.y`)"),
        ("probe.level > 1", "where:1:1: `probe.level` is not a column (columns stand alone, labels are `labels.NAME`)"),
        (
            "tumble(ts, INTERVAL '1 second') > ts",
            "where:1:1: a message has no window (write a query, and a route for its rows)",
        ),
        ("level + 1", "where:1:1: a condition is true or false, and this is of type Float64"),
    ];
    for (text, expected) in cases {
        assert_eq!(error(Some(text), None).to_string(), expected, "{text}");
    }
}

#[test]
fn mistakes_in_a_list_are_told_as_well() {
    let cases = [
        (
            "*",
            "select:1:1: `*` has no meaning here: messages of different kinds have different columns (name the columns; without `select` everything is sent)",
        ),
        ("level, device AS level", "select:1:8: a second column `level` (give it another name with AS)"),
        ("SELECT level", "select:1:1: `SELECT` does not belong here (write what follows it)"),
        ("level FROM probe", "select:1:7: `FROM` does not belong here: the expression has ended"),
        ("device, levle", "select:1:9: no message has a column `levle` (did you mean `level`?)"),
    ];
    for (text, expected) in cases {
        let error = error(None, Some(text));
        assert_eq!((error.to_string().as_str(), error.part), (expected, Part::Select), "{text}");
    }
}

/// Texts that nest in every way that grammar allows, `depth` levels deep.
fn nested(depth: usize) -> Vec<String> {
    let around = |before: &str, after: &str| format!("{}count{}", before.repeat(depth), after.repeat(depth));
    let chain = |operand: &str, operator: &str| vec![operand; depth].join(operator);
    vec![
        chain("count", " + ") + " > 1",
        chain("label", " || ") + " > 'a'",
        around("", " IS NULL"),
        around("", "::BIGINT") + " > 1",
        around("abs(", ")") + " > 1",
        around("CASE WHEN open THEN 1 ELSE ", " END") + " > 1",
        around("(", ")") + " > 1",
        "NOT ".repeat(depth) + "open",
        format!("{}open{}", "open IN (".repeat(depth), ")".repeat(depth)),
    ]
}

#[test]
fn an_expression_of_any_depth_gets_an_answer() {
    for depth in [1, 8, 14, 15, 16, 24, 30, 31, 32, 33, 49, 50, 51, 200, 1_900] {
        for text in nested(depth) {
            let error = Selection::compile(Some(&text), None, &things()).err().map(|error| error.message);
            assert!(depth > 14 || error.is_none(), "{depth}: {text}: {error:?}");
            assert!(depth < 33 || error.is_some(), "{depth}: {text}");
        }
    }
    assert_eq!(error(Some(&nested(20)[4]), None).message, "more than 16 brackets are nested here");
    assert_eq!(error(Some(&nested(200)[0]), None).message, "this expression is nested more than 32 levels deep");
}

#[test]
fn chains_of_conditions_can_be_long() {
    for (operand, operator, length) in [
        ("count = 1", " OR ", 1_000),
        ("label LIKE '%a'", " OR ", 1_000),
        ("(count = 1 OR level > 3)", " AND ", 400),
        ("count = 1 AND level > abs(3)", " OR ", 300),
    ] {
        let text = vec![operand; length].join(operator);
        assert!(passes(
            &text,
            &probe(&[("count", Value::Int(1)), ("label", Value::from("a")), ("level", Value::Float(9.0))])
        ));
    }
    let long = error(Some(&vec!["count = 1"; 20_000].join(" OR ")), None);
    assert_eq!(long.to_string(), "where:1:13001: this text has more than 4000 words (use IN for long lists)");
}

#[test]
fn without_texts_everything_is_taken_as_it_is() {
    let mut selection = compiled(None, None);
    assert_eq!(selection.apply(&[&alarm(1), &command()]), [Verdict::Pass(None), Verdict::Pass(None)]);
    assert_eq!(selection.apply(&[]), []);
}

#[test]
fn a_selection_can_move_to_another_thread() {
    let mut selection = compiled(Some("level > 1"), None);
    let verdicts = std::thread::spawn(move || selection.apply(&[&probe(&[("level", Value::Float(2.0))])]));
    assert_eq!(verdicts.join().expect("no panic"), [Verdict::Pass(None)]);
}
