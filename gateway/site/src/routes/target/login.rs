//! Users and passwords.

use crate::report::Report;
use crate::section::Section;
use crate::site::Secret;
use edgeway_sdk::Problem;

/// `username` and `password`; a password needs a user.
pub(super) fn optional(section: &mut Section<'_>, report: &mut Report) -> (Option<String>, Option<Secret>) {
    let username = section.text("username", report).map(|found| found.value.to_string());
    let password = section.text("password", report);
    if let (None, Some(found)) = (&username, &password) {
        report.add(&found.mark, Problem::new(found.mark.say("a `password` without a `username`")));
    }
    (username, password.map(|found| Secret::new(&*found.value)))
}

/// `username` and `password`, both or none.
pub(super) fn pair(section: &mut Section<'_>, report: &mut Report) -> Option<(String, Secret)> {
    match optional(section, report) {
        (Some(username), Some(password)) => Some((username, password)),
        (Some(_), None) if section.entry("password").is_none() => {
            let mark = section.mark();
            report.add(mark, Problem::new(mark.say("a `username` without a `password`")));
            None
        }
        _ => None,
    }
}

/// A secret key of its own.
pub(super) fn secret(section: &mut Section<'_>, key: &'static str, report: &mut Report) -> Option<Secret> {
    section.text(key, report).map(|found| Secret::new(&*found.value))
}
