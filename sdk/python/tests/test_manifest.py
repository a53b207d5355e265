from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import jsonschema
import pytest
from conftest import ANYTHING, Options, Wire, driver_of

from edgeway_driver import ConfigFault, Deadline, Driver, Found, Manifest
from edgeway_driver.manifest import manifest_json, read_options


def said(driver: Driver[Any, Any, Any]) -> Any:
    return json.loads(manifest_json(driver))


def test_a_driver_can_what_it_overrides() -> None:
    class Writes(Wire):
        async def write(self, point: Any, value: Any, by: Deadline) -> Any:
            return value

    class Finds(Driver[Options, Options, Options]):
        manifest = Manifest("finds", "1.0.0", "For tests", link=ANYTHING, device=ANYTHING, point=ANYTHING)
        link = Writes

        async def discover(self, hint: Any, by: Deadline) -> AsyncIterator[Found]:
            yield Found({})

    none = {"write": False, "watch": False, "call": False, "browse": False, "discover": False}
    assert said(driver_of(Wire))["can"] == none
    assert said(driver_of(Writes))["can"] == {**none, "write": True}
    assert said(Finds())["can"] == {**none, "write": True, "discover": True}


def test_options_that_are_not_described_are_none_at_all() -> None:
    class Plain(Driver[Any, Any, Any]):
        manifest = Manifest("plain", "1.0.0", "For tests")
        link = Wire

    manifest = said(Plain())
    assert manifest["wire"] == []
    for described in manifest["options"].values():
        jsonschema.Draft202012Validator.check_schema(described)
        assert not jsonschema.Draft202012Validator(described).is_valid({"a": 1})


def test_options_with_a_schema_of_their_own_are_handed_over_as_they_are() -> None:
    assert said(driver_of(Wire))["options"]["link"] == ANYTHING
    assert read_options(ANYTHING, {"a": [1]}) == {"a": [1]}
    with pytest.raises(ConfigFault, match="7 is not a table"):
        read_options(ANYTHING, 7)


def test_the_wire_is_named_by_options_of_the_link() -> None:
    driver = driver_of(Wire)
    described = {"type": "object", "properties": {"port": {"type": "integer"}}}
    driver.manifest = Manifest("wired", "1.0.0", "For tests", link=described, wire=["port"])
    assert said(driver)["wire"] == ["port"]
    driver.manifest = Manifest("wired", "1.0.0", "For tests", link=described, wire=["prot"])
    with pytest.raises(ValueError, match="`prot`, which is no option"):
        said(driver)
