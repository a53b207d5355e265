//! What all parts of a run stand on: the driver, the subject, and the wire between driver and device.

use crate::peer::Peer;
use crate::proxy::Proxy;
use crate::subject::Transport;
use crate::{Error, Options, Subject};
use edgeway_sdk::{Driver, Json};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What all parts of a run stand on.
pub(crate) struct Ground<'s> {
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) subject: &'s Subject,
    pub(crate) options: Options,
    wire: Option<Wire>,
    /// Set once the values were not right at the start of a part. Later parts do not wait as long for it.
    pub(crate) has_started_badly: AtomicBool,
}

/// The proxy, and the device behind it.
pub(crate) struct Wire {
    pub(crate) proxy: Proxy,
    pub(crate) peer: Peer,
}

impl<'s> Ground<'s> {
    /// Starts the device and the proxy.
    pub(crate) async fn prepare(
        driver: Arc<dyn Driver>,
        subject: &'s Subject,
        options: Options,
    ) -> Result<Self, Error> {
        let wire = match &subject.peer {
            None => None,
            Some(spec) => {
                let peer = Peer::new(spec, &subject.folder);
                let proxy = Proxy::start(&subject.chaos, subject.timeout, spec.transport, options.seed).await?;
                proxy.up(peer.start().await?).await?;
                Some(Wire { proxy, peer })
            }
        };
        Ok(Ground { driver, subject, options, wire, has_started_badly: AtomicBool::new(false) })
    }

    pub(crate) fn wire(&self) -> Option<&Wire> {
        self.wire.as_ref()
    }

    /// The wire.
    ///
    /// # Panics
    /// Without one. A part that needs it says that it does not apply.
    pub(crate) fn proxy(&self) -> &Proxy {
        &self.wire.as_ref().expect("a part that needs a wire does not apply without one").proxy
    }

    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.wire.as_ref().map(|wire| wire.proxy.address())
    }

    /// The options of the link, which leads to the proxy.
    pub(crate) fn link(&self) -> Json {
        self.subject.link(self.address())
    }

    /// Whether the wire is a connection: it can be reset, and what comes on it in pieces.
    pub(crate) fn is_stream(&self) -> bool {
        self.subject.transport() == Transport::Tcp
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.subject.timeout
    }

    /// How often something is done.
    pub(crate) fn rounds(&self, short: usize, long: usize) -> usize {
        if self.options.long { long } else { short }
    }

    /// The dice of a part: what other parts take does not change what falls.
    pub(crate) fn dice(&self, part: &str) -> fastrand::Rng {
        let mut hasher = DefaultHasher::new();
        (part, self.options.seed).hash(&mut hasher);
        fastrand::Rng::with_seed(hasher.finish())
    }
}
