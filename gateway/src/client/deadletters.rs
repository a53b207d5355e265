//! `deadletter`.

use super::Session;
use super::error::ClientError;
use super::screen::Screen;
use super::table::{Cell, harmless};
use super::wording::age_of;
use crate::api::{LetterList, LetterView, Redriven, WITHIN_DEFAULT, WhichLetters};
use edgeway_sdk::Timestamp;
use reqwest::Method;

pub(super) async fn list(session: &Session, route: Option<&str>) -> Result<(), ClientError> {
    let query: Vec<(&str, &str)> = route.map(|route| ("route", route)).into_iter().collect();
    let answer = session.client.get(&["deadletters"], &query).await?;
    session.screen.show(&answer, |list: LetterList| letter_table(&list.letters, Timestamp::now(), session.screen))
}

pub(super) async fn show(session: &Session, number: u64) -> Result<(), ClientError> {
    let answer = session.client.get(&["deadletters", &number.to_string()], &[]).await?;
    session.screen.show(&answer, letter_text)
}

pub(super) async fn redrive(session: &Session, numbers: Vec<u64>, route: Option<String>) -> Result<(), ClientError> {
    let which = WhichLetters { route, numbers: Some(numbers).filter(|numbers| !numbers.is_empty()) };
    let answer = session.client.command(Method::POST, &["deadletters", "redrive"], &which, WITHIN_DEFAULT).await?;
    session.screen.show(&answer, |redriven: Redriven| format!("{} on their way\n", redriven.letters))
}

fn letter_table(letters: &[LetterView], now: Timestamp, screen: Screen) -> String {
    let row = |letter: &LetterView| {
        vec![
            Cell::number(letter.number),
            Cell::text(&letter.route),
            Cell::text(&letter.subject),
            Cell::text(age_of(Some(&letter.time), now)),
            Cell::text(&letter.reason),
        ]
    };
    let rows: Vec<_> = letters.iter().map(row).collect();
    screen.table(&["number", "route", "subject", "refused", "reason"], &rows)
}

fn letter_text(letter: LetterView) -> String {
    let facts = [("route", &letter.route), ("refused", &letter.time), ("reason", &letter.reason), ("id", &letter.id)];
    let mut text: String = facts.iter().map(|(name, fact)| format!("{name:<8}  {}\n", harmless(fact))).collect();
    if let Some(message) = &letter.message {
        text += &format!("{message:#}\n");
    }
    text
}
