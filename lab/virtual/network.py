"""The state that every virtual device shares: what is configured, which lines are up, who can be reached, what moves.

Centre and devices are in band, as in life: a device answers only while a chain of working lines, each with addresses of one
network at both ends, leads to it from a root, and only at addresses that it holds. Routing itself is not played.
Every moment is POSIX seconds and comes from `clock`; nothing here opens a socket.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import TypeVar

from app.core.intent import DeviceIntent
from lab.virtual import engine
from lab.virtual.device import DeviceSpec, Meter, Traffic, VirtualDevice, booted
from lab.virtual.facts import SnmpUser, hostname_of
from lab.virtual.faults import SnmpFaults, SshFaults
from lab.virtual.grammar import Grammar, read_grammar
from lab.virtual.media import PortMedium
from lab.virtual.state import Context, Device, Session, Turn, settle
from lab.virtual.surroundings import Meeting, look_around

Listener = TypeVar("Listener")


@dataclass(frozen=True, slots=True)
class Link:
    """A line between two interfaces; `a` is the end nearer the root by custom, not by need."""

    a_device: str
    a_interface: str
    z_device: str
    z_interface: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class PortChange:
    """An interface that changed its operational state."""

    device: str
    interface: str
    up: bool
    at_s: float


class VirtualNetwork:
    """Devices and the lines between them. Change it only through its methods: they tell the listeners."""

    def __init__(self, devices: Iterable[DeviceSpec], links: Iterable[Link] = (), *, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        now_s = clock()
        self.devices: dict[str, VirtualDevice] = {spec.name: VirtualDevice(spec, now_s) for spec in devices}
        self.links: tuple[Link, ...] = tuple(links)
        self._at: dict[tuple[str, str], Link] = {}
        self._of: dict[str, list[Link]] = defaultdict(list)
        for link in self.links:
            self._wire(link)
        self._cut: set[Link] = set()
        self._reached: frozenset[str] | None = None
        self._places, self._mapped = _place(self.devices)
        self.on_port: list[Callable[[PortChange], None]] = []
        self.on_reach: list[Callable[[], None]] = []
        self.on_reboot: list[Callable[[str], None]] = []
        for name in self.devices:
            self._refresh_ports(name, now_s, quiet=True)

    def _wire(self, link: Link) -> None:
        for device, interface in ((link.a_device, link.a_interface), (link.z_device, link.z_interface)):
            if device not in self.devices:
                raise ValueError(f"{link}: expected a device of the network; found {device!r}. Add it, or leave the line out.")
            self._at[device, interface] = link
            self._of[device].append(link)

    # --- addresses ---

    def address_of(self, contact: IPv4Address | str) -> str:
        """Return the loopback address that plays this contact address. Raises KeyError where no device has it."""
        return self._mapped[str(contact)]

    def addresses_of(self, name: str) -> tuple[str, ...]:
        """Return the loopback addresses of a device, best first."""
        return tuple(address for address, (device, _) in self._places.items() if device == name)

    def places(self) -> Mapping[str, tuple[str, IPv4Address | None]]:
        """Return the device and the contact address behind every loopback address."""
        return self._places

    def answers(self, address: str) -> bool:
        """Tell whether what stands behind a loopback address can be reached from the centre now."""
        name, contact = self._places[address]
        if not self.is_reachable(name):
            return False
        return contact is None or contact in self.devices[name].held

    # --- states ---

    def is_reachable(self, name: str) -> bool:
        """Tell whether the device is on and a chain of working lines leads to it."""
        if self._reached is None:
            self._reached = self._reach()
        return name in self._reached

    def _reach(self) -> frozenset[str]:
        """Walk from the roots over working lines. O(devices + lines)."""
        isolated = {name for name, device in self.devices.items() if not self._of.get(name) or not device.spec.contacts}
        roots = [name for name, device in self.devices.items() if (device.spec.root or name in isolated) and device.powered]
        reached, queue = set(roots), deque(roots)
        while queue:
            here = queue.popleft()
            for link in self._of.get(here, ()):
                there = link.z_device if link.a_device == here else link.a_device
                if there not in reached and self._carries(link):
                    reached.add(there)
                    queue.append(there)
        return frozenset(reached)

    def _carries(self, link: Link) -> bool:
        """Tell whether packets pass: the line is up and both ends hold addresses of one network."""
        if not self._is_link_up(link):
            return False
        near = self.devices[link.a_device].addresses_at(link.a_interface)
        far = self.devices[link.z_device].addresses_at(link.z_interface)
        return any(a.network == z.network and a.ip != z.ip for a in near for z in far)

    def _is_link_up(self, link: Link) -> bool:
        if link in self._cut:
            return False
        ends = ((link.a_device, link.a_interface), (link.z_device, link.z_interface))
        return all(self.devices[device].powered and self.devices[device].is_admin_up(interface) for device, interface in ends)

    def is_up(self, name: str, interface: str) -> bool:
        """Tell the operational state of an interface; without a line it is up while it is not shut."""
        device = self.devices[name]
        if not device.powered or not device.is_admin_up(interface):
            return False
        link = self._at.get((name, interface))
        if link is not None:
            return self._is_link_up(link)
        port = device.ports[interface]
        return port.parent is None or (name, port.parent) not in self._at or self.is_up(name, port.parent)

    def _refresh_ports(self, name: str, now_s: float, *, quiet: bool = False) -> None:
        """Compare the operational states of a device's interfaces with what they were; count and tell the changes."""
        device = self.devices[name]
        for interface in device.ports:
            up = self.is_up(name, interface)
            meter = device.meters.get(interface)
            if meter is None:
                device.meters[interface] = Meter(now_s, Traffic(), running=up)
            before = device.up.get(interface)
            device.up[interface] = up
            if before is up:
                continue
            device.meters[interface].turn(now_s, running=up)
            device.changed_s[interface] = now_s
            if not quiet and before is not None:
                for listener in self.on_port:
                    listener(PortChange(name, interface, up, now_s))
        for gone in set(device.up) - set(device.ports):
            del device.up[gone]
            device.meters.pop(gone, None)

    def _settle(self, *names: str, moved: bool = False) -> None:
        """Work out what a change at these devices means for them and their neighbours; `moved`: they hold other addresses now."""
        now_s = self.clock()
        before = self._reached
        self._reached = None
        touched = dict.fromkeys(names)
        for name in names:
            touched.update({end: None for link in self._of.get(name, ()) for end in (link.a_device, link.z_device)})
        for name in touched:
            self._refresh_ports(name, now_s)
        if moved or before is None or self._reach() != before:
            for listener in self.on_reach:
                listener()

    def hostname(self, name: str) -> str:
        """Return the name that a device is configured with."""
        device = self.devices[name]
        return hostname_of(device.grammar, device.state.running) or name

    # --- what happens to it ---

    def context(self, name: str) -> Context:
        """Return what a line typed on this device is judged in."""
        device = self.devices[name]
        return Context(
            device.grammar,
            self.clock(),
            is_up=lambda interface: self.is_up(name, interface),
            look_around=lambda: look_around(name, self.devices, self._lines_up),
            router_id=device.router_id,
        )

    def _lines_up(self, name: str) -> Iterator[Meeting]:
        """Yield the ends of every line of a device that is up, its own first."""
        for link in self._of.get(name, ()):
            if self._is_link_up(link):
                ends = ((link.a_device, link.a_interface), (link.z_device, link.z_interface))
                (_, near), (far, far_interface) = ends if link.a_device == name else reversed(ends)
                yield Meeting(near, far, far_interface)

    def run(self, name: str, session: Session, line: str) -> Turn:
        """Type a line on a device; its state, its neighbours' and everybody's reach follow."""
        device = self.devices[name]
        turn = engine.step(self.context(name), replace(device.state, disk_full=device.ssh_faults.disk_full), session, line)
        self._keep(name, turn.device)
        if turn.restarts_ospf:
            device.router_id = None
            device.refresh()
        if turn.reboots:
            self.reboot(name)
        return turn

    def _keep(self, name: str, state: Device) -> None:
        device = self.devices[name]
        changed, held = state.running is not device.state.running, device.held
        device.state = state
        if changed and device.refresh():
            self._settle(name, moved=device.held != held)

    def tick(self) -> None:
        """Roll back trials that ran out; call it every second or so."""
        now_s = self.clock()
        for name, device in self.devices.items():
            if device.state.trial is not None:
                self._keep(name, settle(device.state, now_s))

    def open_session(self, name: str, user: str) -> Session:
        """Return a new login on the device."""
        device = self.devices[name]
        device.sessions += 1
        return Session(device.sessions, user)

    def close_session(self, name: str, session: Session) -> None:
        """Give back the lock that a session held. A trial it began runs on to its end."""
        state = self.devices[name].state
        if state.locked_by == session.number:
            state = replace(state, locked_by=None)
        self._keep(name, state)

    def cut(self, link: Link) -> None:
        """Break a line: both its ends go down."""
        self._cut.add(link)
        self._settle(link.a_device, link.z_device)

    def heal(self, link: Link) -> None:
        self._cut.discard(link)
        self._settle(link.a_device, link.z_device)

    def link_at(self, name: str, interface: str) -> Link:
        """Return the line at an interface. Raises KeyError where there is none."""
        return self._at[name, interface]

    def power(self, name: str, *, on: bool) -> None:
        """Switch a device off, or on again, when it starts from what it saved."""
        device = self.devices[name]
        if on and not device.powered:
            self._restart(device)
        device.powered = on
        self._settle(name)

    def reboot(self, name: str) -> None:
        """Restart a device at once: unsaved changes are lost, its clock and counters start at zero."""
        self._restart(self.devices[name])
        self._settle(name)
        for listener in self.on_reboot:
            listener(name)

    def _restart(self, device: VirtualDevice) -> None:
        now_s = self.clock()
        saved, fresh = device.state.saved, booted(device.grammar, device.spec, now_s)
        device.state = replace(fresh, running=saved or fresh.running, saved=saved, vault={**fresh.vault, **device.state.vault})
        device.boots += 1
        flows = {name: meter.traffic for name, meter in device.meters.items()}
        device.meters = {name: Meter(now_s, flow, running=False) for name, flow in flows.items()}
        device.up = {}
        device.index = {}
        device.router_id = None
        device.refresh()

    def load(self, name: str, text: str) -> str:
        """Play configuration text on a device at once; return the lines it refused, or nothing."""
        device = self.devices[name]
        turn = engine.load(device.grammar, device.state, text.splitlines(), self.clock())
        self._keep(name, turn.device)
        return turn.text

    def set_traffic(self, name: str, interface: str, traffic: Traffic) -> None:
        """Let other traffic pass an interface from now on."""
        self.devices[name].meters[interface].turn(self.clock(), traffic=traffic)

    def set_medium(self, name: str, interface: str, medium: PortMedium) -> None:
        """Let a port show another medium from now on."""
        device = self.devices[name]
        device.media[interface] = medium
        device.version += 1

    def set_faults(self, name: str, *, ssh: SshFaults | None = None, snmp: SnmpFaults | None = None) -> None:
        """Make a device show faults; what is not given stays."""
        device = self.devices[name]
        device.ssh_faults = ssh or device.ssh_faults
        device.snmp_faults = snmp or device.snmp_faults


def forget(listeners: list[Listener], listener: Listener) -> None:
    """Take a listener off a list; nothing where it is not on it."""
    if listener in listeners:
        listeners.remove(listener)


def _place(devices: Mapping[str, VirtualDevice]) -> tuple[dict[str, tuple[str, IPv4Address | None]], dict[str, str]]:
    """Give every contact a loopback address: 127.64.x.y for the best of each device, 127.65.x.y for the next, and so on.

    A contact that is itself in 127.0.0.0/8 (a plan made for a simulation) is its own.
    """
    places: dict[str, tuple[str, IPv4Address | None]] = {}
    mapped: dict[str, str] = {}
    for number, (name, device) in enumerate(devices.items()):
        for rank, contact in enumerate(device.spec.contacts or (None,)):
            own = contact is not None and contact.is_loopback
            address = str(contact) if own else f"127.{64 + rank}.{number // 250}.{number % 250 + 1}"
            places[address] = (name, contact)
            if contact is not None:
                mapped[str(contact)] = address
    return places, mapped


def specs_of(
    intents: Iterable[DeviceIntent], boot: Mapping[str, str], snmp_users: Mapping[str, tuple[SnmpUser, ...]] | None = None
) -> tuple[DeviceSpec, ...]:
    """Return the devices of a plan with the boot text of each.

    `snmp_users` by family are for families whose configuration makes none (FRR's agent is not FRR's own).
    Raises GrammarFault for a family that has no grammar.
    """
    users = snmp_users or {}
    return tuple(
        DeviceSpec(
            name=intent.hostname,
            family=intent.family,
            ports=_ports(read_grammar(intent.family), intent),
            snmp_users=users.get(intent.family, ()),
            contacts=intent.contacts,
            boot=boot.get(intent.hostname, ""),
            root=intent.uplink is None and intent.depth == 0 and intent.role != "unit_switch",
            speeds_mbps={port.name: port.port_mbps for port in intent.interfaces if port.port_mbps},
        )
        for intent in intents
    )


def _ports(grammar: Grammar, intent: DeviceIntent) -> tuple[str, ...]:
    """Return the physical ports that the interfaces of an intent stand on."""
    names = dict.fromkeys(port.name.partition(".")[0] for port in intent.interfaces)
    return tuple(name for name in names if grammar.is_physical(name))


def links_of(intents: Iterable[DeviceIntent]) -> tuple[Link, ...]:
    """Return the lines between the devices of a plan, each once."""
    links: dict[frozenset[tuple[str, str]], Link] = {}
    for intent in sorted(intents, key=lambda intent: intent.depth):
        for port in intent.interfaces:
            if port.far_device and port.far_interface:
                ends = frozenset({(intent.hostname, port.name), (port.far_device, port.far_interface)})
                links.setdefault(ends, Link(intent.hostname, port.name, port.far_device, port.far_interface, port.line_id or ""))
    return tuple(links.values())
