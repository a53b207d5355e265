//! What a device says that it has (RFC 6690), and what the server says that it takes.

use crate::config::Path;
use coap_lite::link_format::{LinkFormatParser, LinkFormatWrite};
use std::str::FromStr;

/// More is no list for a person.
const LINKS_MAX: usize = 1_000;
/// What a link says of a resource, and what that is called.
const SAID: [(&str, &str); 4] = [("rt", "type"), ("if", "interface"), ("title", "title"), ("ct", "content-format")];

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) path: Path,
    pub(crate) is_observable: bool,
    /// Interface descriptions: `core.s` is a sensor, `core.p` a parameter, `core.a` an actuator.
    pub(crate) interfaces: Vec<String>,
    pub(crate) said: Vec<(String, String)>,
}

impl Resource {
    /// Whether it says of itself that it can be written.
    pub(crate) fn is_writable(&self) -> bool {
        self.interfaces.iter().any(|interface| matches!(interface.as_str(), "core.a" | "core.p"))
    }
}

/// Reads a list of links. What cannot be read, leads to another host, or has a query is left out.
pub(crate) fn read(text: &str) -> Vec<Resource> {
    LinkFormatParser::new(text)
        .map_while(Result::ok)
        .filter_map(|(target, attributes)| {
            let path = target.strip_prefix('/').and_then(|path| Path::parse(path, "path").ok())?;
            let mut resource = Resource { path, is_observable: false, interfaces: vec![], said: vec![] };
            // Not `to_cow`, which panics where a quotation has no end.
            attributes.for_each(|(name, value)| resource.add(name, &value.to_string()));
            Some(resource)
        })
        .take(LINKS_MAX)
        .collect()
}

impl Resource {
    fn add(&mut self, name: &str, value: &str) {
        if name == "obs" {
            self.is_observable = true;
        }
        if name == "if" {
            self.interfaces.extend(value.split(' ').filter_map(|word| String::from_str(word).ok()));
        }
        if let Some((_, name)) = SAID.iter().find(|(known, _)| *known == name) {
            self.said.push(((*name).to_owned(), value.to_owned()));
        }
    }
}

/// Writes a list of links.
pub(crate) fn write<'p>(paths: impl IntoIterator<Item = &'p Path>) -> String {
    let mut text = String::new();
    let mut links = LinkFormatWrite::new(&mut text);
    for path in paths {
        links.link(&path.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_says_what_there_is() {
        let text = r#"</.well-known/core>,</room/1/temp>;rt="temperature c";if="core.s";ct=110;obs;title="Room, 1; \"a\"",</set%20point>;if="core.p x",<coap://elsewhere/a>,<relative>"#;
        let found = read(text);
        let paths: Vec<String> = found.iter().map(|resource| resource.path.to_string()).collect();
        assert_eq!(paths, ["/.well-known/core", "/room/1/temp", "/set%20point"]);
        assert!(found[1].is_observable && !found[1].is_writable() && found[2].is_writable());
        let said = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(
            found[1].said,
            [
                said("type", "temperature c"),
                said("interface", "core.s"),
                said("content-format", "110"),
                said("title", "Room, 1; \"a\""),
            ]
        );
    }

    #[test]
    fn a_quotation_without_an_end_is_no_panic() {
        for text in ["</a>;.=\"", "</a>;title=\"\u{e9}"] {
            assert_eq!(read(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let paths = ["/room/1", "/a%20b"].map(|path| Path::parse(path, "path").expect("a path"));
        let read: Vec<Path> = read(&write(&paths)).into_iter().map(|resource| resource.path).collect();
        assert_eq!(read, paths);
    }

    proptest! {
        #[test]
        fn any_text_is_a_list_of_links(text in "(\\PC|[<>;=\",\\\\/]){0,64}") {
            read(&text);
        }
    }
}
