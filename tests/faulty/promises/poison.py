"""Messages that a target refuses for good, and commands that are no commands: each is put aside, and the rest goes on."""

from dataclasses import dataclass, replace
from typing import Any

import paho.mqtt.publish

from .. import site as sites
from ..checker import parse_id
from ..context import Context
from ..figure import Figure
from ..line import Line, Plan
from ..process import wait_for
from ..site import Group
from ..web import Liar, WebService

NAME = "poison"
GOAL = "dead letters = rejected, exactly; the rest not delayed (p99 < 2 s)"
ROUNDS = 10
ROUNDS_SHORT = 1
CONTROL = "a service that says 204 and drops 1 in 100"

ONE_IN = 100
MESSAGES = 1_000
"""Of a round."""
GROUPS = (Group("counter", 20, 100),)
DELAY_P99_MAX_S = 2.0
HUGE_BYTES = 30 << 20
HUGE = "huge"
"""The id of the command whose result is too large for everyone."""
TEMPLATE = (
    f'{{% if message.command is defined and message.command == "{HUGE}" and message.state == "applied" %}}'
    f'{{{{ "x" * {HUGE_BYTES} }}}}'
    "{% else %}{{ message|tojson }}{% endif %}"
)
ROUTES = [
    sites.route("all"),
    sites.route("web", "web", format="template", template={"text": TEMPLATE}, batch={"messages": 20, "age": "50ms"}),
]
QUIET = {"ledger": {"every": "1d"}}
COMMANDS = "commands/{device}"
DEVICE = "counter-000"


def poisonous(message: dict[str, Any]) -> bool:
    """One in 100, by its id, so that the same ones are meant whenever they come."""
    ident = parse_id(message.get("id"))
    return ident is not None and ident.offset % ONE_IN == 0


@dataclass(frozen=True)
class Outcome:
    """What a round has come to."""

    rejected: int
    """By the service, alone; and the one that is too large."""
    dead: int
    """As the gateway counts."""
    taken: int
    accepted: int
    delay_p99_s: float

    def figure(self) -> Figure:
        """The counts must fit to the last message."""
        unexplained = self.taken - self.accepted - self.dead
        text = (
            f"{self.dead} dead letters, {self.rejected} rejected of {self.taken:,}, {unexplained} unexplained; "
            f"delay p99 {self.delay_p99_s:.2f} s"
        )
        met = self.dead == self.rejected > 0 and unexplained == 0 and self.delay_p99_s < DELAY_P99_MAX_S
        numbers = {
            "dead": self.dead, "rejected": self.rejected, "taken": self.taken, "unexplained": unexplained,
            "delay_p99_s": self.delay_p99_s,
        }
        return Figure(1, text, met, numbers)


def run(rounds: int, ctx: Context) -> Figure:
    """Again and again; the first that is wrong is told."""
    figure = Figure(0, "no round", False)
    for turn in range(rounds):
        with WebService(poisonous) as service:
            figure = replace(once(ctx, service), rounds=turn + 1)
        if not figure.met:
            break
    return figure


def once(ctx: Context, service: WebService) -> Figure:
    """Everything at once: refusals, one message that is too large, commands that are none."""
    target = {"commands": COMMANDS}
    plan = Plan(GROUPS, target=target, others={"web": {"kind": "http", "url": service.url}}, routes=ROUTES, more=QUIET)
    with Line(ctx, ctx.room("poison"), plan) as line:
        line.start()
        line.wait_arrived(100)
        if not line.gateway.set(DEVICE, 1, HUGE):
            raise RuntimeError("the command that makes a huge message was not taken")
        poison_commands(line)
        wait_for("messages at the service", 60.0, lambda: len(service.delays_s) > MESSAGES)
        account = line.finish(["web", "all"])["web"]
        with service.lock:
            delays = sorted(service.delays_s.values())
            rejected = len(service.refused) + 1
    return Outcome(rejected, account.dead, account.taken, len(delays), delays[int(len(delays) * 0.99)]).figure()


def poison_commands(line: Line) -> None:
    """What is no command must not keep the next one from being carried out."""
    topic, port = COMMANDS.replace("{device}", DEVICE), line.broker.port
    bad = [b"\xff\xfe\x80 {", b'{"set": {"limit": "\xc3\x28"}}', b"x" * HUGE_BYTES]
    good = b'{"id": "after", "set": {"limit": 7}}'
    for payload in [*bad, good]:
        paho.mqtt.publish.single(topic, payload, qos=1, hostname="127.0.0.1", port=port)
    line.receiver.wait_until("the command behind the bad ones", lambda: "after" in line.checker.commands, 30.0)


def control(ctx: Context) -> Figure:
    """Nothing is refused, and 1 in 100 never arrives."""
    with Liar(poisonous) as service:
        return once(ctx, service)
