//! How much an item matters, and where it is kept.

/// A priority. Each has a log of its own on disk, so that what matters never waits behind what does not, and is never
/// removed to make room for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// What must not be lost: alarms, commands.
    Critical,
    /// Ordinary measurements.
    Normal,
    /// What may go first.
    Bulk,
}

impl Class {
    /// All, the most important one first. The index of a class here is its index in every array of three.
    pub const ALL: [Class; 3] = [Class::Critical, Class::Normal, Class::Bulk];

    /// Its place in [`ALL`](Self::ALL).
    pub const fn index(self) -> usize {
        self as usize
    }

    /// In one word, as folders, metrics and people have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Critical => "critical",
            Class::Normal => "normal",
            Class::Bulk => "bulk",
        }
    }

    /// The class with this name.
    pub fn named(name: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

/// Where an item is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Placement {
    /// In memory, and in the log of this class.
    Disk(Class),
    /// In memory alone: live readers see it for as long as the tail holds it, and a crash or a full tail ends it.
    Memory,
}

impl Placement {
    /// The class whose log holds it; `None` if none does.
    pub fn class(self) -> Option<Class> {
        match self {
            Placement::Disk(class) => Some(class),
            Placement::Memory => None,
        }
    }
}
