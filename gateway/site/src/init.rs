//! A small site to begin with.

use crate::quantity;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The files, with `{{name}}` for the site's name.
const FILES: [(&str, &str); 8] = [
    ("edgeway.toml", include_str!("../init/edgeway.toml")),
    ("devices.toml", include_str!("../init/devices.toml")),
    ("routes.toml", include_str!("../init/routes.toml")),
    ("scenes/gear-oil.rhai", include_str!("../init/scenes/gear-oil.rhai")),
    ("scenes/gear-oil_test.rhai", include_str!("../init/scenes/gear-oil_test.rhai")),
    ("queries/turbine_power.sql", include_str!("../init/queries/turbine_power.sql")),
    // `git` would leave a file of that name out of the package.
    (".gitignore", include_str!("../init/gitignore")),
    (".taplo.toml", include_str!("../init/taplo.toml")),
];

/// Why no site was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something is in the folder already.
    #[error("`{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The name cannot be a site's name.
    #[error("`{0}` cannot be a site's name: lower-case letters, digits and `-`, at most 64")]
    Name(String),
    /// A file or folder could not be made.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Writes a small site that runs without any hardware: two turbines and a met mast of the simulator, a scene, a query
/// and a route into a file. Returns the files written, relative to `dir`.
///
/// # Errors
/// If the folder holds anything, the name is wrong, or a file cannot be written.
pub fn init(dir: &Path, name: &str) -> Result<Vec<PathBuf>, Error> {
    if !quantity::is_site_name(name) {
        return Err(Error::Name(name.to_owned()));
    }
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Write { path, source }
    };
    match std::fs::read_dir(dir).map(|mut entries| entries.next().is_some()) {
        Ok(true) => return Err(Error::NotEmpty(dir.to_owned())),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(refused(dir)(error)),
        Ok(false) | Err(_) => {}
    }
    for (file, text) in FILES {
        let path = dir.join(file);
        write(&path, &text.replace("{{name}}", name)).map_err(refused(&path))?;
    }
    Ok(FILES.iter().map(|(file, _)| PathBuf::from(file)).collect())
}

/// Never over a file that has come in the meantime.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::File::create_new(path)?.write_all(text.as_bytes())
}
