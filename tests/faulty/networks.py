"""A network namespace behind a virtual cable, whose packets can be dropped and throttled."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from .disks import need_root
from .figure import Unavailable
from .process import run


@dataclass(frozen=True)
class Network:
    """The gateway runs in the namespace `name` at `peer`; everybody else outside, at `here`."""

    name: str
    cable: str
    here: str
    peer: str

    @property
    def inside(self) -> tuple[str, ...]:
        """What to put before a command that is to run inside."""
        return ("ip", "netns", "exec", self.name)

    def half_open(self, port: int) -> None:
        """From now on no packet comes through to this port outside or back, and nobody is told."""
        self._iptables("-A", port)

    def mend(self, port: int) -> None:
        """Packets come through again."""
        self._iptables("-D", port)

    def _iptables(self, verb: str, port: int) -> None:
        for chain, side in (("OUTPUT", "--dport"), ("INPUT", "--sport")):
            run(*self.inside, "iptables", verb, chain, "-p", "tcp", side, str(port), "-j", "DROP")

    def throttle(self, kilobits_per_second: int) -> None:
        """Limits what the gateway sends."""
        limits = ("rate", f"{kilobits_per_second}kbit", "burst", "32kb", "latency", "200ms")
        run(*self.inside, "tc", "qdisc", "replace", "dev", f"{self.cable}p", "root", "tbf", *limits)


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """A namespace of our own."""
    need_root()
    number = os.getpid() % 250
    net = Network(f"faults{number}", f"flt{number}", f"10.213.{number}.1", f"10.213.{number}.2")
    try:
        run("ip", "netns", "add", net.name)
    except (RuntimeError, FileNotFoundError) as error:
        raise Unavailable(f"this machine may not make network namespaces: {error}") from error
    try:
        cable(net)
        yield net
    finally:
        run("ip", "netns", "del", net.name)


def cable(net: Network) -> None:
    """Lays the cable."""
    run("ip", "link", "add", net.cable, "type", "veth", "peer", "name", f"{net.cable}p", "netns", net.name)
    run("ip", "addr", "add", f"{net.here}/30", "dev", net.cable)
    run("ip", "link", "set", net.cable, "up")
    run(*net.inside, "ip", "addr", "add", f"{net.peer}/30", "dev", f"{net.cable}p")
    run(*net.inside, "ip", "link", "set", f"{net.cable}p", "up")
    run(*net.inside, "ip", "link", "set", "lo", "up")
