//! Points that cannot be used as they are configured, because what the device says does not fit: pure, with the time as an
//! argument.

use edgeway_sdk::{Batch, DeviceIx, PointIx};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// How long a point has to fit until it counts as one that does: one that fits now and then must not make its device flap.
const LASTS: Duration = Duration::from_secs(30);
/// The most characters of a reason. It may quote what a stranger has sent.
const REASON_CHARS_MAX: usize = 200;

/// Why points are bad.
pub(super) type Reasons = HashMap<PointIx, String>;

/// The points of a link that do not fit, and why.
#[derive(Default)]
pub(super) struct Unfit {
    points: HashMap<PointIx, Why>,
    devices: HashMap<DeviceIx, BTreeSet<PointIx>>,
}

struct Why {
    device: DeviceIx,
    reason: String,
    told_at: Instant,
    /// Since when it fits again.
    fits_since: Option<Instant>,
}

/// What is otherwise than before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Points that did not count as unfit.
    pub(super) points: Vec<(PointIx, String)>,
    /// Devices of which other points are unfit, or for another reason.
    pub(super) devices: BTreeSet<DeviceIx>,
}

impl Unfit {
    /// Notes what was read: bad values have `reasons`, and good ones that do not fit the model are `misfits`.
    pub(super) fn note(
        &mut self,
        batch: &Batch,
        reasons: &Reasons,
        misfits: &Reasons,
        device_of: impl Fn(PointIx) -> Option<DeviceIx>,
        now: Instant,
    ) -> News {
        let mut news = News::default();
        if self.points.is_empty() && reasons.is_empty() && misfits.is_empty() {
            return news;
        }
        for (point, quality) in batch.points.iter().zip(&batch.qualities) {
            let Some(device) = device_of(*point) else { continue };
            let is_bad = quality.is_bad();
            match if is_bad { reasons.get(point) } else { misfits.get(point) } {
                Some(reason) => self.does_not_fit(*point, device, reason, now, &mut news),
                None if !is_bad => self.fits(*point, now),
                // Bad for the time being: that says nothing of how it is configured.
                None => {}
            }
        }
        news
    }

    fn does_not_fit(&mut self, point: PointIx, device: DeviceIx, reason: &str, now: Instant, news: &mut News) {
        if let Some(why) = self.points.get_mut(&point) {
            why.fits_since = None;
            if now - why.told_at >= LASTS && !unquoted(&why.reason).eq(unquoted(reason)) {
                (why.reason, why.told_at) = (short(reason), now);
                news.devices.insert(device);
            }
            return;
        }
        self.points.insert(point, Why { device, reason: short(reason), told_at: now, fits_since: None });
        self.devices.entry(device).or_default().insert(point);
        news.points.push((point, short(reason)));
        news.devices.insert(device);
    }

    fn fits(&mut self, point: PointIx, now: Instant) {
        if let Some(why) = self.points.get_mut(&point) {
            why.fits_since.get_or_insert(now);
        }
    }

    /// Points that have fitted long enough count as such. Gives their devices.
    pub(super) fn forgive(&mut self, now: Instant) -> BTreeSet<DeviceIx> {
        let fits = |why: &Why| why.fits_since.is_some_and(|since| now - since >= LASTS);
        let forgiven = self.points.extract_if(|_, why| fits(why));
        let forgiven = forgiven.map(|(point, why)| {
            if let Some(points) = self.devices.get_mut(&why.device) {
                points.remove(&point);
            }
            why.device
        });
        forgiven.collect()
    }

    /// How many points of a device do not fit, and the first of them with why.
    pub(super) fn of(&self, device: DeviceIx) -> Option<(usize, PointIx, &str)> {
        let points = self.devices.get(&device)?;
        let first = *points.first()?;
        Some((points.len(), first, &self.points[&first].reason))
    }
}

fn short(reason: &str) -> String {
    reason.chars().take(REASON_CHARS_MAX).collect()
}

/// What a reason says apart from what it quotes and counts, which may be something else each time.
fn unquoted(reason: &str) -> impl Iterator<Item = char> {
    reason.split('`').step_by(2).flat_map(str::chars).filter(|letter| !letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::{Quality, Timestamp, Value};

    const DEVICE: DeviceIx = DeviceIx(7);
    const GOOD: PointIx = PointIx(1);
    const WRONG: PointIx = PointIx(2);

    fn note(unfit: &mut Unfit, batch: &Batch, now: Instant) -> News {
        let reasons = batch.reasons.iter().cloned().collect();
        unfit.note(batch, &reasons, &Reasons::new(), |_| Some(DEVICE), now)
    }

    fn fit() -> Batch {
        let mut batch = Batch::default();
        [GOOD, WRONG].into_iter().for_each(|point| batch.good(point, Value::Int(1), Timestamp::EPOCH));
        batch
    }

    fn misfit(reason: &str) -> Batch {
        let mut batch = Batch::default();
        batch.good(GOOD, Value::Int(1), Timestamp::EPOCH);
        batch.unfit(WRONG, Quality::BadConfig, reason, Timestamp::EPOCH);
        batch
    }

    /// How often something is told of the device within 100 s, in each of which this is read.
    fn told(unfit: &mut Unfit, start: Instant, read: impl Fn(u64) -> Batch) -> usize {
        let turns = (0..100).map(|second| {
            let now = start + Duration::from_secs(second);
            note(unfit, &read(second), now).devices.len() + unfit.forgive(now).len()
        });
        turns.sum()
    }

    #[test]
    fn a_point_that_does_not_fit_is_told_once() {
        let (mut unfit, now) = (Unfit::default(), Instant::now());
        assert_eq!(note(&mut unfit, &fit(), now), News::default());
        assert_eq!(told(&mut unfit, now, |_| misfit("nothing there")), 1);
        assert_eq!(unfit.of(DEVICE), Some((1, WRONG, "nothing there")));
    }

    #[test]
    fn one_that_fits_now_and_then_does_not_flap() {
        let (mut unfit, start) = (Unfit::default(), Instant::now());
        let alternating = |second| if second % 2 == 0 { misfit("warm is no number") } else { fit() };
        assert_eq!(told(&mut unfit, start, alternating), 1);
        assert!(unfit.of(DEVICE).is_some());
    }

    #[test]
    fn one_that_has_fitted_for_long_enough_is_well_though_nothing_more_is_said_of_it() {
        let (mut unfit, now) = (Unfit::default(), Instant::now());
        note(&mut unfit, &misfit("no such node"), now);
        note(&mut unfit, &fit(), now + Duration::from_secs(3));
        assert!(unfit.forgive(now + LASTS).is_empty());
        assert_eq!(unfit.forgive(now + LASTS + Duration::from_secs(3)), [DEVICE].into());
        assert!(unfit.of(DEVICE).is_none());
    }

    #[test]
    fn another_reason_is_told_but_not_each_time_and_what_is_quoted_is_none() {
        let (mut unfit, start) = (Unfit::default(), Instant::now());
        let alternating = |second| misfit(if second % 2 == 0 { "one" } else { "other" });
        assert!(told(&mut unfit, start, alternating) <= 4);
        let (mut unfit, quoting) = (Unfit::default(), |second| misfit(&format!("`{second:x}` is no number")));
        assert_eq!(told(&mut unfit, start, quoting), 1);
    }

    #[test]
    fn a_reason_has_an_end() {
        let mut unfit = Unfit::default();
        let news = note(&mut unfit, &misfit(&"é".repeat(10_000)), Instant::now());
        assert_eq!(news.points[0].1.chars().count(), REASON_CHARS_MAX);
    }

    #[test]
    fn what_the_model_does_not_take_is_unfit_though_the_driver_calls_it_good() {
        let (mut unfit, now) = (Unfit::default(), Instant::now());
        let misfits = HashMap::from([(WRONG, "it is a text".to_owned())]);
        unfit.note(&fit(), &Reasons::new(), &misfits, |_| Some(DEVICE), now);
        assert_eq!(unfit.of(DEVICE), Some((1, WRONG, "it is a text")));
    }

    #[test]
    fn what_is_bad_without_a_reason_changes_nothing() {
        let (mut unfit, now) = (Unfit::default(), Instant::now());
        let mut batch = Batch::default();
        batch.bad(WRONG, Quality::BadTimeout, Timestamp::EPOCH);
        note(&mut unfit, &misfit("nothing there"), now);
        assert_eq!(note(&mut unfit, &batch, now + LASTS * 2), News::default());
        assert!(unfit.forgive(now + LASTS * 2).is_empty());
        assert!(unfit.of(DEVICE).is_some());
    }
}
