"""Flash wear: bytes that reach the device for each byte of payload, counted by a loop device."""

from dataclasses import dataclass

from .. import disks, store
from ..context import Context
from ..controls.payload import PAYLOAD_BYTES
from ..figure import Figure
from ..process import run as run_program
from ..store import Said, Store

NAME = "flash wear"
GOAL = "<= 1.3 device bytes per payload byte, append in groups of 1024"
ROUNDS = 3
ROUNDS_SHORT = 1
CONTROL = "SQLite FULL writes everything twice"

RATIO_MAX = 1.3
DISK_MEGABYTES = 400
GROUP = "1024"
ITEMS = 200_000
ITEMS_SHORT = 60_000
VICTIM_ITEM_BYTES = 8 + 48 + 249 / 2 + 4
"""The mean of `journal_victim`: number, 48 to 297 bytes, checksum."""
DONE_WITHIN_S = 240.0


@dataclass(frozen=True)
class Written:
    """What was written for what."""

    payload_bytes: float
    device_bytes: int

    @property
    def ratio(self) -> float:
        """Device bytes per payload byte."""
        return self.device_bytes / max(self.payload_bytes, 1)


def measure(ctx: Context, subject: Store, items: int, item_bytes: float) -> Written:
    """Appends to an ext4 of its own that nobody else uses, and waits until everything is on the device."""
    room, said = ctx.room("wear"), Said()
    image = room / "disk.ext4"
    disks.format_ext4(image, DISK_MEGABYTES)
    with disks.image_disk(image, room / "disk") as disk:
        (disk / "store").mkdir()
        run_program("sync", "-f", disk)
        before = disks.written_bytes(disk)
        with subject.start(disk / "store", room / "store.log") as child:
            while said.durable + 1 < items and (line := child.line(DONE_WITHIN_S)) is not None:
                said.hear([line])
                ctx.say(f"{subject.name}: {said.durable + 1:,} of {items:,}")
            child.kill()
            said.hear(child.rest())
        run_program("sync", "-f", disk)
        device = disks.written_bytes(disk) - before
    ctx.leave(room)
    return Written((said.durable + 1) * item_bytes, device)


def figure(rounds: int, seen: Written) -> Figure:
    """The ratio."""
    text = f"{seen.ratio:.2f} for {seen.payload_bytes / 1e6:.0f} MB"
    return Figure(rounds, text, seen.ratio <= RATIO_MAX, {"device_per_payload": seen.ratio})


def run(rounds: int, ctx: Context) -> Figure:
    """The journal; the worst round counts."""
    items = ITEMS_SHORT if ctx.short else ITEMS
    subject = store.journal("--groups", GROUP, "--segment", str(8 << 20), "--items", str(items))
    worst = max((measure(ctx, subject, items, VICTIM_ITEM_BYTES) for _ in range(rounds)), key=lambda seen: seen.ratio)
    return figure(rounds, worst)


def control(ctx: Context) -> Figure:
    """A database with a log in front of its tables."""
    return figure(1, measure(ctx, store.sqlite("FULL"), 6_000, PAYLOAD_BYTES))
