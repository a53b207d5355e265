//! Peers that are killed 20 times: what they say comes again each time, and the gateway takes no more of the machine for it.

use super::seen::{expect, online};
use harness::{Broker, Gateway, HotelSite, HotelThings, Turbines, Usage, WindFarm};

const KILLS: usize = 20;
/// What the journal and the allocator may take from one kill to the next. Queries and files make jumps now and then, so it is
/// the median that counts; a session that is left over each time takes more, each time.
const GROWTH_KIB_MAX: i64 = 256;
/// Questions to the API, and threads for files that come and go: far fewer than there are kills.
const SPARE: u64 = 8;

/// What the gateway takes, round by round.
#[derive(Default)]
struct Growth(Vec<Usage>);

impl Growth {
    fn note(&mut self, gateway: &Gateway) {
        self.0.push(gateway.usage());
    }

    fn check(&self) {
        let all = &self.0;
        let (first, last) = (all[0], all[all.len() - 1]);
        let mut grown: Vec<i64> =
            all.windows(2).map(|two| two[1].resident_kib as i64 - two[0].resident_kib as i64).collect();
        grown.sort_unstable();
        assert!(grown[grown.len() / 2] <= GROWTH_KIB_MAX, "memory grows: {all:?}");
        assert!(last.threads <= first.threads + SPARE, "threads are left over: {all:?}");
        assert!(last.connections <= first.connections + SPARE, "connections are left over: {all:?}");
    }
}

#[test]
fn things_of_mqtt_http_and_coap_that_are_killed_20_times_leave_nothing_behind() {
    let (mut site, mut broker) = (HotelSite::new(), Broker::new());
    let file = "devices/field.toml";
    site.copy.port(file, site.broker, broker.port);
    site.broker = broker.port;
    site.copy.edit(file, "poll = \"5s\"", "poll = \"1s\"");
    // A thermostat that was restarted has forgotten who observes it, and is missed when that is renewed.
    site.copy.edit(file, "endpoint = \"coap://", "renew = \"1s\"\nendpoint = \"coap://");
    broker.start();
    let gateway = Gateway::run(&site.copy.path);
    let mut growth = Growth::default();
    for round in 0..=KILLS {
        let mut things = HotelThings::start(&site);
        expect(&gateway, "balcony-301", "contact", true);
        things.say("contact balcony-301 open");
        expect(&gateway, "balcony-301", "contact", false);
        let temperature = 20.0 + round as f64 / 4.0;
        things.say(&format!("temperature {temperature}"));
        expect(&gateway, "thermostat-lobby", "temperature", temperature);
        online(&gateway, "meter-kitchen", "online");
        expect(&gateway, "meter-kitchen", "active_power", 2760.0);
        growth.note(&gateway);
        drop(things);
        broker.kill();
        broker.start();
    }
    growth.check();
}

#[test]
fn turbines_of_opc_ua_that_are_killed_20_times_leave_nothing_behind() {
    let farm = WindFarm::new();
    let gateway = Gateway::run(&farm.copy.path);
    let mut growth = Growth::default();
    for round in 0..=KILLS {
        let mut turbines = Turbines::start(farm.opcua);
        let speed = 5.0 + round as f64 / 4.0;
        turbines.set("WTG11.WindSpeed", speed);
        expect(&gateway, "wt-11", "wind_speed", speed);
        growth.note(&gateway);
    }
    growth.check();
}
