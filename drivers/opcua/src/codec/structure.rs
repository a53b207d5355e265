//! Structures of the server's own types, read by the definitions that the server gives of them (OPC 10000-6, 5.2.6).

use super::read::value;
use edgeway_sdk::{Quality, Value};
use opcua::types::{
    BinaryDecodable, ByteStringBody, ContextOwned, DecodingOptions, Error, ExtensionObject, NamespaceMap, NodeId,
    Variant,
};
use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::sync::Arc;

/// Structures within structures at most; a value nests no deeper than that either.
const DEPTH_MAX: usize = 8;
const ARRAY_BIT: u8 = 0x80;

/// The layouts of structures, by the node ids of their encodings; `None` for those that the server does not describe.
#[derive(Default)]
pub(crate) struct Layouts {
    known: HashMap<NodeId, Option<Arc<Layout>>>,
    context: ContextOwned,
}

/// What a structure is made of.
#[derive(Debug, PartialEq)]
pub(crate) struct Layout {
    pub(crate) form: Form,
    pub(crate) fields: Vec<Field>,
}

/// How the fields of a structure follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One after the other.
    All,
    /// The same, and a mask says which optional ones are there.
    Optional,
    /// A number says which one it is.
    Union,
}

/// A field of a structure.
#[derive(Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) is_array: bool,
    pub(crate) is_optional: bool,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A built-in type, by its number (OPC 10000-6, 5.1.2).
    Builtin(u8),
    /// A structure, without a header of its own.
    Structure(Arc<Layout>),
}

impl Layouts {
    /// For structures whose parts may be as long as this.
    pub(crate) fn within(limits: DecodingOptions) -> Self {
        Layouts { known: HashMap::new(), context: ContextOwned::new_default(NamespaceMap::new(), limits) }
    }

    pub(crate) fn knows(&self, encoding: &NodeId) -> bool {
        self.known.contains_key(encoding)
    }

    pub(crate) fn learn(&mut self, encoding: NodeId, layout: Option<Layout>) {
        self.known.insert(encoding, layout.map(Arc::new));
    }

    /// The value of a structure, or why there is none.
    pub(super) fn value(&self, object: &ExtensionObject, ahead: i64) -> Result<Value, Quality> {
        let Some(body) = &object.body else { return Err(Quality::Bad) };
        // Nobody has answered yet what it is made of; or the server does not describe it.
        let layout = self.known.get(&object.binary_type_id().node_id).ok_or(Quality::Bad)?;
        let layout = layout.clone().ok_or(Quality::BadConfig)?;
        // What the library does not know is here as it came, with times that nobody has touched.
        let ahead = if object.inner_is::<ByteStringBody>() { 0 } else { ahead };
        let mut bytes = vec![];
        body.encode_binary(&mut bytes, &self.context.context()).map_err(|_| Quality::Bad)?;
        let mut stream = Cursor::new(bytes.as_slice());
        let value = self.structure(&layout, &mut stream, ahead, 0)?;
        // Bytes that are left over belong to another layout than the one that was read.
        if stream.position() as usize == bytes.len() { Ok(value) } else { Err(Quality::Bad) }
    }

    fn structure(
        &self,
        layout: &Layout,
        stream: &mut Cursor<&[u8]>,
        ahead: i64,
        depth: usize,
    ) -> Result<Value, Quality> {
        if depth > DEPTH_MAX {
            return Err(Quality::Bad);
        }
        let mask = match layout.form {
            Form::All => 0,
            Form::Optional | Form::Union => self.number(stream)?,
        };
        let mut optional = 0;
        let mut fields = vec![];
        for (number, field) in (1..).zip(&layout.fields) {
            let is_here = match layout.form {
                Form::All => true,
                Form::Union => mask == number,
                Form::Optional if field.is_optional => {
                    optional += 1;
                    optional <= 32 && mask >> (optional - 1) & 1 == 1
                }
                Form::Optional => true,
            };
            if is_here {
                fields.push((field.name.clone(), self.field(field, stream, ahead, depth)?));
            }
        }
        Ok(Value::Struct(fields.into()))
    }

    fn field(&self, field: &Field, stream: &mut Cursor<&[u8]>, ahead: i64, depth: usize) -> Result<Value, Quality> {
        match &field.kind {
            Kind::Builtin(number) => {
                let mask = if field.is_array { number | ARRAY_BIT } else { *number };
                // Behind the number of its type, a variant holds the same bytes.
                let variant = Variant::decode(&mut [mask].as_slice().chain(stream), &self.context.context());
                value(&variant.map_err(unreadable)?, self, ahead)
            }
            Kind::Structure(layout) if field.is_array => {
                // A null array is an empty one.
                let count = (self.number(stream)? as i32).max(0);
                // Structures without fields take no bytes, so the end of these would not stop them.
                if count as usize > stream.get_ref().len().saturating_sub(stream.position() as usize) {
                    return Err(Quality::Bad);
                }
                let entries = (0..count).map(|_| self.structure(layout, stream, ahead, depth + 1));
                entries.collect::<Result<Vec<Value>, Quality>>().map(|entries| Value::Array(entries.into()))
            }
            Kind::Structure(layout) => self.structure(layout, stream, ahead, depth + 1),
        }
    }

    fn number(&self, stream: &mut Cursor<&[u8]>) -> Result<u32, Quality> {
        u32::decode(stream, &self.context.context()).map_err(unreadable)
    }
}

fn unreadable(_: Error) -> Quality {
    Quality::Bad
}

#[cfg(test)]
mod tests {
    use super::*;
    use opcua::types::ByteString;

    fn field(name: &str, kind: Kind) -> Field {
        Field { name: name.into(), kind, is_array: false, is_optional: false }
    }

    fn read(layout: Layout, bytes: Vec<u8>) -> Result<Value, Quality> {
        read_by(Layouts::default(), layout, bytes)
    }

    fn read_by(mut layouts: Layouts, layout: Layout, bytes: Vec<u8>) -> Result<Value, Quality> {
        let encoding = NodeId::new(2, 7);
        layouts.learn(encoding.clone(), Some(layout));
        let body = ByteStringBody::new(ByteString::from(bytes), encoding);
        layouts.value(&ExtensionObject { body: Some(Box::new(body)) }, 0)
    }

    fn structure(fields: &[(&str, Value)]) -> Result<Value, Quality> {
        Ok(Value::Struct(fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect()))
    }

    #[test]
    fn fields_follow_each_other() {
        let point =
            Layout { form: Form::All, fields: vec![field("x", Kind::Builtin(4)), field("on", Kind::Builtin(1))] };
        let inner = field("at", Kind::Structure(Arc::new(point)));
        let list = Field { is_array: true, ..field("list", Kind::Builtin(3)) };
        let layout = Layout { form: Form::All, fields: vec![inner, list] };
        let at = structure(&[("x", Value::Int(258)), ("on", Value::Bool(true))]).expect("two fields");
        let entries = Value::Array([Value::Int(8), Value::Int(9)].into());
        assert_eq!(read(layout, vec![2, 1, 1, 2, 0, 0, 0, 8, 9]), structure(&[("at", at), ("list", entries)]));
    }

    #[test]
    fn a_part_of_a_structure_may_be_as_long_as_the_link_says() {
        let list = Field { is_array: true, ..field("list", Kind::Builtin(3)) };
        let bytes = [2000_u32.to_le_bytes().as_slice(), &[7; 2000]].concat();
        let limits = DecodingOptions { max_array_length: 2000, ..DecodingOptions::default() };
        let read = read_by(Layouts::within(limits), Layout { form: Form::All, fields: vec![list] }, bytes);
        assert_eq!(read, structure(&[("list", Value::Array(vec![Value::Int(7); 2000].into()))]));
    }

    #[test]
    fn optional_fields_and_unions_say_what_is_there() {
        let fields = || vec![field("a", Kind::Builtin(3)), Field { is_optional: true, ..field("b", Kind::Builtin(3)) }];
        let optional = || Layout { form: Form::Optional, fields: fields() };
        assert_eq!(read(optional(), vec![0, 0, 0, 0, 7]), structure(&[("a", Value::Int(7))]));
        assert_eq!(read(optional(), vec![1, 0, 0, 0, 7, 8]), structure(&[("a", Value::Int(7)), ("b", Value::Int(8))]));
        let union = Layout { form: Form::Union, fields: fields() };
        assert_eq!(read(union, vec![2, 0, 0, 0, 8]), structure(&[("b", Value::Int(8))]));
    }

    #[test]
    fn bytes_that_do_not_fit_the_layout_are_no_value() {
        let layout = || Layout { form: Form::All, fields: vec![field("x", Kind::Builtin(4))] };
        assert_eq!(read(layout(), vec![1]), Err(Quality::Bad), "too short");
        assert_eq!(read(layout(), vec![1, 0, 0]), Err(Quality::Bad), "too long");
        let list = Field { is_array: true, ..field("list", Kind::Structure(Arc::new(layout()))) };
        let endless = Layout { form: Form::All, fields: vec![list] };
        assert_eq!(read(endless, vec![255, 255, 255, 127]), Err(Quality::Bad), "a length without entries");
        let nothing = Arc::new(Layout { form: Form::All, fields: vec![] });
        let list = Field { is_array: true, ..field("list", Kind::Structure(nothing)) };
        let nothings = Layout { form: Form::All, fields: vec![list] };
        assert_eq!(read(nothings, vec![255, 255, 255, 127]), Err(Quality::Bad), "a length of entries without bytes");
    }
}
