//! `edgeway scene`, as far as it asks a running gateway.

use super::Session;
use super::error::ClientError;
use super::screen::{Screen, parse};
use super::table::{Cell, Tone, harmless};
use super::wording::age_of;
use crate::api::{DecisionList, SceneList, SceneReloadView, SceneView, ShownView, WITHIN_DEFAULT, WhyNotView, WhyView};
use crate::cli::{OnOff, SceneCommand};
use edgeway_sdk::Timestamp;
use reqwest::Method;
use std::time::Duration;

/// How often it is asked for what scenes have decided.
const FOLLOW_EVERY: Duration = Duration::from_millis(300);
/// Compiling takes a second for some thousand scenes.
const RELOAD_WITHIN: Duration = Duration::from_secs(60);

/// Asks what is asked. The commands that need no gateway have been carried out elsewhere.
pub(super) async fn ask(command: SceneCommand) -> Result<(), ClientError> {
    match command {
        SceneCommand::List { reach } => list(&Session::open(&reach)?).await,
        SceneCommand::Show { scene, reach } => show(&Session::open(&reach)?, &scene).await,
        SceneCommand::Why { scene, at, reach } => why(&Session::open(&reach)?, &scene, at.as_deref()).await,
        SceneCommand::WhyNot { scene, reach } => why_not(&Session::open(&reach)?, &scene).await,
        SceneCommand::Trace { scene, follow, reach } => trace(&Session::open(&reach)?, scene.as_deref(), follow).await,
        SceneCommand::Run { scene, reach } => run(&Session::open(&reach)?, &scene).await,
        SceneCommand::Shadow { scene, to, reach } => {
            let said = if to == OnOff::On { "is in shadow: it sends nothing" } else { "sends again" };
            switch(&Session::open(&reach)?, (&scene, "shadow"), to == OnOff::On, said).await
        }
        SceneCommand::Enable { scene, reach } => {
            switch(&Session::open(&reach)?, (&scene, "switch"), true, "is on").await
        }
        SceneCommand::Disable { scene, reach } => {
            switch(&Session::open(&reach)?, (&scene, "switch"), false, "is off").await
        }
        SceneCommand::Reload { reach } => reload(&Session::open(&reach)?).await,
        SceneCommand::Check { .. }
        | SceneCommand::Test { .. }
        | SceneCommand::Replay(_)
        | SceneCommand::Graph(_)
        | SceneCommand::Import { .. }
        | SceneCommand::Definitions => Ok(()),
    }
}

async fn list(session: &Session) -> Result<(), ClientError> {
    let answer = session.client.get(&["scenes"], &[]).await?;
    session.screen.show(&answer, |list: SceneList| table(&list.scenes, Timestamp::now(), session.screen))
}

async fn show(session: &Session, scene: &str) -> Result<(), ClientError> {
    let answer = session.client.get(&["scenes", scene], &[]).await?;
    session.screen.show(&answer, |shown: ShownView| lines(&shown.text))
}

async fn why(session: &Session, scene: &str, at: Option<&str>) -> Result<(), ClientError> {
    let query: Vec<(&str, &str)> = at.map(|at| ("at", at)).into_iter().collect();
    let answer = session.client.get(&["scenes", scene, "why"], &query).await?;
    session.screen.show(&answer, |why: WhyView| lines(&why.text))
}

async fn why_not(session: &Session, scene: &str) -> Result<(), ClientError> {
    let answer = session.client.get(&["scenes", scene, "why-not"], &[]).await?;
    session.screen.show(&answer, |why: WhyNotView| lines(&why.text))
}

/// The text is the site's own but for what devices have reported: line by line, so that line ends stay.
fn lines(text: &str) -> String {
    text.lines().map(|line| harmless(line) + "\n").collect()
}

async fn trace(session: &Session, scene: Option<&str>, follow: bool) -> Result<(), ClientError> {
    let mut after = 0u64;
    loop {
        let number = after.to_string();
        let scene = scene.map(|scene| ("scene", scene));
        let query: Vec<(&str, &str)> = [("after", number.as_str())].into_iter().chain(scene).collect();
        let answer = session.client.get(&["decisions"], &query).await?;
        let decisions: DecisionList = parse(&answer)?;
        for decision in &decisions.decisions {
            let sent = serde_json::to_vec(decision).unwrap_or_default();
            let text = lines(&format!("{}  {}", decision.scene, decision.text));
            session.screen.show(&sent, |_: serde_json::Value| text)?;
        }
        // After a restart of the gateway they are counted anew.
        after = decisions.last;
        if !follow {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(FOLLOW_EVERY) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

async fn run(session: &Session, scene: &str) -> Result<(), ClientError> {
    let nothing = serde_json::json!({});
    let answer = session.client.command(Method::POST, &["scenes", scene, "run"], &nothing, WITHIN_DEFAULT).await?;
    session.screen.show(&answer, |scene: SceneView| format!("{}: runs\n", scene.name))
}

async fn switch(session: &Session, (scene, what): (&str, &str), on: bool, said: &str) -> Result<(), ClientError> {
    let body = serde_json::json!({ "on": on });
    let answer = session.client.command(Method::POST, &["scenes", scene, what], &body, WITHIN_DEFAULT).await?;
    session.screen.show(&answer, |scene: SceneView| format!("{} {said}\n", harmless(&scene.name)))
}

async fn reload(session: &Session) -> Result<(), ClientError> {
    let nothing = serde_json::json!({});
    let answer = session.client.command(Method::POST, &["scenes", "reload"], &nothing, RELOAD_WITHIN).await?;
    session.screen.show(&answer, |view: SceneReloadView| reload_text(&view))
}

/// A line for each change; a scene that goes on is only counted.
fn reload_text(view: &SceneReloadView) -> String {
    let mut text = String::new();
    for (what, names) in [("added", &view.added), ("changed", &view.changed), ("removed", &view.removed)] {
        text.extend(names.iter().map(|name| format!("{what} {}\n", harmless(name))));
    }
    let ended = |scene: &str, reason: &str| format!("a run of {} ended: {}\n", harmless(scene), harmless(reason));
    text.extend(view.abandoned.iter().map(|run| ended(&run.scene, &run.reason)));
    text.extend(view.warnings.iter().map(|warning| lines(warning)));
    text.push_str(&match view.kept.len() {
        1 => "1 scene goes on as it was\n".to_owned(),
        n => format!("{n} scenes go on as they were\n"),
    });
    text
}

fn table(scenes: &[SceneView], now: Timestamp, screen: Screen) -> String {
    let row = |scene: &SceneView| {
        let errors = if scene.errors > 0 { Tone::Bad } else { Tone::Plain };
        let (state, tone) = state(scene);
        vec![
            Cell::text(&scene.name),
            Cell::number(scene.fired),
            Cell::number(scene.declined),
            Cell::number(scene.errors).tone(errors),
            Cell::text(age_of(scene.last_fired.as_deref(), now)),
            Cell::text(state).tone(tone),
            Cell::text(scene.triggers.join("; ")),
        ]
    };
    let rows: Vec<_> = scenes.iter().map(row).collect();
    screen.table(&["scene", "fired", "declined", "errors", "last", "state", "when"], &rows)
}

fn state(scene: &SceneView) -> (String, Tone) {
    match scene {
        SceneView { off: Some(_), .. } => ("off".into(), Tone::Bad),
        SceneView { shadow: true, would_have_fired, .. } => {
            (format!("shadow, would have fired {would_have_fired} times"), Tone::Plain)
        }
        SceneView { running: true, .. } => ("running".into(), Tone::Plain),
        _ => (String::new(), Tone::Plain),
    }
}
