//! The formats of payloads, and what protocols call them.

use serde::{Deserialize, Serialize};

/// How the bytes of a payload are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// JSON, RFC 8259
    #[default]
    Json,
    /// CBOR, RFC 8949
    Cbor,
    /// SenML in JSON, RFC 8428
    SenmlJson,
    /// SenML in CBOR, RFC 8428
    SenmlCbor,
    /// UTF-8 text: a number, true, false, or a word
    Text,
    /// Bytes, with a layout of their own
    Binary,
}

/// Each format with its media type and its number in CoAP (RFC 7252 section 12.3, RFC 8428 section 12.3).
const NAMES: [(Format, &str, u16); 6] = [
    (Format::Json, "application/json", 50),
    (Format::Cbor, "application/cbor", 60),
    (Format::SenmlJson, "application/senml+json", 110),
    (Format::SenmlCbor, "application/senml+cbor", 112),
    (Format::Text, "text/plain", 0),
    (Format::Binary, "application/octet-stream", 42),
];

impl Format {
    /// The format of a media type, whatever parameters it has; `None` if it is none of ours.
    pub fn of_media_type(media_type: &str) -> Option<Format> {
        let name = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match NAMES.iter().find(|(_, known, _)| *known == name) {
            Some((format, ..)) => Some(*format),
            None if name.ends_with("+json") => Some(Format::Json),
            None if name.ends_with("+cbor") => Some(Format::Cbor),
            None => None,
        }
    }

    /// The format of a content-format of CoAP; `None` if it is none of ours.
    pub fn of_coap(number: u16) -> Option<Format> {
        NAMES.iter().find(|(.., known)| *known == number).map(|(format, ..)| *format)
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        self.names().0
    }

    /// Its content-format in CoAP.
    pub fn coap(self) -> u16 {
        self.names().1
    }

    fn names(self) -> (&'static str, u16) {
        let found = NAMES.iter().find(|(format, ..)| *format == self);
        found.map(|(_, media_type, number)| (*media_type, *number)).expect("every format is in the table")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_known_by_its_names() {
        for (format, media_type, number) in NAMES {
            assert_eq!(Format::of_media_type(media_type), Some(format));
            assert_eq!((format.media_type(), format.coap()), (media_type, number));
            assert_eq!(Format::of_coap(number), Some(format));
        }
    }

    #[test]
    fn parameters_and_suffixes_of_media_types_are_understood() {
        assert_eq!(Format::of_media_type("Application/JSON; charset=utf-8"), Some(Format::Json));
        assert_eq!(Format::of_media_type("application/td+json"), Some(Format::Json));
        assert_eq!(Format::of_media_type("application/senml+json"), Some(Format::SenmlJson));
        assert_eq!(Format::of_media_type("image/png"), None);
    }
}
