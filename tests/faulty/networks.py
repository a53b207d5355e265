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
    """Peers run in the namespace `name` at `peer`; the gateway outside, at `here`."""

    name: str
    cable: str
    here: str
    peer: str

    @property
    def inside(self) -> tuple[str, ...]:
        """What to put before a command that is to run inside."""
        return ("ip", "netns", "exec", self.name)

    def half_open(self) -> None:
        """From now on no packet comes through, either way, and nobody is told."""
        for chain in ("INPUT", "OUTPUT"):
            self._iptables("-A", chain)

    def mend(self) -> None:
        """Packets come through again."""
        for chain in ("INPUT", "OUTPUT"):
            with contextlib.suppress(RuntimeError):
                self._iptables("-D", chain)

    def _iptables(self, verb: str, chain: str) -> None:
        side = "-i" if chain == "INPUT" else "-o"
        run(*self.inside, "iptables", verb, chain, side, f"{self.cable}p", "-j", "DROP")

    def throttle(self, kilobits_per_second: int) -> None:
        """Limits what goes to the peer."""
        limits = ("rate", f"{kilobits_per_second}kbit", "burst", "32kb", "latency", "200ms")
        run("tc", "qdisc", "replace", "dev", self.cable, "root", "tbf", *limits)


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
