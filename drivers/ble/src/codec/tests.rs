//! Packets as the formats' own documents have them, and any bytes at all.

use super::*;
use crate::advert::short_uuid;
use bthome::{Key, Sealed};
use proptest::prelude::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal")).collect()
}

/// `name=value`, `name#2=value`, `name=bad`.
fn shown(fields: &[Field]) -> Vec<String> {
    let one = |field: &Field| {
        let nth = if field.nth > 1 { format!("#{}", field.nth) } else { String::new() };
        let value = if field.quality.is_bad() { field.quality.to_string() } else { field.value.to_string() };
        format!("{}{nth}={value}", field.name)
    };
    fields.iter().map(one).collect()
}

fn fields(beacon: Beacon, hex: &str) -> Vec<String> {
    shown(&beacon.fields(&bytes(hex)).expect("a known form"))
}

fn bthome(hex: &str) -> Vec<String> {
    fields(Beacon::BtHome, &format!("40 {hex}"))
}

#[test]
fn ruuvi_format_5_as_documented() {
    assert_eq!(
        fields(Beacon::Ruuvi, "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F"),
        [
            "temperature=24.3",
            "humidity=53.49",
            "pressure=100044",
            "acceleration_x=4",
            "acceleration_y=-4",
            "acceleration_z=1036",
            "battery_voltage=2977",
            "tx_power=4",
            "movements=66",
            "sequence=205",
            "mac=cbb8334c884f"
        ]
    );
    let most = fields(Beacon::Ruuvi, "057FFFFFFEFFFE7FFF7FFF7FFFFFDEFEFFFECBB8334C884F");
    assert_eq!(most[..3], ["temperature=163.835", "humidity=163.835", "pressure=115534"]);
    assert_eq!(most[6..10], ["battery_voltage=3646", "tx_power=20", "movements=254", "sequence=65534"]);
    let least = fields(Beacon::Ruuvi, "058001000000008001800180010000000000CBB8334C884F");
    assert_eq!(least[..4], ["temperature=-163.835", "humidity=0", "pressure=50000", "acceleration_x=-32767"]);
    assert_eq!(least[6..10], ["battery_voltage=1600", "tx_power=-40", "movements=0", "sequence=0"]);
}

#[test]
fn what_a_ruuvitag_marks_as_missing_is_bad() {
    let all = fields(Beacon::Ruuvi, "058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF");
    assert_eq!(all.len(), 11);
    assert!(all.iter().all(|field| field.ends_with("=bad")), "{all:?}");
}

#[test]
fn ruuvi_format_3_as_documented() {
    assert_eq!(
        fields(Beacon::Ruuvi, "03291A1ECE1EFC18F94202CA0B53"),
        [
            "temperature=26.3",
            "humidity=20.5",
            "pressure=102766",
            "acceleration_x=-1000",
            "acceleration_y=-1726",
            "acceleration_z=714",
            "battery_voltage=2899"
        ]
    );
    assert_eq!(
        fields(Beacon::Ruuvi, "03FF7F63FFFF7FFF7FFF7FFFFFFF")[..3],
        ["temperature=127.99", "humidity=127.5", "pressure=115535"]
    );
    assert_eq!(
        fields(Beacon::Ruuvi, "0300FF6300008001800180010000")[..3],
        ["temperature=-127.99", "humidity=0", "pressure=50000"]
    );
    assert_eq!(fields(Beacon::Ruuvi, "03291A641ECE1EFC18F94202CA0B53")[0], "temperature=bad", "100 hundredths");
}

#[test]
fn a_ruuvitag_of_another_format_or_cut_off_says_nothing() {
    for wrong in [
        "",
        "02",
        "0812FC5394C37C0004FFFC040CAC364200CDCBB8334C884F",
        "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C88",
        "03291A1ECE1EFC18F94202CA0B",
    ] {
        assert_eq!(Beacon::Ruuvi.fields(&bytes(wrong)), None, "{wrong}");
    }
}

#[test]
fn an_ibeacon_says_who_it_is() {
    assert_eq!(
        fields(Beacon::Apple, "0215 FDA50693A4E24FB1AFCFC6EB07647825 2711 4CB9 C5"),
        ["uuid=fda50693-a4e2-4fb1-afcf-c6eb07647825", "major=10001", "minor=19641", "measured_power=-59"]
    );
    for wrong in ["", "0215", "1006 4A1E 5C 8A", "0215 FDA50693A4E24FB1AFCFC6EB07647825 2711 4CB9"] {
        assert_eq!(Beacon::Apple.fields(&bytes(wrong)), None, "{wrong}");
    }
}

#[test]
fn eddystone_frames() {
    assert_eq!(
        fields(Beacon::Eddystone, "00 E7 8B0CA750095477CB3E77 000000000001 0000"),
        ["namespace=8b0ca750095477cb3e77", "instance=000000000001", "tx_power=-25"]
    );
    assert_eq!(fields(Beacon::Eddystone, "10 EE 03 676F6F 2E 676C 2F 6162"), ["url=https://goo.gl/ab", "tx_power=-18"]);
    assert_eq!(fields(Beacon::Eddystone, "10 00 01 6578616D706C65 00 61")[0], "url=https://www.example.com/a");
    assert_eq!(
        fields(Beacon::Eddystone, "20 00 0BB8 1580 000003E8 00002710"),
        ["battery_voltage=3000", "temperature=21.5", "advertisements=1000", "uptime=1000"]
    );
    assert_eq!(
        fields(Beacon::Eddystone, "20 00 0000 8000 00000001 00000001")[..2],
        ["battery_voltage=bad", "temperature=bad"]
    );
    for wrong in [
        "",
        "20 01 0BB8 1580 000003E8 00002710",
        "30 00 0102030405060708",
        "10 00 04 61",
        "10 00 00 0E",
        "10 00 00 7F",
        "20 00 0BB8",
    ] {
        assert_eq!(Beacon::Eddystone.fields(&bytes(wrong)), None, "{wrong}");
    }
}

#[test]
fn every_kind_of_bthome_object_as_documented() {
    for (objects, expected) in [
        ("51 8756", "acceleration=22.151"),
        ("01 61", "battery=97"),
        ("16 01", "battery_charging=true"),
        ("12 E204", "co2=1250"),
        ("56 E803", "conductivity=1000"),
        ("09 60", "count=96"),
        ("3D 0960", "count=24585"),
        ("3E 2A2C0960", "count=1611213866"),
        ("59 EA", "count=-22"),
        ("5A EAEA", "count=-5398"),
        ("5B EAEA2C09", "count=153938666"),
        ("43 4E34", "current=13.39"),
        ("5D 02EA", "current=-5.63"),
        ("08 CA06", "dewpoint=17.38"),
        ("5E 9F8C", "direction=359.99"),
        ("40 0C00", "distance_mm=12"),
        ("41 4E00", "distance=7.8"),
        ("42 4E3400", "duration=13.39"),
        ("4D 12138A14", "energy=344593.17"),
        ("0A 138A14", "energy=1346.067"),
        ("4B 138A14", "gas=1346.067"),
        ("4C 41018A01", "gas=25821.505"),
        ("52 8756", "gyroscope=22.151"),
        ("03 BF13", "humidity=50.55"),
        ("2E 23", "humidity=35"),
        ("05 138A14", "illuminance=13460.67"),
        ("06 5E1F", "mass=80.3"),
        ("07 3E1D", "mass_lb=74.86"),
        ("14 020C", "moisture=30.74"),
        ("2F 23", "moisture=35"),
        ("0D 120C", "pm2_5=3090"),
        ("0E 021C", "pm10=7170"),
        ("0B 021B00", "power=69.14"),
        ("5C 02FBFFFF", "power=-12.78"),
        ("04 138A01", "pressure=1008.83"),
        ("54 0C 48656C6C6F20576F726C6421", "raw=48656c6c6f20576f726c6421"),
        ("3F 020C", "rotation=307.4"),
        ("44 4E34", "speed=133.9"),
        ("57 EA", "temperature=-22"),
        ("58 EA", "temperature=-7.7"),
        ("45 1101", "temperature=27.3"),
        ("02 CA09", "temperature=25.06"),
        ("53 0C 48656C6C6F20576F726C6421", "text=Hello World!"),
        ("50 5D396164", "timestamp=1684093277000"),
        ("13 3301", "tvoc=307"),
        ("0C 020C", "voltage=3.074"),
        ("4A 020C", "voltage=307.4"),
        ("4E 87562A01", "volume=19551.879"),
        ("47 8756", "volume=2215.1"),
        ("48 DC87", "volume_ml=34780"),
        ("55 87562A01", "volume_storage=19551.879"),
        ("49 DC87", "volume_flow_rate=34.78"),
        ("46 32", "uv_index=5"),
        ("4F 87562A01", "water=19551.879"),
        ("2D 01", "window=true"),
        ("2D 02", "window=bad"),
        ("53 01 FF", "text=bad"),
        ("F0 0100", "device_type=1"),
        ("F1 00010204", "firmware=4.2.1.0"),
        ("F2 000106", "firmware=6.1.0"),
    ] {
        assert_eq!(bthome(objects), [expected], "{objects}");
    }
}

#[test]
fn bthome_objects_of_one_name_are_counted_and_an_unknown_one_ends_the_packet() {
    assert_eq!(bthome("02CA09 2E23 45 1101"), ["temperature=25.06", "humidity=35", "temperature#2=27.3"]);
    let packet = bthome::parse(&bytes("00 09 01 61 EE 02CA09"));
    assert_eq!((shown(&packet.fields), packet.is_numbered, packet.is_cut), (vec!["battery=97".into()], true, true));
    let packet = bthome::parse(&bytes("02CA09 03BF"));
    assert_eq!((packet.fields.len(), packet.is_cut), (1, true));
}

#[test]
fn a_button_is_an_event_unless_it_rests() {
    let packet = bthome::parse(&bytes("3A00 3A02 3C0103 3C00 00"));
    let done: Vec<_> = packet.events.iter().filter(|event| event.is_one()).collect();
    assert_eq!(done.len(), 2, "{packet:?}");
    assert_eq!((done[0].name, done[0].nth, done[0].action), ("button", 2, "double_press"));
    assert_eq!(
        (done[1].name, done[1].nth, done[1].action, done[1].value()),
        ("dimmer", 1, "rotate_left", Value::Int(-3))
    );
}

const SECRET: [u8; 16] =
    [0x23, 0x1d, 0x39, 0xc1, 0xd7, 0xcc, 0x1a, 0xb1, 0xae, 0xe2, 0x24, 0xcd, 0x09, 0x6d, 0xb9, 0x32];

fn key() -> Key {
    Key::new(SECRET, "54:48:E6:8F:80:A5".parse().expect("valid"))
}

#[test]
fn an_encrypted_bthome_packet_as_documented() {
    let data = bytes("41 A47266C95F73 00112233 78237214");
    let opened = bthome::open(&data, Some(&key())).expect("the right key");
    assert_eq!(opened.counter, Some(0x3322_1100));
    assert_eq!(shown(&bthome::parse(&opened.objects).fields), ["temperature=25.06", "humidity=50.55"]);
    assert_eq!(key().seal(&bytes("02CA09 03BF13"), 0x3322_1100), data);
}

#[test]
fn what_cannot_be_trusted_is_not_opened() {
    let right = bytes("41 A47266C95F73 00112233 78237214");
    for at in 1..right.len() {
        let mut wrong = right.clone();
        wrong[at] ^= 1;
        assert_eq!(bthome::open(&wrong, Some(&key())), Err(Sealed::WrongKey), "byte {at}");
    }
    assert_eq!(bthome::open(&right, None), Err(Sealed::NoKey));
    assert_eq!(bthome::open(&bytes("40 02CA09"), Some(&key())), Err(Sealed::Open));
    for strange in ["", "20 02CA09", "41 00112233", "42 0102"] {
        assert_eq!(bthome::open(&bytes(strange), Some(&key())), Err(Sealed::Strange), "{strange}");
    }
    assert_eq!(bthome::open(&bytes("42 A580 8FE64854 02CA09"), None).map(|opened| opened.objects.len()), Ok(3));
}

#[test]
fn a_beacon_is_found_by_its_company_or_service() {
    let advert = Advert {
        manufacturer: vec![(0x004c, bytes("1006 4A1E 5C 8A")), (0x0499, vec![5])],
        services: vec![(short_uuid(0xfcd2), vec![0x40])],
        ..Advert::default()
    };
    let found: Vec<_> = Beacon::ALL.into_iter().filter(|beacon| beacon.find(&advert).is_some()).collect();
    assert_eq!(found, [Beacon::BtHome, Beacon::Ruuvi]);
}

proptest! {
    /// Whatever is sent, nobody panics, floats are numbers, and each field has a meaning that holds it.
    #[test]
    fn any_bytes_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..255), version in any::<bool>()) {
        let data = if version { [vec![0x40], data].concat() } else { data };
        for beacon in Beacon::ALL {
            for field in beacon.fields(&data).into_iter().flatten() {
                prop_assert!(beacon.meaning(field.name).is_ok());
                prop_assert!(!matches!(field.value, Value::Float(number) if !number.is_finite()));
                prop_assert_eq!(field.value == Value::Null, field.quality.is_bad());
            }
        }
        let _ = bthome::open(&data, Some(&key()));
    }

    /// What is sealed is opened, by nobody else.
    #[test]
    fn encryption_round_trip(objects in prop::collection::vec(any::<u8>(), 0..200), counter in any::<u32>()) {
        let data = key().seal(&objects, counter);
        let opened = bthome::open(&data, Some(&key())).expect("the same key");
        prop_assert_eq!(opened.objects.as_ref(), objects.as_slice());
        let other = Key::new([7; 16], "54:48:E6:8F:80:A5".parse().expect("valid"));
        prop_assert_eq!(bthome::open(&data, Some(&other)), Err(Sealed::WrongKey));
    }
}
