"""One virtual device: what it boots with, its configuration state, its interfaces as configured, its counters and faults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface

from lab.virtual import engine
from lab.virtual.facts import Port, SnmpUser, bare_port, configured_router_id, interface_of
from lab.virtual.faults import NO_SNMP_FAULTS, NO_SSH_FAULTS, SnmpFaults, SshFaults
from lab.virtual.grammar import Grammar, read_grammar
from lab.virtual.media import PortMedium
from lab.virtual.state import Device
from lab.virtual.tree import Entry


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A device to be simulated. `contacts` are its addresses in the plan, best first; empty means: it always answers.

    `boot` is the configuration text it starts with; `speeds_mbps` gives ports another speed than 1000. `snmp_users` and
    `communities` are answered beside those that the configuration makes; `wide_counters` false leaves out 64-bit counters.
    """

    name: str
    family: str
    ports: tuple[str, ...]
    contacts: tuple[IPv4Address, ...] = ()
    boot: str = ""
    root: bool = False
    speeds_mbps: Mapping[str, int] = field(default_factory=dict)
    snmp_users: tuple[SnmpUser, ...] = ()
    communities: tuple[str, ...] = ()
    wide_counters: bool = True


@dataclass(frozen=True, slots=True)
class Traffic:
    """What moves through an interface, in bit/s and errors a second, while it is up."""

    in_bps: float = 0.0
    out_bps: float = 0.0
    in_errors_per_s: float = 0.0


@dataclass(slots=True)
class Meter:
    """Counters of one interface: what was counted up to `at_s`, and what is added each second since."""

    at_s: float
    traffic: Traffic
    in_octets: float = 0.0
    out_octets: float = 0.0
    in_errors: float = 0.0
    running: bool = True

    def read(self, now_s: float) -> tuple[int, int, int]:
        """Return octets in, octets out and errors in at this moment."""
        passed = max(0.0, now_s - self.at_s) if self.running else 0.0
        flow = self.traffic
        return (
            int(self.in_octets + flow.in_bps / 8 * passed),
            int(self.out_octets + flow.out_bps / 8 * passed),
            int(self.in_errors + flow.in_errors_per_s * passed),
        )

    def turn(self, now_s: float, *, running: bool | None = None, traffic: Traffic | None = None) -> None:
        """Count up to now, then go on with other traffic or none."""
        passed = max(0.0, now_s - self.at_s) if self.running else 0.0
        self.in_octets += self.traffic.in_bps / 8 * passed
        self.out_octets += self.traffic.out_bps / 8 * passed
        self.in_errors += self.traffic.in_errors_per_s * passed
        self.at_s = now_s
        self.running = self.running if running is None else running
        self.traffic = traffic or self.traffic


class VirtualDevice:
    """One device of the network: its configuration state, its interfaces as configured, its counters and faults."""

    __slots__ = (
        "_logical",
        "_near",
        "_seen",
        "boots",
        "changed_s",
        "grammar",
        "held",
        "index",
        "media",
        "meters",
        "ports",
        "powered",
        "router_id",
        "sessions",
        "snmp_faults",
        "spec",
        "ssh_faults",
        "state",
        "up",
        "version",
    )

    def __init__(self, spec: DeviceSpec, now_s: float) -> None:
        self.spec = spec
        self.grammar: Grammar = read_grammar(spec.family)
        self.state: Device = booted(self.grammar, spec, now_s)
        self.boots = 1
        self.powered = True
        self.ssh_faults: SshFaults = NO_SSH_FAULTS
        self.snmp_faults: SnmpFaults = NO_SNMP_FAULTS
        self.sessions = 0
        self._seen: dict[str, tuple[Entry, Port]] = {}
        self.ports: dict[str, Port] = {}
        self.up: dict[str, bool] = {}
        self.meters: dict[str, Meter] = {}
        #: What ports show of their medium, by name; change it through `VirtualNetwork.set_medium`.
        self.media: dict[str, PortMedium] = {}
        #: When an interface last changed its operational state, by name.
        self.changed_s: dict[str, float] = {}
        #: Counts the configurations, so that readers know when to look again.
        self.version = 0
        #: Addresses of interfaces that are not shut.
        self.held: frozenset[IPv4Address] = frozenset()
        self._near: Mapping[str, Sequence[IPv4Interface]] = {}
        self._logical: tuple[IPv4Interface, ...] = ()
        #: What OSPF goes by: what it was first told, until it is restarted.
        self.router_id: IPv4Address | None = None
        #: ifIndex by interface name; an interface keeps its index until the device restarts.
        self.index: dict[str, int] = {}
        self.refresh()

    def refresh(self) -> bool:
        """Read the interfaces of the running configuration again; tell whether any of them changed in a way that counts."""
        self.version += 1
        before = {name: (port.shutdown, port.addresses) for name, port in self.ports.items()}
        seen: dict[str, tuple[Entry, Port]] = {}
        for entry in self.state.running.children:
            held = self._seen.get(entry.shown)
            if held is not None and held[0] is entry:
                seen[entry.shown] = held
                continue
            port = interface_of(self.grammar, entry)
            if port is not None:
                seen[entry.shown] = (entry, port)
        self._seen = seen
        self.ports = {port.name: port for _, port in seen.values()}
        for name in self.spec.ports:
            if name not in self.ports:
                self.ports[name] = bare_port(self.grammar, name)
        for name in self.ports:
            self.index.setdefault(name, len(self.index) + 1)
        wanted = configured_router_id(self.grammar, self.state.running, self.ports.values())
        if wanted is None or self.router_id is None:
            self.router_id = wanted
        self._gather()
        return before != {name: (port.shutdown, port.addresses) for name, port in self.ports.items()}

    def _gather(self) -> None:
        """Sort the addresses of open interfaces by where they are met: on the interface, and on the port beneath it."""
        near: dict[str, list[IPv4Interface]] = defaultdict(list)
        open_ports = [port for port in self.ports.values() if not port.shutdown]
        for port in open_ports:
            for name in (port.name, port.parent):
                if name is not None:
                    near[name] += port.addresses
        self._near = near
        self._logical = tuple(address for port in open_ports if not port.physical and port.parent is None for address in port.addresses)
        self.held = frozenset(address.ip for port in open_ports for address in port.addresses)

    def addresses_at(self, interface: str) -> Sequence[IPv4Interface]:
        """Return the addresses at one end of a line: of the interface and its sub-interfaces, else any of the device (a switch)."""
        return self._near.get(interface) or self._logical

    def is_admin_up(self, interface: str) -> bool:
        """Tell whether the interface, and the port beneath a sub-interface, are not shut."""
        port = self.ports.get(interface)
        if port is None or port.shutdown:
            return False
        return port.parent is None or port.parent not in self.ports or self.is_admin_up(port.parent)


def booted(grammar: Grammar, spec: DeviceSpec, now_s: float) -> Device:
    """Return the device after it read its boot text. Raises ValueError naming every line that the family refuses."""
    turn = engine.load(grammar, engine.new_device(grammar, spec.name, spec.ports, now_s), spec.boot.splitlines(), now_s)
    if turn.text:
        raise ValueError(f"{spec.name} ({spec.family}): the boot text has lines that the family refuses:\n{turn.text}")
    return turn.device
