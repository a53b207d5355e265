//! Reads the site format as far as a driver is concerned, the way the gateway does.

use edgeway_driver_http::Http;
use edgeway_sdk::options::duration;
use edgeway_sdk::{Access, DeviceIx, DeviceSpec, Driver, Json, Plan, PointIx, PointSpec, Problem, Split};
use serde_json::json;

/// The keys of a point that are the gateway's.
const HOST: [&str; 6] = ["scale", "offset", "unit", "write", "poll", "stale_after"];

/// The link, devices and points of a site with one link.
pub(crate) struct Site {
    pub(crate) link: Json,
    pub(crate) devices: Vec<DeviceSpec>,
    pub(crate) points: Vec<PointSpec>,
    /// `meter-1.power`, by point.
    names: Vec<String>,
}

impl Site {
    pub(crate) fn read(text: &str) -> Site {
        let site: Json = toml::from_str(text).expect("a TOML text");
        let mut link = site["link"].as_object().and_then(|links| links.values().next()).expect("a link").clone();
        assert_eq!(link.as_object_mut().unwrap().remove("driver"), Some(json!("http")));
        let mut read = Site { link, devices: vec![], points: vec![], names: vec![] };
        for device in site["device"].as_array().expect("devices") {
            read.add(device, &site["template"][device["template"].as_str().expect("a template")]);
        }
        read
    }

    fn add(&mut self, device: &Json, template: &Json) {
        let ix = DeviceIx(self.devices.len() as u32);
        self.devices.push(DeviceSpec { ix, options: device.get("http").cloned().unwrap_or(json!({})) });
        for (name, options) in template["points"].as_object().expect("points") {
            self.names.push(format!("{}.{name}", device["id"].as_str().expect("an id")));
            let point = PointIx(self.points.len() as u32);
            self.points.push(spec(point, ix, options, &template["poll"]));
        }
    }

    /// Everything that the driver finds wrong, each with what it is about.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut all = vec![];
        let mut note = |about: &str, problems: Vec<Problem>| {
            all.extend(problems.iter().map(|problem| format!("{about}: {problem}")));
        };
        note("link", Http.check_link(&self.link).err().unwrap_or_default());
        for device in &self.devices {
            note(&format!("device {}", device.ix.0), Http.check_device(&device.options));
        }
        for point in &self.points {
            note(self.name(point.ix), Http.check_point(&point.options, point.access));
        }
        all
    }

    pub(crate) fn name(&self, point: PointIx) -> &str {
        &self.names[point.0 as usize]
    }

    pub(crate) fn point(&self, name: &str) -> PointIx {
        PointIx(self.names.iter().position(|other| other == name).expect("a point of this name") as u32)
    }

    async fn planned(&self) -> Plan {
        let link = Http.open(self.link.clone()).expect("valid");
        link.plan(&self.devices, &self.points, Split::Nothing).await.expect("valid")
    }
}

fn spec(ix: PointIx, device: DeviceIx, options: &Json, poll: &Json) -> PointSpec {
    let access = if options["write"] == true { Access::ReadWrite } else { Access::Read };
    let period = options.get("poll").unwrap_or(poll).as_str().and_then(duration::parse).expect("a duration");
    let mut own = options.clone();
    own.as_object_mut().expect("a table").retain(|key, _| !HOST.contains(&key.as_str()));
    PointSpec { ix, device, options: own.into(), access, period }
}

const SAMPLE: &str = include_str!("../../sample.toml");

#[tokio::test]
async fn the_sample_is_right() {
    let site = Site::read(SAMPLE);
    assert_eq!(site.problems(), [""; 0]);
    assert_eq!(site.planned().await.steps.iter().map(|step| step.points.len()).collect::<Vec<_>>(), [3, 1]);
}

/// Every commented value can be taken into use as it stands, and the plan stays the same.
#[tokio::test]
async fn the_commented_values_of_the_sample_are_the_defaults() {
    let bare = SAMPLE.replace("/meter/1", "");
    let all = SAMPLE.replace("http = { path = \"/meter/1\" }\n", "").replace("\n# ", "\n");
    let all = all.replace("\nPoints of one resource", "\n# Points of one resource");
    let (bare, all) = (Site::read(&bare), Site::read(&all));
    assert_eq!(all.problems(), [""; 0]);
    assert_eq!(all.link.as_object().unwrap().len() - bare.link.as_object().unwrap().len(), 8);
    assert_eq!(bare.planned().await, all.planned().await);
}
