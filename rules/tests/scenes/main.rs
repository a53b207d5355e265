//! Scenes in virtual time, as their authors see them.

mod examples;
mod language;
mod limits;
mod mistakes;
mod proofs;
mod site;
mod time;
mod trace;
