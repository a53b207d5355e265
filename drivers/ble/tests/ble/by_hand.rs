//! Against the real BlueZ, by hand: `vm/run` does it in a virtual machine.

#[path = "peers/bench.rs"]
#[expect(dead_code, reason = "shared with the tests against the mock, which use all of it")]
mod bench;
