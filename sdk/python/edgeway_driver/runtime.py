"""The command that a driver is: `--manifest`, or a session until the gateway or standard input ends."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any, NoReturn

from .driver import Driver
from .manifest import manifest_json

STOP_WITHIN_S = 5.0
"""How long a driver may take to exit after its standard input has ended."""


def run(driver: Driver[Any, Any, Any]) -> NoReturn:
    """Is the whole `main` of a driver. Exits with 0 at the end of a session, and with 1 if there never was one."""
    parser = argparse.ArgumentParser(description=f"{driver.manifest.summary}. A driver of Edgeway, started by it.")
    parser.add_argument("--manifest", action="store_true", help="print what this driver is, as JSON")
    if parser.parse_args().manifest:
        print(manifest_json(driver))
        sys.exit(0)
    for stream in (sys.stdout, sys.stderr):
        # The gateway reads lines as they come.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    sys.exit(asyncio.run(serve(driver)))


async def serve(driver: Driver[Any, Any, Any]) -> int:
    """One session as the environment says. Gives the exit code."""
    # Here, not above: `--manifest` does without gRPC, and is quick.
    from .session import Environment, NoSession, Session
    from .watchdog import watch_loop

    try:
        environment = Environment.of(os.environ)
        session = Session(driver)
        loop = asyncio.get_running_loop()
        end_with_stdin(loop, session.stop, remote=environment.socket.startswith("https:"))
        end_with_signals(loop, session.stop)
        with watch_loop(loop):
            await session.run(environment)
    except NoSession as error:
        print(f"{driver.manifest.name}: {error}", file=sys.stderr)
        return 1
    return 0


def end_with_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Ends in good order at SIGTERM. Ctrl-C in the gateway's terminal is the gateway's: it shuts its drivers down."""
    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGINT, stop if sys.stdin is not None and sys.stdin.isatty() else lambda: None)


def end_with_stdin(loop: asyncio.AbstractEventLoop, stop: Callable[[], None], *, remote: bool) -> None:
    """Ends when standard input does: then the gateway is gone, however it went."""
    if remote and is_null(0):
        # Started on another machine by somebody who gives no input, such as systemd.
        return

    def watch() -> None:
        # Not sys.stdin.read: its lock would be held when the interpreter exits.
        while read_some(0):
            pass
        loop.call_soon_threadsafe(stop)
        # A driver that is stuck must not stay.
        timer = threading.Timer(STOP_WITHIN_S, os._exit, [1])
        timer.daemon = True
        timer.start()

    threading.Thread(target=watch, name="stdin", daemon=True).start()


def read_some(file: int) -> bytes:
    """What there is to read; nothing at the end."""
    try:
        return os.read(file, 4096)
    except OSError:
        return b""


def is_null(file: int) -> bool:
    """Whether it is /dev/null, or closed."""
    try:
        found = os.fstat(file)
    except OSError:
        return True
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == os.stat(os.devnull).st_rdev
