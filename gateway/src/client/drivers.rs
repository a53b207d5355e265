//! `driver status`.

use super::Session;
use super::error::ClientError;
use super::screen::Screen;
use super::table::{Cell, Tone, harmless};
use super::wording::bytes;
use crate::api::{DriverList, DriverView};

pub(super) async fn list(session: &Session) -> Result<(), ClientError> {
    let answer = session.client.get(&["drivers"], &[]).await?;
    session.screen.show(&answer, |list: DriverList| table(&list.drivers, session.screen))
}

pub(super) async fn show(session: &Session, name: &str) -> Result<(), ClientError> {
    let answer = session.client.get(&["drivers", name], &[]).await?;
    session.screen.show(&answer, |driver: DriverView| {
        let lines: String = driver.lines.iter().map(|line| format!("{}\n", harmless(line))).collect();
        let table = table(&[driver], session.screen);
        if lines.is_empty() { table } else { format!("{table}\n{lines}") }
    })
}

fn table(drivers: &[DriverView], screen: Screen) -> String {
    if drivers.is_empty() {
        return "no driver is a process of its own\n".to_owned();
    }
    let tone = |state: &str| match state {
        "running" => Tone::Good,
        "quarantined" => Tone::Bad,
        _ => Tone::Doubtful,
    };
    let row = |driver: &DriverView| {
        vec![
            Cell::text(&driver.name),
            Cell::text(&driver.state).tone(tone(&driver.state)),
            Cell::text(driver.pid.map(|pid| pid.to_string()).unwrap_or_default()),
            Cell::number(driver.starts),
            Cell::number(bytes(driver.memory_bytes)),
            Cell::number(format!("{:.2}", driver.cpu_cores)),
            Cell::text(driver.reason.as_deref().unwrap_or_default()),
        ]
    };
    let rows: Vec<_> = drivers.iter().map(row).collect();
    screen.table(&["driver", "state", "process", "starts", "memory", "cores", "reason"], &rows)
}
