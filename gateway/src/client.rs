//! The command line's side of the API: asks a running gateway and shows the answer.
//!
//! Answers go to standard output, mistakes to standard error. A table is for people, JSON for programs; tables have
//! colours on a terminal only.

mod connection;
mod deadletters;
mod devices;
mod drivers;
mod error;
mod events;
mod links;
mod overview;
mod reach;
mod routes;
mod scenes;
mod screen;
pub(crate) mod table;
mod tap;
pub(crate) mod wording;

use crate::cli::{Ask, DeadletterCommand, DeviceCommand, LinkCommand, QueryCommand, ReachOptions, RouteCommand};
use connection::Client;
use error::ClientError;
use screen::Screen;

/// How it went, for whoever has called the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// As wanted.
    Ok = 0,
    /// The gateway has answered, but no: an unknown name, a command that was not applied.
    Findings = 1,
    /// The command line is wrong.
    Usage = 2,
    /// No gateway has answered, or it does not let us in.
    Unreachable = 3,
}

/// A gateway to ask and a place to show its answers.
struct Session {
    client: Client,
    screen: Screen,
}

impl Session {
    fn open(reach: &ReachOptions) -> Result<Session, ClientError> {
        Ok(Session { client: Client::connect(reach)?, screen: Screen::new(reach.output) })
    }
}

/// Asks a running gateway, shows what it says, and tells the program's exit code.
pub(crate) async fn run(ask: Ask) -> u8 {
    let exit = match attempt(ask).await {
        Ok(()) => Exit::Ok,
        Err(error) => report(&error),
    };
    exit as u8
}

/// Shows the processes of a running gateway's drivers, or one of them with its last lines.
pub(crate) async fn driver_status(driver: Option<&str>, reach: &ReachOptions) -> u8 {
    let shown = async {
        let session = Session::open(reach)?;
        match driver {
            Some(driver) => drivers::show(&session, driver).await,
            None => drivers::list(&session).await,
        }
    };
    let exit = match shown.await {
        Ok(()) => Exit::Ok,
        Err(error) => report(&error),
    };
    exit as u8
}

fn report(error: &ClientError) -> Exit {
    let exit = error.exit();
    if exit != Exit::Ok {
        eprintln!("error: {}", table::harmless(&error.to_string()));
        if let Some(help) = error.help() {
            eprintln!("  help: {}", table::harmless(&help));
        }
    }
    exit
}

async fn attempt(ask: Ask) -> Result<(), ClientError> {
    match ask {
        Ask::Device(command) => device(command).await,
        Ask::Link(LinkCommand::List { reach }) => links::list(&Session::open(&reach)?).await,
        Ask::Link(LinkCommand::Show { link, reach }) => links::show(&Session::open(&reach)?, &link).await,
        Ask::Scene(command) => scenes::ask(command).await,
        Ask::Query(QueryCommand::List { reach }) => overview::queries(&Session::open(&reach)?).await,
        Ask::Query(QueryCommand::Stat { reach }) => overview::query_stat(&Session::open(&reach)?).await,
        Ask::Query(QueryCommand::Reload { warm, reach }) => {
            overview::reload_queries(&Session::open(&reach)?, warm).await
        }
        // The others need no gateway.
        Ask::Query(_) => Ok(()),
        Ask::Route(command) => route(command).await,
        Ask::Deadletter(command) => deadletter(command).await,
        Ask::Status { reach } => overview::status(&Session::open(&reach)?).await,
        Ask::Tap { filters, reach } => tap::follow(&Session::open(&reach)?, &filters).await,
    }
}

async fn device(command: DeviceCommand) -> Result<(), ClientError> {
    match command {
        DeviceCommand::List { model, state, reach } => {
            devices::list(&Session::open(&reach)?, model.as_deref(), state.as_deref()).await
        }
        DeviceCommand::Get { device, property: None, reach } => devices::get(&Session::open(&reach)?, &device).await,
        DeviceCommand::Get { device, property: Some(property), reach } => {
            devices::get_property(&Session::open(&reach)?, &device, &property).await
        }
        DeviceCommand::Set { device, property, value, within, reach } => {
            devices::set(&Session::open(&reach)?, &device, &property, &value, within).await
        }
        DeviceCommand::Call { device, service, input, within, reach } => {
            devices::call(&Session::open(&reach)?, &device, &service, &input, within).await
        }
        // These need no gateway.
        DeviceCommand::Import(_) | DeviceCommand::Export(_) | DeviceCommand::Simulate(_) => Ok(()),
    }
}

async fn route(command: RouteCommand) -> Result<(), ClientError> {
    match command {
        RouteCommand::List { reach } => routes::list(&Session::open(&reach)?).await,
        RouteCommand::Stat { route, reach } => routes::stat(&Session::open(&reach)?, &route).await,
        RouteCommand::Test { route, reach } => routes::test(&Session::open(&reach)?, &route).await,
        RouteCommand::Pause { route, reach } => routes::act(&Session::open(&reach)?, &route, "pause").await,
        RouteCommand::Resume { route, reach } => routes::act(&Session::open(&reach)?, &route, "resume").await,
        RouteCommand::Seek { route, to, reach } => routes::seek(&Session::open(&reach)?, &route, to).await,
    }
}

async fn deadletter(command: DeadletterCommand) -> Result<(), ClientError> {
    match command {
        DeadletterCommand::List { route, reach } => deadletters::list(&Session::open(&reach)?, route.as_deref()).await,
        DeadletterCommand::Show { number, reach } => deadletters::show(&Session::open(&reach)?, number).await,
        DeadletterCommand::Redrive { numbers, route, reach, .. } => {
            deadletters::redrive(&Session::open(&reach)?, numbers, route).await
        }
    }
}
