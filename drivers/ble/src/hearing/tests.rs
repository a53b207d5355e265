//! Advertisements of devices that are configured, one after the other.

use super::*;
use crate::advert::short_uuid;
use crate::codec::bthome::Key;
use edgeway_sdk::{Access, DeviceSpec, Json, PointIx, PointSpec};
use std::sync::Mutex;
use std::time::Duration;

#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("unpoisoned"))
    }

    fn say(&self, text: String) {
        self.0.lock().expect("unpoisoned").push(text);
    }
}

impl Sink for Told {
    fn data(&self, batch: Batch) {
        for at in 0..batch.len() {
            let (value, quality) = (&batch.values[at], batch.qualities[at]);
            let shown = if quality.is_good() { value.to_string() } else { quality.to_string() };
            self.say(format!("{}={shown}", batch.points[at].0));
        }
    }

    fn event(&self, _: DeviceIx, event: &str, output: Json, _: Timestamp) {
        self.say(format!("{event} {output}"));
    }

    fn online(&self, device: DeviceIx, gone: Option<&str>) {
        self.say(format!("{} {}", device.0, gone.unwrap_or("is back")));
    }

    fn lost(&self, _: &str) {}
}

/// Device 0 with these points, at a time that goes on by itself only when it is told to.
struct Setting {
    hearing: Hearing,
    told: Told,
    now: Now,
}

const SECRET: &str = "231d39c1d7cc1ab1aee224cd096db932";

fn address() -> Address {
    "A4:C1:38:00:11:22".parse().expect("valid")
}

impl Setting {
    fn new(options: Json, points: &[&str]) -> Setting {
        let mut device = json!({ "address": address().to_string() });
        device.as_object_mut().expect("a table").extend(options.as_object().expect("a table").clone());
        let devices = [DeviceSpec { ix: DeviceIx(0), options: device }];
        let spec = |(ix, at): (u32, &&str)| PointSpec {
            ix: PointIx(ix),
            device: DeviceIx(0),
            options: json!({ "at": at }).into(),
            access: Access::Read,
            period: Duration::from_secs(1),
        };
        let points: Vec<_> = (0..).zip(points).map(spec).collect();
        let work = Work::resolve(&devices, &points).expect("valid");
        let now = Now { time: Timestamp::EPOCH, instant: Instant::now() };
        Setting { hearing: Hearing::new(&work, Arc::default(), now), told: Told::default(), now }
    }

    fn passes(&mut self, time: Duration) {
        self.now = Now { time: self.now.time + time, instant: self.now.instant + time };
    }

    fn hear(&mut self, advert: &Advert) -> Vec<String> {
        self.hearing.hear(address(), advert, self.now, &self.told);
        self.told.take()
    }

    fn bthome(&mut self, data: &[u8]) -> Vec<String> {
        self.hear(&Advert { services: vec![(short_uuid(0xfcd2), data.to_vec())], ..Advert::default() })
    }

    fn silence(&mut self) -> Vec<String> {
        self.hearing.look_for_silence(self.now, &self.told);
        self.told.take()
    }

    fn counted(&self, name: &str) -> u64 {
        self.hearing.counters.list().into_iter().find(|(other, _)| *other == name).expect("counted").1
    }
}

/// With the key that the device has.
fn sealed(points: &[&str]) -> (Setting, Key) {
    let key = Key::new(u128::from_str_radix(SECRET, 16).expect("hexadecimal").to_be_bytes(), address());
    (Setting::new(json!({ "secret": SECRET }), points), key)
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn each_point_takes_its_part() {
    let mut setting = Setting::new(json!({}), &["rssi", "bthome:temperature", "bthome:temperature#2", "ibeacon:major"]);
    let advert = Advert {
        rssi: Some(-67),
        services: vec![(short_uuid(0xfcd2), vec![0x40, 0x02, 0xca, 0x09, 0x45, 0x11, 0x01])],
        ..Advert::default()
    };
    assert_eq!(setting.hear(&advert), ["0=-67", "1=25.06", "2=27.3"]);
    assert_eq!(setting.hear(&advert), ["0=-67", "1=25.06", "2=27.3"], "without a number each is a reading");
}

#[tokio::test]
async fn a_packet_with_a_number_is_read_once() {
    let mut setting = Setting::new(json!({}), &["rssi", "bthome:battery"]);
    assert_eq!(setting.bthome(&[0x40, 0, 7, 1, 97]), ["1=97"]);
    assert_eq!(setting.bthome(&[0x40, 0, 7, 1, 97]), [""; 0]);
    assert_eq!(setting.bthome(&[0x40, 0, 8, 1, 97]), ["1=97"]);
    setting.passes(5 * SECOND);
    assert_eq!(setting.bthome(&[0x40, 0, 8, 1, 97]), ["1=97"], "after a silence");
}

#[tokio::test]
async fn packets_with_numbers_that_are_sent_in_turn_are_read_once_each() {
    let mut setting = Setting::new(json!({}), &["bthome:battery", "bthome:button"]);
    let pressed = r#"button {"action":"press","number":1}"#;
    let turn = |setting: &mut Setting| [setting.bthome(&[0x44, 0, 7, 1, 97]), setting.bthome(&[0x44, 0, 8, 0x3a, 1])];
    assert_eq!(turn(&mut setting).concat(), ["0=97", pressed, "1=press"]);
    assert_eq!(turn(&mut setting).concat(), [""; 0]);
    assert_eq!(turn(&mut setting).concat(), [""; 0]);
}

#[tokio::test]
async fn a_button_is_pressed_once_however_often_it_is_told() {
    let mut setting = Setting::new(json!({}), &["bthome:button#2"]);
    let pressed = r#"button {"action":"press","number":2}"#;
    assert_eq!(setting.bthome(&[0x44, 0x3a, 0, 0x3a, 1]), [pressed, "0=press"]);
    assert_eq!(setting.bthome(&[0x44, 0x3a, 0, 0x3a, 1]), [""; 0]);
    assert_eq!(setting.bthome(&[0x44, 0x3a, 0, 0x3a, 0]), [""; 0]);
    assert_eq!(setting.bthome(&[0x44, 0x3a, 0, 0x3a, 1]), [pressed, "0=press"]);
}

#[tokio::test]
async fn encrypted_values_are_read_with_the_right_key_alone() {
    let (mut setting, key) = sealed(&["rssi", "bthome:battery"]);
    let other = Key::new([7; 16], address());
    assert_eq!(setting.bthome(&key.seal(&[1, 97], 500)), ["1=97"]);
    assert_eq!(setting.bthome(&key.seal(&[1, 97], 500)), [""; 0], "again");
    assert_eq!(setting.bthome(&key.seal(&[1, 42], 499)), [""; 0], "an old one, replayed");
    assert_eq!(setting.bthome(&other.seal(&[1, 3], 501)), ["1=bad:config"]);
    assert_eq!(setting.bthome(&[0x40, 1, 3]), ["1=bad:config"], "not encrypted at all");
    assert_eq!(setting.bthome(&key.seal(&[1, 98], 501)), ["1=98"]);
    assert_eq!((setting.counted("replayed"), setting.counted("unreadable")), (1, 2));
}

#[tokio::test]
async fn an_encrypted_packet_is_read_once_however_late_it_comes_again() {
    let (mut setting, key) = sealed(&["bthome:button"]);
    let press = key.seal(&[0x3a, 1], 500);
    assert_eq!(setting.bthome(&press), [r#"button {"action":"press","number":1}"#, "0=press"]);
    assert_eq!(setting.bthome(&Key::new([7; 16], address()).seal(&[0x3a, 1], 501)), ["0=bad:config"], "forged");
    assert_eq!(setting.bthome(&press), [""; 0], "the forged one in between changes nothing");
    setting.passes(3600 * SECOND);
    assert_eq!(setting.bthome(&press), [""; 0]);
}

#[tokio::test]
async fn a_counter_that_begins_anew_is_a_restart_only_after_a_silence() {
    let (mut setting, key) = sealed(&["bthome:battery"]);
    assert_eq!(setting.bthome(&key.seal(&[1, 97], 500)), ["0=97"]);
    setting.passes(59 * SECOND);
    assert_eq!(setting.bthome(&key.seal(&[1, 99], 3)), [""; 0], "replayed, while the device sends");
    setting.passes(SECOND);
    assert_eq!(setting.bthome(&key.seal(&[1, 98], 100)), [""; 0], "no device begins there");
    assert_eq!(setting.bthome(&key.seal(&[1, 99], 3)), ["0=99"], "restarted");
    assert_eq!(setting.bthome(&key.seal(&[1, 98], 4)), ["0=98"]);
    assert_eq!(setting.counted("replayed"), 2);
}

#[tokio::test]
async fn who_is_silent_is_gone_and_comes_back() {
    let mut setting = Setting::new(json!({ "gone_after": "10s" }), &["rssi"]);
    setting.passes(11 * SECOND);
    assert_eq!(setting.silence(), ["0 no advertisement for 10s (`gone_after`)"], "never heard");
    assert_eq!(setting.silence(), [""; 0]);
    assert_eq!(setting.hear(&Advert { rssi: Some(-80), ..Advert::default() }), ["0 is back", "0=-80"]);
    setting.hearing.set_connected(address(), IsConnected::Yes, setting.now, &setting.told);
    setting.passes(60 * SECOND);
    assert_eq!(setting.silence(), [""; 0], "a connected device need not advertise");
    setting.hearing.set_connected(address(), IsConnected::No, setting.now, &setting.told);
    setting.passes(11 * SECOND);
    assert_eq!(setting.silence().len(), 1);
}

#[tokio::test]
async fn what_makes_no_sense_is_counted() {
    let mut setting = Setting::new(json!({}), &["ruuvi:temperature", "bthome:battery"]);
    let ruuvi = |data: &[u8]| Advert { manufacturer: vec![(0x0499, data.to_vec())], ..Advert::default() };
    assert_eq!(setting.hear(&ruuvi(&[8, 1, 2])), [""; 0]);
    assert_eq!(setting.bthome(&[0x20, 1, 97]), [""; 0]);
    assert_eq!(setting.bthome(&[0x40, 1, 97, 0xee, 1]), ["1=97"], "what came before an unknown object counts");
    assert_eq!(setting.counted("malformed"), 3);
}
