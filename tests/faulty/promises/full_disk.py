"""Disks and quotas that are full: what is stored still drains, and intake goes on by itself when there is room."""

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from .. import disks, store
from .. import site as sites
from ..context import Context
from ..figure import Figure
from ..line import Line, Plan
from ..process import Late, wait_for
from ..proxy import Link
from ..site import Group

NAME = "full disk, full quota"
GOAL = "100 % drained while full; intake resumes <= 1 s without restart; peak <= quota + 1 segment"
ROUNDS = 8
ROUNDS_SHORT = 1
CONTROL = "SQLite cannot take anything away from a full disk"

DISK_MEGABYTES = 64
RESUME_WITHIN_S = 1.0
FULL_WITHIN_S = 90.0
STILL_S = 1.5
"""When nothing more has been stored for so long, it is full."""
SEGMENT_BYTES = 64 << 10
QUOTA_BYTES = 5 << 18
HEAVY_GROUPS = (Group("counter", 20, 50, noise=60),)
"""400 messages of 500 bytes a second, which do not compress."""
BIG = {"size": "512MiB", "segment": "256KiB", "critical": {"segment": "256KiB"}, "bulk": {"segment": "256KiB"}}
"""Larger than the disk: the disk is what ends."""
SMALL = {"size": f"{QUOTA_BYTES}B", "segment": f"{SEGMENT_BYTES}B"}
KEEP = "block"
"""What waits is kept, so that all of it must arrive."""


@dataclass
class Seen:
    """What the rounds have come to."""

    rounds: int = 0
    stored: int = 0
    drained: int = 0
    """Messages stored when the disk was full, and how many of them arrived while it was."""
    resumed_max_s: float = 0.0
    peak_over_quota: float = 0.0
    """Most bytes on disk beyond the quota, in segments."""
    missed: list[str] = field(default_factory=list)

    def figure(self) -> Figure:
        """All rounds together."""
        share = 100 * self.drained / max(self.stored, 1)
        text = (
            f"{share:.1f} % of {self.stored:,} drained while full; resumed in {self.resumed_max_s:.2f} s at most; "
            f"peak at quota {self.peak_over_quota:+.1f} segments"
        )
        met = self.stored > 0 and not self.missed
        numbers = {
            "stored": self.stored, "drained": self.drained, "resumed_max_s": self.resumed_max_s,
            "peak_over_quota_segments": self.peak_over_quota,
        }
        return Figure(self.rounds, "; ".join([text, *self.missed]), met, numbers)


def run(rounds: int, ctx: Context) -> Figure:
    """Disks in memory and on ext4, then a quota."""
    seen = Seen()
    kinds: list[Callable[[Path], AbstractContextManager[Path]]] = [memory, ext4]
    for turn in range(rounds):
        foreign(ctx, kinds[turn % len(kinds)], seen)
        ctx.say(f"full disk {turn + 1} of {rounds}")
    quota(ctx, seen)
    return seen.figure()


def memory(room: Path) -> AbstractContextManager[Path]:
    """A tmpfs."""
    return disks.memory_disk(room / "disk", DISK_MEGABYTES)


def ext4(room: Path) -> AbstractContextManager[Path]:
    """An ext4 on a loop device."""
    disks.format_ext4(room / "disk.ext4", DISK_MEGABYTES)
    return disks.image_disk(room / "disk.ext4", room / "disk")


def foreign(ctx: Context, disk: Callable[[Path], AbstractContextManager[Path]], seen: Seen) -> None:
    """Somebody else takes the whole disk and gives it back later."""
    room = ctx.room("full-disk")
    with disk(room) as folder:
        plan = Plan(groups=HEAVY_GROUPS, routes=[sites.route(on_full=KEEP)], journal=BIG, data=folder / "data")
        with Line(ctx, room, plan) as line:
            line.proxy.set(Link.CUT)
            line.start()
            wait_for("messages", 20, lambda: line.gateway.head() > 100)
            other = disks.fill(folder)
            wait_full(line, ctx)
            drain(line, seen)
            seen.resumed_max_s = max(seen.resumed_max_s, resume(line, other.unlink))
            settle(line, seen)
    ctx.leave(room)


def wait_full(line: Line, ctx: Context) -> None:
    """Until the gateway takes nothing more."""
    still = Still(line)
    wait_for("the disk to be full", FULL_WITHIN_S, still.ready, 0.2)
    ctx.say(f"full with {still.last:,} stored")


def drain(line: Line, seen: Seen) -> None:
    """The link comes back while the disk is full: everything stored must arrive."""
    end = line.gateway.durable() or 0
    line.proxy.set(Link.GOOD)
    with contextlib.suppress(Late):
        wait_for("what is stored", 30, lambda: line.checker.everything_below(end), 0.1)
    with line.receiver.lock:
        drained = end - line.checker.missing_below(end)
    seen.stored += end
    seen.drained += drained
    if drained < end:
        seen.missed.append(f"{end - drained} of {end:,} were not drained while full")


def resume(line: Line, make_room: Callable[[], object]) -> float:
    """Makes room; seconds until the gateway takes messages again."""
    before = line.gateway.durable() or 0
    make_room()
    start = time.monotonic()
    wait_for("intake to resume", 30, lambda: (line.gateway.durable() or 0) > before, 0.02)
    return time.monotonic() - start


def settle(line: Line, seen: Seen) -> None:
    """In the end nothing is lost."""
    line.wait_arrived(50)
    judgement = line.settle()
    seen.rounds += 1
    if not judgement.sound:
        seen.missed.append(str(judgement))
    if seen.resumed_max_s > RESUME_WITHIN_S:
        seen.missed.append("intake resumed late")


def quota(ctx: Context, seen: Seen) -> None:
    """Our own quota is full three times over while the target is away."""
    plan = Plan(groups=HEAVY_GROUPS, routes=[sites.route(on_full=KEEP)], journal=SMALL)
    with Line(ctx, ctx.room("quota"), plan) as line:
        line.proxy.set(Link.CUT)
        line.start()
        normal = line.site.data_folder / "journal" / "normal"
        peak = 0

        def watch() -> bool:
            nonlocal peak
            peak = max(peak, disks.used_bytes(normal))
            return full.ready()

        full = Still(line)
        wait_for("the quota to be full", FULL_WITHIN_S, watch, 0.05)
        drain_and_resume(line, seen)
        peak = max(peak, disks.used_bytes(normal))
    seen.peak_over_quota = (peak - QUOTA_BYTES) / SEGMENT_BYTES
    if seen.peak_over_quota > 1:
        seen.missed.append(f"{peak:,} bytes on disk with a quota of {QUOTA_BYTES:,}")


class Still:
    """Notices that the gateway takes nothing more."""

    def __init__(self, line: Line) -> None:
        self.line, self.last, self.since = line, -1, time.monotonic()

    def ready(self) -> bool:
        """Whether nothing has changed for a while."""
        now = self.line.gateway.durable() or 0
        if now != self.last:
            self.last, self.since = now, time.monotonic()
        return time.monotonic() - self.since > STILL_S


def drain_and_resume(line: Line, seen: Seen) -> None:
    """Draining is what makes room in a quota."""
    before = line.gateway.durable() or 0
    line.proxy.set(Link.GOOD)
    start = time.monotonic()
    wait_for("the quota to be drained", 30, lambda: line.checker.everything_below(before), 0.02)
    drained = time.monotonic()
    wait_for("intake to resume", 30, lambda: (line.gateway.durable() or 0) > before, 0.02)
    resumed = max(0.0, time.monotonic() - max(drained, start))
    seen.stored, seen.drained = seen.stored + before, seen.drained + before
    seen.resumed_max_s = max(seen.resumed_max_s, resumed)
    settle(line, seen)


def control(ctx: Context) -> Figure:
    """A queue in SQLite on a disk that somebody else fills: can its consumer take what is stored?"""
    room = ctx.room("full-disk-control")
    with disks.memory_disk(room / "disk", DISK_MEGABYTES) as folder:
        queue = folder / "store"
        queue.mkdir()
        with store.sqlite("FULL").start(queue, room / "store.log") as child:
            wait_for("a backlog", 20, lambda: any("ack" in line for line in child.said()))
        disks.fill(folder)
        seen = store.drain_sqlite(queue)
    ctx.leave(room)
    return Figure(1, f"{seen} of its items could be taken while full", seen > 0)
