"""The soak of the drivers: a thing in each protocol, killed, stopped and started at random, while a gateway reads it.

Each thing tells the time. So every value says by itself whether it is right: whose it is, and of when.
"""

import contextlib
import json
import signal
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .context import ROOT, Context
from .gateway import Gateway
from .ports import free_port
from .process import Child, wait_for
from .site import Site

NUMBERS = {"mqtt": 1, "http": 2, "coap": 3, "opcua": 4, "ble": 5}
"""What the values of each begin with."""
ADDRESS = "A4:C1:38:00:00:05"
COMPANY = 0x0499
TURN = 1_000_000
WRONG_AFTER_S = 20.0
"""A good value of a device that is online is never older."""
SETTLED_S = 60.0
"""Growth is looked at from then on."""
BACK_WITHIN_S = 60.0
"""At the end everything is to be right again."""
MEMORY_GROWTH_MAX = 1.10
FILES_GROWTH_MAX = 12
MODEL = {
    "properties": [
        {
            "identifier": "clock",
            "name": "clock",
            "accessMode": "r",
            "dataType": {"type": "double", "specs": {"min": "0", "max": "9e15"}},
        }
    ],
    "events": [],
    "services": [],
}


@dataclass
class ThingsSite(Site):
    """A link and a device for each protocol."""

    links: str = ""

    def write(self) -> "ThingsSite":
        """Makes its folder."""
        (self.folder / "models").mkdir(parents=True)
        (self.folder / "models/clock.json").write_text(json.dumps(MODEL))
        settings = f'name = "things"\n[api]\nlisten = "127.0.0.1:{self.api_port}"\n[journal]\nsize = "64MiB"\n'
        (self.folder / "edgeway.toml").write_text(settings)
        (self.folder / "devices.toml").write_text(self.links)
        return self


class Thing:
    """One of them, with everything that it needs to run."""

    def __init__(self, kind: str, room: Path) -> None:
        self.kind, self.room, self.port = kind, room, free_port()
        self.children: list[Child] = []

    def start(self) -> None:
        """Starts it; it may not be there yet."""
        if self.kind == "ble":
            return self.start_radio()
        if self.kind == "mqtt":
            self.run("/usr/sbin/mosquitto", "-p", str(self.port))
        script = ROOT / "tests/peers/clock_thing.py"
        self.run(sys.executable, script, self.kind, str(self.port), str(NUMBERS[self.kind]))

    def start_radio(self) -> None:
        """A bus of its own with a mocked BlueZ on it, and an adapter that hears one device."""
        self.socket.unlink(missing_ok=True)
        self.run("dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address=unix:path={self.socket}")
        wait_for("the bus", 10.0, self.socket.exists)
        template = ROOT / "tests/peers/bluez_mock.py"
        bus = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.socket}", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
        self.run("/usr/bin/python3", "-m", "dbusmock", "-l", "/dev/null", "--template", template, env=bus)
        self.tell({"do": "adapter"})
        self.tell({"do": "device", "address": ADDRESS})

    @property
    def socket(self) -> Path:
        """Where the bus is."""
        return self.room / "bus"

    def beat(self) -> None:
        """What has to be done for it from time to time: it is heard."""
        if self.kind == "ble" and self.children and self.children[-1].alive:
            value = NUMBERS["ble"] * TURN + int(time.time() * 10) % TURN
            data = {f"{COMPANY:04x}": value.to_bytes(4, "little").hex()}
            self.tell({"do": "heard", "address": ADDRESS, "rssi": -60 - int(time.time()) % 9, "manufacturer": data})

    def tell(self, command: dict[str, object]) -> None:
        """A line to the mocked BlueZ."""
        out = self.children[-1].process.stdin
        assert out is not None
        with contextlib.suppress(BrokenPipeError):
            out.write(json.dumps(command) + "\n")
            out.flush()
        self.children[-1].said()

    def run(self, *command: str | Path, env: dict[str, str] | None = None) -> None:
        """One of its processes."""
        self.children.append(Child(command, self.room / f"{self.kind}.log", env))

    def signal(self, number: signal.Signals) -> None:
        """To all of its processes."""
        for child in self.children:
            child.signal(number)

    def kill(self) -> None:
        """kill -9."""
        for child in self.children:
            child.kill()
        self.children.clear()

    def link(self) -> str:
        """How the gateway reaches it."""
        where = {
            "mqtt": f'endpoint = "mqtt://127.0.0.1:{self.port}"\nkeep_alive = "2s"\n',
            "http": f'endpoint = "http://127.0.0.1:{self.port}"\ntimeout = "1s"\n',
            "coap": f'endpoint = "coap://127.0.0.1:{self.port}"\ntimeout = "2s"\nack_timeout = "500ms"\nrenew = "2s"\n',
            "opcua": f'endpoint = "opc.tcp://127.0.0.1:{self.port}"\nkeep_alive = "1s"\ntimeout = "2s"\n',
            "ble": f'bus = "unix:path={self.socket}"\n',
        }[self.kind]
        points = {
            "mqtt": '{ at = "clock", stale_after = "5s" }',
            "http": '{ at = "clock" }',
            "coap": '{ path = "/clock", at = "clock", watch = "observe", stale_after = "5s" }',
            "opcua": '{ at = "nsu=urn:clock;s=clock" }',
            "ble": '{ at = "manufacturer:0x0499", type = "u32", stale_after = "5s" }',
        }[self.kind]
        device = {
            "mqtt": 'mqtt = { topic = "clock/thing", retained = "ignore" }\n',
            "ble": f'ble = {{ address = "{ADDRESS}", gone_after = "10s" }}\n',
        }.get(self.kind, "")
        kind = self.kind
        return (
            f'[link.{kind}]\ndriver = "{kind}"\n{where}\n'
            f'[template.{kind}]\nmodel = "clock"\nlink = "{kind}"\npoll = "500ms"\n'
            f"[template.{kind}.points]\nclock = {points}\n\n"
            f'[[device]]\nid = "{kind}"\ntemplate = "{kind}"\n{device}\n'
        )


@dataclass
class ThingsStory:
    """What it came to."""

    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    looks: Counter[str] = field(default_factory=Counter)
    good: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)
    files: list[tuple[float, int]] = field(default_factory=list)
    threads: list[tuple[float, int]] = field(default_factory=list)

    def growth(self, samples: list[tuple[float, int]]) -> tuple[float, float]:
        """The medians of the first and of the last third, after it has settled."""
        values = [value for at, value in samples if at > SETTLED_S] or [value for _, value in samples]
        third = max(len(values) // 3, 1)
        return statistics.median(values[:third]), statistics.median(values[-third:])

    @property
    def sound(self) -> bool:
        """Every promise held."""
        (memory_before, memory_after), (files_before, files_after) = self.growth(self.memory), self.growth(self.files)
        (threads_before, threads_after) = self.growth(self.threads)
        grown = memory_after > memory_before * MEMORY_GROWTH_MAX or files_after > files_before + FILES_GROWTH_MAX
        return not (self.wrong or self.missing or grown or threads_after > threads_before + 4)

    def rows(self) -> list[tuple[str, str, str]]:
        """What, how much, and what was promised."""
        pair = "{:.0f} -> {:.0f}".format
        memory = tuple(value / (1 << 20) for value in self.growth(self.memory))
        return [
            ("time", f"{self.seconds / 60:.1f} min", ""),
            *((name, f"{count:,}", "") for name, count in sorted(self.faults.items())),
            *((f"good values seen, {kind}", f"{self.good[kind]:,} of {self.looks[kind]:,}", "") for kind in NUMBERS),
            ("wrong values", f"{len(self.wrong)}", "0"),
            ("not back at the end", f"{len(self.missing)}", "0"),
            ("memory, MiB", pair(*memory), f"{MEMORY_GROWTH_MAX:g} times"),
            ("open files", pair(*self.growth(self.files)), f"{FILES_GROWTH_MAX} more"),
            ("threads", pair(*self.growth(self.threads)), "4 more"),
        ]

    def __str__(self) -> str:
        lines = [f"{what:<28}{figure:>20}  {f'promised {goal}' if goal else ''}".rstrip() for what, figure, goal in self.rows()]
        return "\n".join([*lines, *self.wrong[:20], *self.missing, "sound" if self.sound else "NOT SOUND"])

    def as_json(self) -> str:
        """For programs."""
        return json.dumps({what: figure for what, figure, _ in self.rows()} | {"sound": self.sound}, indent=2)


def soak(seconds: float, ctx: Context) -> ThingsStory:
    """Lives through it."""
    ctx.progress.begin("soak of the drivers")
    room = ctx.room("things")
    things = {kind: Thing(kind, room) for kind in NUMBERS}
    links = "".join(thing.link() for thing in things.values())
    site = ThingsSite(room / "site", [], {}, [], links=links).write()
    story, start = ThingsStory(), time.monotonic()
    with contextlib.ExitStack() as stack:
        for thing in things.values():
            stack.callback(thing.kill)
            thing.start()
        gateway = stack.enter_context(Gateway(site))
        while (passed := time.monotonic() - start) < seconds:
            misfortune(ctx, story, list(things.values()), gateway, start)
            ctx.say(f"{passed:.0f} of {seconds:.0f} s, {story.faults.total()} faults, {len(story.wrong)} wrong")
        settle(story, things, gateway, start)
        story.seconds = time.monotonic() - start
        if not story.sound:
            ctx.keep(gateway.log, "gateway.log")
    return story


def misfortune(ctx: Context, story: ThingsStory, things: list[Thing], gateway: Gateway, start: float) -> None:
    """Something happens to one of them, and a while later it is as before."""
    thing = ctx.chance.choice(things)
    rest = ctx.chance.uniform(0.5, 6.0)
    if ctx.chance.random() < 0.7:
        thing.kill()
        story.faults[f"{thing.kind} killed"] += 1
        watch(story, things, gateway, start, rest)
        thing.start()
    else:
        thing.signal(signal.SIGSTOP)
        story.faults[f"{thing.kind} stopped"] += 1
        watch(story, [other for other in things if other is not thing], gateway, start, rest)
        thing.signal(signal.SIGCONT)
    watch(story, things, gateway, start, ctx.chance.uniform(2.0, 8.0))


def watch(story: ThingsStory, things: list[Thing], gateway: Gateway, start: float, seconds: float) -> None:
    """Looks at every value, and at what the gateway takes."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for thing in things:
            thing.beat()
        for kind in NUMBERS:
            look(story, kind, gateway)
        at = time.monotonic() - start
        assert gateway.child is not None
        process = Path(f"/proc/{gateway.child.process.pid}")
        story.memory.append((at, gateway.resident_bytes()))
        story.files.append((at, len(list((process / "fd").iterdir()))))
        story.threads.append((at, len(list((process / "task").iterdir()))))
        time.sleep(0.25)


def look(story: ThingsStory, kind: str, gateway: Gateway) -> bool:
    """Whether the value is good, and then it has to be right."""
    view = gateway.get(f"devices/{kind}")
    story.looks[kind] += 1
    clock = next(one for one in view["properties"] if one["identifier"] == "clock")
    if clock.get("quality") != "good" or view["state"] != "online":
        return False
    number, tenths = divmod(int(clock["value"]), TURN)
    age_s = ((int(time.time() * 10) - tenths) % TURN) / 10
    story.good[kind] += 1
    if number != NUMBERS[kind]:
        story.wrong.append(f"{kind}: {clock['value']} is of another device")
    elif age_s > WRONG_AFTER_S:
        story.wrong.append(f"{kind}: {clock['value']} is good and {age_s:.1f} s old")
    return age_s < 5.0


def settle(story: ThingsStory, things: dict[str, Thing], gateway: Gateway, start: float) -> None:
    """With everything as it should be, all values come."""
    until = time.monotonic() + BACK_WITHIN_S
    waiting = set(NUMBERS)
    while waiting and time.monotonic() < until:
        watch(story, list(things.values()), gateway, start, 0.5)
        waiting = {kind for kind in waiting if not look(story, kind, gateway)}
    story.missing = [f"{kind}: no value came in {BACK_WITHIN_S:g} s" for kind in sorted(waiting)]
