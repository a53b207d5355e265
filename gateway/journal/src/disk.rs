//! The file layer: the few operations of the operating system that can fail while the journal runs, in one place, so
//! that tests can make each of them fail.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

/// An operation that tests can make fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Allocate,
    Write,
    Sync,
    CursorWrite,
}

/// The operations of the writer thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) faults: faults::Faults,
}

impl Disk {
    #[cfg(test)]
    fn check(&self, operation: Operation) -> io::Result<()> {
        self.faults.check(operation)
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the same call as in tests, where it may fail")]
    fn check(&self, _: Operation) -> io::Result<()> {
        Ok(())
    }

    /// A new file of `bytes` zeros whose blocks are reserved, where the file system can do that.
    pub(crate) fn allocate(&self, path: &Path, bytes: u64) -> io::Result<File> {
        self.check(Operation::Allocate)?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        match rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
            Err(rustix::io::Errno::OPNOTSUPP) => file.set_len(bytes)?,
            result => result?,
        }
        Ok(file)
    }

    pub(crate) fn write(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        self.check(Operation::Write)?;
        file.write_all_at(bytes, at)
    }

    pub(crate) fn write_cursor(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        self.check(Operation::CursorWrite)?;
        file.write_all_at(bytes, at)
    }

    pub(crate) fn sync(&self, file: &File) -> io::Result<()> {
        self.check(Operation::Sync)?;
        file.sync_data()
    }
}

/// Makes names in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Bytes that the file really takes; zero if it is not there.
pub(crate) fn bytes_on_disk(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.blocks() * 512)
}

/// Removes a file and gives its blocks back even if a reader still has it open.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(0)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        _ => {}
    }
    fs::remove_file(path)
}

/// As much of `out` as the file has from `at` on. A page that the device cannot read comes back as zeros: to the
/// checksums it is damage like any other, and what lies behind it stays readable.
pub(crate) fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<usize> {
    match read_full(file, out, at) {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => read_pages(file, out, at),
        result => result,
    }
}

fn read_full(file: &File, out: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < out.len() {
        match file.read_at(&mut out[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn read_pages(file: &File, out: &mut [u8], at: u64) -> io::Result<usize> {
    let length = out.len().min(file.metadata()?.len().saturating_sub(at) as usize);
    for (page, chunk) in out[..length].chunks_mut(4096).enumerate() {
        if read_full(file, chunk, at + page as u64 * 4096).is_err() {
            chunk.fill(0);
        }
    }
    Ok(length)
}

#[cfg(test)]
pub(crate) mod faults {
    //! Failures on demand.

    use super::{Operation, io};
    use parking_lot::Mutex;
    use std::{collections::HashMap, sync::Arc};

    /// Which operations fail, with which error of the system.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Faults(Arc<Mutex<HashMap<Operation, Fault>>>);

    #[derive(Debug)]
    struct Fault {
        errno: i32,
        times: u64,
        met: u64,
    }

    impl Faults {
        /// From now on `operation` fails `times` times.
        pub(crate) fn set(&self, operation: Operation, errno: rustix::io::Errno, times: u64) {
            self.0.lock().insert(operation, Fault { errno: errno.raw_os_error(), times, met: 0 });
        }

        /// Nothing fails any more.
        pub(crate) fn clear(&self) {
            self.0.lock().values_mut().for_each(|fault| fault.times = 0);
        }

        /// How often `operation` has failed.
        pub(crate) fn met(&self, operation: Operation) -> u64 {
            self.0.lock().get(&operation).map_or(0, |fault| fault.met)
        }

        pub(crate) fn check(&self, operation: Operation) -> io::Result<()> {
            match self.0.lock().get_mut(&operation) {
                Some(fault) if fault.times > 0 => {
                    fault.times -= 1;
                    fault.met += 1;
                    Err(io::Error::from_raw_os_error(fault.errno))
                }
                _ => Ok(()),
            }
        }
    }
}
