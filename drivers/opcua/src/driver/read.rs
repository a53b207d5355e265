//! Reading the nodes of a step.

use crate::plan::{Request, Target};
use crate::session::{Failure, Session, is_too_much};
use edgeway_sdk::{Batch, Deadline, Fault, Quality, Timestamp};
use opcua::types::{DataValue, NodeId, QualifiedName, ReadValueId};
use std::sync::Arc;

/// Reads all nodes of a step, in as many questions as the server wants it.
pub(super) async fn run(
    session: &Session,
    request: &Request,
    nodes_max: usize,
    by: Deadline,
) -> Result<Batch, Failure> {
    let mut batch = Batch::default();
    let (known, unknown): (Vec<_>, Vec<_>) =
        request.targets.iter().map(|target| (target, session.namespaces.node(target.address()))).partition(is_known);
    for (target, _) in unknown {
        // The server has no such namespace, so neither has it the node.
        batch.bad(target.ix, Quality::BadConfig, Timestamp::now());
    }
    let known: Vec<(&Arc<Target>, NodeId)> = known.into_iter().filter_map(|(t, node)| Some((t, node?))).collect();
    for some in known.chunks(session.limits.read_max(nodes_max)) {
        let nodes = some.iter().map(|(target, node)| value_id(target, node.clone())).collect();
        let values = session.live().read(nodes, by).await?;
        push(session, some.iter().map(|(target, _)| *target), values, &mut batch, by).await?;
    }
    Ok(batch)
}

fn is_known<T>((_, node): &(T, Option<NodeId>)) -> bool {
    node.is_some()
}

/// Adds what the server says of points.
pub(super) async fn push<'a>(
    session: &Session,
    targets: impl Iterator<Item = &'a Arc<Target>>,
    values: Vec<DataValue>,
    batch: &mut Batch,
    by: Deadline,
) -> Result<(), Failure> {
    let live = session.live();
    session.types.learn(&live, &values, by).await?;
    let (ahead, arrival) = (live.clock_ahead(), Timestamp::now());
    let layouts = session.types.layouts.read();
    for (target, seen) in targets.zip(values) {
        let (value, quality, time) = target.view.read(seen, &layouts, ahead, arrival);
        batch.push(target.ix, value, quality, time);
    }
    Ok(())
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
    match (&failure, request.targets.as_slice()) {
        (Failure::Refused(status), [target]) if is_too_much(*status) => {
            Fault::Point { point: target.ix, quality: Quality::BadConfig, reason: failure.of_read().to_string() }
        }
        _ => failure.of_read(),
    }
}
