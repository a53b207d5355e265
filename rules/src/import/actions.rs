//! `action`: what the scene does.

use super::node::{Node, cut};
use super::rule::{Action, Step, Who};
use super::{ImportSite, comparison, literal, places};
use edgeway_sdk::{Problem, Value};
use edgeway_thing_models::{CheckError, NamedValues, Service};

const URIS: [&str; 3] = ["action/device/setProperty", "action/device/invokeService", "action/scene/trigger"];
const DELAY: &str = "delayedExecutionSeconds";
/// A day.
const DELAY_SECS_MAX: u64 = 86_400;
const ACTIONS_MAX: usize = 256;

pub(super) fn read(root: &Node<'_>, site: &ImportSite<'_>, problems: &mut Vec<Problem>) -> Vec<Action> {
    let nodes = match list(root) {
        Ok(nodes) => nodes,
        Err(problem) => {
            problems.push(problem);
            return vec![];
        }
    };
    let mut actions = vec![];
    for node in nodes {
        match action(node, site) {
            Ok(found) => actions.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    // They all count from the firing, and here they come one after the other.
    actions.sort_by_key(|action| action.after_secs);
    actions
}

fn list<'a>(root: &Node<'a>) -> Result<Vec<Node<'a>>, Problem> {
    let node = root.need("action")?;
    let nodes = node.list()?;
    match nodes.len() {
        0 => Err(node.problem("a scene needs at least one action")),
        count if count > ACTIONS_MAX => Err(node.problem(format!("{count} are too many: at most {ACTIONS_MAX}"))),
        _ => Ok(nodes),
    }
}

fn action(node: Node<'_>, site: &ImportSite<'_>) -> Result<Vec<Action>, Problem> {
    let node = node.with_only(&["uri", "params"])?;
    let uri = node.need_text("uri")?;
    let steps = match uri {
        "action/device/setProperty" => set(&node, site)?,
        "action/device/invokeService" => vec![invoke(&node, site)?],
        "action/scene/trigger" => vec![run_scene(&node.need("params")?)?],
        _ if is_alarm(uri) => vec![Step::Alarm(alarm_text(&node))],
        _ if is_function(uri) => vec![Step::Function(function(&node))],
        other => return Err(node.need("uri")?.unknown("there is no action", other, URIS)),
    };
    let after_secs = node.get("params").map_or(Ok(0), |params| delay_secs(&params))?;
    Ok(steps.into_iter().map(|step| Action { after_secs, step }).collect())
}

fn delay_secs(params: &Node<'_>) -> Result<u64, Problem> {
    let Some(delay) = params.get(DELAY) else { return Ok(0) };
    delay
        .json
        .as_u64()
        .filter(|secs| *secs <= DELAY_SECS_MAX)
        .ok_or_else(|| delay.problem(format!("a delay is a whole number of seconds from 0 to {DELAY_SECS_MAX}")))
}

/// One property, or several in `propertyItems`.
fn set(node: &Node<'_>, site: &ImportSite<'_>) -> Result<Vec<Step>, Problem> {
    let params = places::params(node, &["propertyName", "propertyValue", "propertyItems", DELAY])?;
    let who = Who::Device(places::device(&params, site)?);
    let pairs = match params.get("propertyItems") {
        Some(items) if params.get("propertyName").is_none() => items.entries()?,
        Some(items) => return Err(items.problem("either this or `propertyName`, not both")),
        None => {
            let name = params.need("propertyName")?;
            let property = places::property(&name, who, site.things)?;
            let value = params.need("propertyValue")?;
            return set_one(&name, &value, who, property, site).map(|step| vec![step]);
        }
    };
    if pairs.is_empty() || pairs.len() > ACTIONS_MAX {
        return Err(params.problem(format!("`propertyItems` has {} entries: 1 to {ACTIONS_MAX}", pairs.len())));
    }
    let step = |(key, value): (&str, Node<'_>)| {
        let property = places::property_of_key(&value, key, who, site.things)?;
        set_one(&value, &value, who, property, site)
    };
    pairs.into_iter().map(step).collect()
}

fn set_one(
    name: &Node<'_>,
    value: &Node<'_>,
    who: Who,
    property: edgeway_thing_models::PropertyIx,
    site: &ImportSite<'_>,
) -> Result<Step, Problem> {
    let Who::Device(device) = who else { return Err(name.problem("a step is about one device")) };
    let model = site.things.model_of(device);
    let found = &model.properties[usize::from(property.0)];
    let plain = comparison::plain(&found.data_type, value.json);
    let (property, value) = model.check_set(&found.identifier, &plain).map_err(|error| match error {
        CheckError::ReadOnly { .. } => name.problem(error.to_string()),
        error => value.problem(error.to_string()),
    })?;
    Ok(Step::Set(device, property, value))
}

fn invoke(node: &Node<'_>, site: &ImportSite<'_>) -> Result<Step, Problem> {
    let params = places::params(node, &["serviceName", "serviceArgs", DELAY])?;
    let device = places::device(&params, site)?;
    let service = places::service(&params.need("serviceName")?, device, site.things)?;
    let model = site.things.model_of(device);
    let found = &model.services[usize::from(service.0)];
    let args = params.get("serviceArgs");
    let given = args.as_ref().map_or(Ok(vec![]), |args| inputs(args, found))?;
    let (service, input) = model
        .check_invoke(&found.identifier, &given)
        .map_err(|error| args.as_ref().unwrap_or(&params).problem(error.to_string()))?;
    Ok(Step::Invoke(device, service, input))
}

fn inputs(args: &Node<'_>, service: &Service) -> Result<NamedValues, Problem> {
    let input = |(name, node): (&str, Node<'_>)| {
        let field = service.input.iter().find(|field| *field.identifier == *name);
        let value = match field {
            Some(field) => comparison::plain(&field.data_type, node.json),
            None => Value::from_json(node.json),
        };
        (cut(name).into(), value)
    };
    Ok(args.entries()?.into_iter().map(input).collect())
}

fn run_scene(params: &Node<'_>) -> Result<Step, Problem> {
    let params = params.clone().with_only(&["sceneId", "automationRuleId", "appShow", DELAY])?;
    let node = params.get("automationRuleId").map_or_else(|| params.need("sceneId"), Ok)?;
    let name = node.text()?;
    match super::check_name(name) {
        Ok(()) => Ok(Step::RunScene(name.to_owned())),
        Err(problem) => Err(node.problem(problem.message).maybe_help(problem.help)),
    }
}

fn is_alarm(uri: &str) -> bool {
    ["action/alert", "action/alarm", "action/mq/"].iter().any(|start| uri.starts_with(start))
        || uri == "action/event/triggerAlarm"
}

fn is_function(uri: &str) -> bool {
    ["action/function", "action/fc"].iter().any(|start| uri.starts_with(start))
}

/// What the alarm says, if it says something.
fn alarm_text(node: &Node<'_>) -> Option<String> {
    let params = node.get("params")?;
    let places = [params.get("customData"), Some(params)];
    let texts = places.iter().flatten().flat_map(|place| ["message", "content", "title"].map(|key| place.get(key)));
    texts.flatten().find_map(|node| node.text().ok()).map(cut)
}

/// What is known of the function, on one line.
fn function(node: &Node<'_>) -> String {
    let params = node.get("params").map(|params| params.json.to_string()).unwrap_or_default();
    // JSON writes line breaks as escapes, but not all that editors take for one.
    let line: String = params.chars().filter(|c| !literal::is_deceptive(*c)).collect();
    cut(&line)
}
