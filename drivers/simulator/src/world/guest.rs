//! Who lives in a room, and what they do there all day.

use super::Room;
use super::random::Random;
use super::room::{SCENE_NIGHT, SCENE_NORMAL, SCENE_OFF};

/// One thing done to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    GetUp,
    Leave,
    Arrive,
    OpenWindow,
    CloseWindow,
    GoToBed,
    /// A cleaner comes, and airs the room.
    Clean,
    /// The cleaner goes, and leaves the room as it should be.
    CleanerLeaves,
}

/// A guest's plan for a day. Every room has its own hour, so that a floor is never asleep as a whole.
#[derive(Debug)]
pub(crate) struct Guest {
    random: Random,
    hour: f64,
    /// What comes next is last.
    plan: Vec<(f64, Deed)>,
}

impl Guest {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Random::new(seed, stream);
        let hour = random.between(0.0, 24.0);
        let mut guest = Guest { random, hour, plan: vec![] };
        guest.plan = guest.day();
        guest.plan.retain(|(at, _)| *at > hour);
        guest
    }

    /// Lets the guest's own hours pass.
    pub(crate) fn step(&mut self, hours: f64, room: &mut Room) {
        self.hour += hours;
        while let Some((_, deed)) = self.plan.pop_if(|(at, _)| *at <= self.hour) {
            self.act(deed, room);
        }
        if self.hour >= 24.0 {
            self.hour -= 24.0;
            self.plan = self.day();
        }
    }

    /// A new day, last deed first.
    fn day(&mut self) -> Vec<(f64, Deed)> {
        let random = &mut self.random;
        let up = random.between(6.3, 8.0);
        let out = random.between(8.3, 9.7);
        let clean = random.between(10.0, 11.5);
        let home = random.between(16.5, 18.5);
        let bed = random.between(22.0, 23.7);
        let mut plan = vec![(up, Deed::GetUp), (out, Deed::Leave), (clean, Deed::Clean), (home, Deed::Arrive)];
        plan.extend([(clean + 0.5, Deed::CleanerLeaves), (bed, Deed::GoToBed)]);
        if random.chance(0.4) {
            plan.extend([(12.3, Deed::Arrive), (random.between(13.0, 14.5), Deed::Leave)]);
        }
        if random.chance(0.5) {
            plan.extend([(random.between(19.0, 19.6), Deed::Leave), (random.between(20.6, 21.8), Deed::Arrive)]);
        }
        if random.chance(0.7) {
            let open = random.between(up + 0.1, out);
            plan.push((open, Deed::OpenWindow));
            // Who does not close it now has left by then, and forgets it.
            plan.extend(random.chance(0.7).then_some((open + 0.2, Deed::CloseWindow)));
        }
        if random.chance(0.5) {
            let open = random.between(home + 0.1, 18.7);
            plan.extend([(open, Deed::OpenWindow), (open + 0.3, Deed::CloseWindow)]);
        }
        plan.sort_by(|a, b| b.0.total_cmp(&a.0));
        plan
    }

    fn act(&mut self, deed: Deed, room: &mut Room) {
        match deed {
            Deed::GetUp => {
                room.curtain_percent = 100.0;
                room.set_scene(SCENE_NORMAL);
            }
            Deed::Leave => self.leave(room),
            Deed::Arrive => self.arrive(room),
            Deed::OpenWindow => room.window_open = true,
            Deed::CloseWindow => room.window_open = false,
            Deed::GoToBed => {
                room.curtain_percent = 0.0;
                room.set_scene(SCENE_NIGHT);
            }
            Deed::Clean => {
                (room.key_card, room.presence, room.window_open) = (true, true, true);
            }
            Deed::CleanerLeaves => {
                (room.key_card, room.presence, room.window_open) = (false, false, false);
                room.set_scene(SCENE_OFF);
            }
        }
    }

    /// Half of them switch off the lights.
    fn leave(&mut self, room: &mut Room) {
        (room.key_card, room.presence) = (false, false);
        if self.random.chance(0.5) {
            room.set_scene(SCENE_OFF);
        }
    }

    /// Half of them find it too warm or too cold.
    fn arrive(&mut self, room: &mut Room) {
        (room.key_card, room.presence) = (true, true);
        if room.scene() == SCENE_OFF {
            room.set_scene(SCENE_NORMAL);
        }
        if self.random.chance(0.5) {
            room.setpoint_c = (self.random.between(20.0, 24.5) * 2.0).round() / 2.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_comings_goings_and_windows() {
        let mut guest = Guest::new(1, 1);
        let mut room = Room::new(1, 2);
        let (mut cards, mut windows) = (0, 0);
        for _ in 0..30 * 24 * 60 {
            let before = (room.key_card, room.window_open);
            guest.step(1.0 / 60.0, &mut room);
            cards += u32::from(before.0 != room.key_card);
            windows += u32::from(before.1 != room.window_open);
        }
        assert!((100..300).contains(&cards), "{cards} in 30 days");
        assert!((60..250).contains(&windows), "{windows} in 30 days");
    }

    #[test]
    fn nobody_is_present_without_a_key_card() {
        let mut guest = Guest::new(2, 1);
        let mut room = Room::new(2, 2);
        for _ in 0..10 * 24 * 60 {
            guest.step(1.0 / 60.0, &mut room);
            assert_eq!(room.presence, room.key_card);
        }
    }
}
