"""A Modbus server made of pymodbus, told over standard input what its registers hold.

    modbus_server.py PORT                        Modbus TCP
    modbus_server.py tcp|rtutcp|asciitcp PORT    the three framings through TCP
    modbus_server.py rtu|ascii PATH              on a serial port

Lines in, values as JSON:

    set UNIT ADDRESS WORD...              holding registers as they are
    get UNIT ADDRESS
    put UNIT ADDRESS TYPE ORDER VALUE     a value, in as many holding registers as it takes
    show UNIT ADDRESS TYPE ORDER COUNT    the value in so many of them

Lines out: `ready`, then `ok` or the value. It ends with its input.

Units 1 to 16 have memory of their own; all others share one. On a serial port unit 0 is everybody.

    coils, discrete inputs  0 to 1999; every third discrete input is on
    holding registers       0 to 999; 2000 to 2999, each of which holds its address; 3000 to 3023, values of all types
                            that pymodbus knows, as it encodes them
    input registers         0 to 999, each of which holds its address
"""

import asyncio
import json
import sys

from modbus_values import pack, unpack
from pymodbus import FramerType
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

READ_HOLDING, WRITE_HOLDING = 3, 16
BITS = 2000
FRAMERS = {
    "tcp": FramerType.SOCKET,
    "rtutcp": FramerType.RTU,
    "asciitcp": FramerType.ASCII,
    "rtu": FramerType.RTU,
    "ascii": FramerType.ASCII,
}
# So long that the three objects do not fit one answer.
IDENTITY = {0: "Pymodbus", 1: "P" * 120, 2: "R" * 120}
TYPED = [
    SimData(3000, values=[-12345], datatype=DataType.INT16),
    SimData(3001, values=[54321], datatype=DataType.UINT16),
    SimData(3002, values=[-1234567890], datatype=DataType.INT32),
    SimData(3004, values=[4000000000], datatype=DataType.UINT32),
    SimData(3006, values=[-1234567890123456789], datatype=DataType.INT64),
    SimData(3010, values=[1234567890123456789], datatype=DataType.UINT64),
    SimData(3014, values=[-0.15625], datatype=DataType.FLOAT32),
    SimData(3016, values=[-123.456], datatype=DataType.FLOAT64),
    SimData(3020, values=["pymodbus"], datatype=DataType.STRING),
]


def registers(start, values):
    return SimData(start, values=list(values), datatype=DataType.REGISTERS)


def device(unit):
    coils = [SimData(0, values=[False] * BITS, datatype=DataType.BITS)]
    discrete = [SimData(0, values=[bit % 3 == 0 for bit in range(BITS)], datatype=DataType.BITS)]
    holding = [registers(0, [0] * 1000), registers(2000, range(2000, 3000)), *TYPED]
    return SimDevice(unit, simdata=(coils, discrete, holding, [registers(0, range(1000))]))


def serve(form, where):
    devices = [device(unit) for unit in range(17)]
    options = {"framer": FRAMERS[form], "identity": ModbusDeviceIdentification(info=IDENTITY)}
    if form in ("rtu", "ascii"):
        return ModbusSerialServer(devices, port=where, baudrate=115200, broadcast_enable=True, **options)
    return ModbusTcpServer(devices, address=("127.0.0.1", int(where)), **options)


async def words(server, unit, address, count):
    return await server.async_getValues(int(unit), READ_HOLDING, int(address), int(count))


async def obey(server, line):
    match line.split(maxsplit=5):
        case ["set", unit, address, *_]:
            values = [int(word) for word in line.split()[3:]]
            await server.async_setValues(int(unit), WRITE_HOLDING, int(address), values)
            return "ok"
        case ["get", unit, address]:
            return (await words(server, unit, address, 1))[0]
        case ["put", unit, address, kind, order, value]:
            values = pack(kind, order, json.loads(value))
            await server.async_setValues(int(unit), WRITE_HOLDING, int(address), values)
            return "ok"
        case ["show", unit, address, kind, order, count]:
            return json.dumps(unpack(kind, order, await words(server, unit, address, count)))
        case _:
            return f"not understood: {line}"


async def commands(server):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().strip():
        print(await obey(server, line), flush=True)


async def main(form, where):
    server = serve(form, where)
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await commands(server)


asyncio.run(main(*(sys.argv[1:] if len(sys.argv) > 2 else ("tcp", sys.argv[1]))))
