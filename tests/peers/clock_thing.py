"""A thing whose only value is the time, in tenths of a second, on top of a number of its own; in one of four protocols.

    clock_thing.py mqtt|http|coap|opcua PORT NUMBER

The value is NUMBER * 1,000,000 + tenths of a second since 1970, of which the last six digits. Says `ready`. `mqtt` publishes to the broker at
PORT, ten times a second, retained; the others serve there.
"""

import asyncio
import logging
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KIND, PORT, NUMBER = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PERIOD_S = 0.1


def now():
    return NUMBER * 1_000_000 + int(time.time() * 10) % 1_000_000


def payload():
    return b'{"clock": %d}' % now()


def mqtt():
    import paho.mqtt.client as paho

    client = paho.Client("clock-thing")
    client.reconnect_delay_set(1, 1)
    client.connect_async("127.0.0.1", PORT, keepalive=5)
    client.loop_start()
    print("ready", flush=True)
    while True:
        time.sleep(PERIOD_S)
        if client.is_connected():
            client.publish("clock/thing", payload(), qos=1, retain=True)


def http():
    class Clock(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = payload()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", PORT), Clock)
    print("ready", flush=True)
    server.serve_forever()


async def coap():
    import aiocoap
    import aiocoap.resource as resource

    class Clock(resource.ObservableResource):
        async def render_get(self, request):
            return aiocoap.Message(payload=payload(), content_format=50)

    clock, site = Clock(), resource.Site()
    site.add_resource(["clock"], clock)
    await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", PORT))
    print("ready", flush=True)
    while True:
        await asyncio.sleep(PERIOD_S)
        clock.updated_state()


async def opcua():
    from asyncua import Server, ua

    logging.disable(logging.WARNING)
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{PORT}")
    namespace = await server.register_namespace("urn:clock")
    node = ua.NodeId("clock", namespace)
    clock = await server.nodes.objects.add_variable(node, "clock", now(), ua.VariantType.Int64)
    await server.start()
    print("ready", flush=True)
    while True:
        await asyncio.sleep(PERIOD_S)
        await clock.write_value(now(), ua.VariantType.Int64)


def leave_with_parent():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=leave_with_parent, daemon=True).start()
if KIND in ("mqtt", "http"):
    {"mqtt": mqtt, "http": http}[KIND]()
else:
    asyncio.run({"coap": coap, "opcua": opcua}[KIND]())
