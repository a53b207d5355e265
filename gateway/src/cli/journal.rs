use super::arguments::JournalCommand;
pub(super) fn run(_: JournalCommand) -> u8 { 0 }
