//! Arrow IPC: a stream with one table in each payload.

use crate::table::{Table, runs_of_tables, table};
use crate::{Content, Format, Item, Payload, Surroundings, Unfit};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;

const MEDIA_TYPE: &str = "application/vnd.apache.arrow.stream";

/// See the file's head.
pub(crate) struct ArrowIpc {
    around: Surroundings,
}

impl ArrowIpc {
    pub(crate) fn new(around: &Surroundings) -> Self {
        ArrowIpc { around: around.clone() }
    }
}

impl Format for ArrowIpc {
    fn encode(&mut self, items: &[Item]) -> Result<Vec<Payload>, Unfit> {
        let runs = runs_of_tables(items, &self.around.things).into_iter();
        runs.map(|run| {
            let table = table(&self.around.things, items, run.clone())?;
            let bytes =
                stream(&table).map_err(|error| Unfit::new(run.start, format!("it cannot be Arrow: {error}")))?;
            Ok(Payload { topic: None, content: Content::Bytes(bytes.into(), MEDIA_TYPE), items: run })
        })
        .collect()
    }
}

fn stream(table: &Table) -> Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new(vec![], table.batch.schema_ref())?;
    writer.write(&table.batch)?;
    writer.finish()?;
    writer.into_inner()
}
