"""The example driver against its device, and against devices that mean it ill."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from conftest import running

from edgeway_driver import ConfigFault, DeviceFault, LinkFault, PointFault, Quality
from edgeway_driver.testing import WAIT_S, Gateway, GatewayLink, GatewaySession
from examples.acme.driver import AcmeDriver

HERE = Path(__file__).parents[1]
ACME = HERE / "examples" / "acme"
POINTS = [{"at": 12}, {"at": 50}, {"at": 100}, {"at": 99}]
READ, WRITABLE, MISSING = 1, 2, 3


@contextlib.asynccontextmanager
async def device(port: int = 0) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """device.py, and its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ACME / "device.py"), str(port), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(WAIT_S):
            yield process, int((await process.stdout.readline()).decode().rsplit(":")[-1])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def link_to(session: GatewaySession, port: int, timeout: str = "20s") -> GatewayLink:
    """A link to a device; points 0 to 3 of unit 7 are in steps 1 to 4, point 4 of unit 8 in step 5."""
    link = await session.open({"endpoint": f"tcp://127.0.0.1:{port}", "timeout": timeout})
    plan = await link.plan([{"unit": 7}, {"unit": 8}], [*POINTS, {"at": 12}], owners=[0, 0, 0, 0, 1])
    assert [step.step for step in plan.steps] == [1, 2, 3, 4, 5]
    return link


@contextlib.asynccontextmanager
async def linked(gateway: Gateway, port: int, timeout: str = "20s") -> AsyncIterator[GatewayLink]:
    """The driver in this process, with a link."""
    async with running(AcmeDriver(), gateway) as session:
        yield await link_to(session, port, timeout)


@contextlib.asynccontextmanager
async def started(gateway: Gateway, port: int) -> AsyncIterator[GatewayLink]:
    """The driver as a process, with a link."""
    async with gateway.start(sys.executable, str(ACME / "driver.py")):
        yield await link_to(await gateway.session(), port)


@contextlib.asynccontextmanager
async def hostile(answers: dict[str, Any]) -> AsyncIterator[tuple[int, list[str]]]:
    """A device that says what it is told to, and the questions it got. A number is a pause in seconds."""
    asked: list[str] = []
    serving: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (connection := asyncio.current_task()) is not None:
            serving.add(connection)
        with contextlib.suppress(OSError):
            while line := (await reader.readline()).decode().strip():
                asked.append(line)
                said = answers[line].pop(0) if isinstance(answers[line], list) else answers[line]
                for part in said if isinstance(said, tuple) else (said,):
                    if isinstance(part, float):
                        await asyncio.sleep(part)
                    else:
                        writer.write(part)
                        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
        for connection in serving:
            connection.cancel()


async def value(link: GatewayLink, step: int) -> Any:
    [reading] = await link.exec(step, within_s=20)
    assert reading.quality is Quality.GOOD
    return reading.value


async def test_registers_are_read_and_written(gateway: Gateway) -> None:
    async with device() as (_, port), started(gateway, port) as link:
        await link.connect()
        assert await value(link, READ) == 7012
        assert await value(link, 5) == 8012
        assert await link.write(1, -3405) == -3405
        assert await value(link, WRITABLE) == -3405


async def test_a_refused_register_is_a_fault_of_its_point_alone(gateway: Gateway) -> None:
    async with device() as (_, port), linked(gateway, port) as link:
        await link.connect()
        with pytest.raises(PointFault, match="register 100: no such register") as refused:
            await link.exec(MISSING)
        assert (refused.value.point, refused.value.quality) == (2, Quality.BAD_CONFIG)
        with pytest.raises(PointFault, match="register 12: it cannot be written"):
            await link.write(0, 1)
        with pytest.raises(PointFault, match="not a whole number"):
            await link.write(1, 0.5)
        assert await value(link, READ) == 7012


async def test_a_late_answer_is_never_taken_for_the_next_one(gateway: Gateway) -> None:
    late = (1.0, b"7 12 666\n")
    async with (
        hostile({"R 7 12": [late, b"7 12 1\n", late, b"7 12 2\n"], "R 8 12": b"8 12 3\n"}) as (port, asked),
        linked(gateway, port, timeout="300ms") as link,
    ):
        await link.connect()
        for good in (1, 2):
            with pytest.raises(DeviceFault, match=r"unit 7 has not answered within 0\.3 s"):
                await link.exec(READ)
            # Its neighbour on the same wire goes on, and nobody connects anew.
            assert await value(link, 5) == 3
            await asyncio.sleep(1.0)
            assert await value(link, READ) == good
        assert asked == ["R 7 12", "R 8 12", "R 7 12"] * 2


@pytest.mark.parametrize(
    "answer",
    [
        b"8 12 1\n",
        b"7 13 1\n",
        b"7 12\n",
        b"7 12 1 1\n",
        b"7 12 0x1\n",
        b"7 12 1.5\n",
        b"7 12 \xff\xfe\n",
        b"\n",
        b"7 12 1\n7 12 2\n",
        b"7" * 1000,
    ],
)
async def test_an_answer_to_another_question_is_no_value(gateway: Gateway, answer: bytes) -> None:
    async with hostile({"R 7 12": [answer, b"7 12 5\n"]}) as (port, _), linked(gateway, port) as link:
        await link.connect()
        with pytest.raises(DeviceFault):
            await link.exec(READ)
        assert await value(link, READ) == 5


async def test_an_answer_in_pieces_is_one_answer(gateway: Gateway) -> None:
    pieces = tuple(part for byte in b"7 12 70\n" for part in (bytes([byte]), 0.01))
    async with hostile({"R 7 12": [pieces]}) as (port, _), linked(gateway, port) as link:
        await link.connect()
        assert await value(link, READ) == 70


async def test_what_came_unasked_is_not_the_answer(gateway: Gateway) -> None:
    answers = {"R 8 12": [(b"8 12 1\n", 0.3, b"7 12 666\n")], "R 7 12": [(0.2, b"7 12 5\n")]}
    async with hostile(answers) as (port, _), linked(gateway, port) as link:
        await link.connect()
        assert await value(link, 5) == 1
        await asyncio.sleep(0.8)
        assert await value(link, READ) == 5
        assert (await link.health())["stray_bytes"] == len(b"7 12 666\n")


async def test_a_write_whose_answer_is_late_is_not_known_and_not_repeated(gateway: Gateway) -> None:
    answers = {"W 7 50 1": [(1.0, b"7 50 1\n")], "R 7 12": b"7 12 5\n"}
    async with hostile(answers) as (port, asked), linked(gateway, port, timeout="300ms") as link:
        await link.connect()
        with pytest.raises(DeviceFault):
            await link.write(1, 1)
        assert await value(link, READ) == 5
        assert asked == ["W 7 50 1", "R 7 12"]


async def test_a_deadline_that_is_sooner_than_the_timeout_is_kept(gateway: Gateway) -> None:
    async with hostile({"R 7 12": [30.0, b"7 12 5\n"]}) as (port, _), linked(gateway, port) as link:
        await link.connect()
        begin = asyncio.get_running_loop().time()
        with pytest.raises(DeviceFault):
            await link.exec(READ, within_s=0.3)
        assert asyncio.get_running_loop().time() - begin < 15
        assert await value(link, READ) == 5


async def test_a_device_that_is_killed_and_comes_back_is_read_again(gateway: Gateway) -> None:
    async with device() as (process, port), started(gateway, port) as link:
        await link.connect()
        assert await value(link, READ) == 7012
        process.kill()
        await process.wait()
        with pytest.raises(LinkFault):
            await link.exec(READ)
        with pytest.raises(LinkFault, match="Connection refused"):
            await link.connect()
        async with device(port):
            await link.connect()
            assert await value(link, READ) == 7012


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ({}, "`endpoint` is missing"),
        ({"endpoint": "10.0.0.1:7000"}, "tcp://host:port"),
        ({"endpoint": "tcp://a:70000"}, "Port out of range"),
        ({"endpoint": "tcp://a:1", "timeout": 1}, "not a duration"),
    ],
)
async def test_options_that_are_wrong_are_explained(gateway: Gateway, options: Any, mistake: str) -> None:
    async with running(AcmeDriver(), gateway) as session:
        with pytest.raises(ConfigFault, match=mistake):
            await session.open(options)


async def test_a_point_that_is_wrong_is_rejected_and_the_others_are_planned(gateway: Gateway) -> None:
    async with running(AcmeDriver(), gateway) as session:
        link = await session.open({"endpoint": "tcp://127.0.0.1:1"})
        plan = await link.plan([{"unit": 7}, {"unit": 300}], [{"at": 1}, {"at": -1}, {"at": 2}], owners=[0, 0, 1])
        assert [list(step.points) for step in plan.steps] == [[0]]
        assert {rejection.point: rejection.reason for rejection in plan.rejected} == {
            1: "`at`: -1 is not possible (0 to 65535)",
            2: "its device: `unit`: 300 is not possible (1 to 247)",
        }
