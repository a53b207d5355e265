//! `route`.

use super::Session;
use super::error::ClientError;
use super::screen::Screen;
use super::table::{Cell, Tone, harmless};
use crate::api::{AccountView, RouteLedger, RouteList, RouteTest, RouteView, SeekBody, WITHIN_DEFAULT};
use reqwest::Method;

pub(super) async fn list(session: &Session) -> Result<(), ClientError> {
    let answer = session.client.get(&["routes"], &[]).await?;
    session.screen.show(&answer, |list: RouteList| route_table(&list.routes, session.screen))
}

pub(super) async fn stat(session: &Session, route: &str) -> Result<(), ClientError> {
    let answer = session.client.get(&["routes", route, "ledger"], &[]).await?;
    session.screen.show(&answer, |ledger: RouteLedger| ledger_table(&ledger, session.screen))
}

/// Pauses or resumes.
pub(super) async fn act(session: &Session, route: &str, what: &str) -> Result<(), ClientError> {
    let path = ["routes", route, what];
    let answer = session.client.command(Method::POST, &path, &serde_json::json!({}), WITHIN_DEFAULT).await?;
    session.screen.show(&answer, line)
}

pub(super) async fn seek(session: &Session, route: &str, to: String) -> Result<(), ClientError> {
    let path = ["routes", route, "seek"];
    let answer = session.client.command(Method::POST, &path, &SeekBody { to }, WITHIN_DEFAULT).await?;
    session.screen.show(&answer, line)
}

pub(super) async fn test(session: &Session, route: &str) -> Result<(), ClientError> {
    let path = ["routes", route, "test"];
    let answer = session.client.command(Method::POST, &path, &serde_json::json!({}), WITHIN_DEFAULT).await?;
    let mut reached = true;
    session.screen.show(&answer, |test: RouteTest| {
        reached = test.ok;
        let milliseconds = test.milliseconds;
        match test.reason {
            None => format!("{}: the target answers, after {milliseconds} ms\n", harmless(&test.route)),
            Some(reason) => format!("{}: {}\n", harmless(&test.route), harmless(&reason)),
        }
    })?;
    if reached { Ok(()) } else { Err(ClientError::NotReached) }
}

fn line(route: RouteView) -> String {
    format!("{}: {}, {} queued\n", harmless(&route.name), route.state, route.account.queued)
}

pub(super) fn route_table(routes: &[RouteView], screen: Screen) -> String {
    let tone = |route: &RouteView| match route.state.as_str() {
        "connected" => Tone::Good,
        "denied" => Tone::Bad,
        _ => Tone::Doubtful,
    };
    let row = |route: &RouteView| {
        let AccountView { delivered, queued, expired, dropped, dead, .. } = route.account;
        vec![
            Cell::text(&route.name),
            Cell::text(&route.target),
            Cell::text(&route.state).tone(tone(route)),
            Cell::number(delivered),
            Cell::number(queued),
            Cell::number(expired),
            Cell::number(dropped).tone(bad(dropped)),
            Cell::number(dead).tone(bad(dead)),
            Cell::text(route.hours_left.map(hours).unwrap_or_default()),
            Cell::text(route.reason.as_deref().unwrap_or_default()),
        ]
    };
    let rows: Vec<_> = routes.iter().map(row).collect();
    let titles =
        ["route", "target", "state", "delivered", "queued", "expired", "dropped", "dead", "outage left", "reason"];
    screen.table(&titles, &rows)
}

fn ledger_table(ledger: &RouteLedger, screen: Screen) -> String {
    let row = |name: &str, account: &AccountView| {
        vec![
            Cell::text(name),
            Cell::number(account.taken),
            Cell::number(account.delivered),
            Cell::number(account.queued),
            Cell::number(account.expired),
            Cell::number(account.dropped).tone(bad(account.dropped)),
            Cell::number(account.dead).tone(bad(account.dead)),
        ]
    };
    let mut rows: Vec<_> = ledger.devices.iter().map(|(name, account)| row(name, account)).collect();
    rows.push(row("all", &ledger.total));
    screen.table(&["device", "taken", "delivered", "queued", "expired", "dropped", "dead"], &rows)
}

fn bad(count: u64) -> Tone {
    if count > 0 { Tone::Bad } else { Tone::Plain }
}

/// For how long the disk lasts, in words.
fn hours(hours: f64) -> String {
    match hours {
        0.0..1.0 => format!("{:.0} min", hours * 60.0),
        1.0..48.0 => format!("{hours:.1} h"),
        _ => format!("{:.0} d", hours / 24.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_shows_where_its_messages_are_and_how_long_the_disk_lasts() {
        let account = AccountView { taken: 10, delivered: 4, queued: 3, expired: 1, dropped: 2, dead: 0 };
        let route = RouteView {
            name: "telemetry".into(),
            target: "cloud".into(),
            state: "away".into(),
            connected: false,
            reason: Some("connection refused".into()),
            account,
            sent: 5,
            hours_left: Some(30.25),
        };
        let text = route_table(&[route], Screen::plain());
        let expected = "\
route      target  state  delivered  queued  expired  dropped  dead  outage left  reason
telemetry  cloud   away           4       3        1        2     0  30.2 h       connection refused
";
        assert_eq!(text, expected);
    }

    #[test]
    fn hours_are_told_in_the_unit_that_people_would_choose() {
        assert_eq!([0.5, 1.0, 50.0].map(hours), ["30 min", "1.0 h", "2 d"]);
    }
}
