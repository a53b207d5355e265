//! MQTT driver: devices behind a broker, with Zigbee2MQTT, Home Assistant discovery and Sparkplug B.
#![forbid(unsafe_code)]
