//! Breaking a call over lines where it is too long for one.

/// Characters of a line.
const WIDTH_MAX: usize = 100;
const INDENT: usize = 4;

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Piece {
    Word(String),
    Call(&'static str, Vec<Piece>),
    List(Vec<Piece>),
    /// A list with a line for each item, even if it would fit on one.
    Lines(Vec<Piece>),
    /// On a line of its own, so only in `Lines`.
    Comment(String),
}

impl Piece {
    /// The text, in a line that begins with so many blanks.
    pub(super) fn at(&self, indent: usize) -> String {
        self.after(indent, 0)
    }

    /// The same, after so many other characters. Room is left for what ends the statement.
    pub(super) fn after(&self, indent: usize, used: usize) -> String {
        match self.flat() {
            Some(flat) if indent + used + flat.chars().count() < WIDTH_MAX => flat,
            _ => self.broken(indent),
        }
    }

    /// On one line, if that is allowed.
    pub(super) fn flat(&self) -> Option<String> {
        let joined =
            |pieces: &[Piece]| pieces.iter().map(Piece::flat).collect::<Option<Vec<_>>>().map(|p| p.join(", "));
        match self {
            Piece::Word(word) => Some(word.clone()),
            Piece::Call(name, arguments) => joined(arguments).map(|arguments| format!("{name}({arguments})")),
            Piece::List(items) => joined(items).map(|items| format!("[{items}]")),
            Piece::Lines(_) | Piece::Comment(_) => None,
        }
    }

    /// Only the last argument of a call is broken: that is where the list is.
    fn broken(&self, indent: usize) -> String {
        match self {
            Piece::Word(word) => word.clone(),
            Piece::Comment(text) => format!("// {text}"),
            Piece::Call(name, arguments) => {
                let last = arguments.len().saturating_sub(1);
                let argument = |(at, piece): (usize, &Piece)| match at == last {
                    true => piece.broken(indent),
                    false => piece.at(indent),
                };
                let arguments: Vec<String> = arguments.iter().enumerate().map(argument).collect();
                format!("{name}({})", arguments.join(", "))
            }
            Piece::List(items) | Piece::Lines(items) => {
                let inner = indent + INDENT;
                let line = |item: &Piece| {
                    let comma = if matches!(item, Piece::Comment(_)) { "" } else { "," };
                    format!("{}{}{comma}\n", blanks(inner), item.at(inner))
                };
                format!("[\n{}{}]", items.iter().map(line).collect::<String>(), blanks(indent))
            }
        }
    }
}

pub(super) fn blanks(count: usize) -> String {
    " ".repeat(count)
}
