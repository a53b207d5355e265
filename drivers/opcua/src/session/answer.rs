//! From the bytes of an answer to what it says: pure.

use opcua::core::{Message, ResponseMessage};
use opcua::types::{BinaryDecodable, Context, EncodingResult, Error, NodeId};

/// Reads an answer, if nothing of it is left over then: what is left over says that something in it was read as something
/// else, and that what came behind it are values that the server never gave.
pub(super) fn decode(mut body: &[u8], context: &Context<'_>) -> EncodingResult<ResponseMessage> {
    let id = NodeId::decode(&mut body, context)?;
    let id = id.as_object_id().map_err(|_| Error::decoding("an answer of no type that is known"))?;
    let answer = ResponseMessage::decode_by_object_id(&mut body, id, context)?;
    if body.is_empty() { Ok(answer) } else { Err(Error::decoding("bytes of the answer are left over")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opcua::types::{BinaryEncodable, ContextOwned, DataValue, ReadResponse, ResponseHeader, StatusCode, Variant};

    /// An answer to a Read, without the nulls at its end and with these bytes in the place of the second value.
    fn answer(second: &[u8]) -> Vec<u8> {
        let (context, mut bytes) = (ContextOwned::default(), vec![]);
        let value = |number: i32| DataValue::value_only(Variant::from(number));
        let read = ReadResponse {
            response_header: ResponseHeader::null(),
            results: Some(vec![value(1), value(2), value(3)]),
            diagnostic_infos: None,
        };
        let read = ResponseMessage::from(read);
        read.type_id().encode(&mut bytes, &context.context()).expect("it is short");
        read.encode(&mut bytes, &context.context()).expect("it is short");
        let present = [1, 6, 2, 0, 0, 0];
        let at = bytes.windows(present.len()).position(|window| window == present).expect("the second value");
        bytes.splice(at + 1..at + present.len(), second.iter().copied());
        bytes
    }

    fn read(bytes: &[u8]) -> EncodingResult<ResponseMessage> {
        decode(bytes, &ContextOwned::default().context())
    }

    #[test]
    fn an_answer_is_read_to_its_end() {
        let ResponseMessage::Read(read) = read(&answer(&[1, 1])).expect("an answer") else { panic!("a Read") };
        let values: Vec<_> = read.results.into_iter().flatten().map(|value| value.value).collect();
        assert_eq!(values, [Some(Variant::from(1)), Some(Variant::from(true)), Some(Variant::from(3))]);
    }

    /// The library does not read the dimensions of an empty table, and takes them for the values behind it.
    #[test]
    fn an_empty_table_does_not_shift_the_values_behind_it() {
        let (length, dimensions) = (0_u32.to_le_bytes(), [2_u32, 0, 3].map(u32::to_le_bytes).concat());
        assert!(read(&answer(&[&[0xc6], length.as_slice(), &dimensions].concat())).is_err());
    }

    #[test]
    fn a_text_that_is_none_is_an_error() {
        let error = read(&answer(&[12, 2, 0, 0, 0, 0xff, 0xfe])).expect_err("no UTF-8");
        assert_eq!(error.status(), StatusCode::BadDecodingError);
    }
}
