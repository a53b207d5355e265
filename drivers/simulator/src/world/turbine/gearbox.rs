//! The gearbox as its oil feels it: heated by what is lost, cooled by the air.

pub(crate) const TOO_HOT_C: f64 = 85.0;
pub(crate) const WARM_C: f64 = 75.0;
pub(crate) const COOL_C: f64 = 70.0;

const LOSS: f64 = 0.015;
const IDLE_LOSS_KW: f64 = 3.0;
const HEAT_KJ_PER_K: f64 = 900.0;
/// Through the housing, and through the oil cooler when it runs.
const HOUSING_KW_PER_K: f64 = 0.5;
const COOLER_KW_PER_K: f64 = 0.5;
/// The cooler's valve opens between these.
const VALVE_C: (f64, f64) = (50.0, 60.0);

#[derive(Debug)]
pub(crate) struct Gearbox {
    pub(crate) oil_c: f64,
    /// How much of the cooler works, 0 to 1.
    cooler: f64,
}

impl Default for Gearbox {
    fn default() -> Self {
        Gearbox { oil_c: 40.0, cooler: 1.0 }
    }
}

impl Gearbox {
    pub(crate) fn step(&mut self, dt_s: f64, power_kw: f64, ambient_c: f64) {
        let valve = ((self.oil_c - VALVE_C.0) / (VALVE_C.1 - VALVE_C.0)).clamp(0.0, 1.0);
        let conductance = HOUSING_KW_PER_K + COOLER_KW_PER_K * valve * self.cooler;
        let heat_kw = IDLE_LOSS_KW + LOSS * power_kw - conductance * (self.oil_c - ambient_c);
        self.oil_c += heat_kw * dt_s / HEAT_KJ_PER_K;
    }

    /// Dirt in the cooler: at high power the oil now gets too hot within half an hour.
    pub(crate) fn block(&mut self) {
        self.cooler = 0.1;
    }

    pub(crate) fn unblock(&mut self) {
        self.cooler = 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_an_hour(mut gearbox: Gearbox, power_kw: f64, ambient_c: f64) -> f64 {
        (0..3600).for_each(|_| gearbox.step(1.0, power_kw, ambient_c));
        gearbox.oil_c
    }

    #[test]
    fn the_oil_stays_cool_unless_the_cooler_is_blocked() {
        assert!(after_an_hour(Gearbox::default(), 3000.0, 15.0) < WARM_C);
        let mut blocked = Gearbox::default();
        blocked.block();
        assert!(after_an_hour(blocked, 3000.0, 15.0) > TOO_HOT_C);
    }

    #[test]
    fn power_and_ambient_warm_the_oil() {
        let reference = after_an_hour(Gearbox::default(), 1000.0, 10.0);
        assert!(after_an_hour(Gearbox::default(), 2000.0, 10.0) > reference);
        assert!(after_an_hour(Gearbox::default(), 1000.0, 20.0) > reference);
    }
}
