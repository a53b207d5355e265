//! Prometheus' text form, version 0.0.4.

use std::fmt::{Display, Write};

/// A page of metrics. Each family is written once, with its help and its kind.
#[derive(Default)]
pub(super) struct Page(String);

/// What a family's numbers do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// It only grows while the gateway runs.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// A family that is being written.
pub(super) struct Family<'page> {
    page: &'page mut String,
    name: &'static str,
}

impl Page {
    /// Begins a family. `help` is a sentence without a full stop.
    pub(super) fn family(&mut self, kind: Kind, name: &'static str, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        put(&mut self.0, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { page: &mut self.0, name }
    }

    /// The page, followed by what was counted elsewhere.
    pub(super) fn followed_by(self, rest: &str) -> String {
        self.0 + rest
    }
}

impl Family<'_> {
    /// Adds a number. Labels are names of parts of the site, so their number is bounded by it.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        self.page.push_str(self.name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            put(self.page, format_args!("{before}{label}=\"{}\"", escape(text)));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        put(self.page, format_args!("{after} {value}\n"));
        self
    }
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("text is written to memory");
}

fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_help_a_kind_and_escaped_labels() {
        let mut page = Page::default();
        page.family(Kind::Gauge, "edgeway_link_up", "Whether it is open")
            .sample(&[("link", "a\"b"), ("driver", "x")], 1);
        page.family(Kind::Counter, "edgeway_x_total", "Things").sample(&[], 7_u64);
        let expected = "# HELP edgeway_link_up Whether it is open\n# TYPE edgeway_link_up gauge\n\
                        edgeway_link_up{link=\"a\\\"b\",driver=\"x\"} 1\n\
                        # HELP edgeway_x_total Things\n# TYPE edgeway_x_total counter\nedgeway_x_total 7\nrest\n";
        assert_eq!(page.followed_by("rest\n"), expected);
    }
}
