"""A gateway for every test, and drivers inside the test's own process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from edgeway_driver import Batch, Deadline, Driver, Link, Manifest, Step
from edgeway_driver.session import Session
from edgeway_driver.testing import Gateway, GatewaySession

Options = dict[str, Any]
ANYTHING: Options = {"type": "object"}
Running = Callable[..., contextlib.AbstractAsyncContextManager[GatewaySession]]


class Wire(Link[Options, Options, Options]):
    """Answers 1.0 for every point, and says what happened to it. Tests derive from it."""

    made: list[Wire]

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.said: list[str] = []
        type(self).made = [*getattr(type(self), "made", []), self]

    async def connect(self, by: Deadline) -> Any:
        self.said.append("connect")

    async def exec(self, step: Step[Options, Options], out: Batch, by: Deadline) -> None:
        self.said.append(f"exec {step.number}")
        out.extend(step.numbers, [1.0] * len(step.numbers))

    async def close(self) -> None:
        self.said.append("close")


def driver_of(wire: type[Link[Options, Options, Options]]) -> Driver[Options, Options, Options]:
    """A driver that makes such links, whatever their options."""

    class Made(Driver[Options, Options, Options]):
        manifest = Manifest("made", "1.0.0", "For tests", link=ANYTHING, device=ANYTHING, point=ANYTHING)
        link = wire

    return Made()


@contextlib.asynccontextmanager
async def running(driver: Driver[Any, Any, Any], gateway: Gateway) -> AsyncIterator[GatewaySession]:
    """A session of this driver, in this process."""
    session = Session(driver)
    task = asyncio.ensure_future(session.run(gateway.environment))
    try:
        yield await gateway.session()
    finally:
        session.stop()
        await task


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drivers that are started find this package, installed or not."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway() as listening:
        yield listening
