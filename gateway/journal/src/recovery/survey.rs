//! What is in a journal's directory, before anything is touched.

use crate::{
    Class, Error,
    catalogue::{End, Segment},
    disk::read_at,
    frame::{END, HEADER_BYTES},
    segment::{self, Fixed, Header},
};
use std::{
    collections::VecDeque,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Segments by class, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) segments: [VecDeque<Segment>; 3],
    /// Files named like segments that have no sound header.
    pub(crate) unreadable: [Vec<PathBuf>; 3],
    /// The highest epoch in any header.
    pub(crate) epoch: u32,
    root: PathBuf,
}

impl Survey {
    /// Files of format version 1, which lie in the journal's own directory.
    pub(super) fn misplaced(&self) -> Vec<PathBuf> {
        let normal = Class::Normal.index();
        let segments = self.segments[normal].iter().map(|segment| segment.path.to_path_buf());
        let all = segments.chain(self.unreadable[normal].iter().cloned());
        all.filter(|path| path.parent() == Some(&self.root)).collect()
    }
}

/// Looks at all headers before anything is touched: a version that is not known ends it here.
pub(crate) fn survey(dir: &Path) -> Result<Survey, Error> {
    let mut survey = Survey { root: dir.into(), ..Survey::default() };
    for (class, first, path) in segment_files(dir)? {
        let file = match File::open(&path) {
            // Another process has removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            file => file.map_err(Error::io("open", &path))?,
        };
        match Fixed::read(&file) {
            Ok(fixed) if fixed.first == first && fixed.class == class => {
                survey.epoch = survey.epoch.max(fixed.created.epoch);
                let segment = segment(&file, &path, &fixed).map_err(Error::io("read", &path))?;
                survey.segments[class.index()].push_back(segment);
            }
            Ok(_) => survey.unreadable[class.index()].push(path),
            Err(other) => {
                other.error(&path).map_or(Ok(()), Err)?;
                survey.unreadable[class.index()].push(path);
            }
        }
    }
    survey.segments.iter_mut().for_each(connect);
    Ok(survey)
}

/// The preambles of all segments in `dir`, oldest first, each one once; none if `dir` is not there.
pub(crate) fn preambles(dir: &Path) -> Result<Vec<Vec<u8>>, Error> {
    let mut found = vec![];
    for (_, first, path) in segment_files(dir)? {
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        match Header::read(&file) {
            Ok(header) => found.push((header.fixed.created.epoch, first, header.preamble)),
            Err(unreadable) => unreadable.error(&path).map_or(Ok(()), Err)?,
        }
    }
    found.sort();
    let mut preambles: Vec<Vec<u8>> = vec![];
    for (_, _, preamble) in found {
        if !preambles.contains(&preamble) {
            preambles.push(preamble);
        }
    }
    Ok(preambles)
}

pub(crate) fn first_offset(path: &Path) -> Option<u64> {
    path.file_name().and_then(|name| name.to_str()).and_then(segment::first_offset)
}

/// Files named like segments, by class, oldest first. Those that lie in the journal's own directory come from version 1.
fn segment_files(dir: &Path) -> Result<Vec<(Class, u64, PathBuf)>, Error> {
    let mut files = vec![];
    let folders = Class::ALL.map(|class| (class, dir.join(class.as_str())));
    for (class, folder) in [(Class::Normal, dir.to_path_buf())].into_iter().chain(folders) {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(Error::io("read", &folder))?,
        };
        for entry in entries {
            let path = entry.map_err(Error::io("read", &folder))?.path();
            files.extend(first_offset(&path).map(|first| (class, first, path)));
        }
    }
    files.sort();
    Ok(files)
}

fn segment(file: &File, path: &Path, fixed: &Fixed) -> io::Result<Segment> {
    let bytes = file.metadata()?.len();
    let end = end(file, fixed, bytes)?;
    Ok(Segment {
        path: path.into(),
        first: fixed.first,
        first_seq: fixed.first_seq,
        previous_end: fixed.previous_end,
        end: end.map_or(fixed.first, |end| end.offset),
        end_seq: end.map(|end| end.seq),
        bytes,
        created: fixed.created,
        bytes_on_disk: 0,
    })
}

/// What stands at the end of a segment that was closed in order.
fn end(file: &File, fixed: &Fixed, bytes: u64) -> io::Result<Option<End>> {
    let Some(at) = bytes.checked_sub(HEADER_BYTES as u64).filter(|_| fixed.version > 1) else { return Ok(None) };
    let mut last = [0; HEADER_BYTES];
    read_at(file, &mut last, at)?;
    let frames = fixed.frames();
    let header = frames.read(&last).or_else(|| frames.mend(&last));
    Ok(header.filter(|header| header.has(END)).map(|header| End { offset: header.end, seq: header.seq }))
}

/// A segment that was not closed in order goes as far as the next one says.
fn connect(segments: &mut VecDeque<Segment>) {
    for index in 1..segments.len() {
        let Segment { previous_end, first_seq, .. } = segments[index];
        let before = &mut segments[index - 1];
        if before.end_seq.is_none() {
            (before.end, before.end_seq) = (previous_end.max(before.first), Some(first_seq));
        }
    }
}
