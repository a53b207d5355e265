"""MQTT packets, as far as the proxies need them. Versions 3.1.1 and 5 are alike in what is read here."""

import asyncio
from dataclasses import dataclass

PUBLISH, PUBACK = 3, 4


@dataclass(frozen=True)
class Packet:
    """One packet with its header."""

    raw: bytes
    body: int
    """Where the header ends."""

    @property
    def kind(self) -> int:
        """The packet's type."""
        return self.raw[0] >> 4

    @property
    def acknowledged(self) -> bool:
        """Whether it is a PUBLISH of QoS 1."""
        return self.kind == PUBLISH and (self.raw[0] >> 1) & 3 == 1

    @property
    def number(self) -> int:
        """The packet identifier of a PUBLISH of QoS 1 or a PUBACK."""
        at = self.body
        if self.kind == PUBLISH:
            at += 2 + int.from_bytes(self.raw[at : at + 2], "big")
        return int.from_bytes(self.raw[at : at + 2], "big")


async def read_packet(reader: asyncio.StreamReader) -> Packet | None:
    """The next packet; `None` at the end."""
    try:
        raw = bytearray(await reader.readexactly(2))
        while raw[-1] & 0x80:
            raw += await reader.readexactly(1)
        length = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(raw[1:]))
        body = len(raw)
        raw += await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return None
    return Packet(bytes(raw), body)


def puback(number: int) -> bytes:
    """Success, in either version."""
    return bytes([PUBACK << 4, 2]) + number.to_bytes(2, "big")
