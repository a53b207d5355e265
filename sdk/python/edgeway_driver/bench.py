"""How fast a driver is: `python -m edgeway_driver.bench`.

Starts itself as a driver, with a gateway for tests at the other end of a Unix socket, and counts what arrives there,
decoded. Both ends are Python, so that the true gateway takes more than this.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from array import array
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Any

from . import driver_pb2 as pb
from .batch import Batch
from .driver import Deadline, Driver, Link, Plan, PointSpec, Step, steps_by_device
from .manifest import Manifest
from .options import NoOptions
from .runtime import run
from .sink import Sink
from .testing import Gateway, GatewaySession

SECONDS = 2.0
"""How long each row is measured."""
POINTS = 1000
"""Values in a batch."""
BATCHES = 4
"""Batches that are handed over before the producer waits, as those of several devices would be."""


def numpy_array(values: Iterable[float]) -> Any:
    """A numpy array of doubles."""
    import numpy as np

    return np.fromiter(values, dtype=np.float64)


COLUMNS: dict[str, Callable[[Iterable[float]], Any]] = {
    "list": list,
    "array": lambda values: array("d", values),
    "numpy": numpy_array,
}


class BenchLink(Link[dict[str, Any], NoOptions, NoOptions]):
    """Tells new values as fast as they are taken; `column` says in what they are handed over."""

    def plan(
        self,
        devices: Any,
        points: Any,
        split: Step[NoOptions, NoOptions] | None,
    ) -> Plan[NoOptions, NoOptions]:
        """The first point is asked for, all others are watched."""
        return Plan(steps=steps_by_device(points[:1]).steps, watched=points[1:])

    async def exec(self, step: Step[NoOptions, NoOptions], out: Batch, by: Deadline) -> None:
        """One value."""
        out.good(step.points[0], 1.0)

    async def watch(self, points: Any, sink: Sink, by: Deadline) -> None:
        """Begins."""
        sink.listen(self.produce(points, sink))

    async def produce(self, points: Iterable[PointSpec[NoOptions, NoOptions]], sink: Sink) -> None:
        """New values, without end."""
        numbers = [point.number for point in points]
        values = COLUMNS[self.options["column"]](float(number) for number in numbers)
        batch = Batch()
        while True:
            for _ in range(BATCHES):
                batch.extend(numbers, values, time_ns=time.time_ns())
                sink.data(batch)
            await sink.drain()


class BenchDriver(Driver[dict[str, Any], NoOptions, NoOptions]):
    """Of the links above."""

    manifest = Manifest("bench", "1.0.0", "Values out of nothing", link={"type": "object"})
    link = BenchLink


async def values_per_second(column: str) -> float:
    """How many values arrive through `Sink.data`."""
    async with Gateway() as gateway, gateway.start(sys.executable, "-m", __spec__.name, "--driver"):
        session = await gateway.session()
        link = await session.open({"column": column})
        await link.plan([{}], [{}] * (POINTS + 1))
        await link.connect()
        await link.watch()
        # The first are on the house: imports, connections, memory.
        await count_values(session, SECONDS / 4)
        return await count_values(session, SECONDS)


async def count_values(session: GatewaySession, seconds: float) -> float:
    """Takes values, and gives new credit for each message."""
    begin, values = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        message: pb.ToGateway = await session.next()
        values += len(message.data.floats)
        await session.grant(1)
    return values / (time.perf_counter() - begin)


async def questions_per_second() -> float:
    """How many steps of one point are run, one after the other."""
    async with Gateway() as gateway, gateway.start(sys.executable, "-m", __spec__.name, "--driver"):
        session = await gateway.session()
        link = await session.open({"column": "list"})
        plan = await link.plan([{}], [{}])
        await link.connect()
        begin, answers = time.perf_counter(), 0
        while time.perf_counter() - begin < SECONDS:
            await link.exec(plan.steps[0].step)
            answers += 1
        return answers / (time.perf_counter() - begin)


async def measure() -> None:
    """Prints a table."""
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores, {POINTS} values in a batch, {SECONDS:g} s each")
    for column in COLUMNS:
        if column == "numpy" and find_spec("numpy") is None:
            print(f"Sink.data, {column:<6} is not installed")
        else:
            print(f"Sink.data, {column:<6} {await values_per_second(column) / 1e6:8.2f} M values/s", flush=True)
    print(f"exec, one by one  {await questions_per_second():8.0f} steps/s")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--driver", action="store_true", help="be the driver that is measured")
    arguments, rest = parser.parse_known_args()
    if arguments.driver:
        sys.argv[1:] = rest
        run(BenchDriver())
    asyncio.run(measure())


if __name__ == "__main__":
    main()
