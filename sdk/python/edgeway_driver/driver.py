"""The two classes that a driver derives from, and what they are told."""

from __future__ import annotations

import asyncio
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .batch import Batch, Json, Value
from .fault import Unsupported
from .manifest import Manifest

if TYPE_CHECKING:
    from .sink import Sink

L = TypeVar("L")
"""The options of a link."""
D = TypeVar("D")
"""The options of a device."""
P = TypeVar("P")
"""The options of a point."""


class Access(IntEnum):
    """What may be done with a point."""

    READ_WRITE = 0
    READ = 1
    WRITE = 2

    @property
    def reads(self) -> bool:
        """True unless the point can only be written."""
        return self is not Access.WRITE

    @property
    def writes(self) -> bool:
        """True unless the point can only be read."""
        return self is not Access.READ


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DeviceSpec(Generic[D]):
    """A device on a link."""

    number: int
    """Given by the gateway."""
    options: D
    """The device's table that is named after the driver."""

    def __index__(self) -> int:
        """Its number."""
        return self.number


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class PointSpec(Generic[D, P]):
    """A point of a device."""

    number: int
    """Given by the gateway."""
    device: DeviceSpec[D]
    """Whose point it is."""
    options: P
    """What is written about it for this driver. Points that are written alike share them."""
    access: Access
    """Whether it is read, written or both."""
    period_ms: int
    """How often it is to be read. Points of one step share a period."""

    def __index__(self) -> int:
        """Its number."""
        return self.number


@dataclasses.dataclass(slots=True, eq=False)
class Step(Generic[D, P]):
    """One wire transaction that reads some points of one device."""

    points: Sequence[PointSpec[D, P]]
    """What it reads: at least one, all of one device and one period."""
    request: Any = None
    """Whatever `exec` needs and `plan` can find out: the bytes of the question, the layout of the answer."""
    wire_time_us: int = 0
    """How long the bytes keep the wire busy, if that is known and something to speak of."""
    number: int = dataclasses.field(default=0, init=False)
    """Given by the runtime, and never twice."""
    numbers: list[int] = dataclasses.field(init=False, repr=False)
    """The numbers of its points, for `Batch.extend`."""

    def __post_init__(self) -> None:
        """Knows its points by number."""
        self.numbers = [point.number for point in self.points]

    @property
    def device(self) -> DeviceSpec[D]:
        """The device that it talks to."""
        return self.points[0].device


@dataclasses.dataclass(slots=True)
class Plan(Generic[D, P]):
    """What `plan` answers. Every readable point is in exactly one step, or watched, or rejected."""

    steps: Sequence[Step[D, P]] = ()
    """The transactions."""
    watched: Sequence[PointSpec[D, P]] = ()
    """Points that nobody has to ask for: `Link.watch` tells what is new."""
    rejected: Sequence[tuple[PointSpec[D, P], str]] = ()
    """Points that cannot be read, each with a reason for the operator."""
    concurrency: int = 1
    """How many steps will run at the same time, as far as it is known beforehand."""


@dataclasses.dataclass(frozen=True, slots=True)
class LinkInfo:
    """What a link turned out to be."""

    concurrency: int = 1
    """How many questions to devices may be under way at the same time. The runtime keeps to it too."""
    identity: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What the other end says of itself: vendor, product, version."""
    settle_ms: int = 0
    """How long a device is left alone that has not answered, where a late answer could be mistaken for another."""


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """Something found by `Link.browse` or `Driver.discover`."""

    options: Json
    """What to put into a device's table, or a point, to use it."""
    identity: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What it says of itself."""
    offer: Mapping[str, Json] | None = None
    """Of a point: the property that it offers, for a model of the gateway's. `sdk/wire/README.md` has its keys."""


@dataclasses.dataclass(frozen=True, slots=True)
class Deadline:
    """When an answer is due. The runtime ends what takes longer; ending before that leaves a better reason."""

    at: float
    """On the clock of the event loop."""

    @staticmethod
    def after(seconds: float) -> Deadline:
        """So much from now."""
        return Deadline(asyncio.get_running_loop().time() + seconds)

    def remaining(self) -> float:
        """Seconds until then; 0 if it has passed."""
        return max(0.0, self.at - asyncio.get_running_loop().time())

    def timeout(self, at_most: float | None = None) -> asyncio.Timeout:
        """`async with by.timeout(2):` raises TimeoutError after 2 s, or at the deadline if that is sooner."""
        soonest = self.at if at_most is None else min(self.at, Deadline.after(at_most).at)
        return asyncio.timeout_at(soonest)


class Link(ABC, Generic[L, D, P]):
    """One wire and everything on it.

    The runtime gives each question a deadline and ends the handler that overruns it; then it calls `reset`, so that an
    answer that comes too late is never taken for the answer to a later question, and tells a `DeviceFault`. The same
    happens after `TimeoutError`, `UncleanFault` and exceptions that a handler did not mean to raise. `OSError` and
    `EOFError` become a `LinkFault`.
    """

    def __init__(self, options: L) -> None:
        """Makes a link, without any I/O yet."""
        self.options = options

    def plan(
        self, devices: Sequence[DeviceSpec[D]], points: Sequence[PointSpec[D, P]], split: Step[D, P] | None
    ) -> Plan[D, P]:
        """Groups points into transactions. The same input gives the same plan.

        With `split`, the points are those of a step that the device refused, and smaller steps are wanted for them,
        at best halves, down to one point a step. An empty plan says that it cannot be divided: its points stand or fall
        together, and all count as refused.

        By default a step holds all points of a device that have the same period (`steps_by_device`).
        """
        return steps_by_device(points, split)

    async def connect(self, by: Deadline) -> LinkInfo | None:
        """Opens the wire. Called first, and again after a `LinkFault` or a `reset` that closed; closed before that.

        None is a `LinkInfo` in which all is as usual: one question at a time.
        """
        return None

    @abstractmethod
    async def exec(self, step: Step[D, P], out: Batch, by: Deadline) -> None:
        """Runs one transaction and pushes one entry for every point of the step. What a fault leaves there is lost."""

    async def watch(self, points: Sequence[PointSpec[D, P]], sink: Sink, by: Deadline) -> None:
        """Begins to tell the sink what is new of these points, each with its present value first.

        Returns as soon as it has begun; `sink.listen` keeps it going. It ends with the wire.
        """
        raise Unsupported("watching")

    async def write(self, point: PointSpec[D, P], value: Value, by: Deadline) -> Value:
        """Writes one raw value, and gives what was read back, or None.

        After a `DeviceFault` or a `LinkFault` nobody knows whether the device took the value. Never write twice.
        """
        raise Unsupported("writing")

    async def call(self, device: DeviceSpec[D], service: str, input: Json, by: Deadline) -> Json:
        """Calls a service of the device, for protocols that have calls of their own."""
        raise Unsupported("calling services")

    async def browse(self, device: DeviceSpec[D], at: str, by: Deadline) -> Sequence[Found]:
        """Lists what a device has to offer, below `at` if that is not empty."""
        raise Unsupported("browsing")

    def health(self) -> Mapping[str, int]:
        """What the driver counts, each with a name in snake_case. Cheap, and does no I/O."""
        return {}

    async def reset(self) -> bool:
        """Makes the wire clean after a handler was cut off: nothing that still arrives may be taken for an answer.

        Tells whether the wire is still open. By default it is closed, and the runtime calls `connect` before the next
        question. Override it where closing is too much: fall silent on a serial line, forget a transaction's number.
        """
        await self.close()
        return False

    async def close(self) -> None:
        """Closes the wire, if it is open. `connect` may follow."""
        return None


class Driver(ABC, Generic[L, D, P]):
    """A protocol: says what its options look like, and makes links. Does no I/O, except in `discover`."""

    manifest: Manifest
    """What it says of itself."""
    link: type[Link[L, D, P]]
    """What it makes of the options of a link."""

    def open(self, options: L) -> Link[L, D, P]:
        """Makes a link, without any I/O yet. Raises `ConfigFault` if the options are wrong after all."""
        return self.link(options)

    def discover(self, hint: Json, by: Deadline) -> AsyncIterator[Found]:
        """Yields devices as soon as they are found: `async def discover(...)` with `yield`.

        `hint` holds what the user knows. At the deadline it is ended; that is no mistake.
        """
        raise Unsupported("discovery")


def steps_by_device(
    points: Sequence[PointSpec[D, P]], split: Step[D, P] | None = None, points_max: int | None = None
) -> Plan[D, P]:
    """A plan with one step for all points of a device that have the same period, in steps of `points_max` at most.

    With `split`, a plan with the halves.
    """
    if split is not None:
        return Plan(steps=[Step(half) for half in halves(points)])
    groups: dict[tuple[int, int], list[PointSpec[D, P]]] = {}
    for point in points:
        if point.access.reads:
            groups.setdefault((point.device.number, point.period_ms), []).append(point)
    pieces = (piece for group in groups.values() for piece in chunks(group, points_max or len(group)))
    return Plan(steps=[Step(piece) for piece in pieces])


T = TypeVar("T")


def halves(points: Sequence[T]) -> list[Sequence[T]]:
    """Both halves, the first not shorter; one point alone stays alone."""
    middle = (len(points) + 1) // 2
    return [half for half in (points[:middle], points[middle:]) if half]


def chunks(points: Sequence[T], points_max: int) -> list[Sequence[T]]:
    """Pieces of `points_max` at most, in order."""
    return [points[start : start + points_max] for start in range(0, len(points), points_max)]
