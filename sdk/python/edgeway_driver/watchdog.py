"""Says which line of a driver holds up everything else."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import traceback
from collections.abc import Iterator

BLOCKED_S = 1.0
"""A loop that has not turned for so long is told of. Pings come every 2 s, and three without an answer end a driver."""
LOOK_S = 0.25


@contextlib.contextmanager
def watch_loop(loop: asyncio.AbstractEventLoop, blocked_s: float = BLOCKED_S) -> Iterator[None]:
    """Warns on stderr while the loop of this thread is blocked, with the place where it is."""
    watched = threading.get_ident()
    turned, done = threading.Event(), threading.Event()

    def look() -> None:
        # Counted in looks, not on a clock: a process that was suspended is not blocked.
        looks, told = 0, False
        while not done.wait(LOOK_S):
            if turned.is_set():
                turned.clear()
                looks, told = 0, False
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(turned.set)
            elif not told and (looks := looks + 1) * LOOK_S >= blocked_s:
                told = True
                warn(watched, blocked_s)

    turned.set()
    thread = threading.Thread(target=look, name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()


def warn(thread: int, blocked_s: float) -> None:
    """Says where a thread is."""
    frame = sys._current_frames().get(thread)
    place = traceback.extract_stack(frame)[-1] if frame is not None else None
    where = f"{place.filename}:{place.lineno} in {place.name}: {place.line}" if place else "an unknown place"
    print(
        f"blocked for {blocked_s:g} s at {where}; no question is answered meanwhile, not even a ping: "
        "await there, or use asyncio.to_thread",
        file=sys.stderr,
        flush=True,
    )
