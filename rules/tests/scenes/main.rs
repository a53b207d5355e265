//! Scenes in virtual time, as their authors see them.

mod cases;
mod causes;
mod examples;
mod hostile;
mod hostile_scripts;
mod import;
mod language;
mod limits;
mod mistakes;
mod proofs;
mod proofs_by_chance;
mod readme;
mod reference;
mod reload;
mod site;
mod templates;
mod time;
mod trace;
mod why_not;
