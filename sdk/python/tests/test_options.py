from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, Literal

import jsonschema
import pytest

from edgeway_driver import OptionsError, Pattern, Range
from edgeway_driver.options import parse, schema


class Parity(Enum):
    NONE = "none"
    EVEN = "even"


@dataclass(frozen=True)
class Serial:
    baud: Annotated[int, "Bits per second.", Range(300, 4_000_000)] = 9600
    parity: Parity = Parity.NONE


@dataclass(frozen=True)
class Options:
    endpoint: Annotated[str, "Where it listens.", Pattern(r"tcp://.+", "tcp://host:port")]
    timeout: timedelta = timedelta(milliseconds=250)
    mode: Literal["fast", "safe"] = "safe"
    serial: Serial = Serial()
    units: list[Annotated[int, Range(min=1)]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    gain: float | None = None
    from_: Annotated[int, "The first."] = 0
    verbose: bool = False
    extra: Any = None

    def __post_init__(self) -> None:
        if self.mode == "fast" and self.verbose:
            raise ValueError("nobody can be fast and verbose")


ALL = {
    "endpoint": "tcp://a:1",
    "timeout": "1s 500ms",
    "mode": "fast",
    "serial": {"baud": 19200, "parity": "even"},
    "units": [1, 2],
    "names": {"a": "b"},
    "gain": 2,
    "from": 3,
    "verbose": False,
    "extra": [1, {}],
}


def mistakes(found: Any) -> list[str]:
    with pytest.raises(OptionsError) as error:
        parse(Options, found)
    return [str(problem) for problem in error.value.problems]


def test_everything_that_is_written_is_read() -> None:
    assert parse(Options, ALL) == Options(
        "tcp://a:1",
        timedelta(seconds=1.5),
        "fast",
        Serial(19200, Parity.EVEN),
        [1, 2],
        {"a": "b"},
        2.0,
        3,
        False,
        [1, {}],
    )


def test_what_is_left_out_is_the_default() -> None:
    assert parse(Options, {"endpoint": "tcp://a:1"}) == Options("tcp://a:1")


@pytest.mark.parametrize(
    ("found", "mistake"),
    [
        ({}, "`endpoint` is missing (Where it listens)"),
        ({"endpoint": "tcp://a", "timout": "1s"}, "`timout`: unknown key `timout` (did you mean `timeout`?)"),
        ({"endpoint": "udp://a"}, '`endpoint`: "udp://a" is not possible (tcp://host:port)'),
        ({"endpoint": 7}, '`endpoint`: 7 is not text (write "7")'),
        ({"endpoint": "tcp://a", "timeout": "250"}, '`timeout`: "250" is not a duration (write "250ms", "1s" or "5m")'),
        ({"endpoint": "tcp://a", "timeout": 250}, '`timeout`: 250 is not a duration (write "250ms", "1s" or "5m")'),
        ({"endpoint": "tcp://a", "mode": "save"}, '`mode`: unknown choice "save" (did you mean `safe`?)'),
        ({"endpoint": "tcp://a", "serial": {"baud": 1}}, "`serial.baud`: 1 is not possible (300 to 4000000)"),
        (
            {"endpoint": "tcp://a", "serial": {"parity": "odd"}},
            '`serial.parity`: unknown choice "odd" (one of `none`, `even`)',
        ),
        ({"endpoint": "tcp://a", "serial": 7}, "`serial`: 7 is not a table"),
        ({"endpoint": "tcp://a", "units": [1, 0]}, "`units[1]`: 0 is not possible (at least 1)"),
        ({"endpoint": "tcp://a", "units": 1}, "`units`: 1 is not a list"),
        ({"endpoint": "tcp://a", "gain": "x"}, '`gain`: "x" is not a number'),
        ({"endpoint": "tcp://a", "gain": True}, "`gain`: True is not a number"),
        ({"endpoint": "tcp://a", "from": 1.5}, "`from`: 1.5 is not a whole number"),
        ({"endpoint": "tcp://a", "from_": 1}, "`from_`: unknown key `from_` (did you mean `from`?)"),
        ({"endpoint": "tcp://a", "verbose": 1}, "`verbose`: 1 is not true or false"),
        ({"endpoint": "tcp://a", "mode": "fast", "verbose": True}, "nobody can be fast and verbose"),
        ([], "[] is not a table"),
    ],
)
def test_a_mistake_names_the_key_what_was_found_and_what_would_be_right(found: Any, mistake: str) -> None:
    assert mistakes(found) == [mistake]


def test_all_mistakes_are_told_together() -> None:
    assert len(mistakes({"timeout": 1, "serial": {"baud": "x", "bits": 8}, "units": ["a", "b"]})) == 6


def test_the_schema_takes_what_is_read_and_refuses_what_is_not() -> None:
    described = schema(Options)
    jsonschema.Draft202012Validator.check_schema(described)
    validator = jsonschema.Draft202012Validator(described)
    validator.validate(ALL)
    for wrong in [{}, {**ALL, "x": 1}, {**ALL, "timeout": "1"}, {**ALL, "serial": {"baud": 1}}, {**ALL, "mode": "x"}]:
        assert not validator.is_valid(wrong), wrong


def test_the_schema_says_what_people_read() -> None:
    properties = schema(Options)["properties"]
    assert properties["endpoint"]["description"] == "Where it listens."
    assert properties["timeout"]["default"] == "250ms"
    assert properties["serial"]["default"] == {"baud": 9600, "parity": "none"}
    assert "default" not in properties["gain"]
    assert schema(Options)["required"] == ["endpoint"]
    jsonschema.validate(properties["serial"]["default"], properties["serial"])


def test_a_type_that_no_option_can_have_is_named() -> None:
    made = dataclasses.make_dataclass("made", [("when", complex)])
    with pytest.raises(TypeError, match="options cannot have the type <class 'complex'>"):
        schema(made)
