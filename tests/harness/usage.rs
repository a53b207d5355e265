//! What a process takes of the machine.

use std::path::Path;

/// Memory, threads and connections of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub resident_kib: u64,
    pub threads: u64,
    /// Sockets, pipes and what else has a descriptor and no path: files of a site come and go with its windows.
    pub connections: u64,
}

impl Usage {
    /// As Linux has it.
    ///
    /// # Panics
    /// If there is no such process.
    pub(crate) fn of(pid: u32) -> Usage {
        let folder = Path::new("/proc").join(pid.to_string());
        let status = std::fs::read_to_string(folder.join("status")).expect("a running process");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field of every process");
            line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
        };
        let descriptors = std::fs::read_dir(folder.join("fd")).expect("our own child");
        let targets = descriptors.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        let connections = targets.filter(|target| !target.is_absolute()).count() as u64;
        Usage { resident_kib: field("VmRSS:"), threads: field("Threads:"), connections }
    }
}
