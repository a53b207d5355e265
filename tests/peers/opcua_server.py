"""An OPC UA server made of asyncua, told over standard input what its nodes hold.

    opcua_server.py PORT [--namespaces URI,...] [--without NAME,...] [--limit N]
                    [--as NAME=TYPE,...] [--cert DER --key PEM --uri URI] [--policies NAME,...]
                    [--user NAME:PASSWORD] [--user-cert DER] [--users-only]

`--namespaces` are registered before the lab's own and move its number; `--without` leaves nodes out; `--as` gives nodes
another type; `--limit` is what it says that it takes in one Read.

Lines in, values as JSON:

    set NAME VALUE         a new value, of the type that the node has
    get NAME
    status NAME CODE       a status without a value
    namespace URI          one more namespace, with a node `Late`
    share                  the turbine's method belongs to another object, too
    delete NAME            the node goes
    event LOAD MESSAGE     an event of the turbine
    sessions               how many there are
    subscriptions          how many there are

Lines out: `ready`, then `ok` or the value. It goes on when its input ends.
"""

import argparse
import asyncio
import contextlib
import datetime
import json
import logging
import sys
import uuid

from asyncua import Server, ua
from asyncua.common.structures104 import new_enum, new_struct, new_struct_field
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.uacrypto import der_from_x509, load_certificate
from asyncua.ua import VariantType as T

LAB = "http://lab"
WHEN = datetime.datetime(2026, 11, 27, 9, 0, tzinfo=datetime.timezone.utc)

# By the names that follow `s=`.
NODES = {
    "WTG01.Power": (1450.5, T.Double),
    "WTG01.Speed": (12.25, T.Float),
    "WTG01.Limit": (4812, T.Int16),
    "WTG01.On": (True, T.Boolean),
    "WTG01.Name": ("WTG-01", T.String),
    "WTG01.Axes": ([1.5, 2.5, 3.5], T.Double),
    "WTG01.Count": (0, T.Int64),
    "Types.Boolean": (True, T.Boolean),
    "Types.SByte": (-128, T.SByte),
    "Types.Byte": (255, T.Byte),
    "Types.Int16": (-32768, T.Int16),
    "Types.UInt16": (65535, T.UInt16),
    "Types.Int32": (-2147483648, T.Int32),
    "Types.UInt32": (4294967295, T.UInt32),
    "Types.Int64": (-9223372036854775808, T.Int64),
    "Types.UInt64": (9223372036854775807, T.UInt64),
    "Types.Huge": (18446744073709551615, T.UInt64),
    "Types.Float": (0.15625, T.Float),
    "Types.Double": (-123.456, T.Double),
    "Types.NaN": (float("nan"), T.Double),
    "Types.String": ("Grüße", T.String),
    "Types.DateTime": (WHEN, T.DateTime),
    "Types.Guid": (uuid.UUID("09087e75-8e5e-499b-954f-f2a9603db28a"), T.Guid),
    "Types.ByteString": (b"\x01\xff", T.ByteString),
    "Types.LocalizedText": (ua.LocalizedText("wind", "en"), T.LocalizedText),
    "Types.QualifiedName": (ua.QualifiedName("name", 1), T.QualifiedName),
    "Types.StatusCode": (ua.StatusCode(ua.StatusCodes.BadTimeout), T.StatusCode),
    "Types.NodeId": (ua.NodeId("Power", 2), T.NodeId),
    "Types.Int32s": ([1, 2, 3, 4], T.Int32),
    "Types.Strings": (["a", "b"], T.String),
    "Types.Table": ([[1, 2, 3], [4, 5, 6]], T.Int32),
}
WRITABLE_NOT = {"WTG01.Power", "WTG01.Count"}


class Users:
    """Lets in whom it was told to, and everybody else unless that is all."""

    def __init__(self, user, certificate, only):
        self.user, self.certificate, self.only = user, certificate, only

    def get_user(self, iserver, username=None, password=None, certificate=None):
        if username is not None:
            return User(UserRole.Admin) if f"{username}:{password}" == self.user else None
        # Of somebody without a name and a certificate, that of the application is given.
        if self.certificate is not None and certificate == self.certificate:
            return User(UserRole.Admin)
        return None if self.only else User(UserRole.User)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    for name in ("namespaces", "without", "as", "policies"):
        parser.add_argument(f"--{name}", type=lambda text: text.split(","), default=[])
    for name in ("cert", "key", "uri", "user", "user-cert"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--users-only", action="store_true")
    parser.add_argument("--limit", type=int)
    return parser.parse_args()


class Lab:
    def __init__(self, options):
        self.options = options
        self.nodes = {}

    async def open(self):
        options = self.options
        certificate = der_from_x509(await load_certificate(options.user_cert)) if options.user_cert else None
        self.server = Server(user_manager=Users(options.user, certificate, options.users_only))
        await self.server.init()
        self.server.set_endpoint(f"opc.tcp://127.0.0.1:{options.port}/lab")
        self.server.set_server_name("Lab")
        if options.uri:
            await self.server.set_application_uri(options.uri)
        if options.cert:
            await self.server.load_certificate(options.cert)
            await self.server.load_private_key(options.key)
        policies = options.policies or ["NoSecurity"]
        self.server.set_security_policy([getattr(ua.SecurityPolicyType, name) for name in policies])
        for uri in options.namespaces:
            await self.server.register_namespace(uri)
        self.ns = await self.server.register_namespace(LAB)
        if options.limit is not None:
            limit = ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead
            await self.server.get_node(limit).write_value(ua.UInt32(options.limit))
        await self.fill()
        await self.server.start()

    async def fill(self):
        objects = self.server.nodes.objects
        self.wtg = await objects.add_object(ua.NodeId("WTG01", self.ns), ua.QualifiedName("WTG01", self.ns))
        types = await objects.add_object(ua.NodeId("Types", self.ns), ua.QualifiedName("Types", self.ns))
        changed = dict(change.split("=") for change in getattr(self.options, "as"))
        for name, (value, kind) in NODES.items():
            if name in self.options.without:
                continue
            if name in changed:
                kind = T[changed[name]]
                value = str(value) if kind == T.String else value
            parent = self.wtg if name.startswith("WTG01") else types
            await self.add(parent, name, value, kind)
        await self.describe()
        await self.structures(types)
        await self.methods()
        await self.events()

    async def add(self, parent, name, value, kind):
        browse = ua.QualifiedName(name.split(".")[1], self.ns)
        node = await parent.add_variable(ua.NodeId(name, self.ns), browse, value, varianttype=kind)
        if name not in WRITABLE_NOT:
            await node.set_writable()
        self.nodes[name] = node
        return node

    async def describe(self):
        power = self.nodes.get("WTG01.Power")
        if power is None:
            return
        await power.write_attribute(
            ua.AttributeIds.Description, ua.DataValue(ua.Variant(ua.LocalizedText("what it gives"), T.LocalizedText))
        )
        unit = ua.EUInformation("", 4937544, ua.LocalizedText("kW"), ua.LocalizedText("kilowatt"))
        await power.add_property(ua.NodeId("WTG01.Power.Range", self.ns), "0:EURange", ua.Range(0.0, 3000.0))
        await power.add_property(ua.NodeId("WTG01.Power.Unit", self.ns), "0:EngineeringUnits", unit)

    async def structures(self, parent):
        place = await new_struct(
            self.server,
            self.ns,
            "Place",
            [new_struct_field("X", T.Double), new_struct_field("Note", T.String)],
        )
        mode = await new_enum(self.server, self.ns, "Mode", ["stopped", "running", "failed"])
        trip = await new_struct(
            self.server,
            self.ns,
            "Trip",
            [
                new_struct_field("Begin", place[0]),
                new_struct_field("Marks", T.Int32, array=True),
                new_struct_field("Mode", mode),
                new_struct_field("At", T.DateTime),
            ],
        )
        await self.server.load_data_type_definitions()
        value = ua.Trip(ua.Place(1.5, "gate"), [7, 8], ua.Mode.running, WHEN)
        await self.add(parent, "Types.Trip", value, T.ExtensionObject)
        await self.nodes["Types.Trip"].write_attribute(
            ua.AttributeIds.DataType, ua.DataValue(ua.Variant(trip[0].nodeid, T.NodeId))
        )
        await self.add(parent, "Types.Trips", [value, value], T.ExtensionObject)
        state = await self.wtg.add_variable(
            ua.NodeId("WTG01.State", self.ns), ua.QualifiedName("State", self.ns), 1, T.Int32, mode.nodeid
        )
        await state.set_writable()
        self.nodes["WTG01.State"] = state

    async def methods(self):
        def argument(name, kind, rank=-1):
            one = ua.Argument()
            one.Name, one.DataType, one.ValueRank = name, ua.NodeId(kind), rank
            return one

        async def reset(parent, delay, reason, steps):
            if delay.Value > 1000:
                return ua.StatusCode(ua.StatusCodes.BadOutOfRange)
            await asyncio.sleep(delay.Value / 1000)
            return [ua.Variant(True, T.Boolean), ua.Variant(f"{reason.Value} {sum(steps.Value)}", T.String)]

        self.reset = await self.wtg.add_method(
            ua.NodeId("WTG01.Reset", self.ns),
            ua.QualifiedName("Reset", self.ns),
            reset,
            [argument("delay", 7), argument("reason", 12), argument("steps", 6, 1)],
            [argument("done", 1), argument("echo", 12)],
        )

    async def events(self):
        kind = await self.server.create_custom_event_type(self.ns, "LabEvent", properties=[("Load", T.Double)])
        other = await self.server.create_custom_event_type(self.ns, "OtherEvent")
        self.event_types = {"LabEvent": kind.nodeid, "OtherEvent": other.nodeid}
        self.generator = await self.server.get_event_generator(kind, self.wtg)
        self.other = await self.server.get_event_generator(other, self.wtg)

    async def tell(self, command, words):
        if command == "set":
            name, value = words.split(" ", 1)
            node = self.nodes[name]
            kind = await node.read_data_type_as_variant_type()
            await node.write_value(ua.DataValue(ua.Variant(json.loads(value), kind), SourceTimestamp=now()))
        elif command == "get":
            return json.dumps(await self.nodes[words].read_value(), default=str)
        elif command == "status":
            name, code = words.split(" ", 1)
            status = ua.StatusCode(getattr(ua.StatusCodes, code))
            value = ua.Variant(*NODES[name])
            await self.nodes[name].write_value(ua.DataValue(value, status, SourceTimestamp=now()))
        elif command == "namespace":
            number = await self.server.register_namespace(words)
            await self.wtg.add_variable(ua.NodeId("Late", number), ua.QualifiedName("Late", number), 7, T.Int32)
        elif command == "share":
            await self.server.nodes.objects.add_reference(self.reset, ua.ObjectIds.HasComponent)
        elif command == "delete":
            await self.nodes.pop(words).delete()
        elif command == "event":
            load, message = words.split(" ", 1)
            await self.other.trigger(message="another")
            self.generator.event.Load = float(load)
            self.generator.event.Severity = 700
            await self.generator.trigger(message=message)
        elif command == "types":
            return json.dumps({name: node.to_string() for name, node in self.event_types.items()})
        elif command == "sessions":
            return str(len(self.server.iserver._external_sessions))
        elif command == "subscriptions":
            return str(len(self.server.iserver.subscription_service.subscriptions))
        return "ok"


def now():
    return datetime.datetime.now(datetime.timezone.utc)


async def lines():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().rstrip("\n")


async def main():
    lab = Lab(arguments())
    await lab.open()
    print("ready", flush=True)
    # The kit gives no input at all.
    with contextlib.suppress(OSError, ValueError):
        async for line in lines():
            command, _, words = line.partition(" ")
            print(await lab.tell(command, words), flush=True)
    await asyncio.Event().wait()


logging.disable(logging.CRITICAL)
asyncio.run(main())
