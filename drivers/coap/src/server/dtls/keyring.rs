//! The pre-shared keys of devices, by their names.

use crate::config::Secret;
use edgeway_sdk::DeviceIx;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The keys that open the door, and whose they are.
#[derive(Clone, Default)]
pub(crate) struct Keyring {
    holders: BTreeMap<Arc<str>, Holder>,
}

#[derive(Clone)]
struct Holder {
    key: Vec<u8>,
    devices: Vec<DeviceIx>,
}

/// Keys are not shown.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.holders.keys()).finish()
    }
}

impl Keyring {
    /// Adds the key of a device. Devices may share one; `false` if another has a different key of this name.
    pub(crate) fn add(&mut self, secret: &Secret, device: DeviceIx) -> bool {
        let new = || Holder { key: secret.key.clone(), devices: vec![] };
        let holder = self.holders.entry(secret.identity.as_str().into()).or_insert_with(new);
        if holder.key != secret.key {
            return false;
        }
        if !holder.devices.contains(&device) {
            holder.devices.push(device);
        }
        true
    }

    /// The key of this name.
    pub(super) fn find(&self, identity: &[u8]) -> Option<(Arc<str>, &[u8])> {
        let (identity, holder) = self.holders.get_key_value(std::str::from_utf8(identity).ok()?)?;
        Some((identity.clone(), &holder.key))
    }

    /// Whose key it is.
    pub(in crate::server) fn devices(&self, identity: &str) -> &[DeviceIx] {
        self.holders.get(identity).map_or(&[], |holder| &holder.devices)
    }
}
