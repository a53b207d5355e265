//! Which messages a route takes: by subject, by class, and by the site's SQL.

use crate::spine;
use crate::subjects::Verdicts;
use edgeway_journal::{Class, Entry, Placement};
use edgeway_sdk::{DeviceIx, Problem};
use edgeway_site::{Finding, RouteSite, SqlSite};
use edgeway_streams::{QueryInfo, Selection, SelectionError, Verdict};
use edgeway_thing_models::{Body, Filter, Message, Report, Selected, Things};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// The choice of one route.
pub(crate) struct Select {
    site: RouteSite,
    class: Option<Class>,
    things: Arc<Things>,
    subjects: Verdicts<bool>,
    sql: Option<Selection>,
}

/// Whether a route takes a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Choice {
    No,
    /// And what of it, if the route has a `select`.
    Yes(Option<Arc<Selected>>),
}

impl Select {
    /// # Errors
    /// What is wrong with the SQL of the route.
    pub(crate) fn new(site: &RouteSite, things: &Arc<Things>, queries: &[QueryInfo]) -> Result<Self, Vec<Finding>> {
        let sql = sql(site, things, queries)?;
        let class = site.class.map(spine::class);
        Ok(Select { site: site.clone(), class, things: things.clone(), subjects: Verdicts::default(), sql })
    }

    /// The classes whose messages it may take.
    pub(crate) fn classes(&self) -> impl Iterator<Item = Class> {
        let only = self.class;
        Class::ALL.into_iter().filter(move |class| only.is_none_or(|only| only == *class))
    }

    /// Differs when the route would choose otherwise: then what it has counted ahead of its place is counted again.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let site = &self.site;
        (&site.subjects, &site.except, site.class).hash(&mut hasher);
        site.filter.as_ref().map(|sql| &sql.text).hash(&mut hasher);
        hasher.finish()
    }

    /// A choice for each message, in order. One for which the SQL fails is not taken, and is counted.
    pub(crate) fn choose(&mut self, entries: &[Entry<Message>]) -> Vec<Choice> {
        let mut choices: Vec<Choice> = entries.iter().map(|entry| self.by_subject(entry)).collect();
        let Some(sql) = &mut self.sql else { return choices };
        let taken: Vec<usize> = (0..entries.len()).filter(|at| choices[*at] != Choice::No).collect();
        let messages: Vec<&Message> = taken.iter().map(|at| &*entries[*at].item).collect();
        let columns = sql.columns();
        for (at, verdict) in taken.into_iter().zip(sql.apply(&messages)) {
            choices[at] = match (verdict, &columns) {
                (Verdict::Pass(Some(values)), Some(columns)) => {
                    Choice::Yes(Some(Arc::new(Selected { columns: columns.clone(), values })))
                }
                (Verdict::Pass(_), _) => Choice::Yes(None),
                (Verdict::Drop, _) => Choice::No,
                (Verdict::Failed(_), _) => {
                    let route = self.site.name.to_string();
                    metrics::counter!("edgeway_route_condition_errors_total", "route" => route).increment(1);
                    Choice::No
                }
            };
        }
        choices
    }

    fn by_subject(&mut self, entry: &Entry<Message>) -> Choice {
        match entry.placement {
            Placement::Disk(class) if self.takes(class, &entry.item) => Choice::Yes(None),
            _ => Choice::No,
        }
    }

    /// Whether it takes reports of a device, as far as the subject tells.
    pub(crate) fn takes_reports(&mut self, class: Class, device: DeviceIx) -> bool {
        self.takes(class, &spine::message(Body::Report(Report { device, values: vec![] })))
    }

    fn takes(&mut self, class: Class, message: &Message) -> bool {
        let site = &self.site;
        self.class.is_none_or(|only| only == class)
            && self.subjects.of(message, &self.things, |subject| matches(site, subject))
    }
}

fn matches(site: &RouteSite, subject: &str) -> bool {
    let any = |filters: &[Filter]| filters.iter().any(|filter| filter.matches(subject));
    any(&site.subjects) && !any(&site.except)
}

fn sql(site: &RouteSite, things: &Arc<Things>, queries: &[QueryInfo]) -> Result<Option<Selection>, Vec<Finding>> {
    let (filter, select) = (site.filter.as_ref(), site.select.as_ref());
    if filter.is_none() && select.is_none() {
        return Ok(None);
    }
    let compile = |filter: Option<&SqlSite>, select: Option<&SqlSite>| {
        let text = |sql: &SqlSite| sql.text.clone();
        let (filter, select) = (filter.map(text), select.map(text));
        Selection::compile_with_queries(filter.as_deref(), select.as_deref(), things, queries)
    };
    // Each alone first, so that the mistakes of both are told at once.
    let alone = [
        filter.map(|sql| (sql, "where", compile(Some(sql), None))),
        select.map(|sql| (sql, "select", compile(None, Some(sql)))),
    ];
    let mistakes =
        alone.into_iter().flatten().filter_map(|(sql, key, compiled)| Some(finding(sql, key, &compiled.err()?)));
    let findings: Vec<Finding> = mistakes.collect();
    if findings.is_empty() { Ok(compile(filter, select).ok()) } else { Err(findings) }
}

fn finding(sql: &SqlSite, key: &'static str, error: &SelectionError) -> Finding {
    // Both count from 1; in the first line the text begins where the value does.
    let line = sql.line + error.line.saturating_sub(1);
    let column = if error.line <= 1 { sql.column + error.column.saturating_sub(1) } else { error.column };
    let message = format!("`{key}`: {}", error.message);
    Finding::of("routes.toml", Problem::at(line, column, message).maybe_help(error.help.clone()))
}
