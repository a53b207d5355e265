"""A Modbus TCP server made of pymodbus, told over standard input what its registers hold.

Lines in: `set UNIT ADDRESS WORD...`, `get UNIT ADDRESS`. Lines out: `ready`, then `ok` or the value.
"""

import asyncio
import sys

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

REGISTERS = 1000


async def commands(server):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().split():
        verb, unit, address, *words = line
        if verb == "set":
            await server.async_setValues(int(unit), 16, int(address), [int(word) for word in words])
            print("ok", flush=True)
        else:
            values = await server.async_getValues(int(unit), 3, int(address), 1)
            print(values[0], flush=True)


async def main(port):
    registers = [SimData(0, values=[0] * REGISTERS, datatype=DataType.REGISTERS)]
    devices = [SimDevice(unit, simdata=registers) for unit in range(1, 17)]
    server = ModbusTcpServer(devices, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await commands(server)


asyncio.run(main(int(sys.argv[1])))
