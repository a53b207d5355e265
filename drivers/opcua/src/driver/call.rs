//! Calling a method, with its arguments by their names.

use crate::codec::{Reach, View, encode, leaves_open, reaches};
use crate::config::{Method, NodeAddress};
use crate::session::{Failure, Session, Types, attribute, children, parents, words};
use edgeway_sdk::{Deadline, Fault, Json, Value, did_you_mean};
use opcua::types::{
    Argument, AttributeId, CallMethodRequest, CallMethodResult, CallRequest, NodeClass, NodeId, ReferenceDescription,
    ReferenceTypeId, StatusCode, Variant,
};

/// Calls a method and gives what it answers, by the names that the server has for it.
///
/// # Errors
/// A [`Fault`]. After that of a device or a link nobody knows whether it has run.
pub(super) async fn run(session: &Session, method: &Method, input: &Json, by: Deadline) -> Result<Json, Fault> {
    let called = prepare(session, method, by).await?;
    let arguments = arguments(session, &called.inputs, input, by).await?;
    let request =
        CallMethodRequest { object_id: called.object, method_id: called.method, input_arguments: Some(arguments) };
    let question = CallRequest { methods_to_call: Some(vec![request]), ..CallRequest::default() };
    let answer = session.live().ask_within(question, by).await.map_err(Failure::of_write)?;
    match answer.results.and_then(|mut results| results.pop()) {
        Some(result) => output(session, &called.outputs, result, by).await,
        None => Err(Fault::Device("the server has not said what became of the call".into())),
    }
}

/// A method, and what it takes and gives.
struct Called {
    object: NodeId,
    method: NodeId,
    inputs: Vec<Argument>,
    outputs: Vec<Argument>,
}

/// Nothing has run yet: whoever has no answer here may call again.
async fn prepare(session: &Session, method: &Method, by: Deadline) -> Result<Called, Fault> {
    let live = session.live();
    let id = node(session, &method.method, by).await?;
    let object = match &method.object {
        Some(address) => node(session, address, by).await?,
        None => owner(session, method, &id, by).await?,
    };
    let (mut inputs, mut outputs) = (vec![], vec![]);
    for child in children(&live, &id, ReferenceTypeId::HasProperty, by).await.map_err(Failure::of_preparation)? {
        let into = match child.browse_name.name.as_ref() {
            "InputArguments" => &mut inputs,
            "OutputArguments" => &mut outputs,
            _ => continue,
        };
        let node = attribute(child.node_id.node_id, AttributeId::Value);
        let value =
            live.read(vec![node], by).await.map_err(Failure::of_preparation)?.pop().and_then(|value| value.value);
        *into = described(value);
    }
    Ok(Called { object, method: id, inputs, outputs })
}

async fn node(session: &Session, address: &NodeAddress, by: Deadline) -> Result<NodeId, Fault> {
    let none = || Fault::Config(format!("the server has no namespace `{}`", address.namespace));
    session.node(address, by).await.ok_or_else(none)
}

/// The object that a method belongs to. Objects of one type may share a method, and it must not be called on another device.
async fn owner(session: &Session, method: &Method, id: &NodeId, by: Deadline) -> Result<NodeId, Fault> {
    let live = session.live();
    let owners = match parents(&live, id, ReferenceTypeId::HasComponent, by).await {
        Err(Failure::Refused(status)) if !leaves_open(status) => {
            return Err(Fault::Config(format!("`{}`: {}", method.method, words(status))));
        }
        owners => owners.map_err(Failure::of_preparation)?,
    };
    only(owners).map_err(|found| {
        let found = match found {
            0 => "no object".to_owned(),
            several => format!("{several} objects"),
        };
        Fault::Config(format!("`{}` belongs to {found}; name the one it is called on in `object`", method.method))
    })
}

/// The one object among these; or how many there are. A type is nothing that a method is called on.
fn only(owners: Vec<ReferenceDescription>) -> Result<NodeId, usize> {
    let objects = owners.into_iter().filter(|owner| owner.node_class == NodeClass::Object);
    let mut objects: Vec<NodeId> = objects.map(|owner| owner.node_id.node_id).collect();
    match objects.pop() {
        Some(object) if objects.iter().all(|other| *other == object) => Ok(object),
        last => Err(objects.len() + usize::from(last.is_some())),
    }
}

fn described(value: Option<Variant>) -> Vec<Argument> {
    let Some(Variant::Array(array)) = value else { return vec![] };
    let argument = |entry: Variant| match entry {
        Variant::ExtensionObject(object) => object.into_inner_as::<Argument>().map(|argument| *argument),
        _ => None,
    };
    array.values.into_iter().filter_map(argument).collect()
}

/// The inputs in the order of the method.
async fn arguments(session: &Session, inputs: &[Argument], input: &Json, by: Deadline) -> Result<Vec<Variant>, Fault> {
    let given = input.as_object().cloned().unwrap_or_default();
    let name = |argument: &Argument| argument.name.as_ref().to_owned();
    let names: Vec<String> = inputs.iter().map(name).collect();
    if let Some(strange) = given.keys().find(|key| !names.contains(key)) {
        let help = did_you_mean(strange, names.iter().map(String::as_str));
        let help = help.map(|help| format!(" ({help})")).unwrap_or_default();
        return Err(Fault::Config(format!("the method takes no `{strange}`{help}")));
    }
    let mut arguments = vec![];
    for (argument, name) in inputs.iter().zip(&names) {
        let json = given.get(name).ok_or_else(|| Fault::Config(format!("the method wants `{name}`")))?;
        let shape = Types::shape_of(&session.live(), &argument.data_type, argument.value_rank, by).await;
        let variant = encode(&Value::from_json(json), shape.map_err(Failure::of_preparation)?);
        arguments.push(variant.map_err(|reason| Fault::Config(format!("`{name}`: {reason}")))?);
    }
    Ok(arguments)
}

async fn output(
    session: &Session,
    outputs: &[Argument],
    result: CallMethodResult,
    by: Deadline,
) -> Result<Json, Fault> {
    if result.status_code.is_bad() {
        return Err(refused(&result));
    }
    let values = result.output_arguments.unwrap_or_default();
    let seen: Vec<_> = values.iter().cloned().map(opcua::types::DataValue::value_only).collect();
    let live = session.live();
    // It has run, whether its answer can be read or not.
    let _ = session.types.learn(&live, &seen, by).await;
    let layouts = session.types.layouts.read();
    let named = values.iter().enumerate().map(|(at, value)| {
        let name = outputs.get(at).map_or_else(|| format!("output_{at}"), |output| output.name.as_ref().to_owned());
        (name, View::json(value, &layouts, live.clock_ahead()))
    });
    Ok(Json::Object(named.collect()))
}

fn refused(result: &CallMethodResult) -> Fault {
    let wrong = result.input_argument_results.as_deref().unwrap_or_default();
    let wrong = wrong.iter().position(|status| status.is_bad());
    let place = wrong.map(|at| format!(" (argument {})", at + 1)).unwrap_or_default();
    let reason = format!("{}{place}", words(result.status_code));
    match reaches(result.status_code) {
        _ if result.status_code == StatusCode::BadInvalidState => Fault::Busy(reason),
        Reach::Point(_) => Fault::Config(reason),
        Reach::Device => Fault::Device(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opcua::types::ExpandedNodeId;

    fn owners(owners: &[(u32, NodeClass)]) -> Vec<ReferenceDescription> {
        let owner = |(number, node_class): &(u32, NodeClass)| ReferenceDescription {
            node_id: ExpandedNodeId::from(NodeId::new(2, *number)),
            node_class: *node_class,
            ..ReferenceDescription::default()
        };
        owners.iter().map(owner).collect()
    }

    #[test]
    fn a_method_is_called_on_its_object_if_it_has_one() {
        use NodeClass::{Object, ObjectType};
        for (nodes, is) in [
            (owners(&[(1, Object)]), Ok(NodeId::new(2, 1_u32))),
            (owners(&[(9, ObjectType), (1, Object)]), Ok(NodeId::new(2, 1_u32))),
            (owners(&[(1, Object), (1, Object)]), Ok(NodeId::new(2, 1_u32))),
            (owners(&[(1, Object), (2, Object)]), Err(2)),
            (owners(&[(9, ObjectType)]), Err(0)),
            (owners(&[]), Err(0)),
        ] {
            assert_eq!(only(nodes), is);
        }
    }
}
