//! What a template is made for: each use is a set of parameters, or one such set for each device that fits.

use super::draft::Mistake;
use super::words::criteria;
use edgeway_sdk::Json;
use edgeway_thing_models::Things;
use std::collections::BTreeMap;

/// One use of a template, as a site says it: values for the parameters of a script.
///
/// A value that is an object stands for all devices that fit, as in `devices(#{ model: ".." })`: the script runs once
/// for each of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The values, by the names of parameters.
    pub values: BTreeMap<String, Json>,
    /// Where it is said, for what is wrong with it: `scenes/rooms.toml:4`.
    pub place: String,
}

/// The sets of parameters that a use stands for.
pub(super) fn expand(things: &Things, of: &Use) -> Result<Vec<BTreeMap<String, Json>>, Mistake> {
    let mut filters = of.values.iter().filter_map(|(name, value)| Some((name, value.as_object()?)));
    let Some((name, filter)) = filters.next() else { return Ok(vec![of.values.clone()]) };
    if let Some((second, _)) = filters.next() {
        return Err(Mistake::new(format!("{}: `{name}` and `{second}` both stand for many devices", of.place))
            .help("one parameter of a use may; write two uses, or name the other device"));
    }
    let wanted = criteria(things, filter).map_err(|mistake| mistake.within(&of.place))?;
    let devices = things.current_devices().filter(|(_, device)| wanted.iter().all(|one| one.fits(things, device)));
    let sets: Vec<_> = devices
        .map(|(_, device)| {
            let mut values = of.values.clone();
            values.insert(name.clone(), Json::from(&*device.id));
            values
        })
        .collect();
    if sets.is_empty() {
        return Err(Mistake::new(format!("{}: no device fits `{name}`", of.place)));
    }
    Ok(sets)
}
