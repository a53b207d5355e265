"""All faults at random on one line, for as long as wanted: what the accounting and the soak live through."""

import contextlib
import http.client
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from . import site as sites
from .checker import Checker
from .context import Context
from .gateway import Account
from .line import Line, Plan
from .promises import links
from .proxy import Link, Proxy
from .receiver import Receiver
from .site import Group

QUIET = {"ledger": {"every": "1d"}}
GROUPS = (Group("counter", 30, 100), Group("bulky", 10, 50, noise=150))
ROUTES = {
    "all": sites.route("all", batch=sites.BATCHES, on_full="block") | {"except": ["property/bulky/#"]},
    "tight": sites.route(
        "tight", batch=sites.BATCHES, ttl="2s", topic="tight/{subject}", subjects=["property/counter/#"]
    ),
    "bulky": sites.route("bulky", batch=sites.BATCHES, topic="bulky/{subject}", subjects=["property/bulky/#"]),
}
"""One that may lose nothing, one whose messages expire, one whose messages are dropped when its class is full."""
BULK = {"size": "1280KiB", "segment": "64KiB", "subjects": ["property/bulky/#"]}
JOURNAL = {"size": "64MiB", "segment": "256KiB", "bulk": BULK}
HALF_OPEN_S = (0.5, 5.0)


@dataclass
class Story:
    """What has happened, and what it came to."""

    faults: Counter[str] = field(default_factory=Counter)
    resident_bytes_max: int = 0
    imbalance: int = 0
    """The largest that any route has shown, at any moment and at the end."""
    lost: int = 0
    inversions: int = 0
    strangers: int = 0
    repeats: int = 0
    arrived: int = 0
    dropped: int = 0
    expired: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Nothing is lost, nothing is miscounted, and the faults did something."""
        wrong = self.imbalance + self.lost + self.inversions + self.strangers
        return wrong == 0 and self.arrived > 0 and self.faults.total() > 0


class World:
    """A line with a checker for each route."""

    def __init__(self, line: Line, checkers: dict[str, Checker]) -> None:
        self.line, self.checkers, self.story = line, checkers, Story()

    def sample(self) -> None:
        """Looks at the accounts as they are at this moment."""
        try:
            accounts = [self.line.gateway.account(name) for name in ROUTES]
            self.story.resident_bytes_max = max(self.story.resident_bytes_max, self.line.gateway.resident_bytes())
        except (OSError, http.client.HTTPException, RuntimeError):
            return
        worst = max(abs(account.imbalance) for account in accounts)
        self.story.imbalance = max(self.story.imbalance, worst)

    def misfortune(self, ctx: Context) -> None:
        """One fault."""
        fault = ctx.chance.choice(FAULTS)
        self.story.faults[fault.__name__] += 1
        before = self.inversions()
        fault(self.line, ctx)
        self.sample()
        if self.inversions() > before:
            self.story.notes.append(f"out of order after {fault.__name__}, fault {self.story.faults.total()}")

    def inversions(self) -> int:
        """Of all routes."""
        return sum(checker.inversions for checker in self.checkers.values())

    def end(self) -> Story:
        """Lets everything drain, and compares what the gateway has counted with what is there."""
        accounts = self.line.finish(list(ROUTES))
        story = self.story
        for name, account in accounts.items():
            self._compare(name, account)
        with self.line.receiver.lock:
            missing = self._missing()
        story.lost += max(0, missing - accounts["bulky"].dropped)
        story.dropped, story.expired = accounts["bulky"].dropped, accounts["tight"].expired
        return story

    def _compare(self, name: str, account: Account) -> None:
        """Every message that a route has delivered is there. Those of the route that loses nothing are all that is there."""
        checker, story = self.checkers[name], self.story
        difference = account.delivered - checker.arrived
        wrong = abs(difference) if name == "all" else max(0, difference)
        if name == "all":
            # This one blocks: whatever it has dropped is lost.
            wrong += account.dropped
        # What still waits when nothing comes any more is in no account.
        wrong += abs(account.imbalance) + account.queued
        wrong += self._by_device(name, account)
        if checker.example:
            story.notes.append(f"{name}: {checker.example}")
        if wrong:
            story.notes.append(f"{name}: {account}, {checker.arrived:,} arrived")
        story.imbalance = max(story.imbalance, wrong)
        story.arrived += checker.arrived
        story.inversions += checker.inversions
        story.strangers += checker.strangers
        story.repeats += checker.repeats

    def _by_device(self, name: str, account: Account) -> int:
        """The accounts by device add up to the route's."""
        devices = self.line.gateway.accounts(name).values()
        return abs(account.taken - sum(device.taken for device in devices))

    def _missing(self) -> int:
        """Acknowledged offsets that came neither by the one route nor by the other."""
        both = Checker()
        for name in ("all", "bulky"):
            for epoch, offsets in self.checkers[name].offsets.items():
                both.offsets[epoch] |= offsets
        return len(both.judge(self.line.acknowledged).lost)


def kill_gateway(line: Line, _ctx: Context) -> None:
    """kill -9, and again at once."""
    line.kill()
    line.start()


def kill_recovering(line: Line, ctx: Context) -> None:
    """kill -9 of what has just been killed."""
    line.kill()
    line.gateway.start()
    line.run_for(ctx.chance.uniform(0, 0.3))
    line.gateway.kill()
    line.start()


def stop_gateway(line: Line, _ctx: Context) -> None:
    """SIGTERM."""
    line.restart()


def half_open(line: Line, ctx: Context) -> None:
    """No byte comes through for a while."""
    line.proxy.set(Link.HALF_OPEN)
    line.run_for(ctx.chance.uniform(*HALF_OPEN_S))
    line.proxy.set(Link.GOOD)
    line.wait_arrived(50)


def outage(line: Line, ctx: Context) -> None:
    """Long enough for messages to expire, and for a small class to be full."""
    line.proxy.set(Link.CUT)
    line.run_for(ctx.chance.uniform(3.0, 12.0))
    line.proxy.set(Link.GOOD)
    line.wait_arrived(50)


def command(line: Line, _ctx: Context) -> None:
    """Nothing bad: a command."""
    line.gateway.set("counter-000", line.count(), f"chaos-{line.count()}")


FAULTS: list[Callable[[Line, Context], None]] = [
    kill_gateway, kill_recovering, stop_gateway, half_open, outage, command, *links.FAULTS,
]


@contextlib.contextmanager
def world(ctx: Context, proxy: Callable[[int], Proxy] = Proxy) -> Iterator[World]:
    """A line on which everything may happen."""
    plan = Plan(GROUPS, proxy, list(ROUTES.values()), {"keep_alive": "2s"}, journal=JOURNAL, more=QUIET)
    with Line(ctx, ctx.room("chaos"), plan) as line, contextlib.ExitStack() as stack:
        checkers = {"all": line.checker}
        for name in ("tight", "bulky"):
            checkers[name] = checker = Checker()
            # The checker is this turn's: a default binds it.
            take = lambda message, _at, checker=checker: checker.take(message)  # noqa: E731
            stack.enter_context(Receiver("127.0.0.1", line.broker.port, take, f"{name}/#"))
        line.start()
        line.wait_arrived(50)
        yield World(line, checkers)
