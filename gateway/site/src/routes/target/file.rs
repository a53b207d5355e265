//! A file on this machine.

use super::Around;
use crate::report::Report;
use crate::section::Section;
use crate::site::{FileTarget, TargetKind};

const FILE_BYTES: u64 = 64 << 20;
const FILE_BYTES_MIN: u64 = 64 << 10;

pub(super) fn read(section: &mut Section<'_>, around: &Around<'_>, report: &mut Report) -> Option<TargetKind> {
    let path = section.required("path", report);
    let size = section.bytes("size", FILE_BYTES_MIN..=u64::MAX, report);
    Some(TargetKind::File(FileTarget {
        path: around.names.data.join(&*path?.value),
        file_bytes: size.map_or(FILE_BYTES, |found| found.value),
    }))
}
