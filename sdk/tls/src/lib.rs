//! TLS with ring: whom to trust, who we are, and what an error means.
#![forbid(unsafe_code)]
