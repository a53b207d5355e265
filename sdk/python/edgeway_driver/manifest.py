"""What a driver says of itself."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from . import options
from .batch import Json
from .problem import Problem, shown

if TYPE_CHECKING:
    from .driver import Driver

Described: TypeAlias = type | Mapping[str, Json]
"""Options as a dataclass, or as a JSON Schema (2020-12). What only a schema describes is handed over as a dict."""


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a driver says of itself, always the same. What it can do is seen from the methods that it overrides."""

    name: str
    """The word in `driver = "..."`."""
    version: str
    """The driver's version."""
    summary: str
    """One line: what it speaks."""
    link: Described = options.NoOptions
    """The options of `[link.NAME]`."""
    device: Described = options.NoOptions
    """The options of a device's table that is named after the driver."""
    point: Described = options.NoOptions
    """The options of a point."""
    wire: Sequence[str] = ()
    """The options of a link that say which wire it is: two links that agree in all of them are one, and refused."""


CAN = ("write", "watch", "call", "browse")


def manifest_json(driver: Driver[Any, Any, Any]) -> str:
    """The manifest as the gateway reads it."""
    from .driver import Driver, Link

    said = driver.manifest
    can = {name: getattr(driver.link, name) is not getattr(Link, name) for name in CAN}
    can["discover"] = type(driver).discover is not Driver.discover
    described = {"link": said.link, "device": said.device, "point": said.point}
    options_shown = {name: schema_of(shape) for name, shape in described.items()}
    strange = [name for name in said.wire if name not in options_shown["link"].get("properties", {})]
    if strange:
        raise ValueError(f"the manifest's wire names `{strange[0]}`, which is no option of the link")
    written = {
        "name": said.name,
        "version": said.version,
        "summary": said.summary,
        "can": can,
        "wire": list(said.wire),
        "options": options_shown,
    }
    return json.dumps(written)


def schema_of(described: Described) -> dict[str, Json]:
    """The JSON Schema of options."""
    return options.schema(described) if isinstance(described, type) else dict(described)


def read_options(described: Described, found: Json) -> Any:
    """Options as the driver gets them, or `OptionsError`."""
    if isinstance(described, type):
        return options.parse(described, found)
    if isinstance(found, dict):
        return found
    raise options.OptionsError([Problem("", f"{shown(found)} is not a table")])
