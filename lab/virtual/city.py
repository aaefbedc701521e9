"""A virtual city: the network of a workspace on virtual devices, with what a carrier brings to it.

Beside states it knows what active tests would find: round trips, losses and rates. Those figures are played, not measured;
whoever passes them on says so.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv4Address

from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.inventory import Line, parents, path_to_root
from app.core.renumber import advance, find_moves
from app.core.workspace import Workspace
from app.errors import LabError
from app.workflows.measure import service_address
from lab.virtual.device import Traffic, VirtualDevice
from lab.virtual.facts import SnmpUser
from lab.virtual.media import AdslSync, PortMedium, usual_light
from lab.virtual.network import Link, VirtualNetwork, links_of, specs_of
from lab.virtual.state import Session, Turn
from lab.virtual.tree import lines_of

#: Share of a line's rate that is left to TCP over IPv4 and Ethernet with full segments: 1448 of 1538 octets (RFC 894, RFC 9293).
GOODPUT_SHARE = 1448 / 1538
#: Round trip that one line adds, ms, by medium.
ROUND_TRIP_MS = {"fibre": 2.0, "adsl": 18.0}
#: Jitter of a way as a share of its round trip.
JITTER_SHARE = 0.05
#: What shows a device's own probe, in its vendor's words.
PROBE_COMMANDS = ("display nqa results test-instance waiwang centre", "display nqa result waiwang centre", "show ip sla statistics 1")
#: How the vendors ask: `ping -c 3 ADDRESS`, `ping ADDRESS repeat 3`, `ping ADDRESS`.
_PING = re.compile(r"ping (?:-c (?P<count>\d+) )?(?P<address>[\d.]+)(?: repeat (?P<repeat>\d+))?$")
#: How many requests a `ping` sends that names no number; a virtual vtysh cannot be interrupted, so it ends by itself.
DEFAULT_COUNT = 5


@dataclass(frozen=True, slots=True)
class Quality:
    """What the carrier delivers on a line: the share of its rate, of probes lost, and errored frames a second."""

    rate_share: float = 1.0
    loss_ratio: float = 0.0
    errors_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Probe:
    """What probes would find: sent, received, mean round trip and jitter in ms, None where none came back."""

    sent: int
    received: int
    mean_ms: float | None
    jitter_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """What a load test would find, kbit/s; None with the reason where nothing passes."""

    down_kbps: float | None
    up_kbps: float | None
    reason: str = ""


class VirtualCity(VirtualNetwork):
    """The network of one workspace. As its parent: change it only through its methods, on the thread that owns it."""

    def __init__(
        self,
        workspace: Workspace,
        intents: Mapping[str, DeviceIntent],
        boot: Mapping[str, str],
        snmp_user: SnmpUser,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Boot every device with its text. FRR's own configuration makes no SNMP user, so it is given one.

        Devices answer at the addresses too that a planned renumbering will give them, once they hold them.
        """
        ahead = build_intents(ahead_of_moves(workspace))
        specs = [replace(spec, contacts=ahead[spec.name].contacts) for spec in specs_of(intents.values(), boot, {"frr": (snmp_user,)})]
        super().__init__(specs, links_of(intents.values()), clock=clock)
        self.workspace = workspace
        self._parents = parents(workspace.inventory)
        wired = {link.name: link for link in self.links if link.name and self._is_in_use(link)}
        self._lines = {line_id: wired[line_id] for line_id in workspace.inventory.lines if line_id in wired}
        for line_id in self._lines:
            self._lay(workspace.inventory.lines[line_id])
        self._quality: dict[str, Quality] = {}
        self._load: Callable[[str], float] = usual_load
        self._holders = dict(self._held_addresses(intents))

    def _lay(self, line: Line) -> None:
        """Give a line's ports their medium: light at both ends of a fibre, a synchronised modem at the unit's end of an ADSL line."""
        service_class = self.workspace.order.classes[line.service_class]
        for device, interface in ((line.a_device, line.a_interface), (line.z_device, line.z_interface)):
            port = interface.partition(".")[0]
            if line.medium == "fibre":
                self.set_medium(device, port, PortMedium(full_duplex=True, rx_dbm=usual_light(f"{device}:{port}")))
            elif device == line.z_device:
                sync = AdslSync(service_class.configured_down_kbps, service_class.configured_up_kbps)
                self.set_medium(device, port, PortMedium(adsl=sync))

    def _is_in_use(self, link: Link) -> bool:
        """Tell a line's own pair of ports from its reserved one."""
        line = self.workspace.inventory.lines[link.name]
        return link.a_interface in (line.a_interface, line.z_interface)

    def _held_addresses(self, intents: Mapping[str, DeviceIntent]) -> Iterator[tuple[IPv4Address, str]]:
        """Yield every address that answers a probe, with the device that holds it or that it stands behind."""
        for name, intent in intents.items():
            yield from ((port.address.ip, name) for port in intent.interfaces if port.address is not None)
        for service in self.workspace.inventory.services.values():
            yield service_address(self.workspace, service), service.device

    # --- what the carriers do

    def find_line(self, wanted: str) -> tuple[Line, Link]:
        """Return a line by its id, or the first one between two devices `A:B`. Raises LabError where there is none."""
        pair = set(wanted.split(":"))
        for line_id, link in self._lines.items():
            if wanted == line_id or {link.a_device, link.z_device} == pair:
                return self.workspace.inventory.lines[line_id], link
        first = next(iter(self._lines.values()))
        raise LabError(
            f"{wanted}: no such line: expected a line id such as {first.name}, or two devices such as {first.a_device}:{first.z_device}; "
            "found none of the simulation's lines. Choose one of its inventory/lines.csv."
        )

    def find_device(self, wanted: str) -> VirtualDevice:
        """Return a device by its name. Raises LabError where there is none."""
        if wanted in self.devices:
            return self.devices[wanted]
        first = next(iter(self.devices))
        raise LabError(
            f"{wanted}: no such device: expected the name of one, such as {first}; found none of the simulation's devices. "
            "Choose one of its inventory/devices.csv."
        )

    def lines_up(self) -> dict[str, bool]:
        """Return for every line whether its ports are up; reserved ports do not count."""
        return {line_id: self.is_up(link.a_device, link.a_interface) for line_id, link in self._lines.items()}

    def set_quality(self, line_id: str, quality: Quality) -> None:
        """Let a line be good or bad from now on."""
        self._quality[line_id] = quality
        self._flow(self.workspace.inventory.lines[line_id], self._lines[line_id])

    def set_load(self, load: Callable[[str], float]) -> None:
        """Let every line carry this share of its rate from now on, by line id."""
        self._load = load
        for line_id, link in self._lines.items():
            self._flow(self.workspace.inventory.lines[line_id], link)

    def _probe_text(self, name: str) -> str:
        """Return what a device tells of the probe that its configuration holds; nothing where it holds none."""
        device = self.devices[name]
        wanted = _probe_of(lines_of(device.state.running))
        return probe_text(device.grammar.vendor, self.probe(wanted[0], wanted[1], name)) if wanted else ""

    def quality(self, line_id: str) -> Quality:
        return self._quality.get(line_id, Quality())

    def tick(self) -> None:
        """Let trials run out, and traffic begin where an interface was just made."""
        super().tick()
        for line_id, link in self._lines.items():
            meters = self.devices[link.a_device].meters
            if link.a_interface in meters and not meters[link.a_interface].traffic.out_bps:
                self._flow(self.workspace.inventory.lines[line_id], link)

    def _flow(self, line: Line, link: Link) -> None:
        """Set what passes a line: a share of its rate that its id decides, the same at both ends."""
        service_class = self.workspace.order.classes[line.service_class]
        share = self._load(line.line_id)
        down, up = service_class.nominal_down_kbps * 1000 * share, service_class.nominal_up_kbps * 1000 * share * 0.4
        errors = self.quality(line.line_id).errors_per_s
        forward = link.a_device == line.a_device
        ends = ((link.a_device, link.a_interface), (link.z_device, link.z_interface))
        near, far = ends if forward else ends[::-1]
        for (device, interface), (received, sent) in ((near, (up, down)), (far, (down, up))):
            if interface in self.devices[device].meters:
                self.set_traffic(device, interface, Traffic(received, sent, errors))

    # --- what active tests would find

    def probe(self, address: IPv4Address, count: int, sender: str | None = None) -> Probe:
        """Return what probes from a device, or from the centre, to an address of the plan would find now."""
        holder = self._holders.get(address) or next((name for name, device in self.devices.items() if address in device.held), None)
        if holder is None or not self.is_reachable(holder) or (sender is not None and not self.is_reachable(sender)):
            return Probe(count, 0, None)
        if address not in self.devices[holder].held and not self._is_service(address):
            return Probe(count, 0, None)
        ways = [path_to_root(name, self._parents) for name in (holder, sender) if name is not None]
        passed = [line for way in ways for line in way]
        kept = 1.0
        for line in passed:
            kept *= 1 - self.quality(line.line_id).loss_ratio
        received = round(count * kept)
        if not received:
            return Probe(count, 0, None)
        way_ms = sum(ROUND_TRIP_MS[line.medium] for line in passed)
        return Probe(count, received, way_ms + 0.4, round(JITTER_SHARE * way_ms, 3) if received > 1 else None)

    def _is_service(self, address: IPv4Address) -> bool:
        """Tell whether a server answers at the address: its port on the router has to be up."""
        for service in self.workspace.inventory.services.values():
            if service_address(self.workspace, service) == address:
                return self.is_up(service.device, service.interface)
        return False

    def rates(self, line_id: str) -> Rates:
        """Return what loading a line in both directions would find now."""
        line, link = self.find_line(line_id)
        ends = ((link.a_device, link.a_interface), (link.z_device, link.z_interface))
        down = [f"{device}/{interface}" for device, interface in ends if not self.is_up(device, interface)]
        if down:
            return Rates(None, None, f"port {down[0]} is down")
        if not all(self.is_reachable(device) for device, _ in ends):
            return Rates(None, None, "an end of the line is not reached")
        service_class = self.workspace.order.classes[line.service_class]
        share = GOODPUT_SHARE * self.quality(line_id).rate_share
        return Rates(round(service_class.configured_down_kbps * share, 1), round(service_class.configured_up_kbps * share, 1))

    # --- what is typed on devices

    def run(self, name: str, session: Session, line: str) -> Turn:
        """Type a line on a device; `ping` is answered here, all else by the device's grammar."""
        words = line.split()
        if line.strip() in PROBE_COMMANDS and session.question is None and not session.configuring:
            return Turn(self.devices[name].state, session, self._probe_text(name))
        if words[:1] != ["ping"] or session.question is not None:
            return super().run(name, session, line)
        asked = _PING.match(line.strip())
        try:
            address = IPv4Address(asked["address"] if asked else "")
        except AddressValueError:
            return super().run(name, session, line)
        assert asked is not None
        count = int(asked["count"] or asked["repeat"] or DEFAULT_COUNT)
        device = self.devices[name]
        text = ping_text(device.grammar.vendor, address, self.probe(address, count, name))
        return Turn(device.state, replace(session), text)


def ahead_of_moves(workspace: Workspace) -> Workspace:
    """Return the workspace as if every renumbering that is planned had begun: devices have the addresses then that they are to get."""
    holders = {move.holder for move in find_moves(workspace) if move.phase == "planned"}
    return replace(workspace, ledger=advance(workspace.ledger, holders, "dual"))


def _probe_of(texts: Sequence[str]) -> tuple[IPv4Address, int] | None:
    """Return target and count of the probe that a configuration holds, None where it holds none that was started."""
    text = "\n".join(texts)
    started = re.search(r"^ *(?:start now|nqa schedule waiwang centre .*|ip sla schedule 1 .*)$", text, re.MULTILINE)
    target = re.search(r"^ *(?:destination-address ipv4|destination ip|icmp-echo) (\d+\.\d+\.\d+\.\d+)", text, re.MULTILINE)
    count = re.search(r"^ *(?:probe-count|probe count) (\d+)", text, re.MULTILINE)
    return (IPv4Address(target[1]), int(count[1]) if count else 1) if started and target else None


def probe_text(vendor: str, found: Probe) -> str:
    """Return the newest result of a device's own probe as its vendor shows it, marked as simulated."""
    mean = round(found.mean_ms or 0.0)
    lost = round(100 * (1 - found.received / found.sent))
    if vendor == "cisco":
        latest = f"Latest RTT: {mean} milliseconds" if found.received else "Latest RTT: NoConnection/Busy/Timeout"
        code = "OK" if found.received else "Timeout"
        counts = f"Number of successes: {found.received}\nNumber of failures: {found.sent - found.received}"
        head = "IPSLAs Latest Operation Statistics (SIMULATION)\n\nIPSLA operation id: 1"
        return f"{head}\n        {latest}\nLatest operation return code: {code}\n{counts}\nOperation time to live: Forever"
    counts = f"Send operation times: {found.sent}                Receive response times: {found.received}"
    if vendor == "h3c":
        return (
            f"NQA entry (admin waiwang, tag centre) test results: SIMULATION\n    {counts}\n"
            f"    Min/Max/Average round trip time: {mean}/{mean}/{mean}\n  Extended results:\n    Packet loss ratio: {lost}%"
        )
    return (
        f" NQA entry(waiwang, centre) :testflag is active ,testtype is icmp\n  1 . Test 1 result   SIMULATION\n   {counts}\n"
        f"   Min/Max/Average Completion Time: {mean}/{mean}/{mean}\n   Lost packet ratio: {lost} %"
    )


def usual_load(line_id: str) -> float:
    """Return the share of its rate that a line usually carries, 0.05 to 0.6, always the same for one id."""
    return 0.05 + 0.55 * int.from_bytes(hashlib.sha256(line_id.encode()).digest()[:4]) / 0xFFFFFFFF


def ping_text(vendor: str, address: IPv4Address, found: Probe) -> str:
    """Return the statistics as a vendor's `ping` prints them, marked as simulated."""
    lost = 100 * (1 - found.received / found.sent)
    mean = found.mean_ms or 0.0
    head = f"PING {address}: SIMULATION, no packet is sent"
    if vendor == "huawei":
        counts = f"    {found.sent} packet(s) transmitted\n    {found.received} packet(s) received\n    {lost:.2f}% packet loss"
        times = f"\n    round-trip min/avg/max = {mean:.0f}/{mean:.0f}/{mean:.0f} ms"
    elif vendor == "cisco":
        counts = f"Success rate is {100 - lost:.0f} percent ({found.received}/{found.sent})"
        times = f", round-trip min/avg/max = {mean:.0f}/{mean:.0f}/{mean:.0f} ms"
        return f"{head}\n{counts}{times if found.received else ''}"
    else:
        words = "packet(s)" if vendor == "h3c" else "packets"
        counts = f"{found.sent} {words} transmitted, {found.received} {words} received, {lost:.1f}% packet loss"
        times = f"\nround-trip min/avg/max/std-dev = {mean:.3f}/{mean:.3f}/{mean:.3f}/0.000 ms"
    return f"{head}\n--- {address} ping statistics ---\n{counts}{times if found.received else ''}"
