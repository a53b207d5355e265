//! The state of queries, written down: a frame around tables in Arrow's IPC format.
//!
//! ```text
//! "EDGEWAY QUERIES\n"   16 bytes
//! version               u32, 1
//! length of the index   u32
//! index                 JSON: the offset of the next message, the clocks, and for every operator the query, a
//!                       fingerprint of all that its state depends on, and the lengths of its tables in bytes
//! tables                IPC streams, one after the other
//! checksum              u32, CRC-32C of all before it
//! ```
//!
//! Numbers are little-endian. A state that does not have this form is refused as a whole; within it, an operator takes up
//! only what one with its own fingerprint has left.

use crate::clock::Hands;
use crate::df::{
    ArrayRef, AsArray, DataType, Field, Int64Array, Int64Type, RecordBatch, RecordBatchOptions, Result, Schema,
    internal_err,
};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const MAGIC: &[u8; 16] = b"EDGEWAY QUERIES\n";
const VERSION: u32 = 1;

/// What a state holds beside its tables.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Index {
    /// The offset of the next message.
    pub(crate) next: Option<u64>,
    pub(crate) clocks: Vec<(String, Hands)>,
    pub(crate) operators: Vec<Entry>,
}

/// The tables of one operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) query: Arc<str>,
    pub(crate) fingerprint: u64,
    lengths: Vec<usize>,
}

impl Entry {
    /// What tells operators apart.
    pub(crate) fn key(&self) -> (Arc<str>, u64) {
        (self.query.clone(), self.fingerprint)
    }
}

/// The tables of all operators, to be written down.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) index: Index,
    tables: Vec<u8>,
}

impl Writer {
    /// Adds what an operator remembers.
    ///
    /// # Errors
    /// If a table has a type that the format does not.
    pub(crate) fn add(&mut self, query: &Arc<str>, fingerprint: u64, tables: &[RecordBatch]) -> Result<()> {
        let mut lengths = vec![];
        for table in tables {
            let before = self.tables.len();
            let mut writer = StreamWriter::try_new(&mut self.tables, &table.schema())?;
            writer.write(table)?;
            writer.finish()?;
            lengths.push(self.tables.len() - before);
        }
        self.index.operators.push(Entry { query: query.clone(), fingerprint, lengths });
        Ok(())
    }

    /// The whole.
    pub(crate) fn finish(self) -> Vec<u8> {
        let index = serde_json::to_vec(&self.index).expect("an index serialises to memory");
        let mut bytes = Vec::with_capacity(28 + index.len() + self.tables.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(index.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&index);
        bytes.extend_from_slice(&self.tables);
        let checksum = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }
}

/// A state that was written down.
pub(crate) struct Reader<'a> {
    pub(crate) index: Index,
    tables: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Takes a state apart.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Reader<'a>, &'static str> {
        let (body, checksum) = bytes.split_last_chunk::<4>().ok_or("it is cut off")?;
        let (magic, body_rest) = body.split_first_chunk::<16>().ok_or("it is cut off")?;
        if magic != MAGIC {
            return Err("it is something else");
        }
        let (version, rest) = body_rest.split_first_chunk::<4>().ok_or("it is cut off")?;
        if u32::from_le_bytes(*version) != VERSION {
            return Err("it is of another version");
        }
        if crc32c::crc32c(body) != u32::from_le_bytes(*checksum) {
            return Err("it is damaged");
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or("it is cut off")?;
        let (index, tables) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or("it is cut off")?;
        Ok(Reader { index: serde_json::from_slice(index).map_err(|_| "its index cannot be read")?, tables })
    }

    /// The tables of every operator, in order.
    pub(crate) fn operators(&self) -> impl Iterator<Item = (&Entry, Result<Vec<RecordBatch>>)> {
        let mut rest = self.tables;
        self.index.operators.iter().map(move |entry| {
            let mut tables = Ok(vec![]);
            for length in &entry.lengths {
                let (table, behind) = rest.split_at_checked(*length).unwrap_or((&[], &[]));
                rest = behind;
                tables = tables.and_then(|mut tables: Vec<RecordBatch>| {
                    tables.push(read(table)?);
                    Ok(tables)
                });
            }
            (entry, tables)
        })
    }
}

fn read(bytes: &[u8]) -> Result<RecordBatch> {
    let mut reader = StreamReader::try_new(bytes, None)?;
    match reader.next() {
        Some(batch) => Ok(batch?),
        None => Ok(RecordBatch::new_empty(reader.schema())),
    }
}

/// A table of columns as long as each other.
///
/// # Errors
/// If they are not.
pub(crate) fn table(columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let rows = columns.first().map_or(0, |column| column.len());
    let field = |(at, column): (usize, &ArrayRef)| Field::new(format!("c{at}"), column.data_type().clone(), true);
    let schema = Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>());
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::new(schema), columns, &options)?)
}

/// A table of a few numbers.
///
/// # Errors
/// Never, in fact.
pub(crate) fn numbers(numbers: &[i64]) -> Result<RecordBatch> {
    let schema = Schema::new(vec![Field::new("number", DataType::Int64, false)]);
    Ok(RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(numbers.to_vec()))])?)
}

/// The numbers of such a table.
///
/// # Errors
/// If it is another one.
pub(crate) fn read_numbers(table: &RecordBatch) -> Result<Vec<i64>> {
    match table.columns().first().and_then(|column| column.as_primitive_opt::<Int64Type>()) {
        Some(column) => Ok(column.values().to_vec()),
        None => internal_err!("the state has a table without numbers"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Vec<u8> {
        let mut writer = Writer::default();
        writer.index.next = Some(7);
        writer
            .add(&"q".into(), 1, &[numbers(&[1, 2]).expect("numbers"), numbers(&[]).expect("numbers")])
            .expect("added");
        writer.add(&"r".into(), 2, &[numbers(&[3]).expect("numbers")]).expect("added");
        writer.finish()
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = written();
        let reader = Reader::new(&bytes).expect("a state");
        assert_eq!(reader.index.next, Some(7));
        let numbers: Vec<Vec<Vec<i64>>> = reader
            .operators()
            .map(|(_, tables)| tables.expect("tables").iter().map(|t| read_numbers(t).expect("numbers")).collect())
            .collect();
        assert_eq!(numbers, vec![vec![vec![1, 2], vec![]], vec![vec![3]]]);
    }

    #[test]
    fn any_byte_that_is_wrong_is_noticed() {
        let bytes = written();
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 0x40;
            assert!(Reader::new(&wrong).is_err(), "byte {at}");
            assert!(Reader::new(&bytes[..at]).is_err(), "the first {at} bytes");
        }
    }
}
