//! The command line: what can be said, and who does it.

mod arguments;
mod check;
mod devices;
mod drivers;
mod init;
mod journal;
mod locator;
mod points;
mod queries;
mod run;
mod scenes;
mod schema;
mod testing;

pub(crate) use run::told_to_stop;

use arguments::{Arguments, Command};
pub(crate) use arguments::{
    Ask, Bench, BenchedDriver, DeadletterCommand, DemoOptions, DeviceCommand, DriversBenchOptions, EngineBenchOptions,
    JournalBenchOptions, LinkCommand, ModbusBenchOptions, OnOff, Output, PathOptions, QueryCommand, ReachOptions,
    RouteCommand, SceneCommand, SdkBenchOptions,
};
use clap::{CommandFactory, Parser};
use std::io::Write;
use std::process::ExitCode;

/// Exit codes: 0 all is well, 1 something was found or failed, 2 wrong usage, 3 no gateway answers.
pub(crate) mod exit {
    pub(crate) const OK: u8 = 0;
    pub(crate) const FINDINGS: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
}

/// Prints what is wrong with what was said on the command line.
fn complain(problems: &[edgeway_sdk::Problem]) -> u8 {
    for problem in problems {
        eprintln!("error: {}", crate::client::table::harmless(&problem.to_string()));
    }
    exit::USAGE
}

/// Prints a text that may be long, and gives the exit code. A closed pipe (`| head`) is no mistake.
fn print_long(text: &str) -> u8 {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("error: {error}");
            exit::FINDINGS
        }
        _ => exit::OK,
    }
}

/// The word that makes a driver of this program, for `edgeway bench sdk`.
pub(crate) const BENCH_DRIVER: &str = "bench-driver";

/// Parses the command line and carries it out.
pub fn main() -> ExitCode {
    // What `edgeway bench sdk` calls itself with: a driver's process has a contract of its own with its arguments.
    if std::env::args().nth(1).as_deref() == Some(BENCH_DRIVER) {
        return crate::bench::serve_sdk(2);
    }
    let arguments = Arguments::parse();
    rustls::crypto::ring::default_provider().install_default().expect("nothing else chooses a TLS provider");
    // Printing into a closed pipe (`edgeway tap | head`) ends the program quietly, as it does for other tools.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("the system can start threads");
    let code = runtime.block_on(carry_out(arguments.command));
    // Background work that is left (a blocking read of a terminal) must not hold up the exit.
    runtime.shutdown_background();
    ExitCode::from(code)
}

async fn carry_out(command: Command) -> u8 {
    match command {
        Command::Demo(options) => crate::demo::run(options).await,
        Command::Init { folder, name } => init::run(&folder, name.as_deref()),
        Command::Check { site, output, plan, answer_time } => {
            check::run(&site, output, plan.then_some(answer_time)).await
        }
        Command::Driver(command) => drivers::run(&command).await,
        Command::Point(command) => points::run(&command).await,
        Command::Run { site } => run::run(&site).await,
        Command::Schema(options) => schema::run(&options),
        Command::Journal(command) => journal::run(command),
        Command::Sql(options) => queries::ask(&options),
        Command::Test(options) => testing::run(&options),
        Command::Ask(Ask::Device(command)) if command.is_local() => devices::run(&command),
        Command::Ask(Ask::Scene(command)) if command.is_local() => scenes::run(&command),
        Command::Ask(Ask::Query(command)) if command.is_local() => queries::run(&command),
        Command::Bench(options) => crate::bench::run(options).await,
        Command::Completions { shell } => completions(shell),
        Command::Man { folder } => man(folder.as_deref()),
        Command::Ask(ask) => crate::client::run(ask).await as u8,
    }
}

fn completions(shell: clap_complete::Shell) -> u8 {
    clap_complete::generate(shell, &mut Arguments::command(), "edgeway", &mut std::io::stdout());
    exit::OK
}

/// The man page to standard output, or one page for each command into a folder.
fn man(folder: Option<&std::path::Path>) -> u8 {
    let done = match folder {
        Some(folder) => {
            std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Arguments::command(), folder))
        }
        None => clap_mangen::Man::new(Arguments::command()).render(&mut std::io::stdout()),
    };
    match done {
        Ok(()) => exit::OK,
        Err(error) => {
            eprintln!("error: {error}");
            exit::FINDINGS
        }
    }
}
