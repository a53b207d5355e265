//! The driver as a process of its own: the gateway starts it, and it dials in.

fn main() -> std::process::ExitCode {
    edgeway_sdk_wire::serve(edgeway_driver_acme::Acme)
}
