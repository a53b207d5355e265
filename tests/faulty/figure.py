"""What a promise comes to: a figure, whether it meets the goal, and how a harness says that it cannot tell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .context import Context


@dataclass(frozen=True)
class Figure:
    """What was seen."""

    rounds: int
    text: str
    """For people, short: `0 lost of 41,200`."""
    met: bool
    """Whether this is as good as the promise says."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """For programs; durations in seconds, sizes in bytes."""


class Unavailable(Exception):
    """This machine may not do what the harness needs; says what."""


class Promise(Protocol):
    """A module of `faulty.promises`."""

    NAME: str
    GOAL: str
    ROUNDS: int
    """Rounds of the full suite."""
    ROUNDS_SHORT: int
    """Rounds of `--short`."""
    CONTROL: str
    """What the control is, in a few words."""

    @property
    def run(self) -> Callable[[int, Context], Figure]:
        """Shows the promise in so many rounds."""
        ...

    @property
    def control(self) -> Callable[[Context], Figure]:
        """Does the same with something that is known to break the promise. A goal that is met here means that the
        harness sees nothing."""
        ...
