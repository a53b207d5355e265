//! A rule as a script, laid out like the ones that people write.

use super::layout::{Piece, blanks};
use super::names::Names;
use super::rule::{Action, Comparison, Condition, Rule, Step, Trigger, Who};
use super::{literal, title};
use edgeway_thing_models::{ModelIx, Things};

/// Where alarms go until someone decides.
pub(super) const ALARM_CHANNEL: &str = "alerts";
/// With more the list of steps is easier to read line by line.
const STEPS_IN_A_LINE_MAX: usize = 2;

pub(super) fn write(name: &str, rule: &Rule, things: &Things) -> String {
    let writer = Writer { rule, things, names: Names::new(rule, things) };
    let variables: Vec<String> = writer
        .names
        .variables
        .iter()
        .map(|(device, name)| format!("let {name} = {};\n", literal::text(&things.device(*device).id)))
        .collect();
    let parts = [variables.concat(), writer.scene(name), writer.loops()];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("// The Link Edge scene `{name}`.\n{}", parts.join("\n"))
}

struct Writer<'a> {
    rule: &'a Rule,
    things: &'a Things,
    names: Names<'a>,
}

impl Writer<'_> {
    /// The scene with all that does not need a loop.
    fn scene(&self, name: &str) -> String {
        let alone = self.rule.triggers.iter().filter(|trigger| group(trigger).is_none());
        let whens = alone.map(|trigger| Piece::Call(".when", vec![self.trigger(trigger)]));
        let conditions = self.rule.conditions.iter();
        let only_ifs = conditions.map(|condition| Piece::Call(".only_if", vec![self.condition(condition)]));
        let title = word(literal::text(&title::of(self.rule, self.things)));
        let mut calls = vec![Piece::Call(".title", vec![title])];
        calls.extend(whens.chain(only_ifs));
        calls.push(Piece::Call(".then", vec![self.steps()]));
        let begin = if self.has_loops() { "let rule = " } else { "" };
        let calls: Vec<String> = calls.iter().map(|call| format!("\n    {}", call.at(4))).collect();
        format!("{begin}scene({}){};\n", literal::text(name), calls.concat())
    }

    fn has_loops(&self) -> bool {
        self.rule.triggers.iter().any(|trigger| group(trigger).is_some())
    }

    /// What sets the scene off for each device of a model, or for each property of a device.
    fn loops(&self) -> String {
        let mut groups: Vec<Who> = vec![];
        for who in self.rule.triggers.iter().filter_map(group) {
            if !groups.contains(&who) {
                groups.push(who);
            }
        }
        groups.into_iter().map(|who| self.group(who)).collect()
    }

    fn group(&self, who: Who) -> String {
        let members = self.rule.triggers.iter().filter(|trigger| group(trigger) == Some(who));
        match who {
            Who::Device(_) => members.map(|trigger| self.when(trigger, 0)).collect(),
            Who::Each(model) => {
                let lines: String = members.map(|trigger| self.when(trigger, 4)).collect();
                format!("for {} in {} {{\n{lines}}}\n", self.names.who(who), self.devices(model))
            }
        }
    }

    fn devices(&self, model: ModelIx) -> String {
        let name = literal::text(&self.things.model(model).name);
        Piece::Call("devices", vec![word(literal::map([("model", name)].into_iter()))]).at(0)
    }

    /// `rule.when(..);`, in a loop over the properties if any of them counts.
    fn when(&self, trigger: &Trigger, indent: usize) -> String {
        let outer = blanks(indent);
        let Trigger::AnyChanged(who) = trigger else {
            return format!("{outer}{};\n", Piece::Call("rule.when", vec![self.trigger(trigger)]).at(indent));
        };
        let properties = &who.model(self.things).properties;
        let list = Piece::List(properties.iter().map(|property| word(literal::text(&property.identifier))).collect());
        let list = list.after(indent, "for property in  {".len());
        let changed = format!("changed(prop({}, property))", self.names.who(*who));
        format!("{outer}for property in {list} {{\n{outer}    rule.when({changed});\n{outer}}}\n")
    }

    fn trigger(&self, trigger: &Trigger) -> Piece {
        match trigger {
            Trigger::Timer(timer) => Piece::Call("cron", vec![word(literal::text(&timer.cron))]),
            Trigger::Level(condition) => Piece::Call("level", vec![self.condition(condition)]),
            Trigger::Becomes(condition) => self.condition(condition),
            Trigger::Changed(who, property) => {
                let name = &who.model(self.things).properties[usize::from(property.0)].identifier;
                Piece::Call("changed", vec![self.property(*who, &literal::text(name))])
            }
            Trigger::AnyChanged(who) => Piece::Call("changed", vec![self.property(*who, "property")]),
            Trigger::Event(who, event) => {
                let name = &who.model(self.things).events[usize::from(event.0)].identifier;
                Piece::Call("event", vec![word(self.names.who(*who)), word(literal::text(name))])
            }
            Trigger::Online(who) => Piece::Call("goes_online", vec![word(self.names.who(*who))]),
            Trigger::Offline(who) => Piece::Call("goes_offline", vec![word(self.names.who(*who))]),
        }
    }

    fn property(&self, who: Who, name: &str) -> Piece {
        Piece::Call("prop", vec![word(self.names.who(who)), word(name.to_owned())])
    }

    fn condition(&self, condition: &Condition) -> Piece {
        match condition {
            Condition::Compare(comparison) => word(self.comparison(comparison)),
            Condition::Between { from, to, days, .. } => range(from, to, days.as_deref()),
            Condition::All(parts) => Piece::Call("all", vec![self.conditions(parts)]),
            Condition::Any(parts) => Piece::Call("any", vec![self.conditions(parts)]),
        }
    }

    fn conditions(&self, parts: &[Condition]) -> Piece {
        Piece::List(parts.iter().map(|part| self.condition(part)).collect())
    }

    fn comparison(&self, comparison: &Comparison) -> String {
        let Comparison { who, property, op, value } = comparison;
        let property = &who.model(self.things).properties[usize::from(property.0)];
        let (device, name) = (self.names.who(*who), literal::text(&property.identifier));
        format!("prop({device}, {name}) {} {}", op.symbol(), literal::of(&property.data_type, value))
    }

    /// The steps in order, with the waits between them.
    fn steps(&self) -> Piece {
        let mut steps = vec![];
        let mut waited_secs = 0;
        for Action { after_secs, step } in &self.rule.actions {
            if *after_secs > waited_secs {
                let wait = duration(after_secs - waited_secs);
                steps.push(Piece::Call("delay", vec![word(literal::text(&wait))]));
                waited_secs = *after_secs;
            }
            steps.push(self.step(step));
        }
        let in_a_line = steps.len() <= STEPS_IN_A_LINE_MAX && steps.iter().all(|step| step.flat().is_some());
        if in_a_line { Piece::List(steps) } else { Piece::Lines(steps) }
    }

    fn step(&self, step: &Step) -> Piece {
        match step {
            Step::Set(device, property, value) => {
                let property = self.things.property(*device, *property);
                let (name, value) = (literal::text(&property.identifier), literal::of(&property.data_type, value));
                Piece::Call("set", vec![word(self.names.who(Who::Device(*device))), word(name), word(value)])
            }
            Step::Invoke(device, service, input) => {
                let service = &self.things.model_of(*device).services[usize::from(service.0)];
                let fields = service.input.iter().zip(input);
                let input = fields.map(|(field, (name, value))| (&**name, literal::of(&field.data_type, value)));
                let mut arguments =
                    vec![word(self.names.who(Who::Device(*device))), word(literal::text(&service.identifier))];
                arguments.extend((!service.input.is_empty()).then(|| word(literal::map(input))));
                Piece::Call("invoke", arguments)
            }
            Step::RunScene(name) => Piece::Call("run_scene", vec![word(literal::text(name))]),
            Step::Alarm(text) => {
                let text = text.clone().unwrap_or_else(|| title::cause(self.rule, self.things));
                Piece::Call("notify", vec![word(literal::text(ALARM_CHANNEL)), word(literal::text(&text))])
            }
            Step::Function(what) => Piece::Comment(format!("Link Edge called a function here: {what}")),
        }
    }
}

/// The loop that a trigger is in, if it is in one.
fn group(trigger: &Trigger) -> Option<Who> {
    match (trigger, trigger.who()?) {
        (_, who @ Who::Each(_)) | (Trigger::AnyChanged(_), who) => Some(who),
        _ => None,
    }
}

fn word(text: String) -> Piece {
    Piece::Word(text)
}

/// `1h 30m`, `45s`.
fn duration(secs: u64) -> String {
    let parts = [(secs / 3600, "h"), (secs / 60 % 60, "m"), (secs % 60, "s")];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}"));
    parts.collect::<Vec<_>>().join(" ")
}

/// A range of the day, on certain days of the week; the whole of these days if it begins when it ends.
fn range(from: &str, to: &str, days: Option<&str>) -> Piece {
    let time = Piece::Call("time_between", vec![word(literal::text(from)), word(literal::text(to))]);
    let Some(days) = days else { return time };
    let days = Piece::Call("on_days", vec![word(literal::text(days))]);
    if from == to { days } else { Piece::Call("all", vec![Piece::List(vec![days, time])]) }
}
