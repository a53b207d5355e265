"""Site folders for the faults: simulated counters, and whatever routes a harness wants."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .ports import free_port

SITE = "faults"
DAY_MS = 86_400_000


def model(noise: int) -> dict[str, Any]:
    """`count` grows with time; `limit` can be set; `xN` makes messages large."""
    double = {"type": "double", "specs": {"min": "-1e15", "max": "1e15"}}
    number = {"type": "int", "specs": {"min": "0", "max": "2000000000"}}
    points = ["count", *(noise_name(place) for place in range(noise))]
    properties = [{"identifier": name, "name": name, "accessMode": "r", "dataType": double} for name in points]
    properties.append({"identifier": "limit", "name": "limit", "accessMode": "rw", "dataType": number})
    return {"properties": properties, "events": [], "services": []}


def noise_name(place: int) -> str:
    """A property that cannot be compressed."""
    return f"x{place}"


@dataclass(frozen=True)
class Group:
    """Devices of a model of their own, so that a subject or a class can be theirs: `property/NAME/NAME-001`."""

    name: str
    devices: int
    poll_ms: int
    noise: int = 0
    """More numbers in each message, 8 bytes of chance each."""

    @property
    def per_second(self) -> float:
        """Messages a second."""
        return self.devices * 1000 / self.poll_ms


@dataclass
class Site:
    """A site; `write` makes its folder."""

    folder: Path
    groups: Sequence[Group]
    targets: Mapping[str, Mapping[str, Any]]
    routes: Sequence[Mapping[str, Any]]
    journal: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """More tables of `edgeway.toml`."""
    data: Path | None = None
    """Elsewhere than in the site: on the disk that is to fail."""
    api_host: str = "127.0.0.1"
    api_port: int = field(default_factory=free_port)
    queries: Mapping[str, str] = field(default_factory=dict)
    """SQL by the query's name."""

    @property
    def per_second(self) -> float:
        """Messages a second, in all."""
        return sum(group.per_second for group in self.groups)

    @property
    def data_folder(self) -> Path:
        """Where the gateway keeps what it keeps."""
        return self.data or self.folder / "data"

    def write(self) -> "Site":
        """Makes the folder, or writes it anew."""
        (self.folder / "models").mkdir(parents=True, exist_ok=True)
        for group in self.groups:
            (self.folder / "models" / f"{group.name}.json").write_text(json.dumps(model(group.noise)))
        (self.folder / "queries").mkdir(exist_ok=True)
        for name, text in self.queries.items():
            (self.folder / "queries" / f"{name}.sql").write_text(text)
        (self.folder / "edgeway.toml").write_text(self._settings())
        (self.folder / "devices.toml").write_text(self._devices())
        (self.folder / "routes.toml").write_text(self._routes())
        return self

    def hush(self) -> "Site":
        """Writes it anew with devices that are asked once a day: after a start, nothing new comes."""
        self.groups = [replace(group, poll_ms=DAY_MS) for group in self.groups]
        return self.write()

    def _settings(self) -> str:
        head: dict[str, Any] = {"name": SITE}
        if self.data is not None:
            head["data"] = str(self.data)
        tables = {"api": {"listen": f"{self.api_host}:{self.api_port}"}, "journal": self.journal, **self.more}
        return keys(head) + "".join(f"[{name}]\n{keys(table)}" for name, table in tables.items())

    def _devices(self) -> str:
        text = '[link.sim]\ndriver = "simulator"\n'
        for group in self.groups:
            text += (
                f'[template.{group.name}]\nmodel = "{group.name}"\nlink = "sim"\npoll = "{group.poll_ms}ms"\n'
                f'[template.{group.name}.points]\ncount = {{ at = "counter", cycle = "1ms" }}\n'
                f'limit = {{ at = "register", poll = "{max(group.poll_ms, 60_000)}ms" }}\n'
            )
            text += "".join(f'{noise_name(place)} = {{ at = "noise" }}\n' for place in range(group.noise))
        for group in self.groups:
            for number in range(group.devices):
                text += f'[[device]]\nid = "{group.name}-{number:03}"\ntemplate = "{group.name}"\n'
        return text

    def _routes(self) -> str:
        targets = "".join(f"[target.{name}]\n{keys(target)}" for name, target in self.targets.items())
        return targets + "".join(f"[[route]]\n{keys(route)}" for route in self.routes)


def mqtt(port: int, host: str = "127.0.0.1", **more: object) -> dict[str, Any]:
    """A target: a broker."""
    return {"kind": "mqtt", "url": f"mqtt://{host}:{port}", **more}


def route(name: str = "all", target: str = "cloud", **more: Any) -> dict[str, Any]:
    """A route that takes everything from the start, unless told otherwise."""
    return {"name": name, "subjects": ["#"], "target": target, "from": "start", **more}


BATCHES = {"messages": 100, "age": "50ms"}
"""For a broker that is to get more than a few hundred messages a second."""


def keys(table: Mapping[str, Any]) -> str:
    """The lines of a TOML table."""
    return "".join(f"{key} = {value(found)}\n" for key, found in table.items())


def value(found: object) -> str:
    """A TOML value."""
    if isinstance(found, Mapping):
        return "{ " + ", ".join(f"{key} = {value(inner)}" for key, inner in found.items()) + " }"
    if isinstance(found, (list, tuple)):
        return "[" + ", ".join(value(inner) for inner in found) + "]"
    return json.dumps(found)
