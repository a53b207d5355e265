"""A child process: what it prints, line by line, and an end that comes in any case."""

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")
END_WITHIN_S = 10.0


class Late(Exception):
    """Something did not happen in time; says what."""


def wait_for(what: str, within_s: float, attempt: Callable[[], Found | None], every_s: float = 0.02) -> Found:
    """Tries until something is given."""
    until = time.monotonic() + within_s
    while (found := attempt()) is None or found is False:
        if time.monotonic() > until:
            raise Late(f"waited {within_s:g} s for {what}")
        time.sleep(every_s)
    return found


def run(*command: str | Path, within_s: float = 60.0) -> str:
    """Runs a program to its end; gives what it printed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=within_s)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Child:
    """A running program. It is killed when its context is left, and when the suite dies."""

    def __init__(self, command: Sequence[str | Path], log: Path, env: dict[str, str] | None = None) -> None:
        self.name = Path(command[0]).name
        self.log = log
        # The kernel ends it when the thread that started it ends: children are started by the main thread.
        argv = ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)]
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=env, bufsize=1,
                start_new_session=True,
            )
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            # A killed process may leave half a line: that was not said.
            if line.endswith("\n"):
                self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def line(self, within_s: float) -> str | None:
        """The next line; `None` at the end of its output."""
        try:
            return self.lines.get(timeout=within_s)
        except queue.Empty:
            raise Late(f"{self.name} said nothing for {within_s:g} s; its log is {self.log}") from None

    def said(self) -> list[str]:
        """The lines that are there already."""
        lines = []
        while not self.lines.empty():
            if (line := self.lines.get()) is not None:
                lines.append(line)
        return lines

    def rest(self) -> list[str]:
        """All lines up to the end of its output, which has come or is about to."""
        self.reader.join(END_WITHIN_S)
        return self.said()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal, if it still runs."""
        if self.alive:
            self.process.send_signal(number)

    def wait(self, within_s: float = END_WITHIN_S) -> int:
        """Its exit code."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise Late(f"{self.name} did not end within {within_s:g} s; its log is {self.log}") from None

    def kill(self) -> None:
        """kill -9, also of what it has started itself; back when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(END_WITHIN_S)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
