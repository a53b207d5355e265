"""A thermostat that speaks CoAP, made with aiocoap. It is told things on its standard input, a line each.

    coap_server.py PORT

Says `ready`; then answers `set TEMPERATURE` with `ok`, and `observers` with how many there are.
"""

import asyncio
import json
import sys

import aiocoap
import aiocoap.resource as resource
from aiocoap.numbers.contentformat import ContentFormat

SENML_JSON = ContentFormat(110)
room = {"temperature": 21.5, "setpoint": 20.0, "mode": "heat"}


class Observable(resource.ObservableResource):
    """Counts those who observe it."""

    observers = 0

    async def add_observation(self, request, server_observation):
        Observable.observers += 1

        def gone():
            Observable.observers -= 1

        server_observation.accept(gone)


class State(Observable):
    """Everything as one JSON object; what is put changes what it names."""

    async def render_get(self, request):
        return aiocoap.Message(payload=json.dumps(room).encode(), content_format=ContentFormat.JSON)

    async def render_put(self, request):
        room.update(json.loads(request.payload))
        tell()
        return aiocoap.Message(code=aiocoap.CHANGED)


class Temperature(Observable):
    """The temperature as text."""

    async def render_get(self, request):
        return aiocoap.Message(payload=str(room["temperature"]).encode(), content_format=ContentFormat.TEXT)


class Setpoint(Observable):
    """The setpoint as text, to be put."""

    async def render_get(self, request):
        return aiocoap.Message(payload=str(room["setpoint"]).encode(), content_format=ContentFormat.TEXT)

    async def render_put(self, request):
        room["setpoint"] = float(request.payload)
        tell()
        return aiocoap.Message(code=aiocoap.CHANGED)


class Climate(resource.Resource):
    """SenML with times of its own."""

    async def render_get(self, request):
        pack = [
            {"bn": "urn:dev:room1:", "bt": 1700000000, "n": "temperature", "u": "Cel", "v": room["temperature"]},
            {"n": "humidity", "u": "%RH", "v": 40, "t": 5},
        ]
        return aiocoap.Message(payload=json.dumps(pack).encode(), content_format=SENML_JSON)


class Cbor(resource.Resource):
    """{"level": 7} in CBOR."""

    async def render_get(self, request):
        return aiocoap.Message(payload=b"\xa1elevel\x07", content_format=ContentFormat.CBOR)


class Slow(resource.Resource):
    """Acknowledges first and answers later."""

    async def render_get(self, request):
        await asyncio.sleep(0.6)
        return aiocoap.Message(payload=b"17", content_format=ContentFormat.TEXT)


class Big(Observable):
    """5000 numbers: many blocks."""

    async def render_get(self, request):
        numbers = {"numbers": list(range(5000)), "last": room["temperature"]}
        return aiocoap.Message(payload=json.dumps(numbers).encode(), content_format=ContentFormat.JSON)


class Store(resource.Resource):
    """Keeps what is put, however long."""

    content = b'"nothing"'

    async def render_get(self, request):
        return aiocoap.Message(payload=self.content, content_format=ContentFormat.JSON)

    async def render_put(self, request):
        self.content = request.payload
        return aiocoap.Message(code=aiocoap.CHANGED)


class Blink(resource.Resource):
    """A service: says how often it will blink."""

    async def render_post(self, request):
        times = json.loads(request.payload)["times"]
        answer = {"blinks": list(range(times)), "query": list(request.opt.uri_query)}
        return aiocoap.Message(
            code=aiocoap.CHANGED, payload=json.dumps(answer).encode(), content_format=ContentFormat.JSON
        )


class Busy(resource.Resource):
    """Always comes back later."""

    async def render_get(self, request):
        return aiocoap.Message(code=aiocoap.SERVICE_UNAVAILABLE, max_age=3, payload=b"later")


observed = [State(), Temperature(), Setpoint(), Big()]


def tell():
    for one in observed:
        one.updated_state()


async def listen():
    """Does what it is told."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().split():
        if line[0] == "set":
            room["temperature"] = float(line[1])
            tell()
            print("ok", flush=True)
        elif line[0] == "observers":
            print(Observable.observers, flush=True)


async def main(port):
    site = resource.Site()
    site.add_resource([".well-known", "core"], resource.WKCResource(site.get_resources_as_linkheader))
    state, temperature, setpoint, big = observed
    for name, one in {
        "state": state,
        "temp": temperature,
        "setpoint": setpoint,
        "big": big,
        "climate": Climate(),
        "cbor": Cbor(),
        "slow": Slow(),
        "store": Store(),
        "blink": Blink(),
        "busy": Busy(),
    }.items():
        site.add_resource(["room", "1", name], one)
    await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port))
    print("ready", flush=True)
    await listen()
    await asyncio.get_running_loop().create_future()


asyncio.run(main(int(sys.argv[1])))
