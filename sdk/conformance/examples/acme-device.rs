//! A device for `tests/conformance/subject.toml`: `acme-device PORT`. The kit starts it, kills it and starts it again.

#[path = "../tests/conformance/acme/device.rs"]
mod device;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    device::serve(listener).await;
    Ok(())
}
