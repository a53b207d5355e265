use super::*;
use crate::config::ColumnType;
use std::io::Write;

fn column(name: &str) -> Column {
    Column { name: name.into(), quality: None, column_type: ColumnType::Auto, missing: Missing::Bad }
}

fn options(file: &Path, more: serde_json::Value) -> ReplayOptions {
    let mut options = more;
    options["file"] = file.to_str().expect("UTF-8").into();
    serde_json::from_value(options).expect("valid")
}

/// What comes of a CSV file for these points of device 0.
fn play(text: &str, more: serde_json::Value, columns: &[Column]) -> Result<Recording, Error> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("recording.csv");
    std::fs::File::create(&file).and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
    let points = (0..).map(PointIx).zip(columns).map(|(point, column)| (point, DeviceIx(0), column.clone())).collect();
    let devices = HashMap::from([("wt-07".to_owned(), DeviceIx(0))]);
    read(&options(&file, more), &Wanted { points, devices })
}

fn values(recording: &Recording) -> Vec<(i64, Vec<(Value, Quality)>)> {
    let of = |row: &Row| row.values.iter().map(|(_, value, quality)| (value.clone(), *quality)).collect();
    recording.rows.iter().map(|row| (row.time.as_millis(), of(row))).collect()
}

const GOOD: Quality = Quality::Good;

#[test]
fn rows_become_values_in_the_order_of_time() {
    let text = "time,power,state\n2000, 7.5 ,on\n1000,7,off\n";
    let recording = play(text, serde_json::json!({}), &[column("power"), column("state")]).expect("valid");
    assert_eq!(
        values(&recording),
        [
            (1000, vec![(Value::Int(7), GOOD), ("off".into(), GOOD)]),
            (2000, vec![(Value::Float(7.5), GOOD), ("on".into(), GOOD)]),
        ]
    );
    assert_eq!(recording.mistakes, Mistakes::default());
}

#[test]
fn what_cannot_be_used_is_counted_named_and_never_a_value() {
    let text = "time,power\n1000,1\nnever,2\n3000\n4000,broken\n5000,\n6000,6\n";
    let number = Column { column_type: ColumnType::Number, ..column("power") };
    let recording = play(text, serde_json::json!({}), &[number]).expect("valid");
    let bad = |time| (time, vec![(Value::Null, Quality::Bad)]);
    let good = |time, value| (time, vec![(Value::Int(value), GOOD)]);
    assert_eq!(values(&recording), [good(1000, 1), bad(4000), bad(5000), good(6000, 6)]);
    let told = [
        "line 3: `time` is `never`, which is no time",
        "line 4: 1 cells, where the first line has 2",
        "line 5: `power` is `broken`, which is no number",
    ];
    let told = told.map(str::to_owned).to_vec();
    assert_eq!(recording.mistakes, Mistakes { rows: 2, cells: 1, told });
}

#[test]
fn an_empty_cell_can_mean_that_nothing_is_new() {
    let keep = Column { missing: Missing::Keep, ..column("power") };
    let recording = play("time,power\n1000,1\n2000,\n3000,3\n", serde_json::json!({}), &[keep]).expect("valid");
    let times: Vec<i64> = recording.rows.iter().map(|row| row.time.as_millis()).collect();
    assert_eq!(times, [1000, 3000]);
}

#[test]
fn a_column_of_qualities_says_how_far_a_value_is_to_be_trusted() {
    let text = "time,power,power_quality\n1000,1,good\n2000,2,stale\n3000,3,bad:timeout\n4000,4,\n5000,5,fine\n";
    let with_quality = Column { quality: Some("power_quality".into()), ..column("power") };
    let recording = play(text, serde_json::json!({}), &[with_quality]).expect("valid");
    assert_eq!(
        values(&recording),
        [
            (1000, vec![(Value::Int(1), GOOD)]),
            (2000, vec![(Value::Int(2), Quality::Stale)]),
            (3000, vec![(Value::Null, Quality::BadTimeout)]),
            (5000, vec![(Value::Null, Quality::Bad)]),
        ]
    );
    assert_eq!(recording.mistakes.told, ["line 6: `power_quality` is `fine`, which is no quality"]);
}

#[test]
fn rows_of_other_devices_are_passed_over() {
    let text = "ts,device,power\n1,wt-06,1\n2,wt-07,2\n3,,3\n";
    let more = serde_json::json!({"time": "ts", "time_unit": "s", "device": "device"});
    let recording = play(text, more, &[column("power")]).expect("valid");
    assert_eq!(values(&recording), [(2000, vec![(Value::Int(2), GOOD)])]);
    assert_eq!(recording.mistakes.told, ["line 4: `device` is empty"]);
}

#[test]
fn a_file_that_does_not_fit_says_what_it_lacks() {
    let error = play("when,powr\n1,2\n", serde_json::json!({}), &[column("power"), column("state")]);
    let reason = error.expect_err("two columns are lacking").to_string();
    assert!(
        reason.ends_with(
            "recording.csv: there is no column `time` (one of `when`, `powr`); there is no column `power` (did you mean \
             `powr`?); there is no column `state` (one of `when`, `powr`)"
        ),
        "{reason}"
    );
    let empty = play("time,power\n", serde_json::json!({}), &[column("power")]).expect_err("no rows");
    assert!(empty.to_string().ends_with("no row can be used"));
    let lacking = options(Path::new("/nowhere/at all.csv"), serde_json::json!({}));
    assert!(matches!(read(&lacking, &Wanted::default()), Err(Error::Unreadable { .. })));
}

#[test]
fn a_parquet_file_gives_the_same_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("recording.parquet");
    write_parquet(&file);
    let points = ["power", "count", "running", "label"].map(column);
    let points = (0..).map(PointIx).zip(points).map(|(point, column)| (point, DeviceIx(0), column)).collect();
    let devices = HashMap::from([("a".to_owned(), DeviceIx(0))]);
    let more = serde_json::json!({"device": "device"});
    let recording = read(&options(&file, more), &Wanted { points, devices }).expect("valid");
    let bad = (Value::Null, Quality::Bad);
    assert_eq!(
        values(&recording),
        [
            (1000, vec![(Value::Float(1.5), GOOD), (Value::Int(1), GOOD), (true.into(), GOOD), ("007".into(), GOOD)]),
            (3000, vec![bad.clone(), (Value::Int(3), GOOD), (false.into(), GOOD), bad]),
        ]
    );
}

/// Three rows, of which the second is of another device; the third lacks two cells.
fn write_parquet(file: &Path) {
    use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
    use ::parquet::file::writer::SerializedFileWriter;
    let schema = "message recording {
        required int64 time (TIMESTAMP(NANOS,true));
        required binary device (UTF8);
        optional double power;
        required int64 count;
        required boolean running;
        optional binary label (UTF8);
        required int32 unused;
    }";
    let schema = ::parquet::schema::parser::parse_message_type(schema).expect("a schema");
    let out = std::fs::File::create(file).expect("a file");
    let mut writer = SerializedFileWriter::new(out, schema.into(), Default::default()).expect("a writer");
    let mut rows = writer.next_row_group().expect("a row group");
    macro_rules! column {
        ($type:ty, $values:expr, $levels:expr) => {{
            let mut column = rows.next_column().expect("no error").expect("a column");
            column.typed::<$type>().write_batch($values, $levels, None).expect("written");
            column.close().expect("closed");
        }};
    }
    column!(Int64Type, &[1_000_000_000, 2_000_000_000, 3_000_000_000], None);
    column!(ByteArrayType, &["a", "b", "a"].map(ByteArray::from), None);
    column!(DoubleType, &[1.5, 2.5], Some(&[1, 1, 0]));
    column!(Int64Type, &[1, 2, 3], None);
    column!(BoolType, &[true, true, false], None);
    column!(ByteArrayType, &["007", "x"].map(ByteArray::from), Some(&[1, 1, 0]));
    column!(::parquet::data_type::Int32Type, &[0, 0, 0], None);
    rows.close().expect("closed");
    writer.close().expect("closed");
}
