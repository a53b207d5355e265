"""mosquitto, on loopback or in a network namespace."""

import shutil
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from .figure import Unavailable
from .ports import free_port
from .process import Child, wait_for

START_WITHIN_S = 10.0


class Broker:
    """A broker that keeps sessions when it is stopped, and loses what it has not passed on when it is killed."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", inside: Sequence[str] = ()) -> None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin")
        if program is None:
            raise Unavailable("mosquitto is missing: apt-get install mosquitto")
        self.program, self.inside, self.folder = program, inside, folder
        self.host, self.port = host, free_port()
        self.child: Child | None = None
        # mosquitto gives up root's rights before it writes there.
        folder.chmod(0o777)
        config = [
            f"listener {self.port} {host}", "allow_anonymous true", "max_queued_messages 0",
            "max_inflight_messages 200", "persistence true", f"persistence_location {folder}/", "log_type error",
        ]
        (folder / "mosquitto.conf").write_text("\n".join(config) + "\n")

    def start(self) -> None:
        """Starts it and waits until it listens."""
        command: list[str | Path] = [*self.inside, self.program, "-c", self.folder / "mosquitto.conf"]
        self.child = Child(command, self.folder / "mosquitto.log")
        wait_for("mosquitto to listen", START_WITHIN_S, self._listens)

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), 1.0).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Stops it regularly."""
        if self.child is not None:
            self.child.signal(signal.SIGTERM)
            self.child.wait()
            self.child = None

    def kill(self) -> None:
        """kill -9."""
        if self.child is not None:
            self.child.kill()
            self.child = None

    def __enter__(self) -> "Broker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
