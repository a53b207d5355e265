"""Between the messages of driver.proto and Python's own values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from . import driver_pb2 as pb
from .batch import Batch, Json, Kind, Quality, Value, column_of
from .driver import Found
from .fault import BusyFault, ConfigFault, DeviceFault, Fault, LinkFault, PointFault, StepFault, Unsupported

# The narrowest first: an UncleanFault is a DeviceFault to everybody else.
SCOPES: Mapping[type[Fault], pb.Fault.Scope.ValueType] = {
    PointFault: pb.Fault.POINT,
    StepFault: pb.Fault.STEP,
    BusyFault: pb.Fault.BUSY,
    DeviceFault: pb.Fault.DEVICE,
    LinkFault: pb.Fault.LINK,
    ConfigFault: pb.Fault.CONFIG,
    Unsupported: pb.Fault.UNSUPPORTED,
}


def fault_message(fault: Fault) -> pb.Fault:
    """A fault as it is told."""
    # A bare Fault says nothing of its reach; a device is what most of them are about.
    scope = next((scope for kind, scope in SCOPES.items() if isinstance(fault, kind)), pb.Fault.DEVICE)
    message = pb.Fault(scope=scope, reason=sayable(fault.reason))
    if isinstance(fault, PointFault):
        message.point = fault.point
        message.quality = quality_message(fault.quality)
    return message


def sayable(text: str) -> str:
    """The same, with `?` for what is no Unicode."""
    return text.encode(errors="replace").decode()


def fault_of(message: pb.Fault) -> Fault:
    """A fault as it was told."""
    if message.scope == pb.Fault.POINT:
        return PointFault(message.point, message.reason, Quality(message.quality))
    kinds = {scope: kind for kind, scope in SCOPES.items()}
    return kinds.get(message.scope, DeviceFault)(message.reason)


def quality_message(quality: Quality) -> pb.Quality.ValueType:
    """A quality by the same number."""
    return pb.Quality.Value(quality.name)


def value_message(value: Value) -> pb.Value | None:
    """A value; None for nothing, and for what cannot be a good value."""
    kind, held, _ = column_of(value)
    match kind:
        case Kind.NULL:
            return None
        case Kind.BOOL:
            return pb.Value(bool=held)
        case Kind.INT:
            return pb.Value(int=held)
        case Kind.FLOAT:
            return pb.Value(float=held)
        case Kind.TEXT:
            return pb.Value(text=held)
        case Kind.BYTES:
            return pb.Value(bytes=held)
        case Kind.JSON:
            return pb.Value(json=held)


def value_of(message: pb.Value) -> Value:
    """A value as it was sent."""
    name = message.WhichOneof("value")
    if name is None:
        return None
    held: Value = getattr(message, name)
    return json.loads(message.json) if name == "json" else held


def fill_data(data: pb.Data, link: int, batch: Batch) -> None:
    """Writes a batch into an empty message, in place: messages are copied when they are put into others."""
    data.link = link
    data.points.extend(batch.points)
    data.floats.extend(batch.columns[Kind.FLOAT])
    data.ints.extend(batch.columns[Kind.INT])
    data.bools.extend(batch.columns[Kind.BOOL])
    data.texts.extend(batch.columns[Kind.TEXT])
    data.blobs.extend(batch.columns[Kind.BYTES])
    data.jsons.extend(batch.columns[Kind.JSON])
    data.kinds = bytes(batch.kinds or b"")
    data.qualities = bytes(batch.qualities or b"")
    data.time_ns, offsets = batch.clocked()
    data.times_ns.extend(offsets)
    data.reasons.extend(pb.Rejection(point=point, reason=reason) for point, reason in batch.reasons.items())


def batch_of(data: pb.Data) -> Batch:
    """A batch as it was sent."""
    batch = Batch()
    batch.points = list(data.points)
    for kind, column in (
        (Kind.FLOAT, data.floats),
        (Kind.INT, data.ints),
        (Kind.BOOL, data.bools),
        (Kind.TEXT, data.texts),
        (Kind.BYTES, data.blobs),
        (Kind.JSON, data.jsons),
    ):
        batch.columns[kind] = list(column)
    batch.kinds = bytearray(data.kinds) or None
    batch.qualities = bytearray(data.qualities) or None
    if data.times_ns:
        batch.times = [data.time_ns + offset for offset in data.times_ns]
    elif data.time_ns:
        batch.times = [data.time_ns] * len(batch.points)
    batch.reasons = {one.point: one.reason for one in data.reasons}
    return batch


def pairs(texts: Mapping[str, str]) -> list[pb.Pair]:
    """What the other end says of itself."""
    return [pb.Pair(name=name, text=text) for name, text in texts.items()]


def listing(found: Iterable[Found]) -> pb.Listing:
    """What was found."""

    def one(each: Found) -> pb.Found:
        offer = "" if each.offer is None else json.dumps(each.offer)
        return pb.Found(options=json.dumps(each.options), identity=pairs(each.identity), offer=offer)

    return pb.Listing(found=[one(each) for each in found])


def json_of(text: str, what: str) -> Json:
    """JSON from the gateway; empty is an empty table."""
    try:
        return json.loads(text) if text else {}
    except ValueError as error:
        raise ConfigFault(f"{what} is no JSON: {error}") from None
