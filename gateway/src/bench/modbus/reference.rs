//! libmodbus' C client as a second reference, where a compiler and the library are.

use super::super::figure::Figure;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;

const SOURCE: &str = include_str!("reference.c");

/// Values per second of libmodbus' client, beside those of the bare one; nothing if it cannot be built here, which is said.
pub(super) async fn libmodbus(address: SocketAddr, time: Duration, raw: f64) -> Option<Figure> {
    match measure(address, time).await {
        Ok(rate) => {
            let reference = ("tokio-modbus' bare client, values/s", raw);
            Some(Figure::new("1 link, libmodbus' client in C", rate, "values/s", reference))
        }
        Err(reason) => {
            eprintln!("libmodbus is not measured: {reason} (apt-get install libmodbus-dev gcc pkg-config)");
            None
        }
    }
}

async fn measure(address: SocketAddr, time: Duration) -> Result<f64, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (source, program) = (folder.path().join("reference.c"), folder.path().join("reference"));
    std::fs::write(&source, SOURCE).map_err(|error| error.to_string())?;
    let flags = output(Command::new("pkg-config").args(["--cflags", "--libs", "libmodbus"])).await?;
    let mut compiler = Command::new("cc");
    compiler.arg("-O2").arg("-o").arg(&program).arg(&source).args(flags.split_whitespace());
    output(&mut compiler).await?;
    run(&program, address, time).await
}

async fn run(program: &Path, address: SocketAddr, time: Duration) -> Result<f64, String> {
    let mut command = Command::new(program);
    command.args([address.ip().to_string(), address.port().to_string(), time.as_secs().max(1).to_string()]);
    let said = output(&mut command).await?;
    said.trim().parse().map_err(|_| format!("it says `{}`", said.trim()))
}

async fn output(command: &mut Command) -> Result<String, String> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let output = command.output().await.map_err(|error| format!("{name}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("failed"))),
    }
}
