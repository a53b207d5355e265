//! What a server says of its types, asked for once in a session.

use super::browse::above;
use super::{Failure, Live, attribute};
use crate::codec::structure::{Field, Form, Kind, Layout};
use crate::codec::{Builtin, Layouts, Shape, first_encoding};
use edgeway_sdk::Deadline;
use opcua::types::{
    AttributeId, DataValue, DecodingOptions, EnumDefinition, NodeId, ReferenceTypeId, StatusCode, StructureDefinition,
    StructureField, StructureType, Variant,
};
use parking_lot::{Mutex, RwLock};
use std::collections::{HashMap, HashSet};

/// Types above a type at most.
const PARENTS_MAX: usize = 20;
/// Structures in structures at most.
const DEPTH_MAX: usize = 8;
/// Values of new types in one message at most; others are asked for when the next comes.
const NEW_MAX: usize = 100;

/// What is known of the types of a session.
pub(crate) struct Types {
    pub(crate) layouts: RwLock<Layouts>,
    shapes: Mutex<HashMap<NodeId, Shape>>,
    /// Types of fields, kept so that what an answer was missing for is learned with fewer questions the next time.
    definitions: Mutex<HashMap<NodeId, Option<Definition>>>,
    builtins: Mutex<HashMap<NodeId, Option<u32>>>,
}

impl Types {
    /// Of a session whose values may be as long as this.
    pub(super) fn within(limits: DecodingOptions) -> Self {
        let (shapes, definitions, builtins) = Default::default();
        Types { layouts: RwLock::new(Layouts::within(limits)), shapes, definitions, builtins }
    }

    /// Learns the layouts of all structures in these values. A type that the server does not describe is no error: its values
    /// are bad. So are those of a type for which there is no answer, which is asked for again with the next value.
    ///
    /// # Errors
    /// If the session is lost.
    pub(crate) async fn learn(&self, live: &Live, values: &[DataValue], by: Deadline) -> Result<(), Failure> {
        let mut unanswered = HashSet::new();
        for _ in 0..NEW_MAX {
            let unknown = {
                let layouts = self.layouts.read();
                let is_done = |encoding: &NodeId| layouts.knows(encoding) || unanswered.contains(encoding);
                values.iter().find_map(|value| first_encoding(value.value.as_ref()?, &is_done))
            };
            let Some(encoding) = unknown else { return Ok(()) };
            match self.of_encoding(live, &encoding, by).await {
                Ok(layout) => self.layouts.write().learn(encoding, layout),
                Err(Failure::Lost(reason)) => return Err(Failure::Lost(reason)),
                Err(_) => {
                    unanswered.insert(encoding);
                }
            }
        }
        Ok(())
    }

    /// Whether there are structures in a value whose types are still to be learned.
    pub(crate) fn are_unknown(&self, value: &DataValue) -> bool {
        let layouts = self.layouts.read();
        value.value.as_ref().is_some_and(|value| first_encoding(value, &|encoding| layouts.knows(encoding)).is_some())
    }

    /// What a node holds.
    ///
    /// # Errors
    /// [`Failure::Refused`] with the node's own status, too.
    pub(crate) async fn shape(&self, live: &Live, node: &NodeId, by: Deadline) -> Result<Shape, Failure> {
        if let Some(shape) = self.shapes.lock().get(node) {
            return Ok(*shape);
        }
        let nodes = [AttributeId::DataType, AttributeId::ValueRank].map(|id| attribute(node.clone(), id));
        let values = live.read(nodes.into(), by).await?;
        if values[0].status().is_bad() {
            return Err(Failure::Refused(values[0].status()));
        }
        let Some(Variant::NodeId(data_type)) = &values[0].value else {
            return Err(Failure::Refused(StatusCode::BadTypeMismatch));
        };
        let rank = match values[1].value {
            Some(Variant::Int32(rank)) => rank,
            // Any shape.
            _ => -2,
        };
        let builtin = builtin(live, data_type, by).await?.and_then(Builtin::of_number);
        let shape = Shape { builtin: builtin.unwrap_or(Builtin::Any), rank };
        self.shapes.lock().insert(node.clone(), shape);
        Ok(shape)
    }

    /// The shape of an argument, or of a variable in a browse.
    pub(crate) async fn shape_of(live: &Live, data_type: &NodeId, rank: i32, by: Deadline) -> Result<Shape, Failure> {
        let builtin = builtin(live, data_type, by).await?.and_then(Builtin::of_number);
        Ok(Shape { builtin: builtin.unwrap_or(Builtin::Any), rank })
    }

    /// The node has turned out to be of another type.
    pub(crate) fn forget(&self, node: &NodeId) {
        self.shapes.lock().remove(node);
    }
}

/// The number of the built-in type that a type comes from.
pub(crate) async fn builtin(live: &Live, data_type: &NodeId, by: Deadline) -> Result<Option<u32>, Failure> {
    let mut node = data_type.clone();
    for _ in 0..PARENTS_MAX {
        if let Some(number) = standard(&node).filter(|number| Builtin::of_number(*number).is_some()) {
            return Ok(Some(number));
        }
        match above(live, &node, ReferenceTypeId::HasSubtype, by).await? {
            Some(parent) => node = parent,
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// The number of a node of the standard.
pub(crate) fn standard(node: &NodeId) -> Option<u32> {
    match node.identifier {
        opcua::types::Identifier::Numeric(number) if node.namespace == 0 => Some(number),
        _ => None,
    }
}

/// What a server says that a type is made of.
#[derive(Clone)]
pub(crate) enum Definition {
    Structure(StructureDefinition),
    Enumeration(EnumDefinition),
}

pub(crate) async fn definition(live: &Live, data_type: &NodeId, by: Deadline) -> Result<Option<Definition>, Failure> {
    let node = attribute(data_type.clone(), AttributeId::DataTypeDefinition);
    let value = live.read(vec![node], by).await?.pop().and_then(|value| value.value);
    let Some(Variant::ExtensionObject(object)) = value else { return Ok(None) };
    Ok(match object.inner_as::<StructureDefinition>() {
        Some(structure) => Some(Definition::Structure(structure.clone())),
        None => object.into_inner_as::<EnumDefinition>().map(|words| Definition::Enumeration(*words)),
    })
}

impl Types {
    async fn of_encoding(&self, live: &Live, encoding: &NodeId, by: Deadline) -> Result<Option<Layout>, Failure> {
        let Some(data_type) = above(live, encoding, ReferenceTypeId::HasEncoding, by).await? else { return Ok(None) };
        match self.definition(live, &data_type, by).await? {
            Some(Definition::Structure(definition)) => self.of_structure(live, definition, 0, by).await,
            _ => Ok(None),
        }
    }

    async fn definition(&self, live: &Live, data_type: &NodeId, by: Deadline) -> Result<Option<Definition>, Failure> {
        if let Some(known) = self.definitions.lock().get(data_type) {
            return Ok(known.clone());
        }
        let definition = definition(live, data_type, by).await?;
        self.definitions.lock().insert(data_type.clone(), definition.clone());
        Ok(definition)
    }

    async fn builtin(&self, live: &Live, data_type: &NodeId, by: Deadline) -> Result<Option<u32>, Failure> {
        if let Some(known) = self.builtins.lock().get(data_type) {
            return Ok(*known);
        }
        let number = builtin(live, data_type, by).await?;
        self.builtins.lock().insert(data_type.clone(), number);
        Ok(number)
    }

    async fn of_structure(
        &self,
        live: &Live,
        definition: StructureDefinition,
        depth: usize,
        by: Deadline,
    ) -> Result<Option<Layout>, Failure> {
        let form = match definition.structure_type {
            StructureType::Structure => Form::All,
            StructureType::StructureWithOptionalFields => Form::Optional,
            StructureType::Union => Form::Union,
            // Their fields are of types that nobody knows beforehand.
            StructureType::StructureWithSubtypedValues | StructureType::UnionWithSubtypedValues => return Ok(None),
        };
        if depth > DEPTH_MAX {
            return Ok(None);
        }
        let mut fields = vec![];
        for field in definition.fields.unwrap_or_default() {
            match Box::pin(self.of_field(live, &field, depth, by)).await? {
                Some(field) => fields.push(field),
                None => return Ok(None),
            }
        }
        Ok(Some(Layout { form, fields }))
    }

    async fn of_field(
        &self,
        live: &Live,
        field: &StructureField,
        depth: usize,
        by: Deadline,
    ) -> Result<Option<Field>, Failure> {
        // A table in a structure is laid out in a way of its own.
        if field.value_rank > 1 {
            return Ok(None);
        }
        let Some(kind) = self.of_type(live, &field.data_type, depth, by).await? else { return Ok(None) };
        let name = field.name.as_ref().into();
        Ok(Some(Field { name, kind, is_array: field.value_rank >= 0, is_optional: field.is_optional }))
    }

    async fn of_type(
        &self,
        live: &Live,
        data_type: &NodeId,
        depth: usize,
        by: Deadline,
    ) -> Result<Option<Kind>, Failure> {
        // Of 22, which is every structure, the header says which one it is.
        if let Some(number) = standard(data_type).filter(|number| (1..=25).contains(number)) {
            return Ok(u8::try_from(number).ok().map(Kind::Builtin));
        }
        match self.definition(live, data_type, by).await? {
            Some(Definition::Structure(definition)) => Ok(self
                .of_structure(live, definition, depth + 1, by)
                .await?
                .map(|layout| Kind::Structure(layout.into()))),
            // An enumeration is an Int32.
            Some(Definition::Enumeration(_)) => Ok(Some(Kind::Builtin(6))),
            None => {
                let number =
                    self.builtin(live, data_type, by).await?.map(|number| if number == 29 { 6 } else { number });
                // A structure that is not described cannot be read; numbers of no kind stand in a variant.
                Ok(match number {
                    Some(number @ (1..=21 | 23 | 24 | 25)) => u8::try_from(number).ok().map(Kind::Builtin),
                    Some(26..=28) => Some(Kind::Builtin(24)),
                    _ => None,
                })
            }
        }
    }
}
