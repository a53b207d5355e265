"""An edge node of Sparkplug B made with pysparkplug: `plant/edge` with a device `meter`.

sparkplug_node.py PORT. Says `ready`, then does what each line says, and says `done`: `power NUMBER` tells a new value of the
device, `silent NUMBER` counts a message that is never sent and then tells one. A device that is told to set `Limit` tells it.
"""

import itertools
import sys
import time

import pysparkplug as psp


def metric(name, datatype, value):
    return psp.Metric(timestamp=psp.get_current_timestamp(), name=name, datatype=datatype, value=value)


def commanded(node, message):
    for told in message.payload.metrics:
        if told.name == "Limit":
            node.update_device("meter", (metric("Limit", psp.DataType.INT32, told.value),))


def birth(node, kind, payload, device=None):
    ids = {"group_id": node.group_id, "edge_node_id": node.edge_node_id, "device_id": device}
    message = psp.Message(psp.Topic(message_type=kind, **ids), payload, psp.QoS.AT_MOST_ONCE, False)
    node._client.publish(message, include_dtypes=True)


def reborn(node, message):
    """The library leaves this to its user."""
    if any(told.name == "Node Control/Rebirth" and told.value for told in message.payload.metrics):
        node._EdgeNode__seq_cycler = itertools.cycle(range(256))
        now = psp.get_current_timestamp()
        birth(node, psp.MessageType.NBIRTH, psp.NBirth(now, node._seq, (*node.metrics.values(), metric("bdSeq", psp.DataType.INT64, 0))))
        for name, device in node.devices.items():
            birth(node, psp.MessageType.DBIRTH, psp.DBirth(now, node._seq, tuple(device.metrics.values())), name)


def main():
    port = int(sys.argv[1])
    node = psp.EdgeNode("plant", "edge", (metric("Load", psp.DataType.DOUBLE, 0.25),), cmd_callback=reborn)
    meter = (metric("Power", psp.DataType.FLOAT, 2.5), metric("Limit", psp.DataType.INT32, 10))
    node.register(psp.Device("meter", meter, cmd_callback=commanded))
    node.connect("127.0.0.1", port=port)
    while not node._connected:
        time.sleep(0.01)
    # It calls itself connected just before it says its births.
    time.sleep(0.3)
    print("ready", flush=True)
    for line in sys.stdin:
        word, number = line.split()
        if word == "silent":
            _ = node._seq
        node.update_device("meter", (metric("Power", psp.DataType.FLOAT, float(number)),))
        print("done", flush=True)


main()
