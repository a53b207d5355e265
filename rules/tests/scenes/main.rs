//! Scenes in virtual time, as their authors see them.

mod examples;
mod hostile;
mod hostile_scripts;
mod import;
mod language;
mod limits;
mod mistakes;
mod site;
mod time;
mod trace;
