//! Walking through a server's nodes.

use super::{Failure, Live, Session};
use edgeway_sdk::Deadline;
use opcua::types::{
    BrowseDescription, BrowseDirection, BrowseNextRequest, BrowseRequest, BrowseResult, BrowseResultMask, ByteString,
    NodeId, ReferenceDescription, ReferenceTypeId,
};

/// References of one node in one answer; the others come with the next.
const REFERENCES_MAX: u32 = 1000;
/// References of one node in all.
const CHILDREN_MAX: usize = 100_000;

/// The nodes that references of this type, or of one that comes from it, lead to.
pub(crate) async fn children(
    live: &Live,
    node: &NodeId,
    reference: ReferenceTypeId,
    by: Deadline,
) -> Result<Vec<ReferenceDescription>, Failure> {
    let found = references(live, std::slice::from_ref(node), BrowseDirection::Forward, reference, by).await?;
    Ok(found.into_iter().next().unwrap_or_default().references.unwrap_or_default())
}

/// The nodes that references of this type, or of one that comes from it, come from.
///
/// # Errors
/// [`Failure::Refused`] with the node's own status, too.
pub(crate) async fn parents(
    live: &Live,
    node: &NodeId,
    reference: ReferenceTypeId,
    by: Deadline,
) -> Result<Vec<ReferenceDescription>, Failure> {
    let found = references(live, std::slice::from_ref(node), BrowseDirection::Inverse, reference, by).await?;
    let found = found.into_iter().next().unwrap_or_default();
    match found.status_code.is_bad() {
        true => Err(Failure::Refused(found.status_code)),
        false => Ok(found.references.unwrap_or_default()),
    }
}

/// The first node that such a reference comes from; `None` for a node that is not there, too.
pub(crate) async fn above(
    live: &Live,
    node: &NodeId,
    reference: ReferenceTypeId,
    by: Deadline,
) -> Result<Option<NodeId>, Failure> {
    let found = references(live, std::slice::from_ref(node), BrowseDirection::Inverse, reference, by).await?;
    let first = found.into_iter().next().and_then(|found| found.references?.into_iter().next());
    Ok(first.map(|reference| reference.node_id.node_id))
}

/// The nodes that references of this type lead to from several nodes, in their order, in as many questions as the server wants it.
pub(crate) async fn walk(
    session: &Session,
    nodes: &[NodeId],
    reference: ReferenceTypeId,
    nodes_max: usize,
    by: Deadline,
) -> Result<Vec<Vec<ReferenceDescription>>, Failure> {
    let mut all = vec![];
    for some in nodes.chunks(session.limits.browse_max(nodes_max)) {
        let found = references(&session.live, some, BrowseDirection::Forward, reference, by).await?;
        all.extend(found.into_iter().map(|found| found.references.unwrap_or_default()));
    }
    Ok(all)
}

/// All references of each node, each with its status.
async fn references(
    live: &Live,
    nodes: &[NodeId],
    browse_direction: BrowseDirection,
    reference: ReferenceTypeId,
    by: Deadline,
) -> Result<Vec<BrowseResult>, Failure> {
    let description = |node: &NodeId| BrowseDescription {
        node_id: node.clone(),
        browse_direction,
        reference_type_id: reference.into(),
        include_subtypes: true,
        node_class_mask: 0,
        result_mask: BrowseResultMask::All as u32,
    };
    let question = BrowseRequest {
        requested_max_references_per_node: REFERENCES_MAX,
        nodes_to_browse: Some(nodes.iter().map(description).collect()),
        ..BrowseRequest::default()
    };
    let results = live.ask(question, by).await?.results.unwrap_or_default();
    if results.len() != nodes.len() {
        return Err(Failure::Lost("the server has browsed other nodes than was asked for".into()));
    }
    let mut all = vec![];
    for result in results {
        all.push(rest(live, result, by).await?);
    }
    Ok(all)
}

/// All references of a node, of which the first are here.
async fn rest(live: &Live, mut result: BrowseResult, by: Deadline) -> Result<BrowseResult, Failure> {
    let status_code = result.status_code;
    let mut all = result.references.take().unwrap_or_default();
    while !result.continuation_point.is_null_or_empty() {
        // The last question lets the server forget what it still has.
        let enough = all.len() >= CHILDREN_MAX;
        result = next(live, std::mem::take(&mut result.continuation_point), enough, by).await?;
        all.extend(result.references.take().unwrap_or_default());
        if enough {
            break;
        }
    }
    Ok(BrowseResult { status_code, references: Some(all), ..BrowseResult::default() })
}

async fn next(live: &Live, point: ByteString, release: bool, by: Deadline) -> Result<BrowseResult, Failure> {
    let question = BrowseNextRequest {
        release_continuation_points: release,
        continuation_points: Some(vec![point]),
        ..BrowseNextRequest::default()
    };
    let answer = live.ask(question, by).await?;
    Ok(answer.results.and_then(|mut results| results.pop()).unwrap_or_default())
}
