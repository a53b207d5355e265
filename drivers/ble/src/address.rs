//! Addresses of devices.

use std::fmt;
use std::str::FromStr;

/// Six bytes, the most significant first, as people write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Address(pub(crate) [u8; 6]);

impl FromStr for Address {
    type Err = ();

    /// Reads `AA:BB:CC:DD:EE:FF`, in either case.
    fn from_str(text: &str) -> Result<Self, ()> {
        parse(text, b':').ok_or(())
    }
}

impl Address {
    /// From the last part of a device's path in BlueZ, `dev_AA_BB_CC_DD_EE_FF`.
    pub(crate) fn of_node(node: &str) -> Option<Self> {
        parse(node.strip_prefix("dev_")?, b'_')
    }

    /// The last part of its path in BlueZ.
    pub(crate) fn node(self) -> String {
        format!("dev_{}", self.to_string().replace(':', "_"))
    }
}

fn parse(text: &str, between: u8) -> Option<Address> {
    let text = text.as_bytes();
    if text.len() != 17 || text.iter().skip(2).step_by(3).any(|&byte| byte != between) {
        return None;
    }
    let digit = |at: usize| char::from(text[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut address = [0; 6];
    for (at, byte) in address.iter_mut().enumerate() {
        *byte = digit(at * 3)? << 4 | digit(at * 3 + 1)?;
    }
    Some(Address(address))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_written() {
        let address: Address = "a4:C1:38:00:11:ff".parse().expect("valid");
        assert_eq!(address.to_string(), "A4:C1:38:00:11:FF");
        assert_eq!(Address::of_node(&address.node()), Some(address));
        for wrong in [
            "",
            "A4:C1:38:00:11",
            "A4-C1-38-00-11-FF",
            "A4:C1:38:00:11:FG",
            "A4:C1:38:00:11:FF:00",
            "ä4:C1:38:00:11:FF",
        ] {
            assert_eq!(wrong.parse::<Address>(), Err(()), "{wrong}");
        }
    }
}
