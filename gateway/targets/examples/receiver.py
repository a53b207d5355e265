#!/usr/bin/env python3
"""Takes what an Edgeway route publishes with MQTT 5 as JSON, and drops repeats.

A route delivers at least once: after a lost connection it sends again what was not acknowledged. Every message has an
`id`, the same each time: 32 hexadecimal digits, 12 for the gateway, 8 for its start, 12 for the place in its journal.
One message in a payload has it as the user property `id` too, whatever the format; several have theirs inside only.

A repeat comes soon, so it is enough to remember the last few thousand ids. Keep them where your data is and in the same
transaction; this example keeps them in memory.

    receiver.py --host broker --topic 'edgeway/farm/#'
"""

import argparse
import collections
import json

import paho.mqtt.client as mqtt

arguments = argparse.ArgumentParser()
arguments.add_argument("--host", default="127.0.0.1")
arguments.add_argument("--port", type=int, default=1883)
arguments.add_argument("--topic", default="edgeway/#")
arguments.add_argument("--user")
arguments.add_argument("--password")
options = arguments.parse_args()
seen = collections.OrderedDict()
SEEN_MAX = 100_000


def is_new(id):
    """Remembers an id, and says whether it was known."""
    if id in seen:
        return False
    seen[id] = True
    if len(seen) > SEEN_MAX:
        seen.popitem(last=False)
    return True


def on_connect(client, userdata, flags, code, properties):
    client.subscribe(options.topic, qos=1)


def on_subscribe(client, userdata, mid, codes, properties):
    print("ready", flush=True)


def on_message(client, userdata, message):
    ids = dict(message.properties.UserProperty)
    content = json.loads(message.payload)
    for one in content if isinstance(content, list) else [content]:
        if is_new(ids["id"] if ids["messages"] == "1" else one["id"]):
            print(json.dumps(one), flush=True)


version = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []  # paho-mqtt 2 wants it
client = mqtt.Client(*version, client_id="receiver", protocol=mqtt.MQTTv5)
client.username_pw_set(options.user, options.password)
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect(options.host, options.port, clean_start=False)
client.loop_forever()
