//! Bluetooth Low Energy driver: advertisements and GATT.
#![forbid(unsafe_code)]
mod address;
mod advert;
mod codec;
