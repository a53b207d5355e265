//! `template = { text | file, content_type }`: payloads for everything else.

use crate::report::Report;
use crate::routes;
use crate::routes::route::Around;
use crate::section::{Found, Section};
use crate::site::{FormatSite, TextPlace};
use edgeway_sdk::Problem;
use std::path::{Component, Path};
use std::sync::Arc;

const CONTENT_TYPE: &str = "text/plain";

/// The text is in the route or in a file of the site.
pub(super) fn read(
    section: &mut Section<'_>,
    around: Around<'_>,
    report: &mut Report,
) -> (FormatSite, Option<TextPlace>) {
    let none = (FormatSite::Template { text: "".into(), content_type: CONTENT_TYPE.to_owned() }, None);
    if section.entry("template").is_none() {
        let problem = Problem::new(section.mark().say("there is no template"));
        let help = "template = { text = \"{{ message.device }}\" }, or { file = \"templates/line.j2\" }";
        report.add(section.mark(), problem.help(help));
    }
    let Some(table) = section.table("template", report) else { return none };
    let mut part = Section::of(table);
    let content_type = content_type(&mut part, report);
    let text = text(&mut part, around, report);
    part.finish(&[], report);
    text.map_or(none, |(text, place)| (FormatSite::Template { text, content_type }, Some(place)))
}

/// `text` or `file`.
fn text(part: &mut Section<'_>, around: Around<'_>, report: &mut Report) -> Option<(Arc<str>, TextPlace)> {
    let written = part.entry("text").is_some() || part.entry("file").is_some();
    let inline = part.source("text", report);
    let file = part.text("file", report);
    match (inline, file) {
        (Some(source), None) => {
            let place = TextPlace { file: routes::FILE.into(), line: source.line, column: source.column };
            Some((source.text, place))
        }
        (None, Some(file)) => from_file(&file, around, report),
        (Some(_), Some(file)) => {
            let problem = Problem::new(file.mark.say("`text` and `file` both say what the template is"));
            report.add(&file.mark, problem.help("keep one of them"));
            None
        }
        (None, None) => {
            if !written {
                let mark = part.mark();
                report.add(mark, Problem::new(mark.say("`text` is missing")).help("or name a `file`"));
            }
            None
        }
    }
}

fn content_type(part: &mut Section<'_>, report: &mut Report) -> String {
    let Some(found) = part.text("content_type", report) else { return CONTENT_TYPE.to_owned() };
    let is_visible = |c: char| c.is_ascii_graphic() || c == ' ';
    if !found.value.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
        || !found.value.chars().all(is_visible)
    {
        let problem = Problem::new(found.mark.say(format!("`{}` is not a media type", found.value)));
        report.add(&found.mark, problem.help("such as `text/plain` or `application/json`"));
    }
    found.value.to_string()
}

fn from_file(found: &Found<Arc<str>>, around: Around<'_>, report: &mut Report) -> Option<(Arc<str>, TextPlace)> {
    let path = Path::new(&*found.value);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    if !inside || path.as_os_str().is_empty() {
        let problem = Problem::new(found.mark.say(format!("`{}` is not a file of the site", found.value)));
        report.add(&found.mark, problem.help("a path relative to the site, such as `templates/line.j2`"));
        return None;
    }
    if around.folder.path(&found.value).symlink_metadata().is_err() {
        report.add(&found.mark, Problem::new(found.mark.say(format!("there is no file `{}`", found.value))));
        return None;
    }
    let (_, text) = around.folder.read(&found.value, report)?;
    Some((text.into(), TextPlace { file: path.into(), line: 1, column: 1 }))
}
