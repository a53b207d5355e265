//! From the text of a file to checked `SELECT`s with their options.

mod blocks;
mod depth;
mod functions;
mod names;
mod options;
mod place;
mod shape;
mod statement;
mod table_window;
mod unnest;

pub(crate) use blocks::{Block, How, TableName};
pub(crate) use depth::{check_size, flatten};
pub(crate) use functions::put_in;
pub(crate) use names::{function_name, resolve, unknown_function};
pub(crate) use options::{AtLimit, Emit, Late, Options};
pub(crate) use place::{At, Tokens, lowercase_first, normal, of_parser};
pub(crate) use statement::{Definition, Function, Lookup, Statement, What, parse};
pub(crate) use unnest::Unnest;
