"""What can go wrong on a wire, by how far the damage reaches."""

from __future__ import annotations

from typing import SupportsIndex

from .batch import Quality


class Fault(Exception):
    """A failed question. Raise the narrowest that is true; the text is for the operator.

    A point that could not be read in a step that otherwise worked is no fault: `Batch.bad` takes it.
    """

    def __init__(self, reason: str) -> None:
        """With what the operator should read."""
        super().__init__(reason)
        self.reason = reason


class PointFault(Fault):
    """The device refuses this one point. The gateway marks it, and asks for it again only now and then."""

    def __init__(self, point: SupportsIndex, reason: str, quality: Quality = Quality.BAD_CONFIG) -> None:
        """With the point, and the quality that it gets."""
        super().__init__(reason)
        self.point = point.__index__()
        self.quality = quality


class StepFault(Fault):
    """The device refuses the step, perhaps for one point in it. The gateway asks `plan` for smaller steps."""


class BusyFault(Fault):
    """Not now, and nothing was done. The gateway asks again at the next poll."""


class DeviceFault(Fault):
    """No answer, or nonsense; after a write: nobody knows. The gateway backs this device off, alone.

    The wire is clean: the next question to another device works. Where that is not so, raise `UncleanFault`.
    """


class UncleanFault(DeviceFault):
    """A `DeviceFault` after which bytes may still come that belong to no question.

    The runtime makes the wire clean (`Link.reset`) before anybody is told.
    """


class LinkFault(Fault):
    """The wire is gone. The gateway connects again, with backoff."""


class ConfigFault(Fault):
    """Somebody has to change the configuration; no retry helps."""


class Unsupported(Fault):
    """This driver cannot do that; the text names what: `Unsupported("browsing")`."""
