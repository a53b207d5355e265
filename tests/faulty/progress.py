"""How far the suite is, on standard error: one line that changes on a terminal, a line now and then elsewhere."""

import sys
import time

QUIET_S = 10.0
"""Elsewhere than on a terminal a line comes at most so often."""


class Progress:
    """Says what is going on."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.part = ""
        self.part_started = self.started
        self.last = 0.0

    def begin(self, part: str) -> None:
        """From here on it is about another promise."""
        self.part, self.part_started, self.last = part, time.monotonic(), 0.0
        self.say("starts")

    def say(self, text: str) -> None:
        """Where it is."""
        now = time.monotonic()
        line = f"{now - self.started:6.0f} s  {self.part}: {text}"
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line[:150]}", end="", file=sys.stderr, flush=True)
        elif now - self.last >= QUIET_S:
            print(line, file=sys.stderr, flush=True)
            self.last = now

    def end(self, outcome: str) -> None:
        """The promise is done."""
        took = time.monotonic() - self.part_started
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        print(f"{start}{self.part}: {outcome} ({took:.0f} s)", file=sys.stderr, flush=True)
