use super::figure::Figure;
pub(super) fn run(_: &crate::cli::JournalBenchOptions) -> Result<Vec<Figure>, String> { Ok(vec![]) }
