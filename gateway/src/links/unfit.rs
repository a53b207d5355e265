//! Points that cannot be used as they are configured, because what the device says does not fit: pure, with the time as an
//! argument.

use edgeway_sdk::{Batch, DeviceIx, PointIx};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// How long a point counts as unfit after it was: one that fits now and then must not make its device flap.
const LASTS: Duration = Duration::from_secs(10);

/// The points of a link that do not fit, and why.
#[derive(Default)]
pub(super) struct Unfit {
    points: HashMap<PointIx, Why>,
    devices: HashMap<DeviceIx, BTreeSet<PointIx>>,
}

struct Why {
    reason: String,
    told_at: Instant,
    last_at: Instant,
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
    pub(super) fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Notes what was read: bad values have the batch's reasons, those that do not fit the model are `misfits`.
    pub(super) fn note(
        &mut self,
        batch: &Batch,
        misfits: &HashMap<PointIx, String>,
        device_of: impl Fn(PointIx) -> Option<DeviceIx>,
        now: Instant,
    ) -> News {
        let mut news = News::default();
        if self.is_empty() && batch.reasons.is_empty() && misfits.is_empty() {
            return news;
        }
        let reasons: HashMap<PointIx, &String> = batch.reasons.iter().map(|(point, reason)| (*point, reason)).collect();
        for (point, quality) in batch.points.iter().zip(&batch.qualities) {
            let Some(device) = device_of(*point) else { continue };
            let is_bad = quality.is_bad();
            match if is_bad { reasons.get(point).copied() } else { misfits.get(point) } {
                Some(reason) => self.does_not_fit(*point, device, reason, now, &mut news),
                None if !is_bad => self.fits(*point, device, now, &mut news),
                // Bad for the time being: that says nothing of how it is configured.
                None => {}
            }
        }
        news
    }

    fn does_not_fit(&mut self, point: PointIx, device: DeviceIx, reason: &str, now: Instant, news: &mut News) {
        if let Some(why) = self.points.get_mut(&point) {
            why.last_at = now;
            if why.reason != reason && now - why.told_at >= LASTS {
                (why.reason, why.told_at) = (reason.to_owned(), now);
                news.devices.insert(device);
            }
            return;
        }
        self.points.insert(point, Why { reason: reason.to_owned(), told_at: now, last_at: now });
        self.devices.entry(device).or_default().insert(point);
        news.points.push((point, reason.to_owned()));
        news.devices.insert(device);
    }

    fn fits(&mut self, point: PointIx, device: DeviceIx, now: Instant, news: &mut News) {
        if self.points.get(&point).is_none_or(|why| now - why.last_at < LASTS) {
            return;
        }
        self.points.remove(&point);
        if let Some(points) = self.devices.get_mut(&device) {
            points.remove(&point);
        }
        news.devices.insert(device);
    }

    /// How many points of a device do not fit, and the first of them with why.
    pub(super) fn of(&self, device: DeviceIx) -> Option<(usize, PointIx, &str)> {
        let points = self.devices.get(&device)?;
        let first = *points.first()?;
        Some((points.len(), first, &self.points[&first].reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::{Quality, Timestamp, Value};

    const DEVICE: DeviceIx = DeviceIx(7);
    const GOOD: PointIx = PointIx(1);
    const WRONG: PointIx = PointIx(2);

    fn note(unfit: &mut Unfit, batch: &Batch, now: Instant) -> News {
        unfit.note(batch, &HashMap::new(), |_| Some(DEVICE), now)
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

    #[test]
    fn a_point_that_does_not_fit_is_told_once() {
        let (mut unfit, now) = (Unfit::default(), Instant::now());
        assert_eq!(note(&mut unfit, &fit(), now), News::default());
        let news = note(&mut unfit, &misfit("nothing there"), now);
        assert_eq!((news.points.len(), news.devices.len()), (1, 1));
        assert_eq!(unfit.of(DEVICE), Some((1, WRONG, "nothing there")));
        for seconds in 1..100 {
            let again = note(&mut unfit, &misfit("nothing there"), now + Duration::from_secs(seconds));
            assert_eq!(again, News::default());
        }
    }

    #[test]
    fn one_that_fits_now_and_then_does_not_flap() {
        let (mut unfit, start) = (Unfit::default(), Instant::now());
        let turns = (0..100).map(|second| {
            let batch = if second % 2 == 0 { misfit("warm is no number") } else { fit() };
            note(&mut unfit, &batch, start + Duration::from_secs(second)).devices.len()
        });
        assert_eq!(turns.sum::<usize>(), 1);
        let later = start + Duration::from_secs(98) + LASTS;
        assert_eq!(note(&mut unfit, &fit(), later).devices.len(), 1);
        assert!(unfit.is_empty() && unfit.of(DEVICE).is_none());
    }

    #[test]
    fn another_reason_is_told_but_not_each_time() {
        let (mut unfit, start) = (Unfit::default(), Instant::now());
        let turns = (0..100).map(|second| {
            let reason = if second % 2 == 0 { "one" } else { "other" };
            note(&mut unfit, &misfit(reason), start + Duration::from_secs(second)).devices.len()
        });
        assert!(turns.sum::<usize>() <= 11);
        assert_eq!(unfit.of(DEVICE).map(|(count, ..)| count), Some(1));
    }

    #[test]
    fn what_the_model_does_not_take_is_unfit_though_the_driver_calls_it_good() {
        let (mut unfit, now) = (Unfit::default(), Instant::now());
        let misfits = HashMap::from([(WRONG, "it is a text".to_owned())]);
        unfit.note(&fit(), &misfits, |_| Some(DEVICE), now);
        assert_eq!(unfit.of(DEVICE), Some((1, WRONG, "it is a text")));
    }

    #[test]
    fn what_is_bad_without_a_reason_changes_nothing() {
        let (mut unfit, now) = (Unfit::default(), Instant::now());
        let mut batch = Batch::default();
        batch.bad(WRONG, Quality::BadTimeout, Timestamp::EPOCH);
        note(&mut unfit, &misfit("nothing there"), now);
        assert_eq!(note(&mut unfit, &batch, now + LASTS * 2), News::default());
        assert!(unfit.of(DEVICE).is_some());
    }
}
