"""Clocks that are wrong and then put right: ages are those of a clock that nobody can set.

libfaketime gives the gateway another wall clock through a file that is written anew to step it; the time since boot
stays what it is.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import site as sites
from ..context import Context
from ..figure import Figure, Unavailable
from ..line import Line, Plan
from ..process import run as run_program
from ..process import wait_for
from ..proxy import Link

NAME = "clock"
GOAL = "0 wrongly expired, 0 wrongly kept"
ROUNDS = 12
ROUNDS_SHORT = 2
CONTROL = "a route without a ttl"

TTL_S = 3
MARGIN_S = 0.75
"""Messages that are so near to their end may go either way: reading and sending take time."""
REST_S = 1.0
"""Classes overtake each other: when something new has come, the rest follows within it."""
DAY_S = 86_400
BOOT_1970_S = 60.0
"""Wall clock at the start of a machine without a battery."""


@dataclass(frozen=True)
class Case:
    """How the wall clock goes: seconds to add to the real one, at the start and when stepped."""

    name: str
    start_s: float
    step_s: float


def cases() -> list[Case]:
    """1970, and a month either way."""
    to_1970 = BOOT_1970_S - time.time()
    return [
        Case("boot in 1970, then set", to_1970, 0),
        Case("30 days forward", 0, 30 * DAY_S),
        Case("30 days back", 0, -30 * DAY_S),
        Case("30 days behind, then set", -30 * DAY_S, 0),
        Case("30 days ahead, then set", 30 * DAY_S, 0),
        Case("set to 1970", 0, to_1970),
    ]


class WallClock:
    """The gateway's wall clock, in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        library = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
        if not library.exists():
            raise Unavailable("libfaketime is missing: apt-get install faketime")
        self.env = {
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, ahead_s: float) -> None:
        """So far ahead of the real one. Written aside and renamed: it is read all the time."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{ahead_s:+.0f}\n")
        new.replace(self.file)


@dataclass
class Ages:
    """Which offsets there were at which real time."""

    heads: list[tuple[float, int]]

    def note(self, line: Line) -> None:
        """The head at this moment."""
        self.heads.append((time.monotonic(), line.gateway.head()))

    def older_than(self, moment: float) -> int:
        """Offsets below were appended before."""
        return max((head for at, head in self.heads if at <= moment), default=0)

    def younger_than(self, moment: float) -> int:
        """Offsets from here on were appended after."""
        return min((head for at, head in self.heads if at >= moment), default=1 << 62)


@dataclass
class Wrong:
    """What went the wrong way."""

    rounds: int = 0
    expired: int = 0
    """Wrongly."""
    kept: int = 0
    """Wrongly."""
    rightly_expired: int = 0
    seen: int = 0
    details: str = ""

    @property
    def none(self) -> bool:
        """All went right, and something went each way."""
        return self.rounds > 0 and self.expired == 0 and self.kept == 0 and self.rightly_expired > 0 and self.seen > 0

    def __str__(self) -> str:
        right = f"{self.rightly_expired:,} rightly expired, {self.seen:,} delivered"
        return f"{self.expired} wrongly expired, {self.kept} wrongly kept; {right}{self.details}"


def run(rounds: int, ctx: Context) -> Figure:
    """Each case in turn."""
    wrong = Wrong()
    for turn in range(rounds):
        case = cases()[turn % len(cases())]
        one(ctx, case, {"ttl": f"{TTL_S}s"}, wrong)
        ctx.say(f"{turn + 1} of {rounds}: {wrong}")
    return figure(wrong)


def figure(wrong: Wrong) -> Figure:
    """Both counts."""
    numbers = {"wrongly_expired": wrong.expired, "wrongly_kept": wrong.kept, "rightly_expired": wrong.rightly_expired}
    return Figure(wrong.rounds, str(wrong), wrong.none, numbers)


def one(ctx: Context, case: Case, limits: dict[str, Any], wrong: Wrong) -> None:
    """An outage longer than the ttl, with a step in its midst."""
    room = ctx.room("clock")
    clock = WallClock(room / "wall-clock")
    clock.set(case.start_s)
    plan = Plan(routes=[sites.route(batch=sites.BATCHES, **limits)], env=clock.env)
    ages = Ages([])
    with Line(ctx, room, plan) as line:
        line.proxy.set(Link.CUT)
        line.gateway.start().wait_ready()
        check_faked(line, case)
        line.run_for(TTL_S * 0.75, lambda: ages.note(line))
        clock.set(case.step_s)
        line.run_for(TTL_S * 0.75, lambda: ages.note(line))
        mended = time.monotonic()
        line.proxy.set(Link.GOOD)
        end = line.gateway.head()
        wait_for("what is young enough", 30.0, lambda: reached(line, end), 0.05)
        reconnected = time.monotonic()
        line.run_for(REST_S)
        count(line, ages, (mended, reconnected), end, wrong)


def check_faked(line: Line, case: Case) -> None:
    """Without the other clock there is nothing to see."""
    date = run_program("env", *(f"{key}={value}" for key, value in line.plan.env.items()), "date", "+%s")
    if abs(float(date) - time.time() - case.start_s) > 60:
        raise Unavailable("libfaketime does not work on this machine")


def reached(line: Line, end: int) -> bool:
    """Whether something at or behind an offset has come: what is older has been dealt with."""
    with line.receiver.lock:
        return any(max(offsets, default=-1) >= end for offsets in line.checker.offsets.values())


def count(line: Line, ages: Ages, turn: tuple[float, float], end: int, wrong: Wrong) -> None:
    """Messages older than the ttl when their turn came, somewhere between two moments, must not have come, younger ones
    must."""
    mended, reconnected = turn
    with line.receiver.lock:
        there = set[int]().union(*line.checker.offsets.values())
    too_old = ages.older_than(mended - TTL_S - MARGIN_S)
    young = ages.younger_than(reconnected - TTL_S + MARGIN_S)
    kept = sum(offset in there for offset in range(too_old))
    expired = sum(offset not in there for offset in range(min(young, end), end))
    wrong.rounds += 1
    wrong.kept += kept
    wrong.expired += expired
    wrong.rightly_expired += too_old - kept
    wrong.seen += len(there)


def control(ctx: Context) -> Figure:
    """Nothing ever expires: what is too old must be seen to come."""
    wrong = Wrong()
    one(ctx, cases()[1], {}, wrong)
    return figure(wrong)
