"""Links that break: cut, half-open, slow, throttled; a broker that is restarted, and one that is killed."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import site as sites
from ..broker import Broker
from ..checker import Checker, Id, parse_id, wall_seconds
from ..context import Context
from ..figure import Figure
from ..gateway import Gateway
from ..line import ARRIVE_WITHIN_S, LIVE_GROUPS, Line, Plan
from ..networks import Network, network
from ..process import wait_for
from ..proxy import Link, Proxy
from ..receiver import Receiver
from ..site import Group, Site
from ..taps import Liar, Tap

NAME = "links"
GOAL = "0 lost; half-open found in 1.5 keep-alives; drain/ideal <= 1.2"
ROUNDS = 60
ROUNDS_SHORT = 5
CONTROL = "a broker that acknowledges and drops 1 in 20"

KEEP_ALIVE_S = 4
HALF_OPEN_WITHIN = 1.5
LOOK_S = 0.5
"""How exactly the moment of finding out is seen."""
DRAIN_RATIO_MAX = 1.2
BACKLOG = 1_000_000
BACKLOG_SHORT = 8_000
DRAIN_S = 200
DRAIN_S_SHORT = 8
THIN_KILOBITS = 6_000
"""A second; with the messages that come meanwhile it is half used."""
THIN_BACKLOG = 60_000
THIN_BACKLOG_SHORT = 20_000
FAST_GROUPS = (Group("counter", 100, 50),)
"""2,000 messages a second, to make a backlog and to live beside it."""


@dataclass
class Seen:
    """What the parts of this promise have come to."""

    rounds: int = 0
    arrived: int = 0
    lost: int = 0
    inversions: int = 0
    strangers: int = 0
    numbers: dict[str, float] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def add(self, line: Line, within_s: float = ARRIVE_WITHIN_S) -> None:
        """Judges a line."""
        judgement = line.settle(within_s)
        self.arrived += judgement.arrived
        self.lost += len(judgement.lost)
        self.inversions += judgement.inversions
        self.strangers += judgement.strangers
        if not judgement.sound:
            self.missed.append(str(judgement))

    def figure(self) -> Figure:
        """All parts together."""
        found = f"{self.lost} lost, {self.inversions} inversions of {self.arrived:,}"
        parts = [f"{name.replace('_', ' ')} {number:.3g}" for name, number in self.numbers.items()]
        numbers = {"lost": self.lost, "inversions": self.inversions, "arrived": self.arrived, **self.numbers}
        return Figure(self.rounds, ", ".join([found, *parts, *self.missed]), not self.missed, numbers)


def run(rounds: int, ctx: Context) -> Figure:
    """Each part in turn."""
    seen = Seen()
    breaking(rounds, ctx, seen)
    broker_kills(max(1, rounds // 3), ctx, seen)
    half_open(max(1, rounds // 20), ctx, seen)
    throttled(ctx, seen)
    draining(ctx, seen)
    return seen.figure()


def breaking(rounds: int, ctx: Context, seen: Seen) -> None:
    """Connections that are cut, reset, truncated and slowed down, one after the other at random."""
    plan = Plan(target={"keep_alive": f"{KEEP_ALIVE_S}s"})
    with Line(ctx, ctx.room("links"), plan) as line:
        line.start()
        line.wait_arrived(50)
        for turn in range(rounds):
            fault = FAULTS[turn % len(FAULTS)]
            fault(line, ctx)
            ctx.say(f"break {turn + 1} of {rounds}: {fault.__name__}, {line.count():,} arrived")
        seen.rounds += rounds
        seen.add(line)


def cut(line: Line, ctx: Context) -> None:
    """The link is away."""
    line.proxy.set(Link.CUT)
    line.run_for(ctx.chance.uniform(0.1, 1.5))
    line.proxy.set(Link.GOOD)
    line.wait_arrived(50)


def reset(line: Line, _ctx: Context) -> None:
    """A reset in the midst of it."""
    line.proxy.reset()
    line.wait_arrived(50)


def truncate(line: Line, ctx: Context) -> None:
    """The next connection ends in the midst of a packet."""
    line.proxy.faults.truncate_after_bytes = ctx.chance.randint(100, 20_000)
    line.proxy.reset()
    line.wait_arrived(50)


def slow(line: Line, ctx: Context) -> None:
    """Every byte is late."""
    line.proxy.faults.delay_s = ctx.chance.uniform(0.01, 0.1)
    line.run_for(1.0)
    line.proxy.faults.delay_s = 0.0
    line.wait_arrived(50)


def restart_broker(line: Line, ctx: Context) -> None:
    """The broker stops regularly and comes back."""
    line.broker.stop()
    line.run_for(ctx.chance.uniform(0.1, 1.0))
    line.broker.start()
    line.wait_arrived(50)


FAULTS: list[Callable[[Line, Context], None]] = [cut, reset, truncate, slow, restart_broker]


def broker_kills(rounds: int, ctx: Context, seen: Seen) -> None:
    """A broker that is killed loses what it has acknowledged and not passed on. The tap has written that down: what is
    neither there nor at the checker was lost by us."""
    acknowledged: list[bytes] = []
    with Line(ctx, ctx.room("broker-kill"), Plan(proxy=lambda port: Tap(port, acknowledged.append))) as line:
        line.start()
        line.wait_arrived(50)
        for turn in range(rounds):
            line.run_for(ctx.chance.uniform(0.2, 1.0))
            line.broker.kill()
            line.run_for(ctx.chance.uniform(0.1, 0.5))
            line.broker.start()
            line.wait_arrived(50)
            ctx.say(f"broker kill {turn + 1} of {rounds}")
        with line.receiver.lock:
            own = credit(line.checker, acknowledged)
        seen.rounds += rounds
        seen.numbers["lost_by_killed_brokers"] = own
        seen.add(line)


IDS = re.compile(rb'"id":\s*"([0-9a-f]{32})"')


def credit(checker: Checker, packets: list[bytes]) -> int:
    """Adds what the broker has acknowledged to what has arrived; how many that were."""
    before = checker.arrived
    for text in (text for packet in packets for text in IDS.findall(packet)):
        if isinstance(ident := parse_id(text.decode()), Id):
            checker.offsets[ident.epoch].add(ident.offset)
    return checker.arrived - before


def half_open(rounds: int, ctx: Context, seen: Seen) -> None:
    """A firewall drops every packet between gateway and broker, and tells nobody."""
    worst = 0.0
    with network() as net:
        for turn in range(rounds):
            worst = max(worst, half_open_once(ctx, net, seen))
            ctx.say(f"half-open {turn + 1} of {rounds}: {worst:.1f} s")
    seen.numbers["half_open_found_s"] = worst
    seen.numbers["half_open_keep_alives"] = worst / KEEP_ALIVE_S
    if worst > HALF_OPEN_WITHIN * KEEP_ALIVE_S + LOOK_S:
        seen.missed.append(f"half-open found after {worst:.1f} s")


def half_open_once(ctx: Context, net: Network, seen: Seen) -> float:
    """Seconds until the gateway shows that the link is gone; then it is mended, and nothing is lost."""
    with far_line(ctx, net, "half-open", LIVE_GROUPS) as far:
        far.receiver.wait_until("messages", lambda: far.checker.arrived > 100, 20)
        net.half_open(far.port)
        found_s = seconds_until_disconnected(far.gateway)
        net.mend(far.port)
        end = far.gateway.durable() or 0
        far.receiver.wait_until("what was held back", lambda: far.checker.everything_below(end), 30)
    seen.rounds += 1
    return found_s


@dataclass
class FarLine:
    """A gateway in a network of its own, and what receives from it outside."""

    gateway: Gateway
    receiver: Receiver
    checker: Checker
    port: int


@contextlib.contextmanager
def far_line(ctx: Context, net: Network, name: str, groups: Sequence[Group]) -> Iterator[FarLine]:
    """Everything is started; the broker listens at the outer end of the cable."""
    room, checker = ctx.room(name), Checker()
    (room / "broker").mkdir()
    with Broker(room / "broker", net.here) as broker:
        target = sites.mqtt(broker.port, net.here, keep_alive=f"{KEEP_ALIVE_S}s")
        routes = [sites.route(batch=sites.BATCHES, topic="edgeway/all")]
        site = Site(room / "site", groups, {"cloud": target}, routes, api_host=net.peer).write()
        receiver = Receiver(net.here, broker.port, lambda message, _at: checker.take(message))
        with receiver, Gateway(site, inside=net.inside) as gateway:
            yield FarLine(gateway, receiver, checker, broker.port)


def throttled(ctx: Context, seen: Seen) -> None:
    """A thin line that lets through so much and no more: what has waited drains as fast as the line allows."""
    backlog = THIN_BACKLOG_SHORT if ctx.short else THIN_BACKLOG
    with network() as net, far_line(ctx, net, "throttled", FAST_GROUPS) as far:
        far.receiver.wait_until("messages", lambda: far.checker.arrived > 100, 20)
        net.half_open(far.port)
        goal = far.gateway.head() + backlog
        wait_for("a backlog", backlog / 500 + 60, lambda: progress(ctx, far.gateway.head(), goal), 0.5)
        net.throttle(THIN_KILOBITS)
        net.mend(far.port)
        before = far.receiver.payloads
        far.receiver.wait_until("the link", lambda: far.receiver.payloads > before, 60)
        start, bytes_before = time.monotonic(), far.receiver.bytes
        end = far.gateway.durable() or 0
        far.receiver.wait_until("what was held back", lambda: far.checker.everything_below(end), 300)
        took = time.monotonic() - start
        ideal = (far.receiver.bytes - bytes_before) * 8 / (THIN_KILOBITS * 1000)
    seen.rounds += 1
    seen.numbers["thin_line_to_ideal"] = took / ideal
    if took / ideal > DRAIN_RATIO_MAX:
        seen.missed.append("the thin line was not used well")


def seconds_until_disconnected(gateway: Gateway) -> float:
    """How long the gateway believes in a link that is dead."""
    start = time.monotonic()
    wait_for("the gateway to find the link dead", 4 * KEEP_ALIVE_S, lambda: not gateway.connected("all"), 0.1)
    return time.monotonic() - start


def draining(ctx: Context, seen: Seen) -> None:
    """A backlog drains at a limited rate while new messages come: they keep their share, and little time is wasted."""
    backlog = BACKLOG_SHORT if ctx.short else BACKLOG
    drain_s = DRAIN_S_SHORT if ctx.short else DRAIN_S
    rate = int(backlog / drain_s + sum(group.per_second for group in FAST_GROUPS))
    routes = [sites.route(batch=sites.BATCHES, rate={"messages": rate})]
    with Line(ctx, ctx.room("drain"), Plan(groups=FAST_GROUPS, routes=routes, ordered=False)) as line:
        meter = Meter(line)
        line.proxy.set(Link.CUT)
        line.start()
        wait_for("a backlog", backlog / 500 + 60, lambda: progress(ctx, line.gateway.head(), backlog), 0.5)
        meter.open(line.gateway.head())
        line.proxy.set(Link.GOOD)
        wait_for("the backlog to drain", 5 * drain_s + 60, lambda: progress(ctx, meter.old, meter.start), 0.2)
        meter.close()
        seen.rounds += 1
        seen.numbers.update(meter.numbers(rate))
        seen.add(line)
    if seen.numbers["drain_to_ideal"] > DRAIN_RATIO_MAX:
        seen.missed.append("the backlog drained too slowly")


def progress(ctx: Context, now: int, goal: int) -> bool:
    """Says how far it is."""
    ctx.say(f"backlog {now:,} of {goal:,}")
    return now >= goal


class Meter:
    """Times what arrives while a backlog drains."""

    def __init__(self, line: Line) -> None:
        self.line, self.start, self.old, self.live = line, 1 << 62, 0, list[float]()
        self.first_at = self.last_at = 0.0
        self.counted = 0
        line.receiver.take = self.take

    def open(self, head: int) -> None:
        """What lies below is the backlog."""
        with self.line.receiver.lock:
            self.start, self.old, self.counted = head, 0, 0
            self.first_at = 0.0

    def take(self, message: dict[str, Any], at: float) -> None:
        """An arrival."""
        if not self.line.checker.take(message) or (ident := parse_id(message["id"])) is None:
            return
        self.first_at = self.first_at or at
        self.last_at, self.counted = at, self.counted + 1
        if ident.offset < self.start:
            self.old += 1
        elif self.old < self.start:
            self.live.append(at - wall_seconds(message["time"]))

    def close(self) -> None:
        """The backlog is gone."""
        with self.line.receiver.lock:
            self.line.receiver.take = self.line.take

    def numbers(self, rate: int) -> dict[str, float]:
        """The share of the rate that was used, and how old new messages were."""
        took = max(self.last_at - self.first_at, 1e-3)
        live = sorted(self.live) or [float("nan")]
        return {
            "backlog": self.start, "drain_s": took, "drain_to_ideal": rate * took / max(self.counted, 1),
            "live_p99_s": live[int(len(live) * 0.99) - 1], "live_p50_s": live[len(live) // 2],
        }


def liar(port: int) -> Proxy:
    """Drops 1 publish in 20."""
    return Liar(port, 20)


def control(ctx: Context) -> Figure:
    """The same judgement of a target that acknowledges and drops."""
    seen = Seen()
    with Line(ctx, ctx.room("links-control"), Plan(proxy=liar)) as line:
        line.start()
        line.wait_arrived(500)
        line.proxy.reset()
        line.wait_arrived(200)
        seen.add(line, within_s=3.0)
    return seen.figure()
