"""Stores under test as programs: they append, say what is durable, are hurt, and are then asked what they still have.

The protocol is that of `gateway/journal/examples/journal_victim.rs`; the controls speak it too.
"""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    acked: int = -1
    """Its consumer's place on disk, as it counts them itself."""
    state: int = -1
    """The newest item that its state store holds."""
    errors: int = 0
    """What it could not write and said so."""

    def hear(self, lines: Sequence[str]) -> None:
        """Takes in what it has printed."""
        for line in lines:
            word, _, number = line.partition(" ")
            if word == "durable":
                self.durable = max(self.durable, int(number))
            elif word == "ack":
                self.acked = max(self.acked, int(number))
            elif word == "state":
                self.state = max(self.state, int(number))
            self.errors += word == "error"


@dataclass(frozen=True)
class Found:
    """What a store has after it was hurt."""

    opened: bool
    items: int = 0
    newest: int = -1
    gone: int = 0
    """Acknowledged items that are not there, whether the store says so or not."""
    silent: int = 0
    """The part of them that it says nothing about."""
    wrong: int = 0
    """Items that are not what was written, not in order, or there twice."""
    behind: int = 0
    """Places of the consumer and of the state store that were on disk and are not as far any more."""
    error: str = ""

    @property
    def harmed(self) -> int:
        """Everything that an honest store does not lose in a crash."""
        return self.gone + self.wrong + self.behind


@dataclass(frozen=True)
class Store:
    """A program that keeps items."""

    name: str
    command: tuple[str | Path, ...]
    """Without the folder."""
    read: Callable[[dict[str, Any], Said], Found]
    """Understands its answer to `--verify`."""
    options: tuple[str, ...] = ()
    """What comes behind the folder."""

    def start(self, folder: Path, log: Path, before: Sequence[str | Path] = ()) -> Child:
        """Lets it append."""
        return Child([*before, *self.command, folder, *self.options], log, environment())

    def verify(self, folder: Path, said: Said) -> Found:
        """Asks what it has of what it has promised. A crash or no answer means that it does not open."""
        command = [*map(str, (*self.command, folder)), *self.options, "--verify"]
        command += ["--acked", str(said.durable)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=VERIFY_WITHIN_S)
        except subprocess.TimeoutExpired:
            return Found(opened=False, error=f"no answer within {VERIFY_WITHIN_S:g} s")
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            return Found(opened=False, error=lines[0] if lines else f"exit code {done.returncode}")
        return self.read(json.loads(done.stdout.splitlines()[-1]), said)


def read_journal(answer: dict[str, Any], said: Said) -> Found:
    """The answer of `journal_victim`."""
    return Found(
        opened=True,
        items=answer["items"],
        newest=answer["last"],
        gone=answer["lost_acked"],
        silent=answer["lost_acked_unreported"],
        wrong=answer["corrupt"] + answer["inversions"] + answer["duplicates"] + answer["state_values_bad"],
        behind=(answer["cursor"] < said.acked) + (answer["state_last"] < said.state),
    )


def read_control(answer: dict[str, Any], said: Said) -> Found:
    """The answer of the controls."""
    if not answer["opened"]:
        return Found(opened=False, error=answer["error"])
    newest = answer["head"] - 1
    # Its consumer may have taken one step more than it could say.
    taken = max(0, answer["first"] - max(said.acked, 0) - ACK_STEP)
    gone = max(0, said.durable - newest) + answer["missing"] + taken
    items = answer["head"] - answer["first"] - answer["missing"]
    return Found(True, items, newest, gone, max(0, gone - answer["lost"]), answer["wrong"])


def environment() -> dict[str, str]:
    """The controls are modules of this package."""
    return {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"}


def control(module: str, *arguments: str) -> tuple[str | Path, ...]:
    """The command of a control in Python."""
    return (sys.executable, "-m", f"faulty.controls.{module}", *arguments)


def journal(*options: str) -> Store:
    """The gateway's journal; with `--state` and its state store."""
    return Store("journal", (victim_binary("journal_victim"),), read_journal, options)


def plain_sled() -> Store:
    """sled as its documentation says."""
    return Store("plain sled", (victim_binary("victim_sled"),), read_control)


def sqlite(level: str) -> Store:
    """SQLite with a level of `synchronous`."""
    return Store(f"SQLite {level}", control("sqlite_store", level), read_control)


def deaf() -> Store:
    """A log that does not look at errors."""
    return Store("a log that ignores errors", control("deaf_store"), read_control)


def drain_sqlite(folder: Path) -> int:
    """Takes what is in a queue of SQLite, as its consumer does; how many items could be taken."""
    db = sqlite3.connect(folder / "queue.sqlite", isolation_level=None)
    try:
        db.execute("PRAGMA synchronous=FULL")
        return db.execute("DELETE FROM queue").rowcount
    except sqlite3.DatabaseError:
        return 0
    finally:
        db.close()
