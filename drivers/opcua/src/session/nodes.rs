//! From addresses to the node ids of this session, and back. A server may number its namespaces anew at every start.

use super::{Failure, Live, attribute};
use crate::config::{Namespace, NodeAddress};
use edgeway_sdk::Deadline;
use opcua::types::{AttributeId, NodeId, VariableId, Variant};
use std::sync::Arc;

/// The URIs of a server's namespaces, by their numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Namespaces(Arc<[Arc<str>]>);

impl Namespaces {
    pub(super) async fn read(live: &Live, by: Deadline) -> Result<Namespaces, Failure> {
        let node = attribute(VariableId::Server_NamespaceArray.into(), AttributeId::Value);
        let value = live.read(vec![node], by).await?.pop().and_then(|value| value.value);
        let Some(Variant::Array(array)) = value else {
            return Err(Failure::Lost("the server does not say which namespaces it has".into()));
        };
        let uri = |value: &Variant| match value {
            Variant::String(uri) => uri.as_ref().into(),
            _ => "".into(),
        };
        Ok(Namespaces(array.values.iter().map(uri).collect()))
    }

    /// The number of a namespace, if the server has it.
    pub(crate) fn number(&self, namespace: &Namespace) -> Option<u16> {
        match namespace {
            Namespace::Index(number) => Some(*number),
            Namespace::Uri(uri) => {
                let at = self.0.iter().position(|known| known == uri)?;
                u16::try_from(at).ok()
            }
        }
    }

    /// The node id of an address, if the server has its namespace.
    pub(crate) fn node(&self, address: &NodeAddress) -> Option<NodeId> {
        Some(NodeId { namespace: self.number(&address.namespace)?, identifier: address.identifier.clone() })
    }

    /// A namespace by its URI, if it has one and is not that of the standard.
    pub(crate) fn uri(&self, number: u16) -> Namespace {
        match self.0.get(usize::from(number)) {
            Some(uri) if number > 0 && !uri.is_empty() => Namespace::Uri(uri.clone()),
            _ => Namespace::Index(number),
        }
    }

    /// The address of a node, as it is written for a device with this namespace.
    pub(crate) fn address(&self, node: &NodeId, device: &Namespace) -> String {
        let namespace = self.uri(node.namespace);
        match (&namespace, device) {
            (namespace, device) if namespace == device => node.identifier.to_string(),
            // Without a namespace it would be in that of the device.
            (Namespace::Index(0), _) => format!("ns=0;{}", node.identifier),
            _ => NodeAddress { namespace, identifier: node.identifier.clone() }.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Naming;

    fn of(namespace: &Namespace) -> Naming {
        Naming { namespace: namespace.clone(), name: None }
    }

    #[test]
    fn an_address_finds_its_node_wherever_the_namespace_has_gone() {
        let lab = Namespace::Uri("http://lab".into());
        let address = NodeAddress::parse("s=Power", "at", &of(&lab)).expect("valid");
        for (namespaces, number) in
            [(vec!["", "urn:me", "http://lab"], Some(2)), (vec!["", "http://lab"], Some(1)), (vec![], None)]
        {
            let namespaces = Namespaces(namespaces.into_iter().map(Into::into).collect());
            assert_eq!(namespaces.node(&address).map(|node| node.namespace), number);
        }
    }

    #[test]
    fn a_node_is_written_as_it_is_read() {
        let namespaces = Namespaces(["http://opcfoundation.org/UA/", "urn:me", "http://lab"].map(Into::into).into());
        let (lab, none) = (Namespace::Uri("http://lab".into()), Namespace::Index(0));
        for (node, device, shown) in [
            (NodeId::new(2, "Power"), &lab, "s=Power"),
            (NodeId::new(2, "Power"), &none, "nsu=http://lab;s=Power"),
            (NodeId::new(0, 2258), &lab, "ns=0;i=2258"),
            (NodeId::new(0, 2258), &none, "i=2258"),
            (NodeId::new(7, 1), &none, "ns=7;i=1"),
        ] {
            let address = namespaces.address(&node, device);
            assert_eq!(address, shown);
            let read = NodeAddress::parse(&address, "at", &of(device)).expect("valid");
            assert_eq!(namespaces.node(&read), Some(node));
        }
    }
}
