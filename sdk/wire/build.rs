//! Makes Rust of the contract. `protox` compiles it, so that nobody needs `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto/driver.proto");
    let contract = protox::compile(["driver.proto"], ["proto"])?;
    tonic_prost_build::configure().compile_fds(contract)?;
    Ok(())
}
