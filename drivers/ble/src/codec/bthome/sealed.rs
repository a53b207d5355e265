//! Encrypted packets: AES-CCM with a key of 16 bytes and a tag of 4.

use super::{Opened, Sealed};
use crate::address::Address;
use aes::Aes128;
use ccm::aead::{Aead, KeyInit};
use ccm::consts::{U4, U13};
use ccm::{Ccm, Nonce};

type Cipher = Ccm<Aes128, U4, U13>;

/// The service as it goes over the air.
const SERVICE: [u8; 2] = [0xd2, 0xfc];
/// Counter and tag, at the end.
const TAIL_BYTES: usize = 8;
const COUNTER_BYTES: usize = 4;

/// What a device encrypts with.
#[derive(Clone)]
pub(crate) struct Key {
    cipher: Cipher,
    address: Address,
}

impl Key {
    pub(crate) fn new(secret: [u8; 16], address: Address) -> Self {
        Key { cipher: Cipher::new(&secret.into()), address }
    }

    /// What was encrypted.
    pub(super) fn unseal<'a>(&self, info: u8, data: &[u8]) -> Result<Opened<'a>, Sealed> {
        let (encrypted, tail) = data.split_last_chunk::<TAIL_BYTES>().ok_or(Sealed::Strange)?;
        let (counter, tag) = tail.split_at(COUNTER_BYTES);
        let nonce = [&self.address.0, SERVICE.as_slice(), &[info], counter].concat();
        let sealed = [encrypted, tag].concat();
        let objects = self.cipher.decrypt(Nonce::<U13>::from_slice(&nonce), sealed.as_slice());
        let counter = counter.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte));
        Ok(Opened { objects: objects.map_err(|_| Sealed::WrongKey)?.into(), counter: Some(counter) })
    }

    /// The same as a device does it, for tests.
    #[cfg(test)]
    pub(crate) fn seal(&self, objects: &[u8], counter: u32) -> Vec<u8> {
        let info = 0x41;
        let counter = counter.to_le_bytes();
        let nonce = [&self.address.0, SERVICE.as_slice(), &[info], &counter].concat();
        let sealed = self.cipher.encrypt(Nonce::<U13>::from_slice(&nonce), objects).expect("short");
        let (encrypted, tag) = sealed.split_last_chunk::<4>().expect("the tag");
        [&[info], encrypted, &counter, tag].concat()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key of {}", self.address)
    }
}
