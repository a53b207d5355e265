//! A device's options: whom to listen to.

use super::check_duration;
use crate::address::Address;
use crate::codec::bthome::Key;
use edgeway_sdk::{Json, Problem, options};
use std::time::Duration;

/// A device's options, checked.
#[derive(Debug, Clone)]
pub(crate) struct DeviceOptions {
    pub(crate) address: Address,
    /// Of BTHome, if it encrypts.
    pub(crate) key: Option<Key>,
    pub(crate) keep: Keep,
    pub(crate) gone_after: Duration,
}

/// Whether a device stays connected.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Keep {
    /// Connected for each reading and each write, then left alone: it saves the device's battery and the adapter's connections.
    #[default]
    OnDemand,
    /// Always, from the first reading on. A device with a point that notifies is always kept so.
    Connected,
}

/// A device's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "BLE device")]
pub(crate) struct Written {
    /// The device's address, `A4:C1:38:00:11:22`. Nobody else is listened to
    address: String,
    /// The key of encrypted BTHome, 32 hexadecimal digits. With it, what is not encrypted is not believed
    secret: Option<String>,
    /// Whether the device stays connected, for points that begin with `gatt:`
    #[serde(default)]
    keep: Keep,
    /// If no advertisement comes for so long, the device is offline. 1s to 30d. It goes for devices that have points from advertisements
    #[serde(default = "gone_after_default", with = "options::duration")]
    #[schemars(with = "String")]
    gone_after: Duration,
}

fn gone_after_default() -> Duration {
    Duration::from_secs(2 * 60)
}

impl DeviceOptions {
    /// Reads a device's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        let address = written.address.parse().map_err(|()| problems.push(address_problem(&written.address))).ok();
        let secret = written.secret.as_deref().map(|text| secret(text, &mut problems));
        let second = Duration::from_secs(1);
        check_duration(&mut problems, "gone_after", written.gone_after, second..=second * 30 * 24 * 60 * 60);
        match address {
            Some(address) if problems.is_empty() => Ok(DeviceOptions {
                address,
                key: secret.map(|secret| Key::new(secret, address)),
                keep: written.keep,
                gone_after: written.gone_after,
            }),
            _ => Err(problems),
        }
    }
}

fn address_problem(text: &str) -> Problem {
    Problem::key("address", format!("`{text}` is not the address of a device"))
        .help("`A4:C1:38:00:11:22`; `edgeway driver probe` lists who is there")
}

/// The text is not shown: it may be nearly right.
fn secret(text: &str, problems: &mut Vec<Problem>) -> [u8; 16] {
    let key = (text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten();
    if key.is_none() {
        let problem = Problem::key("secret", "this is not a key of BTHome");
        problems.push(problem.help("32 hexadecimal digits, as the device or its app shows them"));
    }
    key.unwrap_or_default().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json) -> Vec<String> {
        DeviceOptions::parse(&options).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn an_address_is_enough() {
        let device = DeviceOptions::parse(&json!({ "address": "a4:c1:38:00:11:22" })).expect("valid");
        assert_eq!((device.address.to_string().as_str(), device.keep), ("A4:C1:38:00:11:22", Keep::OnDemand));
    }

    #[test]
    fn every_mistake_of_a_device_is_told_at_once_and_no_secret() {
        assert_eq!(
            problems(
                json!({ "address": "A4C138001122", "secret": "231d39c1d7cc1ab1aee224cd096db93", "gone_after": "0s" })
            ),
            [
                "`address`: `A4C138001122` is not the address of a device (`A4:C1:38:00:11:22`; `edgeway driver probe` lists who is there)",
                "`secret`: this is not a key of BTHome (32 hexadecimal digits, as the device or its app shows them)",
                "`gone_after`: 0s is out of range (1s to 2592000s)",
            ]
        );
        assert_eq!(problems(json!({ "adress": "x" })), ["`adress`: unknown key `adress` (did you mean `address`?)"]);
        assert_eq!(problems(json!({})), ["missing field `address`"]);
    }
}
