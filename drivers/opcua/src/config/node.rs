//! Addresses of nodes, with the namespace by its URI or its number.

use edgeway_sdk::Problem;
use opcua::types::{ByteString, Guid, Identifier, UAString};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What stands for the device's name in its node ids.
const NAME: &str = "{name}";

/// A node, in text as in OPC 10000-6, 5.3.1.10 and 5.3.1.11: `nsu=http://lab;s=Power`, `ns=2;i=7`, `s=Power`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeAddress {
    pub(crate) namespace: Namespace,
    pub(crate) identifier: Identifier,
}

/// Whose names they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// By its URI, which stays the same when the server's numbers change.
    Uri(Arc<str>),
    /// By the server's number.
    Index(u16),
}

/// How the device of a node id names its nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Naming {
    /// Whose names are node ids without a namespace.
    pub(crate) namespace: Namespace,
    /// What stands for `{name}`, so that devices of one kind can share what is said of their nodes.
    pub(crate) name: Option<String>,
}

/// A field of an event: the names from its type down to it, all of one namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldPath {
    pub(crate) namespace: Namespace,
    pub(crate) names: Vec<String>,
}

impl NodeAddress {
    /// Reads an address from the option `key`. Without a namespace of its own it is in the device's.
    pub(crate) fn parse(text: &str, key: &str, of: &Naming) -> Result<Self, Problem> {
        let problem = |message: &str| {
            let help = "write `nsu=http://example.com/plc;s=Name`, `ns=2;i=7` or, in the device's namespace, `s=Name`";
            Problem::key(key, format!("`{text}` is not a node id: {message}")).help(help)
        };
        let text = of.named(text, key)?;
        let (namespace, rest) = namespace(&text, &of.namespace).map_err(problem)?;
        Ok(NodeAddress { namespace, identifier: identifier(rest).map_err(problem)? })
    }
}

impl Naming {
    /// Of a device that says nothing.
    pub(crate) const STANDARD: Naming = Naming { namespace: Namespace::Index(0), name: None };

    /// The text with the device's name where it belongs.
    fn named<'t>(&self, text: &'t str, key: &str) -> Result<Cow<'t, str>, Problem> {
        match &self.name {
            _ if !text.contains(NAME) => Ok(text.into()),
            Some(name) => Ok(text.replace(NAME, name).into()),
            None => {
                let problem = Problem::key(key, format!("`{text}` has a `{NAME}`, and the device has none"));
                Err(problem.help("write `opcua = { name = \"WTG01\" }` at the device"))
            }
        }
    }
}

impl FieldPath {
    /// Reads a path from the option `key`: `Message`, `ActiveState/Id`, `nsu=http://lab;Load`.
    pub(super) fn parse(text: &str, key: &str) -> Result<Self, Problem> {
        let problem = |why: &str| {
            let help = "write `Message`, `ActiveState/Id` or `nsu=http://example.com/plc;Load`";
            Problem::key(key, format!("`{text}` is not a path of names: {why}")).help(help)
        };
        let (namespace, rest) = namespace(text, &Namespace::Index(0)).map_err(problem)?;
        let names: Vec<String> = rest.split('/').map(str::to_owned).collect();
        if names.iter().any(String::is_empty) {
            return Err(problem("a name is empty"));
        }
        Ok(FieldPath { namespace, names })
    }
}

fn namespace<'a>(text: &'a str, default: &Namespace) -> Result<(Namespace, &'a str), &'static str> {
    if let Some(rest) = text.strip_prefix("nsu=") {
        let (uri, rest) = rest.split_once(';').ok_or("a `;` has to end the namespace")?;
        // What is reserved in this form is escaped in a URI.
        let uri = uri.replace("%3B", ";").replace("%3b", ";").replace("%25", "%");
        return if uri.is_empty() { Err("the namespace is empty") } else { Ok((Namespace::Uri(uri.into()), rest)) };
    }
    if let Some(rest) = text.strip_prefix("ns=") {
        let (number, rest) = rest.split_once(';').ok_or("a `;` has to end the namespace")?;
        let number = number.parse().map_err(|_| "`ns` is a number from 0 to 65535")?;
        return Ok((Namespace::Index(number), rest));
    }
    Ok((default.clone(), text))
}

fn identifier(text: &str) -> Result<Identifier, &'static str> {
    match text.split_once('=') {
        Some(("i", number)) => {
            number.parse().map(Identifier::Numeric).map_err(|_| "`i` is a number from 0 to 4294967295")
        }
        Some(("s", "")) => Err("`s` has no name"),
        Some(("s", name)) => Ok(Identifier::String(UAString::from(name))),
        Some(("g", guid)) => Guid::from_str(guid).map(Identifier::Guid).map_err(|_| "`g` is a GUID"),
        Some(("b", bytes)) => {
            let bytes = ByteString::from_base64(bytes).filter(|bytes| !bytes.is_null_or_empty());
            bytes.map(Identifier::ByteString).ok_or("`b` is Base64")
        }
        _ => Err("it has none of `i=`, `s=`, `g=` and `b=`"),
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Namespace::Uri(uri) => write!(f, "nsu={};", uri.replace('%', "%25").replace(';', "%3B")),
            Namespace::Index(0) => Ok(()),
            Namespace::Index(number) => write!(f, "ns={number};"),
        }
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.namespace, self.identifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<NodeAddress, String> {
        let of = Naming { namespace: Namespace::Uri("http://lab".into()), name: Some("WTG01".into()) };
        NodeAddress::parse(text, "at", &of).map_err(|problem| problem.message)
    }

    #[test]
    fn every_kind_of_node_id_is_read() {
        for (text, shown) in [
            ("i=7", "nsu=http://lab;i=7"),
            ("s={name}.Power", "nsu=http://lab;s=WTG01.Power"),
            ("ns=0;i=2258", "i=2258"),
            ("ns=3;s=A;B=C", "ns=3;s=A;B=C"),
            ("nsu=urn:a%3Bb;s=x", "nsu=urn:a%3Bb;s=x"),
            ("ns=1;g=09087e75-8e5e-499b-954f-f2a9603db28a", "ns=1;g=09087e75-8e5e-499b-954f-f2a9603db28a"),
            ("ns=1;b=M/RbKBsRVkePCePcx24oRA==", "ns=1;b=M/RbKBsRVkePCePcx24oRA=="),
        ] {
            assert_eq!(parse(text).map(|address| address.to_string()).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_node_id_is_told_why() {
        for (text, why) in [
            ("Power", "it has none of `i=`, `s=`, `g=` and `b=`"),
            ("s=", "`s` has no name"),
            ("i=-1", "`i` is a number from 0 to 4294967295"),
            ("g=x", "`g` is a GUID"),
            ("b=?", "`b` is Base64"),
            ("ns=x;i=1", "`ns` is a number from 0 to 65535"),
            ("nsu=http://lab", "a `;` has to end the namespace"),
            ("nsu=;i=1", "the namespace is empty"),
        ] {
            assert_eq!(parse(text), Err(format!("`{text}` is not a node id: {why}")));
        }
    }

    #[test]
    fn a_device_without_a_name_is_told_where_one_is_needed() {
        let problem = NodeAddress::parse("s={name}.Power", "at", &Naming::STANDARD).expect_err("no name");
        assert_eq!(problem.message, "`s={name}.Power` has a `{name}`, and the device has none");
    }

    #[test]
    fn a_field_is_a_path_of_names() {
        let path = |text| FieldPath::parse(text, "fields").map_err(|problem| problem.message);
        let names = vec!["ActiveState".into(), "Id".into()];
        assert_eq!(path("ActiveState/Id"), Ok(FieldPath { namespace: Namespace::Index(0), names }));
        let namespace = Namespace::Uri("http://lab".into());
        assert_eq!(path("nsu=http://lab;Load"), Ok(FieldPath { namespace, names: vec!["Load".into()] }));
        assert_eq!(path("A//B"), Err("`A//B` is not a path of names: a name is empty".into()));
    }

    proptest! {
        #[test]
        fn any_text_is_a_node_or_a_problem(text in "\\PC{0,24}|(nsu=|ns=|)[a-z0-9;%]{0,8};?[isgb]=\\PC{0,8}") {
            if let Ok(address) = parse(&text) {
                prop_assert_eq!(parse(&address.to_string()).map(|again| again.identifier), Ok(address.identifier));
            }
        }
    }
}
