"""What device tables prove of a move: that the new prefix works, that the old one is gone. Pure; each reason is a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from app.core.device_tables import DeviceTables
from app.core.families import FAMILIES
from app.core.intent import DeviceIntent
from app.core.isis import system_id
from app.core.renumber import Move, ends

_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")


def doubts_of_new(move: Move, intents: Mapping[str, DeviceIntent], tables: Mapping[str, DeviceTables]) -> tuple[str, ...]:
    """Return why it is not proven that the new prefix works; empty where it is.

    Proven: every end holds its address on an interface that is up; the two ends of a line are OSPF neighbours over it, or, where
    they cannot be (`pings_of_new`), each gets an answer from the other; a device whose loopback moves was reached at the new one.
    """
    return tuple(_doubts_of_new(move, intents, tables))


def pings_of_new(move: Move, intents: Mapping[str, DeviceIntent]) -> tuple[tuple[str, IPv4Address], ...]:
    """Return which devices are to ping what, where OSPF cannot prove a line: it runs IS-IS, or a family at one end makes neighbours
    from leading addresses alone and the new one leads not yet."""
    if move.role != "interconnect" or not _needs_pings(move, intents):
        return ()
    found = list(ends(intents, move.new))
    return tuple((device, other.ip) for device, _, address in found for _, _, other in found if other.ip != address.ip)


def _needs_pings(move: Move, intents: Mapping[str, DeviceIntent]) -> bool:
    held = {device for device, _, _ in ends(intents, move.new)}
    if any(intents[device].ospf is None for device in held):
        return True
    return move.phase == "dual" and not all(FAMILIES[intents[device].family].speaks_beside for device in held)


def _doubts_of_new(move: Move, intents: Mapping[str, DeviceIntent], tables: Mapping[str, DeviceTables]) -> Iterator[str]:
    found = list(ends(intents, move.new))
    pings = pings_of_new(move, intents)
    if not found:
        yield f"no device is to hold an address of {move.new}"
    for device, interface, address in found:
        table = tables.get(device)
        if table is None:
            yield f"{device} was not read"
            continue
        held = next((one for one in table.addresses if one.interface == interface and one.address == address), None)
        if held is None:
            yield f"{device} {interface} does not hold {address}"
        elif not held.up:
            yield f"{device} {interface} holds {address} and is down"
        if move.role == "loopback" and table.reached_at != address.ip:
            yield f"{device} was reached at {table.reached_at}, not at {address.ip}"
        if pings:
            for far in (far for name, far in pings if name == device and far not in table.answered):
                yield f"{device} {interface} gets no answer from {far}"
        elif move.role == "interconnect" and not any(one.full and one.address in move.new for one in table.adjacencies):
            yield f"{device} {interface} has no OSPF neighbour in state Full in {move.new}"


def doubts_of_name(move: Move, intents: Mapping[str, DeviceIntent]) -> tuple[str, ...]:
    """Return which devices name IS-IS after a loopback: with it IS-IS takes another name at once, which is not done unasked."""
    if move.role != "loopback":
        return ()
    named = [(device, isis.net) for device, _, _ in ends(intents, move.new) if (isis := intents[device].isis) is not None]
    told = "and takes another name with the loopback, which stops traffic for a moment (--restart-igp)"
    return tuple(f"{device}: IS-IS goes by {net} {told}" for device, net in named)


def doubts_of_gone(move: Move, tables: Iterable[DeviceTables]) -> tuple[str, ...]:
    """Return where the old prefix still shows, on any of the devices that were read; empty where it is proven gone."""
    return tuple(doubt for table in tables for doubt in _traces(move.old, table))


def _traces(old: IPv4Network, table: DeviceTables) -> Iterator[str]:
    """Yield every trace of a prefix in a device's addresses, routes, OSPF identity and running configuration."""
    for held in table.addresses:
        if held.address.ip in old:
            yield f"{table.device} {held.interface} holds {held.address}"
    for route in table.routes:
        if route.prefix.subnet_of(old):
            yield f"{table.device} has a route to {route.prefix} ({route.protocol}, {', '.join(route.via)})"
    if table.router_id is not None and table.router_id in old:
        yield f"{table.device}: OSPF goes by {table.router_id} until it is restarted"
    named = system_id(old.network_address) if old.prefixlen == old.max_prefixlen else None
    for line in table.running.splitlines():
        if any(address in old for address in _addresses(line)) or (named is not None and named in line):
            yield f"{table.device} is configured with `{line.strip()}`"


def _addresses(line: str) -> Iterator[IPv4Address]:
    for word in _ADDRESS.findall(line):
        try:
            yield IPv4Address(word)
        except AddressValueError:
            continue


def hosts_in(old: IPv4Network, table: DeviceTables, own: Iterable[IPv4Address] = ()) -> tuple[IPv4Address, ...]:
    """Return the neighbours that the device's ARP table has in this prefix, without `own`."""
    known = set(own)
    return tuple(sorted({one.address for one in table.neighbours if one.address in old and one.address not in known}))
