//! CoAP driver: client with observe, block-wise transfer and DTLS, and server for devices that push.
#![forbid(unsafe_code)]
