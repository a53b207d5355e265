//! The limit: one file that grows, and one that says how far it was read.

use super::{MESSAGE_BYTES, Store};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::FileExt,
    path::Path,
};

struct Bare {
    log: File,
    reader: File,
    ack: File,
    drained: u64,
}

pub(super) fn make(dir: &Path) -> io::Result<Box<dyn Store>> {
    let open = |name| OpenOptions::new().read(true).write(true).create(true).truncate(true).open(dir.join(name));
    let (log, ack) = (open("log")?, open("ack")?);
    ack.write_all_at(&[0; 4096], 0)?;
    ack.sync_all()?;
    let reader = File::open(dir.join("log"))?;
    Ok(Box::new(Bare { log, reader, ack, drained: 0 }))
}

impl Store for Bare {
    fn append(&mut self, group: Vec<Vec<u8>>) -> io::Result<()> {
        self.log.write_all(&group.concat())?;
        self.log.sync_data()
    }

    fn drain(&mut self, count: usize) -> io::Result<usize> {
        let mut bytes = vec![0; count * MESSAGE_BYTES];
        self.reader.read_exact(&mut bytes)?;
        let messages: Vec<Vec<u8>> = bytes.chunks(MESSAGE_BYTES).map(<[u8]>::to_vec).collect();
        self.drained += messages.len() as u64;
        self.ack.write_all_at(&self.drained.to_le_bytes(), 0)?;
        self.ack.sync_data()?;
        Ok(messages.iter().map(Vec::len).sum())
    }

    fn close(self: Box<Self>) -> io::Result<()> {
        self.log.sync_all()
    }
}
