//! Writing one value, and reading what became of it.

use super::read::value_id;
use crate::codec::{Reach, encode, quality, reaches};
use crate::plan::Target;
use crate::session::{Failure, Session, words};
use edgeway_sdk::{Deadline, Fault, Quality, Timestamp, Value};
use opcua::types::{DataValue, NodeId, StatusCode, WriteRequest, WriteValue};

/// Writes a value and reads it back.
///
/// # Errors
/// A [`Fault`]. After that of a device or a link nobody knows whether the value was taken.
pub(super) async fn run(
    session: &Session,
    target: &Target,
    value: &Value,
    by: Deadline,
) -> Result<Option<Value>, Fault> {
    let unfit = |quality, reason| Fault::Point { point: target.ix, quality, reason };
    let node = session.node(target.address(), by).await.ok_or_else(|| {
        unfit(Quality::BadConfig, format!("the server has no namespace `{}`", target.address().namespace))
    })?;
    let live = session.live();
    let shape = session.types.shape(&live, &node, by).await.map_err(|failure| match failure {
        Failure::Refused(status) => unfit(quality(status), words(status)),
        other => other.of_preparation(),
    })?;
    if target.point.index.has_range() && !knows_ranges(session, target, node.clone(), by).await? {
        return Err(unfit(Quality::BadConfig, "the server does not give the entries that `index` names".into()));
    }
    // Of a node that holds an array, a single entry is written as an array of one.
    let whole = if shape.rank == -1 { value.clone() } else { target.view.whole(value) };
    let variant = encode(&whole, shape).map_err(|reason| unfit(Quality::BadOutOfRange, reason))?;
    let status = set(session, target, node.clone(), variant, by).await?;
    if status.is_bad() {
        if status == StatusCode::BadTypeMismatch {
            session.types.forget(&node);
        }
        return Err(match reaches(status) {
            Reach::Point(quality) => unfit(quality, words(status)),
            Reach::Device => Fault::Device(words(status)),
        });
    }
    Ok(read_back(session, target, node, by).await)
}

/// A server that does not know index ranges would put the entries in the place of the whole array.
async fn knows_ranges(session: &Session, target: &Target, node: NodeId, by: Deadline) -> Result<bool, Fault> {
    let live = session.live();
    let nodes = [value_id(target, node)];
    let mut seen = live.read(nodes.to_vec(), by).await.map_err(Failure::of_preparation)?;
    session.ranges.check(&live, &nodes, &mut seen, by).await.map_err(Failure::of_preparation)?;
    let layouts = session.types.layouts.read();
    let read = |seen| target.view.read(seen, &layouts, live.clock_ahead(), Timestamp::now());
    Ok(seen.into_iter().all(|seen| !read(seen).1.is_bad()))
}

async fn set(
    session: &Session,
    target: &Target,
    node: NodeId,
    variant: opcua::types::Variant,
    by: Deadline,
) -> Result<StatusCode, Fault> {
    let write = WriteValue {
        node_id: node,
        attribute_id: target.point.attribute.id(),
        index_range: target.point.index.clone(),
        // Many servers refuse a status or a time that is not their own.
        value: DataValue { value: Some(variant), ..DataValue::default() },
    };
    let question = WriteRequest { nodes_to_write: Some(vec![write]), ..WriteRequest::default() };
    let answer = session.ask(question, by).await.map_err(Failure::of_write)?;
    match answer.results.as_deref() {
        Some([status]) => Ok(*status),
        _ => Err(Fault::Device("the server has not said what became of the value".into())),
    }
}

/// The write was acknowledged: that the node cannot be read, or that no time is left, does not undo it.
async fn read_back(session: &Session, target: &Target, node: NodeId, by: Deadline) -> Option<Value> {
    let live = session.live();
    let seen = live.read(vec![value_id(target, node)], by).await.ok()?;
    session.types.learn(&live, &seen, by).await.ok()?;
    let layouts = session.types.layouts.read();
    let seen = seen.into_iter().next()?;
    let (value, quality, _) = target.view.read(seen, &layouts, live.clock_ahead(), Timestamp::now());
    (!quality.is_bad()).then_some(value)
}
