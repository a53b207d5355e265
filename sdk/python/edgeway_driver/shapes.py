"""How the type of an option is described to people, and read from what they write."""

from __future__ import annotations

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from enum import Enum
from math import isfinite
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from .batch import Json
from .problem import Problem, below, did_you_mean, shown


@dataclasses.dataclass(frozen=True)
class Range:
    """The least and the most that a number may be."""

    min: float | None = None
    max: float | None = None


@dataclasses.dataclass(frozen=True)
class Pattern:
    """A regular expression for a whole text, and how it is said to people."""

    regex: str
    say: str


class Wrong(Exception):
    """A mistake in one value: what was found, and what would be right."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message, self.help = message, help


Read = Callable[[Json, str, list[Problem]], Any]


@dataclasses.dataclass(frozen=True)
class Shape:
    """How a type is described and read. `read` adds to the problems, and then returns nothing of use."""

    schema: dict[str, Json]
    read: Read
    # A default as people would write it.
    show: Callable[[Any], Json] = lambda value: value


@functools.cache
def shape_of(annotation: Any) -> Shape:
    """The shape of a type."""
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return table(annotation)
    if annotation in SCALARS:
        return SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return choice({member.value: member for member in annotation}, show=lambda member: member.value)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return annotated(shape_of(arguments[0]), arguments[1:])
    if origin is Literal:
        return choice({argument: argument for argument in arguments})
    if origin in (Union, types.UnionType):
        return optional(annotation, arguments)
    if origin is list:
        return array(shape_of(arguments[0]))
    if origin is dict and arguments[0] is str:
        return mapping(shape_of(arguments[1]))
    raise TypeError(f"options cannot have the type {annotation!r}")


def scalar(schema: dict[str, Json], check: Callable[[Json], Any], show: Callable[[Any], Json] = lambda v: v) -> Shape:
    """A single value; `check` raises `Wrong`."""

    def read(found: Json, key: str, problems: list[Problem]) -> Any:
        try:
            return check(found)
        except Wrong as wrong:
            problems.append(Problem(key, wrong.message, wrong.help))
            return None

    return Shape(schema, read, show)


def boolean(found: Json) -> bool:
    if isinstance(found, bool):
        return found
    raise Wrong(f"{shown(found)} is not true or false")


def integer(found: Json) -> int:
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    raise Wrong(f"{shown(found)} is not a whole number")


def number(found: Json) -> float:
    if isinstance(found, int | float) and not isinstance(found, bool) and isfinite(found):
        return float(found)
    raise Wrong(f"{shown(found)} is not a number")


def text(found: Json) -> str:
    if isinstance(found, str):
        return found
    raise Wrong(f"{shown(found)} is not text", f'write "{found}"' if isinstance(found, int | float) else "")


UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d|w)")
SPANS = rf"{SPAN.pattern}(?:\s*{SPAN.pattern})*"


def duration(found: Json) -> timedelta:
    """`250ms`, `2h 30m`."""
    if isinstance(found, str) and re.fullmatch(SPANS, found.strip()):
        return timedelta(seconds=sum(float(amount) * UNITS[unit] for amount, unit in SPAN.findall(found)))
    raise Wrong(f"{shown(found)} is not a duration", 'write "250ms", "1s" or "5m"')


def show_duration(span: timedelta) -> str:
    """As people write it."""
    milliseconds = span / timedelta(milliseconds=1)
    return f"{milliseconds / 1000:g}s" if milliseconds >= 1000 or milliseconds == 0 else f"{milliseconds:g}ms"


SCALARS: dict[Any, Shape] = {
    bool: scalar({"type": "boolean"}, boolean),
    int: scalar({"type": "integer"}, integer),
    float: scalar({"type": "number"}, number),
    str: scalar({"type": "string"}, text),
    timedelta: scalar({"type": "string", "pattern": f"^{SPANS}$"}, duration, show_duration),
    Any: scalar({}, lambda found: found),
}


def choice(choices: Mapping[Json, Any], show: Callable[[Any], Json] = lambda v: v) -> Shape:
    """One of some values."""

    def check(found: Json) -> Any:
        for written, meant in choices.items():
            if found == written and type(found) is type(written):
                return meant
        raise Wrong(f"unknown choice {shown(found)}", did_you_mean(found, choices))

    return scalar({"enum": list(choices)}, check, show)


def optional(annotation: Any, arguments: tuple[Any, ...]) -> Shape:
    """`T | None`: TOML has no null, so that leaving the key out is the only way to say None."""
    some = [argument for argument in arguments if argument is not types.NoneType]
    if len(some) != 1 or len(arguments) != 2:
        raise TypeError(f"options cannot have the type {annotation!r}: of unions, only `T | None` is possible")
    return shape_of(some[0])


def array(item: Shape) -> Shape:
    """`list[T]`."""

    def read(found: Json, key: str, problems: list[Problem]) -> Any:
        if not isinstance(found, list):
            problems.append(Problem(key, f"{shown(found)} is not a list"))
            return None
        return [item.read(each, f"{key}[{place}]", problems) for place, each in enumerate(found)]

    return Shape({"type": "array", "items": item.schema}, read, lambda values: [item.show(value) for value in values])


def mapping(item: Shape) -> Shape:
    """`dict[str, T]`."""

    def read(found: Json, key: str, problems: list[Problem]) -> Any:
        if not isinstance(found, dict):
            problems.append(Problem(key, f"{shown(found)} is not a table"))
            return None
        return {name: item.read(each, below(key, name), problems) for name, each in found.items()}

    described = {"type": "object", "additionalProperties": item.schema}
    return Shape(described, read, lambda values: {name: item.show(value) for name, value in values.items()})


def annotated(shape: Shape, notes: Iterable[Any]) -> Shape:
    """The same with what `Annotated` adds."""
    for note in notes:
        match note:
            case str():
                shape = dataclasses.replace(shape, schema={**shape.schema, "description": note})
            case Range(min=least, max=most):
                bounds = {"minimum": least, "maximum": most}
                limits = {name: bound for name, bound in bounds.items() if bound is not None}
                shape = narrowed(shape, limits, functools.partial(within, note))
            case Pattern(regex=regex):
                shape = narrowed(shape, {"pattern": f"^(?:{regex})$"}, functools.partial(matching, note))
            case _:
                raise TypeError(f"{note!r} says nothing about an option; a text, Range and Pattern do")
    return shape


def narrowed(shape: Shape, described: dict[str, Json], check: Callable[[Any], str]) -> Shape:
    """The same with one more check, which says what is wrong."""

    def read(found: Json, key: str, problems: list[Problem]) -> Any:
        before = len(problems)
        value = shape.read(found, key, problems)
        if len(problems) == before and (wanted := check(value)):
            problems.append(Problem(key, f"{shown(found)} is not possible", wanted))
        return value

    return dataclasses.replace(shape, schema={**shape.schema, **described}, read=read)


def within(limits: Range, value: float) -> str:
    if (limits.min is None or value >= limits.min) and (limits.max is None or value <= limits.max):
        return ""
    if limits.max is None:
        return f"at least {limits.min}"
    return f"at most {limits.max}" if limits.min is None else f"{limits.min} to {limits.max}"


def matching(pattern: Pattern, value: str) -> str:
    return "" if re.fullmatch(pattern.regex, value) else pattern.say


# ------------------------------------------------------------------------------------------------------------ tables


@dataclasses.dataclass(frozen=True)
class Field:
    """A key of a table."""

    attribute: str
    key: str
    shape: Shape
    required: bool


def table(made: type) -> Shape:
    """A dataclass."""
    fields = {field.key: field for field in fields_of(made)}

    def read(found: Json, key: str, problems: list[Problem]) -> Any:
        if not isinstance(found, dict):
            problems.append(Problem(key, f"{shown(found)} is not a table"))
            return None
        before = len(problems)
        problems += (unknown(key, name, fields) for name in found if name not in fields)
        problems += (missing(key, field) for field in fields.values() if field.required and field.key not in found)
        values = {
            fields[name].attribute: fields[name].shape.read(value, below(key, name), problems)
            for name, value in found.items()
            if name in fields
        }
        if len(problems) > before:
            return None
        try:
            return made(**values)
        except ValueError as error:
            problems.append(Problem(key, str(error)))
            return None

    described = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: field.shape.schema for key, field in fields.items()},
        "required": [key for key, field in fields.items() if field.required],
    }
    return Shape(described, read, lambda value: table_shown(value, fields))


def fields_of(made: type) -> Iterator[Field]:
    hints = typing.get_type_hints(made, include_extras=True)
    for field in dataclasses.fields(made):
        if not field.init:
            continue
        shape = shape_of(hints[field.name])
        default = default_of(field)
        # None is what leaving the key out says.
        if default is not dataclasses.MISSING and default is not None:
            shape = dataclasses.replace(shape, schema={**shape.schema, "default": shape.show(default)})
        yield Field(field.name, field.name.rstrip("_"), shape, default is dataclasses.MISSING)


def default_of(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def table_shown(value: Any, fields: Mapping[str, Field]) -> Json:
    written = {key: (field, getattr(value, field.attribute)) for key, field in fields.items()}
    return {key: field.shape.show(held) for key, (field, held) in written.items() if held is not None}


def unknown(key: str, name: str, known: Iterable[str]) -> Problem:
    return Problem(below(key, name), f"unknown key `{name}`", did_you_mean(name, known))


def missing(key: str, field: Field) -> Problem:
    return Problem(key, f"`{field.key}` is missing", field.shape.schema.get("description", "").rstrip("."))
