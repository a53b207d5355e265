//! Protobuf's wire format as text, read without any schema: what a receiver of another make sees.

/// `1: 5`, `2: "text"`, `3 {...}`, `4: 0x0102` for bytes, fixed-width numbers as `f32` and `f64`. What is at the top stands
/// on a line of its own.
pub(crate) fn dump(bytes: &[u8]) -> String {
    fields(bytes).expect("a well-formed message").join("\n")
}

fn fields(mut bytes: &[u8]) -> Option<Vec<String>> {
    let mut fields = vec![];
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let (field, kind) = (key >> 3, key & 7);
        if field == 0 {
            return None;
        }
        fields.push(match kind {
            0 => format!("{field}: {}", varint(&mut bytes)?),
            1 => format!("{field}: {:?} f64", f64::from_le_bytes(*take::<8>(&mut bytes)?)),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (part, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                format!("{field}{}", delimited(part))
            }
            5 => format!("{field}: {:?} f32", f32::from_le_bytes(*take::<4>(&mut bytes)?)),
            _ => return None,
        });
    }
    Some(fields)
}

/// Text if it can be text, a message if it can be one, bytes otherwise.
fn delimited(part: &[u8]) -> String {
    let is_text = |text: &&str| text.chars().all(|c| !c.is_control() || c == '\n');
    if let Some(text) = std::str::from_utf8(part).ok().filter(is_text) {
        return format!(": {text:?}");
    }
    match fields(part) {
        Some(inner) => format!(" {{ {} }}", inner.join("  ")),
        None => format!(": 0x{}", part.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
}

fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (part, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(part)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
