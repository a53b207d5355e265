//! What the process holds: threads and open files, as far as the system tells.

/// A count of things that a driver may forget to give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) what: &'static str,
    pub(crate) count: usize,
}

/// Threads and open files of this process. Nothing where there is no `/proc`.
pub(crate) fn of_process() -> Vec<Holding> {
    let entries = |folder| std::fs::read_dir(folder).map(Iterator::count).ok();
    let counted = [("threads", entries("/proc/self/task")), ("open files", entries("/proc/self/fd"))];
    counted.into_iter().filter_map(|(what, count)| Some(Holding { what, count: count? })).collect()
}

/// Runs that count keep the others of the same process away meanwhile: theirs would be counted too.
pub(crate) static COUNTING: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());
