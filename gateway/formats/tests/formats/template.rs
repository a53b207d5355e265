//! Templates.

use crate::{encoded, gathering, refused, sample, text};
use edgeway_formats::{Format, check_template};
use edgeway_site::FormatSite;

fn template(text: &str) -> Box<dyn Format> {
    gathering(&FormatSite::Template { text: text.into(), content_type: "text/x-line".into() })
}

fn rendered(source: &str) -> String {
    text(&encoded(&mut *template(source), &[sample::item(1, sample::full_report())])[0]).to_owned()
}

fn unfit(source: &str) -> String {
    refused(&mut *template(source), &sample::item(1, sample::full_report()))
}

#[test]
fn values_are_written_as_they_are_and_numbers_keep_their_digits() {
    assert_eq!(rendered("{{ message.values.note.value }}"), "say \"hi\", <ö>\nagain");
    assert_eq!(rendered("{{ message.values.flow.value }}"), "7.1");
    assert_eq!(
        rendered("{{ message.values.position.value|tojson }}"),
        r#"{"lat": 52.5, "sheltered": true, "since": 1700000000000}"#
    );
}

#[test]
fn a_template_with_a_mistake_is_named_by_line_before_it_runs() {
    assert_eq!(check_template("{{ message.device }}"), Ok(()));
    let mistake = check_template("a\n{% if message %}").expect_err("an open block");
    assert!(mistake.starts_with("line 2: syntax error"), "{mistake}");
    assert_eq!(unfit("a\n{% if message %}"), mistake);
}

#[test]
fn a_name_that_is_not_there_makes_the_message_unfit_and_can_be_asked_for() {
    assert_eq!(unfit("\n\n{{ message.devize }}"), "line 3: undefined value");
    assert_eq!(rendered("{{ message.devize|default('-') }}{% if message.devize is defined %}x{% endif %}"), "-");
    assert!(unfit("{{ message|nonsense }}").contains("unknown filter"), "{}", unfit("{{ message|nonsense }}"));
}

#[test]
fn a_template_can_neither_hang_nor_fill_the_memory() {
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}";
    assert!(unfit(endless).contains("fuel"), "{}", unfit(endless));
    let doubling = "{% set ns = namespace(x='x') %}{% for a in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}";
    assert!(unfit(doubling).contains("fuel"), "{}", unfit(doubling));
}

#[test]
fn messages_of_one_payload_stand_on_lines_of_their_own() {
    let items = [sample::item(1, sample::leak()), sample::item(2, sample::row())];
    let payloads = encoded(&mut *template("{{ message.subject }}"), &items);
    assert_eq!(text(&payloads[0]), "event/big-pump/pump-1/leak\nstream/mean_flow");
}
