"""A mistake in what a person wrote, told so that it can be mended."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable

from .batch import Json


@dataclasses.dataclass(frozen=True)
class Problem:
    """One mistake: the key, what was found, what would be right."""

    key: str
    message: str
    help: str = ""

    def __str__(self) -> str:
        """As one line."""
        place = f"`{self.key}`: " if self.key else ""
        return f"{place}{self.message}{f' ({self.help})' if self.help else ''}"


def did_you_mean(found: Json, known: Iterable[Json]) -> str:
    """The nearest of `known`; if none is near, all of them."""
    names = [str(name) for name in known]
    near = difflib.get_close_matches(str(found), names, n=1, cutoff=0.7)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"one of {', '.join(f'`{name}`' for name in names)}" if 0 < len(names) <= 20 else ""


def below(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def shown(found: Json) -> str:
    """What was found, short enough for a line."""
    written = repr(found) if not isinstance(found, str) else f'"{found}"'
    return written if len(written) <= 60 else f"{written[:57]}..."
