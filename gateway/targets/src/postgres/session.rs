//! A session with the server.

use super::verdict;
use crate::{TargetError, tls};
use edgeway_site::{PostgresTarget as PostgresSite, TlsFiles, Transport};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::NoTls;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A peer that says nothing is asked after so long ...
const IDLE: Duration = Duration::from_secs(15);
/// ... and given up after so long.
const SILENT: Duration = Duration::from_secs(30);

/// What makes an acknowledged transaction one that survives, and a lost one let go of its locks.
const SETTINGS: &str = "SET TimeZone = 'UTC'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'; \
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// A client, and the task that drives it.
pub(super) struct Session {
    pub(super) client: Client,
    /// Ends with the connection.
    pub(super) connection: JoinHandle<Result<(), Error>>,
}

/// Logs in.
///
/// # Errors
/// [`TargetError::Denied`] if the server does not let this user in, or there is no such database.
pub(super) async fn open(route: &str, site: &PostgresSite) -> Result<Session, TargetError> {
    let config = config(route, site);
    let session = match &site.transport {
        Transport::Plain => connect(config.connect(NoTls)).await,
        Transport::Tls { ca, identity } => {
            let files = TlsFiles { ca: ca.clone(), identity: identity.clone() };
            let tls = MakeRustlsConnect::new(tls::client(&files)?);
            connect(config.connect(tls)).await
        }
    }?;
    session.client.batch_execute(SETTINGS).await.map_err(|error| verdict::of(&error))?;
    Ok(session)
}

async fn connect<S, T>(
    connecting: impl Future<Output = Result<(Client, tokio_postgres::Connection<S, T>), Error>>,
) -> Result<Session, TargetError>
where
    tokio_postgres::Connection<S, T>: Future<Output = Result<(), Error>> + Send + 'static,
{
    // The library's own limit is for each address, and for the connection only, not for what is said on it.
    let connected = tokio::time::timeout(2 * CONNECT_WITHIN, connecting).await;
    let connected = connected.map_err(|_| TargetError::Away("the server does not answer".into()))?;
    let (client, connection) = connected.map_err(|error| verdict::of(&error))?;
    Ok(Session { client, connection: tokio::spawn(connection) })
}

fn config(route: &str, site: &PostgresSite) -> Config {
    let mut config = Config::new();
    config
        .host(&site.host)
        .port(site.port)
        .dbname(&site.database)
        .user(&site.username)
        .application_name(format!("edgeway-{route}"))
        .connect_timeout(CONNECT_WITHIN)
        .keepalives_idle(IDLE)
        .tcp_user_timeout(SILENT)
        .ssl_mode(match site.transport {
            Transport::Plain => SslMode::Disable,
            Transport::Tls { .. } => SslMode::Require,
        });
    if let Some(password) = &site.password {
        config.password(password.reveal());
    }
    config
}
