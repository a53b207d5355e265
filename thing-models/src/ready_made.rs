//! Models that ship with the gateway.

use crate::Model;

/// Name and TSL text of each.
const SOURCES: [(&str, &str); 4] = [
    ("wind-turbine", include_str!("../models/wind-turbine.json")),
    ("met-mast", include_str!("../models/met-mast.json")),
    ("hotel-room", include_str!("../models/hotel-room.json")),
    ("energy-meter", include_str!("../models/energy-meter.json")),
];

/// The models that a site can use without bringing their files: `wind-turbine`, `met-mast`, `hotel-room` and
/// `energy-meter`.
pub fn ready_made() -> Vec<Model> {
    SOURCES.iter().map(|(name, text)| Model::parse(name, text).expect("the models that ship are valid")).collect()
}

/// The TSL text of a ready-made model, to start one's own from.
pub fn ready_made_source(name: &str) -> Option<&'static str> {
    SOURCES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallType, DataType, EventKind};
    use edgeway_sdk::Access;

    fn named(name: &str) -> Model {
        ready_made().into_iter().find(|model| &*model.name == name).expect("shipped")
    }

    #[test]
    fn every_ready_made_model_parses_and_shows_people_names_and_descriptions() {
        let models = ready_made();
        let sizes: Vec<_> = models.iter().map(|m| (&*m.name, m.properties.len())).collect();
        assert_eq!(sizes, [("wind-turbine", 13), ("met-mast", 5), ("hotel-room", 14), ("energy-meter", 11)]);
        for model in &models {
            assert_ne!(*model.title, *model.name, "a title for people");
            for property in &model.properties {
                assert!(!property.description.is_empty(), "{} of {}", property.identifier, model.name);
            }
        }
    }

    #[test]
    fn the_wind_turbine_has_a_power_limit_an_alarm_and_a_stop_with_a_mode() {
        let turbine = named("wind-turbine");
        let (_, limit) = turbine.property("power_limit").expect("property");
        let range = limit.data_type.range().expect("a number");
        assert_eq!((limit.access, range.min, range.max), (Access::ReadWrite, Some(0.0), Some(3000.0)));
        assert_eq!(range.unit.as_deref(), Some("kW"));
        assert_eq!(turbine.event("alarm").expect("event").1.kind, EventKind::Alert);
        let (_, stop) = turbine.service("stop").expect("service");
        assert_eq!(stop.call_type, CallType::Sync);
        let DataType::Enum(modes) = &stop.input[0].data_type else { panic!("mode is an enum") };
        assert_eq!(modes[&1], "emergency");
    }

    #[test]
    fn a_source_is_found_by_name() {
        assert!(ready_made_source("met-mast").expect("shipped").contains("air_pressure"));
        assert_eq!(ready_made_source("toaster"), None);
    }
}
