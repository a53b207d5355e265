//! What a server has to offer below a node: its variables, with what their types and properties say of them.

mod offer;

use crate::config::{DeviceOptions, NodeAddress};
use crate::session::{Failure, Session, walk};
use edgeway_sdk::{Deadline, Discovered, Fault, Json};
use offer::{Found, Properties};
use opcua::types::{NodeClass, NodeId, ObjectId, ReferenceDescription, ReferenceTypeId};
use serde_json::json;
use std::collections::HashSet;

/// Variables and methods in one answer, at most.
const FOUND_MAX: usize = 10_000;
/// Nodes below nodes, at most.
const DEPTH_MAX: usize = 16;
/// What is said if there are more than these.
const CUT: &str =
    "there is more: only the first 10000 nodes, and 16 levels, are listed; set `root` to a node further down";

/// Lists the variables and methods below a node: the one given, the device's root, or Objects.
pub(super) async fn run(
    session: &Session,
    options: &DeviceOptions,
    at: Option<&str>,
    nodes_max: usize,
    by: Deadline,
) -> Result<Vec<Discovered>, Fault> {
    let root = root(session, options, at, by).await?;
    let browse = Browse { session, options, nodes_max, by };
    let (found, is_all) = browse.collect(root).await.map_err(Failure::of_read)?;
    let mut described = browse.describe(found).await.map_err(Failure::of_read)?;
    if !is_all {
        described.push(Discovered::new(json!({})).said("note", CUT));
    }
    Ok(described)
}

async fn root(session: &Session, options: &DeviceOptions, at: Option<&str>, by: Deadline) -> Result<NodeId, Fault> {
    let at = at.map(|text| NodeAddress::parse(text, "at", &options.naming)).transpose();
    let at = at.map_err(|problem| Fault::Config(problem.to_string()))?;
    match at.as_ref().or(options.root.as_ref()) {
        None => Ok(ObjectId::ObjectsFolder.into()),
        Some(address) => session
            .node(address, by)
            .await
            .ok_or_else(|| Fault::Config(format!("the server has no namespace `{}`", address.namespace))),
    }
}

struct Browse<'a> {
    session: &'a Session,
    options: &'a DeviceOptions,
    nodes_max: usize,
    by: Deadline,
}

impl Browse<'_> {
    /// All variables and methods below a node, each once, by the path on which it was met first; and whether these are all.
    async fn collect(&self, root: NodeId) -> Result<(Vec<Found>, bool), Failure> {
        let mut met = Met { seen: HashSet::from([root.clone(), ObjectId::Server.into()]), found: vec![] };
        let mut level = vec![(root, String::new())];
        for _ in 0..DEPTH_MAX {
            let nodes: Vec<NodeId> = level.iter().map(|(node, _)| node.clone()).collect();
            let below = self.below(&nodes, ReferenceTypeId::HierarchicalReferences).await?;
            let mut next = vec![];
            for ((_, path), references) in level.into_iter().zip(below) {
                next.extend(references.into_iter().filter_map(|reference| met.take(&path, reference)));
            }
            level = next;
            if level.is_empty() || met.found.len() > FOUND_MAX {
                break;
            }
        }
        let is_all = level.is_empty() && met.found.len() <= FOUND_MAX;
        met.found.truncate(FOUND_MAX);
        Ok((met.found, is_all))
    }

    async fn below(
        &self,
        nodes: &[NodeId],
        reference: ReferenceTypeId,
    ) -> Result<Vec<Vec<ReferenceDescription>>, Failure> {
        walk(self.session, nodes, reference, self.nodes_max, self.by).await
    }

    async fn describe(&self, found: Vec<Found>) -> Result<Vec<Discovered>, Failure> {
        let nodes: Vec<NodeId> = found.iter().map(|found| found.node.clone()).collect();
        let properties = self.below(&nodes, ReferenceTypeId::HasProperty).await?;
        let properties = Properties::read(self.session, &properties, self.nodes_max, self.by).await?;
        let mut types = offer::Types::default();
        let mut all = vec![];
        for (found, properties) in found.into_iter().zip(&properties) {
            let options = self.address(&found.node);
            all.push(match found.class {
                // A service cannot be a point: it is put into `methods`.
                NodeClass::Method => Discovered::new(json!({})).said("method", options).said("name", found.path),
                _ => self.variable(found, options, properties, &mut types).await?,
            });
        }
        Ok(all)
    }

    async fn variable(
        &self,
        found: Found,
        at: String,
        properties: &Properties,
        types: &mut offer::Types,
    ) -> Result<Discovered, Failure> {
        let about = offer::about(self.session, &found, self.by).await?;
        let discovered =
            Discovered::new(json!({ "at": at })).said("type", about.type_name(self.session, self.by).await?);
        let discovered = match properties.range() {
            Some(range) => discovered.said("range", range),
            None => discovered,
        };
        let offer = offer::make(self.session, &found, &about, properties, types, self.by).await?;
        Ok(match offer {
            Some(offer) => discovered.offering(offer),
            None => discovered,
        })
    }

    fn address(&self, node: &NodeId) -> String {
        self.session.namespaces().address(node, &self.options.naming.namespace)
    }
}

/// What was met on the way.
struct Met {
    seen: HashSet<NodeId>,
    found: Vec<Found>,
}

impl Met {
    /// Keeps what is of use; where to look further, if there can be more below it.
    fn take(&mut self, path: &str, reference: ReferenceDescription) -> Option<(NodeId, String)> {
        let path = join(path, reference.browse_name.name.as_ref());
        // Properties say something of their node; they are no values of the device.
        let is_property = reference.reference_type_id == ReferenceTypeId::HasProperty;
        let class = reference.node_class;
        // What is on another server is that server's affair.
        let node = Some(reference.node_id).filter(|node| node.server_index == 0)?.node_id;
        if is_property || !self.seen.insert(node.clone()) {
            return None;
        }
        match class {
            NodeClass::Object => Some((node, path)),
            NodeClass::Variable | NodeClass::Method => {
                self.found.push(Found { node: node.clone(), path: path.clone(), class });
                Some((node, path))
            }
            _ => None,
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// What the options of a device would be whose points are below this node.
pub(super) fn device(root: &str, namespace: Option<&str>) -> Json {
    match namespace {
        Some(namespace) => json!({ "namespace": namespace, "root": root }),
        None => json!({ "root": root }),
    }
}
