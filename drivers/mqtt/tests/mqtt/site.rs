//! The sample, read as far as a driver is concerned.

use edgeway_driver_mqtt::Mqtt;
use edgeway_sdk::{Access, DeviceIx, DeviceSpec, Driver, Json, Plan, PointIx, PointSpec, Split};
use serde_json::json;
use std::time::Duration;

/// The keys of a point that are the gateway's.
const HOST: [&str; 6] = ["scale", "offset", "unit", "write", "poll", "stale_after"];
const SAMPLE: &str = include_str!("../../sample.toml");

struct Sample {
    link: Json,
    device: Json,
    points: Vec<PointSpec>,
}

impl Sample {
    fn read(text: &str) -> Sample {
        let mut site: Json = toml::from_str(text).expect("TOML");
        let mut link = site["link"]["house"].take();
        assert_eq!(link.as_object_mut().expect("a table").remove("driver"), Some(json!("mqtt")));
        let points = site["template"]["room"]["points"].as_object().expect("points").clone();
        let spec = |(ix, (_, mut options)): (u32, (String, Json))| {
            let access = if options["write"] == true { Access::ReadWrite } else { Access::Read };
            options.as_object_mut().expect("a table").retain(|key, _| !HOST.contains(&key.as_str()));
            let (ix, device, options) = (PointIx(ix), DeviceIx(0), options.into());
            PointSpec { ix, device, options, access, period: Duration::from_secs(1) }
        };
        let points = (0..).zip(points).map(spec).collect();
        Sample { link, device: site["device"][0]["mqtt"].take(), points }
    }

    fn problems(&self) -> Vec<String> {
        let mut all = Mqtt.check_link(&self.link).err().unwrap_or_default();
        all.extend(Mqtt.check_device(&self.device));
        all.extend(self.points.iter().flat_map(|point| Mqtt.check_point(&point.options, point.access)));
        all.iter().map(ToString::to_string).collect()
    }

    async fn planned(&self) -> Plan {
        let device = DeviceSpec { ix: DeviceIx(0), options: self.device.clone() };
        let link = Mqtt.open(self.link.clone()).expect("valid");
        link.plan(&[device], &self.points, Split::Nothing).await.expect("valid")
    }
}

#[tokio::test]
async fn the_sample_is_right() {
    let sample = Sample::read(SAMPLE);
    assert_eq!(sample.problems(), [""; 0]);
    assert_eq!(sample.planned().await.watched.len(), sample.points.len());
}

/// Every commented value can be taken into use as it stands, and every option of a link but those that have no default is there.
#[tokio::test]
async fn the_commented_values_of_the_sample_are_the_defaults() {
    let (first, rest) = SAMPLE.split_once('\n').expect("lines");
    assert!(first.starts_with('#'));
    let full = Sample::read(&rest.replace("\n# ", "\n"));
    assert_eq!(full.problems(), [""; 0]);
    let manifest = Mqtt.manifest();
    let options = manifest.options.link["properties"].as_object().expect("a schema");
    let bare = ["username", "password", "ca", "cert", "key", "client_id", "session_expiry", "share"];
    let missing: Vec<&String> =
        options.keys().filter(|key| !bare.contains(&key.as_str()) && full.link.get(key.as_str()).is_none()).collect();
    assert_eq!(missing, [""; 0]);
    assert_eq!(Sample::read(SAMPLE).planned().await, full.planned().await);
}
