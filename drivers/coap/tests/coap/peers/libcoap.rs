//! The example server of libcoap, in the clear and with DTLS.
