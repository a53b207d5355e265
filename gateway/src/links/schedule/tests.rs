//! Schedules in virtual time.

use super::*;
use edgeway_sdk::StepIx;

const SECOND: Duration = Duration::from_secs(1);

fn step(id: u32, device: u32, points: &[u32]) -> Step {
    let points = points.iter().copied().map(PointIx).collect();
    Step { id: StepIx(id), device: DeviceIx(device), points, period: SECOND, wire_time: Duration::ZERO }
}

/// Runs for `seconds` with `answers` deciding who answers; one transaction takes `took`. Counts runs by step id.
fn simulate(
    schedule: &mut Schedule,
    now: &mut Instant,
    seconds: u64,
    took: Duration,
    answers: impl Fn(DeviceIx) -> bool,
) -> HashMap<u32, u32> {
    let end = *now + Duration::from_secs(seconds);
    let mut runs = HashMap::new();
    while *now < end {
        match schedule.next(*now) {
            Next::Run(slot) => {
                let (id, device) = (schedule.step(slot).id.0, schedule.step(slot).device);
                *runs.entry(id).or_default() += 1;
                *now += if answers(device) { took } else { SECOND };
                match answers(device) {
                    true => drop(schedule.answered(slot, *now)),
                    false => drop(schedule.silent(slot, *now, "no answer")),
                };
            }
            Next::Wait(until) => *now = until.min(end),
            Next::Never => break,
        }
    }
    runs
}

#[test]
fn a_device_that_nobody_asks_is_unknown_when_the_wire_is_back_and_online_when_it_is_heard() {
    let (asked, told, now) = (DeviceIx(0), DeviceIx(1), Instant::now());
    let mut schedule = Schedule::new(vec![step(0, 0, &[0])], now);
    schedule.watch(told);
    assert_eq!(schedule.link_up(now, Duration::ZERO), [], "nothing has changed");
    assert_eq!(schedule.link_lost("cut").len(), 2);
    let turned = |turned: Vec<Transition>| turned.into_iter().map(|t| (t.device, t.online)).collect::<Vec<_>>();
    assert_eq!(turned(schedule.link_up(now, Duration::ZERO)), [(told, Online::Unknown)]);
    assert_eq!((schedule.online(asked), schedule.online(told)), (Online::Offline, Online::Unknown));
    assert_eq!(turned(schedule.heard(told, now).into_iter().collect()), [(told, Online::Online)]);
}

#[test]
fn why_a_device_is_away_is_told_again_when_it_is_something_else() {
    let now = Instant::now();
    let mut schedule = Schedule::new(vec![step(0, 0, &[0])], now);
    let told = |turned: Vec<Transition>| turned.into_iter().map(|t| t.reason).collect::<Vec<_>>();
    assert_eq!(told(schedule.link_lost("no answer within 3.001s")), ["no answer within 3.001s"]);
    assert_eq!(told(schedule.link_lost("no answer within 2.999s")), [""; 0]);
    assert_eq!(told(schedule.link_lost("wrong password")), ["wrong password"]);
}

#[test]
fn of_refused_points_it_is_told_how_many_and_why() {
    let now = Instant::now();
    let mut schedule = Schedule::new(vec![step(0, 0, &[0]), step(1, 0, &[1, 2])], now);
    let reason = |turned: Option<Transition>| turned.map(|turned| turned.reason);
    let first = schedule.refused(Slot(0), now, "/windw: 4.04 not found");
    assert_eq!(reason(first).as_deref(), Some("1 point is refused by the device: /windw: 4.04 not found"));
    let all = reason(schedule.refused(Slot(1), now, "/doors: 4.04 not found")).expect("told");
    assert_eq!(all, "3 points are refused by the device, the first because: /windw: 4.04 not found");
    assert_eq!(schedule.refused(Slot(1), now, "/doors: 4.04 not found"), None);
    let left = reason(schedule.answered(Slot(0), now)).expect("told");
    assert_eq!(left, "2 points are refused by the device, the first because: /doors: 4.04 not found");
    assert_eq!(reason(schedule.answered(Slot(1), now)).as_deref(), Some(""));
}

#[test]
fn every_step_runs_once_a_period() {
    let mut now = Instant::now();
    let mut schedule = Schedule::new((0..10).map(|id| step(id, id, &[id])).collect(), now);
    let runs = simulate(&mut schedule, &mut now, 20, Duration::from_millis(10), |_| true);
    assert!(runs.values().all(|n| (20..=21).contains(n)), "{runs:?}");
    assert_eq!(schedule.overruns(), 0);
}

#[test]
fn a_wire_too_slow_for_its_list_is_shared_evenly() {
    let mut now = Instant::now();
    let mut schedule = Schedule::new((0..10).map(|id| step(id, id, &[id])).collect(), now);
    let runs = simulate(&mut schedule, &mut now, 100, Duration::from_millis(500), |_| true);
    assert!(runs.values().all(|n| (19..=21).contains(n)), "{runs:?}");
    assert!(schedule.overruns() > 0);
}

#[test]
fn a_device_that_has_not_answered_a_command_is_left_alone_and_its_neighbour_is_not() {
    let mut now = Instant::now();
    let mut schedule = Schedule::new((0..2).map(|id| step(id, id, &[id])).collect(), now);
    schedule.link_up(now, 3 * SECOND);
    let took = Duration::from_millis(10);
    simulate(&mut schedule, &mut now, 4, took, |_| true);
    schedule.settle(DeviceIx(0), now);
    let runs = simulate(&mut schedule, &mut now, 2, took, |_| true);
    assert!(!runs.contains_key(&0) && runs[&1] >= 2, "{runs:?}");
    let runs = simulate(&mut schedule, &mut now, 4, took, |_| true);
    assert!(runs[&0] >= 2, "{runs:?}");
}

#[test]
fn a_dead_device_does_not_slow_its_neighbours() {
    let mut now = Instant::now();
    let mut schedule = Schedule::new((0..10).map(|id| step(id, id % 5, &[id])).collect(), now);
    let runs = simulate(&mut schedule, &mut now, 600, Duration::from_millis(10), |device| device.0 != 0);
    let dead = runs[&0] + runs[&5];
    assert!((6..=14).contains(&dead), "the dead device took {dead} timeouts in 600 s");
    let least = (0..10).filter(|id| id % 5 != 0).map(|id| runs[&id]).min().expect("four live devices");
    assert!(least > 580, "a neighbour ran only {least} times in 600 s");
}

#[test]
fn one_lost_answer_does_not_make_a_device_flap() {
    let now = Instant::now();
    let mut schedule = Schedule::new(vec![step(0, 0, &[0])], now);
    assert_eq!(schedule.answered(Slot(0), now).map(|t| t.online), Some(Online::Online));
    assert_eq!(schedule.silent(Slot(0), now, "no answer"), Silence::OfDevice(None));
    assert_eq!(schedule.answered(Slot(0), now), None);
}

#[test]
fn a_device_that_answers_again_is_read_at_once() {
    let mut now = Instant::now();
    let mut schedule = Schedule::new(vec![step(0, 0, &[0]), step(1, 0, &[1])], now);
    simulate(&mut schedule, &mut now, 200, Duration::from_millis(1), |_| false);
    assert_eq!(schedule.online(DeviceIx(0)), Online::Offline);
    let Next::Wait(probe) = schedule.next(now) else { panic!("backed off") };
    let Next::Run(slot) = schedule.next(probe) else { panic!("a probe") };
    assert!(matches!(schedule.next(probe), Next::Wait(_)), "only one step probes");
    assert_eq!(schedule.answered(slot, probe).map(|t| t.online), Some(Online::Online));
    assert!(matches!(schedule.next(probe), Next::Run(other) if other != slot), "the other step is due at once");
}

#[test]
fn a_refused_point_degrades_the_device_and_is_asked_for_rarely() {
    let mut now = Instant::now();
    let mut schedule = Schedule::new(vec![step(0, 0, &[0, 1])], now);
    let Next::Run(slot) = schedule.next(now) else { panic!("due") };
    schedule.split(slot, vec![step(1, 0, &[0]), step(2, 0, &[1])], now);
    let (Next::Run(good), Next::Run(bad)) = (schedule.next(now), schedule.next(now)) else { panic!("two halves") };
    assert_eq!(schedule.answered(good, now).map(|t| t.online), Some(Online::Online));
    assert_eq!(schedule.refused(bad, now, "there is no 7").map(|t| t.online), Some(Online::Degraded));
    let bad_id = schedule.step(bad).id;
    let mut runs = 0;
    for _ in 0..50 {
        match schedule.next(now) {
            Next::Run(slot) if schedule.step(slot).id == bad_id => runs += 1,
            Next::Run(slot) => drop(schedule.answered(slot, now)),
            Next::Wait(until) => now = until,
            Next::Never => panic!("the good half stays"),
        }
    }
    assert_eq!(runs, 0, "25 s are less than {REFUSED_PERIOD:?}");
    assert_eq!(schedule.answered(bad, now).map(|t| t.online), Some(Online::Online));
}

#[test]
fn a_step_that_alone_gets_no_answer_degrades_its_device_and_does_not_make_it_flap() {
    let mut now = Instant::now();
    let mut schedule = Schedule::new(vec![step(0, 0, &[0]), step(1, 0, &[1])], now);
    let (end, mut offline) = (now + Duration::from_secs(120), 0);
    while now < end {
        match schedule.next(now) {
            Next::Run(slot) if schedule.step(slot).id == StepIx(0) => drop(schedule.answered(slot, now)),
            Next::Run(slot) => {
                now += SECOND;
                if let Silence::OfDevice(Some(turned)) = schedule.silent(slot, now, "no answer") {
                    offline += u32::from(turned.online == Online::Offline);
                }
            }
            Next::Wait(until) => now = until,
            Next::Never => panic!("there are steps"),
        }
    }
    assert!(offline <= 1, "went offline {offline} times");
    assert_eq!(schedule.online(DeviceIx(0)), Online::Degraded);
}

#[test]
fn the_backoff_grows_to_five_minutes() {
    assert_eq!([0, 1, 2, 20].map(backoff), [1, 2, 4, 300].map(Duration::from_secs));
}
