"""A device made with Paho: a valve that tells its state, takes commands and answers calls.

mqtt_device.py PORT VERSION, with version 5 or 3.1.1. Topics below `plant/valve`: the state (retained) at `plant/valve`
itself, `set`, `get`, `lwt` (its last will), and `calibrate`, which answers where the request says or at
`calibrate/answer`. Says `ready`, then does what each line of JSON tells it, and says `done`:
{"publish": [TOPIC, PAYLOAD, RETAIN], "properties": {NAME: TEXT}}, {"mute": true} (commands are taken and nothing is told).
"""

import json
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

BASE = "plant/valve"
state = {"position": 40, "mode": "auto", "on": "ON"}
mute = False
subscribed = threading.Event()


def tell(client):
    client.publish(BASE, json.dumps(state), qos=1, retain=True)


def answer(client, message):
    request = json.loads(message.payload)
    if request.get("silent"):
        return
    reply = {"offset": request.get("target", 0) + 1, "transaction": request.get("transaction")}
    properties = None
    topic = f"{BASE}/calibrate/answer"
    if getattr(message, "properties", None) and hasattr(message.properties, "ResponseTopic"):
        topic = message.properties.ResponseTopic
        properties = Properties(PacketTypes.PUBLISH)
        properties.CorrelationData = message.properties.CorrelationData
    client.publish(topic, json.dumps(reply), qos=1, properties=properties)


def on_message(client, _, message):
    if message.topic.endswith("/calibrate"):
        answer(client, message)
    elif not mute:
        if message.topic.endswith("/set"):
            state.update(json.loads(message.payload))
        tell(client)


def on_connect(client, *_):
    client.subscribe([(f"{BASE}/{end}", 1) for end in ("set", "get", "calibrate")])


def main():
    global mute
    port, version = int(sys.argv[1]), sys.argv[2]
    protocol = mqtt.MQTTv5 if version == "5" else mqtt.MQTTv311
    client = mqtt.Client(client_id="valve", protocol=protocol)
    client.on_connect, client.on_message = on_connect, on_message
    client.on_subscribe = lambda *_: subscribed.set()
    client.will_set(f"{BASE}/lwt", "offline", qos=1, retain=True)
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert subscribed.wait(20), "no broker"
    client.publish(f"{BASE}/lwt", "online", qos=1, retain=True).wait_for_publish(20)
    tell(client)
    print("ready", flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        mute = told.get("mute", mute)
        if "publish" in told:
            topic, payload, retain = told["publish"]
            properties = None
            if "properties" in told:
                properties = Properties(PacketTypes.PUBLISH)
                properties.UserProperty = list(told["properties"].items())
            client.publish(topic, payload, qos=1, retain=retain, properties=properties).wait_for_publish(20)
        print("done", flush=True)


main()
