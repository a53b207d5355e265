//! How much a server takes at once.

use super::{Failure, Live};
use edgeway_sdk::Deadline;
use opcua::types::{NodeId, ReadValueId, VariableId, Variant};

/// How many nodes a server takes in one request; 0 is as many as one likes (OPC 10000-5, 6.3.11).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    read: u32,
    browse: u32,
    monitored_items: u32,
}

impl Limits {
    pub(super) async fn read(live: &Live, by: Deadline) -> Result<Limits, Failure> {
        let limits = [
            VariableId::Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
            VariableId::Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse,
            VariableId::Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
        ];
        let nodes = limits.map(|limit| ReadValueId::from(NodeId::from(limit)));
        let values = live.read(nodes.into(), by).await?;
        let limit = |at: usize| match values[at].value {
            Some(Variant::UInt32(limit)) if values[at].status().is_good() => limit,
            // Few servers say so.
            _ => 0,
        };
        Ok(Limits { read: limit(0), browse: limit(1), monitored_items: limit(2) })
    }

    /// Nodes in a Read, at most as many as the link says.
    pub(crate) fn read_max(&self, link: usize) -> usize {
        least(self.read, link)
    }

    /// Nodes in a Browse.
    pub(crate) fn browse_max(&self, link: usize) -> usize {
        least(self.browse, link)
    }

    /// Items in a CreateMonitoredItems.
    pub(crate) fn items_max(&self, link: usize) -> usize {
        least(self.monitored_items, link)
    }
}

fn least(server: u32, link: usize) -> usize {
    if server == 0 { link } else { link.min(server as usize) }
}

/// What the server says of itself (OPC 10000-5, 12.10).
pub(super) async fn identity(live: &Live, by: Deadline) -> Result<Vec<(String, String)>, Failure> {
    let facts = [
        ("vendor", VariableId::Server_ServerStatus_BuildInfo_ManufacturerName),
        ("product", VariableId::Server_ServerStatus_BuildInfo_ProductName),
        ("version", VariableId::Server_ServerStatus_BuildInfo_SoftwareVersion),
    ];
    let nodes = facts.map(|(_, node)| ReadValueId::from(NodeId::from(node)));
    let values = match live.read(nodes.into(), by).await {
        // Nothing depends on it.
        Err(Failure::Unreadable) => vec![],
        values => values?,
    };
    let said = |((name, _), value): ((&str, VariableId), opcua::types::DataValue)| match value.value {
        Some(Variant::String(text)) if !text.is_empty() => Some((name.to_owned(), text.to_string())),
        _ => None,
    };
    Ok(facts.into_iter().zip(values).filter_map(said).collect())
}
