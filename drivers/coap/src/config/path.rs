//! Paths and queries, as in a URI (RFC 3986), and the parts of which CoAP makes options.

use edgeway_sdk::Problem;
use std::fmt;

/// The most bytes of a part (RFC 7252 section 5.10).
const PART_BYTES_MAX: usize = 255;
/// The most parts, so that a question fits into a datagram.
const PARTS_MAX: usize = 32;
/// What stands as it is in a part of a path (RFC 3986 section 3.3, without what separates queries).
const PLAIN: &[u8] = b"-._~!$'()*+,;=:@";

/// The parts of a path, decoded. Shown as in a URI.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Path(Vec<String>);

/// The parts of a query, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Query(Vec<String>);

impl Path {
    /// Reads a path from the option of this name. `/` at either end means nothing.
    pub(crate) fn parse(text: &str, key: &str) -> Result<Path, Problem> {
        let inner = text.strip_prefix('/').unwrap_or(text);
        let inner = inner.trim_end_matches('/');
        if inner.contains(['?', '#']) {
            let problem = Problem::key(key, format!("`{text}` is more than a path"));
            return Err(problem.help("put what follows the `?` into `query`"));
        }
        parts(inner, '/').map(Path).map_err(|why| Problem::key(key, format!("`{text}` is no path: {why}")))
    }

    /// The path of parts that came from the wire.
    pub(crate) fn of_parts(parts: Vec<String>) -> Path {
        Path(parts)
    }

    pub(crate) fn parts(&self) -> &[String] {
        &self.0
    }

    /// This path and then that.
    pub(crate) fn join(&self, below: &Path) -> Path {
        Path(self.0.iter().chain(&below.0).cloned().collect())
    }

    /// The rest of a path that begins with this.
    pub(crate) fn rest<'p>(&self, path: &'p Path) -> Option<&'p [String]> {
        path.0.strip_prefix(self.0.as_slice())
    }

    /// All but its last part.
    pub(crate) fn parent(&self) -> Path {
        Path(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }
}

impl Query {
    /// Reads a query from the option of this name.
    pub(crate) fn parse(text: &str, key: &str) -> Result<Query, Problem> {
        let inner = text.strip_prefix('?').unwrap_or(text);
        parts(inner, '&').map(Query).map_err(|why| Problem::key(key, format!("`{text}` is no query: {why}")))
    }

    pub(crate) fn parts(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|part| {
            f.write_str("/")?;
            part.bytes().try_for_each(|byte| {
                let is_plain = byte.is_ascii_alphanumeric() || PLAIN.contains(&byte);
                if is_plain { write!(f, "{}", char::from(byte)) } else { write!(f, "%{byte:02X}") }
            })
        })
    }
}

fn parts(text: &str, separator: char) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(vec![]);
    }
    let parts = text.split(separator).map(decoded).collect::<Result<Vec<String>, String>>()?;
    if parts.len() > PARTS_MAX {
        return Err(format!("it has {} parts, and {PARTS_MAX} is the most", parts.len()));
    }
    match parts.iter().find(|part| part.len() > PART_BYTES_MAX || matches!(part.as_str(), "." | "..")) {
        Some(part) if part.len() > PART_BYTES_MAX => Err(format!("a part has at most {PART_BYTES_MAX} bytes")),
        Some(part) => Err(format!("`{part}` has no meaning in it")),
        None => Ok(parts),
    }
}

fn decoded(part: &str) -> Result<String, String> {
    let wrong = || format!("`{part}` has a `%` without two hexadecimal digits, or is not UTF-8");
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' { hex(rest.next(), rest.next()).ok_or_else(wrong)? } else { byte });
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

fn hex(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high?)? << 4 | digit(low?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        Path::parse(text, "path").map_or_else(|problem| problem.to_string(), |path| path.to_string())
    }

    #[test]
    fn a_path_is_shown_as_in_a_uri() {
        for (text, path) in [
            ("", "/"),
            ("/", "/"),
            ("room/1", "/room/1"),
            ("/room/1/", "/room/1"),
            ("/a//b", "/a//b"),
            ("/a%20b/%C3%A4", "/a%20b/%C3%A4"),
            ("/ä", "/%C3%A4"),
            ("/a%2Fb", "/a%2Fb"),
        ] {
            assert_eq!(shown(text), path, "{text}");
        }
    }

    #[test]
    fn what_is_no_path_is_told() {
        assert_eq!(shown("/a?b=1"), "`path`: `/a?b=1` is more than a path (put what follows the `?` into `query`)");
        assert_eq!(
            shown("/a%2"),
            "`path`: `/a%2` is no path: `a%2` has a `%` without two hexadecimal digits, or is not UTF-8"
        );
        assert_eq!(shown("/a/../b"), "`path`: `/a/../b` is no path: `..` has no meaning in it");
        assert!(shown(&"x".repeat(256)).contains("at most 255 bytes"));
        assert!(shown(&"/x".repeat(33)).contains("33 parts, and 32 is the most"));
    }

    #[test]
    fn a_path_leads_on_from_another() {
        let path = |text| Path::parse(text, "path").expect("a path");
        assert_eq!(path("/room/1").join(&path("temp")), path("/room/1/temp"));
        assert_eq!(path("/room").rest(&path("/room/1/t")), Some(&["1".to_owned(), "t".to_owned()][..]));
        assert_eq!(path("/room").rest(&path("/rooms/1")), None);
        assert_eq!((path("/room/1").parent(), path("/").parent()), (path("/room"), path("/")));
    }

    proptest! {
        #[test]
        fn any_text_is_a_path_that_is_read_again_or_a_problem(text in "\\PC{0,24}") {
            if let Ok(path) = Path::parse(&text, "path") {
                prop_assert_eq!(Path::parse(&path.to_string(), "path"), Ok(path));
            }
        }
    }
}
