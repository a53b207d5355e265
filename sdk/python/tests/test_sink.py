"""What is said unasked, and how much of it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from conftest import Wire, driver_of, running

from edgeway_driver import Batch, Deadline, LinkFault, Plan, Quality, Sink
from edgeway_driver import driver_pb2 as pb
from edgeway_driver.codec import batch_of
from edgeway_driver.sink import EVENTS_MAX, FRAME_BYTES_MAX
from edgeway_driver.testing import Gateway, GatewayLink, GatewaySession


class Watched(Wire):
    """All points but the first are watched."""

    sink: Sink
    listening: asyncio.Future[None]

    def plan(self, devices: Any, points: Any, split: Any) -> Plan[Any, Any]:
        return Plan(steps=super().plan(devices, points[:1], None).steps, watched=points[1:])

    async def watch(self, points: Any, sink: Sink, by: Deadline) -> None:
        self.said.append(f"watch {[point.number for point in points]}")
        self.sink = sink
        self.listening = asyncio.get_running_loop().create_future()
        sink.listen(self.listen())

    async def listen(self) -> None:
        await self.listening

    def tell(self, *values: tuple[int, Any]) -> None:
        batch = Batch()
        for point, value in values:
            batch.good(point, value)
        self.sink.data(batch)


async def watching(session: GatewaySession) -> tuple[GatewayLink, Watched]:
    link = await session.open({})
    await link.plan([{}], [{}] * 4)
    await link.connect()
    await link.watch()
    wire = Watched.made[-1]
    assert isinstance(wire, Watched)
    return link, wire


async def values(session: GatewaySession) -> dict[int, Any]:
    return {reading.point: reading.value for reading in batch_of((await session.next()).data)}


async def test_what_is_new_is_told_with_the_number_of_the_link(gateway: Gateway) -> None:
    async with running(driver_of(Watched), gateway) as session:
        _, wire = await watching(session)
        assert wire.said == ["connect", "watch [1, 2, 3]"]
        wire.tell((1, 1.5), (2, "two"))
        message = await session.next()
        assert (message.re, message.data.link) == (0, 0)
        assert [reading.value for reading in batch_of(message.data)] == [1.5, "two"]
        wire.sink.event(0, "overheated", {"celsius": 91}, time_ns=5)
        assert (await session.next()).event == pb.Event(event="overheated", output='{"celsius": 91}', time_ns=5)
        wire.sink.gone(0, "unplugged")
        assert (await session.next()).presence == pb.Presence(gone=True, reason="unplugged")
        wire.sink.come(0)
        assert (await session.next()).presence == pb.Presence()


async def test_a_batch_that_was_handed_over_is_empty(gateway: Gateway) -> None:
    async with running(driver_of(Watched), gateway) as session:
        _, wire = await watching(session)
        batch = Batch()
        batch.extend([1], [1.0])
        wire.sink.data(batch)
        assert len(batch) == 0
        batch.extend([1], [2.0])
        assert await values(session) == {1: 1.0}


async def test_without_credit_only_the_newest_value_of_each_point_is_kept() -> None:
    async with Gateway(credit=2) as gateway, running(driver_of(Watched), gateway) as session:
        link, wire = await watching(session)
        for value in range(2):
            wire.tell((1, value))
            assert await values(session) == {1: value}
        for value in range(10_000):
            wire.tell((1, value), (2, -value))
        await session.ping()
        assert session.unasked.empty()
        await session.grant(1)
        assert await values(session) == {1: 9999, 2: -9999}
        assert (await link.health())["sink_merged"] == 19_998
        assert session.unasked.empty()


async def test_with_credit_every_value_arrives_in_order(gateway: Gateway) -> None:
    async with running(driver_of(Watched), gateway) as session:
        _, wire = await watching(session)
        for value in range(1000):
            wire.tell((1, value))
        arrived: list[Any] = []
        while len(arrived) < 1000:
            arrived += [reading.value for reading in batch_of((await session.next()).data)]
        assert arrived == list(range(1000))


async def test_credit_is_never_exceeded() -> None:
    async with Gateway(credit=3) as gateway, running(driver_of(Watched), gateway) as session:
        _, wire = await watching(session)
        for number in range(10):
            wire.tell((1, number))
            wire.sink.event(0, f"event-{number}")
            wire.sink.come(0)
            await session.ping()
        assert session.unasked.qsize() == 3
        await session.grant(4)
        while session.unasked.qsize() < 7:
            await session.ping()
        await session.ping()
        assert session.unasked.qsize() == 7


async def test_what_is_not_on_the_link_is_refused_before_it_ends_the_session(gateway: Gateway) -> None:
    async with running(driver_of(Watched), gateway) as session:
        _, wire = await watching(session)
        with pytest.raises(ValueError, match="point 77 is not on this link"):
            wire.tell((1, 1.0), (77, 1.0))
        with pytest.raises(ValueError, match="device 7 is not on this link"):
            wire.sink.come(7)
        with pytest.raises(ValueError, match="device 8 is not on this link"):
            wire.sink.event(8, "overheated")
        await session.ping()
        assert session.unasked.empty()


async def test_events_that_are_too_many_are_dropped_and_counted() -> None:
    async with Gateway(credit=0) as gateway, running(driver_of(Watched), gateway) as session:
        link, wire = await watching(session)
        for number in range(EVENTS_MAX + 5):
            wire.sink.event(0, f"event-{number}")
        assert (await link.health())["sink_dropped_events"] == 5
        await session.grant(1)
        assert (await session.next()).event.event == "event-5"


async def test_a_sink_may_be_used_from_any_thread(gateway: Gateway) -> None:
    async with running(driver_of(Watched), gateway) as session:
        _, wire = await watching(session)
        thread = threading.Thread(target=wire.tell, args=((1, 7),))
        thread.start()
        assert await values(session) == {1: 7}
        thread.join()


async def test_data_that_is_too_long_for_a_message_comes_in_several() -> None:
    async with Gateway(credit=1) as gateway, running(driver_of(Watched), gateway) as session:
        _, wire = await watching(session)
        wire.tell((1, bytes(9 << 20)), (2, bytes(9 << 20)), (3, bytes(FRAME_BYTES_MAX)))
        got = await values(session)
        await session.ping()
        assert session.unasked.empty()
        await session.grant(5)
        while len(got) < 3:
            got |= await values(session)
        assert {point: value if value is None else len(value) for point, value in got.items()} == {
            1: 9 << 20,
            2: 9 << 20,
            3: None,
        }


async def test_a_producer_that_can_wait_loses_nothing() -> None:
    async with Gateway(credit=1) as gateway, running(driver_of(Watched), gateway) as session:
        _, wire = await watching(session)

        async def produce() -> None:
            for value in range(20):
                wire.tell((1, value))
                await wire.sink.drain()

        producing = asyncio.ensure_future(produce())
        for value in range(20):
            assert await values(session) == {1: value}
            await session.grant(1)
        await producing


@pytest.mark.parametrize(
    ("error", "reason"),
    [(None, "the wire has ended"), (ConnectionResetError("cut"), "cut"), (KeyError("bug"), "KeyError: 'bug'")],
)
async def test_a_listener_that_ends_is_a_wire_that_is_lost(
    gateway: Gateway, error: Exception | None, reason: str
) -> None:
    async with running(driver_of(Watched), gateway) as session:
        link, wire = await watching(session)
        if error is None:
            wire.listening.set_result(None)
        else:
            wire.listening.set_exception(error)
        assert (await session.next()).lost == pb.Lost(link=link.number, reason=reason)
        with pytest.raises(LinkFault):
            await link.exec(1)


async def test_a_driver_that_sees_its_wire_go_says_so_once(gateway: Gateway) -> None:
    async with running(driver_of(Watched), gateway) as session:
        link, wire = await watching(session)
        wire.sink.lost("carrier is gone")
        wire.sink.lost("again")
        wire.tell((1, 1.0))
        assert (await session.next()).lost == pb.Lost(link=link.number, reason="carrier is gone")
        await session.ping()
        assert session.unasked.empty()


async def test_that_a_wire_was_lost_is_not_told_of_the_next_one() -> None:
    async with Gateway(credit=0) as gateway, running(driver_of(Watched), gateway) as session:
        link, wire = await watching(session)
        wire.tell((1, "old"))
        wire.sink.event(0, "cut")
        wire.sink.gone(0, "unplugged")
        wire.listening.set_result(None)
        with pytest.raises(LinkFault, match="the wire has ended"):
            await link.exec(1)
        await link.connect()
        await link.watch()
        wire.tell((1, "new"))
        await session.grant(5)
        # What has happened has happened; what was true is so no more.
        assert (await session.next()).event.event == "cut"
        assert await values(session) == {1: "new"}
        assert session.unasked.empty()


async def test_nothing_is_told_of_a_wire_that_has_ended(gateway: Gateway) -> None:
    async with running(driver_of(Watched), gateway) as session:
        link, wire = await watching(session)
        first = wire.sink
        await link.connect()
        await link.watch()
        old = Batch()
        old.good(1, "old")
        first.data(old)
        first.event(0, "old")
        wire.tell((1, "new"))
        assert await values(session) == {1: "new"}
        assert session.unasked.empty()


async def test_a_watched_wire_that_must_be_closed_is_a_fault_of_the_link(gateway: Gateway) -> None:
    class Late(Watched):
        async def exec(self, *_: Any) -> None:
            raise TimeoutError("silent")

    async with running(driver_of(Late), gateway) as session:
        link, _ = await watching(session)
        # A DeviceFault would leave the watch dead, and nobody would know.
        with pytest.raises(LinkFault, match="silent"):
            await link.exec(1)


async def test_a_bad_value_is_told_with_its_quality(gateway: Gateway) -> None:
    async with running(driver_of(Watched), gateway) as session:
        _, wire = await watching(session)
        batch = Batch()
        batch.bad(1, Quality.BAD_DEVICE)
        wire.sink.data(batch)
        assert [reading.quality for reading in batch_of((await session.next()).data)] == [Quality.BAD_DEVICE]
