"""Disks that fail: fdatasync, fsync and pwrite64 answer EIO, once or from some moment on. Then the power is cut, which
shows whether what was acknowledged meanwhile had reached the disk: a failed sync leaves it in the page cache only.
"""

import shutil
from enum import StrEnum
from pathlib import Path

from .. import disks, store
from ..context import Context
from ..figure import Figure, Unavailable
from ..store import Store
from .power_cut import POOL_MEGABYTES, QUOTA_BYTES, Bench

NAME = "I/O error"
GOAL = "0 false acknowledgements"
ROUNDS = 40
ROUNDS_SHORT = 4
CONTROL = "a log that ignores what fdatasync answers"

LIFE_S = 1.0
CONTROL_ROUNDS = 2
CALLS_BEFORE = (2, 40)


class Fault(StrEnum):
    """What fails, as strace is told."""

    SYNC_ONCE = "fdatasync,fsync:error=EIO:when={n}"
    SYNC_FOR_EVER = "fdatasync,fsync:error=EIO:when={n}+"
    WRITE_ONCE = "pwrite64:error=EIO:when={n}"
    WRITE_FOR_EVER = "pwrite64:error=EIO:when={n}+"


def strace(fault: Fault, after: int, log: Path) -> tuple[str | Path, ...]:
    """What to put before a command so that it happens."""
    program = shutil.which("strace")
    if program is None:
        raise Unavailable("strace is missing: apt-get install strace")
    calls = fault.partition(":")[0]
    inject = fault.format(n=after)
    return (program, "-f", "-qq", "-A", "-o", log, "-e", f"trace={calls}", "-e", f"inject={inject}", "--")


def harmed(ctx: Context, subject: Store, faults: list[Fault]) -> Figure:
    """One round for each fault."""
    room = ctx.room("io-error")
    log = room / "strace.log"
    with disks.reflink_disk(room, POOL_MEGABYTES) as pool:
        bench = Bench(pool, room, subject)
        for number, fault in enumerate(faults, 1):
            bench.cut(LIFE_S, strace(fault, ctx.chance.randint(*CALLS_BEFORE), log))
            ctx.say(f"{subject.name}: {number} of {len(faults)}, {fault.name}: {bench.found}")
    injected = log.read_text().count("INJECTED")
    ctx.leave(room)
    false = bench.found.lossy + bench.found.unopened
    text = f"{false} false in {bench.found.cuts} with {injected:,} errors, {bench.found.lost:,} items"
    numbers = {"false_acknowledgements": false, "errors_injected": injected}
    return Figure(bench.found.cuts, text, false == 0 and injected > 0, numbers)


def run(rounds: int, ctx: Context) -> Figure:
    """Each fault in turn."""
    kinds = list(Fault)
    return harmed(ctx, store.journal("--quota", QUOTA_BYTES), [kinds[turn % len(kinds)] for turn in range(rounds)])


def control(ctx: Context) -> Figure:
    """Syncs fail, and it goes on."""
    return harmed(ctx, store.deaf(), [Fault.SYNC_FOR_EVER] * CONTROL_ROUNDS)
