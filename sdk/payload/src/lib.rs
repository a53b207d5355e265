//! What is in a payload: JSON, CBOR, SenML, text and binary, to values and back.
#![forbid(unsafe_code)]
