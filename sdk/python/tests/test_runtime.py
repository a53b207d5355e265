"""A driver as a process: what it prints, and when it exits."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from edgeway_driver import driver_pb2 as pb
from edgeway_driver.testing import WAIT_S, Gateway

DRIVER = """
import sys, time
from edgeway_driver import Driver, Link, Manifest, run

class Wire(Link):
    async def exec(self, step, out, by):
        print("exec is called")
        time.sleep(600)

class Blocks(Driver):
    manifest = Manifest("blocks", "1.0.0", "Blocks in exec")
    link = Wire

run(Blocks())
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    (tmp_path / "driver.py").write_text(DRIVER)
    return [sys.executable, str(tmp_path / "driver.py")]


async def exit_code(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(WAIT_S):
        return await process.wait()


async def alone(command: list[str], *arguments: str, **variables: str) -> tuple[int | None, str, str]:
    """Runs it to its end, and gives the exit code and what it has printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EDGEWAY_")}
    process = await asyncio.create_subprocess_exec(
        *command, *arguments, env={**clean, **variables}, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(WAIT_S):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_the_manifest_is_one_object_and_needs_no_gateway(command: list[str]) -> None:
    code, out, err = await alone(command, "--manifest")
    assert (code, err) == (0, "")
    assert json.loads(out)["name"] == "blocks"
    assert out.count("\n") == 1


async def test_without_a_gateway_it_says_in_one_line_what_it_is(command: list[str]) -> None:
    code, out, err = await alone(command)
    assert (code, out) == (1, "")
    assert err.startswith("blocks: EDGEWAY_SOCKET is not set")
    assert err.count("\n") == 1


async def test_a_driver_that_is_turned_away_exits_with_1_and_one_line(command: list[str]) -> None:
    async with Gateway(epoch=2) as gateway:
        # Its end of input comes later than the answer.
        async with gateway.start("env", "EDGEWAY_EPOCH=1", *command, output=PIPE) as driver:
            assert await exit_code(driver) == 1
            assert driver.stderr is not None
            told = (await driver.stderr.read()).decode()
        assert told == "blocks: the gateway turned this driver away: epoch 1 is over, 2 is now (FAILED_PRECONDITION)\n"


@pytest.mark.parametrize("how", ["input ends", "shutdown", "stream ends", "terminated"])
async def test_it_exits_with_0_when_a_session_is_over(command: list[str], how: str) -> None:
    async with Gateway() as gateway, gateway.start(*command) as driver:
        session = await gateway.session()
        await session.ping()
        match how:
            case "input ends":
                assert driver.stdin is not None
                driver.stdin.close()
            case "shutdown":
                await session.shutdown()
            case "stream ends":
                await gateway.__aexit__()
            case "terminated":
                driver.send_signal(signal.SIGTERM)
        assert await exit_code(driver) == 0


async def test_ctrl_c_in_the_terminal_is_left_to_the_gateway(command: list[str]) -> None:
    async with Gateway() as gateway, gateway.start(*command) as driver:
        session = await gateway.session()
        driver.send_signal(signal.SIGINT)
        await session.ping()
        await session.shutdown()
        assert await exit_code(driver) == 0


async def test_a_driver_that_is_stuck_exits_too_when_its_input_ends(command: list[str]) -> None:
    async with Gateway() as gateway, gateway.start(*command, output=PIPE) as driver:
        session = await gateway.session()
        link = await session.open({})
        await link.plan([{}], [{}])
        await link.connect()
        await session.begin(exec=pb.Exec(link=link.number, step=1, within_ms=100))
        assert driver.stdin is not None
        assert driver.stdout is not None
        # It is there as soon as it is printed, not when some buffer is full.
        assert await driver.stdout.readline() == b"exec is called\n"
        driver.stdin.close()
        assert await exit_code(driver) == 1
        assert driver.stderr is not None
        assert b"time.sleep(600)" in await driver.stderr.read()
