"""What a configuration means: names, interfaces, who may ask over SNMP. Pure.

The grammar marks the lines that mean something (`means:`); nothing here knows a vendor's words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

from lab.virtual.grammar import Grammar
from lab.virtual.tree import Entry


@dataclass(frozen=True, slots=True)
class Port:
    """An interface as configured. `physical` false for loopbacks and the like; `parent` is the port of a sub-interface.

    `vpn` is the VPN instance that it is bound to, None for the global table; `in_ospf`: a line of its own puts it into an area.
    """

    name: str
    physical: bool
    parent: str | None
    description: str
    shutdown: bool
    addresses: tuple[IPv4Interface, ...]
    bandwidth_kbps: int | None
    vpn: str | None = None
    in_ospf: bool = False


@dataclass(frozen=True, slots=True)
class SnmpUser:
    """An SNMPv3 user as configured; keys in clear. `auth` md5, sha or sha256, `priv` aes128; None where not set."""

    name: str
    auth: str | None = None
    auth_secret: str = ""
    priv: str | None = None
    priv_secret: str = ""


_AUTH = {"md5": "md5", "sha": "sha", "sha1": "sha", "sha2-256": "sha256", "sha256": "sha256"}
_PRIV = {"aes128": "aes128", "aes": "aes128", "128": "aes128"}


def _meaning(grammar: Grammar, view: str, section: Entry, means: str) -> Iterator[Entry]:
    rules = grammar.rules(view)
    return (entry for entry in section.children if rules[entry.rule].means == means)


def hostname_of(grammar: Grammar, running: Entry) -> str | None:
    """Return the configured name of the device."""
    return next((entry.values[0][1] for entry in _meaning(grammar, "system", running, "sysname")), None)


def location_of(grammar: Grammar, running: Entry) -> str:
    return next((entry.values[0][1] for entry in _meaning(grammar, "system", running, "location")), "")


def interfaces_of(grammar: Grammar, running: Entry, ports: Sequence[str]) -> tuple[Port, ...]:
    """Return every interface of the configuration and every physical port, in the order of the configuration."""
    configured = [_port(grammar, entry) for entry in _meaning(grammar, "system", running, "interface")]
    named = {port.name for port in configured}
    bare = [bare_port(grammar, name) for name in ports if name not in named]
    return (*configured, *bare)


def meaning_anywhere(grammar: Grammar, section: Entry, means: str, view: str = "system") -> Iterator[Entry]:
    """Yield the lines of this meaning in a section and all beneath it."""
    rules = grammar.rules(view)
    for entry in section.children:
        rule = rules[entry.rule]
        if rule.means == means and not entry.negative:
            yield entry
        if rule.opens:
            yield from meaning_anywhere(grammar, entry, means, rule.opens)


def interface_of(grammar: Grammar, entry: Entry) -> Port | None:
    """Return the interface that a top-level line opens, None where it opens none."""
    return _port(grammar, entry) if grammar.rules("system")[entry.rule].means == "interface" else None


def bare_port(grammar: Grammar, name: str) -> Port:
    """Return a physical port that the configuration does not mention."""
    return Port(name, True, None, "", _starts_shut(grammar), (), None)


def _starts_shut(grammar: Grammar) -> bool:
    """Tell whether ports of this family are shut until they are opened."""
    return any(rule.means == "shutdown" and rule.default_on for rule in grammar.rules("interface"))


def _port(grammar: Grammar, entry: Entry) -> Port:
    name = entry.value("interface") or entry.shown
    physical = grammar.is_physical(name)
    parent, dot, _ = name.partition(".")
    description = next((line.values[0][1] for line in _meaning(grammar, "interface", entry, "description")), "")
    bandwidth = next((int(line.values[0][1]) for line in _meaning(grammar, "interface", entry, "bandwidth")), None)
    shutdown = any(_meaning(grammar, "interface", entry, "shutdown"))
    if _starts_shut(grammar):
        shutdown = physical and not dot and not any(line.negative for line in _meaning(grammar, "interface", entry, "shutdown"))
    addresses = tuple(_address(line) for line in _meaning(grammar, "interface", entry, "address"))
    vpn = next((line.value("vpn") for line in _meaning(grammar, "interface", entry, "vpn")), None)
    in_ospf = any(_meaning(grammar, "interface", entry, "ospf_area"))
    return Port(name, physical and not dot, parent if dot else None, description, shutdown, addresses, bandwidth, vpn, in_ospf)


def _address(line: Entry) -> IPv4Interface:
    prefix = line.value("prefix")
    return IPv4Interface(prefix if prefix else f"{line.value('address')}/{line.value('mask')}")


def configured_router_id(grammar: Grammar, running: Entry, ports: Iterable[Port]) -> IPv4Address | None:
    """Return the number that OSPF is to go by, the highest address of loopbacks or else of ports where none is said; None without OSPF."""
    process = next(_meaning(grammar, "system", running, "ospf"), None)
    if process is None:
        return None
    said = process.value("router_id") or next((entry.value("router_id") for entry in meaning_anywhere(grammar, running, "router_id")), None)
    if said:
        return IPv4Address(said)
    held = [(not port.physical and port.parent is None, address.ip) for port in ports if not port.shutdown for address in port.addresses]
    return max(held)[1] if held else None


def vpn_instances(grammar: Grammar, running: Entry) -> dict[str, str]:
    """Return the VPN instances of a configuration with their route distinguishers, empty where one has none."""
    return {
        entry.value("vpn") or "": next((rd.values[0][1] for rd in meaning_anywhere(grammar, entry, "rd", _opened(grammar, entry))), "")
        for entry in _meaning(grammar, "system", running, "vpn_instance")
    }


def _opened(grammar: Grammar, entry: Entry) -> str:
    return grammar.rules("system")[entry.rule].opens


def snmp_users(grammar: Grammar, running: Entry, vault: Mapping[str, str]) -> tuple[SnmpUser, ...]:
    """Return the SNMPv3 users that the configuration makes; lines of one user add up."""
    found: dict[str, dict[str, str]] = {}
    for entry in _meaning(grammar, "system", running, "snmp_user"):
        found.setdefault(entry.value("user") or "", {}).update(entry.values)
    return tuple(_user(name, values, vault) for name, values in found.items())


def _user(name: str, values: Mapping[str, str], vault: Mapping[str, str]) -> SnmpUser:
    auth_key, priv_key = values.get("auth_key", ""), values.get("priv_key", "")
    return SnmpUser(
        name,
        auth=_AUTH.get(values.get("auth", "")),
        auth_secret=vault.get(auth_key, auth_key),
        priv=_PRIV.get(values.get("priv", "")),
        priv_secret=vault.get(priv_key, priv_key),
    )


def communities(grammar: Grammar, running: Entry, vault: Mapping[str, str]) -> tuple[str, ...]:
    """Return the SNMPv2c communities that the configuration makes."""
    held = (entry.value("community") or "" for entry in _meaning(grammar, "system", running, "community"))
    return tuple(vault.get(text, text) for text in held)


def interface_table(style: str, ports: Sequence[Port], is_up: Callable[[str], bool]) -> str:
    """Return the table of `display interface brief` or its like, in the columns of the style (vrp, comware, ios)."""
    rows = [(port.name, _physical_word(port, is_up), "up" if is_up(port.name) else "down", port.description) for port in ports]
    if style == "ios":
        rows = [(name, "admin down" if status == "*down" else status, protocol, text) for name, status, protocol, text in rows]
        shown = [f"{name:<31}{status:<15}{protocol:<9}{text}" for name, status, protocol, text in rows]
        return "\n".join([f"{'Interface':<31}{'Status':<15}{'Protocol':<9}Description", *shown])
    if style == "comware":
        rows = [(name, "ADM" if status == "*down" else status.upper(), protocol.upper(), text) for name, status, protocol, text in rows]
        shown = [f"{name:<21}{status:<5}{protocol:<9}{text}" for name, status, protocol, text in rows]
        return "\n".join([f"{'Interface':<21}{'Link':<5}{'Protocol':<9}Description", *shown])
    shown = [f"{name:<30}{status:<9}{protocol:<9}{'0%':<6}{'0%':<6}{'0':>10}{'0':>11}" for name, status, protocol, _ in rows]
    return "\n".join([f"{'Interface':<30}{'PHY':<9}{'Protocol':<9}{'InUti':<6}{'OutUti':<6}{'inErrors':>10}{'outErrors':>11}", *shown])


def _physical_word(port: Port, is_up: Callable[[str], bool]) -> str:
    if port.shutdown:
        return "*down"
    return "up" if is_up(port.name) else "down"


def address_table(ports: Sequence[Port], is_up: Callable[[str], bool]) -> str:
    """Return the table of interfaces with their addresses and states."""
    rows = [f"{'Interface':<34}{'IP Address/Mask':<21}{'Physical':<11}Protocol"]
    for port in ports:
        address = str(port.addresses[0]) if port.addresses else "unassigned"
        physical = "*down" if port.shutdown else "up" if is_up(port.name) else "down"
        rows.append(f"{port.name:<34}{address:<21}{physical:<11}{'up' if physical == 'up' and port.addresses else 'down'}")
    return "\n".join(rows)
