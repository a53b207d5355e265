"""One link as the gateway asks it: plans, and the questions that follow from them."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from . import driver_pb2 as pb
from .batch import Batch
from .codec import fill_data, json_of, listing, pairs, value_message, value_of
from .driver import Access, Deadline, DeviceSpec, Link, Plan, PointSpec, Step
from .fault import ConfigFault, DeviceFault, Fault, PointFault
from .manifest import Manifest, read_options
from .sink import Known, Outbox
from .wire import Wire, unexpected

POINTS_AT_ONCE = 2000
"""Points that are read between two looks at the session: pings are answered while a large plan is made."""

Point = PointSpec[Any, Any]
Device = DeviceSpec[Any]


class LinkHost:
    """A link with everything planned on it."""

    def __init__(self, number: int, manifest: Manifest, link: Link[Any, Any, Any], outbox: Outbox) -> None:
        """Of a link that the driver has made."""
        self.number, self.manifest, self.link, self.outbox = number, manifest, link, outbox
        self.devices: dict[int, Device] = {}
        self.points: dict[int, Point] = {}
        self.steps: dict[int, Step[Any, Any]] = {}
        self.watched: list[Point] = []
        self.wire = Wire(number, link, outbox)
        self._planning = asyncio.Lock()
        self._steps_made = 0

    # ------------------------------------------------------------------------------------------------------ planning

    async def make_plan(self, question: pb.MakePlan) -> pb.Plan:
        """Groups points into steps, and keeps what exec and write need."""
        async with self._planning:
            split = question.split if question.HasField("split") else None
            devices, reasons = self._read_devices(question.devices)
            if split is not None:
                devices = {**self.devices, **devices}
            points, rejected = await self._read_points(question, devices, reasons)
            refused = None if split is None else self.steps.get(split.step) or Step(points)
            plan = self._ask_plan(list(devices.values()), points, refused)
            if split is not None and not (plan.steps or plan.watched or plan.rejected):
                # It cannot be divided, and stays as it is.
                return self._plan_message(plan, rejected)
            check_plan(plan, points)
            if split is None:
                self.points, self.steps, self.watched = {}, {}, list(plan.watched)
            else:
                self.steps.pop(split.step, None)
            self.devices = devices
            self.points |= {point.number: point for point in points}
            return self._plan_message(plan, rejected)

    def _read_devices(self, specs: Sequence[pb.DeviceSpec]) -> tuple[dict[int, Device], dict[int, str]]:
        """Devices, and why some cannot be."""
        devices: dict[int, Device] = {}
        reasons: dict[int, str] = {}
        for spec in specs:
            try:
                found = json_of(spec.options, f"the options of device {spec.device}")
                devices[spec.device] = DeviceSpec(spec.device, read_options(self.manifest.device, found))
            except ConfigFault as fault:
                reasons[spec.device] = f"its device: {fault.reason}"
        return devices, reasons

    async def _read_points(
        self, question: pb.MakePlan, devices: dict[int, Device], reasons: dict[int, str]
    ) -> tuple[list[Point], list[tuple[int, str]]]:
        """Points, and why some cannot be. What is shared is read once."""
        options: dict[int, Any] = {}
        points, rejected = [], []
        for place, spec in enumerate(question.points):
            if place % POINTS_AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                if spec.device not in devices:
                    raise ConfigFault(reasons.get(spec.device, f"its device {spec.device} is not in the plan"))
                if spec.options not in options:
                    options[spec.options] = self._read_point(question.options, spec)
                device, access = devices[spec.device], Access(spec.access)
                points.append(PointSpec(spec.point, device, options[spec.options], access, spec.period_ms))
            except ConfigFault as fault:
                rejected.append((spec.point, fault.reason))
        return points, rejected

    def _read_point(self, shared: Sequence[str], spec: pb.PointSpec) -> Any:
        if spec.options >= len(shared):
            raise ConfigFault(f"its options are number {spec.options} of {len(shared)}")
        return read_options(self.manifest.point, json_of(shared[spec.options], "what is written about it"))

    def _ask_plan(self, devices: list[Device], points: list[Point], split: Step[Any, Any] | None) -> Plan[Any, Any]:
        try:
            return self.link.plan(devices, points, split)
        except Fault:
            raise
        except Exception as error:
            raise ConfigFault(unexpected(error)) from None

    def _plan_message(self, plan: Plan[Any, Any], rejected: list[tuple[int, str]]) -> pb.Plan:
        message = pb.Plan(watched=[point.number for point in plan.watched], concurrency=plan.concurrency)
        for step in plan.steps:
            self._steps_made += 1
            step.number = self._steps_made
            self.steps[step.number] = step
            message.steps.add(
                step=step.number,
                device=step.device.number,
                points=step.numbers,
                period_ms=step.points[0].period_ms,
                wire_time_us=step.wire_time_us,
            )
        rejected += [(point.number, reason) for point, reason in plan.rejected]
        message.rejected.extend(pb.Rejection(point=point, reason=reason) for point, reason in rejected)
        return message

    # ----------------------------------------------------------------------------------------------------- questions

    async def connect(self, question: pb.Connect) -> pb.LinkInfo:
        """Opens the wire."""
        info = await self.wire.connect(within(question))
        return pb.LinkInfo(concurrency=info.concurrency, identity=pairs(info.identity), settle_ms=info.settle_ms)

    async def watch(self, question: pb.Watch) -> pb.Done:
        """Begins to tell what is new."""
        known = Known(frozenset(self.points), frozenset(self.devices))
        await self.wire.watch(self.watched, known, within(question))
        return pb.Done()

    async def exec(self, question: pb.Exec, answer: pb.ToGateway) -> None:
        """Runs one step, and writes its values into the answer."""
        by, batch = within(question), Batch()
        step = self.steps.get(question.step)
        if step is None:
            raise DeviceFault(f"step {question.step} is in no plan of this link")
        await self.wire.ask(by, lambda: self.link.exec(step, batch, by))
        check_answer(step, batch)
        fill_data(answer.data, self.number, batch)

    async def write(self, question: pb.Write) -> pb.Written:
        """Writes one value."""
        by, value = within(question), value_of(question.value)
        point = self.points.get(question.point)
        if point is None:
            raise PointFault(question.point, "it is in no plan of this link, or its options are wrong")
        back = await self.wire.ask(by, lambda: self.link.write(point, value, by))
        return pb.Written(value=value_message(back))

    async def call(self, question: pb.Call) -> pb.Called:
        """Calls a service."""
        by, device = within(question), self._device(question.device)
        given = json_of(question.input, "the input")
        output = await self.wire.ask(by, lambda: self.link.call(device, question.service, given, by))
        return pb.Called(output=json.dumps(output, allow_nan=False))

    async def browse(self, question: pb.Browse) -> pb.Listing:
        """Lists what a device has to offer."""
        by, device = within(question), self._device(question.device)
        return listing(await self.wire.ask(by, lambda: self.link.browse(device, question.at, by)))

    def health(self) -> dict[str, int]:
        """What the driver and the runtime count."""
        ours = {
            **self.wire.counters,
            "sink_merged": self.outbox.merged[self.number],
            "sink_dropped_events": self.outbox.dropped[self.number],
        }
        return {**{name: count for name, count in ours.items() if count}, **self.link.health()}

    async def close(self, within_s: float) -> None:
        """Ends everything."""
        await self.wire.close(within_s)
        self.outbox.close(self.number)

    def _device(self, number: int) -> Device:
        device = self.devices.get(number)
        if device is None:
            raise ConfigFault(f"device {number} is in no plan of this link")
        return device


def within(question: pb.Connect | pb.Watch | pb.Exec | pb.Write | pb.Call | pb.Browse | pb.Discover) -> Deadline:
    """When the answer is due. The clock starts when the question is taken up."""
    return Deadline.after(question.within_ms / 1000)


def check_plan(plan: Plan[Any, Any], points: Sequence[Point]) -> None:
    """Every readable point is in exactly one step, or watched, or rejected."""
    placed: Counter[int] = Counter()
    for step in plan.steps:
        if not step.points:
            raise ConfigFault("a bug of the driver: its plan has a step without points")
        if len({(point.device.number, point.period_ms) for point in step.points}) > 1:
            raise ConfigFault(f"a bug of the driver: points {step.numbers} of one step differ in device or period")
        placed.update(step.numbers)
    placed.update(point.number for point in plan.watched)
    placed.update(point.number for point, _ in plan.rejected)
    for point in points:
        if placed[point.number] > 1:
            raise ConfigFault(f"a bug of the driver: point {point.number} is in its plan {placed[point.number]} times")
        if point.access.reads and placed[point.number] == 0:
            raise ConfigFault(f"a bug of the driver: point {point.number} is not in its plan")


def check_answer(step: Step[Any, Any], batch: Batch) -> None:
    """One entry for every point of the step."""
    if batch.points == step.numbers or sorted(batch.points) == sorted(step.numbers):
        return
    missing = sorted(set(step.numbers) - set(batch.points))
    wrong = f"point {missing[0]} is missing" if missing else "it holds others, or some twice"
    asked, got = len(step.numbers), len(batch)
    raise DeviceFault(f"a bug of the driver: {got} values for a step of {asked} points; {wrong}")
