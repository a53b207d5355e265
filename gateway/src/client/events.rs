//! Server-sent events, read from bytes as they come.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ServerEvent {
    /// Empty for a message.
    pub(super) name: String,
    pub(super) data: String,
}

/// The most bytes of an event; a longer one is left out.
const EVENT_BYTES_MAX: usize = 4 << 20;

/// Puts events together. Bytes may be cut anywhere.
#[derive(Default)]
pub(super) struct EventReader {
    line: Vec<u8>,
    event: ServerEvent,
}

impl EventReader {
    /// Takes bytes in and gives the events that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<ServerEvent> {
        let mut events = vec![];
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + self.event.data.len() < EVENT_BYTES_MAX {
                self.line.extend(piece);
            }
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                events.extend(self.end_line(&String::from_utf8_lossy(&line)));
            }
        }
        events
    }

    fn end_line(&mut self, line: &str) -> Option<ServerEvent> {
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" if self.event.data.is_empty() => value.clone_into(&mut self.event.data),
            "data" => self.event.data.extend(["\n", value]),
            // A comment (its field is empty), or something that a later gateway may send.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str) -> ServerEvent {
        ServerEvent { name: name.into(), data: data.into() }
    }

    #[test]
    fn events_survive_any_cut() {
        let bytes =
            ": heartbeat\n\ndata: {\"a\":\"°\"}\n\nevent: lost\r\ndata: 1\r\ndata:2\r\nid: 7\r\n\r\n".as_bytes();
        let expected = vec![event("", "{\"a\":\"°\"}"), event("lost", "1\n2")];
        for cut in 0..bytes.len() {
            let mut reader = EventReader::default();
            let mut found = reader.push(&bytes[..cut]);
            found.extend(reader.push(&bytes[cut..]));
            assert_eq!(found, expected, "cut at {cut}");
        }
    }

    #[test]
    fn an_event_without_data_is_none() {
        assert_eq!(EventReader::default().push(b"event: x\n\n\n: c\n\n"), []);
    }
}
