"""Damaged bytes: copies of a closed store with one bit flipped, or a file cut short."""

import contextlib
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from subprocess import TimeoutExpired

from .. import store
from ..context import Context
from ..figure import Figure
from ..store import Found, Said, Store

NAME = "damage"
GOAL = "at most 1 record per flip, 0 silent, 0 failed starts"
ROUNDS = 1000
ROUNDS_SHORT = 40
CONTROL = "SQLite serves flipped bytes, or nothing"

GROW_S = 1.0
RECORD_ITEMS_MAX = 128
"""What one flip may cost: a frame of at most 32 KiB, which is what has a checksum of its own."""
CUT_BYTES_MAX = 1000
ITEMS = "8000"
CONTROL_ROUNDS = 15


@dataclass
class Harm:
    """What the damage has done."""

    rounds: int = 0
    effects: int = 0
    """Rounds in which something was lost and said."""
    silent: int = 0
    """Rounds in which something was lost and not said, or served wrong."""
    unopened: int = 0
    worst: int = 0
    """Most items lost to one flip."""
    example: str = ""

    def __str__(self) -> str:
        return (
            f"{self.effects} of {self.rounds} lost up to {self.worst} items and said so, "
            f"{self.silent} silent, {self.unopened} failed starts{self.example}"
        )


def grow(ctx: Context, subject: Store) -> tuple[Path, Said]:
    """A store that has lived for a moment, and what it has promised."""
    room = ctx.room("damage")
    folder, said = room / "sound", Said()
    folder.mkdir()
    with subject.start(folder, room / "store.log") as child:
        said.hear([child.line(20.0) or ""])
        with contextlib.suppress(TimeoutExpired):
            child.process.wait(GROW_S)
        child.kill()
        said.hear(child.rest())
    # What a first opening puts in order is not to be taken for damage.
    seen = subject.verify(folder, said)
    if not seen.opened or seen.harmed:
        raise RuntimeError(f"{subject.name} is not sound before any damage: {seen}")
    return folder, said


def damage(folder: Path, chance: random.Random) -> str:
    """Flips a bit, or cuts a file short; says what. A small file is hurt as often as a large one."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size > 0)
    path = chance.choice(files)
    if chance.random() < 0.15:
        return cut(path, chance.randint(1, min(path.stat().st_size, CUT_BYTES_MAX)))
    return flip(path, chance.randrange(written_bytes(path)), chance.randrange(8))


def cut(path: Path, count: int) -> str:
    """Takes bytes from the end."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - count)
    return f"{path.name} cut by {count}"


def flip(path: Path, place: int, bit: int) -> str:
    """Turns one bit."""
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ (1 << bit)]))
    return f"{path.name} bit {place}:{bit}"


def written_bytes(path: Path) -> int:
    """Where the zeros of a preallocated file begin: what is behind them means nothing."""
    return max(1, len(path.read_bytes().rstrip(b"\0")))


def judge(harm: Harm, seen: Found, what: str) -> None:
    """Takes in what a hurt copy still has."""
    harm.rounds += 1
    if not seen.opened:
        harm.unopened += 1
        harm.example = f"; {what}: {seen.error}"
        return
    if seen.silent or seen.wrong:
        harm.silent += 1
        harm.example = f"; {what}: {seen}"
    harm.effects += seen.gone > 0
    harm.worst = max(harm.worst, seen.gone)


def hurt(ctx: Context, subject: Store, rounds: int) -> Harm:
    """Damages copy after copy."""
    folder, said = grow(ctx, subject)
    harm, copy = Harm(), folder.parent / "copy"
    for number in range(1, rounds + 1):
        shutil.copytree(folder, copy)
        what = damage(copy, ctx.chance)
        judge(harm, subject.verify(copy, said), what)
        shutil.rmtree(copy)
        ctx.say(f"{subject.name}: {number} of {rounds}: {harm}")
    ctx.leave(folder.parent)
    return harm


def run(rounds: int, ctx: Context) -> Figure:
    """Segments, cursors and state."""
    harm = hurt(ctx, store.journal("--state", "--items", ITEMS), rounds)
    met = harm.silent == 0 and harm.unopened == 0 and harm.worst <= RECORD_ITEMS_MAX
    numbers = {"effects": harm.effects, "silent": harm.silent, "unopened": harm.unopened, "worst": harm.worst}
    return Figure(harm.rounds, str(harm), met, numbers)


def control(ctx: Context) -> Figure:
    """A database without checksums."""
    harm = hurt(ctx, store.sqlite("FULL"), CONTROL_ROUNDS)
    return Figure(harm.rounds, str(harm), harm.silent == 0 and harm.unopened == 0)
