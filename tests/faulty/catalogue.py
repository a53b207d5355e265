"""All promises, in the order of the table."""

from .figure import Promise
from .promises import (
    accounting,
    classes,
    clock,
    damage,
    full_disk,
    io_error,
    kill,
    links,
    poison,
    power_cut,
    queries,
    stop_start,
    wear,
)

ALL: dict[str, Promise] = {
    "kill": kill,
    "power_cut": power_cut,
    "damage": damage,
    "full_disk": full_disk,
    "io_error": io_error,
    "links": links,
    "classes": classes,
    "poison": poison,
    "stop_start": stop_start,
    "queries": queries,
    "clock": clock,
    "accounting": accounting,
    "wear": wear,
}
"""By the name that `--only` takes, which is that of the file."""
