"""What the command lines `tests/faults` and `tests/soak` can say."""

import argparse
import contextlib
import random
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from . import runner, soaking, things
from .catalogue import ALL
from .context import Context
from .progress import Progress


def faults() -> int:
    """`tests/faults`; gives the exit code."""
    said = faults_parser().parse_args()
    chosen = {name: promise for name, promise in ALL.items() if not said.only or name in said.only}
    with surroundings(said.seed, said.short) as ctx:
        rows = []
        for name, promise in chosen.items():
            usual = promise.ROUNDS_SHORT if said.short else promise.ROUNDS
            rows.append(runner.run(name, promise, said.rounds or usual, ctx))
    print(runner.as_json(rows) if said.json else runner.table(rows))
    return int(any(row.bad for row in rows))


def faults_parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="tests/faults", description="Shows what the gateway promises, fault by fault.")
    parser.add_argument("--rounds", type=int, help="rounds of each promise, instead of its own number")
    parser.add_argument("--only", action="append", choices=ALL, help="only this promise; may be given several times")
    parser.add_argument("--short", action="store_true", help="a few rounds of each, below four minutes in all")
    parser.add_argument("--json", action="store_true", help="the table as JSON")
    parser.add_argument("--seed", type=int, help="repeats the choices of an earlier run, not its timing")
    return parser


def soak() -> int:
    """`tests/soak`; gives the exit code."""
    parser = argparse.ArgumentParser(prog="tests/soak", description="All faults at random, and a page of figures.")
    parser.add_argument("time", type=seconds, help="how long: 30m, 90s, 24h")
    parser.add_argument("--seed", type=int, help="repeats the choices of an earlier run, not its timing")
    parser.add_argument("--json", action="store_true", help="the page as JSON")
    parser.add_argument("--drivers", action="store_true", help="of the drivers: things that are killed and stopped at random")
    said = parser.parse_args()
    with surroundings(said.seed, short=False) as ctx:
        page = (things if said.drivers else soaking).soak(said.time, ctx)
    print(page.as_json() if said.json else page)
    return int(not page.sound)


def seconds(text: str) -> float:
    """`30m`"""
    match = re.fullmatch(r"(\d+)(s|m|h)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"`{text}` is no time; for example 30m, 90s, 24h")
    return int(match[1]) * {"s": 1.0, "m": 60.0, "h": 3600.0}[match[2]]


@contextlib.contextmanager
def surroundings(seed: int | None, short: bool) -> Iterator[Context]:
    """Scratch space, which is kept when something fails, and chance whose seed is told."""
    signal.signal(signal.SIGTERM, leave)
    seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
    folder = Path(tempfile.mkdtemp(prefix="edgeway-faults-"))
    # mosquitto gives up root's rights and has to get at its own folder.
    folder.chmod(0o755)
    print(f"seed {seed}, scratch {folder}", file=sys.stderr)
    ctx = Context(folder, Progress(), short, random.Random(seed))
    yield ctx
    if ctx.kept:
        print("kept:", *ctx.kept, file=sys.stderr)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def leave(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM unwinds, so that mounts, namespaces and children go."""
    raise KeyboardInterrupt
