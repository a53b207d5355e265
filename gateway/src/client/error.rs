//! Why an errand could not be done.

use super::Exit;
use crate::api::Problem;
use std::path::PathBuf;

/// Why an errand could not be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// The given folder is not a site.
    #[error("{path} is not a site's folder")]
    NoSite { path: PathBuf },
    /// The address cannot be used.
    #[error("`{url}` is not the address of a gateway: {reason}")]
    Address { url: String, reason: String },
    /// No token was found.
    #[error("there is no token for the gateway at {url}")]
    NoToken { url: String },
    /// The token's file cannot be read.
    #[error("the token cannot be read from {path}: {source}")]
    TokenFile { path: PathBuf, source: std::io::Error },
    /// Nobody is there.
    #[error("no gateway answers at {url}")]
    Away { url: String, source: reqwest::Error },
    /// The answer broke off.
    #[error("the gateway at {url} has stopped answering")]
    BrokenOff { url: String },
    /// Somebody is there, but not a gateway of this version.
    #[error("this is not the API of this version of Edgeway: {what}")]
    Foreign { what: String },
    /// The gateway does not let us in.
    #[error("the gateway at {url} refuses the token")]
    Refused { url: String },
    /// The gateway has answered: no.
    #[error("{}", words(.0))]
    Problem(Box<Problem>),
    /// A route's target could not be reached; that was said already.
    #[error("the target cannot be reached")]
    NotReached,
    /// The other end of the pipe is closed; nothing is wrong.
    #[error("nobody reads the answer")]
    NobodyReads,
    /// The answer cannot be written.
    #[error("the answer cannot be written: {0}")]
    Output(std::io::Error),
}

/// A command's problem begins with what became of it.
fn words(problem: &Problem) -> String {
    match &problem.command {
        Some(_) => format!("{}: {}", problem.title, problem.detail),
        None => problem.detail.clone(),
    }
}

impl ClientError {
    /// What would be right.
    pub(super) fn help(&self) -> Option<String> {
        let text = match self {
            ClientError::Problem(problem) => return problem.help.clone(),
            ClientError::NoSite { .. } => "name the folder with `edgeway.toml` in it",
            ClientError::Address { .. } => "such as `http://127.0.0.1:8080`",
            ClientError::NoToken { .. } => {
                "run this in the site's folder, or name the site with `--site`, or set EDGEWAY_TOKEN; the gateway makes \
                 the token when it starts for the first time"
            }
            ClientError::TokenFile { source, .. } => match source.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    "only the user that runs the gateway may read it; or set EDGEWAY_TOKEN"
                }
                std::io::ErrorKind::NotFound => {
                    "the gateway makes it when it starts for the first time: `edgeway run my-site`"
                }
                _ => return None,
            },
            ClientError::Away { .. } => "start one with `edgeway run my-site`, or name another with `--url`",
            ClientError::Refused { .. } => {
                "another gateway may listen there: its token is in the file `token` in its site's data folder"
            }
            ClientError::Foreign { .. } => "the gateway and this program should have the same version",
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// What the program should return.
    pub(super) fn exit(&self) -> Exit {
        match self {
            ClientError::NobodyReads => Exit::Ok,
            ClientError::Problem(problem) if problem.status == 400 => Exit::Usage,
            ClientError::Problem(_) | ClientError::Output(_) | ClientError::NotReached => Exit::Findings,
            ClientError::Usage(_) | ClientError::NoSite { .. } | ClientError::Address { .. } => Exit::Usage,
            _ => Exit::Unreachable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16) -> ClientError {
        let problem = Problem {
            title: "t".into(),
            status,
            detail: "there is no device `x`".into(),
            help: Some("did you mean `y`?".into()),
            command: None,
        };
        ClientError::Problem(Box::new(problem))
    }

    #[test]
    fn the_gateways_words_are_passed_on() {
        let error = problem(404);
        assert_eq!(error.to_string(), "there is no device `x`");
        assert_eq!(error.help().as_deref(), Some("did you mean `y`?"));
    }

    #[test]
    fn the_exit_code_says_whose_it_is() {
        assert_eq!(
            [problem(404).exit(), problem(409).exit(), problem(400).exit()],
            [Exit::Findings, Exit::Findings, Exit::Usage]
        );
        assert_eq!(ClientError::NoToken { url: "u".into() }.exit(), Exit::Unreachable);
        assert_eq!(ClientError::Usage("x".into()).exit(), Exit::Usage);
        assert_eq!(ClientError::NobodyReads.exit(), Exit::Ok, "`| head` is no failure");
    }
}
