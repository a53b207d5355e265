//! One Parquet file while it is gathered.

use super::output::{Output, Place};
use super::partition::Part;
use crate::TargetError;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

/// Encodes into memory; the bytes are taken out and put where they belong.
type Writer = ArrowWriter<Vec<u8>>;

pub(super) struct OpenFile {
    folder: String,
    schema: SchemaRef,
    /// `None` while it encodes.
    writer: Option<Writer>,
    output: Output,
}

impl OpenFile {
    /// Begins the file that a part is the first of.
    pub(super) async fn create(place: &Place, route: &str, part: &Part) -> Result<Self, TargetError> {
        let name = format!("{route}-{}.parquet", part.first_id);
        let schema = part.rows.schema();
        let writer = Writer::try_new(vec![], schema.clone(), Some(properties())).map_err(said)?;
        let output = place.create(&part.folder, &name).await?;
        Ok(OpenFile { folder: part.folder.clone(), schema, writer: Some(writer), output })
    }

    /// Whether a part goes in here.
    pub(super) fn takes(&self, part: &Part) -> bool {
        self.folder == part.folder && self.schema == part.rows.schema()
    }

    pub(super) async fn write(&mut self, rows: RecordBatch) -> Result<(), TargetError> {
        self.encode(move |writer| writer.write(&rows)).await
    }

    /// Ends the row group, which frees its memory.
    pub(super) async fn flush(&mut self) -> Result<(), TargetError> {
        self.encode(Writer::flush).await
    }

    /// Makes it a file that is there.
    pub(super) async fn complete(mut self) -> Result<(), TargetError> {
        self.encode(|writer| writer.finish().map(drop)).await?;
        self.output.complete().await
    }

    pub(super) async fn discard(self) {
        self.output.discard().await;
    }

    /// Bytes so far, of which those of the row group that is not ended are an estimate.
    pub(super) fn file_bytes(&self) -> u64 {
        self.writer.as_ref().map_or(0, |writer| (writer.bytes_written() + writer.in_progress_size()) as u64)
    }

    /// Memory that ending the row group frees.
    pub(super) fn group_bytes(&self) -> usize {
        self.writer.as_ref().map_or(0, ArrowWriter::memory_size)
    }

    /// Encoded bytes that are still in memory.
    pub(super) fn held_bytes(&self) -> usize {
        self.output.held_bytes()
    }

    /// Encodes and compresses where that may take its time, and puts out what came of it.
    async fn encode(
        &mut self,
        work: impl FnOnce(&mut Writer) -> Result<(), ParquetError> + Send + 'static,
    ) -> Result<(), TargetError> {
        let mut writer = self.writer.take().ok_or_else(|| TargetError::Away("the file is broken".into()))?;
        let encoded = tokio::task::spawn_blocking(move || {
            work(&mut writer)?;
            let bytes = std::mem::take(writer.inner_mut());
            Ok((writer, bytes))
        });
        let (writer, bytes) = encoded.await.map_err(|error| TargetError::Away(error.to_string()))?.map_err(said)?;
        self.writer = Some(writer);
        if bytes.is_empty() { Ok(()) } else { self.output.put(bytes).await }
    }
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_created_by("edgeway".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build()
}

fn said(error: ParquetError) -> TargetError {
    TargetError::Away(error.to_string())
}
