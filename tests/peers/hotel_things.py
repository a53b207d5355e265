"""The hotel's things beside its rooms, as sites/hotel/devices/field.toml has them: what Zigbee2MQTT says (Paho), the
kitchen's meter (http.server) and the lobby's thermostat (aiocoap).

    hotel_things.py BROKER_PORT HTTP_PORT COAP_PORT

Says `ready` when all three are there; then takes a line each: `contact NAME open|closed`, `temperature CELSIUS`, and
`setpoint`, which is answered with what the thermostat aims for.
"""

import asyncio
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiocoap
import aiocoap.resource as resource
import paho.mqtt.client as mqtt
from aiocoap.numbers.contentformat import ContentFormat

BASE = "zigbee2mqtt"
CONTACTS = ("balcony-301", "cellar-door")
PHASES = [{"voltage": 230.5, "current": 4.0}, {"voltage": 231.0, "current": 3.5}, {"voltage": 229.5, "current": 4.5}]
PAGES = {
    "/api/live": {"power": {"total": 2760.0}, "phases": PHASES, "frequency": 50.01},
    "/api/counters": {"import_wh": 123456789},
}


def contact(closed):
    return json.dumps({"contact": closed, "battery": 97, "voltage": 2985, "linkquality": 124, "power_outage_count": 3})


def zigbee(port):
    """A bridge that is online, and contacts that are closed; all of it retained, as Zigbee2MQTT does."""
    there = threading.Event()

    def connected(client, userdata, flags, code):
        client.publish(f"{BASE}/bridge/state", '{"state":"online"}', qos=1, retain=True)
        for name in CONTACTS:
            client.publish(f"{BASE}/{name}/availability", '{"state":"online"}', qos=1, retain=True)
            client.publish(f"{BASE}/{name}", contact(True), qos=1, retain=True)
        there.set()

    client = mqtt.Client("zigbee2mqtt")
    client.will_set(f"{BASE}/bridge/state", '{"state":"offline"}', qos=1, retain=True)
    client.on_connect = connected
    client.connect("127.0.0.1", port, keepalive=5)
    client.loop_start()
    if not there.wait(10):
        sys.exit("the broker takes no connection")
    return client


class Meter(BaseHTTPRequestHandler):
    """JSON, and nothing else."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        page = PAGES.get(self.path)
        body = json.dumps(page).encode()
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        pass


class Told(resource.ObservableResource):
    """A value of the thermostat, as {"value": ..}."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    async def render_get(self, request):
        payload = json.dumps({"value": self.value}).encode()
        return aiocoap.Message(payload=payload, content_format=ContentFormat.JSON)

    async def render_put(self, request):
        self.value = json.loads(request.payload)["value"]
        self.updated_state()
        return aiocoap.Message(code=aiocoap.CHANGED)


async def main():
    broker, http, coap = map(int, sys.argv[1:4])
    meter = ThreadingHTTPServer(("127.0.0.1", http), Meter)
    threading.Thread(target=meter.serve_forever, daemon=True).start()
    values = {"temperature": Told(21.5), "setpoint": Told(21.0), "valve": Told(40)}
    site = resource.Site()
    for name, value in values.items():
        site.add_resource(["lobby", name], value)
    await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", coap))
    client = zigbee(broker)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        match line.split():
            case ["contact", name, state]:
                client.publish(f"{BASE}/{name}", contact(state == "closed"), qos=1, retain=True)
            case ["temperature", celsius]:
                values["temperature"].value = float(celsius)
                values["temperature"].updated_state()
            case ["setpoint"]:
                print(values["setpoint"].value, flush=True)


asyncio.run(main())
