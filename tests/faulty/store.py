"""Stores under test as programs: they append, say what is durable, are hurt, and are then asked what they still have.

The protocol is that of `gateway/journal/examples/journal_victim.rs`; the controls speak it too.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .context import victim_binary
from .process import Child

VERIFY_WITHIN_S = 60.0
ACK_STEP = 64
"""Consumers take at most so many items at a time."""
TESTS = Path(__file__).resolve().parents[1]


@dataclass
class Said:
    """What a store has promised, in all its lives."""

    durable: int = -1
    """The newest item that it has acknowledged."""
    acked: int = 0
    """Its consumer has taken what is below."""

    def hear(self, lines: Sequence[str]) -> None:
        """Takes in what it has printed."""
        for line in lines:
            word, _, number = line.partition(" ")
            if word == "durable":
                self.durable = max(self.durable, int(number))
            elif word == "ack":
                self.acked = max(self.acked, int(number))


@dataclass(frozen=True)
class Found:
    """What a store has after it was hurt."""

    opened: bool
    first: int = 0
    """The oldest item that its consumer has not taken, as the store has it."""
    head: int = 0
    """One behind the newest item."""
    missing: int = 0
    """Items between the two that are not there."""
    lost: int = 0
    """Items that the store itself says are lost."""
    wrong: int = 0
    """Items that are not what was written."""
    error: str = ""

    def lost_acknowledged(self, said: Said) -> int:
        """Acknowledged items that are gone, whether the store says so or not."""
        newest = max(0, said.durable + 1 - self.head)
        # The consumer may have taken one step more than it could say.
        oldest = max(0, self.first - said.acked - ACK_STEP)
        return newest + oldest + self.missing + self.wrong

    @property
    def silent(self) -> int:
        """Items that are gone without a word, or served wrong."""
        return max(0, self.missing - self.lost) + self.wrong


@dataclass(frozen=True)
class Store:
    """A program that keeps items."""

    name: str
    command: tuple[str | Path, ...]
    """Without the folder."""

    def start(self, folder: Path, log: Path, before: Sequence[str | Path] = ()) -> Child:
        """Lets it append."""
        return Child([*before, *self.command, folder], log, environment())

    def verify(self, folder: Path) -> Found:
        """Asks what it has. A crash or no answer means that it does not open."""
        command = [str(part) for part in (*self.command, folder, "--verify")]
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=VERIFY_WITHIN_S)
        except subprocess.TimeoutExpired:
            return Found(opened=False, error=f"no answer within {VERIFY_WITHIN_S:g} s")
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            return Found(opened=False, error=lines[0] if lines else f"exit code {done.returncode}")
        return found(json.loads(done.stdout.splitlines()[-1]))


def found(answer: dict[str, object]) -> Found:
    """An answer; what it says more than we need is left."""
    known = {name: answer[name] for name in Found.__dataclass_fields__ if name in answer}
    return Found(**known)  # type: ignore[arg-type]


def environment() -> dict[str, str]:
    """The controls are modules of this package."""
    return {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"}


def control(module: str, *arguments: str) -> tuple[str | Path, ...]:
    """The command of a control in Python."""
    return (sys.executable, "-m", f"faulty.controls.{module}", *arguments)


def journal(*options: str) -> Store:
    """The gateway's journal, with its state store."""
    return Store("journal", (victim_binary("journal_victim"), *options))


def plain_sled() -> Store:
    """sled as its documentation says."""
    return Store("plain sled", (victim_binary("victim_sled"),))


def sqlite(level: str) -> Store:
    """SQLite with a level of `synchronous`."""
    return Store(f"SQLite {level}", control("sqlite_store", level))


def deaf() -> Store:
    """A log that does not look at errors."""
    return Store("a log that ignores errors", control("deaf_store"))
