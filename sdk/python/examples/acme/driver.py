"""The Acme line protocol over TCP: one line asks for one register, one line answers.

`device.py` beside it is a device, and says what the lines look like. A late answer looks like the answer to a later
question about the same register. So after a timeout, and after anything strange, the connection is closed.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from edgeway_driver import (
    Batch,
    Deadline,
    DeviceSpec,
    Driver,
    Link,
    Manifest,
    Pattern,
    Plan,
    PointFault,
    PointSpec,
    Quality,
    Range,
    Step,
    UncleanFault,
    Value,
    run,
    steps_by_device,
)

LINE_BYTES_MAX = 64
ANSWER = re.compile(r"(\d+) (\d+) (-?\d+|!\d+)\r?\n")
REFUSALS = {"!1": "it does not know the question", "!2": "no such register", "!3": "it cannot be written"}


@dataclass(frozen=True)
class LinkOptions:
    """What is written in `[link.NAME]`."""

    endpoint: Annotated[str, "Where the device listens.", Pattern(r"tcp://[^\s:/]+:\d{1,5}", "tcp://host:port")]
    timeout: Annotated[timedelta, "How long one answer may take."] = timedelta(seconds=1)

    def __post_init__(self) -> None:
        # Raises ValueError for a port above 65535.
        _ = urlsplit(self.endpoint).port


@dataclass(frozen=True)
class DeviceOptions:
    """What is written in a device's table `acme`."""

    unit: Annotated[int, "The number of the unit behind the endpoint.", Range(1, 247)]


@dataclass(frozen=True)
class PointOptions:
    """What is written about a point."""

    at: Annotated[int, "The register.", Range(0, 65535)]


Device = DeviceSpec[DeviceOptions]
Point = PointSpec[DeviceOptions, PointOptions]


class AcmeLink(Link[LinkOptions, DeviceOptions, PointOptions]):
    """One connection, with one question under way at a time."""

    def __init__(self, options: LinkOptions) -> None:
        super().__init__(options)
        endpoint = urlsplit(options.endpoint)
        self.address = endpoint.hostname, endpoint.port
        self.timeout_s = options.timeout.total_seconds()
        self.wire: socket.socket | None = None
        self.strays = 0

    def plan(
        self, devices: Sequence[Device], points: Sequence[Point], split: Step[DeviceOptions, PointOptions] | None
    ) -> Plan[DeviceOptions, PointOptions]:
        """A line asks for one register."""
        return steps_by_device(points, split, points_max=1)

    async def connect(self, by: Deadline) -> None:
        loop = asyncio.get_running_loop()
        host, port = self.address
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        self.wire = socket.socket(family, kind, protocol)
        self.wire.setblocking(False)
        await loop.sock_connect(self.wire, address)

    async def exec(self, step: Step[DeviceOptions, PointOptions], out: Batch, by: Deadline) -> None:
        for point in step.points:
            out.good(point, await self.ask(point, "R", "", by))

    async def write(self, point: Point, value: Value, by: Deadline) -> int:
        if not isinstance(value, int | float) or not float(value).is_integer():
            raise PointFault(point, f"{value!r} is not a whole number", Quality.BAD_OUT_OF_RANGE)
        return await self.ask(point, "W", f" {int(value)}", by)

    def health(self) -> Mapping[str, int]:
        return {"stray_bytes": self.strays}

    async def close(self) -> None:
        if self.wire is not None:
            self.wire.close()
            self.wire = None

    async def ask(self, point: Point, verb: str, rest: str, by: Deadline) -> int:
        """Asks for, or writes, one register: what it holds."""
        unit, register = point.device.options.unit, point.options.at
        assert self.wire is not None, "the runtime asks only what is connected"
        self.discard(self.wire)
        try:
            async with by.timeout(self.timeout_s):
                question = f"{verb} {unit} {register}{rest}\n"
                await asyncio.get_running_loop().sock_sendall(self.wire, question.encode())
                line = await read_line(self.wire)
        except TimeoutError:
            raise UncleanFault(f"unit {unit} has not answered within {self.timeout_s:g} s") from None
        answer = ANSWER.fullmatch(line.decode(errors="replace"))
        if answer is None or (int(answer[1]), int(answer[2])) != (unit, register):
            raise UncleanFault(f"asked unit {unit} for register {register}, it answered {line!r}")
        if answer[3].startswith("!"):
            raise PointFault(point, f"register {register}: {REFUSALS.get(answer[3], f'refused with {answer[3]}')}")
        return int(answer[3])

    def discard(self, wire: socket.socket) -> None:
        """What is here before the question cannot be its answer."""
        try:
            while stray := wire.recv(4096):
                self.strays += len(stray)
        except BlockingIOError:
            return
        raise EOFError("the device has closed the connection")


async def read_line(wire: socket.socket) -> bytes:
    """One line, and nothing behind it."""
    line = b""
    while b"\n" not in line:
        part = await asyncio.get_running_loop().sock_recv(wire, 256)
        if not part:
            raise EOFError("the device has closed the connection")
        line += part
        if len(line) > LINE_BYTES_MAX:
            raise UncleanFault(f"a line of more than {LINE_BYTES_MAX} bytes: {line[:20]!r}...")
    return line


class AcmeDriver(Driver[LinkOptions, DeviceOptions, PointOptions]):
    """Says what the options look like."""

    manifest = Manifest(
        name="acme",
        version="1.0.0",
        summary="Acme line protocol over TCP",
        link=LinkOptions,
        device=DeviceOptions,
        point=PointOptions,
        wire=["endpoint"],
    )
    link = AcmeLink


if __name__ == "__main__":
    run(AcmeDriver())
