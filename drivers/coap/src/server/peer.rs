//! Who has sent a message.

use crate::plan::Resource;
use std::net::SocketAddr;
use std::sync::Arc;

/// Who has sent a message, as far as can be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// The session it came in: to one that has begun anew, numbers of messages mean nothing (RFC 7252 section 9.1.1). 0 in the clear.
    pub(crate) session: u64,
    /// The name of the key that it has; `None` in the clear.
    pub(crate) identity: Option<Arc<str>>,
}

impl Peer {
    /// Somebody at this address, whoever that is.
    pub(crate) fn in_the_clear(address: SocketAddr) -> Self {
        Peer { address, session: 0, identity: None }
    }

    /// Whether a resource is of a device that has the same key.
    pub(crate) fn may_push(&self, resource: &Resource) -> bool {
        resource.pusher.identity.as_deref() == self.identity.as_deref()
    }
}
