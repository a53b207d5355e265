"""A gateway for tests: it asks a driver what a test wants to know.

    async with Gateway() as gateway:
        async with gateway.start("python3", "driver.py") as driver:
            session = await gateway.session()
            link = await session.open({"endpoint": "tcp://127.0.0.1:7000"})
            plan = await link.plan([{"unit": 7}], [{"at": 12}])
            await link.connect()
            assert [reading.value for reading in await link.exec(plan.steps[0].step)] == [7012]

A question that is answered with a fault raises it: `with pytest.raises(PointFault): ...`. It polls nothing and forgives
nothing; whether a driver keeps all the rules, `edgeway driver test` says.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import count
from typing import Any

import grpc
import grpc.aio

from . import driver_pb2 as pb
from .batch import Batch, Json, Value
from .codec import batch_of, fault_of, value_message, value_of
from .driver import Access
from .session import METHOD, TO_DRIVER_BYTES_MAX, Environment
from .sink import FRAME_BYTES_MAX

WAIT_S = 20.0
"""How long anything may take before a test fails."""

Context = grpc.aio.ServicerContext[pb.ToGateway, pb.ToDriver]


class Gateway:
    """Listens on a Unix socket of its own, or with TLS on localhost, and takes sessions."""

    def __init__(
        self, *, credit: int = 64, epoch: int = 1, token: str = "secret", tls: grpc.ServerCredentials | None = None
    ) -> None:
        """What drivers are told, and have to say."""
        self._tls = tls
        self._port = 0
        self.credit, self.epoch, self.token = credit, epoch, token
        self._folder = tempfile.TemporaryDirectory(prefix="edgeway-")
        self._server: grpc.aio.Server | None = None
        self._sessions: asyncio.Queue[GatewaySession] = asyncio.Queue()

    @property
    def environment(self) -> Environment:
        """For a session in the same process."""
        address = f"https://localhost:{self._port}" if self._tls else f"unix:{self._folder.name}/gateway.sock"
        return Environment(address, self.token, self.epoch)

    @property
    def variables(self) -> dict[str, str]:
        """For a driver that is started."""
        there = self.environment
        return {"EDGEWAY_SOCKET": there.socket, "EDGEWAY_TOKEN": there.token, "EDGEWAY_EPOCH": str(there.epoch)}

    async def __aenter__(self) -> Gateway:
        """Listens."""
        limits = [
            ("grpc.max_receive_message_length", FRAME_BYTES_MAX),
            ("grpc.max_send_message_length", 2 * TO_DRIVER_BYTES_MAX),
        ]
        self._server = grpc.aio.server(options=limits)
        handler = grpc.stream_stream_rpc_method_handler(
            self._session,
            request_deserializer=pb.ToGateway.FromString,
            response_serializer=pb.ToDriver.SerializeToString,
        )
        service, method = METHOD.strip("/").split("/")
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        if self._tls is None:
            self._server.add_insecure_port(self.environment.socket)
        else:
            self._port = self._server.add_secure_port("localhost:0", self._tls)
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends all sessions."""
        if self._server is not None:
            await self._server.stop(grace=0)
        self._folder.cleanup()

    async def session(self) -> GatewaySession:
        """The next driver that has said Hello."""
        async with asyncio.timeout(WAIT_S):
            return await self._sessions.get()

    @contextlib.asynccontextmanager
    async def start(self, *command: str, output: int | None = None) -> AsyncIterator[asyncio.subprocess.Process]:
        """Starts a driver with its standard input open, and ends it at last.

        Its output is the test's, unless `output` is `asyncio.subprocess.PIPE`.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, **self.variables},
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _session(self, _: Any, context: Context) -> None:
        first = await context.read()
        if not isinstance(first, pb.ToGateway) or first.WhichOneof("body") != "hello":
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "Hello comes first")
            return
        if first.hello.token != self.token:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is not the one that was given")
        if first.hello.epoch < self.epoch:
            old = f"epoch {first.hello.epoch} is over, {self.epoch} is now"
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, old)
        await context.write(pb.ToDriver(welcome=pb.Welcome(api=1, credit=self.credit, heartbeat_ms=2000)))
        session = GatewaySession(first.hello, context)
        self._sessions.put_nowait(session)
        await session.serve()


class GatewaySession:
    """A session as the gateway sees it."""

    def __init__(self, hello: pb.Hello, context: Context) -> None:
        """Of a driver that was welcomed."""
        self.hello = hello
        self.manifest: Json = json.loads(hello.manifest)
        self.unasked: asyncio.Queue[pb.ToGateway] = asyncio.Queue()
        """Data, events and presence, as they come."""
        self.found: asyncio.Queue[pb.Found] = asyncio.Queue()
        """What discovery has found."""
        self.ended = asyncio.Event()
        """Set when the stream is over."""
        self._context = context
        self._writing = asyncio.Lock()
        self._ids = count(1)
        self._links = count(0)
        self._waiting: dict[int, asyncio.Future[pb.ToGateway]] = {}

    async def serve(self) -> None:
        """Takes what the driver says, until the stream ends."""
        try:
            while isinstance(message := await self._context.read(), pb.ToGateway):
                self._take(message)
        finally:
            self.ended.set()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionError("the session ended before the answer"))
                    # Nobody need have waited for it.
                    waiting.exception()

    def _take(self, message: pb.ToGateway) -> None:
        if message.re == 0:
            self.unasked.put_nowait(message)
        elif message.WhichOneof("body") == "found":
            for found in message.found.found:
                self.found.put_nowait(found)
        elif message.re in self._waiting:
            self._waiting.pop(message.re).set_result(message)
        else:
            raise AssertionError(f"question {message.re} was answered twice, or never asked")

    async def say(self, message: pb.ToDriver) -> None:
        """Says what wants no answer."""
        # gRPC takes one message at a time.
        async with self._writing:
            await self._context.write(message)

    async def ask(self, **question: Any) -> pb.ToGateway:
        """Asks, `ask(exec=pb.Exec(...))`, and waits for the answer; a fault is raised."""
        return await (await self.begin(**question))

    async def begin(self, **question: Any) -> asyncio.Future[pb.ToGateway]:
        """Asks, and gives what will be answered."""
        id = next(self._ids)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[id] = answer
        await self.say(pb.ToDriver(id=id, **question))
        return asyncio.ensure_future(self._wait(answer))

    async def _wait(self, answer: asyncio.Future[pb.ToGateway]) -> pb.ToGateway:
        async with asyncio.timeout(WAIT_S):
            message = await answer
        assert message.WhichOneof("body"), "an answer that says nothing: the gateway would end the session"
        if message.WhichOneof("body") == "fault":
            raise fault_of(message.fault)
        return message

    async def ping(self) -> None:
        """Waits until the driver has answered."""
        await self.ask(ping=pb.Ping())

    async def grant(self, messages: int) -> None:
        """Gives credit."""
        await self.say(pb.ToDriver(credit=pb.Credit(messages=messages)))

    async def shutdown(self, within_s: float = 5) -> None:
        """Asks the driver to exit."""
        await self.say(pb.ToDriver(shutdown=pb.Shutdown(within_ms=round(within_s * 1000))))

    async def next(self) -> pb.ToGateway:
        """What the driver says unasked."""
        async with asyncio.timeout(WAIT_S):
            return await self.unasked.get()

    async def open(self, options: Json) -> GatewayLink:
        """Makes a link."""
        link = GatewayLink(self, next(self._links))
        await self.ask(open_link=pb.OpenLink(link=link.number, options=json.dumps(options)))
        return link


class GatewayLink:
    """A link as the gateway sees it."""

    def __init__(self, session: GatewaySession, number: int) -> None:
        """Of a session."""
        self.session, self.number = session, number

    async def plan(
        self,
        devices: Sequence[Json],
        points: Sequence[Json],
        *,
        owners: Sequence[int] | None = None,
        access: Access = Access.READ_WRITE,
        split: pb.Step | None = None,
        numbers: Sequence[int] | None = None,
    ) -> pb.Plan:
        """Asks for a plan. Devices and points get numbers from 0; points belong to device 0, or to their `owners`."""
        numbers = range(len(points)) if numbers is None else numbers
        owners = [0] * len(points) if owners is None else owners
        question = pb.MakePlan(
            link=self.number,
            devices=[pb.DeviceSpec(device=n, options=json.dumps(options)) for n, options in enumerate(devices)],
            points=[
                pb.PointSpec(
                    point=number, device=owner, options=place, access=pb.Access.Value(access.name), period_ms=1000
                )
                for place, (number, owner) in enumerate(zip(numbers, owners, strict=True))
            ],
            options=[json.dumps(options) for options in points],
            split=split,
        )
        return (await self.session.ask(make_plan=question)).plan

    async def connect(self, within_s: float = 5) -> pb.LinkInfo:
        """Opens the wire."""
        question = pb.Connect(link=self.number, within_ms=round(within_s * 1000))
        return (await self.session.ask(connect=question)).link_info

    async def exec(self, step: int, within_s: float = 5) -> Batch:
        """Runs a step."""
        question = pb.Exec(link=self.number, step=step, within_ms=round(within_s * 1000))
        return batch_of((await self.session.ask(exec=question)).data)

    async def write(self, point: int, value: Value, within_s: float = 5) -> Value:
        """Writes a value, and gives what was read back."""
        question = pb.Write(link=self.number, point=point, value=value_message(value), within_ms=round(within_s * 1000))
        written = (await self.session.ask(write=question)).written
        return value_of(written.value) if written.HasField("value") else None

    async def watch(self, within_s: float = 5) -> None:
        """Wants to be told what is new."""
        await self.session.ask(watch=pb.Watch(link=self.number, within_ms=round(within_s * 1000)))

    async def call(self, device: int, service: str, input: Json, within_s: float = 5) -> Json:
        """Calls a service."""
        question = pb.Call(
            link=self.number,
            device=device,
            service=service,
            input=json.dumps(input),
            within_ms=round(within_s * 1000),
        )
        return json.loads((await self.session.ask(call=question)).called.output)

    async def health(self) -> Mapping[str, int]:
        """What the driver counts."""
        answer = await self.session.ask(health=pb.Health(link=self.number))
        return dict(answer.counters.counters)

    async def close(self, within_s: float = 5) -> None:
        """Closes the link."""
        await self.session.ask(close_link=pb.CloseLink(link=self.number, within_ms=round(within_s * 1000)))
