//! Results of tests as JUnit XML, which every CI reads.

use super::Tested;
use crate::cli::queries::Failure;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::path::Path;

pub(super) fn write(file: &Path, tests: &[Tested]) -> Result<(), Failure> {
    let text = xml(tests).map_err(|error| error.to_string())?;
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn xml(tests: &[Tested]) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(vec![], b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer.create_element("testsuites").write_inner_content(|writer| {
        for suite in ["scenes", "queries"] {
            let tests: Vec<&Tested> = tests.iter().filter(|test| test.suite == suite).collect();
            if !tests.is_empty() {
                write_suite(writer, suite, &tests)?;
            }
        }
        Ok(())
    })?;
    let mut text = writer.into_inner();
    text.push(b'\n');
    Ok(text)
}

fn write_suite(writer: &mut Writer<Vec<u8>>, suite: &str, tests: &[&Tested]) -> std::io::Result<()> {
    let failures = tests.iter().filter(|test| test.failed.is_some()).count().to_string();
    let count = tests.len().to_string();
    let attributes = [("name", suite), ("tests", count.as_str()), ("failures", failures.as_str())];
    writer
        .create_element("testsuite")
        .with_attributes(attributes)
        .write_inner_content(|writer| tests.iter().try_for_each(|test| write_case(writer, test)))?;
    Ok(())
}

fn write_case(writer: &mut Writer<Vec<u8>>, test: &Tested) -> std::io::Result<()> {
    let attributes = [("name", test.name.as_str()), ("classname", test.suite), ("file", test.place.as_str())];
    let case = writer.create_element("testcase").with_attributes(attributes);
    let Some(message) = &test.failed else { return case.write_empty().map(drop) };
    let first = message.lines().next().unwrap_or_default();
    case.write_inner_content(|writer| {
        writer
            .create_element("failure")
            .with_attribute(("message", first))
            .write_text_content(BytesText::new(message))?;
        Ok(())
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_messages_are_escaped_and_counted() {
        let test = |name: &str, failed: Option<&str>| Tested {
            suite: "scenes",
            name: name.into(),
            place: "scenes/a_test.rhai:3".into(),
            note: String::new(),
            failed: failed.map(str::to_owned),
        };
        let text =
            xml(&[test("over 28 °C & \"dry\"", None), test("b", Some("expected <a>\nbut got b"))]).expect("writes");
        let text = String::from_utf8(text).expect("UTF-8");
        assert_eq!(
            text,
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="scenes" tests="2" failures="1">
    <testcase name="over 28 °C &amp; &quot;dry&quot;" classname="scenes" file="scenes/a_test.rhai:3"/>
    <testcase name="b" classname="scenes" file="scenes/a_test.rhai:3">
      <failure message="expected &lt;a&gt;">expected &lt;a&gt;
but got b</failure>
    </testcase>
  </testsuite>
</testsuites>
"#
        );
    }
}
