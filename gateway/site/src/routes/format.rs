//! The form of payloads.

mod alink;
mod sparkplug;
mod template;

pub(super) use alink::is_product_key;

use super::route::Around;
use super::target::{Accepts, Form};
use crate::report::{Mark, Report};
use crate::section::{Found, Section};
use crate::site::{FormatSite, SqlSite, TargetKind, TextPlace};
use crate::subjects;
use edgeway_sdk::Problem;
use edgeway_thing_models::Filter;

/// The names of formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Json,
    JsonLines,
    Csv,
    Arrow,
    Protobuf,
    SparkplugB,
    Alink,
    Template,
}

const WORDS: [(&str, Word); 8] = [
    ("json", Word::Json),
    ("json-lines", Word::JsonLines),
    ("csv", Word::Csv),
    ("arrow", Word::Arrow),
    ("protobuf", Word::Protobuf),
    ("sparkplug-b", Word::SparkplugB),
    ("alink", Word::Alink),
    ("template", Word::Template),
];

/// A table with options of one format, and the format's name as it is written.
const TABLES: [(&str, Word, &str); 3] = [
    ("sparkplug", Word::SparkplugB, "sparkplug-b"),
    ("alink", Word::Alink, "alink"),
    ("template", Word::Template, "template"),
];

/// A format, with what a route has to check once it is complete.
pub(super) struct Format {
    pub(super) site: FormatSite,
    pub(super) template_place: Option<TextPlace>,
    /// Where it is written, or the route.
    mark: Mark,
    preset: Preset,
}

/// Whether the template is the preset's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Preset {
    Own,
    None,
}

pub(super) fn read(
    section: &mut Section<'_>,
    target: Option<&TargetKind>,
    around: Around<'_>,
    report: &mut Report,
) -> Format {
    let form = target.map_or_else(Form::default, Form::of);
    let mark = section.mark().clone();
    if form.accepts == Accepts::Tables {
        let why = format!("{} stores tables, which have no format", form.noun);
        for key in ["format", "sparkplug", "alink", "template"] {
            section.forbid(key, &why, &format!("leave `{key}` out"), report);
        }
        return Format { site: FormatSite::Json, template_place: None, mark, preset: Preset::None };
    }
    let found = section.choice("format", &WORDS, report);
    let mark = found.as_ref().map_or(mark, |found| found.mark.clone());
    if let Some(found) = &found {
        check_target(found, &form, target, report);
    }
    let word = found.map_or(form.format, |found| found.value);
    forbid_others(section, word, report);
    let preset = own_template(section, &form, word);
    let (site, template_place) = match (word, preset) {
        (_, Some(text)) => (template_of(text), None),
        (Word::Template, None) => template::read(section, around, report),
        (word, None) => (simple(section, word, around, report), None),
    };
    let preset = if preset.is_some() { Preset::Own } else { Preset::None };
    Format { site, template_place, mark, preset }
}

/// The template of the target's preset, unless the route brings one.
fn own_template(section: &mut Section<'_>, form: &Form, word: Word) -> Option<&'static str> {
    form.template.filter(|_| word == Word::Template && section.entry("template").is_none())
}

fn template_of(text: &str) -> FormatSite {
    FormatSite::Template { text: text.into(), content_type: "application/json".into() }
}

/// Options of a format that the route does not have.
fn forbid_others(section: &mut Section<'_>, word: Word, report: &mut Report) {
    for (key, _, name) in TABLES.into_iter().filter(|(_, of, _)| *of != word) {
        let why = format!("`{key}` has a meaning with `format = \"{name}\"` alone");
        section.forbid(key, &why, &format!("leave `{key}` out or change `format`"), report);
    }
}

fn check_target(found: &Found<Word>, form: &Form, target: Option<&TargetKind>, report: &mut Report) {
    let (wanted, help) = match (found.value, form.accepts) {
        (Word::SparkplugB | Word::Alink, _) if !matches!(target, Some(TargetKind::Mqtt(_)) | None) => {
            ("speaks MQTT alone", "use a target of kind `mqtt`")
        }
        (Word::Arrow | Word::Protobuf, Accepts::Lines) => (
            "has no lines",
            "`json`, `json-lines`, `csv` or `template`; `parquet` is a kind of target that stores tables",
        ),
        _ => return,
    };
    let name = WORDS.iter().find(|(_, word)| *word == found.value).map_or("", |(name, _)| *name);
    let message = format!("{name} {wanted}, and {} cannot take it", form.noun);
    report.add(&found.mark, Problem::new(found.mark.say(message)).help(help));
}

fn simple(section: &mut Section<'_>, word: Word, around: Around<'_>, report: &mut Report) -> FormatSite {
    match word {
        Word::Json | Word::Template => FormatSite::Json,
        Word::JsonLines => FormatSite::JsonLines,
        Word::Csv => FormatSite::Csv,
        Word::Arrow => FormatSite::ArrowIpc,
        Word::Protobuf => FormatSite::Protobuf,
        Word::SparkplugB => sparkplug::read(section, around.site, report),
        Word::Alink => alink::read(section, report),
    }
}

impl Format {
    /// What a format cannot say of what its route takes.
    pub(super) fn check(
        &self,
        select: Option<&(SqlSite, Mark)>,
        subjects: Option<&[Filter]>,
        batch_messages: usize,
        report: &mut Report,
    ) {
        let fixed = matches!(self.site, FormatSite::SparkplugB { .. } | FormatSite::Alink { .. });
        if let Some((_, mark)) = select.filter(|_| fixed || self.preset == Preset::Own) {
            let problem =
                Problem::new(mark.say("this format says properties by their own names, not what `select` makes"));
            report.add(mark, problem.help("leave `select` out, or use another format"));
        }
        if self.preset == Preset::Own {
            self.check_own(subjects.unwrap_or_default(), batch_messages, report);
        }
    }

    /// The template of a preset says one report at a time.
    fn check_own(&self, subjects: &[Filter], batch_messages: usize, report: &mut Report) {
        if subjects.iter().any(|filter| subjects::kind(filter.as_str()) != "property") {
            let problem = Problem::new(self.mark.say("the template of this preset says properties alone"));
            report.add(&self.mark, problem.help("subjects that begin with `property`, or a template of your own"));
        }
        if batch_messages > 1 {
            let problem = Problem::new(self.mark.say("the template of this preset says one message at a time"));
            report.add(&self.mark, problem.help("leave `batch` out, or write a template of your own"));
        }
    }
}
