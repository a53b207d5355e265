"""Runs promises, each after its control, and prints the table."""

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from .context import Context
from .figure import Figure, Promise, Unavailable


class Verdict(StrEnum):
    """What a row comes to."""

    OK = "ok"
    MISSED = "MISSED"
    FAILED = "FAILED"
    """The harness could not do its work."""
    BROKEN = "BROKEN"
    """The control met the goal: the harness sees nothing."""
    SKIPPED = "skipped"
    """This machine may not do it."""


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    promise: str
    goal: str
    rounds: int
    figure: str
    control: str
    verdict: Verdict
    numbers: Mapping[str, float]

    @property
    def bad(self) -> bool:
        """Whether the suite fails for it."""
        return self.verdict not in (Verdict.OK, Verdict.SKIPPED)


def run(name: str, promise: Promise, rounds: int, ctx: Context) -> Row:
    """Shows one promise: first that the harness can see a breach, then that there is none."""
    ctx.progress.begin(promise.NAME)
    control = attempt(lambda: promise.control(ctx))
    if isinstance(control, Figure) and control.met:
        text = f"the control ({promise.CONTROL}) was not seen to fail: {control.text}"
        row = rowed(name, promise, Figure(0, text, False), Verdict.BROKEN, control.text)
    elif isinstance(control, Failed):
        row = rowed(name, promise, Figure(0, f"control: {control.text}", False), control.verdict, "")
    else:
        row = shown(name, promise, attempt(lambda: promise.run(rounds, ctx)), control.text)
    ctx.progress.end(f"{row.verdict}: {row.figure}")
    return row


@dataclass(frozen=True)
class Failed:
    """There is no figure."""

    verdict: Verdict
    text: str


def attempt(work: Callable[[], Figure]) -> Figure | Failed:
    """A figure, or why there is none."""
    try:
        return work()
    except Unavailable as reason:
        return Failed(Verdict.SKIPPED, f"skipped: {reason}")
    except Exception as error:  # Whatever goes wrong in one harness must not end the others.
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Failed(Verdict.FAILED, f"{type(error).__name__}: {error} ({place.name}, line {place.lineno})")


def shown(name: str, promise: Promise, outcome: Figure | Failed, control: str) -> Row:
    """The row of a promise whose control failed as it must."""
    if isinstance(outcome, Failed):
        return rowed(name, promise, Figure(0, outcome.text, False), outcome.verdict, control)
    return rowed(name, promise, outcome, Verdict.OK if outcome.met else Verdict.MISSED, control)


def rowed(name: str, promise: Promise, figure: Figure, verdict: Verdict, control: str) -> Row:
    """A row."""
    return Row(name, promise.NAME, promise.GOAL, figure.rounds, figure.text, control, verdict, figure.numbers)


COLUMNS = ("promise", "rounds", "figure", "goal", "ok")


def table(rows: list[Row]) -> str:
    """For people."""
    cells = [COLUMNS, *((row.promise, str(row.rounds), row.figure, row.goal, str(row.verdict)) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(COLUMNS))]
    lines = [" | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "-+-".join("-" * width for width in widths), *lines[1:]])


def as_json(rows: list[Row]) -> str:
    """For programs."""
    return json.dumps([asdict(row) for row in rows], indent=2)
