"""Reads a Sparkplug B session as pysparkplug sees it: each metric on a line.

Lines of standard input are a topic, a tab and a payload in hexadecimal. The number of the session and the time of the
will depend on the clock; that will and birth have one number is checked here.
"""

import sys

import pysparkplug
from pysparkplug import MessageType, Topic

births = {}
session = None
seq = None

for line in sys.stdin:
    text, raw = line.rstrip("\n").split("\t")
    topic, raw = Topic.from_str(text), bytes.fromhex(raw)
    payload = topic.message_type.payload.decode(raw, birth=births.get(topic.device_id))
    print(f"== {text}")
    if topic.message_type is MessageType.NDEATH:
        metric = payload.bd_seq_metric
        assert (metric.name, metric.datatype) == ("bdSeq", pysparkplug.DataType.INT64)
        session = metric.value
        continue
    if topic.message_type is MessageType.NBIRTH:
        assert payload.seq == 0
        assert [m.value for m in payload.metrics if m.name == "bdSeq"] == [session]
    elif seq is not None:
        assert payload.seq == (seq + 1) % 256, f"{payload.seq} after {seq}"
    seq = payload.seq
    if topic.message_type in (MessageType.NBIRTH, MessageType.DBIRTH):
        births[topic.device_id] = payload
    print(f"timestamp {payload.timestamp} seq {payload.seq}")
    for metric in getattr(payload, "metrics", ()):
        if metric.name == "bdSeq":
            continue
        flags = [flag for flag in ("is_historical", "is_null") if getattr(metric, flag)]
        print(metric.name, metric.datatype.name, metric.timestamp, repr(metric.value), *flags)
