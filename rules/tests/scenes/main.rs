//! Scenes in virtual time, as their authors see them.

mod causes;
mod examples;
mod language;
mod limits;
mod mistakes;
mod reference;
mod site;
mod time;
mod trace;
