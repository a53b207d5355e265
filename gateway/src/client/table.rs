//! Aligned columns for people.

use std::io::IsTerminal;

/// One place of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    align: Align,
    tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

/// How a text is meant; on a terminal it has the colour for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Doubtful,
    Bad,
}

/// Whether the output can show colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colours {
    On,
    Off,
}

impl Colours {
    /// On for a terminal, unless `NO_COLOR` is set (see <https://no-color.org>).
    pub(crate) fn of_stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|text| !text.is_empty());
        match std::io::stdout().is_terminal() && !refused {
            true => Colours::On,
            false => Colours::Off,
        }
    }
}

impl Cell {
    /// A text. Control characters, which a device may have put there, are not shown to the terminal.
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        Cell { text: harmless(text.as_ref()), align: Align::Left, tone: Tone::Plain }
    }

    /// A number or anything else that stands at the right.
    pub(crate) fn number(number: impl ToString) -> Self {
        Cell { align: Align::Right, ..Cell::text(number.to_string()) }
    }

    /// The same in a tone.
    pub(crate) fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    fn write(&self, width: usize, colours: Colours, line: &mut String) {
        let fill = " ".repeat(width.saturating_sub(self.text.chars().count()));
        let (before, after) = match self.align {
            Align::Left => ("", fill.as_str()),
            Align::Right => (fill.as_str(), ""),
        };
        line.extend([before, &paint(&self.text, self.tone, colours), after]);
    }
}

/// A text in its tone's colour.
pub(crate) fn paint(text: &str, tone: Tone, colours: Colours) -> String {
    let code = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Good => 32,
        Tone::Doubtful => 33,
        Tone::Bad => 31,
    };
    match colours {
        Colours::On => format!("\x1b[{code}m{text}\x1b[0m"),
        Colours::Off => text.to_owned(),
    }
}

/// The text without control characters.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The table, each line ended by a line feed. A column is as wide as its widest cell; one without any content is left
/// out.
pub(crate) fn layout(titles: &[&str], rows: &[Vec<Cell>], colours: Colours) -> String {
    let width =
        |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.text.chars().count()).max().unwrap_or(0);
    let shown: Vec<(usize, usize)> =
        (0..titles.len()).map(|at| (at, width(at))).filter(|(_, width)| *width > 0 || rows.is_empty()).collect();
    let titles: Vec<Cell> = titles.iter().map(Cell::text).collect();
    let mut text = String::new();
    for row in std::iter::once(&titles).chain(rows) {
        let mut line = String::new();
        for (nth, (at, width)) in shown.iter().enumerate() {
            let gap = if nth == 0 { "" } else { "  " };
            line.push_str(gap);
            let align = rows.first().and_then(|row| row.get(*at)).map_or(Align::Left, |cell| cell.align);
            let title_width = titles[*at].text.chars().count();
            let cell = row.get(*at).cloned().unwrap_or_else(|| Cell::text(""));
            Cell { align, ..cell }.write((*width).max(title_width), colours, &mut line);
        }
        text.extend([line.trim_end(), "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_empty_ones_are_left_out() {
        let rows = vec![
            vec![Cell::text("wind_speed"), Cell::number(7.25), Cell::text(""), Cell::text("m/s")],
            vec![Cell::text("temperature"), Cell::number("-12"), Cell::text(""), Cell::text("°C")],
        ];
        let expected = "property     value  unit\n\
                        wind_speed    7.25  m/s\n\
                        temperature    -12  °C\n";
        assert_eq!(layout(&["property", "value", "label", "unit"], &rows, Colours::Off), expected);
    }

    #[test]
    fn a_table_without_rows_has_its_titles() {
        assert_eq!(layout(&["a", "bc"], &[], Colours::Off), "a  bc\n");
    }

    #[test]
    fn colours_do_not_move_columns_and_are_off_when_piped() {
        let rows = vec![vec![Cell::text("bad").tone(Tone::Bad), Cell::text("x")]];
        assert_eq!(layout(&["quality", "y"], &rows, Colours::On), "quality  y\n\x1b[31mbad\x1b[0m      x\n");
        assert_eq!(layout(&["quality", "y"], &rows, Colours::Off), "quality  y\nbad      x\n");
    }

    #[test]
    fn a_device_cannot_speak_to_the_terminal() {
        assert_eq!(Cell::text("a\x1b[2Jb\n").text, "a [2Jb ");
    }
}
