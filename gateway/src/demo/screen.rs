//! The view on a terminal, drawn in place.

use super::recent::Line;
use super::view::{Table, Trust, View};
use edgeway_sdk::Timestamp;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::Text;
use ratatui::widgets::{Block, Paragraph, Row, Table as Grid};
use ratatui::{Frame, crossterm};
use std::io::{Stdout, stdout};

/// The terminal while the demo has it. It is given back when this is dropped.
///
/// Raw mode is not used: Ctrl-C stays the terminal's signal, and nothing is read from the keyboard.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    pub(super) fn open() -> std::io::Result<Screen> {
        execute!(stdout(), EnterAlternateScreen, crossterm::cursor::Hide)?;
        Ok(Screen { terminal: Terminal::new(CrosstermBackend::new(stdout()))? })
    }

    /// Draws a picture. A terminal that cannot be drawn on is nothing that a demo can mend.
    pub(super) fn draw(&mut self, view: &View) {
        let _ = self.terminal.draw(|frame| paint(frame, view));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(stdout(), LeaveAlternateScreen, crossterm::cursor::Show);
    }
}

fn paint(frame: &mut Frame, view: &View) {
    let rows = view.farm.rows.len().max(view.hotel.rows.len()) as u16 + 3;
    let heading = view.heading.len() as u16 + 1;
    let routes = view.routes.len() as u16 + 2;
    let [top, things, events, bottom] = Layout::vertical([
        Constraint::Length(heading),
        Constraint::Length(rows),
        Constraint::Min(4),
        Constraint::Length(routes),
    ])
    .areas(frame.area());
    let [left, right] = Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(things);
    let [scenes, queries] = Layout::horizontal([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(events);
    frame.render_widget(Paragraph::new(view.heading.join("\n")), top);
    grid(frame, left, " Wind farm ", &view.farm);
    grid(frame, right, " Hotel, floor 3 ", &view.hotel);
    lines(frame, scenes, " Scenes: what fired, why, and what came of it ", &view.scenes);
    lines(frame, queries, " Query rows ", &view.rows);
    let block = Block::bordered().title(" Routes to the cloud ");
    frame.render_widget(Paragraph::new(view.routes.join("\n")).block(block), bottom);
}

fn grid(frame: &mut Frame, area: Rect, title: &'static str, table: &Table) {
    let widths: Vec<Constraint> =
        (0..table.heads.len()).map(|column| Constraint::Length(width(table, column))).collect();
    let rows = table.rows.iter().map(|(cells, trust)| Row::new(cells.clone()).style(style(*trust)));
    let grid = Grid::new(rows, widths).header(Row::new(table.heads.clone()).bold()).column_spacing(1);
    frame.render_widget(grid.block(Block::bordered().title(title)), area);
}

fn width(table: &Table, column: usize) -> u16 {
    let cells = table.rows.iter().map(|(cells, _)| cells[column].chars().count());
    cells.chain([table.heads[column].chars().count()]).max().unwrap_or(0) as u16
}

fn style(trust: Trust) -> Style {
    match trust {
        Trust::Good => Style::default(),
        Trust::Doubtful => Style::default().fg(Color::Yellow),
        Trust::Bad => Style::default().fg(Color::Red),
    }
}

fn lines(frame: &mut Frame, area: Rect, title: &'static str, lines: &[Line]) {
    let now = Timestamp::now();
    let text: Vec<String> =
        lines.iter().map(|line| format!("{:>4.0} s ago  {}", now.since(line.time).as_secs_f64(), line.text)).collect();
    frame.render_widget(Paragraph::new(Text::from(text.join("\n"))).block(Block::bordered().title(title)), area);
}
