"""Judges what arrived, by ids: what is missing, what came out of order, what came twice.

An id is 32 hexadecimal digits: 12 of the gateway, 8 of the epoch (the journal's count of starts), 12 of the offset. It takes
one message at a time and remembers numbers only, so a million messages fit.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ID_DIGITS = 32
CRITICAL_KINDS = frozenset({"event", "status", "command", "notify", "ledger", "scene"})


@dataclass(frozen=True, order=True)
class Id:
    """A message's id without the gateway's part."""

    epoch: int
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}/{self.offset}"


def parse_id(text: object) -> Id | None:
    """The id that a payload names."""
    if not isinstance(text, str) or len(text) != ID_DIGITS:
        return None
    try:
        return Id(int(text[12:20], 16), int(text[20:], 16))
    except ValueError:
        return None


@dataclass(frozen=True)
class Acknowledged:
    """Offsets that one life of the gateway has shown as durable: `first` up to before `end`."""

    epoch: int | None
    """`None`: not known; then a message of any epoch with that offset will do."""
    first: int
    end: int


@dataclass
class Judgement:
    """What is wrong with what arrived."""

    arrived: int
    lost: list[int]
    """Acknowledged offsets that never arrived."""
    inversions: int
    repeats: int
    strangers: int
    """Messages without an id, and measurements that came again from another life of the gateway under another id."""

    @property
    def sound(self) -> bool:
        """At least once, in order, repeats by known id."""
        return self.arrived > 0 and not self.lost and self.inversions == 0 and self.strangers == 0

    def __str__(self) -> str:
        wrong = [f"{len(self.lost)} lost", f"{self.inversions} inversions", f"{self.strangers} unknown ids"]
        return f"{', '.join(wrong)} of {self.arrived:,}; {self.repeats:,} repeats"


@dataclass
class Checker:
    """Takes messages as they arrive."""

    ordered: bool = True
    """Whether the route keeps the order of each device and class; with a share for live data it does not."""
    repeats: int = 0
    inversions: int = 0
    strangers: int = 0
    example: str = ""
    """The first inversion."""
    offsets: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    newest: dict[tuple[str, str], Id] = field(default_factory=dict)
    contents: dict[int, int] = field(default_factory=dict)
    commands: set[str] = field(default_factory=set)

    @property
    def arrived(self) -> int:
        """Different messages."""
        return sum(len(offsets) for offsets in self.offsets.values())

    def take(self, message: dict[str, Any]) -> bool:
        """Takes one message; says whether it is new."""
        ident = parse_id(message.get("id"))
        if ident is None:
            self.strangers += 1
            return False
        if ident.offset in self.offsets[ident.epoch]:
            self.repeats += 1
            return False
        self.offsets[ident.epoch].add(ident.offset)
        self._order(message, ident)
        self._content(message, ident)
        if isinstance(command := message.get("command"), str):
            self.commands.add(command)
        return True

    def _order(self, message: dict[str, Any], ident: Id) -> None:
        subject, device = str(message.get("subject", "")), message.get("device")
        if not self.ordered or not isinstance(device, str):
            return
        key = (device, class_of(subject))
        if (before := self.newest.get(key)) is not None and ident < before:
            self.inversions += 1
            self.example = self.example or f"{device}: {ident} first came after {before}, as number {self.arrived:,}"
        else:
            self.newest[key] = ident

    def _content(self, message: dict[str, Any], ident: Id) -> None:
        """What was measured once is not stored again by a later life: under another id nobody could know the repeat."""
        if (values := message.get("values")) is None:
            return
        measured = tuple((name, value.get("time"), value.get("quality")) for name, value in values.items())
        content = hash((message.get("device"), measured))
        if self.contents.setdefault(content, ident.epoch) != ident.epoch:
            self.strangers += 1

    def judge(self, acknowledged: Iterable[Acknowledged]) -> Judgement:
        """Compares with what was acknowledged."""
        lost = [offset for part in acknowledged for offset in self._missing(part)]
        return Judgement(self.arrived, lost, self.inversions, self.repeats, self.strangers)

    def _missing(self, part: Acknowledged) -> Iterable[int]:
        there = [self.offsets[part.epoch]] if part.epoch is not None else list(self.offsets.values())
        return (offset for offset in range(part.first, part.end) if not any(offset in some for some in there))

    def everything_below(self, end: int) -> bool:
        """Whether each offset below this has come, from whichever life."""
        return self.missing_below(end) == 0

    def missing_below(self, end: int) -> int:
        """How many offsets below this have not come, from whichever life."""
        return sum(1 for _ in self._missing(Acknowledged(None, 0, end)))

    def newest_epoch(self) -> int | None:
        """The last life of the gateway that anything has come from."""
        return max(self.offsets, default=None)


def class_of(subject: str) -> str:
    """Critical messages overtake others; within a class a device's order is kept."""
    return "critical" if subject.partition("/")[0] in CRITICAL_KINDS else "normal"


def wall_seconds(text: str) -> float:
    """A message's time, in seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()
