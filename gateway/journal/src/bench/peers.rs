//! Other embedded stores used as a queue: rising keys, a group in a transaction that is durable, what was drained deleted
//! durably.

use super::{Make, Store, other};
use std::{io, ops::Range, path::Path};

pub(super) const ALL: [(&str, Make); 3] = [("redb", redb), ("fjall", fjall), ("SQLite FULL", sqlite)];

/// Keys that are there.
#[derive(Default)]
struct Keys {
    drained: u64,
    appended: u64,
}

impl Keys {
    fn append(&mut self, count: usize) -> Range<u64> {
        let from = self.appended;
        self.appended += count as u64;
        from..self.appended
    }

    fn drain(&mut self, count: usize) -> Range<u64> {
        let from = self.drained;
        self.drained += count as u64;
        from..self.drained
    }
}

struct Redb {
    db: redb::Database,
    keys: Keys,
}

const TABLE: redb::TableDefinition<u64, &[u8]> = redb::TableDefinition::new("queue");

fn redb(dir: &Path) -> io::Result<Box<dyn Store>> {
    let db = redb::Database::create(dir.join("queue.redb")).map_err(other)?;
    Ok(Box::new(Redb { db, keys: Keys::default() }))
}

impl Redb {
    fn put(&self, keys: Range<u64>, group: &[Vec<u8>]) -> Result<(), redb::Error> {
        let transaction = self.db.begin_write()?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for (key, message) in keys.zip(group) {
                table.insert(key, message.as_slice())?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn take(&self, keys: Range<u64>) -> Result<usize, redb::Error> {
        let transaction = self.db.begin_write()?;
        let mut bytes = 0;
        {
            let mut table = transaction.open_table(TABLE)?;
            for key in keys {
                let message = table.remove(key)?.map(|message| message.value().to_vec());
                bytes += message.map_or(0, |message| message.len());
            }
        }
        transaction.commit()?;
        Ok(bytes)
    }
}

impl Store for Redb {
    fn append(&mut self, group: Vec<Vec<u8>>) -> io::Result<()> {
        let keys = self.keys.append(group.len());
        self.put(keys, &group).map_err(other)
    }

    fn drain(&mut self, count: usize) -> io::Result<usize> {
        let keys = self.keys.drain(count);
        self.take(keys).map_err(other)
    }

    fn close(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

struct Fjall {
    db: fjall::Database,
    queue: fjall::Keyspace,
    keys: Keys,
}

fn fjall(dir: &Path) -> io::Result<Box<dyn Store>> {
    let db = fjall::Database::builder(dir.join("fjall")).open().map_err(other)?;
    let queue = db.keyspace("queue", fjall::KeyspaceCreateOptions::default).map_err(other)?;
    Ok(Box::new(Fjall { db, queue, keys: Keys::default() }))
}

impl Store for Fjall {
    fn append(&mut self, group: Vec<Vec<u8>>) -> io::Result<()> {
        let mut batch = self.db.batch().durability(Some(fjall::PersistMode::SyncData));
        for (key, message) in self.keys.append(group.len()).zip(group) {
            batch.insert(&self.queue, key.to_be_bytes(), message);
        }
        batch.commit().map_err(other)
    }

    fn drain(&mut self, count: usize) -> io::Result<usize> {
        let keys = self.keys.drain(count);
        let (from, end) = (keys.start.to_be_bytes(), keys.end.to_be_bytes());
        let (mut bytes, mut batch) = (0, self.db.batch().durability(Some(fjall::PersistMode::SyncData)));
        for entry in self.queue.range(from..end) {
            let (key, message) = entry.into_inner().map_err(other)?;
            bytes += message.to_vec().len();
            batch.remove(&self.queue, key);
        }
        batch.commit().map_err(other)?;
        Ok(bytes)
    }

    fn close(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

struct Sqlite {
    db: rusqlite::Connection,
    keys: Keys,
}

fn sqlite(dir: &Path) -> io::Result<Box<dyn Store>> {
    let db = rusqlite::Connection::open(dir.join("queue.sqlite")).map_err(other)?;
    let set_up = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                  CREATE TABLE queue (key INTEGER PRIMARY KEY, message BLOB NOT NULL);";
    db.execute_batch(set_up).map_err(other)?;
    Ok(Box::new(Sqlite { db, keys: Keys::default() }))
}

impl Sqlite {
    fn put(&mut self, keys: Range<u64>, group: &[Vec<u8>]) -> rusqlite::Result<()> {
        let transaction = self.db.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO queue VALUES (?1, ?2)")?;
            for (key, message) in keys.zip(group) {
                insert.execute((key.cast_signed(), message))?;
            }
        }
        transaction.commit()
    }

    fn take(&mut self, keys: Range<u64>) -> rusqlite::Result<usize> {
        let transaction = self.db.transaction()?;
        let (from, end, mut bytes) = (keys.start.cast_signed(), keys.end.cast_signed(), 0);
        {
            let mut select =
                transaction.prepare_cached("SELECT message FROM queue WHERE key >= ?1 AND key < ?2 ORDER BY key")?;
            let mut rows = select.query((from, end))?;
            while let Some(row) = rows.next()? {
                bytes += row.get::<_, Vec<u8>>(0)?.len();
            }
        }
        transaction.execute("DELETE FROM queue WHERE key >= ?1 AND key < ?2", (from, end))?;
        transaction.commit()?;
        Ok(bytes)
    }
}

impl Store for Sqlite {
    fn append(&mut self, group: Vec<Vec<u8>>) -> io::Result<()> {
        let keys = self.keys.append(group.len());
        self.put(keys, &group).map_err(other)
    }

    fn drain(&mut self, count: usize) -> io::Result<usize> {
        let keys = self.keys.drain(count);
        self.take(keys).map_err(other)
    }

    fn close(self: Box<Self>) -> io::Result<()> {
        self.db.close().map_err(|(_, error)| other(error))
    }
}
