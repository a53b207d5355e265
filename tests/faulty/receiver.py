"""The far end: a client of a real mosquitto with a durable session, which hands everything that arrives to a checker."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt

from .process import wait_for

CONNECT_WITHIN_S = 20.0


class Receiver:
    """Subscribes with QoS 1. Payloads are JSON, one message or an array of them."""

    def __init__(
        self, host: str, port: int, take: Callable[[dict[str, Any], float], object], topics: str = "edgeway/#"
    ) -> None:
        self.take, self.topics = take, topics
        self.lock = threading.Lock()
        """Held while a payload is taken: whoever reads what `take` writes holds it too."""
        self.payloads = 0
        self.bytes = 0
        """Of payloads and their topics."""
        self.unreadable = 0
        self.last_arrival = time.monotonic()
        self.subscribed = threading.Event()
        self.client = mqtt.Client(f"checker of {topics}", clean_session=False)
        self.client.max_inflight_messages_set(200)
        self.client.reconnect_delay_set(0.1, 0.5)
        self.client.on_connect = self._connected
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = self._arrived
        self.client.connect_async(host, port, keepalive=5)

    def _connected(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe(self.topics, qos=1)

    def _arrived(self, _client: object, _data: object, arrival: mqtt.MQTTMessage) -> None:
        now = time.time()
        with self.lock:
            self.payloads += 1
            self.bytes += len(arrival.payload) + len(arrival.topic)
            self.last_arrival = time.monotonic()
            for message in messages(arrival.payload):
                if message is None:
                    self.unreadable += 1
                else:
                    self.take(message, now)

    def wait_until(self, what: str, done: Callable[[], bool], within_s: float) -> None:
        """Waits until something is true of what has arrived."""

        def attempt() -> bool:
            with self.lock:
                return done()

        wait_for(what, within_s, attempt)

    def __enter__(self) -> "Receiver":
        self.client.loop_start()
        wait_for("the checker's subscription", CONNECT_WITHIN_S, self.subscribed.is_set)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.loop_stop()
        self.client.disconnect()


def messages(payload: bytes) -> list[dict[str, Any] | None]:
    """The messages of a payload; `None` for what is none."""
    try:
        found = json.loads(payload)
    except ValueError:
        return [None]
    found = found if isinstance(found, list) else [found]
    return [message if isinstance(message, dict) else None for message in found]
