"""Plans, turns, deadlines, and what is left on the wire."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from conftest import Wire, driver_of, running

from edgeway_driver import (
    Access,
    Batch,
    BusyFault,
    ConfigFault,
    Deadline,
    DeviceFault,
    Fault,
    Found,
    LinkFault,
    LinkInfo,
    Plan,
    PointFault,
    Quality,
    Step,
    StepFault,
    UncleanFault,
    Unsupported,
    steps_by_device,
)
from edgeway_driver import driver_pb2 as pb
from edgeway_driver.testing import Gateway, GatewayLink

LONG_S = 60.0


@contextlib.asynccontextmanager
async def connected(gateway: Gateway, wire: type[Wire], points: int = 2) -> AsyncIterator[tuple[GatewayLink, Wire]]:
    """A link with its points in one step, number 1, and connected; and the driver's end of it."""
    async with running(driver_of(wire), gateway) as session:
        link = await session.open({})
        await link.plan([{}], [{"at": at} for at in range(points)])
        await link.connect()
        yield link, wire.made[-1]


# ------------------------------------------------------------------------------------------------------------ plans


async def test_every_readable_point_is_in_one_step_of_its_device(gateway: Gateway) -> None:
    async with running(driver_of(Wire), gateway) as session:
        link = await session.open({})
        plan = await link.plan([{}, {}], [{}] * 4, owners=[0, 1, 0, 1])
        assert [(step.device, list(step.points)) for step in plan.steps] == [(0, [0, 2]), (1, [1, 3])]
        assert (await link.plan([{}], [{}], access=Access.WRITE)).steps == []


async def test_a_refused_step_is_halved_down_to_single_points_under_new_numbers(gateway: Gateway) -> None:
    class Refuses(Wire):
        async def exec(self, step: Step[Any, Any], out: Batch, by: Deadline) -> None:
            if 2 in step.numbers:
                raise StepFault("there is no register 2") if len(step.points) > 1 else PointFault(2, "no register 2")
            out.extend(step.numbers, [1.0] * len(step.points))

    async with connected(gateway, Refuses, points=4) as (link, _):
        todo, done, refused, seen = [pb.Step(step=1, points=range(4))], set(), [], {1}
        while todo:
            step = todo.pop()
            try:
                done |= {reading.point for reading in await link.exec(step.step)}
            except StepFault:
                numbers = list(step.points)
                plan = await link.plan([{}], [{}] * len(numbers), numbers=numbers, split=step)
                assert not seen & {smaller.step for smaller in plan.steps}
                seen |= {smaller.step for smaller in plan.steps}
                todo += plan.steps
            except PointFault as fault:
                refused.append((fault.point, fault.quality))
        assert done == {0, 1, 3}
        assert refused == [(2, Quality.BAD_CONFIG)]


async def test_a_step_that_cannot_be_divided_stays_as_it_is(gateway: Gateway) -> None:
    class Whole(Wire):
        def plan(self, devices: Any, points: Any, split: Any) -> Plan[Any, Any]:
            return Plan() if split else super().plan(devices, points, split)

    async with connected(gateway, Whole, points=4) as (link, _):
        step = pb.Step(step=1, points=range(4))
        plan = await link.plan([{}], [{}] * 4, numbers=list(range(4)), split=step)
        assert not plan.steps
        assert {reading.point for reading in await link.exec(1)} == {0, 1, 2, 3}


@pytest.mark.parametrize("mistake", ["twice", "left out", "empty", "mixed"])
async def test_a_plan_that_is_wrong_is_refused(gateway: Gateway, mistake: str) -> None:
    class Confused(Wire):
        def plan(self, devices: Any, points: Any, split: Any) -> Plan[Any, Any]:
            steps = {
                "twice": [Step(points), Step(points[:1])],
                "left out": [Step(points[:1])],
                "empty": [Step(points[:2]), Step(points[2:]), Step([])],
                "mixed": [Step(points)],
            }
            return Plan(steps=steps[mistake])

    async with running(driver_of(Confused), gateway) as session:
        link = await session.open({})
        with pytest.raises(ConfigFault, match="a bug of the driver"):
            await link.plan([{}, {}], [{}] * 3, owners=[0, 0, 1] if mistake == "mixed" else None)


async def test_a_device_whose_options_become_wrong_is_not_kept_as_it_was(gateway: Gateway) -> None:
    @dataclass(frozen=True)
    class Unit:
        unit: int

    driver = driver_of(Wire)
    driver.manifest = replace(driver.manifest, device=Unit)
    async with running(driver, gateway) as session:
        link = await session.open({})
        assert len((await link.plan([{"unit": 1}], [{}])).steps) == 1
        plan = await link.plan([{"unit": "one"}], [{}])
        assert (len(plan.steps), plan.rejected[0].reason) == (0, 'its device: `unit`: "one" is not a whole number')


async def test_what_a_plan_raises_is_said(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(Wire):
        def plan(self, devices: Any, points: Any, split: Any) -> Plan[Any, Any]:
            raise KeyError("offset")

    async with running(driver_of(Broken), gateway) as session:
        link = await session.open({})
        with pytest.raises(ConfigFault, match="KeyError: 'offset'"):
            await link.plan([{}], [{}])
    assert "Traceback" in capsys.readouterr().err


async def test_pings_are_answered_while_a_hundred_thousand_points_are_planned(gateway: Gateway) -> None:
    async with running(driver_of(Wire), gateway) as session:
        link = await session.open({})
        points = [pb.PointSpec(point=number, device=number % 100, options=number) for number in range(100_000)]
        devices = [pb.DeviceSpec(device=number) for number in range(100)]
        options = [f'{{"at": {number}}}' for number in range(100_000)]
        question = pb.MakePlan(link=link.number, devices=devices, points=points, options=options)
        planning = await session.begin(make_plan=question)
        await session.ping()
        assert not planning.done()
        assert sum(len(step.points) for step in (await planning).plan.steps) == 100_000


# -------------------------------------------------------------------------------------------------- one step at a time


async def test_a_write_never_gets_behind_an_exec_that_came_after_it(gateway: Gateway) -> None:
    class Slow(Wire):
        async def exec(self, step: Step[Any, Any], out: Batch, by: Deadline) -> None:
            self.said.append("exec begins")
            await asyncio.sleep(0.02)
            await super().exec(step, out, by)

        async def write(self, point: Any, value: Any, by: Deadline) -> Any:
            self.said.append(f"write {value}")

    async with connected(gateway, Slow) as (link, wire):
        wire.said.clear()
        session = link.session
        asked = []
        for value in range(5):
            number = pb.Value(int=value)
            asked.append(await session.begin(exec=pb.Exec(link=link.number, step=1, within_ms=5000)))
            asked.append(await session.begin(write=pb.Write(link=link.number, point=0, value=number, within_ms=5000)))
        await asyncio.gather(*asked)
        assert wire.said == [said for value in range(5) for said in ("exec begins", "exec 1", f"write {value}")]


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_questions_are_under_way_than_the_link_can_take(gateway: Gateway, concurrency: int) -> None:
    class Counts(Wire):
        under_way = 0
        most = 0

        async def connect(self, by: Deadline) -> LinkInfo:
            return LinkInfo(concurrency=concurrency)

        async def exec(self, step: Step[Any, Any], out: Batch, by: Deadline) -> None:
            Counts.under_way += 1
            Counts.most = max(Counts.most, Counts.under_way)
            await asyncio.sleep(0.01)
            Counts.under_way -= 1
            await super().exec(step, out, by)

    async with connected(gateway, Counts) as (link, _):
        await asyncio.gather(*(link.exec(1) for _ in range(12)))
        assert Counts.most == concurrency


async def test_a_question_whose_turn_never_comes_is_busy_and_nothing_was_done(gateway: Gateway) -> None:
    class Blocks(Wire):
        go = asyncio.Event()

        async def exec(self, step: Step[Any, Any], out: Batch, by: Deadline) -> None:
            self.said.append("exec begins")
            await Blocks.go.wait()
            await super().exec(step, out, by)

        async def write(self, point: Any, value: Any, by: Deadline) -> Any:
            self.said.append("written")

    async with connected(gateway, Blocks) as (link, wire):
        first = asyncio.ensure_future(link.exec(1, LONG_S))
        while "exec begins" not in wire.said:
            await link.session.ping()
        with pytest.raises(BusyFault):
            await link.write(0, 1, within_s=0.05)
        Blocks.go.set()
        await first
        assert "written" not in wire.said


# -------------------------------------------------------------------------------------------------- what goes wrong


class Fails(Wire):
    """Fails as the test says, once."""

    error: BaseException | None = None

    async def exec(self, step: Step[Any, Any], out: Batch, by: Deadline) -> None:
        out.good(0, 666.0)
        error, Fails.error = Fails.error, None
        if error is not None:
            raise error
        out.take()
        await super().exec(step, out, by)


@pytest.mark.parametrize(
    "fault",
    [
        StepFault("s"),
        BusyFault("b"),
        DeviceFault("d"),
        LinkFault("l"),
        ConfigFault("c"),
        Unsupported("flying"),
        PointFault(1, "p", Quality.BAD_DEVICE),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_a_fault_arrives_as_it_was_raised(gateway: Gateway, fault: Fault) -> None:
    async with connected(gateway, Fails) as (link, wire):
        Fails.error = fault
        with pytest.raises(type(fault)) as caught:
            await link.exec(1)
        assert type(caught.value) is type(fault)
        assert vars(caught.value) == vars(fault)
        assert "close" not in wire.said


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UncleanFault("unit 7 answered for unit 8"), "unit 7 answered for unit 8"),
        (TimeoutError("unit 7 is silent"), "unit 7 is silent"),
        (TimeoutError(), "no answer by the deadline"),
        (ValueError("not a number"), "ValueError: not a number"),
    ],
    ids=repr,
)
async def test_after_a_strange_answer_the_wire_is_cleaned_and_opened_again(
    gateway: Gateway, error: Exception, reason: str
) -> None:
    async with connected(gateway, Fails) as (link, wire):
        Fails.error = error
        with pytest.raises(DeviceFault) as caught:
            await link.exec(1)
        assert caught.value.reason == reason
        # The gateway need not connect: only this device had a fault.
        assert [reading.value for reading in await link.exec(1)] == [1.0, 1.0]
        assert wire.said == ["connect", "close", "connect", "exec 1"]
        assert (await link.health())["resets"] == 1


@pytest.mark.parametrize("error", [ConnectionResetError("reset by peer"), EOFError("closed"), BrokenPipeError()])
async def test_a_broken_wire_is_a_fault_of_the_link_until_the_gateway_connects(
    gateway: Gateway, error: Exception
) -> None:
    async with connected(gateway, Fails) as (link, wire):
        Fails.error = error
        for _ in range(2):
            with pytest.raises(LinkFault, match=str(error) or "BrokenPipeError"):
                await link.exec(1)
        assert "exec 1" not in wire.said
        await link.connect()
        assert len(await link.exec(1)) == 2


async def test_what_was_not_meant_to_be_raised_is_shown_with_its_place(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    async with connected(gateway, Fails) as (link, _):
        Fails.error = ZeroDivisionError("division by zero")
        with pytest.raises(DeviceFault, match="ZeroDivisionError: division by zero"):
            await link.exec(1)
    assert "Traceback" in (shown := capsys.readouterr().err)
    assert "test_link.py" in shown


@pytest.mark.parametrize("swallows", [False, True], ids=["is cancelled", "holds on"])
async def test_a_handler_that_overruns_is_ended_and_the_wire_is_clean(gateway: Gateway, swallows: bool) -> None:
    class Hangs(Wire):
        hang = True

        async def exec(self, step: Step[Any, Any], out: Batch, by: Deadline) -> None:
            if Hangs.hang:
                Hangs.hang = False
                with contextlib.suppress(asyncio.CancelledError) if swallows else contextlib.nullcontext():
                    await asyncio.sleep(LONG_S)
            await super().exec(step, out, by)

    async with connected(gateway, Hangs) as (link, wire):
        with pytest.raises(DeviceFault, match="no answer by the deadline"):
            await link.exec(1, within_s=0.05)
        assert wire.said[-1] == "close"
        assert len(await link.exec(1)) == 2


async def test_a_write_that_overruns_is_not_known_and_not_repeated(gateway: Gateway) -> None:
    class Hangs(Wire):
        async def write(self, point: Any, value: Any, by: Deadline) -> Any:
            self.said.append(f"write {value}")
            await asyncio.sleep(LONG_S)

    async with connected(gateway, Hangs) as (link, wire):
        with pytest.raises(DeviceFault):
            await link.write(0, 5, within_s=0.05)
        await link.exec(1)
        assert wire.said.count("write 5") == 1


async def test_a_driver_that_cleans_its_wire_without_closing_keeps_it(gateway: Gateway) -> None:
    class Drains(Fails):
        async def reset(self) -> bool:
            self.said.append("drain")
            return True

    async with connected(gateway, Drains) as (link, wire):
        Fails.error = TimeoutError()
        with pytest.raises(DeviceFault):
            await link.exec(1)
        await link.exec(1)
        assert wire.said == ["connect", "drain", "exec 1"]


async def test_a_reset_that_hangs_does_not_hold_up_the_answer(gateway: Gateway) -> None:
    class Stuck(Fails):
        async def close(self) -> None:
            await asyncio.sleep(LONG_S)

    async with connected(gateway, Stuck) as (link, _):
        Fails.error = TimeoutError()
        with pytest.raises(DeviceFault):
            await link.exec(1)
        assert len(await link.exec(1)) == 2


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (ConnectionRefusedError("refused"), LinkFault, "refused"),
        (ConfigFault("no such port"), ConfigFault, "no such port"),
        (TimeoutError(), LinkFault, "not connected by the deadline"),
        (KeyError("x"), LinkFault, "KeyError: 'x'"),
    ],
)
async def test_what_is_half_open_is_closed_when_connecting_fails(
    gateway: Gateway, error: Exception, kind: type[Fault], reason: str
) -> None:
    class Unreachable(Wire):
        async def connect(self, by: Deadline) -> Any:
            self.said.append("connect")
            raise error

    async with running(driver_of(Unreachable), gateway) as session:
        link = await session.open({})
        await link.plan([{}], [{}])
        with pytest.raises(kind) as caught:
            await link.connect()
        assert caught.value.reason == reason
        assert Unreachable.made[-1].said == ["connect", "close"]
        with pytest.raises(LinkFault):
            await link.exec(1)


async def test_connecting_anew_ends_what_is_under_way_and_closes_first(gateway: Gateway) -> None:
    class Hangs(Wire):
        async def exec(self, step: Step[Any, Any], out: Batch, by: Deadline) -> None:
            self.said.append("exec")
            await asyncio.sleep(LONG_S)

    async with connected(gateway, Hangs) as (link, wire):
        hanging = asyncio.ensure_future(link.exec(1, LONG_S))
        while "exec" not in wire.said:
            await link.session.ping()
        await link.connect()
        with pytest.raises(LinkFault, match="opened anew"):
            await hanging
        assert wire.said == ["connect", "exec", "close", "connect"]


@pytest.mark.parametrize(("values", "wrong"), [([0], "point 1 is missing"), ([0, 1, 1], "some twice")])
async def test_an_answer_that_is_not_one_value_for_each_point_is_a_fault(
    gateway: Gateway, values: list[int], wrong: str
) -> None:
    class Wrong(Wire):
        async def exec(self, step: Step[Any, Any], out: Batch, by: Deadline) -> None:
            out.extend(values, [1.0] * len(values))

    async with connected(gateway, Wrong) as (link, _):
        with pytest.raises(DeviceFault, match=wrong):
            await link.exec(1)


async def test_an_answer_that_is_too_long_is_a_fault_and_the_session_goes_on(gateway: Gateway) -> None:
    class Long(Wire):
        async def exec(self, step: Step[Any, Any], out: Batch, by: Deadline) -> None:
            out.good(0, bytes(9 << 20))
            out.good(1, bytes(9 << 20))

    async with connected(gateway, Long) as (link, _):
        with pytest.raises(DeviceFault, match="16777216 are allowed"):
            await link.exec(1)
        await link.session.ping()


# -------------------------------------------------------------------------------------------------- the other questions


async def test_calls_browsing_and_discovery_are_answered(gateway: Gateway) -> None:
    class Talks(Wire):
        async def call(self, device: Any, service: str, input: Any, by: Deadline) -> Any:
            return {"service": service, "device": device.options, "input": input}

        async def browse(self, device: Any, at: str, by: Deadline) -> Any:
            return [Found({"at": f"{at}/1"}, {"name": "one"}, {"name": "one", "holds": {"kind": "bool"}})]

    driver = driver_of(Talks)

    async def discover(self: Any, hint: Any, by: Deadline) -> AsyncIterator[Found]:
        for number in range(3):
            yield Found({"unit": number, **hint})
        await asyncio.sleep(LONG_S)

    type(driver).discover = discover  # type: ignore[method-assign]
    async with running(driver, gateway) as session:
        link = await session.open({})
        await link.plan([{"unit": 7}], [{}])
        await link.connect()
        answer = await link.call(0, "restart", {"in": 5})
        assert answer == {"service": "restart", "device": {"unit": 7}, "input": {"in": 5}}
        browsed = await session.ask(browse=pb.Browse(link=link.number, device=0, at="a", within_ms=5000))
        assert [found.options for found in browsed.listing.found] == ['{"at": "a/1"}']
        assert browsed.listing.found[0].offer == '{"name": "one", "holds": {"kind": "bool"}}'
        # It has not found everything by the deadline, and that is no mistake.
        done = await session.ask(discover=pb.Discover(hint='{"net": 1}', within_ms=500))
        assert done.WhichOneof("body") == "done"
        assert session.found.qsize() == 3


async def test_what_a_driver_does_not_override_it_cannot(gateway: Gateway) -> None:
    async with connected(gateway, Wire) as (link, _):
        session = link.session
        with pytest.raises(Unsupported, match="writing"):
            await link.write(0, 1)
        with pytest.raises(Unsupported, match="watching"):
            await link.watch()
        with pytest.raises(Unsupported, match="calling services"):
            await link.call(0, "restart", {})
        with pytest.raises(Unsupported, match="browsing"):
            await session.ask(browse=pb.Browse(link=link.number, device=0, within_ms=500))
        with pytest.raises(Unsupported, match="discovery"):
            await session.ask(discover=pb.Discover(within_ms=500))


async def test_what_is_read_back_is_told(gateway: Gateway) -> None:
    class Clamps(Wire):
        async def write(self, point: Any, value: Any, by: Deadline) -> Any:
            return None if value is None else min(value, 100)

    async with connected(gateway, Clamps) as (link, _):
        assert await link.write(0, 500) == 100
        assert await link.write(1, None) is None
        with pytest.raises(PointFault, match="in no plan"):
            await link.write(77, 1)


async def test_a_link_that_was_closed_is_no_more(gateway: Gateway) -> None:
    async with connected(gateway, Wire) as (link, wire):
        await link.close()
        assert wire.said == ["connect", "close"]
        with pytest.raises(ConfigFault, match="link 0 is not open"):
            await link.exec(1)


async def test_steps_are_no_longer_than_a_driver_wants(gateway: Gateway) -> None:
    class Short(Wire):
        def plan(self, devices: Any, points: Any, split: Any) -> Plan[Any, Any]:
            return steps_by_device(points, split, points_max=2)

    async with running(driver_of(Short), gateway) as session:
        link = await session.open({})
        assert [list(step.points) for step in (await link.plan([{}], [{}] * 5)).steps] == [[0, 1], [2, 3], [4]]
