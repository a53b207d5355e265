"""Values of many points, by column."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from enum import IntEnum
from math import isfinite
from typing import Any, NamedTuple, SupportsIndex, TypeAlias, TypeVar

Json: TypeAlias = Any
"""What `json.loads` makes."""

Value: TypeAlias = bool | int | float | str | bytes | list[Any] | dict[str, Any] | None
"""What a point holds. Integers are signed, 64 bits."""

NESTING_MAX = 32
"""Arrays and objects within each other; the gateway reads no more."""
INT_MIN, INT_MAX = -(2**63), 2**63 - 1


class Quality(IntEnum):
    """How far a value can be trusted."""

    GOOD = 0
    """Measured now, and the device stands by it."""
    UNCERTAIN = 1
    """The device itself doubts it."""
    STALE = 2
    """It was good, but has not been read again for longer than it may be trusted."""
    BAD = 3
    """No value, for a reason not told more precisely."""
    BAD_CONFIG = 4
    """The point's configuration does not fit the device: an address that does not exist there."""
    BAD_NOT_CONNECTED = 5
    """The device or the link is away."""
    BAD_DEVICE = 6
    """The device reports a failure of its own."""
    BAD_TIMEOUT = 7
    """The device did not answer in time."""
    BAD_OUT_OF_RANGE = 8
    """The number does not fit: NaN, infinite, or too large for its type."""


class Kind(IntEnum):
    """Which column holds a value."""

    NULL = 0
    BOOL = 1
    INT = 2
    FLOAT = 3
    TEXT = 4
    BYTES = 5
    JSON = 6


class Reading(NamedTuple):
    """One value of a batch."""

    point: int
    value: Value
    quality: Quality
    time_ns: int
    """When the device measured, since 1970 (UTC); 0 is when the gateway takes it."""


Cell: TypeAlias = tuple[int, Kind, Any, int, int]
"""A value as its column holds it: point, kind, value, quality, time."""


class Batch:
    """Values of many points. Push raw values: no scale, no unit, no names.

    It keeps columns, as the wire does, and leaves out those in which all is as usual: `extend` with floats that are all
    good costs two copies.
    """

    __slots__ = ("columns", "kinds", "points", "qualities", "reasons", "times")

    def __init__(self) -> None:
        """Empty."""
        self.points: list[int] = []
        # Values by kind, each in the order of its points.
        self.columns: dict[Kind, list[Any]] = {kind: [] for kind in Kind}
        # None as long as all are floats, all are good, all are of now.
        self.kinds: bytearray | None = None
        self.qualities: bytearray | None = None
        self.times: list[int] | None = None
        # Why points are bad, where there is something to say.
        self.reasons: dict[int, str] = {}

    def good(self, point: SupportsIndex, value: Value, *, time_ns: int = 0) -> None:
        """Adds one good value. NaN and what does not fit become `BAD_OUT_OF_RANGE`, None becomes `BAD`."""
        self.push(point, value, Quality.GOOD, time_ns=time_ns)

    def bad(self, point: SupportsIndex, quality: Quality = Quality.BAD, *, time_ns: int = 0, reason: str = "") -> None:
        """Adds a point that could not be read.

        A `reason` says why it cannot be read as it is configured: it is told once, and the device counts as degraded.
        """
        self._cell((point.__index__(), Kind.NULL, None, max(quality, Quality.BAD), time_ns))
        if reason:
            self.reasons[point.__index__()] = reason

    def push(self, point: SupportsIndex, value: Value, quality: Quality, *, time_ns: int = 0) -> None:
        """Adds one value of this quality."""
        kind, value, at_best = column_of(value)
        self._cell((point.__index__(), kind, value, max(quality, at_best), time_ns))

    def extend(self, points: Iterable[int], floats: Iterable[float], *, time_ns: int = 0) -> None:
        """Adds good numbers: lists, `array.array` or numpy arrays of the same length. The fastest way."""
        points, floats = plain(points), plain(floats)
        same_length(points, floats)
        # The sum is finite only if all are: one pass in C. If it is not, each is looked at.
        if isfinite(sum(floats)):
            self._column(points, Kind.FLOAT, floats, time_ns)
        else:
            for point, value in zip(points, floats, strict=True):
                self.good(point, float(value), time_ns=time_ns)

    def extend_ints(self, points: Iterable[int], ints: Iterable[int], *, time_ns: int = 0) -> None:
        """Adds good whole numbers, as `extend` does."""
        points, ints = plain(points), plain(ints)
        same_length(points, ints)
        if ints and min(ints) >= INT_MIN and max(ints) <= INT_MAX:
            self._column(points, Kind.INT, ints, time_ns)
        else:
            for point, value in zip(points, ints, strict=True):
                self.good(point, value, time_ns=time_ns)

    def append(self, other: Batch) -> None:
        """Adds all of another."""
        before, more = len(self.points), len(other.points)
        self.kinds = joined(self.kinds, other.kinds, bytearray([Kind.FLOAT]), before, more)
        self.qualities = joined(self.qualities, other.qualities, bytearray([Quality.GOOD]), before, more)
        self.times = joined(self.times, other.times, [0], before, more)
        self.points += other.points
        for kind, values in other.columns.items():
            self.columns[kind] += values
        self.reasons |= other.reasons

    def take(self) -> Batch:
        """All of this in a new batch; this one is empty afterwards."""
        taken = Batch()
        for name in Batch.__slots__:
            mine, empty = getattr(self, name), getattr(taken, name)
            setattr(taken, name, mine)
            setattr(self, name, empty)
        return taken

    def newest(self) -> Batch:
        """The last value of each point."""
        return self._of({cell[0]: cell for cell in self.cells()}.values())

    def halves(self) -> tuple[Batch, Batch]:
        """The first half of the values, and the rest."""
        cells = list(self.cells())
        middle = len(cells) // 2
        return self._of(cells[:middle]), self._of(cells[middle:])

    def cells(self) -> Iterator[Cell]:
        """Each value as its column holds it."""
        columns = {kind: iter(values) for kind, values in self.columns.items()}
        for place, point in enumerate(self.points):
            kind = Kind.FLOAT if self.kinds is None else Kind(self.kinds[place])
            value = None if kind is Kind.NULL else next(columns[kind])
            quality = 0 if self.qualities is None else self.qualities[place]
            yield point, kind, value, quality, 0 if self.times is None else self.times[place]

    def __iter__(self) -> Iterator[Reading]:
        """Each value."""
        for point, kind, value, quality, time_ns in self.cells():
            yield Reading(point, json.loads(value) if kind is Kind.JSON else value, Quality(quality), time_ns)

    def __len__(self) -> int:
        """Number of values."""
        return len(self.points)

    def __repr__(self) -> str:
        """All values."""
        return f"Batch({list(self)!r})"

    def clocked(self) -> tuple[int, list[int]]:
        """The time of all, and what each adds to it. A value of now among others that have a time gets the present."""
        if self.times is None or not self.times:
            return 0, []
        if len(set(self.times)) == 1:
            return self.times[0], []
        now = time.time_ns()
        times = [moment or now for moment in self.times]
        return times[0], [moment - times[0] for moment in times]

    def _of(self, cells: Iterable[Cell]) -> Batch:
        """Some of these values in a new batch."""
        batch = Batch()
        for cell in cells:
            batch._cell(cell)
            if cell[0] in self.reasons:
                batch.reasons[cell[0]] = self.reasons[cell[0]]
        return batch

    def _cell(self, cell: Cell) -> None:
        point, kind, value, quality, time_ns = cell
        self._like([point], kind, quality, time_ns)
        if kind is not Kind.NULL:
            self.columns[kind].append(value)

    def _column(self, points: list[int], kind: Kind, values: list[Any], time_ns: int) -> None:
        self._like(points, kind, 0, time_ns)
        self.columns[kind] += values

    def _like(self, points: list[int], kind: Kind, quality: int, time_ns: int) -> None:
        """Adds points that have all but their values in common."""
        before, more = len(self.points), len(points)
        if self.kinds is None and kind is not Kind.FLOAT:
            self.kinds = bytearray([Kind.FLOAT]) * before
        if self.qualities is None and quality != Quality.GOOD:
            self.qualities = bytearray(before)
        if self.times is None and time_ns != 0:
            self.times = [0] * before
        self.points += points
        if self.kinds is not None:
            self.kinds += bytes([kind]) * more
        if self.qualities is not None:
            self.qualities += bytes([quality]) * more
        if self.times is not None:
            self.times += [time_ns] * more


def column_of(value: Any) -> tuple[Kind, Any, Quality]:
    """Where a value goes, in which form, and how good it can be at best."""
    match value:
        case None:
            return Kind.NULL, None, Quality.BAD
        case bool():
            return Kind.BOOL, value, Quality.GOOD
        case int():
            return (Kind.INT, value, Quality.GOOD) if INT_MIN <= value <= INT_MAX else OUT_OF_RANGE
        case float():
            return (Kind.FLOAT, value, Quality.GOOD) if isfinite(value) else OUT_OF_RANGE
        case str():
            return (Kind.TEXT, value, Quality.GOOD) if encodes(value) else (Kind.NULL, None, Quality.BAD)
        case bytes() | bytearray() | memoryview():
            return Kind.BYTES, bytes(value), Quality.GOOD
        case list() | tuple() | dict():
            return json_column(value)
    # A numpy scalar.
    if hasattr(value, "item"):
        return column_of(value.item())
    raise TypeError(f"{type(value).__name__} is no value; None, bool, int, float, str, bytes, list and dict are")


OUT_OF_RANGE = (Kind.NULL, None, Quality.BAD_OUT_OF_RANGE)


def json_column(value: Json) -> tuple[Kind, Any, Quality]:
    """An array or an object; JSON has no NaN."""
    if nests_deeper(value, NESTING_MAX):
        return OUT_OF_RANGE
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except ValueError:
        return OUT_OF_RANGE
    return (Kind.JSON, text, Quality.GOOD) if encodes(text) else (Kind.NULL, None, Quality.BAD)


def nests_deeper(value: Json, levels: int) -> bool:
    """Whether arrays and objects are within each other more often than that."""
    if not isinstance(value, list | tuple | dict):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(nests_deeper(each, levels - 1) for each in inner)


def encodes(text: str) -> bool:
    """Whether it is Unicode: bytes decoded with `surrogateescape` are not."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


Column = TypeVar("Column", bytearray, list[int])


def joined(first: Column | None, second: Column | None, usual: Column, before: int, more: int) -> Column | None:
    """Two columns in one, each of which may be left out."""
    if first is None and second is None:
        return None
    return (usual * before if first is None else first) + (usual * more if second is None else second)


def plain(values: Iterable[Any]) -> list[Any]:
    """A list of Python's own numbers."""
    if isinstance(values, list):
        return values
    listed: list[Any] = values.tolist() if hasattr(values, "tolist") else list(values)
    return listed


def same_length(points: list[int], values: list[Any]) -> None:
    """Refuses columns that do not belong together."""
    if len(points) != len(values):
        raise ValueError(f"{len(points)} points and {len(values)} values: each point needs one")
