//! Reads the site format as far as a driver is concerned, the way the gateway does.

use edgeway_driver_modbus::Modbus;
use edgeway_sdk::options::duration;
use edgeway_sdk::{Access, DeviceIx, DeviceSpec, Driver, Json, PointIx, PointSpec, Problem};
use serde_json::json;
use std::time::Duration;

/// The keys of a point that are the gateway's.
const HOST: [&str; 6] = ["scale", "offset", "unit", "write", "poll", "stale_after"];

/// The link, devices and points of a site with one link.
pub(crate) struct Site {
    pub(crate) link: Json,
    pub(crate) devices: Vec<DeviceSpec>,
    pub(crate) points: Vec<PointSpec>,
    /// `wt-07.wind_speed`, by point.
    pub(crate) names: Vec<String>,
}

impl Site {
    pub(crate) fn read(text: &str) -> Site {
        let site: Json = toml::from_str(text).expect("a TOML text");
        let links = site["link"].as_object().expect("links");
        assert_eq!(links.len(), 1, "one link");
        let mut link = links.values().next().expect("one link").clone();
        assert_eq!(link.as_object_mut().expect("a table").remove("driver"), Some(json!("modbus")));
        let mut read = Site { link, devices: vec![], points: vec![], names: vec![] };
        for device in site["device"].as_array().expect("devices") {
            let template = &site["template"][device["template"].as_str().expect("a template")];
            read.add(device, template);
        }
        read
    }

    fn add(&mut self, device: &Json, template: &Json) {
        let ix = DeviceIx(self.devices.len() as u32);
        self.devices.push(DeviceSpec { ix, options: device.get("modbus").cloned().unwrap_or(json!({})) });
        for (name, options) in template["points"].as_object().expect("points") {
            let poll = options.get("poll").unwrap_or(&template["poll"]);
            let mut options = options.clone();
            let access = if options["write"] == true { Access::ReadWrite } else { Access::Read };
            options.as_object_mut().expect("a table").retain(|key, _| !HOST.contains(&key.as_str()));
            self.names.push(format!("{}.{name}", device["id"].as_str().expect("an id")));
            self.points.push(PointSpec {
                ix: PointIx(self.points.len() as u32),
                device: ix,
                options: options.into(),
                access,
                period: period(poll),
            });
        }
    }

    /// Everything that the driver finds wrong, each with what it is about.
    pub(crate) fn problems(&self) -> Vec<String> {
        let about = |whose: String, problems: Vec<Problem>| {
            problems.into_iter().map(move |problem| format!("{whose}: {problem}"))
        };
        let mut all: Vec<String> =
            about("link".into(), Modbus.check_link(&self.link).err().unwrap_or_default()).collect();
        for device in &self.devices {
            all.extend(about(format!("device {}", device.ix.0), Modbus.check_device(&device.options)));
        }
        for point in &self.points {
            all.extend(about(self.name(point.ix).to_owned(), Modbus.check_point(&point.options, point.access)));
        }
        all
    }

    pub(crate) fn name(&self, point: PointIx) -> &str {
        &self.names[point.0 as usize]
    }

    pub(crate) fn point(&self, name: &str) -> PointIx {
        PointIx(self.names.iter().position(|other| other == name).expect("a point of this name") as u32)
    }
}

fn period(text: &Json) -> Duration {
    text.as_str().and_then(duration::parse).expect("a duration")
}

const SAMPLE: &str = include_str!("../../sample.toml");

#[test]
fn the_sample_is_right() {
    let site = Site::read(SAMPLE);
    assert_eq!(site.problems(), [""; 0]);
    assert_eq!(site.points.len(), 5);
}

/// Every commented value can be taken into use as it stands, and the plan stays the same.
#[tokio::test]
async fn the_commented_values_of_the_sample_are_the_defaults() {
    let all = SAMPLE.replace("modbus = { unit = 7 }\n# modbus", "modbus").replace("\n# ", "\n");
    let all = all.strip_prefix("# A wind turbine").map(|rest| format!("#{rest}")).expect("the first line is a comment");
    let bare = Site::read(&SAMPLE.replace("unit = 7", "unit = 1"));
    let full = Site::read(&all);
    assert_eq!(full.problems(), [""; 0]);
    let added = full.link.as_object().unwrap().len() - bare.link.as_object().unwrap().len();
    assert_eq!(added, 10, "every option of a link is in the sample");
    let opened = |site: &Site| Modbus.open(site.link.clone()).expect("valid");
    assert_eq!(planned(&*opened(&bare), &bare).await, planned(&*opened(&full), &full).await);
}

async fn planned(link: &dyn edgeway_sdk::Link, site: &Site) -> edgeway_sdk::Plan {
    link.plan(&site.devices, &site.points, edgeway_sdk::Split::Nothing).await.expect("valid")
}
