//! What a variable would be as a property of a model.

use crate::session::{Definition, Failure, Live, Session, attribute, builtin, children, definition, standard};
use edgeway_sdk::{Access, Deadline, Holds, Offer};
use opcua::types::{
    AttributeId, EUInformation, EnumDefinition, EnumValueType, NodeClass, NodeId, Range, ReferenceDescription,
    ReferenceTypeId, StructureType, Variant,
};
use std::collections::HashMap;

/// AccessLevel (OPC 10000-3, 8.57): the current value can be read, and written.
const READABLE: u8 = 1;
const WRITABLE: u8 = 2;
/// Structures in structures that are looked into.
const DEPTH_MAX: usize = 4;

/// A node that was met.
pub(super) struct Found {
    pub(super) node: NodeId,
    /// Browse names from where the browse began.
    pub(super) path: String,
    pub(super) class: NodeClass,
}

/// What a variable says of itself.
pub(super) struct About {
    data_type: NodeId,
    rank: i32,
    access: u8,
    description: String,
}

/// What the properties of a variable say of it (OPC 10000-8, 5.3).
#[derive(Debug, Default)]
pub(super) struct Properties {
    range: Option<(f64, f64)>,
    unit: String,
    words: Option<Vec<(i64, String)>>,
}

/// What types hold, as far as it is known already.
#[derive(Default)]
pub(super) struct Types(HashMap<NodeId, Option<Holds>>);

pub(super) async fn about(session: &Session, found: &Found, by: Deadline) -> Result<About, Failure> {
    use AttributeId::{AccessLevel, DataType, Description, UserAccessLevel, ValueRank};
    let ids = [DataType, ValueRank, AccessLevel, UserAccessLevel, Description];
    let nodes = ids.map(|id| attribute(found.node.clone(), id));
    let mut values = session.live().read(nodes.into(), by).await?.into_iter().map(|value| value.value);
    let mut next = || values.next().flatten();
    let data_type = match next() {
        Some(Variant::NodeId(node)) => *node,
        _ => NodeId::null(),
    };
    let rank = if let Some(Variant::Int32(rank)) = next() { rank } else { -1 };
    let [all, user] =
        [next(), next()].map(|level| if let Some(Variant::Byte(level)) = level { level } else { u8::MAX });
    let description = match next() {
        Some(Variant::LocalizedText(text)) => text.text.as_ref().to_owned(),
        _ => String::new(),
    };
    // Who is told nothing may try everything.
    let access = if all == u8::MAX && user == u8::MAX { READABLE | WRITABLE } else { all & user };
    Ok(About { data_type, rank, access, description })
}

impl About {
    /// What the standard or the server calls the type.
    pub(super) async fn type_name(&self, session: &Session, by: Deadline) -> Result<String, Failure> {
        let node = attribute(self.data_type.clone(), AttributeId::BrowseName);
        let name = session.live().read(vec![node], by).await?.pop().and_then(|value| value.value);
        let name = match name {
            Some(Variant::QualifiedName(name)) => name.name.as_ref().to_owned(),
            _ => self.data_type.to_string(),
        };
        Ok(if self.rank >= 0 { format!("{name}[]") } else { name })
    }

    fn access(&self) -> Access {
        match (self.access & READABLE != 0, self.access & WRITABLE != 0) {
            (_, false) => Access::Read,
            (true, true) => Access::ReadWrite,
            (false, true) => Access::Write,
        }
    }
}

impl Properties {
    /// Where values are as a rule.
    pub(super) fn range(&self) -> Option<String> {
        self.range.map(|(low, high)| format!("{low} to {high}"))
    }

    /// Of several nodes, in their order.
    pub(super) async fn read(
        session: &Session,
        of: &[Vec<ReferenceDescription>],
        nodes_max: usize,
        by: Deadline,
    ) -> Result<Vec<Properties>, Failure> {
        const KNOWN: [&str; 4] = ["EURange", "EngineeringUnits", "EnumStrings", "EnumValues"];
        let mut all: Vec<Properties> = of.iter().map(|_| Properties::default()).collect();
        let wanted: Vec<(usize, &ReferenceDescription)> = of
            .iter()
            .enumerate()
            .flat_map(|(at, properties)| properties.iter().map(move |property| (at, property)))
            .filter(|(_, property)| KNOWN.contains(&property.browse_name.name.as_ref()))
            .collect();
        for some in wanted.chunks(session.limits.read_max(nodes_max)) {
            let node = |(_, property): &(usize, &ReferenceDescription)| {
                attribute(property.node_id.node_id.clone(), AttributeId::Value)
            };
            let values = session.live().read(some.iter().map(node).collect(), by).await?;
            for ((at, property), value) in some.iter().zip(values) {
                all[*at].take(property.browse_name.name.as_ref(), value.value.unwrap_or_default());
            }
        }
        Ok(all)
    }

    fn take(&mut self, name: &str, value: Variant) {
        match (name, value) {
            ("EURange", Variant::ExtensionObject(object)) => {
                let range = object.into_inner_as::<Range>().map(|range| (range.low, range.high));
                self.range = range.filter(|(low, high)| low < high && low.is_finite() && high.is_finite());
            }
            ("EngineeringUnits", Variant::ExtensionObject(object)) => {
                let unit = object.into_inner_as::<EUInformation>();
                self.unit = unit.map(|unit| unit.display_name.text.as_ref().to_owned()).unwrap_or_default();
            }
            ("EnumStrings", Variant::Array(array)) => self.words = Some(strings(&array.values)),
            ("EnumValues", Variant::Array(array)) => self.words = Some(values(array.values)),
            _ => {}
        }
    }
}

/// Words for the numbers from 0.
fn strings(entries: &[Variant]) -> Vec<(i64, String)> {
    let word = |(number, entry): (i64, &Variant)| match entry {
        Variant::LocalizedText(text) => Some((number, text.text.as_ref().to_owned())),
        _ => None,
    };
    (0..).zip(entries).filter_map(word).collect()
}

/// Words with their numbers.
fn values(entries: Vec<Variant>) -> Vec<(i64, String)> {
    let word = |entry: Variant| match entry {
        Variant::ExtensionObject(object) => {
            object.into_inner_as::<EnumValueType>().map(|word| (word.value, word.display_name.text.as_ref().to_owned()))
        }
        _ => None,
    };
    entries.into_iter().filter_map(word).collect()
}

/// The property that the variable would be; `None` if the gateway cannot hold it.
pub(super) async fn make(
    session: &Session,
    found: &Found,
    about: &About,
    properties: &Properties,
    types: &mut Types,
    by: Deadline,
) -> Result<Option<Offer>, Failure> {
    let live = session.live();
    let Some(holds) = types.of(&live, &about.data_type, 0, by).await? else { return Ok(None) };
    let mut holds = named(holds, properties);
    for _ in 0..about.rank.max(0) {
        holds = Holds::Array { of: Box::new(holds) };
    }
    // One dimension or more.
    if about.rank == 0 {
        holds = Holds::Array { of: Box::new(holds) };
    }
    let offer = Offer::new(&found.path, holds).access(about.access()).unit(&properties.unit);
    Ok(Some(offer.described(&about.description)))
}

/// What the type holds, with the words of the properties. EURange is where values are as a rule, and not where all are
/// (OPC 10000-8, 5.3.2.3): it sets no limits.
fn named(holds: Holds, properties: &Properties) -> Holds {
    match (holds, &properties.words) {
        (Holds::Int { .. } | Holds::Enum { .. }, Some(words)) if !words.is_empty() => {
            Holds::Enum { words: words.clone() }
        }
        (holds, _) => holds,
    }
}

impl Types {
    async fn of(
        &mut self,
        live: &Live,
        data_type: &NodeId,
        depth: usize,
        by: Deadline,
    ) -> Result<Option<Holds>, Failure> {
        if let Some(holds) = self.0.get(data_type) {
            return Ok(holds.clone());
        }
        let holds = Box::pin(self.ask(live, data_type, depth, by)).await?;
        self.0.insert(data_type.clone(), holds.clone());
        Ok(holds)
    }

    async fn ask(
        &mut self,
        live: &Live,
        data_type: &NodeId,
        depth: usize,
        by: Deadline,
    ) -> Result<Option<Holds>, Failure> {
        if let Some(holds) = standard(data_type).and_then(of_builtin) {
            return Ok(Some(holds));
        }
        match definition(live, data_type, by).await? {
            Some(Definition::Enumeration(words)) => Ok(Some(Holds::Enum { words: of_enumeration(&words) })),
            // A property has all of its fields, in every value.
            Some(Definition::Structure(structure)) if structure.structure_type != StructureType::Structure => Ok(None),
            Some(Definition::Structure(structure)) if depth < DEPTH_MAX => {
                let mut fields = vec![];
                for field in structure.fields.unwrap_or_default() {
                    let Some(holds) = self.of(live, &field.data_type, depth + 1, by).await? else { return Ok(None) };
                    let is_array = field.value_rank >= 0;
                    let holds = if is_array { Holds::Array { of: Box::new(holds) } } else { holds };
                    fields.push((field.name.as_ref().to_owned(), holds));
                }
                Ok(Some(Holds::Struct { fields }))
            }
            Some(Definition::Structure(_)) => Ok(None),
            None => match builtin(live, data_type, by).await? {
                // Servers that are older than definitions say the words of an enumeration beside its type.
                Some(29) => Ok(Some(words_of(live, data_type, by).await?)),
                number => Ok(number.and_then(of_builtin)),
            },
        }
    }
}

fn of_enumeration(definition: &EnumDefinition) -> Vec<(i64, String)> {
    let fields = definition.fields.iter().flatten();
    fields.map(|field| (field.value, field.name.as_ref().to_owned())).collect()
}

async fn words_of(live: &Live, data_type: &NodeId, by: Deadline) -> Result<Holds, Failure> {
    let mut properties = Properties::default();
    for property in children(live, data_type, ReferenceTypeId::HasProperty, by).await? {
        let node = attribute(property.node_id.node_id, AttributeId::Value);
        let value = live.read(vec![node], by).await?.pop().and_then(|value| value.value);
        properties.take(property.browse_name.name.as_ref(), value.unwrap_or_default());
    }
    Ok(match properties.words {
        Some(words) if !words.is_empty() => Holds::Enum { words },
        _ => Holds::Int { min: None, max: None },
    })
}

/// What a built-in type holds, by its number (OPC 10000-6, 5.1.2).
fn of_builtin(number: u32) -> Option<Holds> {
    let int = |min: i64, max: i64| Holds::Int { min: Some(min), max: Some(max) };
    Some(match number {
        1 => Holds::Bool,
        2 => int(i8::MIN.into(), i8::MAX.into()),
        3 => int(0, u8::MAX.into()),
        4 => int(i16::MIN.into(), i16::MAX.into()),
        5 => int(0, u16::MAX.into()),
        6 => int(i32::MIN.into(), i32::MAX.into()),
        7 | 19 => int(0, u32::MAX.into()),
        8 | 27 => Holds::Int { min: None, max: None },
        9 | 28 => Holds::Int { min: Some(0), max: None },
        10 | 11 | 26 => Holds::Float { min: None, max: None },
        13 => Holds::Date,
        // No property holds bytes (15).
        12 | 14 | 16..=18 | 20 | 21 => Holds::Text,
        _ => return None,
    })
}
