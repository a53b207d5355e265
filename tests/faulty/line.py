"""A whole line: simulated devices, a gateway, a proxy, mosquitto, and the checker behind it."""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import site as sites
from .broker import Broker
from .checker import Acknowledged, Checker, Judgement
from .context import Context
from .gateway import Account, Gateway
from .process import Late, wait_for
from .proxy import Proxy
from .receiver import Receiver
from .site import Group, Site

ARRIVE_WITHIN_S = 60.0
LIVE_GROUPS = (Group("counter", 40, 100),)
"""400 messages a second."""


@dataclass
class Plan:
    """What a line is made of; the rest has defaults."""

    groups: Sequence[Group] = LIVE_GROUPS
    proxy: Callable[[int], Proxy] = Proxy
    """Makes the proxy before a broker's port."""
    routes: Sequence[Mapping[str, Any]] = field(default_factory=lambda: [sites.route(batch=sites.BATCHES)])
    target: Mapping[str, Any] = field(default_factory=dict)
    """More keys of the target."""
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Targets beside it."""
    journal: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    data: Path | None = None
    env: dict[str, str] = field(default_factory=dict)
    ordered: bool = True


class Line:
    """Everything is started when its context is entered, except the gateway, and gone when it is left."""

    def __init__(self, ctx: Context, room: Path, plan: Plan) -> None:
        self.ctx, self.room, self.plan = ctx, room, plan
        self.checker = Checker(ordered=plan.ordered)
        self.acknowledged: list[Acknowledged] = []
        self.first: int | None = None
        """The first offset that the present life has shown."""
        self.durable = 0
        self.stack = contextlib.ExitStack()

    def __enter__(self) -> "Line":
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self.stack = stack.pop_all()
        return self

    def _start(self, stack: contextlib.ExitStack) -> None:
        folder = self.room / "broker"
        folder.mkdir(exist_ok=True)
        self.broker = stack.enter_context(Broker(folder))
        self.proxy = stack.enter_context(self.plan.proxy(self.broker.port))
        self.receiver = stack.enter_context(Receiver("127.0.0.1", self.broker.port, self.take))
        self.site = self._site().write()
        self.gateway = Gateway(self.site, env=self.plan.env)
        stack.callback(self.gateway.kill)

    def _site(self) -> Site:
        plan = self.plan
        targets = {"cloud": sites.mqtt(self.proxy.port, **plan.target), **plan.others}
        folder = self.room / "site"
        return Site(folder, plan.groups, targets, plan.routes, plan.journal, plan.more, plan.data)

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def take(self, message: dict[str, Any], _at: float) -> None:
        """Hands an arrival to the checker."""
        self.checker.take(message)

    def start(self) -> None:
        """Starts the gateway and waits until it answers."""
        self.gateway.start().wait_ready()
        self.sample()

    def sample(self) -> None:
        """Notes what the gateway shows as durable now."""
        status = self.gateway.status()
        if status is None:
            return
        durable = int(status["journal"]["durable_head"])
        self.first = durable if self.first is None else self.first
        self.durable = durable

    def end_of_life(self) -> None:
        """The gateway is gone: what it showed as durable counts as acknowledged."""
        if self.first is not None:
            self.acknowledged.append(self._acknowledged(self.first))
        self.first = None

    def _acknowledged(self, first: int) -> Acknowledged:
        with self.receiver.lock:
            epoch = self.checker.newest_epoch()
            seen = self.checker.offsets[epoch] if epoch is not None else set()
            mine = any(first <= offset < self.durable for offset in seen)
        return Acknowledged(epoch if mine else None, first, self.durable)

    def kill(self) -> None:
        """kill -9 of the gateway, right after it was asked what is durable."""
        self.sample()
        self.gateway.kill()
        self.end_of_life()

    def stop(self) -> None:
        """SIGTERM."""
        self.sample()
        self.gateway.stop()
        self.end_of_life()

    def restart(self) -> None:
        """SIGTERM, and again."""
        self.stop()
        self.start()

    def finish(self, routes: Sequence[str]) -> dict[str, Account]:
        """Each route's account once nothing new comes and everything has been dealt with."""
        self.hush()
        return self.emptied(routes)

    def hush(self) -> None:
        """Begins a life in which nothing new comes."""
        self.stop()
        self.site.hush()
        self.start()

    def emptied(self, routes: Sequence[str]) -> dict[str, Account]:
        """Each route's account once everything has been dealt with, or will not be: then something is left as queued."""
        with contextlib.suppress(Late):
            wait_for("all routes to be empty", ARRIVE_WITHIN_S, lambda: self._empty(routes), 0.2)
        return {name: self.gateway.account(name) for name in routes}

    def _empty(self, routes: Sequence[str]) -> bool:
        return self.quiet_s() > 1.5 and all(map(self.gateway.drained, routes))

    def count(self) -> int:
        """Different messages so far."""
        with self.receiver.lock:
            return self.checker.arrived

    def wait_arrived(self, more: int, within_s: float = ARRIVE_WITHIN_S) -> None:
        """Waits until so many more have arrived."""
        goal = self.count() + more
        wait_for(f"{more} more messages", within_s, lambda: self.count() >= goal)

    def run_for(self, seconds: float, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Lets it run, and does something again and again."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            meanwhile()
            time.sleep(min(0.02, left))

    def settle(self, within_s: float = ARRIVE_WITHIN_S) -> Judgement:
        """Waits until all that is acknowledged now has arrived, then judges. What has not come by then is lost."""
        self.sample()
        first = self.first if self.first is not None else self.durable
        parts = [*self.acknowledged, self._acknowledged(first)]
        with contextlib.suppress(TimeoutError):
            wait_until_quiet(lambda: not self._judge(parts).lost, self.quiet_s, within_s)
        return self._judge(parts)

    def _judge(self, parts: Sequence[Acknowledged]) -> Judgement:
        with self.receiver.lock:
            return self.checker.judge(parts)

    def quiet_s(self) -> float:
        """Since when nothing has arrived."""
        return time.monotonic() - self.receiver.last_arrival


QUIET_S = 15.0
"""When nothing has arrived for so long, nothing will."""
STALLED_S = 20.0
"""When what is missing does not come for so long although other things do, it will not."""


def wait_until_quiet(done: Callable[[], bool], quiet_s: Callable[[], float], within_s: float) -> None:
    """Waits until it is done, nothing comes any more, or what comes is something else."""
    until = time.monotonic() + min(within_s, STALLED_S)
    while not done():
        if quiet_s() > QUIET_S or time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.25)
