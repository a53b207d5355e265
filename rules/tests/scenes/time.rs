//! Time: held, delay, cooldown, cron, times of day, and clocks that jump.

use super::site::{Site, at};
use edgeway_sdk::{Quality, Value};
use edgeway_thing_models::Online;
use std::time::Duration;

const NOTHING: [&str; 0] = [];

fn held(condition: &str) -> Site {
    Site::new(&format!("scene(\"s\").when(held({condition}, \"10m\")).then([notify(\"x\", \"yes\")]);"))
}

#[test]
fn held_fires_once_when_the_time_is_full() {
    let mut site = held("prop(\"wt-01\", \"wind_speed\") > 10");
    site.report("wt-01", "wind_speed", 5.0);
    site.report("wt-01", "wind_speed", 12.0);
    site.advance("9m 59s");
    site.report("wt-01", "wind_speed", 13.0);
    assert_eq!(site.done(), NOTHING);
    site.advance("1s");
    assert_eq!(site.done(), ["x: yes"]);
    site.report("wt-01", "wind_speed", 14.0);
    site.advance("1h");
    assert_eq!(site.done(), NOTHING);
}

#[test]
fn held_starts_over_after_a_known_false() {
    let mut site = held("prop(\"wt-01\", \"wind_speed\") > 10");
    site.report("wt-01", "wind_speed", 12.0);
    site.advance("9m");
    site.report("wt-01", "wind_speed", 5.0);
    site.report("wt-01", "wind_speed", 12.0);
    site.advance("9m");
    assert_eq!(site.done(), NOTHING);
    site.advance("1m");
    assert_eq!(site.done(), ["x: yes"]);
}

#[test]
fn a_blink_neither_loses_nor_gains_time() {
    let mut site = held("prop(\"wt-01\", \"wind_speed\") > 10");
    site.report("wt-01", "wind_speed", 12.0);
    site.advance("6m");
    site.report_quality("wt-01", "wind_speed", Value::Null, Quality::BadTimeout);
    site.advance("30m");
    assert_eq!(site.done(), NOTHING);
    site.report("wt-01", "wind_speed", 12.0);
    site.advance("3m 59s");
    assert_eq!(site.done(), NOTHING);
    site.advance("1s");
    assert_eq!(site.done(), ["x: yes"]);
    site.report_quality("wt-01", "wind_speed", 12.0, Quality::Stale);
    site.report("wt-01", "wind_speed", 12.0);
    site.advance("1h");
    assert_eq!(site.done(), NOTHING);
}

#[test]
fn held_works_for_devices_for_joined_conditions_and_inside_itself() {
    let mut site = held("!is_online(\"wt-01\")");
    site.turn("wt-01", Online::Offline);
    site.advance("10m");
    assert_eq!(site.done(), ["x: yes"]);

    let mut site = held("all([prop(\"wt-01\", \"wind_speed\") > 10, held(prop(\"wt-01\", \"state\") == 2, \"5m\")])");
    site.report("wt-01", "wind_speed", 12.0);
    site.report("wt-01", "state", 2);
    site.advance("14m 59s");
    assert_eq!(site.done(), NOTHING);
    site.advance("1s");
    assert_eq!(site.done(), ["x: yes"]);
}

#[test]
fn held_as_a_condition_knows_how_long_it_has_been_true() {
    let mut site =
        Site::new(r#"scene("s").only_if(held(prop("wt-01", "wind_speed") > 10, "10m")).then([notify("x", "yes")]);"#);
    site.report("wt-01", "wind_speed", 12.0);
    site.advance("9m");
    assert!(site.scenes.run(site.now, "s", &mut site.effects).is_err());
    site.advance("1m");
    assert!(site.scenes.run(site.now, "s", &mut site.effects).is_ok());
}

#[test]
fn what_is_due_is_done_before_a_late_report() {
    let mut site = held("prop(\"wt-01\", \"wind_speed\") > 10");
    site.report("wt-01", "wind_speed", 12.0);
    site.now = site.now + Duration::from_secs(601);
    site.report("wt-01", "wind_speed", 5.0);
    assert_eq!(site.done(), ["x: yes"]);
}

#[test]
fn silence_is_a_trigger() {
    let mut site =
        Site::new(r#"scene("s").when(!fresh(prop("wt-01", "wind_speed"), "5m")).then([notify("x", "silent")]);"#);
    site.advance("1h");
    assert_eq!(site.done(), NOTHING);
    site.report("wt-01", "wind_speed", 5.0);
    site.advance("4m");
    site.report("wt-01", "wind_speed", 5.0);
    site.advance("5m");
    assert_eq!(site.done(), NOTHING);
    site.advance("1s");
    assert_eq!(site.done(), ["x: silent"]);
}

#[test]
fn delays_follow_each_other() {
    let mut site = Site::new(r#"scene("s").then([delay("1s"), notify("x", "a"), delay("2h"), notify("x", "b")]);"#);
    site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    site.advance("1s");
    assert_eq!(site.done(), ["x: a"]);
    assert!(!site.scenes.is_idle());
    site.advance("2h");
    assert_eq!(site.done(), ["x: b"]);
    assert!(site.scenes.is_idle());
}

fn slow(mode: &str) -> Site {
    Site::new(&format!(
        "scene(\"s\").mode(\"{mode}\").when(event(\"wt-01\", \"alarm\")).then([notify(\"x\", \"a\"), delay(\"1m\"), notify(\"x\", \"b\")]);"
    ))
}

#[test]
fn single_lets_the_running_one_finish_and_restart_ends_it() {
    let mut site = slow("single");
    site.happen("wt-01", "alarm");
    site.advance("30s");
    site.happen("wt-01", "alarm");
    site.advance("30s");
    assert_eq!(site.done(), ["x: a", "x: b"]);
    assert_eq!(site.verdicts("s"), ["running", "fired"]);

    let mut site = slow("restart");
    site.happen("wt-01", "alarm");
    site.advance("30s");
    site.happen("wt-01", "alarm");
    assert_eq!(site.done(), ["x: a", "x: a"]);
    site.advance("59s");
    assert_eq!(site.done(), NOTHING);
    site.advance("1s");
    assert_eq!(site.done(), ["x: b"]);
    assert!(site.why("s").contains("a run that was still going on ended"), "{}", site.why("s"));
}

#[test]
fn cooldown_counts_from_the_firing() {
    let mut site = Site::new(r#"scene("s").cooldown("30s").when(event("wt-01", "alarm")).then([notify("x", "yes")]);"#);
    for (wait, fires) in [("1ms", true), ("29s", false), ("1s", true)] {
        site.advance(wait);
        site.happen("wt-01", "alarm");
        assert_eq!(site.done().len(), usize::from(fires), "{wait}");
    }
    assert_eq!(site.verdicts("s"), ["fired", "cooling", "fired"]);
}

fn cron_at(start: &str, pattern: &str) -> Site {
    Site::starting_at(start, &format!("scene(\"s\").when(cron(\"{pattern}\")).then([notify(\"x\", \"yes\")]);"))
}

#[test]
fn cron_follows_the_clocks_of_the_site() {
    // A Friday in Berlin: the next working day is Monday.
    let mut site = cron_at("2026-11-20T06:59:59+01:00", "0 7 * * 1-5");
    assert_eq!(site.scenes.next_wake(), Some(at("2026-11-20T07:00:00+01:00")));
    site.advance("1s");
    assert_eq!(site.done(), ["x: yes"]);
    assert_eq!(site.scenes.next_wake(), Some(at("2026-11-23T07:00:00+01:00")));
}

#[test]
fn a_time_that_the_spring_leaves_out_comes_right_after_the_gap_and_once() {
    let mut site = cron_at("2026-03-29T00:00:00+01:00", "30 2 * * *");
    assert_eq!(site.scenes.next_wake(), Some(at("2026-03-29T03:00:00+02:00")));
    site.advance("20h");
    assert_eq!(site.done(), ["x: yes"]);
    assert_eq!(site.scenes.next_wake(), Some(at("2026-03-30T02:30:00+02:00")));
}

#[test]
fn a_time_that_the_autumn_brings_twice_comes_once() {
    let mut site = cron_at("2026-10-25T00:00:00+02:00", "30 2 * * *");
    assert_eq!(site.scenes.next_wake(), Some(at("2026-10-25T02:30:00+02:00")));
    site.advance("20h");
    assert_eq!(site.done(), ["x: yes"]);
}

#[test]
fn every_quarter_of_an_hour_comes_through_a_change_of_clocks() {
    let mut site = cron_at("2026-10-25T01:00:00+02:00", "*/15 * * * *");
    site.advance("4h");
    assert_eq!(site.done().len(), 16);
}

#[test]
fn seven_oclock_stays_seven_oclock_when_the_clocks_change() {
    let mut site = cron_at("2026-03-28T08:00:00+01:00", "0 7 * * *");
    assert_eq!(site.scenes.next_wake(), Some(at("2026-03-29T07:00:00+02:00")));
    site.advance("23h");
    assert_eq!(site.done(), ["x: yes"]);
}

#[test]
fn a_cron_that_nobody_woke_up_for_is_missed_not_made_up_for() {
    let mut site = cron_at("2026-11-20T06:00:00+01:00", "0 7 * * *");
    site.jump(at("2026-11-22T09:00:00+01:00"));
    assert_eq!(site.done(), NOTHING);
    assert_eq!(site.verdicts("s"), ["missed"]);
    assert_eq!(site.scenes.next_wake(), Some(at("2026-11-23T07:00:00+01:00")));
    site.jump(at("2026-11-23T07:04:59+01:00"));
    assert_eq!(site.done(), ["x: yes"]);
}

#[test]
fn time_between_goes_over_midnight_and_is_a_trigger_too() {
    let text = r#"scene("s").only_if(time_between("22:00", "06:00")).then([notify("x", "yes")]);"#;
    for (time, holds) in [("21:59:59", false), ("22:00:00", true), ("05:59:59", true), ("06:00:00", false)] {
        let mut site = Site::starting_at(&format!("2026-08-01T{time}+02:00"), text);
        assert_eq!(site.scenes.run(site.now, "s", &mut site.effects).is_ok(), holds, "{time}");
    }
    let text = r#"scene("s").when(time_between("22:00", "06:00")).then([notify("x", "yes")]);"#;
    let mut site = Site::starting_at("2026-08-01T21:00:00+02:00", text);
    site.advance("59m 59s");
    assert_eq!(site.done(), NOTHING);
    site.advance("1s");
    assert_eq!(site.done(), ["x: yes"]);
    site.advance("48h");
    assert_eq!(site.done(), ["x: yes", "x: yes"]);
}

#[test]
fn a_clock_that_jumps_back_neither_stalls_a_delay_nor_runs_it_twice() {
    let mut site = Site::new(r#"scene("s").then([delay("10m"), notify("x", "yes")]);"#);
    site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    site.advance("4m");
    site.back(Duration::from_secs(365 * 24 * 3600));
    assert_eq!(site.scenes.next_wake(), Some(site.now + Duration::from_secs(6 * 60)));
    site.advance("5m 59s");
    assert_eq!(site.done(), NOTHING);
    site.advance("1s");
    assert_eq!(site.done(), ["x: yes"]);
    site.advance("1h");
    assert_eq!(site.done(), NOTHING);
}

#[test]
fn a_held_and_a_cooldown_go_on_after_a_jump_back() {
    let mut site = held("prop(\"wt-01\", \"wind_speed\") > 10");
    site.report("wt-01", "wind_speed", 12.0);
    site.advance("9m");
    site.back(Duration::from_secs(3600));
    site.advance("1m");
    assert_eq!(site.done(), ["x: yes"]);

    let mut site = Site::new(r#"scene("s").cooldown("30s").when(event("wt-01", "alarm")).then([notify("x", "yes")]);"#);
    site.happen("wt-01", "alarm");
    site.back(Duration::from_secs(3600));
    site.advance("30s");
    site.happen("wt-01", "alarm");
    assert_eq!(site.done(), ["x: yes", "x: yes"]);
}

#[test]
fn a_cron_does_not_repeat_after_an_hour_back_and_does_not_stall_after_years_back() {
    let mut site = cron_at("2026-11-20T06:00:00+01:00", "0 7 * * *");
    site.advance("1h 30m");
    site.back(Duration::from_secs(3600));
    site.advance("12h");
    assert_eq!(site.done(), ["x: yes"]);

    let mut site = cron_at("2040-01-01T00:00:00+01:00", "0 7 * * *");
    site.jump(at("2026-11-20T06:00:00+01:00"));
    site.advance("1h");
    assert_eq!(site.done(), ["x: yes"]);
}

#[test]
fn a_night_is_not_lost_when_the_clock_jumps_back_over_its_start() {
    let text = r#"scene("s").when(time_between("22:00", "06:00")).then([notify("x", "yes")]);"#;
    let mut site = Site::starting_at("2026-08-01T21:00:00+02:00", text);
    site.advance("2h");
    site.jump(at("2026-07-01T12:00:00+02:00"));
    site.done();
    site.advance("12h");
    assert_eq!(site.done(), ["x: yes"]);
}
