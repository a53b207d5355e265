"""A TCP proxy between the gateway and a peer that does to the connection what networks do.

Faults are attributes of the proxy and can be changed at any time; they hold for open connections too.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from .process import wait_for

CHUNK_BYTES = 16 << 10


class Link(Enum):
    """How the link is."""

    GOOD = auto()
    HALF_OPEN = auto()
    """Connections stand, new ones are accepted, and no byte comes through."""
    CUT = auto()
    """Connections are reset, new ones too."""


@dataclass
class Faults:
    """What the proxy does to the bytes."""

    link: Link = Link.GOOD
    delay_s: float = 0.0
    bytes_per_second: float | None = None
    truncate_after_bytes: int | None = None
    """The next connection is closed after so many bytes of the client, in the midst of whatever they were."""


class Proxy:
    """Listens on a free port of loopback, in a thread of its own."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.peer = (host, port)
        self.faults = Faults()
        self.port = 0
        self.connections = 0
        self.open: set[asyncio.StreamWriter] = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> "Proxy":
        self.thread.start()
        self.port = self._ask(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._ask(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    def _ask(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def _listen(self) -> int:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    async def _close(self) -> None:
        self.server.close()
        self._reset_all()
        tasks = [task for task in asyncio.all_tasks(self.loop) if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def set(self, link: Link) -> None:
        """Makes the link good or bad. Cutting resets what is open; so does mending what was half open."""
        before, self.faults.link = self.faults.link, link
        if link is Link.CUT or before is Link.HALF_OPEN:
            self.reset()

    def reset(self) -> None:
        """Resets every open connection, once."""
        self.loop.call_soon_threadsafe(self._reset_all)

    def wait_connected(self, within_s: float) -> None:
        """Waits until a connection is open."""
        wait_for("a connection through the proxy", within_s, lambda: len(self.open) > 0)

    def _reset_all(self) -> None:
        for writer in list(self.open):
            abort(writer)
        self.open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.faults.link is Link.CUT:
            abort(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.peer)
        except OSError:
            abort(writer)
            return
        self.open |= {writer, far_writer}
        upward = asyncio.ensure_future(self._up(reader, far_writer, writer))
        downward = asyncio.ensure_future(self._down(far_reader, writer))
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await asyncio.wait({upward, downward}, return_when=asyncio.FIRST_COMPLETED)
        for task in (upward, downward):
            task.cancel()
        await asyncio.gather(upward, downward, return_exceptions=True)
        self._leave(writer, far_writer)

    def _leave(self, *writers: asyncio.StreamWriter) -> None:
        for writer in writers:
            self.open.discard(writer)
            abort(writer)

    async def _up(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, _back: asyncio.StreamWriter) -> None:
        """From the client to the peer."""
        limit, self.faults.truncate_after_bytes = self.faults.truncate_after_bytes, None
        while chunk := await reader.read(CHUNK_BYTES):
            if limit is not None and len(chunk) >= limit:
                await self._pass_on(chunk[:limit], out)
                return
            limit = None if limit is None else limit - len(chunk)
            await self._pass_on(chunk, out)

    async def _down(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        """From the peer to the client."""
        while chunk := await reader.read(CHUNK_BYTES):
            await self._pass_on(chunk, out)

    async def _pass_on(self, chunk: bytes, out: asyncio.StreamWriter) -> None:
        faults = self.faults
        if faults.delay_s:
            await asyncio.sleep(faults.delay_s)
        if faults.bytes_per_second:
            await asyncio.sleep(len(chunk) / faults.bytes_per_second)
        if faults.link is Link.HALF_OPEN:
            return
        out.write(chunk)
        await out.drain()


def abort(writer: asyncio.StreamWriter) -> None:
    """Closes a connection with a reset."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()
