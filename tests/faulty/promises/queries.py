"""kill -9 in the middle of windows: what queries have told equals what an undisturbed run would have told."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from .. import site as sites
from ..context import Context
from ..figure import Figure
from ..line import Line, Plan
from ..process import wait_for
from ..proxy import Proxy
from ..site import Group, Site
from ..taps import Liar

NAME = "queries"
GOAL = "after kill -9 every window has the rows of an undisturbed run, repeats by id"
ROUNDS = 50
ROUNDS_SHORT = 4
CONTROL = "a broker that acknowledges and drops 1 in 20"

WINDOW_MS = 2_000
HOP_MS, SIZE_MS = 1_000, 5_000
SETTLE_S = 12.0
"""Longer than a window, its delay and the silence after which time goes on."""

QUERIES = {
    "tumble": """CREATE QUERY tumble WITH (idle_timeout = '3s') AS
        SELECT device, window_start, count(*) AS n, sum(count) AS total
        FROM counter WHERE count IS NOT NULL GROUP BY device, TUMBLE(ts, INTERVAL '2 seconds')""",
    "hop": """CREATE QUERY hop WITH (idle_timeout = '3s') AS
        SELECT device, window_start, count(*) AS n, sum(count) AS total
        FROM counter WHERE count IS NOT NULL GROUP BY device, HOP(ts, INTERVAL '1 second', INTERVAL '5 seconds')""",
    "rolled": """SELECT window_start, sum(n) AS n, sum(total) AS total
        FROM tumble GROUP BY TUMBLE(ts, INTERVAL '4 seconds')""",
}

Key = tuple[str, str, int]
"""Query, device, start of the window in milliseconds."""


class Told(Line):
    """A line that also keeps the values that arrive, and the rows of queries."""

    def __init__(self, ctx: Context, plan: Plan, room: str) -> None:
        super().__init__(ctx, ctx.room(room), plan)
        self.values: dict[str, tuple[str, int, float]] = {}
        """By the message's id: device, time in milliseconds, value."""
        self.rows: dict[str, tuple[Key, float, float]] = {}
        """By the row's id: what it is of, and what it said first."""
        self.changed = 0
        """Repeats that say something else."""

    def _site(self) -> Site:
        return replace(super()._site(), queries=QUERIES)

    def take(self, message: dict[str, Any], at: float) -> None:
        subject = str(message.get("subject", ""))
        if not subject.startswith("stream/"):
            super().take(message, at)
        if subject.startswith("property/counter/") and "count" in message.get("values", {}):
            value = message["values"]["count"]
            self.values[message["id"]] = (message["device"], millis(value["time"]), float(value["value"]))
        elif subject in {f"stream/{name}" for name in QUERIES}:
            self.take_row(subject.removeprefix("stream/"), message)

    def take_row(self, query: str, message: dict[str, Any]) -> None:
        """The first of each id counts; another that says something else is noted."""
        values = message["values"]
        key = (query, str(values.get("device", "")), int(values["window_start"]))
        row = (key, float(values["n"]), float(values["total"]))
        before = self.rows.setdefault(message["row_id"], row)
        if before[1] != row[1] or not close(before[2], row[2]):
            self.changed += 1


def millis(text: str) -> int:
    """A time as in RFC 3339, in milliseconds, rounded down."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def close(one: float, other: float) -> bool:
    """Equal but for rounding."""
    return abs(one - other) <= 1e-9 * max(1.0, abs(other))


def expected(values: Mapping[str, tuple[str, int, float]]) -> dict[Key, tuple[float, float]]:
    """What the windows hold, by a plain loop."""
    windows: dict[Key, list[float]] = defaultdict(list)
    for device, at, value in values.values():
        windows["tumble", device, at // WINDOW_MS * WINDOW_MS].append(value)
        last = at // HOP_MS * HOP_MS
        for start in range(last, at - SIZE_MS, -HOP_MS):
            windows["hop", device, start].append(value)
        windows["rolled", "", at // (2 * WINDOW_MS) * 2 * WINDOW_MS].append(value)
    return {key: (float(len(found)), sum(found)) for key, found in windows.items()}


def run(rounds: int, ctx: Context) -> Figure:
    """Kills it again and again in the middle of windows."""
    return judged(rounds, ctx, Proxy, "queries")


def judged(rounds: int, ctx: Context, proxy: Callable[[int], Proxy], room: str) -> Figure:
    """Runs, kills, and compares every window."""
    plan = Plan(groups=(Group("counter", 20, 100),), routes=[sites.route(batch=sites.BATCHES)], proxy=proxy)
    with Told(ctx, plan, room) as line:
        line.start()
        for number in range(1, rounds + 1):
            line.run_for(ctx.chance.uniform(0.5, 3.0))
            line.kill()
            line.gateway.start().wait_ready()
            line.sample()
            ctx.say(f"{number} of {rounds} kills, {len(line.rows):,} rows")
        line.run_for(2.0)
        line.hush()
        wait_for("the last windows to close", 60.0, lambda: line.quiet_s() > SETTLE_S)
        with line.receiver.lock:
            return figure(rounds, line)


def figure(rounds: int, line: Told) -> Figure:
    """Every window that has values, against its row."""
    want = expected(line.values)
    have: dict[Key, tuple[float, float]] = {}
    twice = 0
    for key, count, total in line.rows.values():
        twice += key in have
        have[key] = (count, total)
    missing = [key for key in want if key not in have]
    extra = [key for key in have if key not in want]
    wrong = [key for key in want if key in have and not same(want[key], have[key])]
    numbers = {
        "windows": len(want), "missing": len(missing), "extra": len(extra), "wrong": len(wrong), "twice": twice,
        "changed": line.changed,
    }
    text = f"{len(want):,} windows: {len(missing)} missing, {len(wrong)} wrong, {len(extra)} of nothing, "
    text += f"{line.changed} repeats that differ"
    sound = not (missing or extra or wrong or twice or line.changed) and bool(want)
    if not sound:
        line.ctx.say(f"missing {missing[:3]}, wrong {[(k, want[k], have[k]) for k in wrong[:3]]}, extra {extra[:3]}")
    return Figure(rounds, text, sound, numbers)


def same(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """The same number of values and the same sum."""
    return one[0] == other[0] and close(one[1], other[1])


def liar(port: int) -> Proxy:
    """Drops 1 publish in 20."""
    return Liar(port, 20)


def control(ctx: Context) -> Figure:
    """The same with a broker that acknowledges and drops."""
    began = time.monotonic()
    found = judged(1, ctx, liar, "queries-control")
    return replace(found, text=f"{found.text} in {time.monotonic() - began:.0f} s")
