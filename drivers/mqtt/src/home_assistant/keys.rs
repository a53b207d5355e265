//! Keys in full, and topics too.

use edgeway_sdk::Json;
use serde_json::Map;

/// Abbreviations of the keys that are looked at.
const KEYS: &[(&str, &str)] = &[
    ("act_t", "action_topic"),
    ("act_tpl", "action_template"),
    ("avty", "availability"),
    ("avty_t", "availability_topic"),
    ("avty_tpl", "availability_template"),
    ("bri_cmd_t", "brightness_command_topic"),
    ("bri_cmd_tpl", "brightness_command_template"),
    ("bri_scl", "brightness_scale"),
    ("bri_stat_t", "brightness_state_topic"),
    ("bri_val_tpl", "brightness_value_template"),
    ("clr_temp_cmd_t", "color_temp_command_topic"),
    ("clr_temp_cmd_tpl", "color_temp_command_template"),
    ("clr_temp_stat_t", "color_temp_state_topic"),
    ("clr_temp_val_tpl", "color_temp_value_template"),
    ("cmd_t", "command_topic"),
    ("cmd_tpl", "command_template"),
    ("cmps", "components"),
    ("curr_hum_t", "current_humidity_topic"),
    ("curr_hum_tpl", "current_humidity_template"),
    ("curr_temp_t", "current_temperature_topic"),
    ("curr_temp_tpl", "current_temperature_template"),
    ("dev", "device"),
    ("dev_cla", "device_class"),
    ("fan_mode_cmd_t", "fan_mode_command_topic"),
    ("fan_mode_cmd_tpl", "fan_mode_command_template"),
    ("fan_mode_stat_t", "fan_mode_state_topic"),
    ("fan_mode_stat_tpl", "fan_mode_state_template"),
    ("mode_cmd_t", "mode_command_topic"),
    ("mode_cmd_tpl", "mode_command_template"),
    ("mode_stat_t", "mode_state_topic"),
    ("mode_stat_tpl", "mode_state_template"),
    ("obj_id", "object_id"),
    ("ops", "options"),
    ("p", "platform"),
    ("pct_cmd_t", "percentage_command_topic"),
    ("pct_cmd_tpl", "percentage_command_template"),
    ("pct_stat_t", "percentage_state_topic"),
    ("pct_val_tpl", "percentage_value_template"),
    ("pl_avail", "payload_available"),
    ("pl_lock", "payload_lock"),
    ("pl_not_avail", "payload_not_available"),
    ("pl_off", "payload_off"),
    ("pl_on", "payload_on"),
    ("pl_prs", "payload_press"),
    ("pl_unlk", "payload_unlock"),
    ("pos_t", "position_topic"),
    ("pos_tpl", "position_template"),
    ("set_pos_t", "set_position_topic"),
    ("set_pos_tpl", "set_position_template"),
    ("stat_cla", "state_class"),
    ("stat_locked", "state_locked"),
    ("stat_off", "state_off"),
    ("stat_on", "state_on"),
    ("stat_t", "state_topic"),
    ("stat_unlocked", "state_unlocked"),
    ("stat_val_tpl", "state_value_template"),
    ("temp_cmd_t", "temperature_command_topic"),
    ("temp_cmd_tpl", "temperature_command_template"),
    ("temp_stat_t", "temperature_state_topic"),
    ("temp_stat_tpl", "temperature_state_template"),
    ("tilt_cmd_t", "tilt_command_topic"),
    ("tilt_cmd_tpl", "tilt_command_template"),
    ("tilt_status_t", "tilt_status_topic"),
    ("tilt_status_tpl", "tilt_status_template"),
    ("uniq_id", "unique_id"),
    ("unit_of_meas", "unit_of_measurement"),
    ("val_tpl", "value_template"),
];

/// Those of a device, and of one availability.
const INNER: &[(&str, &str)] = &[
    ("cns", "connections"),
    ("ids", "identifiers"),
    ("mdl", "model"),
    ("mf", "manufacturer"),
    ("sw", "sw_version"),
    ("t", "topic"),
    ("pl_avail", "payload_available"),
    ("pl_not_avail", "payload_not_available"),
    ("val_tpl", "value_template"),
];

/// A description with all its keys and topics in full.
pub(super) fn whole(config: Map<String, Json>) -> Map<String, Json> {
    let mut config = spelt_out(config, KEYS);
    for key in ["device", "availability"] {
        if let Some(inner) = config.remove(key) {
            config.insert(key.into(), inner_whole(inner));
        }
    }
    with_base(config)
}

fn inner_whole(json: Json) -> Json {
    match json {
        Json::Object(fields) => Json::Object(spelt_out(fields, INNER)),
        Json::Array(items) => items.into_iter().map(inner_whole).collect(),
        other => other,
    }
}

fn spelt_out(config: Map<String, Json>, keys: &[(&str, &str)]) -> Map<String, Json> {
    let full = |key: String| keys.iter().find(|(short, _)| *short == key).map_or(key, |(_, full)| (*full).to_owned());
    config.into_iter().map(|(key, value)| (full(key), value)).collect()
}

/// The same with `~` at the begin or the end of each topic as what it stands for.
pub(super) fn with_base(mut config: Map<String, Json>) -> Map<String, Json> {
    let Some(base) = config.get("~").and_then(Json::as_str).map(str::to_owned) else { return config };
    for (key, value) in &mut config {
        put_base(key, value, &base);
    }
    config
}

fn put_base(key: &str, value: &mut Json, base: &str) {
    match value {
        Json::String(text) if key.ends_with("topic") => {
            if let Some(rest) = text.strip_prefix('~') {
                *text = format!("{base}{rest}");
            } else if let Some(rest) = text.strip_suffix('~') {
                *text = format!("{rest}{base}");
            }
        }
        Json::Array(items) if key == "availability" => {
            for item in items.iter_mut().filter_map(Json::as_object_mut) {
                item.iter_mut().for_each(|(key, value)| put_base(key, value, base));
            }
        }
        _ => {}
    }
}
