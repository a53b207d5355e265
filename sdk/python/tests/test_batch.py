from __future__ import annotations

import json
from array import array
from typing import Any

import numpy as np
import pytest

from edgeway_driver import Batch, Quality
from edgeway_driver import driver_pb2 as pb
from edgeway_driver.codec import batch_of, fill_data, value_message, value_of

MIXED: list[Any] = [True, 2, 2.5, "wörd", b"\x00\xff", [1, {"a": None}], {"x": 1}]


def sent(batch: Batch) -> Batch:
    """The same batch at the other end of the wire."""
    data = pb.Data()
    fill_data(data, 1, batch)
    return batch_of(pb.Data.FromString(data.SerializeToString()))


def test_values_of_all_kinds_arrive_as_they_were() -> None:
    batch = Batch()
    for point, value in enumerate(MIXED):
        batch.good(point, value)
    assert [(reading.point, reading.value) for reading in sent(batch)] == list(enumerate(MIXED))
    assert {reading.quality for reading in sent(batch)} == {Quality.GOOD}


def test_a_batch_of_good_floats_of_now_is_two_columns() -> None:
    batch = Batch()
    batch.extend([7, 8], [1.5, 2.5])
    data = pb.Data()
    fill_data(data, 3, batch)
    assert data == pb.Data(link=3, points=[7, 8], floats=[1.5, 2.5])


def test_why_a_point_is_bad_arrives_with_it() -> None:
    batch, more = Batch(), Batch()
    batch.good(1, 2.5)
    more.bad(2, Quality.BAD_CONFIG, reason="no such register")
    batch.append(more)
    for of in (batch, batch.newest(), batch.halves()[1]):
        assert sent(of).reasons == {2: "no such register"}
    assert batch.halves()[0].reasons == {}


@pytest.mark.parametrize(
    ("points", "floats"),
    [
        ([1, 2], [0.5, -3.0]),
        ((1, 2), (0.5, -3.0)),
        (array("I", [1, 2]), array("d", [0.5, -3.0])),
        (np.array([1, 2]), np.array([0.5, -3.0], dtype=np.float32)),
        (range(1, 3), (value for value in [0.5, -3.0])),
    ],
)
def test_columns_of_any_sort_are_the_same(points: Any, floats: Any) -> None:
    batch = Batch()
    batch.extend(points, floats)
    assert [reading.point for reading in sent(batch)] == [1, 2]
    assert [reading.value for reading in sent(batch)] == [0.5, -3.0]


def test_what_is_not_a_number_is_bad_and_its_neighbours_are_good() -> None:
    batch = Batch()
    batch.extend([1, 2, 3, 4], [1.0, float("nan"), float("inf"), 4.0])
    assert [reading.value for reading in sent(batch)] == [1.0, None, None, 4.0]
    out_of_range = Quality.BAD_OUT_OF_RANGE
    assert [reading.quality for reading in sent(batch)] == [Quality.GOOD, out_of_range, out_of_range, Quality.GOOD]


def test_numbers_whose_sum_is_infinite_are_good_all_the_same() -> None:
    batch = Batch()
    batch.extend([1, 2], [1.7e308, 1.7e308])
    assert [reading.value for reading in sent(batch)] == [1.7e308, 1.7e308]


def test_an_integer_that_does_not_fit_is_never_another_number() -> None:
    batch = Batch()
    batch.good(1, 2**63)
    batch.extend_ints([2, 3], [-(2**63), -(2**63) - 1])
    assert [reading.value for reading in sent(batch)] == [None, -(2**63), None]
    assert [reading.quality for reading in sent(batch)] == [Quality.BAD_OUT_OF_RANGE, 0, Quality.BAD_OUT_OF_RANGE]


def test_nothing_is_never_good() -> None:
    batch = Batch()
    batch.good(1, None)
    batch.bad(2, Quality.GOOD)
    batch.good(3, "\udc80")
    batch.good(4, [float("nan")])
    batch.good(5, ["\udc80"])
    batch.good(6, json.loads("[" * 33 + "]" * 33))
    assert all(reading.value is None and reading.quality >= Quality.BAD for reading in sent(batch))


def test_nesting_that_the_gateway_reads_is_sent() -> None:
    batch = Batch()
    batch.good(1, json.loads("[" * 32 + "]" * 32))
    assert [reading.quality for reading in sent(batch)] == [Quality.GOOD]


def test_columns_that_begin_late_are_filled_up() -> None:
    batch = Batch()
    batch.extend([1], [1.0])
    batch.push(2, 5, Quality.UNCERTAIN, time_ns=1_000)
    batch.extend([3], [3.0], time_ns=3_000)
    arrived = list(sent(batch))
    assert [reading.value for reading in arrived] == [1.0, 5, 3.0]
    assert [reading.quality for reading in arrived] == [Quality.GOOD, Quality.UNCERTAIN, Quality.GOOD]
    # The first was of now.
    assert arrived[0].time_ns > 1_600_000_000 * 10**9
    assert [reading.time_ns for reading in arrived[1:]] == [1_000, 3_000]


def test_one_time_for_all_is_said_once() -> None:
    batch = Batch()
    batch.extend([1, 2], [1.0, 2.0], time_ns=5)
    data = pb.Data()
    fill_data(data, 0, batch)
    assert (data.time_ns, list(data.times_ns)) == (5, [])
    assert [reading.time_ns for reading in sent(batch)] == [5, 5]


def test_batches_of_different_columns_are_joined() -> None:
    first, second = Batch(), Batch()
    first.good(1, 1.0)
    second.good(2, "two", time_ns=2)
    second.bad(3)
    first.append(second)
    first.append(Batch())
    assert [(reading.point, reading.value) for reading in first] == [(1, 1.0), (2, "two"), (3, None)]
    assert [reading.time_ns for reading in first] == [0, 2, 0]


def test_the_newest_value_of_each_point_wins() -> None:
    batch = Batch()
    values: list[tuple[int, Any]] = [(1, 1.0), (2, "a"), (1, 3), (2, "b"), (1, 2.0)]
    for point, value in values:
        batch.good(point, value)
    assert {reading.point: reading.value for reading in batch.newest()} == {1: 2.0, 2: "b"}


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 points and 1 values"):
        Batch().extend([1, 2], [1.0])


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(TypeError, match="complex is no value"):
        Batch().good(1, 1j)  # type: ignore[arg-type]


def test_scalars_of_numpy_are_numbers() -> None:
    batch = Batch()
    batch.good(1, np.int16(7))  # type: ignore[arg-type]
    batch.good(2, np.float32(0.5))  # type: ignore[arg-type]
    assert [reading.value for reading in sent(batch)] == [7, 0.5]


@pytest.mark.parametrize("value", MIXED)
def test_a_written_value_arrives_as_it_was(value: Any) -> None:
    message = value_message(value)
    assert message is not None
    assert value_of(message) == value
    assert type(value_of(message)) is type(value)
