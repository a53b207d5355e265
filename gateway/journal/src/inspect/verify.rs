//! Is everything as it was written?

use super::complete;
use crate::{
    Error,
    catalogue::Segment,
    frame::{END, TOO_LARGE, items},
    scan::Scan,
    segment::Unreadable,
};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// In this file.
    pub path: PathBuf,
    /// From this byte on.
    pub byte: u64,
    /// What it is, in words.
    pub what: String,
}

/// Reads every byte of every segment of the journal in `dir` and says what is not as it was written; in order of the files.
///
/// `progress` is told now and then how many bytes of how many were read.
pub fn verify(dir: impl AsRef<Path>, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Finding>, Error> {
    let survey = complete(dir.as_ref())?;
    let total: u64 = survey.segments.iter().flatten().map(|segment| segment.bytes).sum();
    let mut findings: Vec<Finding> = vec![];
    for path in survey.unreadable.iter().flatten() {
        findings.push(Finding { path: path.clone(), byte: 0, what: "both headers are damaged".into() });
    }
    let mut before = 0;
    for one in survey.segments.iter().flatten() {
        findings.extend(segment(one, &mut |bytes| progress(before + bytes, total)));
        before += one.bytes;
    }
    progress(total, total);
    Ok(findings)
}

/// What is wrong with one segment. `progress` is told how many of its bytes were read.
pub(super) fn segment(segment: &Segment, progress: &mut dyn FnMut(u64)) -> Vec<Finding> {
    let mut findings = Findings { path: &segment.path, found: vec![] };
    match File::open(&segment.path) {
        // Another process has removed it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => findings.add(0, format!("it cannot be opened: {error}")),
        Ok(file) => match Scan::new(file) {
            Ok((scan, _)) => {
                if let Err(error) = frames(segment, scan, &mut findings, progress) {
                    findings.add(0, format!("it cannot be read: {error}"));
                }
            }
            Err(Unreadable::Io(error)) => findings.add(0, format!("it cannot be read: {error}")),
            Err(_) => findings.add(0, "both preambles are damaged".into()),
        },
    }
    findings.found
}

struct Findings<'a> {
    path: &'a Path,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, byte: u64, what: String) {
        self.found.push(Finding { path: self.path.into(), byte, what });
    }
}

fn frames(segment: &Segment, mut scan: Scan, findings: &mut Findings, progress: &mut dyn FnMut(u64)) -> io::Result<()> {
    let (mut seq, mut known, first_version) = (segment.first_seq, scan.at(), scan.version() == 1);
    while let Some(found) = scan.next(segment.bytes)? {
        let header = found.header;
        if let Some(byte) = found.garbage_at {
            findings.add(byte, "bytes that are no frame".into());
        }
        if found.mended {
            findings.add(found.at, "one bit of the frame's header is wrong; what it says is known".into());
        }
        if header.seq > seq {
            findings.add(found.at, format!("{} items are missing before this frame", header.seq - seq));
        }
        if !header.has(END) && !header.has(TOO_LARGE) {
            let body = scan.body(&found)?;
            let sound = body.is_some_and(|body| first_version || items(&header, body).is_some());
            if !sound {
                findings.add(found.at, format!("the {} items of the frame are damaged", header.count));
            }
        }
        (seq, known) = (header.end_seq(), scan.at());
        progress(known);
    }
    if let Some(missing) = segment.end_seq.and_then(|end| end.checked_sub(seq)).filter(|missing| *missing > 0) {
        findings.add(known, format!("{missing} items are missing at the end"));
    }
    Ok(())
}
