"""Reads messages as protobuf and as JSON, and says whether they say the same.

Lines of standard input are a payload in hexadecimal, a space, and the message as JSON. The argument is the folder of
edgeway_pb2.py, which protoc makes.
"""

import json
import math
import sys
from datetime import datetime, timedelta, timezone

sys.path.insert(0, sys.argv[1])
import edgeway_pb2 as pb  # noqa: E402

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
CLOCKS = {pb.CLOCK_UNSET: "unset", pb.CLOCK_CORRECTED: "corrected"}
QUALITIES = ["good", "uncertain", "stale", "bad", "bad:config", "bad:not-connected", "bad:device", "bad:timeout",
             "bad:out-of-range"]


def time(ms):
    at = EPOCH + timedelta(milliseconds=ms)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


def value(v):
    kind = v.WhichOneof("kind")
    if kind is None:
        return None
    if kind == "list":
        return [value(one) for one in v.list.values]
    if kind == "struct":
        return struct(v.struct)
    if kind == "binary":
        return v.binary.hex()
    found = getattr(v, kind)
    if isinstance(found, float) and not math.isfinite(found):
        return None
    return Single(found) if kind == "single" else found


class Single(float):
    """A 32-bit number: the same as any that is nearest to it."""

    def __eq__(self, other):
        import struct as bits
        return bits.pack("f", self) == bits.pack("f", other)


def struct(s):
    return {field.name: value(field.value) for field in s.fields}


def observation(o):
    said = {"value": value(o.value)}
    for key in ("label", "unit"):
        if o.HasField(key):
            said[key] = getattr(o, key)
    return said | {"quality": QUALITIES[o.quality], "time": time(o.source_time_ms)}


def account(a):
    return {key: getattr(a, key) for key in ("taken", "delivered", "queued", "expired", "dropped", "dead")}


def plain(body, *keys):
    return {key: getattr(body, key) for key in keys}


def body(message):
    kind = message.WhichOneof("body")
    b = getattr(message, kind)
    if kind == "report":
        return plain(b, "device", "model") | {"values": {o.property: observation(o) for o in b.values}}
    if kind == "event":
        said = plain(b, "device", "model", "event", "kind") | {"output": struct(b.output)}
        return said | {"source_time": time(b.source_time_ms)}
    if kind == "status":
        return plain(b, "device", "model", "state", "reason")
    if kind == "row":
        said = plain(b, "query", "row_id") | {"values": struct(b.values)}
        return said | {"source_time": time(b.source_time_ms)}
    if kind == "firing":
        return plain(b, "scene", "cause") | {"chain": list(b.chain)}
    if kind == "command":
        return command(b)
    if kind == "notice":
        return plain(b, "channel", "text", "scene")
    if kind == "ledger":
        return {"consumer": b.consumer, "reason": b.reason, "from": getattr(b, "from"), "to": b.to, "count": b.count}
    if kind == "balance":
        return plain(b, "route") | account(b.total) | {"devices": {d.device: account(d.account) for d in b.devices}}
    return {"values": struct(b)}


def command(b):
    said = plain(b, "device", "model", "command", "state", "origin")
    if b.HasField("reason"):
        said["reason"] = b.reason
    if b.HasField("result"):
        said["result"] = value(b.result)
    if b.WhichOneof("action") == "set":
        said["action"] = {"set": {b.set.name: value(b.set.value)}}
    else:
        said["action"] = {"invoke": b.invoke.service, "input": struct(b.invoke.input)}
    return said | {"issued": time(b.issued_ms), "deadline": time(b.deadline_ms)}


def as_json(message):
    head = {"subject": message.subject, "id": message.id.hex(), "time": time(message.time_ms)}
    if message.clock in CLOCKS:
        head["clock"] = CLOCKS[message.clock]
    return head | body(message)


count = 0
for line in sys.stdin:
    binary, text = line.rstrip("\n").split(" ", 1)
    batch = pb.Batch.FromString(bytes.fromhex(binary))
    assert len(batch.messages) == 1
    found, wanted = as_json(batch.messages[0]), json.loads(text)
    assert found == wanted, f"\nprotobuf {found}\njson     {wanted}"
    count += 1
print(f"{count} messages are the same")
