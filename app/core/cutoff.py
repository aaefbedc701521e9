"""Would these commands cut the way that they arrive by? Judged line by line: a gap in between is a cut as well.

But for two kinds of lines, which are given in one write (`in_one_write`), as the device goes on with what it has received while nobody
reaches it: the address lines of one interface, outside FRR, where they concern the session's own address; and the NET of IS-IS, whose
old one must go before another system id is taken, which ends the routes that the session itself uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, IPv4Network, NetmaskValueError

from app.core.commands import Command, blocks, is_frr, negation
from app.core.intent import DeviceIntent

#: What puts an interface into a VPN instance; what gives a sub-interface its VLAN.
_BINDINGS = ("ip binding vpn-instance", "ip vrf forwarding", "vrf forwarding")
_TAGS = ("dot1q termination vid", "vlan-type dot1q", "encapsulation dot1q")
_NET = re.compile(r"(?:(?:undo|no) )?(?:network-entity|net) [\dA-Fa-f.]+$")
_IGP_ENDED = re.compile(r"undo (?:ospf|isis) \d+$")


@dataclass(frozen=True, slots=True)
class ManagementPath:
    """What the centre needs to reach a device: the interface towards it, the routes back to `sources`, the address in use.

    `interfaces` is the uplink; for the root, whatever leads to the sources themselves.
    """

    interfaces: tuple[str, ...]
    sources: tuple[IPv4Network, ...]
    session_address: IPv4Address | None = None


@dataclass(slots=True)
class _State:
    """What is in force so far. Addresses by interface, the leading one of each where another takes its place, routes as lines."""

    addresses: dict[str, set[IPv4Interface]]
    routes: set[str]
    leading: dict[str, IPv4Interface] | None = None


def management_path(intent: DeviceIntent, session_address: IPv4Address | None = None) -> ManagementPath:
    """Return the path that a device is managed by, as its intent describes it."""
    sources = intent.management.sources
    leading = tuple(
        interface.name
        for interface in intent.interfaces
        if interface.address is not None and any(interface.address.network.overlaps(source) for source in sources)
    )
    return ManagementPath((intent.uplink,) if intent.uplink else leading, sources, session_address)


def served_before(family: str, before: str, path: ManagementPath) -> ManagementPath:
    """Return the part of a path that was there in an earlier configuration, for a way back to it.

    A port that was shut then, an address or a route that was missing: the device was reached without them.
    """
    state = _state_of(family, before)
    shut = {_interface(head) for head, body in blocks(family, before) if head.startswith("interface ") and "shutdown" in body}

    def served(interface: str) -> bool:
        return bool(state.addresses.get(interface)) and shut.isdisjoint({interface, interface.partition(".")[0]})

    interfaces = tuple(interface for interface in path.interfaces if served(interface))
    return ManagementPath(interfaces, tuple(source for source in path.sources if _has_route(state.routes, source)), path.session_address)


def find_cutoffs(family: str, running: str, commands: Iterable[Command], path: ManagementPath) -> tuple[str, ...]:
    """Return every command, with the reason, that would cut the management path; empty when none would.

    A route or an address may go once another one serves in its place; a path that is not there yet cannot be cut.
    """
    undo = f"{negation(family)} "
    state = _state_of(family, running)
    found: list[str] = []
    block = ""
    for run in runs(family, commands):
        before = set(state.addresses.get(_interface(block), ())) if len(run) > 1 else set()
        for command in run:
            if command.level == 0:
                block = command.text
            reason = _step(command, block, undo, state, path)
            if reason and len(run) == 1:
                found.append(f"{block} / {command.text}: {reason}" if command.level else f"{command.text}: {reason}")
        if len(run) > 1 and (reason := _lost(before, state.addresses.get(_interface(block), set()), _interface(block), path)):
            found.append(f"{block} / {run[0].text} … {run[-1].text}: {reason}")
    return tuple(found)


def runs(family: str, commands: Iterable[Command]) -> Iterator[tuple[Command, ...]]:
    """Yield the commands in their order: consecutive address lines of one interface together outside FRR, consecutive NETs of IS-IS
    together, every other line alone."""
    undo, run, kind = f"{negation(family)} ", list[Command](), ""
    for command in commands:
        before, kind = kind, _kind(family, command, undo)
        if run and (not kind or kind != before):
            yield tuple(run)
            run = []
        run.append(command)
    if run:
        yield tuple(run)


def _kind(family: str, command: Command, undo: str) -> str:
    if command.level and not is_frr(family) and command.text.removeprefix(undo).startswith("ip address "):
        return "address"
    return "net" if command.level and _NET.match(command.text) else ""


def renames_isis(commands: Iterable[Command]) -> bool:
    """Tell whether IS-IS goes by another NET afterwards: routes over the device are gone until its neighbours know it again."""
    return any(command.level and _NET.match(command.text) for command in commands)


def in_one_write(run: tuple[Command, ...], session_address: IPv4Address) -> bool:
    """Tell whether lines must reach the device in one write: on the way they take away what the session stands on."""
    named = (_address(command.text.removeprefix("undo ").removeprefix("no ")) for command in run)
    return len(run) > 1 and (renames_isis(run) or any(address is not None and address.ip == session_address for address in named))


def _interface(block: str) -> str:
    return block.removeprefix("interface ").strip()


def _lost(before: set[IPv4Interface], after: set[IPv4Interface], interface: str, path: ManagementPath) -> str:
    """Return what an interface lacks after one or several of its address lines that the way in needs."""
    if any(address.ip == path.session_address for address in before - after):
        return "removes the address that this session uses"
    if before and not after and interface in path.interfaces:
        return "removes the last address of the interface that the centre reaches this device by"
    return ""


def find_ended_routing(family: str, commands: Iterable[Command]) -> tuple[str, ...]:
    """Return every command that ends an IGP where the device asks for a yes first (VRP, Comware): nobody answers that unseen."""
    return tuple(command.text for command in commands if negation(family) == "undo" and _IGP_ENDED.match(command.text))


def _step(command: Command, block: str, undo: str, state: _State, path: ManagementPath) -> str:
    """Apply one command to the state and return why it cuts, empty when it does not."""
    if command.level == 0:
        return _global_step(command.text, undo, state, path)
    if not block.startswith("interface "):
        return ""
    return _interface_step(command.text, _interface(block), undo, state, path)


def _global_step(text: str, undo: str, state: _State, path: ManagementPath) -> str:
    if text.startswith(f"{undo}interface ") and text.removeprefix(f"{undo}interface ").strip() in path.interfaces:
        return "removes the interface that the centre reaches this device by"
    if _is_route(text):
        state.routes.add(text)
        return ""
    if not text.startswith(undo) or not _is_route(text.removeprefix(undo)):
        return ""
    gone = text.removeprefix(undo)
    served = [source for source in path.sources if _has_route(state.routes, source)]
    state.routes = {route for route in state.routes if not (route == gone or route.startswith(f"{gone} "))}
    lost = [str(source) for source in served if not _has_route(state.routes, source)]
    return f"removes the last route to the centre ({', '.join(lost)})" if lost else ""


def _interface_step(text: str, interface: str, undo: str, state: _State, path: ManagementPath) -> str:
    if text == "shutdown":
        # Sub-interfaces go down with their port.
        carries = any(name == interface or name.startswith(f"{interface}.") for name in path.interfaces)
        return "shuts the interface that the centre reaches this device by" if carries else ""
    held = state.addresses.setdefault(interface, set())
    plain = text.removeprefix(undo)
    if plain.startswith(_BINDINGS):
        return _bound(interface, held, path)
    if plain.lower().startswith(_TAGS) and interface in path.interfaces and held:
        return "changes the VLAN tag of the interface that the centre reaches this device by"
    if address := _address(text):
        return _taken(address, text, interface, held, state, path)
    if not text.startswith(f"{undo}ip address"):
        return ""
    gone = _address(text.removeprefix(undo))
    before = set(held)
    held -= {gone} if gone else before
    return _lost(before, held, interface, path)


def _bound(interface: str, held: set[IPv4Interface], path: ManagementPath) -> str:
    """Take the addresses of an interface away, as a device does that puts it into a VPN instance or out of one."""
    lost = bool(held) and (interface in path.interfaces or any(address.ip == path.session_address for address in held))
    held.clear()
    return "moves the interface that the centre reaches this device by to another VPN instance, which clears its addresses" if lost else ""


def _taken(
    address: IPv4Interface, text: str, interface: str, held: set[IPv4Interface], state: _State, path: ManagementPath
) -> str:
    """Add an address; a leading one takes the place of the one before it. Return why that cuts."""
    gone = None
    if state.leading is not None and not text.endswith((" sub", " secondary")):
        gone = state.leading.get(interface)
        state.leading[interface] = address
        held.discard(gone or address)
    held.add(address)
    return "replaces the address that this session uses" if gone and gone != address and gone.ip == path.session_address else ""


def _state_of(family: str, running: str) -> _State:
    state = _State({}, set(), None if is_frr(family) else {})
    for head, body in blocks(family, running):
        if _is_route(head):
            state.routes.add(head)
        if head.startswith("interface "):
            state.addresses[_interface(head)] = set(_addresses(body))
            leading = next(_addresses(line for line in body if not line.endswith((" sub", " secondary"))), None)
            if state.leading is not None and leading is not None:
                state.leading[_interface(head)] = leading
    return state


def _addresses(lines: Iterable[str]) -> Iterator[IPv4Interface]:
    for line in lines:
        if address := _address(line):
            yield address


def _address(line: str) -> IPv4Interface | None:
    """Return the address of an `ip address` line, in either notation; None for any other line."""
    words = line.split()
    if words[:2] != ["ip", "address"] or len(words) < 3:
        return None
    has_mask = "/" not in words[2] and len(words) > 3
    try:
        return IPv4Interface(f"{words[2]}/{words[3]}" if has_mask else words[2])
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def _is_route(line: str) -> bool:
    return line.startswith(("ip route ", "ip route-static "))


def _has_route(routes: Iterable[str], source: IPv4Network) -> bool:
    return any((prefix := _prefix(route)) is not None and source.subnet_of(prefix) for route in routes)


def _prefix(route: str) -> IPv4Network | None:
    words = route.split()
    try:
        return IPv4Network(words[2] if "/" in words[2] else f"{words[2]}/{words[3]}")
    except (IndexError, ValueError):
        return None
