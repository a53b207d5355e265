//! The log: text on a terminal, one JSON object a line otherwise, always on standard error.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The environment variable that says what is logged.
const VARIABLE: &str = "EDGEWAY_LOG";

/// Libraries of connections: the route or the link says what there is to say of them, once.
const QUIET: &str = "async_nats=off,opcua_client=off,opcua_core=off,opcua_crypto=off";

/// Starts the log. A second call in one process changes nothing.
///
/// `EDGEWAY_LOG` is a level for Edgeway itself (`info` without it), or a list of `target=level`. Everything that is not
/// Edgeway's is logged from `warn` on, unless the list names it.
pub(crate) fn init_logging() {
    let wanted = std::env::var(VARIABLE).unwrap_or_default();
    let directives = directives(&wanted);
    let (filter, mistake) = match EnvFilter::builder().parse(&directives) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(self::directives("")), Some(error)),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An earlier call, or the test harness, may have set up a log already; that one stays.
    let _ = match std::io::stderr().is_terminal() {
        true => builder.with_target(false).try_init(),
        false => builder.json().flatten_event(true).with_ansi(false).try_init(),
    };
    if let Some(error) = mistake {
        tracing::warn!(%error, "{VARIABLE} cannot be read; it is taken as \"info\".");
    }
}

/// The filter in the words of `tracing-subscriber`. Our packages' names all begin with `edgeway`.
fn directives(wanted: &str) -> String {
    let mut directives = ["warn", QUIET, "edgeway=info"].map(str::to_owned).to_vec();
    for piece in wanted.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
        directives.push(match piece.parse::<LevelFilter>() {
            Ok(level) => format!("edgeway={level}"),
            Err(_) => piece.to_owned(),
        });
    }
    directives.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_level_is_for_edgeway_alone() {
        assert_eq!(directives(""), format!("warn,{QUIET},edgeway=info"));
        assert_eq!(directives("debug, rmqtt=info"), format!("warn,{QUIET},edgeway=info,edgeway=debug,rmqtt=info"));
    }

    #[test]
    fn the_later_directive_wins() {
        let filter = EnvFilter::builder().parse(directives("debug")).expect("valid");
        let shown = filter.to_string();
        assert!(shown.contains("edgeway=debug") && !shown.contains("edgeway=info"), "{shown}");
    }
}
