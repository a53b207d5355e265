//! Topics from a template.

use edgeway_thing_models::{Message, Things};

/// A topic with places for what a message is about.
pub(super) struct Topic(Vec<Piece>);

enum Piece {
    Text(String),
    Subject,
    Kind,
    Model,
    Device,
}

impl Topic {
    /// `{subject}`, `{kind}`, `{model}` and `{device}` are places; other braces are text.
    pub(super) fn new(template: &str) -> Self {
        let mut pieces = vec![];
        let mut rest = template;
        while let Some(start) = rest.find('{') {
            let Some(end) = rest[start..].find('}').map(|end| start + end) else { break };
            pieces.push(Piece::Text(rest[..start].to_owned()));
            pieces.push(match &rest[start + 1..end] {
                "subject" => Piece::Subject,
                "kind" => Piece::Kind,
                "model" => Piece::Model,
                "device" => Piece::Device,
                _ => Piece::Text(rest[start..=end].to_owned()),
            });
            rest = &rest[end + 1..];
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Topic(pieces)
    }

    /// The topic of a message.
    pub(super) fn of(&self, message: &Message, things: &Things) -> String {
        let subject = message.subject(things);
        let level = |at: usize| subject.split('/').nth(at).unwrap_or("-").to_owned();
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Subject => subject.clone(),
            Piece::Kind => level(0),
            Piece::Model => level(1),
            Piece::Device => level(2),
        };
        self.0.iter().map(text).collect()
    }
}
