//! Points to topics: pure.

use crate::config::{
    Availability, Confirm, DeviceOptions, Edge, LinkOptions, Mapped, OWN_ECHO, Point, Retained, Service, Version,
    sentence,
};
use crate::topic::covers;
use edgeway_payload::Format;
use edgeway_sdk::{Access, DeviceIx, DeviceSpec, PointIx, PointSpec};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

/// Everything that was planned, by what it is looked up.
#[derive(Debug, Default)]
pub(crate) struct Board {
    pub(crate) topics: HashMap<Vec<u8>, Topic>,
    pub(crate) devices: Vec<Device>,
    pub(crate) presences: Vec<Presence>,
    pub(crate) edges: HashMap<(String, String), EdgeNode>,
    pub(crate) gets: Vec<Get>,
    pub(crate) targets: HashMap<PointIx, Target>,
    pub(crate) services: HashMap<(DeviceIx, String), CallTarget>,
    /// Topics that say who is there: subscribed to before all others, so that what is said of who is gone is known first.
    pub(crate) presence_filters: Vec<String>,
    pub(crate) filters: Vec<String>,
    pub(crate) watched: Vec<PointIx>,
    pub(crate) rejected: Vec<(PointIx, String)>,
}

/// The place of a device in [`Board::devices`].
pub(crate) type DevicePlace = usize;

#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) ix: DeviceIx,
    pub(crate) options: DeviceOptions,
}

/// What is done with the messages of a topic.
#[derive(Debug, Default)]
pub(crate) struct Topic {
    /// Points, by what their payloads are: each is decoded once.
    pub(crate) groups: Vec<Group>,
    /// Places in [`Board::presences`].
    pub(crate) presences: Vec<usize>,
    pub(crate) has_responses: bool,
    pub(crate) last: Last,
}

/// The last message that came live: what is kept of it says when it was.
#[derive(Debug, Default)]
pub(crate) struct Last {
    pub(crate) digest: AtomicU64,
    pub(crate) at_nanos: AtomicI64,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) format: Format,
    pub(crate) listeners: Vec<Listener>,
}

/// A point that reads the messages of a topic.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) point: PointIx,
    pub(crate) device: DevicePlace,
    pub(crate) retained: Retained,
    pub(crate) mapped: Arc<Mapped>,
}

/// A topic that says whether a device is there.
#[derive(Debug)]
pub(crate) struct Presence {
    pub(crate) device: DevicePlace,
    pub(crate) availability: Availability,
}

/// How a present value is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Get {
    pub(crate) device: DevicePlace,
    pub(crate) topic: String,
    pub(crate) payload: String,
}

/// An edge node of Sparkplug B, with the devices behind it.
#[derive(Debug, Default)]
pub(crate) struct EdgeNode {
    /// By the device's name; the node itself has none.
    pub(crate) members: HashMap<Option<String>, Member>,
}

#[derive(Debug, Default)]
pub(crate) struct Member {
    pub(crate) devices: Vec<DeviceIx>,
    pub(crate) metrics: HashMap<Arc<str>, Vec<PointIx>>,
}

/// Where a point is written.
#[derive(Debug)]
pub(crate) enum Target {
    Topic { topic: String, mapped: Arc<Mapped> },
    Metric { edge: Edge, name: Arc<str>, confirm: Confirm },
}

/// How a service is called.
#[derive(Debug)]
pub(crate) struct CallTarget {
    pub(crate) topic: String,
    pub(crate) payload: Option<String>,
    pub(crate) response: Option<String>,
    pub(crate) correlation: Option<String>,
    pub(crate) timeout: Duration,
}

impl Board {
    /// Plans all points of a link. A device whose options are wrong costs its own points alone.
    pub(crate) fn plan(link: &LinkOptions, devices: &[DeviceSpec], points: &[PointSpec]) -> Board {
        let mut board = Board::default();
        let places: HashMap<DeviceIx, Result<DevicePlace, String>> =
            devices.iter().map(|spec| (spec.ix, board.add_device(link, spec))).collect();
        let mut known = Known::default();
        for spec in points {
            let place = places.get(&spec.device).cloned().unwrap_or_else(|| Err("its device is not known".into()));
            let added = place.and_then(|place| board.add_point(link.version, place, spec, known.read(spec)?));
            if let Err(reason) = added {
                board.rejected.push((spec.ix, reason));
            }
        }
        board.set_filters(link);
        board
    }

    fn add_device(&mut self, link: &LinkOptions, spec: &DeviceSpec) -> Result<DevicePlace, String> {
        let options = DeviceOptions::parse(&spec.options).map_err(|problems| sentence(&problems))?;
        let (ix, place, base) = (spec.ix, self.devices.len(), options.topic.as_deref());
        let service =
            |(name, service): (&String, &Service)| Ok((name.clone(), CallTarget::of(service, base, link.timeout)?));
        let presence = |availability: &Availability| Ok((availability.topic.of(base)?, availability.clone()));
        let services: Vec<_> = options.services.iter().map(service).collect::<Result<_, String>>()?;
        let presences: Vec<_> = options.availability.iter().map(presence).collect::<Result<_, String>>()?;
        for (topic, availability) in presences {
            let at = self.presences.len();
            self.presences.push(Presence { device: place, availability });
            self.topic(&topic).presences.push(at);
            self.presence_filters.push(topic);
        }
        for (name, target) in services {
            if let Some(response) = &target.response {
                self.topic(response).has_responses = true;
            }
            self.services.insert((ix, name), target);
        }
        if let Some(edge) = &options.sparkplug {
            self.member(edge).devices.push(ix);
        }
        self.devices.push(Device { ix, options });
        Ok(place)
    }

    fn add_point(
        &mut self,
        version: Version,
        place: DevicePlace,
        spec: &PointSpec,
        point: Point,
    ) -> Result<(), String> {
        match point {
            Point::Mapped(mapped) if mapped.stamps.is_some() && version == Version::V3 => {
                let wrong = "MQTT 3.1.1 has no user properties, so `time_property` and `quality_property` say nothing";
                Err(format!("{wrong}; leave them out, or set the link's `version = \"5\"`"))
            }
            Point::Mapped(mapped) => self.add_mapped(place, spec, mapped),
            Point::Metric(name) => self.add_metric(place, spec, name),
        }
    }

    fn add_mapped(&mut self, place: DevicePlace, spec: &PointSpec, mapped: Arc<Mapped>) -> Result<(), String> {
        let options = &self.devices[place].options;
        if options.sparkplug.is_some() {
            return Err("a point of a device with `sparkplug` needs `metric`".into());
        }
        let (base, retained) = (options.topic.as_deref(), options.retained);
        let read = spec.access.reads().then(|| mapped.topic.of(base)).transpose()?;
        let write = spec.access.writes().then(|| mapped.set.of(base)).transpose()?;
        if read.is_some() && read == write && mapped.confirm == Confirm::State {
            return Err(format!("`set` {OWN_ECHO}; set `confirm = \"publish\"`"));
        }
        let get = mapped.get.as_ref().map(|get| Ok((get.topic.of(base)?, get.payload.clone()))).transpose();
        if let Some((topic, payload)) = get.map_err(|reason: String| reason)? {
            self.gets.push(Get { device: place, topic, payload });
        }
        if let Some(topic) = write {
            self.targets.insert(spec.ix, Target::Topic { topic, mapped: mapped.clone() });
        }
        if let Some(topic) = read {
            self.watched.push(spec.ix);
            let listener = Listener { point: spec.ix, device: place, retained, mapped };
            self.topic(&topic).listen(listener);
        }
        Ok(())
    }

    fn add_metric(&mut self, place: DevicePlace, spec: &PointSpec, name: Arc<str>) -> Result<(), String> {
        let edge = self.devices[place].options.sparkplug.clone();
        let edge = edge.ok_or("`metric` needs the option `sparkplug` of its device")?;
        if spec.access.writes() {
            let confirm = if spec.access.reads() { Confirm::State } else { Confirm::Publish };
            let target = Target::Metric { edge: edge.clone(), name: name.clone(), confirm };
            self.targets.insert(spec.ix, target);
        }
        if spec.access.reads() {
            self.watched.push(spec.ix);
            self.member(&edge).metrics.entry(name).or_default().push(spec.ix);
        }
        Ok(())
    }

    fn topic(&mut self, topic: &str) -> &mut Topic {
        self.topics.entry(topic.as_bytes().to_vec()).or_default()
    }

    fn member(&mut self, edge: &Edge) -> &mut Member {
        let node = self.edges.entry((edge.group.clone(), edge.node.clone())).or_default();
        node.members.entry(edge.device.clone()).or_default()
    }

    /// Each filter of the link, and beside them every topic that none of them covers.
    fn set_filters(&mut self, link: &LinkOptions) {
        self.gets.sort();
        self.gets.dedup();
        self.presence_filters.sort();
        self.presence_filters.dedup();
        let shared =
            |filter: &str| link.share.as_ref().map_or(filter.to_owned(), |group| format!("$share/{group}/{filter}"));
        let topics = self.topics.iter().filter(|(_, topic)| topic.is_more_than_presence());
        let topics = topics.map(|(name, topic)| (String::from_utf8_lossy(name), topic));
        // An answer is for whoever has asked.
        let is_ours = |topic: &Topic| topic.has_responses && link.share.is_some();
        let is_covered = |name: &str| link.subscribe.iter().any(|filter| covers(filter, name));
        let alone = topics.filter(|(name, topic)| is_ours(topic) || !is_covered(name));
        let alone = alone.map(|(name, topic)| if topic.has_responses { name.into_owned() } else { shared(&name) });
        let edges = self.edges.iter().flat_map(|((group, node), edge)| edge.filters(group, node));
        let all: BTreeSet<String> =
            link.subscribe.iter().map(|filter| shared(filter)).chain(alone).chain(edges).collect();
        self.filters = all.into_iter().collect();
    }
}

impl Topic {
    fn listen(&mut self, listener: Listener) {
        let format = listener.mapped.mapping.format();
        match self.groups.iter_mut().find(|group| group.format == format) {
            Some(group) => group.listeners.push(listener),
            None => self.groups.push(Group { format, listeners: vec![listener] }),
        }
    }

    fn is_more_than_presence(&self) -> bool {
        self.has_responses || !self.groups.is_empty()
    }

    /// Every point that reads it.
    pub(crate) fn points(&self) -> impl Iterator<Item = &Listener> {
        self.groups.iter().flat_map(|group| &group.listeners)
    }
}

impl EdgeNode {
    /// What the node and the devices behind it say; what is said to them is left out.
    pub(crate) fn filters(&self, group: &str, node: &str) -> Vec<String> {
        let of_node = ["NBIRTH", "NDATA", "NDEATH"].map(|kind| format!("spBv1.0/{group}/{kind}/{node}"));
        let of_devices = ["DBIRTH", "DDATA", "DDEATH"].map(|kind| format!("spBv1.0/{group}/{kind}/{node}/+"));
        of_node.into_iter().chain(of_devices).collect()
    }
}

impl CallTarget {
    fn of(service: &Service, base: Option<&str>, timeout: Duration) -> Result<Self, String> {
        Ok(CallTarget {
            topic: service.topic.of(base)?,
            payload: service.payload.clone(),
            response: service.response.as_ref().map(|pattern| pattern.of(base)).transpose()?,
            correlation: service.correlation.clone(),
            timeout: service.timeout.unwrap_or(timeout),
        })
    }
}

/// Points that are written alike share their options, and those are read once.
#[derive(Default)]
struct Known(HashMap<(usize, Access), Result<Point, String>>);

impl Known {
    fn read(&mut self, spec: &PointSpec) -> Result<Point, String> {
        let place = Arc::as_ptr(&spec.options) as usize;
        let read = || Point::parse(&spec.options, spec.access).map_err(|problems| sentence(&problems));
        self.0.entry((place, spec.access)).or_insert_with(read).clone()
    }
}

#[cfg(test)]
mod tests;
