//! Bluetooth Low Energy driver: advertisements and GATT.
#![forbid(unsafe_code)]
