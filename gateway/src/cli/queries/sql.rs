//! `edgeway sql`: asks the journal, or follows it.

use super::answer::Answer;
use super::recorded::Recorded;
use super::{Failure, load};
use crate::cli::arguments::SqlOptions;
use crate::cli::exit;
use crate::program;
use edgeway_sdk::Timestamp;
use edgeway_site::Finding;
use edgeway_streams::{FileProblem, History, Source};
use edgeway_thing_models::{Body, Message, Row};
use std::time::Duration;

/// How often the journal is looked at for what is new.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Runs a statement over what the journal holds.
pub(super) fn ask(options: &SqlOptions) -> Result<u8, Failure> {
    let site = load(&options.recorded.site)?;
    let mut recorded = Recorded::open(&options.recorded, &site)?;
    let around = program::around_queries(&recorded.things, &site);
    let mut history = History::new(&around, &program::query_sources(&site), &options.statement).map_err(listed)?;
    let (columns, times) = (history.columns().to_vec(), history.times().to_vec());
    while let Some(entries) = recorded.next()? {
        history.push(&entries);
    }
    Answer { columns, times, form: options.output }.print(&history.finish())?;
    Ok(if recorded.lost > 0 { exit::FINDINGS } else { exit::OK })
}

/// Runs a statement over what comes from now on, until Ctrl-C.
pub(super) fn follow(options: &SqlOptions) -> Result<u8, Failure> {
    const NAME: &str = "sql";
    let mut wanted = options.recorded.clone();
    wanted.from.get_or_insert_with(|| Timestamp::now().to_string());
    let site = load(&wanted.site)?;
    let mut recorded = Recorded::open(&wanted, &site)?;
    let statement = Source { file: NAME.into(), name: NAME.into(), text: options.statement.clone() };
    let mut sources = program::query_sources(&site);
    sources.push(statement);
    let mut queries =
        program::plan_queries(&recorded.things, &site, &sources).map_err(|findings| super::told(&findings))?;
    let info = queries.list().into_iter().find(|info| &*info.name == NAME).ok_or("the statement needs no name")?;
    let answer = Answer { columns: info.columns.to_vec(), times: info.times.to_vec(), form: options.output };
    let mut is_first = true;
    loop {
        let (mut out, mut is_new) = (vec![], false);
        while let Some(entries) = recorded.next()? {
            is_new |= !entries.is_empty();
            queries.push(Timestamp::now(), &entries, &mut out);
        }
        if !is_new {
            queries.advance(Timestamp::now(), &mut out);
        }
        let rows = rows_of(NAME, out);
        if !rows.is_empty() {
            answer.follow(&rows, is_first)?;
            is_first = false;
        }
        std::thread::sleep(LOOK_EVERY);
        recorded.look_again(&wanted.site)?;
    }
}

/// The rows of one query.
pub(super) fn rows_of(query: &str, messages: Vec<Message>) -> Vec<Row> {
    let row = |message: Message| match message.body {
        Body::Row(row) if &*row.query == query => Some(row),
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}

fn listed(problems: Vec<FileProblem>) -> Failure {
    let findings: Vec<Finding> = problems.into_iter().map(|p| Finding::of(&*p.file, p.problem)).collect();
    super::told(&findings)
}
