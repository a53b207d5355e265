//! Measures the journal beside a bare file: `journal_bench [--json] [--dir DIR] [--rounds N]`.
//!
//! With the Cargo feature `bench-peers` redb, fjall and SQLite take part. Use a release build.

use edgeway_journal::bench::{self, BenchOptions, Figure};
use std::{io, path::Path};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |option: &str| {
        let at = arguments.iter().position(|argument| argument == option)?;
        arguments.get(at + 1).cloned()
    };
    if let Some(dir) = value("--open") {
        println!("{}", bench::open_and_drain(Path::new(&dir))?);
        return Ok(());
    }
    let dir = value("--dir").unwrap_or_else(|| format!("target/journal-bench-{}", std::process::id()));
    let mut options = BenchOptions::new(&dir);
    options.opener = Some(vec![std::env::current_exe()?.display().to_string(), "--open".into()]);
    options.rounds = value("--rounds").and_then(|rounds| rounds.parse().ok()).unwrap_or(options.rounds);
    std::fs::create_dir_all(&dir)?;
    let figures = bench::run(&options);
    let _ = std::fs::remove_dir(&dir);
    let json = arguments.iter().any(|argument| argument == "--json");
    if json {
        print_json(&figures?)
    } else {
        print_table(&figures?)
    }
    Ok(())
}

fn print_table(figures: &[Figure]) {
    println!("{:8} {:>6}  {:24} {:>14} {:>14}  {:15} ratio", "what", "group", "store", "best", "median", "unit");
    for figure in figures {
        let Figure { what, group, store, best, median, unit, .. } = figure;
        let ratio = figure.ratio.map(|(best, median)| format!("{best:.2} {median:.2}")).unwrap_or_default();
        println!("{what:8} {group:>6}  {store:24} {best:>14.2} {median:>14.2}  {unit:15} {ratio}");
    }
}

fn print_json(figures: &[Figure]) {
    for Figure { what, group, store, best, median, unit, ratio } in figures {
        let ratio = ratio.map_or("null".into(), |(best, median)| format!("[{best:.4},{median:.4}]"));
        let named = format!("\"what\":\"{what}\",\"group\":{group},\"store\":\"{store}\",\"unit\":\"{unit}\"");
        println!("{{{named},\"best\":{best:.3},\"median\":{median:.3},\"ratio\":{ratio}}}");
    }
}
