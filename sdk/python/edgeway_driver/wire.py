"""The wire under a link: who asks when, for how long, and what is left on it afterwards."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from enum import Enum, auto
from typing import Any, TypeVar

from .driver import Deadline, Link, LinkInfo, PointSpec
from .fault import BusyFault, DeviceFault, Fault, LinkFault, UncleanFault
from .sink import Known, Outbox, Sink

CLEAN_WITHIN_S = 0.5
"""How long a driver may take to make the wire clean. The gateway gives an answer up 1 s after its deadline."""
OVERDUE = "no answer by the deadline"

T = TypeVar("T")


class State(Enum):
    """What is known of the wire."""

    CLOSED = auto()
    """Never connected, or lost: the gateway connects."""
    OPEN = auto()
    CLEANED = auto()
    """Closed to make it clean: the next question opens it again, and the gateway need not know."""


class Wire:
    """Asks a link what may wait or fail. Whatever happens there, what comes out is an answer or a fault."""

    def __init__(self, number: int, link: Link[Any, Any, Any], outbox: Outbox) -> None:
        """Of a link, by the number that the gateway has for it."""
        self.counters: Counter[str] = Counter()
        self._number, self._link, self._outbox = number, link, outbox
        self._state = State.CLOSED
        self._why_closed = "not connected"
        self._ever_opened = False
        self._turns = asyncio.Semaphore(1)
        self._opening = asyncio.Lock()
        self._running: set[asyncio.Task[Any]] = set()
        self._sink: Sink | None = None
        self._listeners: set[asyncio.Task[None]] = set()

    async def connect(self, by: Deadline) -> LinkInfo:
        """Opens it, after ending and closing what there was."""
        await self._end_running("the wire was opened anew")
        await self._close(CLEAN_WITHIN_S)
        info = await self._open(by)
        self._turns = asyncio.Semaphore(max(1, info.concurrency))
        return info

    async def ask(self, by: Deadline, question: Callable[[], Awaitable[T]]) -> T:
        """Asks when it is this question's turn, over an open wire. Turns are taken in the order of the questions."""
        task = asyncio.current_task()
        assert task is not None, "questions are asked in tasks"
        self._running.add(task)
        turns = self._turns
        try:
            await wait_for_turn(turns, by)
            try:
                await self._reopen(by)
                return await self._guard(by, question)
            finally:
                turns.release()
        except asyncio.CancelledError:
            if task in self._running:
                raise
            # By `_end_running`: the gateway still wants an answer.
            task.uncancel()
            raise LinkFault(self._why_closed) from None
        finally:
            self._running.discard(task)

    async def watch(self, points: Sequence[PointSpec[Any, Any]], known: Known, by: Deadline) -> None:
        """Begins to tell what is new of these points."""
        if self._state is not State.OPEN:
            raise LinkFault(self._why_closed)
        self._end_watch()
        sink = Sink(self._number, self._outbox, known, self._listen, self._sink_lost)
        self._sink = sink
        try:
            await self._guard(by, lambda: self._link.watch(points, sink, by))
        except BaseException:
            self._end_watch()
            raise

    async def close(self, within_s: float) -> None:
        """Ends everything."""
        await self._end_running("the link was closed")
        await self._close(within_s)

    # ------------------------------------------------------------------------------------------------ asking

    async def _guard(self, by: Deadline, question: Callable[[], Awaitable[T]]) -> T:
        """Asks. Whatever goes wrong becomes a fault, and the wire is clean before it is told."""
        limit = by.timeout()
        try:
            async with limit:
                answer = await question()
        except UncleanFault as fault:
            raise await self._cleaned(fault) from None
        except LinkFault as fault:
            self._lose(fault.reason)
            raise
        except Fault:
            raise
        except TimeoutError as late:
            self.counters["timeouts"] += 1
            raise await self._cleaned(DeviceFault(OVERDUE if limit.expired() else str(late) or OVERDUE)) from None
        except (OSError, EOFError) as broken:
            await self._clean()
            self._lose(plainly(broken))
            raise LinkFault(self._why_closed) from None
        except Exception as error:
            raise await self._cleaned(DeviceFault(unexpected(error))) from None
        if limit.expired():
            # It held on to its cancellation, and what it has is too old.
            raise await self._cleaned(DeviceFault(OVERDUE))
        return answer

    async def _cleaned(self, fault: DeviceFault) -> Fault:
        """Makes the wire clean. A watch ends with a wire that had to be closed, and only the gateway begins it anew."""
        watched = self._sink is not None
        await self._clean()
        if self._state is State.OPEN or not watched:
            return fault
        self._lose(fault.reason)
        return LinkFault(fault.reason)

    async def _clean(self) -> None:
        """After this no late answer can be taken for another one."""
        self.counters["resets"] += 1
        # If reset fails, nobody knows what the wire holds.
        if await ended(self._link.reset, CLEAN_WITHIN_S) is True:
            return
        self._end_watch()
        if self._state is State.OPEN:
            self._state = State.CLEANED

    # ------------------------------------------------------------------------------------------------ open and closed

    async def _reopen(self, by: Deadline) -> None:
        """Opens a wire that was closed to make it clean."""
        async with self._opening:
            if self._state is State.CLEANED:
                self.counters["reopened"] += 1
                await self._open(by)
        if self._state is State.CLOSED:
            raise LinkFault(self._why_closed)

    async def _open(self, by: Deadline) -> LinkInfo:
        self._ever_opened = True
        limit = by.timeout()
        try:
            async with limit:
                info = await self._link.connect(by)
        except Exception as error:
            fault = not_opened(error, limit)
            self._lose(fault.reason)
            # Half open is closed.
            await ended(self._link.close, CLEAN_WITHIN_S)
            raise fault from None
        self._state = State.OPEN
        return info or LinkInfo()

    def _lose(self, reason: str) -> None:
        """The wire is gone; only the gateway connects again."""
        self._state, self._why_closed = State.CLOSED, reason
        self._end_watch()

    async def _end_running(self, why: str) -> None:
        """Ends the questions that are under way."""
        self._why_closed = why
        tasks, self._running = self._running, set()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLEAN_WITHIN_S)

    async def _close(self, within_s: float) -> None:
        self._end_watch()
        self._state = State.CLOSED
        if self._ever_opened:
            await ended(self._link.close, within_s)

    # ------------------------------------------------------------------------------------------------ what is watched

    def _listen(self, sink: Sink, listener: Coroutine[Any, Any, None]) -> None:
        if sink.closed:
            listener.close()
            return
        task = asyncio.ensure_future(self._listening(sink, listener))
        self._listeners.add(task)
        task.add_done_callback(self._listeners.discard)

    async def _listening(self, sink: Sink, listener: Coroutine[Any, Any, None]) -> None:
        self._sink_lost(sink, await end_of(listener))

    def _sink_lost(self, sink: Sink, reason: str) -> None:
        if not sink.closed:
            self._lose(reason)
            self._outbox.lost(self._number, reason)

    def _end_watch(self) -> None:
        if self._sink is not None:
            self._sink.closed = True
            self._sink = None
        self._outbox.forget(self._number)
        for listener in self._listeners:
            # A listener that has ended by itself still says so.
            if listener is not asyncio.current_task():
                listener.cancel()
        self._listeners.clear()


def not_opened(error: Exception, limit: asyncio.Timeout) -> Fault:
    """What is said of a connect that failed."""
    match error:
        case Fault():
            return error
        case TimeoutError():
            said = "" if limit.expired() else str(error)
            return LinkFault(said or "not connected by the deadline")
        case OSError() | EOFError():
            return LinkFault(plainly(error))
    return LinkFault(unexpected(error))


async def end_of(listener: Coroutine[Any, Any, None]) -> str:
    """Why it ended."""
    try:
        await listener
    except (Fault, OSError, EOFError) as broken:
        return plainly(broken)
    except Exception as error:
        return unexpected(error)
    return "the wire has ended"


async def wait_for_turn(turns: asyncio.Semaphore, by: Deadline) -> None:
    """Waits for those who asked before."""
    try:
        async with by.timeout():
            await turns.acquire()
    except TimeoutError:
        raise BusyFault("earlier questions kept the link busy until the deadline; nothing was asked") from None


async def ended(end: Callable[[], Awaitable[T]], within_s: float) -> T | None:
    """Runs what must end a wire, and goes on if it fails or takes too long."""
    try:
        async with asyncio.timeout(within_s):
            return await end()
    except TimeoutError:
        name = getattr(end, "__qualname__", repr(end))
        print(f"{name} took longer than {within_s:g} s and was ended", file=sys.stderr, flush=True)
    except Exception as error:
        unexpected(error)
    return None


def plainly(error: Exception) -> str:
    """What went wrong, with the system's own words first: asyncio leaves them out."""
    text = str(error) or type(error).__name__
    if not isinstance(error, OSError) or not error.errno:
        return text
    known, said = os.strerror(error.errno), error.strerror or ""
    return known if said in ("", known) else f"{known}: {said}"


def unexpected(error: Exception) -> str:
    """Shows on stderr where a handler raised what it did not mean to, and says it in a line."""
    traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"
