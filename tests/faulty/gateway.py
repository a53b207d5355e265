"""The gateway as its users run it: a process, a site folder, and its API."""

import http.client
import json
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .context import gateway_binary
from .process import Child, Late, wait_for
from .site import Site

START_WITHIN_S = 30.0
STOP_WITHIN_S = 5.5
"""It promises 5 s."""
ANSWER_WITHIN_S = 5.0


@dataclass(frozen=True)
class Account:
    """What has become of a route's messages."""

    taken: int
    delivered: int
    queued: int
    expired: int
    dropped: int
    dead: int

    @property
    def imbalance(self) -> int:
        """0, or the gateway has lost count."""
        return self.taken - self.delivered - self.queued - self.expired - self.dropped - self.dead


class Gateway:
    """A site and, while it runs, its process."""

    def __init__(self, site: Site, inside: Sequence[str] = (), env: dict[str, str] | None = None) -> None:
        self.site, self.inside = site, inside
        self.env = {**os.environ, **(env or {})}
        self.child: Child | None = None

    @property
    def log(self) -> Path:
        """What it prints, over all its lives."""
        return self.site.folder / "gateway.log"

    def start(self) -> "Gateway":
        """Starts it; it may not be ready yet."""
        command: list[str | Path] = [*self.inside, gateway_binary(), "run", self.site.folder]
        self.child = Child(command, self.log, self.env)
        return self

    def wait_ready(self) -> "Gateway":
        """Waits until its API answers."""
        wait_for("the gateway's API", START_WITHIN_S, self._ready)
        return self

    def _ready(self) -> bool:
        if self.child is None or not self.child.alive:
            raise RuntimeError(f"the gateway has ended: {last_line(self.log)}")
        return self.status() is not None

    def kill(self) -> None:
        """kill -9."""
        if self.child is not None:
            self.child.kill()
            self.child = None

    def stop(self) -> None:
        """SIGTERM; it must end with 0 in time."""
        assert self.child is not None
        self.child.signal(signal.SIGTERM)
        code = self.child.wait(STOP_WITHIN_S)
        self.child = None
        if code != 0:
            raise RuntimeError(f"the gateway stopped with {code}: {last_line(self.log)}")

    def ask(self, method: str, path: str, body: object = None, within_s: float = ANSWER_WITHIN_S) -> tuple[int, Any]:
        """A request; the answer's status and JSON."""
        connection = http.client.HTTPConnection(self.site.api_host, self.site.api_port, timeout=within_s)
        try:
            headers = {"authorization": f"Bearer {self._token()}", "content-type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text.startswith((b"{", b"[")) else text.decode()
        finally:
            connection.close()

    def _token(self) -> str:
        return (self.site.data_folder / "token").read_text().strip()

    def get(self, path: str) -> Any:
        """What a path of `/api/v1` shows."""
        code, body = self.ask("GET", f"/api/v1/{path}")
        if code != 200:
            raise RuntimeError(f"GET {path}: {code} {body}")
        return body

    def status(self) -> dict[str, Any] | None:
        """The whole; `None` while it does not answer."""
        try:
            found: dict[str, Any] = self.get("status")
        except (OSError, http.client.HTTPException, RuntimeError, ValueError):
            return None
        return found

    def durable(self) -> int | None:
        """Everything below this offset is on disk, says the gateway."""
        status = self.status()
        return None if status is None else int(status["journal"]["durable_head"])

    def head(self) -> int:
        """The offset of the next message."""
        return int(self.get("status")["journal"]["head"])

    def account(self, route: str = "all") -> Account:
        """A route's account."""
        return account(self.route(route))

    def accounts(self, route: str) -> dict[str, Account]:
        """A route's accounts by device."""
        return {device: account(entry) for device, entry in self.get(f"routes/{route}/ledger")["devices"].items()}

    def route(self, name: str) -> dict[str, Any]:
        """A route's state."""
        found: dict[str, Any] = next(route for route in self.get("routes")["routes"] if route["name"] == name)
        return found

    def connected(self, name: str) -> bool:
        """Whether a route believes that it has its target."""
        return bool(self.route(name)["connected"])

    def set(self, device: str, number: int, command: str) -> bool:
        """Sets a device's `limit`; whether the gateway answered that it has."""
        try:
            code, _ = self.ask("PUT", f"/api/v1/devices/{device}/properties/limit", {"value": number, "id": command})
        except (OSError, http.client.HTTPException, ValueError):
            return False
        return 200 <= code < 300

    def resident_bytes(self) -> int:
        """Memory of the process."""
        assert self.child is not None
        status = Path(f"/proc/{self.child.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) << 10

    def drained(self, route: str = "all") -> bool:
        """Whether nothing of a route waits."""
        try:
            return self.account(route).queued == 0
        except (OSError, http.client.HTTPException, RuntimeError, Late):
            return False

    def __enter__(self) -> "Gateway":
        return self.start().wait_ready()

    def __exit__(self, *_: object) -> None:
        self.kill()


def account(entry: dict[str, Any]) -> Account:
    """An account as the API shows it."""
    return Account(*(int(entry[name]) for name in Account.__dataclass_fields__))


def last_line(log: Path) -> str:
    """What a process said last."""
    lines = log.read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"
