"""kill -9 of the whole gateway under load, also while it recovers from the last one."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from ..checker import Acknowledged, Checker, Judgement
from ..context import Context
from ..figure import Figure
from ..line import Line, Plan
from ..proxy import Proxy
from ..taps import Liar

NAME = "kill -9"
GOAL = "0 acknowledged lost, 0 inversions, repeats by known id"
ROUNDS = 200
ROUNDS_SHORT = 6
CONTROL = "a broker that acknowledges and drops 1 in 20"

SHORT_LIFE_S = 0.25
"""One life in four ends within it, mostly before the gateway is ready."""
LONG_LIFE_S = 2.0
COMMAND_EVERY = 10
"""Turns of the waiting loop, 20 ms each."""


def run(rounds: int, ctx: Context) -> Figure:
    """Kills it again and again, and looks at the end whether everything is there."""
    kills, commanded = 0, set[str]()
    with Line(ctx, ctx.room("kill"), Plan()) as line:
        line.start()
        for kills in range(1, rounds + 1):
            live(line, ctx, commanded)
            line.kill()
            line.gateway.start()
            ctx.say(f"{kills} of {rounds} kills, {line.count():,} arrived")
        line.gateway.wait_ready()
        judgement = line.settle()
    missing = len(commanded - line.checker.commands)
    return figure(kills, judgement, len(commanded), missing)


def live(line: Line, ctx: Context, commanded: set[str]) -> None:
    """One life: short, or long enough to be asked things."""
    if ctx.chance.random() < 0.25:
        line.run_for(ctx.chance.uniform(0, SHORT_LIFE_S))
        return
    line.gateway.wait_ready()
    line.sample()
    turns = itertools.count(1)
    line.run_for(ctx.chance.uniform(0.1, LONG_LIFE_S), command_now_and_then(line, turns, commanded))


def command_now_and_then(line: Line, turns: Iterator[int], commanded: set[str]) -> Callable[[], None]:
    """Sends a command; one that is answered is acknowledged and must arrive."""

    def turn() -> None:
        if next(turns) % COMMAND_EVERY == 0:
            name = f"cmd-{len(commanded)}-{line.durable}"
            device = f"{line.plan.groups[0].name}-000"
            if line.gateway.set(device, len(commanded), name):
                commanded.add(name)

    return turn


def figure(kills: int, judgement: Judgement, commands: int, commands_missing: int) -> Figure:
    """The figure of both: values, and commands that were answered."""
    numbers = {
        "arrived": judgement.arrived, "lost": len(judgement.lost), "inversions": judgement.inversions,
        "repeats": judgement.repeats, "unknown_ids": judgement.strangers,
        "commands": commands, "commands_lost": commands_missing,
    }
    text = f"{judgement}; {commands_missing} of {commands} commands lost"
    return Figure(kills, text, judgement.sound and commands_missing == 0, numbers)


def liar(port: int) -> Proxy:
    """Drops 1 publish in 20."""
    return Liar(port, 20)


def made(epoch: int, offset: int, second: int) -> dict[str, Any]:
    """A message as a gateway would send it."""
    values = {"count": {"time": f"2026-01-01T00:00:{second:02}Z", "quality": "good"}}
    ident = f"{'ab' * 6}{epoch:08x}{offset:012x}"
    return {"id": ident, "subject": "property/counter/counter-000", "device": "counter-000", "values": values}


def blind_spots() -> list[str]:
    """What the checker does not see of a swap, a repeat under another id, a message without an id, and a gap."""
    checker = Checker()
    for message in (made(1, 2, 2), made(1, 1, 1), made(2, 3, 1), {"id": "?"}, made(1, 2, 2)):
        checker.take(message)
    seen = checker.judge([Acknowledged(1, 0, 3)])
    faults = [
        ("a swap", seen.inversions, 1), ("a repeat under another id and a bad id", seen.strangers, 2),
        ("a gap", len(seen.lost), 1), ("a repeat", seen.repeats, 1),
    ]
    return [name for name, count, made_count in faults if count != made_count]


def control(ctx: Context) -> Figure:
    """The same with a target that acknowledges and drops; and the checker with faults that are made."""
    if blind := blind_spots():
        raise RuntimeError(f"the checker does not see {', '.join(blind)}")
    with Line(ctx, ctx.room("kill-control"), Plan(proxy=liar)) as line:
        line.start()
        line.wait_arrived(500)
        judgement = line.settle(within_s=3.0)
    return figure(0, judgement, 0, 0)
