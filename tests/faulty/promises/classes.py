"""Three classes filled to three times their quota while the target is away: what is critical is kept, and what is dropped
is counted to the last message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .. import site as sites
from ..checker import CRITICAL_KINDS
from ..context import Context
from ..figure import Figure
from ..gateway import Account
from ..line import Line, Plan
from ..process import wait_for
from ..proxy import Link, Proxy
from ..site import Group
from ..taps import Liar

NAME = "classes"
GOAL = "critical lost 0; dropped = missing at the receiver, exactly"
ROUNDS = 4
ROUNDS_SHORT = 2
CONTROL = "a broker that acknowledges and drops 1 in 20"

QUOTA_BYTES = 5 << 18
SEGMENT_BYTES = 64 << 10
FILL = 3.0
NOISE = 40
MESSAGE_BYTES = 8 * NOISE
"""What cannot be compressed of a message, at least."""
QUIET = {"ledger": {"every": "1d"}}
"""Balances are messages too; here they would only disturb the counting."""
GROUPS = tuple(Group(name, 20, 25, NOISE) for name in ("alarm", "counter", "bulky"))
OF_GROUP = {"alarm": "critical", "counter": "normal", "bulky": "bulk"}
CLASSES = ("critical", "normal", "bulk")
POLICIES: dict[str, object] = {"critical": "block", "normal": "drop_oldest"}
BULK_POLICIES: tuple[object, ...] = ("drop_newest", {"sample": 10})
"""In turns."""
BATCHES = {"messages": 20, "age": "20ms"}
FILL_WITHIN_S = 180.0
DRAIN_WITHIN_S = 60.0


def journal() -> dict[str, Any]:
    """Quotas that are soon full."""
    small = {"size": f"{QUOTA_BYTES}B", "segment": f"{SEGMENT_BYTES}B"}
    critical = {**small, "subjects": [f"{kind}/#" for kind in sorted(CRITICAL_KINDS)] + ["property/alarm/#"]}
    return {**small, "critical": critical, "bulk": {**small, "subjects": ["property/bulky/#"]}}


def routes(turn: int = 0) -> list[Mapping[str, Any]]:
    """One for each class."""
    policies = {**POLICIES, "bulk": BULK_POLICIES[turn % len(BULK_POLICIES)]}
    return [sites.route(name, **{"class": name}, on_full=policies[name], batch=BATCHES) for name in CLASSES]


@dataclass
class Counts:
    """Different messages at the receiver, by class."""

    by_class: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CLASSES, 0))

    def take(self, message: Mapping[str, Any]) -> None:
        """A new message."""
        kind, _, rest = str(message["subject"]).partition("/")
        name = "critical" if kind in CRITICAL_KINDS else OF_GROUP.get(rest.partition("/")[0], "normal")
        self.by_class[name] += 1


def fill(ctx: Context, turn: int) -> Figure:
    """Fills the classes, drains them, and compares."""
    with Line(ctx, ctx.room("classes"), Plan(GROUPS, routes=routes(turn), journal=journal(), more=QUIET)) as line:
        counts = counted(line)
        line.proxy.set(Link.CUT)
        line.start()
        wait_for("the classes to be full three times over", FILL_WITHIN_S, lambda: filled(line, ctx), 0.5)
        # Delivered or dropped must be clear: while the link is away, nothing is under way.
        line.hush()
        line.proxy.set(Link.GOOD)
        return judge(line.emptied(CLASSES), counts)


def counted(line: Line) -> Counts:
    """Counts what arrives for the first time."""
    counts = Counts()

    def take(message: dict[str, Any], _at: float) -> None:
        if line.checker.take(message):
            counts.take(message)

    line.receiver.take = take
    return counts


def filled(line: Line, ctx: Context) -> bool:
    """Whether normal and bulk messages have come in so often that their classes are full three times over."""
    taken = {name: line.gateway.account(name).taken for name in CLASSES}
    ctx.say(f"filling: {taken}")
    return min(taken["normal"], taken["bulk"]) * MESSAGE_BYTES >= FILL * QUOTA_BYTES


def judge(accounts: dict[str, Account], counts: Counts) -> Figure:
    """Compares what the gateway counts with what is there."""
    missing = {name: accounts[name].taken - counts.by_class[name] for name in CLASSES}
    dropped = {name: accounts[name].dropped for name in CLASSES}
    difference = sum(abs(missing[name] - dropped[name]) for name in CLASSES)
    lost = max(missing["critical"], dropped["critical"])
    text = f"critical lost {lost}; missing {missing}, dropped {dropped}".replace("'", "")
    numbers = {"critical_lost": lost, "difference": difference, "dropped": sum(dropped.values())}
    met = lost == 0 and difference == 0 and dropped["normal"] > 0 and dropped["bulk"] > 0
    return Figure(1, text, met, numbers)


def run(rounds: int, ctx: Context) -> Figure:
    """Again and again; the first that is wrong is told."""
    figure = Figure(0, "no round", False)
    for turn in range(rounds):
        figure = replace(fill(ctx, turn), rounds=turn + 1)
        if not figure.met:
            break
    return figure


def control(ctx: Context) -> Figure:
    """A target that loses: the counters must not fit. Nothing is dropped here, so they would if it did not."""
    plan = Plan(GROUPS, liar, routes(), journal=journal(), more=QUIET)
    with Line(ctx, ctx.room("classes-control"), plan) as line:
        counts = counted(line)
        line.start()
        line.wait_arrived(500)
        figure = judge(line.finish(CLASSES), counts)
    return replace(figure, met=figure.numbers["difference"] == 0)


def liar(port: int) -> Proxy:
    """Drops 1 publish in 20."""
    return Liar(port, 20)
