"""Stops that are clean, and starts that do not depend on what waits."""

import time
from dataclasses import dataclass

from .. import site as sites
from ..context import Context
from ..figure import Figure
from ..line import Line, Plan
from ..process import wait_for
from ..proxy import Link
from ..site import Group

NAME = "stop and start"
GOAL = "0 repeats after a clean stop; first message < 1 s; memory independent of the backlog"
ROUNDS = 50
ROUNDS_SHORT = 5
CONTROL = "kill -9 instead of SIGTERM repeats"

FIRST_WITHIN_S = 1.0
BACKLOGS = (10_000, 1_000_000, 10_000_000)
BACKLOGS_SHORT = (1_000, 15_000)
MEMORY_GROWTH_MAX = 1.25
"""Memory with the largest backlog against that with the smallest."""
MEMORY_SLACK_BYTES = 8 << 20
CONTROL_KILLS = 4
FAST_GROUPS = (Group("counter", 200, 10),)
"""20,000 messages a second, or as many as the machine can, to make a backlog."""
BIG_JOURNAL = {"size": "8GiB"}


@dataclass(frozen=True)
class Start:
    """A start with a backlog."""

    backlog: int
    first_s: float
    """From starting the process to the first message at the checker."""
    resident_bytes: int
    """While the backlog drains."""


def run(rounds: int, ctx: Context) -> Figure:
    """Stops, then starts."""
    repeats, lost, slowest_s = stops(rounds, ctx)
    starts = backlog_starts(ctx)
    first_s = max(start.first_s for start in starts)
    few, many = starts[0].resident_bytes, starts[-1].resident_bytes
    memory_is_flat = many <= few * MEMORY_GROWTH_MAX + MEMORY_SLACK_BYTES
    met = repeats == 0 and lost == 0 and first_s < FIRST_WITHIN_S and memory_is_flat
    text = (
        f"{repeats} repeats, {lost} lost, stopped in {slowest_s:.1f} s at most; with {starts[-1].backlog:,} waiting: "
        f"first after {first_s:.2f} s, {many >> 20} MiB (with {starts[0].backlog:,}: {few >> 20} MiB)"
    )
    numbers = {
        "repeats": repeats, "lost": lost, "stop_max_s": slowest_s, "first_message_max_s": first_s,
        "resident_bytes_few": few, "resident_bytes_many": many, "backlog": starts[-1].backlog,
    }
    return Figure(rounds, text, met, numbers)


def stops(rounds: int, ctx: Context) -> tuple[int, int, float]:
    """SIGTERM under load, again and again: repeats, lost, seconds of the slowest stop."""
    slowest_s = 0.0
    with Line(ctx, ctx.room("stops"), Plan()) as line:
        for turn in range(rounds):
            line.start()
            line.run_for(ctx.chance.uniform(0.2, 1.0))
            start = time.monotonic()
            line.stop()
            slowest_s = max(slowest_s, time.monotonic() - start)
            ctx.say(f"stop {turn + 1} of {rounds}: {line.checker.repeats} repeats")
        line.start()
        judgement = line.settle()
    return judgement.repeats, len(judgement.lost) + judgement.inversions + judgement.strangers, slowest_s


def backlog_starts(ctx: Context) -> list[Start]:
    """One backlog that grows, and a start with each size."""
    routes = [sites.route(batch=sites.BATCHES)]
    plan = Plan(groups=FAST_GROUPS, routes=routes, journal=BIG_JOURNAL)
    starts = []
    with Line(ctx, ctx.room("backlog"), plan) as line:
        for backlog in BACKLOGS_SHORT if ctx.short else BACKLOGS:
            grow(line, ctx, backlog)
            starts.append(start_with(line, backlog))
    return starts


def grow(line: Line, ctx: Context, backlog: int) -> None:
    """Lets it run without a link until so many wait."""
    line.proxy.set(Link.CUT)
    line.gateway.start().wait_ready()
    wait_for(f"a backlog of {backlog:,}", backlog / 500 + 60, lambda: grown(line, ctx, backlog), 0.5)
    line.gateway.stop()


def grown(line: Line, ctx: Context, backlog: int) -> bool:
    """Whether enough waits, or has come; says how much."""
    head = line.gateway.head()
    ctx.say(f"backlog {head:,} of {backlog:,}")
    return head >= backlog


def start_with(line: Line, backlog: int) -> Start:
    """Starts with the link up, and looks when the first message comes."""
    line.proxy.set(Link.GOOD)
    before = line.count()
    start = time.monotonic()
    line.gateway.start()
    wait_for("the first message", 30.0, lambda: line.count() > before, 0.005)
    first_s = time.monotonic() - start
    line.gateway.wait_ready()
    line.run_for(1.0)
    resident = line.gateway.resident_bytes()
    line.gateway.stop()
    return Start(backlog, first_s, resident)


def control(ctx: Context) -> Figure:
    """Killed instead of stopped: the places on disk are up to 200 ms old, so something comes twice."""
    with Line(ctx, ctx.room("stops-control"), Plan()) as line:
        for _ in range(CONTROL_KILLS):
            line.start()
            line.wait_arrived(100)
            line.kill()
        line.start()
        judgement = line.settle()
    return Figure(CONTROL_KILLS, f"{judgement.repeats} repeats", judgement.repeats == 0)
