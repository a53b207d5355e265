"""The controllers of sites/wind-farm/devices/opcua.toml: two turbines in one OPC UA server, made with asyncua.

    turbine_server.py PORT

Says `ready`; then takes a line each: `set WTG11.WindSpeed 7.5`, and `calls`, which is answered with the methods that were called.
"""

import asyncio
import logging
import sys

from asyncua import Server, ua, uamethod

TURBINES = ("WTG11", "WTG12")
FLOATS = {
    "WindSpeed": 8.0,
    "WindDirection": 240.0,
    "NacelleDirection": 238.5,
    "ActivePower": 1500.0,
    "RotorSpeed": 12.5,
    "GeneratorSpeed": 1400.0,
    "PitchAngle": 2.5,
    "GearOilTemperature": 55.0,
    "AmbientTemperature": 11.0,
    "EnergyTotal": 123456.5,
    "PowerLimit": 3000.0,
}
calls = []


def method(turbine, name):
    @uamethod
    def called(parent, *inputs):
        calls.append(f"{turbine}.{name}({', '.join(map(str, inputs))})")

    return called


async def main():
    logging.disable(logging.WARNING)
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{sys.argv[1]}")
    # Another namespace first, so that the number is not the one that anybody would guess.
    await server.register_namespace("urn:other")
    namespace = await server.register_namespace("http://example.com/e126")
    variables = {}
    for turbine in TURBINES:
        thing = await server.nodes.objects.add_object(ua.NodeId(turbine, namespace), turbine)
        for name, value in {**FLOATS, "State": 2, "AlarmCode": 0}.items():
            full = f"{turbine}.{name}"
            kind = ua.VariantType.Double if isinstance(value, float) else ua.VariantType.Int32
            variables[full] = await thing.add_variable(ua.NodeId(full, namespace), name, value, kind)
        await variables[f"{turbine}.PowerLimit"].set_writable()
        mode = ua.Argument(Name="mode", DataType=ua.NodeId(ua.ObjectIds.Int32), ValueRank=-1)
        for name, inputs in (("Start", []), ("Stop", [mode]), ("Reset", [])):
            await thing.add_method(ua.NodeId(f"{turbine}.{name}", namespace), name, method(turbine, name), inputs, [])
    await server.start()
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        match line.split():
            case ["set", name, value]:
                variable = variables[name]
                old = await variable.read_value()
                await variable.write_value(type(old)(value), await variable.read_data_type_as_variant_type())
            case ["calls"]:
                print("; ".join(calls), flush=True)


asyncio.run(main())
