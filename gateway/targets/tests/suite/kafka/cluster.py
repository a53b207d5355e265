"""librdkafka's mock cluster, whose broker is real code on a real port, and a consumer that prints what is in a topic.

The first line is the broker's address, then a line of JSON for each message of the topic in argv[1].
"""

import json
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

topic = sys.argv[1]
cluster = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 0})
broker = next(iter(cluster.list_topics(timeout=30).brokers.values()))
address = f"{broker.host}:{broker.port}"
reader = Consumer({
    "bootstrap.servers": address,
    "group.id": "suite",
    "fetch.message.max.bytes": 32 << 20,
    "receive.message.max.bytes": 64 << 20,
})
# Asking for a topic makes it, here.
partitions = cluster.list_topics(topic, timeout=30).topics[topic].partitions
reader.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
print(address, flush=True)
while True:
    message = reader.poll(1)
    if message is None or message.error():
        continue
    print(json.dumps({
        "partition": message.partition(),
        "key": message.key().decode(),
        "payload": message.value().decode(),
        "headers": {name: value.decode() for name, value in message.headers()},
    }), flush=True)
