//! What a server says to whoever asks, and which devices it has: objects right below Objects or below the DeviceSet of
//! OPC 10000-100.

use super::browse;
use crate::config::{LinkOptions, Mode, Namespace, Policy};
use crate::plan;
use crate::session::{Failure, Session, children, find, policy_of};
use edgeway_sdk::{Deadline, Discovered, Fault, Json};
use opcua::crypto::X509;
use opcua::types::{
    ApplicationDescription, EndpointDescription, NodeClass, NodeId, ObjectId, ReferenceDescription, ReferenceTypeId,
};
use serde_json::json;
use tokio::sync::mpsc;

const DEVICE_SET: &str = "DeviceSet";

/// Tells of the server, and of each of its devices. The hint is the options of a link.
pub(super) async fn run(hint: &Json, found: &mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
    let options = LinkOptions::parse(hint).map_err(|problems| plan::wrong(&problems))?;
    let (servers, endpoints) = find(&options, by).await?;
    // If nobody listens any more, there is nothing to do.
    if found.send(server(&servers, &endpoints)).await.is_err() {
        return Ok(());
    }
    let session = Session::open(&options, by).await?;
    let told = devices(&session, found, by).await;
    session.close(by).await;
    told.map_err(Failure::of_read)
}

/// The server as a whole, with all that it offers.
fn server(servers: &[ApplicationDescription], endpoints: &[EndpointDescription]) -> Discovered {
    let mut discovered = Discovered::new(json!({}));
    for server in servers {
        discovered =
            discovered.said("server", format!("{} ({})", server.application_name.text, server.application_uri));
    }
    for endpoint in endpoints {
        let (policy, mode) = (Policy::word(policy_of(endpoint)), Mode::word(endpoint.security_mode));
        let text = if mode == "none" { policy.to_owned() } else { format!("{policy}, {mode}") };
        discovered = discovered.said("security", text);
    }
    let certificate = endpoints.iter().find_map(|endpoint| X509::from_byte_string(&endpoint.server_certificate).ok());
    match certificate {
        Some(certificate) => discovered.said("certificate_sha1", certificate.thumbprint().as_hex_string()),
        None => discovered,
    }
}

async fn devices(session: &Session, found: &mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Failure> {
    let live = session.live();
    let mut folders = vec![NodeId::from(ObjectId::ObjectsFolder)];
    while let Some(folder) = folders.pop() {
        for child in children(&live, &folder, ReferenceTypeId::HierarchicalReferences, by).await? {
            if child.browse_name.name.as_ref() == DEVICE_SET {
                folders.push(child.node_id.node_id);
            } else if is_device(&child) && found.send(device(session, &child)).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What the standard has put there is the server's own.
fn is_device(child: &ReferenceDescription) -> bool {
    let node = &child.node_id;
    child.node_class == NodeClass::Object && node.server_index == 0 && node.node_id.namespace != 0
}

fn device(session: &Session, child: &ReferenceDescription) -> Discovered {
    let node = &child.node_id.node_id;
    let namespace = session.namespaces().uri(node.namespace);
    let root = session.namespaces().address(node, &namespace);
    let uri = match &namespace {
        Namespace::Uri(uri) => Some(uri.as_ref()),
        Namespace::Index(_) => None,
    };
    let name = child.display_name.text.as_ref();
    Discovered::new(browse::device(&root, uri)).said("name", name)
}
