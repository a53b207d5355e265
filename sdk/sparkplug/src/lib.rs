//! The messages of Sparkplug B, as they are on the wire.
//!
//! Both sides of the gateway speak it: `edgeway-formats` writes it, the MQTT driver reads and writes it. Field numbers,
//! types and codes are those of the specification, version 3.0, section 6.4 (package `org.eclipse.tahu.protobuf`).
//!
//! **It is not** an edge node or a host: births, sequences and aliases are the business of those who use it. Data sets and
//! templates are left out, and so is metadata; what is not known is skipped when it is read.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub use prost::{DecodeError, Message};

/// Numbers of data types (section 6.4.16).
pub mod data_type {
    /// Signed, 8 bits.
    pub const INT8: u32 = 1;
    /// Signed, 16 bits.
    pub const INT16: u32 = 2;
    /// Signed, 32 bits.
    pub const INT32: u32 = 3;
    /// Signed, 64 bits.
    pub const INT64: u32 = 4;
    /// Unsigned, 8 bits.
    pub const UINT8: u32 = 5;
    /// Unsigned, 16 bits.
    pub const UINT16: u32 = 6;
    /// Unsigned, 32 bits.
    pub const UINT32: u32 = 7;
    /// Unsigned, 64 bits.
    pub const UINT64: u32 = 8;
    /// 32 bits.
    pub const FLOAT: u32 = 9;
    /// 64 bits.
    pub const DOUBLE: u32 = 10;
    /// True or false.
    pub const BOOLEAN: u32 = 11;
    /// UTF-8.
    pub const STRING: u32 = 12;
    /// Milliseconds since 1970, unsigned.
    pub const DATE_TIME: u32 = 13;
    /// UTF-8 that may be long.
    pub const TEXT: u32 = 14;
    /// A UUID, as text.
    pub const UUID: u32 = 15;
    /// Bytes.
    pub const BYTES: u32 = 17;
}

/// Sparkplug's quality codes, the values of a metric's property `Quality`.
pub mod quality {
    /// Not to be trusted.
    pub const BAD: u32 = 0;
    /// To be trusted; also if there is no such property.
    pub const GOOD: u32 = 192;
    /// It was good once.
    pub const STALE: u32 = 500;
}

/// What a message carries.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Payload {
    /// When it was sent, in milliseconds since 1970.
    #[prost(uint64, optional, tag = "1")]
    pub timestamp: Option<u64>,
    /// Its values.
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
    /// Its place in the edge node's sequence, 0 to 255.
    #[prost(uint64, optional, tag = "3")]
    pub seq: Option<u64>,
}

/// A value with a name, or, after the birth that gave it both, with an alias.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Metric {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// A number that stands for the name.
    #[prost(uint64, optional, tag = "2")]
    pub alias: Option<u64>,
    /// When it was measured, in milliseconds since 1970.
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
    /// A number of [`data_type`].
    #[prost(uint32, optional, tag = "4")]
    pub datatype: Option<u32>,
    /// It is of the past, and not the present value.
    #[prost(bool, optional, tag = "5")]
    pub is_historical: Option<bool>,
    /// There is no value.
    #[prost(bool, optional, tag = "7")]
    pub is_null: Option<bool>,
    /// What is said of it.
    #[prost(message, optional, tag = "9")]
    pub properties: Option<PropertySet>,
    /// The value.
    #[prost(oneof = "MetricValue", tags = "10, 11, 12, 13, 14, 15, 16")]
    pub value: Option<MetricValue>,
}

/// The value of a metric. Signed integers are in two's complement of their own width.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum MetricValue {
    /// Integers of up to 32 bits.
    #[prost(uint32, tag = "10")]
    Int(u32),
    /// Integers of 64 bits, and DateTime.
    #[prost(uint64, tag = "11")]
    Long(u64),
    /// Float.
    #[prost(float, tag = "12")]
    Float(f32),
    /// Double.
    #[prost(double, tag = "13")]
    Double(f64),
    /// Boolean.
    #[prost(bool, tag = "14")]
    Boolean(bool),
    /// String, Text and UUID.
    #[prost(string, tag = "15")]
    String(String),
    /// Bytes.
    #[prost(bytes = "vec", tag = "16")]
    Bytes(Vec<u8>),
}

/// Two lists of the same length.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PropertySet {
    /// Names.
    #[prost(string, repeated, tag = "1")]
    pub keys: Vec<String>,
    /// Values.
    #[prost(message, repeated, tag = "2")]
    pub values: Vec<PropertyValue>,
}

/// A value of a property.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PropertyValue {
    /// A number of [`data_type`].
    #[prost(uint32, optional, tag = "1")]
    pub r#type: Option<u32>,
    /// The value.
    #[prost(oneof = "PropertyValueKind", tags = "3, 4, 5, 6, 7, 8")]
    pub value: Option<PropertyValueKind>,
}

/// What a property holds.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum PropertyValueKind {
    /// Integers of up to 32 bits.
    #[prost(uint32, tag = "3")]
    Int(u32),
    /// Integers of 64 bits.
    #[prost(uint64, tag = "4")]
    Long(u64),
    /// Float.
    #[prost(float, tag = "5")]
    Float(f32),
    /// Double.
    #[prost(double, tag = "6")]
    Double(f64),
    /// Boolean.
    #[prost(bool, tag = "7")]
    Boolean(bool),
    /// String.
    #[prost(string, tag = "8")]
    String(String),
}

impl PropertySet {
    /// Adds a property.
    pub fn add(&mut self, key: &str, value: PropertyValue) {
        self.keys.push(key.to_owned());
        self.values.push(value);
    }

    /// The value of a property.
    pub fn get(&self, key: &str) -> Option<&PropertyValueKind> {
        let at = self.keys.iter().position(|other| other == key)?;
        self.values.get(at)?.value.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut properties = PropertySet::default();
        let good = Some(PropertyValueKind::Int(quality::GOOD));
        properties.add("Quality", PropertyValue { r#type: Some(data_type::INT32), value: good.clone() });
        let metric = Metric {
            alias: Some(7),
            datatype: Some(data_type::INT16),
            value: Some(MetricValue::Int(u32::from(-2_i16 as u16))),
            properties: Some(properties),
            ..Metric::default()
        };
        let payload = Payload { timestamp: Some(1), metrics: vec![metric], seq: Some(255) };
        let read = Payload::decode(payload.encode_to_vec().as_slice()).expect("our own bytes");
        assert_eq!(read, payload);
        assert_eq!(read.metrics[0].properties.as_ref().and_then(|set| set.get("Quality")), good.as_ref());
    }

    #[test]
    fn lists_of_different_length_have_no_value_for_the_rest() {
        let set = PropertySet { keys: vec!["a".into(), "b".into()], values: vec![PropertyValue::default()] };
        assert_eq!((set.get("a"), set.get("b")), (None, None));
    }
}
