//! The answer that opens a channel. It is signed and encrypted with the keys of certificates (OPC 10000-6, 6.7.2), and holds the
//! server's.
//!
//! The library reads it only if no authorities come along with that certificate, and takes it from whoever has signed it, in
//! whatever way. Here it has to be the server whose certificate was checked, by the policy that was agreed on.

use super::trust;
use opcua::core::comms::message_chunk::MessageChunk;
use opcua::core::comms::secure_channel::SecureChannel;
use opcua::core::comms::security_header::{AsymmetricSecurityHeader, SecurityHeader};
use opcua::crypto::{KeySize, PrivateKey};
use opcua::types::{Error, StatusCode};

/// Where a message says how long it is.
const LENGTH_AT: std::ops::Range<usize> = 4..8;
/// With a longer key of the receiver, the length of the padding takes two bytes.
const PADDING_KEY_BYTES: usize = 256;

/// What the message says, without what protects it.
pub(super) fn open(frame: Vec<u8>, channel: &SecureChannel, key: &PrivateKey) -> Result<MessageChunk, Error> {
    let chunk = MessageChunk { data: frame.into() };
    let info = chunk.chunk_info(channel)?;
    let SecurityHeader::Asymmetric(header) = info.security_header else { return Err(wrong()) };
    check_header(&header, channel)?;
    let server = channel.remote_cert().ok_or_else(wrong)?.public_key()?;
    let (head, sealed) = chunk.data.split_at(info.sequence_header_offset);
    if sealed.is_empty() || !sealed.len().is_multiple_of(key.size()) {
        return Err(wrong());
    }
    let mut plain = vec![0; sealed.len()];
    let policy = channel.security_policy();
    let length = policy.asymmetric_decrypt(key, sealed, &mut plain).map_err(|_| wrong())?;
    plain.truncate(length);
    let mut message = [head, &plain].concat();
    let end = message.len().checked_sub(server.size()).filter(|end| *end > head.len()).ok_or_else(wrong)?;
    policy.asymmetric_verify_signature(&server, &message[..end], &message[end..])?;
    let end = unpadded(&message[head.len()..end], key.size()).ok_or_else(wrong)? + head.len();
    message.truncate(end);
    message[LENGTH_AT].copy_from_slice(&u32::try_from(end).map_err(|_| wrong())?.to_le_bytes());
    Ok(MessageChunk { data: message.into() })
}

/// Whether it comes from the server, is for the gateway, and is protected as agreed.
fn check_header(header: &AsymmetricSecurityHeader, channel: &SecureChannel) -> Result<(), Error> {
    let server = trust::own(&header.sender_certificate).map_err(|_| wrong())?;
    let ours = channel.cert().ok_or_else(wrong)?.thumbprint();
    let is_right = header.security_policy_uri.as_ref() == channel.security_policy().to_uri()
        && server == channel.remote_cert_as_byte_string()
        && header.receiver_certificate_thumbprint == ours.as_byte_string();
    if is_right { Ok(()) } else { Err(wrong()) }
}

/// Where what was encrypted ends, without the padding (6.7.2.5): as many bytes as it says of itself, all alike.
fn unpadded(bytes: &[u8], key_bytes: usize) -> Option<usize> {
    let (&last, rest) = bytes.split_last()?;
    let (low, high, rest) = match key_bytes > PADDING_KEY_BYTES {
        true => (*rest.last()?, last, rest),
        false => (last, 0, bytes),
    };
    let end = rest.len().checked_sub(1 + usize::from(u16::from_be_bytes([high, low])))?;
    rest[end..].iter().all(|byte| *byte == low).then_some(end)
}

fn wrong() -> Error {
    Error::new(
        StatusCode::BadSecurityChecksFailed,
        "the answer that opens the channel is not protected as it should be",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use opcua::core::comms::secure_channel::Role;
    use opcua::crypto::{SecurityPolicy, X509, X509Data};
    use opcua::sync::RwLock;
    use opcua::types::{
        ByteString, ContextOwned, DecodingOptions, MessageSecurityMode, NamespaceMap, SimpleBinaryEncodable,
    };
    use proptest::prelude::*;
    use std::sync::Arc;

    const BODY: &[u8] = b"sequence and body of an answer";

    /// The gateway, its server, and somebody else. The keys are short, so that they are made soon.
    struct Three {
        ours: (X509, PrivateKey),
        server: (X509, PrivateKey),
        other: (X509, PrivateKey),
    }

    impl Three {
        fn new() -> Three {
            let one =
                || X509::cert_and_pkey(&X509Data { key_size: 1024, ..X509Data::sample_cert() }).expect("a certificate");
            Three { ours: one(), server: one(), other: one() }
        }

        fn channel(&self) -> SecureChannel {
            let context = ContextOwned::new_default(NamespaceMap::new(), DecodingOptions::default());
            let store = Arc::new(RwLock::new(trust::nowhere()));
            let mut channel = SecureChannel::new(store, Role::Client, Arc::new(RwLock::new(context)));
            channel.set_security_policy(SecurityPolicy::Basic128Rsa15);
            channel.set_security_mode(MessageSecurityMode::SignAndEncrypt);
            channel.set_cert(Some(self.ours.0.clone()));
            channel.set_remote_cert(Some(self.server.0.clone()));
            channel
        }

        fn header(&self) -> AsymmetricSecurityHeader {
            AsymmetricSecurityHeader::new(
                SecurityPolicy::Basic128Rsa15,
                &self.server.0,
                self.ours.0.thumbprint().as_byte_string(),
            )
        }

        /// A message as servers make it.
        fn seal(&self, header: &AsymmetricSecurityHeader, signer: &PrivateKey) -> Vec<u8> {
            let policy = SecurityPolicy::Basic128Rsa15;
            let ours = self.ours.1.to_public_key();
            let block = policy.asymmetric_padding_info(&ours).block_size;
            let unfilled = BODY.len() + 1 + signer.size();
            let padding = unfilled.next_multiple_of(block) - unfilled;
            let padded = [BODY, &vec![u8::try_from(padding).expect("short"); padding + 1]].concat();
            let mut head = [b"OPNF".as_slice(), &[0; 8], &header.encode_to_vec()].concat();
            let sealed = policy.calculate_cipher_text_size(padded.len() + signer.size(), &ours);
            let length = u32::try_from(head.len() + sealed).expect("short");
            head[LENGTH_AT].copy_from_slice(&length.to_le_bytes());
            let mut signature = vec![0; signer.size()];
            policy
                .asymmetric_sign(signer, &[head.clone(), padded.clone()].concat(), &mut signature)
                .expect("a signature");
            let mut encrypted = vec![0; sealed];
            policy.asymmetric_encrypt(&ours, &[padded, signature].concat(), &mut encrypted).expect("a message");
            [head, encrypted].concat()
        }

        fn open(&self, frame: Vec<u8>) -> Result<Vec<u8>, StatusCode> {
            let opened = open(frame, &self.channel(), &self.ours.1);
            opened.map(|chunk| chunk.data.to_vec()).map_err(|error| error.status())
        }
    }

    #[test]
    fn only_the_servers_own_answer_opens_a_channel() {
        let three = Three::new();
        let right = three.seal(&three.header(), &three.server.1);
        let opened = three.open(right.clone()).expect("it is the server's");
        assert!(opened.ends_with(BODY));
        assert_eq!(opened[LENGTH_AT], u32::try_from(opened.len()).expect("short").to_le_bytes());
        // Authorities may come along.
        let chain = [three.server.0.as_byte_string(), three.other.0.as_byte_string()].map(|one| one.as_ref().to_vec());
        let mut header = three.header();
        header.sender_certificate = ByteString::from(chain.concat());
        let opened = three.open(three.seal(&header, &three.server.1)).expect("it is the server's");
        assert!(opened.ends_with(BODY));

        for at in [right.len() - 1, right.len() - 200, 5, 20] {
            let mut changed = right.clone();
            changed[at] ^= 1;
            assert!(three.open(changed).is_err(), "byte {at}");
        }
        assert!(three.open(right[..right.len() - 1].to_vec()).is_err());
        assert!(three.open(three.seal(&three.header(), &three.other.1)).is_err(), "signed by another");
        let stranger =
            AsymmetricSecurityHeader { sender_certificate: three.other.0.as_byte_string(), ..three.header() };
        assert!(three.open(three.seal(&stranger, &three.other.1)).is_err(), "of another");
        header.sender_certificate = ByteString::from([chain[1].clone(), chain[0].clone()].concat());
        assert!(three.open(three.seal(&header, &three.server.1)).is_err(), "another before the server");
        let policy = SecurityPolicy::Basic256.to_uri().into();
        let weaker = AsymmetricSecurityHeader { security_policy_uri: policy, ..three.header() };
        assert!(three.open(three.seal(&weaker, &three.server.1)).is_err(), "by another policy");
        let receiver_certificate_thumbprint = three.other.0.thumbprint().as_byte_string();
        let misled = AsymmetricSecurityHeader { receiver_certificate_thumbprint, ..three.header() };
        assert!(three.open(three.seal(&misled, &three.server.1)).is_err(), "for another");
        let unprotected = AsymmetricSecurityHeader::none();
        let plain = [b"OPNF".as_slice(), &[0; 8], &unprotected.encode_to_vec(), BODY].concat();
        assert!(three.open(plain).is_err(), "not protected at all");
    }

    #[test]
    fn padding_is_what_it_says_or_nothing() {
        assert_eq!(unpadded(&[7, 7, 2, 2, 2], 256), Some(2));
        assert_eq!(unpadded(&[7, 0], 256), Some(1));
        assert_eq!(unpadded(&[7, 7, 2, 2, 2, 0], 512), Some(2));
        assert_eq!(unpadded(&[7, 0, 0], 512), Some(1));
        let long = [&[7][..], &[4; 0x104 + 1], &[1]].concat();
        assert_eq!(unpadded(&long, 512), Some(1));
        for wrong in [&[][..], &[2, 2], &[7, 1, 2, 2]] {
            assert_eq!(unpadded(wrong, 256), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_padding_is_longer_than_what_there_is(bytes: Vec<u8>, key_bytes in 200_usize..600) {
            prop_assert!(unpadded(&bytes, key_bytes).is_none_or(|end| end < bytes.len()));
        }
    }
}
