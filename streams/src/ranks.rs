//! Devices by number inside: a number is compared and kept at a third of a name's cost. Numbers are in the order of the
//! names, so that sorting by the one is sorting by the other; names are put back where something is told or written down,
//! since numbers change when the site's devices do.

use crate::df::{Array, ArrayRef, AsArray, Int32Array, Int32Type, Result, StringArray, internal_err};
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::Things;
use std::collections::HashMap;
use std::sync::Arc;

/// The column of a message table that holds the number of the device.
pub(crate) const RANK: &str = "device.rank";

/// The numbers of all devices.
#[derive(Debug)]
pub(crate) struct Ranks {
    /// By the device's place in the site.
    of_device: Vec<i32>,
    names: Vec<Arc<str>>,
    of_name: HashMap<Arc<str>, i32>,
}

impl Ranks {
    pub(crate) fn new(things: &Things) -> Ranks {
        let mut devices: Vec<(Arc<str>, DeviceIx)> =
            things.devices().map(|(device, known)| (known.id.clone(), device)).collect();
        devices.sort();
        let mut of_device = vec![0; devices.len()];
        devices.iter().zip(0..).for_each(|((_, device), rank)| of_device[device.0 as usize] = rank);
        let names: Vec<Arc<str>> = devices.into_iter().map(|(name, _)| name).collect();
        let of_name = names.iter().cloned().zip(0..).collect();
        Ranks { of_device, names, of_name }
    }

    pub(crate) fn of(&self, device: DeviceIx) -> i32 {
        self.of_device[device.0 as usize]
    }

    /// Names in the place of numbers.
    pub(crate) fn names(&self, ranks: &ArrayRef) -> ArrayRef {
        let name = |rank: i32| self.names.get(rank as usize).map(|name| &**name);
        let ranks = ranks.as_primitive::<Int32Type>();
        Arc::new(ranks.iter().map(|rank| name(rank?)).collect::<StringArray>())
    }

    /// Numbers in the place of names.
    ///
    /// # Errors
    /// If there is no device of a name any more.
    pub(crate) fn ranks(&self, names: &ArrayRef) -> Result<ArrayRef> {
        let names = names.as_string::<i32>();
        let ranks: Int32Array = names.iter().map(|name| self.of_name.get(name?).copied()).collect();
        if ranks.null_count() > names.null_count() {
            return internal_err!("the state is of a device that is no more");
        }
        Ok(Arc::new(ranks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_thing_models::{Device, ready_made};
    use std::collections::BTreeMap;

    #[test]
    fn numbers_are_in_the_order_of_the_names_and_come_back_as_names() {
        let mut things = Things::default();
        let model = things.add_model(Arc::new(ready_made().remove(0)));
        for id in ["c", "a", "b"] {
            things.add_device(Device { id: id.into(), model, labels: BTreeMap::new() }).expect("a new id");
        }
        let ranks = Ranks::new(&things);
        assert_eq!([0, 1, 2].map(|ix| ranks.of(DeviceIx(ix))), [2, 0, 1]);
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("b"), None, Some("c")]));
        let numbers = ranks.ranks(&names).expect("they are there");
        assert_eq!(&ranks.names(&numbers), &names);
        let gone: ArrayRef = Arc::new(StringArray::from(vec!["d"]));
        assert!(ranks.ranks(&gone).is_err());
    }
}
