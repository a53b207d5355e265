"""Prints every message under suite/ as a line of JSON. Its session outlives a restart of the broker."""

import json
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

VERSION = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []


def connected(client, userdata, flags, code, properties):
    client.subscribe("suite/#", qos=1)


def subscribed(client, userdata, mid, codes, properties):
    if not client.told:
        client.told = True
        print("ready", flush=True)


def arrived(client, userdata, message):
    properties = message.properties
    print(json.dumps({
        "topic": message.topic,
        "qos": message.qos,
        "retain": bool(message.retain),
        "payload": message.payload.decode(),
        "content_type": getattr(properties, "ContentType", None),
        "user": dict(getattr(properties, "UserProperty", [])),
    }), flush=True)


client = mqtt.Client(*VERSION, client_id="subscriber", protocol=mqtt.MQTTv5)
client.told = False
client.username_pw_set("subscriber", "subscriber")
client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, arrived
session = Properties(PacketTypes.CONNECT)
session.SessionExpiryInterval = 3600
client.connect("127.0.0.1", int(sys.argv[1]), keepalive=30, clean_start=False, properties=session)
client.loop_forever(retry_first_connection=True)
