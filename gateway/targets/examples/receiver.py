#!/usr/bin/env python3
"""Takes what an Edgeway route publishes with MQTT 5, and drops repeats.

A route delivers at least once and in order: after a lost connection it sends again what was not acknowledged. Every
message has the id of its first and its last content in the user properties `id` and `last-id`, 32 hexadecimal digits
each: 12 for the gateway, 8 for its start, 12 for the place in its journal. Ids of one device only grow, so
remembering the last id of each topic is enough to tell a repeat. Keep them where they survive your own restart, in
the same transaction as the data; this example keeps them in memory.

    receiver.py --host broker --topic 'edgeway/farm/#'
"""

import argparse

import paho.mqtt.client as mqtt

arguments = argparse.ArgumentParser()
arguments.add_argument("--host", default="127.0.0.1")
arguments.add_argument("--port", type=int, default=1883)
arguments.add_argument("--topic", default="edgeway/#")
arguments.add_argument("--user")
arguments.add_argument("--password")
options = arguments.parse_args()
last_ids = {}


def on_connect(client, userdata, flags, code, properties):
    client.subscribe(options.topic, qos=1)


def on_subscribe(client, userdata, mid, codes, properties):
    print("ready", flush=True)


def on_message(client, userdata, message):
    ids = dict(message.properties.UserProperty)
    gateway, place = ids["last-id"][:12], ids["last-id"][12:]
    if last_ids.get((gateway, message.topic), "") >= place:
        return  # a repeat
    last_ids[gateway, message.topic] = place
    print(message.payload.decode(), flush=True)


version = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []  # paho-mqtt 2 wants it
client = mqtt.Client(*version, client_id="receiver", protocol=mqtt.MQTTv5)
client.username_pw_set(options.user, options.password)
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect(options.host, options.port, clean_start=False)
client.loop_forever()
