//! Scenes in virtual time, as their authors see them.

mod examples;
mod language;
mod limits;
mod mistakes;
mod proofs;
mod proofs_by_chance;
mod site;
mod time;
mod trace;
