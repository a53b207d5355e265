"""How values lie in Modbus registers, written a second time and with nothing in common with the driver."""

import struct

NUMBERS = {"i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f16": "e", "f32": "f", "f64": "d"}
# How many registers the decimal digits take.
DECIMALS = {"bcd16": 1, "bcd32": 2, "bcd64": 4}


def pack(kind, order, value):
    """The registers of a value whose bytes come in this order, `CDAB`, A being the most significant."""
    if kind == "string":
        data = value.encode()
        data += bytes(len(data) % 2)
    elif kind in DECIMALS:
        data = bytes.fromhex(f"{value:0{4 * DECIMALS[kind]}d}")
    else:
        data = struct.pack(">" + NUMBERS[kind], value)
    data = swapped(data, order)
    return [high << 8 | low for high, low in zip(data[::2], data[1::2])]


def unpack(kind, order, registers):
    data = swapped(b"".join(struct.pack(">H", register) for register in registers), order)
    if kind == "string":
        return data.decode().rstrip("\0")
    if kind in DECIMALS:
        return int(data.hex())
    return struct.unpack(">" + NUMBERS[kind], data)[0]


def swapped(data, order):
    """Every order swaps bytes in pairs, so it also leads back."""
    groups = range(0, len(data), len(order))
    return bytes(data[start + ord(letter) - ord("A")] for start in groups for letter in order)
