"""What people write, read into dataclasses, and described as JSON Schema.

    @dataclass(frozen=True)
    class LinkOptions:
        endpoint: Annotated[str, "Where the device listens.", Pattern(r"tcp://[^:]+:\\d+", "tcp://host:port")]
        timeout: Annotated[timedelta, "How long an answer may take."] = timedelta(seconds=1)

A text in `Annotated` describes the option; people read it. Unknown keys are mistakes, all mistakes are told together,
and a `ValueError` from `__post_init__` is one of them. A field named `from_` is the key `from`.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable
from typing import TypeVar

from .batch import Json
from .fault import ConfigFault
from .problem import Problem
from .shapes import shape_of

T = TypeVar("T")


def parse(shape: type[T], options: Json) -> T:
    """Reads options into a dataclass, or raises `OptionsError` with all mistakes."""
    problems: list[Problem] = []
    made: type = shape
    value = shape_of(made).read(options, "", problems)
    if problems:
        raise OptionsError(problems)
    return typing.cast(T, value)


def schema(shape: type) -> dict[str, Json]:
    """The JSON Schema (2020-12) of a dataclass."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **shape_of(shape).schema}


@dataclasses.dataclass(frozen=True)
class NoOptions:
    """For links, devices or points that have none."""


class OptionsError(ConfigFault):
    """All mistakes in a table."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """With what was found."""
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))
