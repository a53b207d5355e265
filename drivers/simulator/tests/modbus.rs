//! A world as Modbus TCP devices, seen by a client that knows nothing of it.

use edgeway_driver_simulator::{SharedWorld, World, modbus};
use edgeway_sdk::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_modbus::client::{Client, Context, Reader, Writer, tcp};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{ExceptionCode, Request, Slave};

/// A world on a free port, and a client for it. Its time stands still unless a test steps it.
async fn serve(world: World) -> (SharedWorld, SocketAddr, Context) {
    let world = world.share();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    tokio::spawn(modbus::serve(world.clone(), listener, std::future::pending()));
    let client = tcp::connect_slave(address, Slave(1)).await.expect("the server listens");
    (world, address, client)
}

fn number(world: &SharedWorld, unit: u8, property: &str) -> f64 {
    world.get(unit, property).and_then(|value| value.as_f64()).expect("a property of this unit")
}

async fn holding(client: &mut Context, address: u16, count: u16) -> Vec<u16> {
    client.read_holding_registers(address, count).await.expect("a connection").expect("no exception")
}

async fn input(client: &mut Context, address: u16, count: u16) -> Vec<u16> {
    client.read_input_registers(address, count).await.expect("a connection").expect("no exception")
}

fn whole(words: &[u16]) -> u64 {
    words.iter().fold(0, |number, word| number << 16 | u64::from(*word))
}

fn float(words: &[u16]) -> f64 {
    f64::from(f32::from_bits(whole(words) as u32))
}

fn swapped(words: &[u16]) -> f64 {
    float(&[words[1], words[0]])
}

#[track_caller]
fn close(found: f64, expected: f64, resolution: f64) {
    assert!((found - expected).abs() <= resolution / 2.0 + expected.abs() * 1e-6, "{found} instead of {expected}");
}

#[tokio::test]
async fn every_address_of_a_turbine_holds_what_the_map_says() {
    let (world, _, mut client) = serve(World::wind_farm(1, 8)).await;
    client.set_slave(Slave(3));
    let words = holding(&mut client, 100, 20).await;
    let expect = |property| number(&world, 3, property);
    close(float(&words[0..2]), expect("wind_speed"), 0.0);
    close(float(&words[2..4]), expect("wind_direction"), 0.0);
    close(float(&words[4..6]), expect("nacelle_direction"), 0.0);
    close(f64::from(whole(&words[6..8]) as i32) * 0.1, expect("active_power"), 0.1);
    close(f64::from(words[8]) * 0.01, expect("rotor_speed"), 0.01);
    close(f64::from(words[9]), expect("generator_speed"), 1.0);
    close(f64::from(words[10] as i16) * 0.1, expect("pitch_angle"), 0.1);
    close(f64::from(words[11] as i16) * 0.1, expect("gear_oil_temperature"), 0.1);
    close(f64::from(words[12] as i16) * 0.1, expect("ambient_temperature"), 0.1);
    assert_eq!(f64::from(words[13]), expect("state"));
    assert_eq!(f64::from(words[14]), expect("alarm_code"));
    assert_eq!(words[15], 0);
    close(whole(&words[16..20]) as f64 * 0.1, expect("energy_total"), 0.1);
    assert_eq!(holding(&mut client, 200, 2).await, [3000, 0]);
}

#[tokio::test]
async fn a_standing_turbine_shows_its_own_use_as_a_negative_number() {
    let (world, _, mut client) = serve(World::wind_farm(1, 1)).await;
    world.set(1, "command", 3).expect("an emergency stop");
    world.step(Duration::from_secs(1));
    assert_eq!(whole(&holding(&mut client, 106, 2).await) as i32, -150);
}

#[tokio::test]
async fn every_address_of_the_mast_holds_what_the_map_says() {
    let (world, _, mut client) = serve(World::wind_farm(1, 1)).await;
    client.set_slave(Slave(20));
    let words = input(&mut client, 0, 10).await;
    let properties = ["wind_speed", "wind_direction", "ambient_temperature", "humidity", "air_pressure"];
    for (words, property) in words.chunks(2).zip(properties) {
        close(swapped(words), number(&world, 20, property), 0.0);
    }
}

#[tokio::test]
async fn every_address_of_a_room_holds_what_the_map_says() {
    let (world, _, mut client) = serve(World::hotel(1, 12)).await;
    client.set_slave(Slave(12));
    let expect = |property| number(&world, 12, property);
    let bits = client.read_discrete_inputs(0, 3).await.expect("a connection").expect("no exception");
    let states = ["key_card", "window_open", "presence"].map(|property| expect(property) == 1.0);
    assert_eq!(bits[..3], states);
    let bits = client.read_coils(0, 2).await.expect("a connection").expect("no exception");
    assert_eq!(bits[..2], ["main_power", "ac_power"].map(|property| expect(property) == 1.0));
    let words = input(&mut client, 0, 8).await;
    close(f64::from(words[0] as i16) * 0.1, expect("temperature"), 0.1);
    close(f64::from(words[1]) * 0.1, expect("humidity"), 0.1);
    close(whole(&words[2..4]) as f64 * 0.1, expect("power"), 0.1);
    close(whole(&words[4..8]) as f64 * 0.001, expect("energy_total"), 0.001);
    let words = holding(&mut client, 0, 6).await;
    close(f64::from(words[0]) * 0.1, expect("setpoint"), 0.1);
    let rest = ["ac_mode", "light_level", "light_scene", "curtain", "identify"].map(|property| expect(property) as u16);
    assert_eq!(words[1..], rest);
}

#[tokio::test]
async fn every_address_of_the_meter_holds_what_the_map_says() {
    let (world, _, mut client) = serve(World::hotel(1, 12)).await;
    world.step(Duration::from_secs(10));
    client.set_slave(Slave(50));
    let words = holding(&mut client, 0, 18).await;
    let properties = [
        "voltage_l1",
        "voltage_l2",
        "voltage_l3",
        "current_l1",
        "current_l2",
        "current_l3",
        "active_power",
        "power_factor",
        "frequency",
    ];
    for (words, property) in words.chunks(2).zip(properties) {
        close(float(words), number(&world, 50, property), 0.0);
    }
    let words = holding(&mut client, 20, 8).await;
    assert_eq!(f64::from_bits(whole(&words[..4])), number(&world, 50, "energy_import"));
    assert_eq!(f64::from_bits(whole(&words[4..])), 0.0);
}

#[tokio::test]
async fn what_is_not_there_is_answered_with_the_right_exception() {
    let (_, _, mut client) = serve(World::wind_farm(1, 8)).await;
    let gap = client.read_holding_registers(119, 2).await.expect("a connection");
    assert_eq!(gap, Err(ExceptionCode::IllegalDataAddress));
    let other_table = client.read_input_registers(100, 1).await.expect("a connection");
    assert_eq!(other_table, Err(ExceptionCode::IllegalDataAddress));
    let end = client.read_holding_registers(65_535, 2).await.expect("a connection");
    assert_eq!(end, Err(ExceptionCode::IllegalDataAddress));
    let too_many = client.read_holding_registers(100, 126).await.expect("a connection");
    assert_eq!(too_many, Err(ExceptionCode::IllegalDataValue));
    let read_only = client.write_single_register(113, 1).await.expect("a connection");
    assert_eq!(read_only, Err(ExceptionCode::IllegalDataAddress));
    let too_high = client.write_single_register(200, 3001).await.expect("a connection");
    assert_eq!(too_high, Err(ExceptionCode::IllegalDataValue));
    let function = client.call(Request::MaskWriteRegister(200, 0, 0)).await.expect("a connection");
    assert_eq!(function, Err(ExceptionCode::IllegalFunction));
    client.set_slave(Slave(9));
    let unit = client.read_holding_registers(100, 2).await.expect("a connection");
    assert_eq!(unit, Err(ExceptionCode::GatewayTargetDevice));
}

#[tokio::test]
async fn a_part_of_a_longer_number_can_be_read() {
    let (_, _, mut client) = serve(World::wind_farm(1, 1)).await;
    let all = holding(&mut client, 114, 6).await;
    assert_eq!(holding(&mut client, 117, 2).await, all[3..5]);
}

#[tokio::test]
async fn a_written_limit_and_a_written_command_are_obeyed() {
    let (world, _, mut client) = serve(World::wind_farm(1, 2)).await;
    client.write_single_register(200, 300).await.expect("a connection").expect("no exception");
    assert_eq!(holding(&mut client, 200, 1).await, [300]);
    for _ in 0..60 {
        assert!(whole(&holding(&mut client, 106, 2).await) as i32 <= 3000);
        world.step(Duration::from_secs(1));
    }
    assert_eq!(holding(&mut client, 113, 1).await, [3], "derated");
    client.write_multiple_registers(200, &[3000, 2]).await.expect("a connection").expect("no exception");
    assert_eq!(holding(&mut client, 113, 1).await, [0], "stopped");
    assert_eq!(holding(&mut client, 200, 2).await, [3000, 0]);
}

#[tokio::test]
async fn coils_and_registers_of_a_room_are_written() {
    let (world, _, mut client) = serve(World::hotel(1, 12)).await;
    client.write_multiple_coils(0, &[false, false]).await.expect("a connection").expect("no exception");
    assert_eq!([number(&world, 1, "main_power"), number(&world, 1, "ac_power")], [0.0, 0.0]);
    client.write_single_coil(0, true).await.expect("a connection").expect("no exception");
    assert_eq!(world.get(1, "main_power"), Some(Value::Bool(true)));
    client.write_multiple_registers(0, &[300, 2, 55, 3, 40, 5]).await.expect("a connection").expect("no exception");
    assert_eq!(world.get(1, "setpoint"), Some(Value::Float(30.0)));
    assert_eq!(holding(&mut client, 3, 2).await, [3, 40]);
}

#[tokio::test]
async fn a_write_of_several_is_all_or_nothing() {
    let (_, _, mut client) = serve(World::hotel(1, 1)).await;
    let before = holding(&mut client, 0, 6).await;
    let refused = client.write_multiple_registers(0, &[160, 1, 101]).await.expect("a connection");
    assert_eq!(refused, Err(ExceptionCode::IllegalDataValue));
    assert_eq!(holding(&mut client, 0, 6).await, before);
}

#[tokio::test]
async fn a_silent_unit_says_nothing_and_its_neighbours_answer() {
    let (world, address, mut client) = serve(World::wind_farm(1, 2)).await;
    world.silence(1);
    let patience = Duration::from_millis(50);
    let answer = tokio::time::timeout(patience, client.read_holding_registers(100, 2)).await;
    assert!(answer.is_err(), "{answer:?}");
    let mut fresh = tcp::connect_slave(address, Slave(2)).await.expect("the server listens");
    holding(&mut fresh, 100, 2).await;
    world.restore(1);
    fresh.set_slave(Slave(1));
    holding(&mut fresh, 100, 2).await;
}

#[tokio::test]
async fn a_refused_address_spoils_only_the_reads_that_touch_it() {
    let (world, _, mut client) = serve(World::wind_farm(1, 2)).await;
    world.refuse(1, 110);
    let refused = client.read_holding_registers(100, 20).await.expect("a connection");
    assert_eq!(refused, Err(ExceptionCode::IllegalDataAddress));
    holding(&mut client, 100, 10).await;
    holding(&mut client, 111, 4).await;
    world.restore(1);
    holding(&mut client, 100, 20).await;
}

#[tokio::test]
async fn the_server_ends_when_it_is_told_to_and_closes_its_connections() {
    let world = World::wind_farm(1, 1).share();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(modbus::serve(world, listener, async { _ = stopped.await }));
    let mut client = tcp::connect_slave(address, Slave(1)).await.expect("the server listens");
    holding(&mut client, 100, 2).await;
    stop.send(()).expect("the server waits for it");
    server.await.expect("no panic").expect("no error");
    let patience = Duration::from_secs(5);
    let answer = tokio::time::timeout(patience, client.read_holding_registers(100, 2)).await;
    assert!(answer.expect("the connection ends within 5 s").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_running_world_keeps_up_with_the_clock() {
    let shared = World::wind_farm(1, 2).share();
    let stop = tokio::time::sleep(Duration::from_millis(10_100));
    modbus::run(shared.clone(), Duration::from_millis(200), stop).await;
    let mut stepped = World::wind_farm(1, 2);
    stepped.step(Duration::from_secs(10));
    assert_eq!(shared.get(2, "wind_speed"), stepped.get(2, "wind_speed"));
}
