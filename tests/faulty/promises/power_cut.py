"""Power cuts: an ext4 image lies on a file system that copies a file at one instant. The copy has what the disk would
have; what was only in the page cache or in ext4's uncommitted journal is gone.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from pathlib import Path
from subprocess import TimeoutExpired

from .. import disks, store
from ..context import Context
from ..figure import Figure
from ..gateway import last_line
from ..process import run as run_program
from ..store import Said, Store

NAME = "power cut"
GOAL = "0 acknowledged lost, 0 that cannot open"
ROUNDS = 60
ROUNDS_SHORT = 4
CONTROL = "SQLite synchronous=NORMAL loses, plain sled does not open or loses"

IMAGE_MEGABYTES = 96
POOL_MEGABYTES = 700
QUOTA_BYTES = str(8 << 20)
"""Of each class, so that the disk never fills."""
LIFE_S = (0.3, 1.8)
CONTROL_ROUNDS = 12


@dataclass
class Cuts:
    """What the cuts have done to a store."""

    cuts: int = 0
    unopened: int = 0
    lossy: int = 0
    lost: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def harmless(self) -> bool:
        """Nothing is lost."""
        return self.cuts > 0 and self.unopened == 0 and self.lossy == 0

    def __str__(self) -> str:
        return f"{self.unopened} not opened, {self.lossy} of {self.cuts} lost {self.lost:,}"


class Wanted(Enum):
    """How long to go on."""

    ALL = auto()
    HARM = auto()
    """A control is done once it has been harmed."""


class Bench:
    """An image on a reflink disk, with a store in it that lives through one cut after the other."""

    def __init__(self, pool: Path, room: Path, subject: Store, harm: Callable[[Path], None] | None = None) -> None:
        self.image, self.copy = pool / "disk.ext4", pool / "cut.ext4"
        self.mount, self.log, self.subject = room / "disk", room / "store.log", subject
        self.said, self.found, self.harm = Said(), Cuts(), harm
        self.renew()

    @property
    def folder(self) -> Path:
        """Where the store is while the image is mounted."""
        return self.mount / "store"

    def renew(self) -> None:
        """An empty store that was synced once, as after an installation."""
        disks.format_ext4(self.image, IMAGE_MEGABYTES)
        self.said = Said()
        with disks.image_disk(self.image, self.mount):
            self.folder.mkdir()
            self.live(0.3)
            run_program("sync", "-f", self.mount)

    def live(self, seconds: float, before: tuple[str | Path, ...] = ()) -> None:
        """Lets the store append, and then takes the snapshot of a cut."""
        with self.subject.start(self.folder, self.log, before) as child:
            line = child.line(20.0)
            self.said.hear([line] if line is not None else [])
            # With an injected error it may end by itself; else that is a fault of the harness.
            with contextlib.suppress(TimeoutExpired):
                child.process.wait(seconds)
                if not before:
                    raise RuntimeError(f"{self.subject.name} ended by itself: {last_line(self.log)}")
            self.said.hear(child.said())
            disks.snapshot(self.image, self.copy)

    def keep(self) -> None:
        """The image as it was after the first cut that harmed it; of a control nobody wants it."""
        if self.harm is not None and len(self.found.errors) == 1:
            self.harm(self.image)

    def cut(self, seconds: float, before: tuple[str | Path, ...] = ()) -> None:
        """A cut, and what the store has after it."""
        with disks.image_disk(self.image, self.mount):
            self.live(seconds, before)
        self.copy.replace(self.image)
        with disks.image_disk(self.image, self.mount):
            seen = self.subject.verify(self.folder, self.said)
        self.found.cuts += 1
        if not seen.opened or seen.harmed:
            self.found.unopened += not seen.opened
            self.found.lossy += seen.opened
            self.found.lost += seen.harmed
            self.found.errors.append(seen.error or str(seen))
            self.keep()
            self.renew()


def cuts(ctx: Context, subject: Store, rounds: int, wanted: Wanted) -> Cuts:
    """So many cuts, or until it has been harmed."""
    room = ctx.room("power-cut")
    with disks.reflink_disk(room, POOL_MEGABYTES) as pool:
        keep = None if wanted is Wanted.HARM else partial(ctx.keep, name="cut.ext4")
        bench = Bench(pool, room, subject, keep)
        for cut in range(1, rounds + 1):
            bench.cut(ctx.chance.uniform(*LIFE_S))
            ctx.say(f"{subject.name}: {cut} of {rounds}: {bench.found}")
            if wanted is Wanted.HARM and not bench.found.harmless:
                break
    ctx.leave(room)
    return bench.found


def run(rounds: int, ctx: Context) -> Figure:
    """The journal and the state store, cut together."""
    seen = cuts(ctx, store.journal("--state", "--quota", QUOTA_BYTES), rounds, Wanted.ALL)
    numbers = {"unopened": seen.unopened, "lossy": seen.lossy, "lost": seen.lost}
    return Figure(seen.cuts, "; ".join([str(seen), *seen.errors[:3]]), seen.harmless, numbers)


def control(ctx: Context) -> Figure:
    """Two stores that people believe in. Both must be harmed, else the cut is none."""
    harmed = [cuts(ctx, subject, CONTROL_ROUNDS, Wanted.HARM) for subject in (store.sqlite("NORMAL"), store.plain_sled())]
    text = f"SQLite NORMAL: {harmed[0]}; plain sled: {harmed[1]}"
    return Figure(sum(seen.cuts for seen in harmed), text, any(seen.harmless for seen in harmed))
