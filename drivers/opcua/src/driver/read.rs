//! Reading the nodes of a step.

use crate::plan::{Request, Target};
use crate::session::{Failure, Session, is_too_much, words};
use edgeway_sdk::{Batch, Deadline, Fault, Quality, Timestamp};
use opcua::types::{DataValue, NodeId, QualifiedName, ReadValueId, StatusCode};
use std::sync::Arc;

/// Reads all nodes of a step, in as many questions as the server wants it.
pub(super) async fn run(
    session: &Session,
    request: &Request,
    nodes_max: usize,
    by: Deadline,
) -> Result<Batch, Failure> {
    let mut batch = Batch::default();
    let mut known: Vec<(&Arc<Target>, NodeId)> = vec![];
    for target in &request.targets {
        match session.node(target.address(), by).await {
            Some(node) => known.push((target, node)),
            None => {
                let reason = format!("the server has no namespace `{}`", target.address().namespace);
                batch.unfit(target.ix, Quality::BadConfig, reason, Timestamp::now());
            }
        }
    }
    for some in known.chunks(session.limits.read_max(nodes_max)) {
        together(session, some, &mut batch, by).await?;
    }
    Ok(batch)
}

/// Reads nodes in one question.
pub(super) async fn together(
    session: &Session,
    points: &[(&Arc<Target>, NodeId)],
    batch: &mut Batch,
    by: Deadline,
) -> Result<(), Failure> {
    let live = session.live();
    let nodes: Vec<ReadValueId> = points.iter().map(|(target, node)| value_id(target, node.clone())).collect();
    let mut values = live.read(nodes.clone(), by).await?;
    session.ranges.check(&live, &nodes, &mut values, by).await?;
    session.types.learn(&live, &values, by).await?;
    push(session, points.iter().map(|(target, _)| *target), values, batch);
    Ok(())
}

/// Adds what the server says of points.
pub(super) fn push<'a>(
    session: &Session,
    targets: impl Iterator<Item = &'a Arc<Target>>,
    values: Vec<DataValue>,
    batch: &mut Batch,
) {
    let (ahead, arrival) = (session.live().clock_ahead(), Timestamp::now());
    let layouts = session.types.layouts.read();
    for (target, seen) in targets.zip(values) {
        let status = seen.status();
        let (value, quality, time) = target.view.read(seen, &layouts, ahead, arrival);
        match quality {
            Quality::BadConfig => batch.unfit(target.ix, quality, misfit(status), time),
            _ => batch.push(target.ix, value, quality, time),
        }
    }
}

/// Why a point cannot be read as it is configured.
fn misfit(status: StatusCode) -> String {
    if status.is_bad() { words(status) } else { "the node's value lacks what `index` and `path` name".to_owned() }
}

/// What of a node is read.
pub(super) fn value_id(target: &Target, node: NodeId) -> ReadValueId {
    ReadValueId {
        node_id: node,
        attribute_id: target.point.attribute.id(),
        index_range: target.point.index.clone(),
        data_encoding: QualifiedName::null(),
    }
}

/// What a failure means for a step. One that cannot be cut is a matter of its point.
pub(super) fn fault(failure: Failure, request: &Request) -> Fault {
    match (of_value(&failure), request.targets.as_slice()) {
        (Some(quality), [target]) => Fault::Point { point: target.ix, quality, reason: failure.of_read().to_string() },
        _ => failure.of_read(),
    }
}

/// What a value is that alone causes this; `None` if it is none of the value's doing.
pub(super) fn of_value(failure: &Failure) -> Option<Quality> {
    match failure {
        Failure::Unreadable => Some(Quality::Bad),
        Failure::Refused(status) if is_too_much(*status) => Some(Quality::BadConfig),
        _ => None,
    }
}
