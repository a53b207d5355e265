//! What BlueZ or D-Bus does not do, and why.

use edgeway_sdk::Fault;

/// Why a call was not answered as hoped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// D-Bus or BlueZ is not there.
    #[error("{0}")]
    Gone(String),
    /// BlueZ knows nothing of that path.
    #[error("BlueZ does not know it")]
    Unknown,
    /// No answer in time.
    #[error("no answer in time")]
    Silent,
    /// BlueZ or the device does not want to.
    #[error("{text} ({name})")]
    Refused {
        /// `NotPermitted`, without `org.bluez.Error.` before it.
        name: String,
        text: String,
    },
}

const NO_BLUEZ: &str = "BlueZ is not running (`systemctl enable --now bluetooth`; on Debian `apt-get install bluez`)";

impl From<zbus::Error> for Trouble {
    fn from(error: zbus::Error) -> Self {
        match error {
            zbus::Error::MethodError(name, text, _) => {
                let name = name.as_str();
                let name = name.strip_prefix("org.bluez.Error.").unwrap_or(name).to_owned();
                Trouble::Refused { text: text.unwrap_or_else(|| name.clone()), name }
            }
            zbus::Error::FDO(error) => of_dbus(*error),
            error @ (zbus::Error::InputOutput(_) | zbus::Error::Connection(..)) => {
                Trouble::Gone(format!("the connection to D-Bus is gone: {error}"))
            }
            other => Trouble::Refused { name: "D-Bus".into(), text: other.to_string() },
        }
    }
}

fn of_dbus(error: zbus::fdo::Error) -> Trouble {
    use zbus::fdo::Error;
    match error {
        Error::ServiceUnknown(_) | Error::NameHasNoOwner(_) => Trouble::Gone(NO_BLUEZ.into()),
        // The one that was asked has ended before it answered.
        Error::NoReply(_) | Error::Disconnected(_) => Trouble::Gone("BlueZ has ended".into()),
        Error::UnknownObject(_) | Error::UnknownMethod(_) | Error::UnknownInterface(_) => Trouble::Unknown,
        Error::AccessDenied(_) => Trouble::Refused {
            name: "AccessDenied".into(),
            text: "D-Bus does not let this user talk to BlueZ, who has to be in the group `bluetooth`".into(),
        },
        other => Trouble::Refused { name: "D-Bus".into(), text: other.to_string() },
    }
}

/// While a link is opened, nothing is anybody else's fault.
pub(super) fn of_link(trouble: Trouble) -> Fault {
    Fault::Link(match trouble {
        Trouble::Silent => "BlueZ does not answer".into(),
        other => other.to_string(),
    })
}
