"""What is said unasked: new values, events, devices that have come or gone."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, SupportsIndex

from . import driver_pb2 as pb
from .batch import Batch, Json, Quality
from .codec import fill_data, sayable

FRAME_BYTES_MAX = 16 << 20
"""The longest message to the gateway."""
VALUES_MAX = 65_536
"""Values of a link that are held while there is credit, before only the newest of each point are kept."""
STARVED_VALUES_MAX = 1024
"""The same without credit."""
EVENTS_MAX = 1024
"""Events that wait for credit. The oldest is dropped, and counted."""


class Known(NamedTuple):
    """The numbers of what is on a link. The gateway ends the session of whoever tells of another."""

    points: frozenset[int]
    devices: frozenset[int]


class Sink:
    """Takes what devices say unasked. It never blocks. Values, events and devices may be told from any thread.

    What comes faster than the gateway takes it is merged, the newest value of each point winning, and counted in the
    link's health. After the wire has ended it takes nothing any more.
    """

    def __init__(
        self,
        link: int,
        outbox: Outbox,
        known: Known,
        listen: Callable[[Sink, Coroutine[Any, Any, None]], None],
        lost: Callable[[Sink, str], None],
    ) -> None:
        """Made by the runtime."""
        self._link, self._outbox, self._known, self._listen, self._lost = link, outbox, known, listen, lost
        self.closed = False

    def data(self, batch: Batch) -> None:
        """Takes the values out of a batch, which is empty afterwards."""
        if not self._known.points.issuperset(batch.points):
            strangers = set(batch.points) - self._known.points
            raise ValueError(f"point {min(strangers)} is not on this link")
        if batch.points and not self.closed:
            self._outbox.data(self._link, batch.take())

    def event(self, device: SupportsIndex, event: str, output: Json = None, *, time_ns: int = 0) -> None:
        """Tells an event by the name that the device's model has for it, with its output parameters."""
        text = json.dumps({} if output is None else output, allow_nan=False)
        number = self._device(device)
        message = pb.Event(link=self._link, device=number, event=event, output=text, time_ns=time_ns)
        if not self.closed:
            self._outbox.event(self._link, pb.ToGateway(event=message))

    def come(self, device: SupportsIndex) -> None:
        """Tells that a device is there."""
        self._presence(pb.Presence(link=self._link, device=self._device(device)))

    def gone(self, device: SupportsIndex, reason: str) -> None:
        """Tells that a device is gone, and why."""
        self._presence(pb.Presence(link=self._link, device=self._device(device), gone=True, reason=sayable(reason)))

    async def drain(self) -> None:
        """Waits until the gateway has been sent all values handed over so far.

        For those who can wait, as a socket's other end can: then nothing is merged. From the event loop only.
        """
        await self._outbox.drained(self._link)

    def listen(self, listener: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine until the wire ends: the loop that waits for what devices say.

        If it ends sooner, the wire has: the gateway is told, and connects again.
        """
        self._listen(self, listener)

    def lost(self, reason: str) -> None:
        """Tells that the wire is gone. The gateway connects again, and hears nothing before. From the loop only."""
        self._lost(self, reason)

    def _device(self, device: SupportsIndex) -> int:
        number = device.__index__()
        if number not in self._known.devices:
            raise ValueError(f"device {number} is not on this link")
        return number

    def _presence(self, presence: pb.Presence) -> None:
        if not self.closed:
            self._outbox.state(self._link, presence.device, pb.ToGateway(presence=presence))


class Outbox:
    """Keeps what is said unasked until there is credit for it. Every part of it is bounded."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """`wake` is called when there is something to send."""
        self._wake = wake
        self._lock = threading.Lock()
        self._credit = 0
        self._data: dict[int, Batch] = {}
        # Links whose values have waited for credit, with the length at which they are merged next.
        self._starved: dict[int, int] = {}
        self._events: deque[tuple[int, pb.ToGateway]] = deque()
        # What is true now of a link's device, or of the link itself.
        self._states: dict[tuple[int, int | None], pb.ToGateway] = {}
        self._draining: dict[int, asyncio.Future[None]] = {}
        self.merged: Counter[int] = Counter()
        """Values that a newer one replaced, by link."""
        self.dropped: Counter[int] = Counter()
        """Events that were one too many, by link."""

    def grant(self, messages: int) -> None:
        """So many more may be sent."""
        with self._lock:
            self._credit += messages
        self._wake()

    def data(self, link: int, batch: Batch) -> None:
        """Adds values."""
        with self._lock:
            self._hold(link, batch)
        self._wake()

    def event(self, link: int, message: pb.ToGateway) -> None:
        """Adds an event."""
        with self._lock:
            if len(self._events) == EVENTS_MAX:
                oldest, _ = self._events.popleft()
                self.dropped[oldest] += 1
            self._events.append((link, message))
        self._wake()

    def lost(self, link: int, reason: str) -> None:
        """Says that the wire of a link is gone. Nothing else that was true of it is so any more."""
        self.forget(link)
        self.state(link, None, pb.ToGateway(lost=pb.Lost(link=link, reason=sayable(reason))))

    def state(self, link: int, device: int | None, message: pb.ToGateway) -> None:
        """Adds what is true from now on; only the newest counts."""
        with self._lock:
            self._states.pop((link, device), None)
            self._states[link, device] = message
        self._wake()

    async def drained(self, link: int) -> None:
        """Waits until no value of the link is held."""
        with self._lock:
            if link not in self._data:
                return
            drained = self._draining.setdefault(link, asyncio.get_running_loop().create_future())
        await asyncio.shield(drained)

    def _pop(self, link: int) -> Batch | None:
        """Takes the values of a link out."""
        drained = self._draining.pop(link, None)
        if drained is not None:
            drained.set_result(None)
        return self._data.pop(link, None)

    def forget(self, link: int) -> None:
        """Drops what was true of a wire that is no more. Events have happened all the same."""
        with self._lock:
            self._pop(link)
            self._starved.pop(link, None)
            self._states = {key: message for key, message in self._states.items() if key[0] != link}

    def close(self, link: int) -> None:
        """Drops all of a link that is no more."""
        self.forget(link)
        with self._lock:
            self._events = deque(held for held in self._events if held[0] != link)
            self.merged.pop(link, None)
            self.dropped.pop(link, None)

    def next(self) -> pb.ToGateway | None:
        """The next message, if there is one and credit for it."""
        with self._lock:
            if self._credit == 0 or not (self._states or self._events or self._data):
                return None
            self._credit -= 1
            if self._states:
                return self._states.pop(next(iter(self._states)))
            if self._events:
                return self._events.popleft()[1]
            link, batch = next(iter(self._data.items()))
            self._pop(link)
            if self._starved.pop(link, None) is not None:
                batch = self._merge(link, batch)
        return self._frame(link, batch)

    def _hold(self, link: int, batch: Batch) -> None:
        held = self._data.get(link)
        if held is None:
            held = self._data[link] = batch
        else:
            held.append(batch)
        if self._credit == 0:
            self._starved.setdefault(link, STARVED_VALUES_MAX)
        limit = self._starved.get(link, VALUES_MAX)
        if len(held) > limit:
            merged = self._data[link] = self._merge(link, held)
            # Merged again when that many have come anew: the work for each value stays the same.
            self._starved[link] = max(limit, 2 * len(merged))

    def _merge(self, link: int, batch: Batch) -> Batch:
        merged = batch.newest()
        self.merged[link] += len(batch) - len(merged)
        return merged

    def _frame(self, link: int, batch: Batch) -> pb.ToGateway:
        """A message that is not too long; what does not fit is held for the next."""
        frame = pb.ToGateway()
        fill_data(frame.data, link, batch)
        if frame.ByteSize() <= FRAME_BYTES_MAX:
            return frame
        if len(batch) == 1:
            too_long = Batch()
            too_long.bad(batch.points[0], Quality.BAD_OUT_OF_RANGE)
            return self._frame(link, too_long)
        first, rest = batch.halves()
        with self._lock:
            # What has come in between is newer.
            newer = self._data.pop(link, None)
            self._data[link] = rest
            if newer is not None:
                rest.append(newer)
        return self._frame(link, first)
