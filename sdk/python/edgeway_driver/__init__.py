"""Drivers for the Edgeway gateway, written in Python.

    class Wire(Link[LinkOptions, NoOptions, PointOptions]):
        async def exec(self, step, out, by):
            for point in step.points:
                out.good(point, point.options.at)

    class Constant(Driver[LinkOptions, NoOptions, PointOptions]):
        manifest = Manifest("constant", "1.0.0", "Answers with its address", link=LinkOptions, point=PointOptions)
        link = Wire

    run(Constant())

It is not a runtime for polling: the gateway owns every loop. It connects, paces, retries, backs off and ages values; a
driver turns one question into one transaction and says what came of it.
"""

from .batch import Batch, Json, Quality, Reading, Value
from .driver import (
    Access,
    Deadline,
    DeviceSpec,
    Driver,
    Found,
    Link,
    LinkInfo,
    Plan,
    PointSpec,
    Step,
    halves,
    steps_by_device,
)
from .fault import (
    BusyFault,
    ConfigFault,
    DeviceFault,
    Fault,
    LinkFault,
    PointFault,
    StepFault,
    UncleanFault,
    Unsupported,
)
from .manifest import Manifest
from .options import NoOptions, OptionsError
from .problem import Problem
from .runtime import run
from .shapes import Pattern, Range
from .sink import Sink

__all__ = [
    "Access",
    "Batch",
    "BusyFault",
    "ConfigFault",
    "Deadline",
    "DeviceFault",
    "DeviceSpec",
    "Driver",
    "Fault",
    "Found",
    "Json",
    "Link",
    "LinkFault",
    "LinkInfo",
    "Manifest",
    "NoOptions",
    "OptionsError",
    "Pattern",
    "Plan",
    "PointFault",
    "PointSpec",
    "Problem",
    "Quality",
    "Range",
    "Reading",
    "Sink",
    "Step",
    "StepFault",
    "UncleanFault",
    "Unsupported",
    "Value",
    "halves",
    "run",
    "steps_by_device",
]
