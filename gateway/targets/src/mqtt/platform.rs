//! What platforms want of a login, and how much they take.
//!
//! | preset | client id | user | password |
//! | --- | --- | --- | --- |
//! | generic, AWS IoT | as given, with the route's name | as given | as given |
//! | ThingsBoard | as given, with the route's name | as given, or else the password: the access token | none then |
//! | Azure IoT Hub | as given: the device's id | as given, or `HOST/DEVICE/?api-version=...` | a shared access signature as given, or made anew for each connection from the device's key |
//! | Alink | made from the one given, unless it has a `\|` | as given: `DEVICE&PRODUCT` | made from the device's secret, unless the client id has a `\|` |
//!
//! Azure and Alink know one connection for each device, and end the older one when there is a second. So a target with
//! one of these presets can serve one route, and no commands besides.

use super::settings::Login;
use crate::TargetError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edgeway_site::{MqttPreset, MqttTarget as MqttSite, Transport};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The version of Azure's interface.
const AZURE_VERSION: &str = "2021-04-12";
/// How long a signature for Azure holds; then Azure ends the connection, and the next one has a new signature.
const SIGNATURE_HOLDS: Duration = Duration::from_secs(24 * 3600);

/// Who we are at this broker.
///
/// # Errors
/// [`TargetError::Denied`] if the login cannot be made of what the site says.
pub(super) fn login(purpose: &str, site: &MqttSite, now: SystemTime) -> Result<Login, TargetError> {
    match site.preset {
        MqttPreset::Generic | MqttPreset::AwsIot => Ok(as_given(purpose, site)),
        MqttPreset::ThingsBoard => Ok(thingsboard(purpose, site)),
        MqttPreset::AzureIotHub => azure(site, now),
        MqttPreset::Alink => alink(site),
    }
}

/// The most that a platform takes in one payload, in bytes, where that is the same for everybody.
pub(super) fn payload_bytes_max(preset: MqttPreset) -> Option<usize> {
    match preset {
        MqttPreset::AwsIot => Some(128 << 10),
        MqttPreset::AzureIotHub | MqttPreset::Alink => Some(256 << 10),
        MqttPreset::Generic | MqttPreset::ThingsBoard => None,
    }
}

fn as_given(purpose: &str, site: &MqttSite) -> Login {
    let credentials = site.username.clone().map(|user| (user, password(site).unwrap_or_default()));
    Login { client_id: format!("{}-{purpose}", site.client_id), credentials }
}

fn thingsboard(purpose: &str, site: &MqttSite) -> Login {
    let given = as_given(purpose, site);
    let token = || password(site).map(|token| (token, String::new()));
    Login { credentials: given.credentials.or_else(token), ..given }
}

fn azure(site: &MqttSite, now: SystemTime) -> Result<Login, TargetError> {
    let device = &site.client_id;
    let user = site.username.clone().unwrap_or_else(|| format!("{}/{device}/?api-version={AZURE_VERSION}", site.host));
    let password = match password(site) {
        Some(key) if !key.starts_with("SharedAccessSignature ") => {
            let until = now.duration_since(UNIX_EPOCH).unwrap_or_default() + SIGNATURE_HOLDS;
            azure_signature(&format!("{}/devices/{device}", site.host), &key, until.as_secs())?
        }
        given => given.unwrap_or_default(),
    };
    Ok(Login { client_id: device.clone(), credentials: Some((user, password)) })
}

fn azure_signature(resource: &str, key: &str, until_s: u64) -> Result<String, TargetError> {
    let key =
        STANDARD.decode(key).map_err(|_| denied("`password` is neither a shared access signature nor a device key"))?;
    let resource = percent_encoded(resource);
    let signature = STANDARD.encode(hmac(&key, &format!("{resource}\n{until_s}")));
    Ok(format!("SharedAccessSignature sr={resource}&sig={}&se={until_s}", percent_encoded(&signature)))
}

fn alink(site: &MqttSite) -> Result<Login, TargetError> {
    if site.client_id.contains('|') {
        let credentials = site.username.clone().map(|user| (user, password(site).unwrap_or_default()));
        return Ok(Login { client_id: site.client_id.clone(), credentials });
    }
    let user = site.username.as_deref().unwrap_or_default();
    let (device, product) =
        user.split_once('&').ok_or_else(|| denied("`username` has the form DEVICE_NAME&PRODUCT_KEY"))?;
    let secret = password(site).ok_or_else(|| denied("`password` is missing: the device's secret"))?;
    let signed = format!("clientId{}deviceName{device}productKey{product}", site.client_id);
    let mode = if site.transport == Transport::Plain { 3 } else { 2 };
    let client_id = format!("{}|securemode={mode},signmethod=hmacsha256|", site.client_id);
    Ok(Login { client_id, credentials: Some((user.to_owned(), hex(&hmac(secret.as_bytes(), &signed)))) })
}

fn password(site: &MqttSite) -> Option<String> {
    site.password.as_ref().map(|secret| secret.reveal().to_owned())
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn denied(reason: &str) -> TargetError {
    TargetError::Denied(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_site::{MqttVersion, Secret};

    /// A signature's end in these tests is a day after 1970 began.
    const NOW: SystemTime = UNIX_EPOCH;

    fn site(preset: MqttPreset, client_id: &str, username: Option<&str>, password: &str) -> MqttSite {
        MqttSite {
            host: "farm.azure-devices.net".into(),
            port: 8883,
            transport: Transport::Tls { ca: None, identity: None },
            version: MqttVersion::V3,
            preset,
            client_id: client_id.into(),
            username: username.map(str::to_owned),
            password: (!password.is_empty()).then(|| Secret::new(password)),
            keep_alive: Duration::from_secs(30),
            inflight: 20,
            commands: None,
            replies: None,
        }
    }

    fn of(site: &MqttSite) -> (String, String, String) {
        let login = login("route", site, NOW).expect("a complete login");
        let (user, password) = login.credentials.expect("a login");
        (login.client_id, user, password)
    }

    fn texts(client_id: &str, user: &str, password: &str) -> (String, String, String) {
        (client_id.into(), user.into(), password.into())
    }

    // The signatures were made with Python's hmac.

    #[test]
    fn alink_signs_with_the_devices_secret() {
        let site = site(MqttPreset::Alink, "farm-gw", Some("wt-07&a1B2c3D4e5F"), "s3cret");
        let sign = "2613cd040984f48dd85c3c9751f4d2f18aef647b3f761cf6a6a3ff00321ec268";
        assert_eq!(of(&site), texts("farm-gw|securemode=2,signmethod=hmacsha256|", "wt-07&a1B2c3D4e5F", sign));
        let plain = MqttSite { transport: Transport::Plain, ..site };
        assert_eq!(of(&plain).0, "farm-gw|securemode=3,signmethod=hmacsha256|");
    }

    #[test]
    fn alink_takes_a_signed_login_as_it_is_and_says_what_is_missing() {
        let given = site(MqttPreset::Alink, "x|securemode=2|", Some("a&b"), "sign");
        assert_eq!(of(&given), texts("x|securemode=2|", "a&b", "sign"));
        for (user, password) in [(None, "s"), (Some("a"), "s"), (Some("a&b"), "")] {
            let error = login("route", &site(MqttPreset::Alink, "x", user, password), NOW);
            assert!(matches!(error, Err(TargetError::Denied(_))), "{user:?}");
        }
    }

    #[test]
    fn azure_signs_with_the_devices_key_for_a_day() {
        let user = "farm.azure-devices.net/gw-1/?api-version=2021-04-12";
        let signature = "SharedAccessSignature sr=farm.azure-devices.net%2Fdevices%2Fgw-1\
                         &sig=JVToku4%2BTUfDUkfdq905btJfO3s%2FL1%2FKAptJWZuZ9UI%3D&se=86400";
        let keyed = site(MqttPreset::AzureIotHub, "gw-1", None, "MDEyMzQ1Njc4OWFiY2RlZg==");
        assert_eq!(of(&keyed), texts("gw-1", user, signature));
        assert_eq!(of(&site(MqttPreset::AzureIotHub, "gw-1", None, signature)), texts("gw-1", user, signature));
        let bad = login("route", &site(MqttPreset::AzureIotHub, "gw-1", None, "no key"), NOW);
        assert!(matches!(bad, Err(TargetError::Denied(_))));
    }

    #[test]
    fn thingsboard_has_its_token_as_the_user() {
        assert_eq!(of(&site(MqttPreset::ThingsBoard, "gw", None, "T0k3n")), texts("gw-route", "T0k3n", ""));
        assert_eq!(of(&site(MqttPreset::ThingsBoard, "gw", Some("u"), "p")), texts("gw-route", "u", "p"));
    }

    #[test]
    fn a_generic_client_id_tells_routes_apart_and_a_login_is_not_needed() {
        let login = login("route", &site(MqttPreset::Generic, "gw", None, ""), NOW).expect("nothing is needed");
        assert_eq!((login.client_id.as_str(), login.credentials), ("gw-route", None));
    }
}
