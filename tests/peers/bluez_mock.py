"""A BlueZ for tests: python-dbusmock's bluez5 template with what it lacks, told by lines of JSON what happens.

    DBUS_SYSTEM_BUS_ADDRESS=... python3 -m dbusmock -l /dev/null --template bluez_mock.py

Each line is one command, {"do": "heard", "address": "...", ...}, and is answered by one line. Beside the template it has
advertisements with their data, GATT, notifications, connections that really change the property, a scan that can fall
silent, and a crowd of strangers. Signals of many strangers are made once and sent again and again: Python could not make
10,000 a second.
"""

import json
import os
import sys

import dbus
from dbusmock import OBJECT_MANAGER_IFACE, mockobject
from dbusmock.templates import bluez5
from dbusmock.templates.bluez5 import *  # noqa: F403  the template is this module's
from dbusmock.templates.bluez5 import ADAPTER_IFACE, DEVICE_IFACE
from gi.repository import GLib

BUS_NAME, MAIN_OBJ, SYSTEM_BUS, IS_OBJECT_MANAGER = "org.bluez", "/", True, True
SERVICE_IFACE, CHARACTERISTIC_IFACE = "org.bluez.GattService1", "org.bluez.GattCharacteristic1"
BASE = "-0000-1000-8000-00805f9b34fb"


class World:
    """What the commands change."""

    def __init__(self):
        self.deaf = "no"  # or until "scan" starts again, or until another "client" scans
        self.scans = 0
        self.scanner = None
        self.sent = 0
        self.connects = 0
        self.peak = 0
        self.stuck = set()  # addresses whose services are never resolved
        self.beats = {}  # GLib sources of what is repeated, by address


world = World()


def octets(text, level=0):
    return dbus.Array([dbus.Byte(byte) for byte in bytes.fromhex(text)], signature="y", variant_level=level)


def long_uuid(uuid):
    return f"0000{uuid}{BASE}" if len(uuid) == 4 else uuid


def path_of(address, adapter="hci0"):
    return f"/org/bluez/{adapter}/dev_" + address.replace(":", "_").upper()


def changed(path, interface, properties):
    """Changes properties and says so: the template's UpdateProperties cannot do dictionaries."""
    target = mockobject.objects[path]
    target.props[interface].update(properties)
    signal = dbus.lowlevel.SignalMessage(path, dbus.PROPERTIES_IFACE, "PropertiesChanged")
    signal.append(interface, properties, dbus.Array([], signature="s"), signature="sa{sv}as")
    next(iter(target.locations))[0].send_message(signal)


def with_sender(iface, signature, output):
    return dbus.service.method(iface, in_signature=signature, out_signature=output)


# --- What the template has otherwise -------------------------------------------------------------------------


@with_sender(DEVICE_IFACE, "", "")
def Connect(device):
    address = str(device.props[DEVICE_IFACE]["Address"])
    if device.props[DEVICE_IFACE]["Connected"]:
        raise dbus.exceptions.DBusException("Already Connected", name="org.bluez.Error.AlreadyConnected")
    world.connects += 1
    changed(device.path, DEVICE_IFACE, {"Connected": dbus.Boolean(True, variant_level=1)})
    connected = [o for o in mockobject.objects.values() if o.props.get(DEVICE_IFACE, {}).get("Connected")]
    world.peak = max(world.peak, len(connected))
    if address not in world.stuck:
        changed(device.path, DEVICE_IFACE, {"ServicesResolved": dbus.Boolean(True, variant_level=1)})


@with_sender(DEVICE_IFACE, "", "")
def Disconnect(device):
    if not device.props[DEVICE_IFACE]["Connected"]:
        raise dbus.exceptions.DBusException("Not Connected", name="org.bluez.Error.NotConnected")
    drop(device)


def drop(device):
    for path, other in mockobject.objects.items():
        if path.startswith(device.path + "/") and CHARACTERISTIC_IFACE in other.props:
            other.props[CHARACTERISTIC_IFACE]["Notifying"] = dbus.Boolean(False, variant_level=1)
    off = dbus.Boolean(False, variant_level=1)
    changed(device.path, DEVICE_IFACE, {"Connected": off, "ServicesResolved": off})


@with_sender(ADAPTER_IFACE, "", "")
def StartDiscovery(adapter):
    if not adapter.props[ADAPTER_IFACE]["Powered"]:
        raise dbus.exceptions.DBusException("Resource Not Ready", name="org.bluez.Error.NotReady")
    world.scans += 1
    if world.deaf == "scan":
        world.deaf = "no"
    changed(adapter.path, ADAPTER_IFACE, {"Discovering": dbus.Boolean(True, variant_level=1)})


@with_sender(ADAPTER_IFACE, "", "")
def StopDiscovery(adapter):
    changed(adapter.path, ADAPTER_IFACE, {"Discovering": dbus.Boolean(False, variant_level=1)})


bluez5.Connect, bluez5.Disconnect = Connect, Disconnect
bluez5.StartDiscovery, bluez5.StopDiscovery = StartDiscovery, StopDiscovery


def read_value(characteristic, _options):
    properties = characteristic.props[CHARACTERISTIC_IFACE]
    refuse(characteristic, "read")
    return properties["Value"]


def write_value(characteristic, value, options):
    refuse(characteristic, "write-without-response" if options.get("type") == "command" else "write")
    properties = characteristic.props[CHARACTERISTIC_IFACE]
    if len(value) > characteristic.longest:
        raise dbus.exceptions.DBusException("Invalid Length", name="org.bluez.Error.InvalidValueLength")
    properties["Value"] = dbus.Array(value, signature="y", variant_level=1)
    characteristic.writes += 1


def refuse(characteristic, flag):
    device = mockobject.objects[characteristic.path.rsplit("/", 2)[0]]
    if not device.props[DEVICE_IFACE]["Connected"]:
        raise dbus.exceptions.DBusException("Not connected", name="org.bluez.Error.Failed")
    if flag not in characteristic.props[CHARACTERISTIC_IFACE]["Flags"]:
        raise dbus.exceptions.DBusException(f"{flag} not permitted", name="org.bluez.Error.NotPermitted")


def start_notify(characteristic):
    characteristic.props[CHARACTERISTIC_IFACE]["Notifying"] = dbus.Boolean(True, variant_level=1)


def stop_notify(characteristic):
    characteristic.props[CHARACTERISTIC_IFACE]["Notifying"] = dbus.Boolean(False, variant_level=1)


METHODS = [
    ("ReadValue", "a{sv}", "ay", dbus.service.method(CHARACTERISTIC_IFACE, "a{sv}", "ay")(read_value)),
    ("WriteValue", "aya{sv}", "", dbus.service.method(CHARACTERISTIC_IFACE, "aya{sv}", "")(write_value)),
    ("StartNotify", "", "", dbus.service.method(CHARACTERISTIC_IFACE, "", "")(start_notify)),
    ("StopNotify", "", "", dbus.service.method(CHARACTERISTIC_IFACE, "", "")(stop_notify)),
]


# --- Commands ------------------------------------------------------------------------------------------------


def do_adapter(root, name="hci0", powered=True):
    root.AddAdapter(name, "gateway")
    mockobject.objects["/org/bluez/" + name].props[ADAPTER_IFACE]["Powered"] = dbus.Boolean(powered, variant_level=1)


def do_device(root, address, name="a device", adapter="hci0"):
    root.AddDevice(adapter, address, name)


def do_heard(_root, address, rssi=None, tx_power=None, manufacturer=None, service=None, uuids=None):
    adapter = mockobject.objects["/org/bluez/hci0"]
    if world.deaf != "no" or not adapter.props[ADAPTER_IFACE]["Discovering"]:
        return "not scanning"
    properties = {}
    if rssi is not None:
        properties["RSSI"] = dbus.Int16(rssi, variant_level=1)
    if tx_power is not None:
        properties["TxPower"] = dbus.Int16(tx_power, variant_level=1)
    if manufacturer is not None:
        data = {dbus.UInt16(int(company, 16)): octets(hexadecimal, 1) for company, hexadecimal in manufacturer.items()}
        properties["ManufacturerData"] = dbus.Dictionary(data, signature="qv", variant_level=1)
    if service is not None:
        data = {long_uuid(uuid): octets(hexadecimal, 1) for uuid, hexadecimal in service.items()}
        properties["ServiceData"] = dbus.Dictionary(data, signature="sv", variant_level=1)
    if uuids is not None:
        properties["UUIDs"] = dbus.Array([long_uuid(uuid) for uuid in uuids], signature="s", variant_level=1)
    changed(path_of(address), DEVICE_IFACE, properties)
    return "heard"


def do_repeat(root, address, every_ms, **advertisement):
    """The same advertisement again and again, as devices do."""

    def beat():
        if not mockobject.objects[path_of(address)].props[DEVICE_IFACE]["Connected"]:
            do_heard(root, address, **advertisement)
        return True

    if address in world.beats:
        GLib.source_remove(world.beats.pop(address))
    beat()
    world.beats[address] = GLib.timeout_add(every_ms, beat)


def do_gatt(root, address, services):
    handle = 10
    device = path_of(address)
    for service in services:
        path = f"{device}/service{handle:04x}"
        known = {"UUID": long_uuid(service["uuid"]), "Primary": True, "Device": dbus.ObjectPath(device)}
        # An object without methods is shown to introspection in a way that some clients cannot read.
        root.AddObject(path, SERVICE_IFACE, known, [("Noop", "", "", "")])
        for wanted in service["characteristics"]:
            handle += 2
            of = f"{path}/char{handle:04x}"
            properties = {
                "UUID": long_uuid(wanted["uuid"]),
                "Service": dbus.ObjectPath(path),
                "Flags": dbus.Array(wanted["flags"], signature="s"),
                "Notifying": dbus.Boolean(False),
                "Value": octets(wanted["value"]),
            }
            root.AddObject(of, CHARACTERISTIC_IFACE, properties, METHODS)
            mockobject.objects[of].longest = wanted.get("longest", 512)
            mockobject.objects[of].writes = 0
        handle += 2


def characteristic(address, uuid):
    found = [
        target
        for path, target in mockobject.objects.items()
        if path.startswith(path_of(address) + "/")
        and target.props.get(CHARACTERISTIC_IFACE, {}).get("UUID") == long_uuid(uuid)
    ]
    return found[0]


def do_notify(_root, address, uuid, value):
    target = characteristic(address, uuid)
    target.props[CHARACTERISTIC_IFACE]["Value"] = octets(value, 1)
    if not target.props[CHARACTERISTIC_IFACE]["Notifying"]:
        return "nobody listens"
    changed(target.path, CHARACTERISTIC_IFACE, {"Value": octets(value, 1)})
    return "told"


def do_value(_root, address, uuid):
    target = characteristic(address, uuid)
    value = bytes(int(byte) for byte in target.props[CHARACTERISTIC_IFACE]["Value"]).hex()
    return {"value": value, "writes": target.writes}


def do_drop(_root, address):
    drop(mockobject.objects[path_of(address)])


def do_stuck(_root, address):
    world.stuck.add(address)


def do_deaf(_root, until):
    world.deaf = until


def do_power(_root, on):
    changed("/org/bluez/hci0", ADAPTER_IFACE, {"Powered": dbus.Boolean(on, variant_level=1)})


def do_unplug(root):
    root.RemoveAdapterWithDevices("hci0")


def do_flood(_root, rate, seconds, new=False):
    """So many strangers a second: known ones that say something, or ones that are heard for the first time."""
    connection = next(iter(mockobject.objects["/org/bluez"].locations))[0]
    data = {"RSSI": dbus.Int16(-80, variant_level=1)}
    made = dbus.Dictionary({dbus.UInt16(0x4C): octets("1006" * 12, 1)}, signature="qv", variant_level=1)
    data["ManufacturerData"] = made
    messages = []
    for number in range(1000):
        path = path_of(f"5A:00:00:00:{number >> 8:02X}:{number & 255:02X}")
        if new:
            signal = dbus.lowlevel.SignalMessage("/", OBJECT_MANAGER_IFACE, "InterfacesAdded")
            signal.append(dbus.ObjectPath(path), {DEVICE_IFACE: data}, signature="oa{sa{sv}}")
        else:
            signal = dbus.lowlevel.SignalMessage(path, dbus.PROPERTIES_IFACE, "PropertiesChanged")
            signal.append(DEVICE_IFACE, data, dbus.Array([], signature="s"), signature="sa{sv}as")
        messages.append(signal)
    each = rate // 100
    left = [rate * seconds]
    world.sent = 0

    def send():
        for _ in range(min(each, left[0])):
            connection.send_message(messages[world.sent % len(messages)])
            world.sent += 1
        left[0] -= each
        return left[0] > 0

    GLib.timeout_add(10, send)


def do_stats(_root):
    bus = dbus.SystemBus()
    names = bus.get_object("org.freedesktop.DBus", "/org/freedesktop/DBus").ListNames()
    every = mockobject.objects.values()
    return {
        "clients": sum(str(name).startswith(":") for name in names),
        "connected": sum(bool(o.props.get(DEVICE_IFACE, {}).get("Connected")) for o in every),
        "notifying": sum(bool(o.props.get(CHARACTERISTIC_IFACE, {}).get("Notifying")) for o in every),
        "connects": world.connects,
        "peak": world.peak,
        "scans": world.scans,
        "sent": world.sent,
    }


def obey(root, line):
    command = json.loads(line)
    done = globals()["do_" + command.pop("do")](root, **command)
    print(json.dumps(done if done is not None else "done"), flush=True)


def load(mock, parameters):
    bluez5.load(mock, parameters)
    root = mockobject.objects["/org/bluez"]
    pending = [b""]

    def heard(_source, _condition):
        read = os.read(0, 65536)
        if not read:
            sys.exit(0)
        pending[0] += read
        *lines, pending[0] = pending[0].split(b"\n")
        for line in lines:
            obey(root, line)
        return True

    GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, heard)
    print("ready", flush=True)
