"""How a session begins, goes on and ends."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from conftest import Wire, driver_of, running

from edgeway_driver import Batch, ConfigFault, Deadline, Step, Unsupported
from edgeway_driver import driver_pb2 as pb
from edgeway_driver.session import Environment, NoSession, Session
from edgeway_driver.testing import Gateway
from edgeway_driver.watchdog import watch_loop


async def refused(environment: Environment) -> str:
    with pytest.raises(NoSession) as error:
        await Session(driver_of(Wire)).run(environment)
    return str(error.value)


async def test_hello_says_what_the_environment_holds(gateway: Gateway) -> None:
    async with running(driver_of(Wire), gateway) as session:
        hello = session.hello
        assert (hello.token, hello.epoch, hello.api_min, hello.api_max) == ("secret", 1, 1, 1)
        assert session.manifest["name"] == "made"


async def test_a_driver_of_an_older_epoch_is_turned_away() -> None:
    async with Gateway(epoch=5) as gateway:
        old = dataclasses.replace(gateway.environment, epoch=4)
        assert "epoch 4 is over" in await refused(old)


async def test_a_wrong_token_is_turned_away(gateway: Gateway) -> None:
    wrong = dataclasses.replace(gateway.environment, token="guessed")
    assert "UNAUTHENTICATED" in await refused(wrong)


async def test_a_gateway_that_is_not_there_is_named(tmp_path: Path) -> None:
    nowhere = Environment(f"unix:{tmp_path}/nobody.sock", dial_within_s=0.3)
    assert await refused(nowhere) == f"no gateway at {nowhere.socket} within 0.3 s: [Errno 2] No such file or directory"


async def test_a_gateway_that_comes_late_is_found(tmp_path: Path) -> None:
    async with Gateway() as gateway:
        path = gateway.environment.socket.removeprefix("unix:")
        hidden = Path(path).rename(f"{path}.later")  # noqa: ASYNC240
        session = Session(driver_of(Wire))
        run = asyncio.ensure_future(session.run(gateway.environment))
        await asyncio.sleep(0.3)
        hidden.rename(path)
        await gateway.session()
        session.stop()
        await run


async def test_the_authority_over_a_unix_socket_is_localhost() -> None:
    """HTTP/2 servers that check it turn a path away."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/gateway.sock")
        listener.listen()
        heard = bytearray()

        def listen() -> None:
            dialled, _ = listener.accept()
            with dialled:
                # An empty SETTINGS frame, so that the client goes on.
                dialled.sendall(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
                while b"Session" not in heard and (part := dialled.recv(4096)):
                    heard.extend(part)

        thread = threading.Thread(target=listen)
        thread.start()
        await refused(Environment(f"unix:{folder}/gateway.sock", dial_within_s=10))
        thread.join()
        assert b":authority\x09localhost" in heard


async def test_over_tls_both_ends_show_who_they_are(tmp_path: Path) -> None:
    authority = trustme.CA()
    there, here = authority.issue_cert("localhost"), authority.issue_cert("driver")
    authority.cert_pem.write_to_path(tmp_path / "ca")
    here.private_key_pem.write_to_path(tmp_path / "key")
    here.cert_chain_pems[0].write_to_path(tmp_path / "cert")
    shown = [(there.private_key_pem.bytes(), there.cert_chain_pems[0].bytes())]
    tls = grpc.ssl_server_credentials(shown, authority.cert_pem.bytes(), require_client_auth=True)
    async with Gateway(tls=tls) as gateway:
        files = {f"EDGEWAY_TLS_{name.upper()}": str(tmp_path / name) for name in ("ca", "cert", "key")}
        environment = Environment.of({**gateway.variables, **files})
        session = Session(driver_of(Wire))
        run = asyncio.ensure_future(session.run(environment))
        await (await gateway.session()).ping()
        session.stop()
        await run
        anonymous = dataclasses.replace(environment, tls_cert=None, tls_key=None, dial_within_s=1.0)
        await refused(anonymous)
        trustme.CA().cert_pem.write_to_path(tmp_path / "other")
        doubtful = dataclasses.replace(environment, tls_ca=str(tmp_path / "other"), dial_within_s=1.0)
        assert "certificate verify failed" in await refused(doubtful)


@pytest.mark.parametrize(
    ("variables", "mistake"),
    [
        ({}, "EDGEWAY_SOCKET is not set"),
        ({"EDGEWAY_SOCKET": "localhost:1"}, "EDGEWAY_SOCKET is `localhost:1`"),
        ({"EDGEWAY_SOCKET": "unix:/x", "EDGEWAY_EPOCH": "-1"}, "EDGEWAY_EPOCH is `-1`"),
    ],
)
def test_an_environment_that_is_wrong_is_explained(variables: dict[str, str], mistake: str) -> None:
    with pytest.raises(NoSession, match=mistake):
        Environment.of(variables)


def test_files_for_tls_that_are_missing_are_named() -> None:
    with pytest.raises(NoSession, match=r"No such file or directory: '/nowhere/ca.pem'"):
        Environment("https://localhost:1", tls_ca="/nowhere/ca.pem").channel()
    with pytest.raises(NoSession, match="belong together"):
        Environment("https://localhost:1", tls_cert="/nowhere/cert.pem").channel()


async def test_pings_are_answered_while_a_handler_waits(gateway: Gateway) -> None:
    class Waits(Wire):
        go = asyncio.Event()

        async def exec(self, step: Step[Any, Any], out: Batch, by: Deadline) -> None:
            await Waits.go.wait()
            await super().exec(step, out, by)

    async with running(driver_of(Waits), gateway) as session:
        link = await session.open({})
        await link.plan([{}], [{}])
        await link.connect()
        waiting = asyncio.ensure_future(link.exec(1, within_s=60))
        for _ in range(3):
            await session.ping()
        assert not waiting.done()
        Waits.go.set()
        assert len(await waiting) == 1


async def test_a_handler_that_blocks_is_named_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with watch_loop(asyncio.get_running_loop(), blocked_s=0.5):
        await asyncio.sleep(0.1)
        time.sleep(1.5)  # noqa: ASYNC251
    assert "time.sleep(1.5)" in capsys.readouterr().err


async def test_links_do_not_wait_for_each_other(gateway: Gateway) -> None:
    class Waits(Wire):
        go = asyncio.Event()

        async def exec(self, step: Step[Any, Any], out: Batch, by: Deadline) -> None:
            if self.options["slow"]:
                await Waits.go.wait()
            await super().exec(step, out, by)

    async with running(driver_of(Waits), gateway) as session:
        slow, quick = [await session.open({"slow": slow}) for slow in (True, False)]
        for link in (slow, quick):
            await link.plan([{}], [{}])
            await link.connect()
        waiting = asyncio.ensure_future(slow.exec(1, within_s=60))
        await quick.exec(1)
        assert not waiting.done()
        Waits.go.set()
        await waiting


async def test_a_driver_that_counts_nothing_answers_too(gateway: Gateway) -> None:
    async with running(driver_of(Wire), gateway) as session:
        link = await session.open({})
        answer = await session.ask(health=pb.Health(link=link.number))
        assert answer.WhichOneof("body") == "counters"


async def test_questions_that_make_no_sense_are_faults(gateway: Gateway) -> None:
    async with running(driver_of(Wire), gateway) as session:
        link = await session.open({})
        with pytest.raises(ConfigFault, match="link 0 is open already"):
            await session.ask(open_link=pb.OpenLink(link=link.number, options="{}"))
        with pytest.raises(ConfigFault, match="link 9 is not open"):
            await session.ask(health=pb.Health(link=9))
        with pytest.raises(ConfigFault, match="no JSON"):
            await session.ask(open_link=pb.OpenLink(link=5, options="{"))
        await session.say(pb.ToDriver())
        with pytest.raises(Unsupported, match="newer"):
            await session.ask()


async def test_shutdown_closes_the_links_and_ends_the_stream(gateway: Gateway) -> None:
    session = Session(driver_of(Wire))
    run = asyncio.ensure_future(session.run(gateway.environment))
    there = await gateway.session()
    link = await there.open({})
    await link.plan([{}], [{}])
    await link.connect()
    await there.shutdown()
    async with asyncio.timeout(20):
        await run
        await there.ended.wait()
    assert Wire.made[-1].said == ["connect", "close"]


async def test_a_message_that_is_too_long_ends_the_session(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    session = Session(driver_of(Wire))
    run = asyncio.ensure_future(session.run(gateway.environment))
    there = await gateway.session()
    with contextlib.suppress(Exception):
        # Fails if the driver's end is faster.
        await there.say(pb.ToDriver(id=99, open_link=pb.OpenLink(options=" " * (64 << 20))))
    async with asyncio.timeout(20):
        await run
    assert "larger than max" in capsys.readouterr().err
