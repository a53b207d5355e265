//! The words of scenes for editors, as Rhai definitions.

use crate::load::WORDS;
use std::fmt::Write;

/// The words of scenes as a Rhai definition file, `edgeway.d.rhai`: language servers and editors that read such files
/// complete and explain the words. It says the names, the parameters, and an example of each.
pub fn definitions() -> String {
    let mut text = String::from("module static;\n");
    for word in WORDS {
        let parameters = word.parameters.iter().map(|name| format!("{name}: ?")).collect::<Vec<_>>().join(", ");
        let _ = write!(text, "\n/// `{}`\nfn {}({parameters}) -> {};\n", word.usage, word.name, word.gives);
    }
    text
}
