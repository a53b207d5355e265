"""One session with the gateway: dial, greet, answer, and end."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import ssl
import sys
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

import grpc
import grpc.aio

from . import driver_pb2 as pb
from .codec import fault_message, json_of, listing
from .driver import Driver
from .fault import ConfigFault, DeviceFault, Fault, Unsupported
from .host import LinkHost, within
from .manifest import manifest_json, read_options
from .sink import FRAME_BYTES_MAX, Outbox
from .wire import unexpected

API = 1
"""The version of the contract that is spoken."""
DIAL_WITHIN_S = 10.0
"""How long the gateway may take to be there and to say Welcome."""
CLOSE_WITHIN_S = 2.0
"""How long links may take to close when the gateway has said no time."""
TO_DRIVER_BYTES_MAX = 64 << 20
"""The longest message from the gateway."""
METHOD = "/edgeway.driver.v1.DriverHost/Session"

Stream = grpc.aio.StreamStreamCall[pb.ToGateway, pb.ToDriver]


class NoSession(Exception):
    """There is no session, and why."""


@dataclasses.dataclass(frozen=True)
class Environment:
    """What the gateway gives a driver on its way."""

    socket: str
    token: str = ""
    epoch: int = 0
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    dial_within_s: float = DIAL_WITHIN_S

    @staticmethod
    def of(variables: Mapping[str, str]) -> Environment:
        """As it stands in environment variables."""
        address = variables.get("EDGEWAY_SOCKET", "")
        if not address.startswith(("unix:", "https://")):
            found = f"is `{address}`" if address else "is not set"
            raise NoSession(
                f"EDGEWAY_SOCKET {found}: the gateway starts drivers, with `unix:/path` or `https://host:port` there"
            )
        epoch = variables.get("EDGEWAY_EPOCH", "0")
        if not epoch.isdecimal():
            raise NoSession(f"EDGEWAY_EPOCH is `{epoch}`, not a number")
        return Environment(
            socket=address,
            token=variables.get("EDGEWAY_TOKEN", ""),
            epoch=int(epoch),
            tls_ca=variables.get("EDGEWAY_TLS_CA"),
            tls_cert=variables.get("EDGEWAY_TLS_CERT"),
            tls_key=variables.get("EDGEWAY_TLS_KEY"),
        )

    def channel(self) -> grpc.aio.Channel:
        """A channel to the gateway, not yet connected."""
        options: list[tuple[str, Any]] = [
            ("grpc.max_send_message_length", FRAME_BYTES_MAX),
            ("grpc.max_receive_message_length", TO_DRIVER_BYTES_MAX),
            ("grpc.enable_http_proxy", 0),
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 1000),
        ]
        if self.socket.startswith("unix:"):
            # gRPC's C core would send the socket's path as authority, which servers that check it refuse.
            options.append(("grpc.default_authority", "localhost"))
            return grpc.aio.insecure_channel(self.socket, options)
        return grpc.aio.secure_channel(self.socket.removeprefix("https://").rstrip("/"), self._credentials(), options)

    def _credentials(self) -> grpc.ChannelCredentials:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise NoSession("EDGEWAY_TLS_CERT and EDGEWAY_TLS_KEY belong together, and one is missing")
        try:
            ca, cert, key = (read_file(path) if path else None for path in (self.tls_ca, self.tls_cert, self.tls_key))
        except OSError as error:
            raise NoSession(f"a file that EDGEWAY_TLS_* names cannot be read: {error}") from None
        return grpc.ssl_channel_credentials(ca, key, cert)

    def why_unreachable(self) -> str:
        """What the system says of the address."""
        try:
            if self.socket.startswith("unix:"):
                with socket.socket(socket.AF_UNIX) as dialled:
                    dialled.connect(self.socket.removeprefix("unix:"))
            else:
                self._shake_hands()
        except (OSError, ValueError) as error:
            return str(error)
        return "somebody listens there, but does not speak gRPC, or does not trust this driver's certificate"

    def _shake_hands(self) -> None:
        """Raises what gRPC keeps to itself: which certificate is not trusted, and why."""
        host, _, port = self.socket.removeprefix("https://").rstrip("/").rpartition(":")
        context = ssl.create_default_context(cafile=self.tls_ca)
        if self.tls_cert is not None:
            context.load_cert_chain(self.tls_cert, self.tls_key)
        host = host.strip("[]")
        with (
            socket.create_connection((host, int(port)), timeout=1) as dialled,
            context.wrap_socket(dialled, server_hostname=host),
        ):
            pass


class Session:
    """Answers the gateway's questions. Questions run side by side; those to one link take turns (`LinkHost`)."""

    def __init__(self, driver: Driver[Any, Any, Any]) -> None:
        """Of a driver, inside a running event loop."""
        self.driver = driver
        self.links: dict[int, LinkHost] = {}
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._answers: deque[pb.ToGateway] = deque()
        self._writable = asyncio.Event()
        self._outbox = Outbox(self._wake)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._close_within_s = CLOSE_WITHIN_S

    async def run(self, environment: Environment) -> None:
        """From dialling until the stream or the driver ends. Raises `NoSession` if there never is one."""
        async with environment.channel() as channel:
            stream = await self._greet(channel, environment)
            reading = asyncio.ensure_future(self._read(stream))
            writing = asyncio.ensure_future(self._write(stream))
            stopped = asyncio.ensure_future(self._stopping.wait())
            await asyncio.wait([reading, writing, stopped], return_when=asyncio.FIRST_COMPLETED)
            await self._close_links()
            await cancelled(writing, stopped)
            # Before the reader: cancelling it would cancel the stream, and the gateway would not see a good end.
            await end_stream(stream)
            await cancelled(reading)

    def stop(self) -> None:
        """Ends the session, in good order."""
        self._stopping.set()

    async def _greet(self, channel: grpc.aio.Channel, environment: Environment) -> Stream:
        try:
            async with asyncio.timeout(environment.dial_within_s):
                await channel.channel_ready()
        except TimeoutError:
            why = await asyncio.to_thread(environment.why_unreachable)
            raise NoSession(
                f"no gateway at {environment.socket} within {environment.dial_within_s:g} s: {why}"
            ) from None
        stream: Stream = channel.stream_stream(
            METHOD, request_serializer=pb.ToGateway.SerializeToString, response_deserializer=pb.ToDriver.FromString
        )(None)
        hello = pb.Hello(
            manifest=manifest_json(self.driver),
            api_min=API,
            api_max=API,
            token=environment.token,
            epoch=environment.epoch,
        )
        self._welcome(await first_answer(stream, hello, environment.dial_within_s))
        return stream

    def _welcome(self, first: pb.ToDriver) -> None:
        if first.WhichOneof("body") != "welcome":
            raise NoSession(f"the gateway said {first.WhichOneof('body')} where Welcome was due")
        if first.welcome.api != API:
            raise NoSession(f"the gateway speaks version {first.welcome.api} of the contract, this driver {API}")
        self._outbox.grant(first.welcome.credit)

    # ---------------------------------------------------------------------------------------------------- both ways

    async def _read(self, stream: Stream) -> None:
        while True:
            try:
                message = await stream.read()
            except grpc.aio.AioRpcError as error:
                print(f"the gateway ended the session: {said(error)}", file=sys.stderr)
                return
            if not isinstance(message, pb.ToDriver):
                return
            match message.WhichOneof("body"):
                case "ping":
                    self._answer(pb.ToGateway(re=message.id, pong=pb.Pong()))
                case "credit":
                    self._outbox.grant(message.credit.messages)
                case "shutdown":
                    self._close_within_s = message.shutdown.within_ms / 1000
                    return
                case _ if message.id == 0:
                    # No question, and newer than this version.
                    pass
                case _:
                    # Tasks begin in the order in which they are made: no write gets behind an exec that came after it.
                    task = asyncio.ensure_future(self._ask(message))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    async def _write(self, stream: Stream) -> None:
        while True:
            await self._writable.wait()
            self._writable.clear()
            while (frame := self._next()) is not None:
                try:
                    await stream.write(frame)
                except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                    # The stream has ended; the reader says why.
                    return

    def _next(self) -> pb.ToGateway | None:
        """Answers go before what nobody has asked for."""
        return self._answers.popleft() if self._answers else self._outbox.next()

    def _answer(self, answer: pb.ToGateway) -> None:
        size = answer.ByteSize()
        if size > FRAME_BYTES_MAX:
            fault = DeviceFault(f"the answer has {size} bytes, and {FRAME_BYTES_MAX} are allowed: ask for less at once")
            answer = pb.ToGateway(re=answer.re, fault=fault_message(fault))
        self._answers.append(answer)
        self._writable.set()

    def _wake(self) -> None:
        if threading.get_ident() == self._thread:
            self._writable.set()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._writable.set)

    # ---------------------------------------------------------------------------------------------------- questions

    async def _ask(self, message: pb.ToDriver) -> None:
        answer = pb.ToGateway(re=message.id)
        try:
            await self._fill(message, answer)
        except Fault as fault:
            answer.fault.CopyFrom(fault_message(fault))
        except Exception as error:
            answer.fault.CopyFrom(fault_message(DeviceFault(unexpected(error))))
        self._answer(answer)

    async def _fill(self, message: pb.ToDriver, answer: pb.ToGateway) -> None:
        match message.WhichOneof("body"):
            case "exec":
                await self._link(message.exec.link).exec(message.exec, answer)
            case "write":
                answer.written.CopyFrom(await self._link(message.write.link).write(message.write))
            case "open_link":
                self._open_link(message.open_link)
                answer.done.SetInParent()
            case "make_plan":
                answer.plan.CopyFrom(await self._link(message.make_plan.link).make_plan(message.make_plan))
            case "connect":
                answer.link_info.CopyFrom(await self._link(message.connect.link).connect(message.connect))
            case "watch":
                answer.done.CopyFrom(await self._link(message.watch.link).watch(message.watch))
            case "call":
                answer.called.CopyFrom(await self._link(message.call.link).call(message.call))
            case "browse":
                answer.listing.CopyFrom(await self._link(message.browse.link).browse(message.browse))
            case "discover":
                await self._discover(message.id, message.discover)
                answer.done.SetInParent()
            case "health":
                # A driver that counts nothing has an answer too.
                answer.counters.SetInParent()
                answer.counters.counters.update(self._link(message.health.link).health())
            case "close_link":
                await self._close_link(message.close_link)
                answer.done.SetInParent()
            case unknown:
                # A newer gateway's question has no body that this version knows.
                raise Unsupported(f"{unknown or 'a question that is newer than it'}")

    def _link(self, number: int) -> LinkHost:
        if number not in self.links:
            raise ConfigFault(f"link {number} is not open")
        return self.links[number]

    def _open_link(self, question: pb.OpenLink) -> None:
        if question.link in self.links:
            raise ConfigFault(f"link {question.link} is open already")
        manifest = self.driver.manifest
        options = read_options(manifest.link, json_of(question.options, "the table of the link"))
        try:
            link = self.driver.open(options)
        except Fault:
            raise
        except Exception as error:
            raise ConfigFault(unexpected(error)) from None
        self.links[question.link] = LinkHost(question.link, manifest, link, self._outbox)

    async def _close_link(self, question: pb.CloseLink) -> None:
        link = self._link(question.link)
        del self.links[question.link]
        await link.close(question.within_ms / 1000)

    async def _discover(self, id: int, question: pb.Discover) -> None:
        by = within(question)
        found = self.driver.discover(json_of(question.hint, "the hint"), by)
        limit = by.timeout()
        try:
            async with limit:
                async for each in found:
                    self._answer(pb.ToGateway(re=id, found=listing([each])))
        except TimeoutError:
            # Nothing more was found in the time that there was.
            if not limit.expired():
                raise

    async def _close_links(self) -> None:
        for task in self._tasks:
            task.cancel()
        closing = [link.close(self._close_within_s) for link in self.links.values()]
        await asyncio.gather(*self._tasks, *closing, return_exceptions=True)


async def first_answer(stream: Stream, hello: pb.Hello, within_s: float) -> pb.ToDriver:
    """Says Hello and waits for the answer."""
    try:
        async with asyncio.timeout(within_s):
            await stream.write(pb.ToGateway(hello=hello))
            first = await stream.read()
    except TimeoutError:
        raise NoSession(f"the gateway has not answered Hello within {within_s:g} s") from None
    except grpc.aio.AioRpcError as error:
        raise NoSession(f"the gateway turned this driver away: {said(error)}") from None
    except asyncio.InvalidStateError:
        raise NoSession(f"the gateway turned this driver away: {await stream.details()}") from None
    if isinstance(first, pb.ToDriver):
        return first
    raise NoSession(f"the gateway ended the stream before Welcome: {await stream.details() or 'no reason given'}")


async def cancelled(*tasks: asyncio.Future[Any]) -> None:
    """Ends tasks. What one of them failed with goes on: that is a bug, and must be seen."""
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


async def end_stream(stream: Stream) -> None:
    """Says that nothing more comes, and gives the gateway a moment to say the same."""
    try:
        async with asyncio.timeout(0.5):
            await stream.done_writing()
            await stream.code()
    except (TimeoutError, grpc.aio.AioRpcError, asyncio.InvalidStateError):
        stream.cancel()


def said(error: grpc.aio.AioRpcError) -> str:
    """A status in a line."""
    return f"{error.details() or 'no reason given'} ({error.code().name})"


def read_file(path: str) -> bytes:
    """A file's bytes."""
    with open(path, "rb") as file:
        return file.read()
