//! How a driver's process is started.

use crate::resources::Limits;
use edgeway_sdk::Manifest;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long `--manifest` may take.
const MANIFEST_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// A manifest is not longer, in bytes.
const MANIFEST_MAX: u64 = 4 << 20;
/// What a driver gets of the gateway's environment. The rest may hold secrets of other parts.
const INHERITED: [&str; 8] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH"];

/// A driver's command and what it may take.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// The driver's name.
    pub name: String,
    /// Where it runs, and what its command is relative to.
    pub folder: PathBuf,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables for it alone.
    pub environment: BTreeMap<String, String>,
    /// Resident memory, in bytes.
    pub memory_max: Option<u64>,
    /// Cores.
    pub cpu_max: Option<f64>,
}

impl Launch {
    /// The command, without the arguments and variables of one start.
    pub(crate) fn command(&self) -> Command {
        let program = self.command.first().map_or("", String::as_str);
        // Relative to the new working directory, a relative folder would be applied twice.
        let folder = std::path::absolute(&self.folder).unwrap_or_else(|_| self.folder.clone());
        let inside = folder.join(program);
        // A path is one in the site's folder; a bare name is looked for in PATH.
        let program = if program.contains('/') && inside.exists() { inside } else { program.into() };
        let mut command = Command::new(program);
        command.args(self.command.iter().skip(1)).current_dir(folder).env_clear();
        command.envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.envs(&self.environment);
        command
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits { memory_max: self.memory_max, cpu_max: self.cpu_max }
    }

    /// As it was written.
    pub(crate) fn line(&self) -> String {
        self.command.join(" ")
    }
}

/// Asks a driver what it is: runs its command with `--manifest`.
///
/// # Errors
/// Why it could not be asked, or what is wrong with the answer, for the operator.
pub fn manifest(launch: &Launch) -> Result<Manifest, String> {
    let text = output(launch)?;
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|error| format!("`{} --manifest` does not print a manifest: {error}", launch.line()))?;
    if manifest.name != launch.name {
        return Err(format!("its manifest says that it is driver `{}`", manifest.name));
    }
    Ok(manifest)
}

fn output(launch: &Launch) -> Result<String, String> {
    let asked = format!("`{} --manifest`", launch.line());
    let mut command = launch.command();
    command.arg("--manifest").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{asked} cannot be started: {error}"))?;
    // Both are read while it runs: a full pipe would keep it from ending.
    let stdout = child.stdout.take().map(reader);
    let stderr = child.stderr.take().map(reader);
    let until = Instant::now() + MANIFEST_WITHIN;
    let exit = loop {
        match child.try_wait() {
            Ok(Some(exit)) => break exit,
            Ok(None) if Instant::now() < until => std::thread::sleep(LOOK_EVERY),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{asked} has not ended within 10 s"));
            }
            Err(error) => return Err(format!("{asked} cannot be waited for: {error}")),
        }
    };
    let text = |reader: Option<std::thread::JoinHandle<String>>| {
        reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    let (stdout, stderr) = (text(stdout), text(stderr));
    if exit.success() {
        return Ok(stdout);
    }
    let last = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("and says nothing");
    Err(format!("{asked} fails with {exit}: {}", last.trim()))
}

fn reader(pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = vec![];
        let _ = pipe.take(MANIFEST_MAX).read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Launch {
        Launch {
            name: "acme".into(),
            folder: std::env::temp_dir(),
            command: ["sh", "-c", script, "driver"].map(str::to_owned).into(),
            environment: BTreeMap::from([("GREETING".into(), "hello".into())]),
            memory_max: None,
            cpu_max: None,
        }
    }

    #[test]
    fn a_driver_says_what_it_is() {
        let json = r#"{"name":"acme","version":"1","summary":"'$GREETING$CARGO'","can":{},"options":{"link":{},"device":{},"point":{}}}"#;
        let manifest = manifest(&shell(&format!("echo '{json}'"))).expect("a manifest");
        assert_eq!(manifest.summary, "hello", "its own variables, and none of ours");
    }

    #[test]
    fn a_command_is_relative_to_a_folder_that_is_relative_itself() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = folder.path().join("driver.sh");
        let json =
            r#"{"name":"acme","version":"1","summary":"","can":{},"options":{"link":{},"device":{},"point":{}}}"#;
        std::fs::write(&program, format!("#!/bin/sh\necho '{json}'\n")).expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("its own");
        let here = std::env::current_dir().expect("there is one");
        let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
        let relative = up.join(folder.path().strip_prefix("/").expect("absolute"));
        let launch = Launch { folder: relative, command: vec!["./driver.sh".into()], ..shell("") };
        assert_eq!(manifest(&launch).expect("a manifest").name, "acme");
    }

    #[test]
    fn what_went_wrong_is_said_with_the_last_line() {
        let wrong = |script: &str| manifest(&shell(script)).expect_err("wrong");
        let said = wrong("echo some trouble >&2; echo 'ModuleNotFoundError: No module named acme' >&2; exit 3");
        assert!(said.ends_with("fails with exit status: 3: ModuleNotFoundError: No module named acme"), "{said}");
        assert!(wrong("echo hello").contains("does not print a manifest"));
        let other = r#"echo '{"name":"other","version":"1","summary":"","can":{},"options":{"link":{},"device":{},"point":{}}}'"#;
        assert_eq!(wrong(other), "its manifest says that it is driver `other`");
        let missing = Launch { command: vec!["./no-such-program".into()], ..shell("") };
        assert!(manifest(&missing).expect_err("wrong").contains("cannot be started: No such file"));
    }
}
