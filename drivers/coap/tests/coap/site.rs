//! The sample, read as far as a driver is concerned.

use edgeway_driver_coap::Coap;
use edgeway_sdk::options::duration;
use edgeway_sdk::{Access, DeviceIx, DeviceSpec, Driver, Json, Plan, PointIx, PointSpec, Split};
use serde_json::json;

/// The keys of a point that are the gateway's.
const HOST: [&str; 6] = ["scale", "offset", "unit", "write", "poll", "stale_after"];
const SAMPLE: &str = include_str!("../../sample.toml");

struct Site {
    link: Json,
    device: Json,
    points: Vec<PointSpec>,
}

impl Site {
    fn read(text: &str) -> Site {
        let site: Json = toml::from_str(text).expect("a TOML text");
        let mut link = site["link"]["thermostats"].clone();
        assert_eq!(link.as_object_mut().unwrap().remove("driver"), Some(json!("coap")));
        let template = &site["template"]["thermostat"];
        let points = template["points"].as_object().expect("points").values();
        let points = (0..).map(PointIx).zip(points).map(|(ix, options)| spec(ix, options, &template["poll"])).collect();
        Site { link, device: site["device"][0]["coap"].clone(), points }
    }

    /// Everything that the driver finds wrong.
    fn problems(&self) -> Vec<String> {
        let link = Coap.check_link(&self.link).err().unwrap_or_default();
        let points = self.points.iter().flat_map(|point| Coap.check_point(&point.options, point.access));
        let all = link.into_iter().chain(Coap.check_device(&self.device)).chain(points);
        all.map(|problem| problem.to_string()).collect()
    }

    async fn planned(&self) -> Plan {
        let link = Coap.open(self.link.clone()).expect("valid");
        let device = DeviceSpec { ix: DeviceIx(0), options: self.device.clone() };
        link.plan(&[device], &self.points, Split::Nothing).await.expect("valid")
    }
}

fn spec(ix: PointIx, options: &Json, poll: &Json) -> PointSpec {
    let access = if options["write"] == true { Access::ReadWrite } else { Access::Read };
    let period = poll.as_str().and_then(duration::parse).expect("a duration");
    let mut own = options.clone();
    own.as_object_mut().expect("a table").retain(|key, _| !HOST.contains(&key.as_str()));
    PointSpec { ix, device: DeviceIx(0), options: own.into(), access, period }
}

#[tokio::test]
async fn the_sample_is_right() {
    let site = Site::read(SAMPLE);
    assert_eq!(site.problems(), [""; 0]);
    let plan = site.planned().await;
    assert_eq!((plan.steps.len(), plan.watched.len()), (2, 2));
}

/// Every commented value can be taken into use as it stands, and the plan stays the same.
#[tokio::test]
async fn the_commented_values_of_the_sample_are_the_defaults() {
    let bare = SAMPLE.replace("/room/1", "");
    let all = SAMPLE.replace("coap = { path = \"/room/1\" }\n", "").replace("\n# ", "\n");
    let all = all.replace("\nPoints of one resource", "\n# Points of one resource");
    let (bare, all) = (Site::read(&bare), Site::read(&all));
    assert_eq!(all.problems(), [""; 0]);
    assert_eq!(all.link.as_object().unwrap().len() - bare.link.as_object().unwrap().len(), 9);
    assert_eq!(bare.planned().await, all.planned().await);
}
