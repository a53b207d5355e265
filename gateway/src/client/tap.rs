//! `tap`: messages as they are made, a line each.

use super::Session;
use super::error::ClientError;
use super::events::{EventReader, ServerEvent};
use super::screen::{Screen, parse};
use super::table::{Colours, harmless, paint};
use super::wording::{quality, value};
use crate::api::Lost;
use edgeway_sdk::Json;

/// Follows messages until the user has seen enough.
pub(super) async fn follow(session: &Session, filters: &[String]) -> Result<(), ClientError> {
    let query: Vec<_> = filters.iter().map(|filter| ("filter", filter.as_str())).collect();
    let mut answer = session.client.follow(&["messages", "live"], &query).await?;
    let mut reader = EventReader::default();
    loop {
        let bytes = tokio::select! {
            bytes = answer.chunk() => bytes,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        };
        let Ok(Some(bytes)) = bytes else { return Err(session.client.broken_off()) };
        reader.push(&bytes).into_iter().try_for_each(|event| show(&event, session.screen))?;
    }
}

fn show(event: &ServerEvent, screen: Screen) -> Result<(), ClientError> {
    match event.name.as_str() {
        "" => screen.message(&event.data, |message| line(message, screen.colours)),
        "lost" => {
            let lost: Lost = parse(event.data.as_bytes())?;
            eprintln!("warning: {} messages were left out here: {}", lost.count, lost.reason);
            Ok(())
        }
        // A later gateway may have more to say.
        _ => Ok(()),
    }
}

/// A message in one line: when, where, what.
fn line(message: &Json, colours: Colours) -> String {
    let text = |key: &str| message[key].as_str().unwrap_or_default();
    let time = text("time").get(11..).unwrap_or_else(|| text("time"));
    let subject = text("subject");
    let what = match subject.split('/').next() {
        Some("property") => report(&message["values"], colours),
        Some("event") => format!("{} {}", text("kind"), pairs(&message["output"])),
        Some("status") => format!("{} {}", text("state"), text("reason")),
        Some("stream") => pairs(&message["values"]),
        Some("scene") => text("cause").to_owned(),
        Some("command") => format!("{} {} {}", action(&message["action"]), text("state"), text("reason")),
        Some("notify") => text("text").to_owned(),
        Some("ledger") => format!(
            "{} messages lost: {} (offsets {} to {})",
            message["count"],
            text("reason"),
            message["from"],
            message["to"]
        ),
        _ => message.to_string(),
    };
    let plain = |text: &str| if colours == Colours::On { text.to_owned() } else { harmless(text) };
    format!("{}  {}  {}", harmless(time), harmless(subject), plain(what.trim_end()))
}

/// `wind_speed=7.1 m/s`, in the tone of its quality unless it is good.
fn report(values: &Json, colours: Colours) -> String {
    let one = |(name, seen): (&String, &Json)| {
        let text = |key: &str| seen[key].as_str().unwrap_or_default();
        let label = Some(text("label"))
            .filter(|label| !label.is_empty())
            .map(|label| format!(" ({label})"))
            .unwrap_or_default();
        let unit =
            Some(text("unit")).filter(|unit| !unit.is_empty()).map(|unit| format!(" {unit}")).unwrap_or_default();
        let shown = harmless(&format!("{name}={}{label}{unit}", value(&seen["value"])));
        match text("quality") {
            "good" => shown,
            other => paint(&format!("{shown} [{}]", harmless(other)), quality(other), colours),
        }
    };
    let all = values.as_object().into_iter().flatten().map(one);
    all.collect::<Vec<_>>().join("  ")
}

fn pairs(values: &Json) -> String {
    let all = values.as_object().into_iter().flatten().map(|(name, json)| format!("{name}={}", value(json)));
    harmless(&all.collect::<Vec<_>>().join("  "))
}

fn action(action: &Json) -> String {
    match action["invoke"].as_str() {
        Some(service) => format!("{service}({})", pairs(&action["input"])),
        None => pairs(&action["set"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_is_a_line() {
        let time = "2026-11-23T09:00:00.500Z";
        let cases = [
            (
                json!({"subject": "property/wind-turbine/wt-07", "time": time, "values": {
                    "active_power": {"value": null, "unit": "kW", "quality": "bad:timeout"},
                    "state": {"value": 2, "label": "production", "quality": "good"},
                    "wind_speed": {"value": 7.1, "unit": "m/s", "quality": "good"}}}),
                "property/wind-turbine/wt-07  active_power=- kW [bad:timeout]  state=2 (production)  wind_speed=7.1 m/s",
            ),
            (
                json!({"subject": "event/wt/a/alarm", "time": time, "kind": "alert", "output": {"code": 7}}),
                "event/wt/a/alarm  alert code=7",
            ),
            (
                json!({"subject": "status/wt/a", "time": time, "state": "offline", "reason": "timeout"}),
                "status/wt/a  offline timeout",
            ),
            (json!({"subject": "status/wt/a", "time": time, "state": "online", "reason": ""}), "status/wt/a  online"),
            (
                json!({"subject": "stream/power", "time": time, "values": {"avg": 1.5, "device": "a"}}),
                "stream/power  avg=1.5  device=a",
            ),
            (
                json!({"subject": "command/wt/a", "time": time, "action": {"set": {"power_limit": 9}},
                    "state": "failed", "reason": "no"}),
                "command/wt/a  power_limit=9 failed no",
            ),
            (
                json!({"subject": "command/wt/a", "time": time, "action": {"invoke": "stop", "input": {"mode": 0}},
                    "state": "applied"}),
                "command/wt/a  stop(mode=0) applied",
            ),
            (
                json!({"subject": "ledger/cloud", "time": time, "reason": "retention", "from": 1, "to": 9, "count": 9}),
                "ledger/cloud  9 messages lost: retention (offsets 1 to 9)",
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(line(&message, Colours::Off), format!("09:00:00.500Z  {expected}"));
        }
    }

    #[test]
    fn a_quality_that_is_not_good_has_a_colour_on_a_terminal() {
        let values = json!({"a": {"value": 1, "quality": "stale"}});
        assert_eq!(report(&values, Colours::On), "\x1b[33ma=1 [stale]\x1b[0m");
        assert_eq!(report(&values, Colours::Off), "a=1 [stale]");
    }
}
