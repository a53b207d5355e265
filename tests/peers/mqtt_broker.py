"""What the conformance kit starts for the MQTT driver: mosquitto on a port, and a device behind it made with Paho.

mqtt_broker.py PORT. The device keeps `tank/state` and takes `tank/set`. Both end when this program does, however it ends.
"""

import ctypes
import getpass
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import paho.mqtt.client as mqtt

state = {"level": 41.5, "pump": "OFF", "name": "T-7", "limit": 90}


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def start_broker(port):
    settings = tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False)
    # Whoever becomes another user is not told any more when its parent ends.
    user = getpass.getuser()
    settings.write(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nuser {user}\n")
    settings.close()
    os.chmod(settings.name, 0o644)
    path = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
    quiet = subprocess.DEVNULL
    return subprocess.Popen([path, "-c", settings.name], preexec_fn=die_with_parent, stdout=quiet, stderr=quiet), settings.name


def on_connect(client, *_):
    client.subscribe("tank/set", 1)
    client.publish("tank/state", json.dumps(state), qos=1, retain=True)


def on_message(client, _, message):
    state.update(json.loads(message.payload))
    client.publish("tank/state", json.dumps(state), qos=1, retain=True)


def run(port):
    """Runs until the broker ends; how it ended."""
    broker, settings = start_broker(port)
    client = mqtt.Client(client_id="tank")
    client.on_connect, client.on_message = on_connect, on_message
    client.reconnect_delay_set(1, 1)
    while broker.poll() is None:
        try:
            client.connect("127.0.0.1", port)
            client.loop_start()
            break
        except OSError:
            time.sleep(0.01)
    ended = broker.wait()
    client.loop_stop()
    os.unlink(settings)
    return ended


def main():
    # A port that is free may be another's for a moment, on a machine that runs many tests.
    for _ in range(20):
        ended = run(int(sys.argv[1]))
        time.sleep(0.2)
    sys.exit(ended)


main()
