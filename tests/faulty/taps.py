"""Proxies that speak MQTT: one writes down what the broker acknowledged, one acknowledges and drops."""

import asyncio
from collections import deque
from collections.abc import Callable

from .packets import PUBACK, Packet, puback, read_packet
from .proxy import Proxy


class Tap(Proxy):
    """Remembers the packets that the broker has acknowledged: when it is killed, they are its own to lose."""

    def __init__(self, port: int, acknowledged: Callable[[bytes], object], host: str = "127.0.0.1") -> None:
        super().__init__(port, host)
        self.acknowledged = acknowledged
        self.waiting: dict[tuple[int, int], bytes] = {}

    async def _up(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, back: asyncio.StreamWriter) -> None:
        while packet := await read_packet(reader):
            if packet.acknowledged:
                self.waiting[id(back), packet.number] = packet.raw
            await self._pass_on(packet.raw, out)

    async def _down(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        while packet := await read_packet(reader):
            if packet.kind == PUBACK and (raw := self.waiting.pop((id(out), packet.number), None)):
                self.acknowledged(raw)
            await self._pass_on(packet.raw, out)


class Liar(Proxy):
    """Acknowledges one publish in so many without passing it on: a target that loses what it has taken."""

    def __init__(self, port: int, one_in: int, host: str = "127.0.0.1") -> None:
        super().__init__(port, host)
        self.one_in, self.seen, self.swallowed = one_in, 0, 0
        # By connection: numbers in the order of the publishes, and whether each was swallowed.
        self.order: dict[int, deque[tuple[int, bool]]] = {}

    async def _up(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, back: asyncio.StreamWriter) -> None:
        order = self.order.setdefault(id(back), deque())
        while packet := await read_packet(reader):
            if not packet.acknowledged:
                await self._pass_on(packet.raw, out)
                continue
            swallow = self._swallows()
            order.append((packet.number, swallow))
            if swallow:
                await self._acknowledge_swallowed(order, back)
            else:
                await self._pass_on(packet.raw, out)

    def _swallows(self) -> bool:
        self.seen += 1
        swallow = self.seen % self.one_in == 0
        self.swallowed += swallow
        return swallow

    async def _acknowledge_swallowed(self, order: deque[tuple[int, bool]], back: asyncio.StreamWriter) -> None:
        """Acknowledgements keep the order of the publishes, as an honest broker's do."""
        while order and order[0][1]:
            await self._pass_on(puback(order.popleft()[0]), back)

    async def _down(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        order = self.order.setdefault(id(out), deque())
        while packet := await read_packet(reader):
            await self._pass_on(packet.raw, out)
            if packet.kind == PUBACK:
                forget(order, packet)
                await self._acknowledge_swallowed(order, out)


def forget(order: deque[tuple[int, bool]], acknowledged: Packet) -> None:
    """The broker has acknowledged this one."""
    for entry in order:
        if entry == (acknowledged.number, False):
            order.remove(entry)
            return
