"""An OPC UA server for `edgeway bench drivers`: so many devices of so many variables, which all change ten times a second."""

import asyncio
import logging
import socket
import sys

from asyncua import Server, ua

PERIOD_S = 0.1


async def main() -> None:
    logging.disable(logging.WARNING)
    devices, values = int(sys.argv[1]), int(sys.argv[2])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    namespace = await server.register_namespace("urn:bench")
    variables = []
    for device in range(devices):
        thing = await server.nodes.objects.add_object(ua.NodeId(f"d{device}", namespace), f"d{device}")
        for number in range(values):
            node = ua.NodeId(f"d{device}.p{number}", namespace)
            variables.append(await thing.add_variable(node, f"p{number}", 0.25))
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    stopped = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    value = 0.0
    while not stopped.done():
        await asyncio.sleep(PERIOD_S)
        value = (value + 0.25) % 100
        for variable in variables:
            await variable.write_value(value)


asyncio.run(main())
