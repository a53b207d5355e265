//! Scenes exchanged for others while they run.

use super::site::{Site, load};
use edgeway_rules::{Effect, Restored};
use edgeway_thing_models::CommandState;

fn exchange(site: &mut Site, text: &str) -> Restored {
    let (mut new, _) = load(text).expect("no mistake");
    std::mem::swap(&mut site.scenes, &mut new);
    site.scenes.take_over(site.now, new, &mut site.effects)
}

const SLOW: &str = r#"scene("slow").then([notify("x", "begin"), delay("10s"), notify("x", "end")]);"#;

#[test]
fn a_run_goes_on_in_a_scene_that_has_not_changed() {
    let mut site = Site::new(SLOW);
    site.run("slow");
    site.advance("4s");
    let other = r#"scene("new").when(event("wt-01", "alarm")).then([notify("x", "new")]);"#;
    let restored = exchange(&mut site, &format!("// A line more.\n{other}\n{SLOW}"));
    assert_eq!(restored.resumed.iter().map(|name| &**name).collect::<Vec<_>>(), ["slow"]);
    site.advance("6s");
    assert_eq!(site.done(), ["x: begin", "x: end"]);
    site.happen("wt-01", "alarm");
    assert_eq!(site.done(), ["x: new"]);
}

#[test]
fn a_run_that_waits_for_a_device_and_those_that_queue_behind_it_go_on_too() {
    let text = r#"scene("s").when(event("wt-01", "alarm")).mode("queue")
        .then([invoke("wt-01", "reset"), wait_for(prop("wt-01", "wind_speed") > 5, "1h"), notify("x", "end")]);"#;
    let mut site = Site::new(text);
    site.answer = None;
    site.happen("wt-01", "alarm");
    site.happen("wt-01", "alarm");
    let command = site.effects.iter().find(|effect| matches!(effect, Effect::Command { .. })).expect("sent").clone();
    let before = r#"scene("a").priority(5).when(event("wt-02", "alarm")).then([notify("x", "other")]);"#;
    exchange(&mut site, &format!("{before}\n{text}"));
    let Effect::Command { id, .. } = &command else { panic!("{command:?}") };
    site.answer_with(&command, id, CommandState::Applied { result: None });
    site.answer = Some(CommandState::Applied { result: None });
    exchange(&mut site, text);
    assert_eq!(site.done(), ["wt-01.reset()"]);
    site.report("wt-01", "wind_speed", 9.0);
    assert_eq!(site.done(), ["x: end", "wt-01.reset()", "x: end"]);
}

#[test]
fn a_run_of_a_scene_that_has_changed_ends_or_begins_again_as_its_author_says() {
    let mut site = Site::new(SLOW);
    site.run("slow");
    let restored = exchange(&mut site, &SLOW.replace("\"end\"", "\"END\""));
    assert_eq!(restored.abandoned, [("slow".into(), "the scene has changed".to_owned())]);
    assert_eq!(site.verdicts("slow"), ["abandoned"]);
    site.advance("1m");
    assert_eq!(site.done(), ["x: begin"]);

    let again = r#"scene("slow").on_update("restart").then([notify("x", "BEGIN"), delay("10s"), notify("x", "END")]);"#;
    let mut site = Site::new(SLOW);
    site.run("slow");
    exchange(&mut site, again);
    site.advance("10s");
    assert_eq!(site.done(), ["x: begin", "x: BEGIN", "x: END"]);
}

#[test]
fn clocks_edges_values_cooldowns_and_switches_go_on() {
    let text = r#"
        scene("windy").when(held(prop("wt-01", "wind_speed") > 10, "10m")).then([notify("x", "windy")]);
        scene("hot").when(prop("room-301", "temperature") > 28).then([notify("x", "hot")]);
        scene("alarm").when(event("wt-01", "alarm")).cooldown("1m").then([notify("x", "alarm")]);
        scene("limit").when(changed(prop("wt-01", "power_limit"))).then([notify("x", "limit")]);
        scene("off").when(event("wt-01", "alarm")).then([notify("x", "never")]);
    "#;
    let mut site = Site::new(text);
    site.scenes.switch("off", false).expect("it is there");
    site.report("wt-01", "wind_speed", 12.0);
    site.report("wt-01", "power_limit", 3000);
    site.report("room-301", "temperature", 20.0);
    site.happen("wt-01", "alarm");
    site.advance("30s");
    assert_eq!(site.done(), ["x: alarm"]);
    let restored = exchange(&mut site, text);
    assert_eq!(restored, Restored::default());
    site.happen("wt-01", "alarm");
    assert_eq!(site.done(), [""; 0], "it cools down still, and the other is off still");
    site.report("room-301", "temperature", 30.0);
    site.report("wt-01", "power_limit", 2000);
    assert_eq!(site.done(), ["x: hot", "x: limit"]);
    site.advance("9m 29s");
    assert_eq!(site.done(), [""; 0]);
    site.advance("1s");
    assert_eq!(site.done(), ["x: windy"]);
    assert_eq!(site.scenes.list()[0].fired, 1, "counters too");
}

#[test]
fn a_switch_is_kept_though_it_was_not_yet_kept_when_the_scenes_were_exchanged() {
    let text = r#"scene("s").when(event("wt-01", "alarm")).then([notify("x", "y")]);"#;
    let mut site = Site::new(text);
    site.scenes.switch("s", false).expect("it is there");
    exchange(&mut site, text);
    let kept: Vec<(String, Vec<u8>)> =
        site.scenes.changes().into_iter().filter_map(|change| Some((change.key, change.value?))).collect();
    let (mut again, _) = load(text).expect("no mistake");
    assert_eq!(again.restore(site.now, kept), Restored::default());
    assert_eq!(again.list()[0].off.as_deref(), Some("switched off"));
}

#[test]
fn a_run_begins_again_in_the_block_that_it_was_in_and_not_days_late() {
    let text = |word: &str| {
        format!(
            r#"scene("s").on_update("restart").resume_within("1m").only_if(prop("wt-01", "wind_speed") > 5)
                .then([set("wt-01", "power_limit", 100)]).otherwise([notify("x", "{word}"), delay("1h"), notify("x", "late")]);"#
        )
    };
    let mut site = Site::new(&text("one"));
    site.run("s");
    exchange(&mut site, &text("two"));
    assert_eq!(site.done(), ["x: one", "x: two"]);

    let kept = |site: &mut Site| -> Vec<(String, Vec<u8>)> {
        let changes = site.scenes.last_changes(site.now).into_iter();
        changes.filter_map(|change| Some((change.key, change.value?))).collect()
    };
    let mut site = Site::new(&text("one"));
    site.run("s");
    let entries = kept(&mut site);
    let (mut later, _) = load(&text("two")).expect("no mistake");
    let now = site.now + std::time::Duration::from_secs(3 * 24 * 3600);
    let mut out = vec![];
    later.restore(now, entries);
    later.start(now, &mut out);
    assert_eq!(out, [], "three days are more than a minute");
}

#[test]
fn a_clock_that_was_set_back_lets_nobody_sleep_longer_or_write_unseen() {
    let text = r#"scene("tell").then([delay("3s"), notify("x", "told")]);
        scene("write").resume_within("1h").then([delay("3s"), set("wt-01", "power_limit", 100)]);"#;
    let mut site = Site::new(text);
    site.run("tell");
    site.run("write");
    let entries: Vec<(String, Vec<u8>)> =
        site.scenes.last_changes(site.now).into_iter().filter_map(|change| Some((change.key, change.value?))).collect();
    let (mut before, _) = load(text).expect("no mistake");
    let restored = before.restore(edgeway_sdk::Timestamp::from_secs(0), entries);
    assert_eq!(restored.resumed, Vec::<std::sync::Arc<str>>::new());
    assert!(restored.abandoned[0].1.contains("the clock shows an earlier time"), "{restored:?}");
}

#[test]
fn who_comes_first_and_how_much_was_fired_is_known_after_an_exchange() {
    let text = r#"scene("fire").priority(9).when(event("wt-01", "alarm")).then([set("room-301", "ac_power", false), delay("1h")]);
        scene("guest").when(event("wt-02", "alarm")).then([set("room-301", "ac_power", true)]);"#;
    let mut site = Site::new(text);
    site.happen("wt-01", "alarm");
    let before = site.scenes.counters();
    exchange(&mut site, &format!("{text}\nscene(\"a\").when(site_starts()).then([notify(\"x\", \"y\")]);"));
    site.happen("wt-02", "alarm");
    assert_eq!(site.done(), ["room-301.ac_power = false"], "the fire is not over");
    exchange(&mut site, "");
    assert_eq!(site.scenes.counters().firings, before.firings + 1, "what is gone has fired all the same");
}

#[test]
fn what_a_person_has_put_into_shadow_stays_there() {
    let text = r#"scene("s").when(event("wt-01", "alarm")).then([set("wt-01", "power_limit", 100)]);"#;
    let mut site = Site::new(text);
    site.scenes.set_shadow("s", true).expect("it is there");
    exchange(&mut site, text);
    site.happen("wt-01", "alarm");
    assert_eq!(site.done(), [""; 0]);
    let scene = &site.scenes.list()[0];
    assert_eq!((scene.shadow, scene.fired, scene.would_have_fired), (true, 0, 1));
    assert!(site.why("s").contains("shadow  set wt-01.power_limit = 100 kW  not sent"), "{}", site.why("s"));
    site.scenes.set_shadow("s", false).expect("it is there");
    site.happen("wt-01", "alarm");
    assert_eq!(site.done(), ["wt-01.power_limit = 100"]);
}
