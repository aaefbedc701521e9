"""The answers of a device, read into its tables: which parser reads what, by family; VPN instances and names of ports. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from app.core import frr_tables, ios_tables, vrp_tables
from app.core.device_tables import VPNS, DeviceTables, HeldAddress, SeenNeighbour, SeenVpn
from app.core.shown_tables import port_kind

Parser = Callable[[str], Any]

_VRP: Mapping[str, Parser] = {
    "addresses": vrp_tables.parse_addresses,
    "routes": vrp_tables.parse_routes,
    "neighbours": vrp_tables.parse_vrp_neighbours,
    "adjacencies": vrp_tables.parse_vrp_adjacencies,
    "router_id": vrp_tables.parse_router_id,
    VPNS: vrp_tables.parse_vrp_vpns,
}
_COMWARE: Mapping[str, Parser] = {
    **_VRP,
    "neighbours": vrp_tables.parse_comware_neighbours,
    "adjacencies": vrp_tables.parse_comware_adjacencies,
    VPNS: vrp_tables.parse_comware_vpns,
    "ports": vrp_tables.parse_comware_vpn,
}
_IOS: Mapping[str, Parser] = {
    "addresses": ios_tables.parse_addresses,
    "routes": ios_tables.parse_routes,
    "neighbours": ios_tables.parse_neighbours,
    "adjacencies": ios_tables.parse_adjacencies,
    "router_id": ios_tables.parse_router_id,
    VPNS: ios_tables.parse_vpns,
}
_FRR: Mapping[str, Parser] = {
    "addresses": frr_tables.parse_addresses,
    "routes": frr_tables.parse_routes,
    "neighbours": frr_tables.parse_neighbours,
    "adjacencies": frr_tables.parse_adjacencies,
    "router_id": frr_tables.parse_router_id,
    VPNS: frr_tables.parse_vpns,
}
PARSERS: Mapping[str, Mapping[str, Parser]] = {
    "frr": _FRR,
    "huawei_ar": _VRP,
    "huawei_s": _VRP,
    "huawei_ne": _VRP,
    "h3c_msr": _COMWARE,
    "h3c_s": _COMWARE,
    "cisco_ios": _IOS,
}


def parse_vpns(family: str, text: str) -> tuple[SeenVpn, ...]:
    """Return the VPN instances that a device told of."""
    found: tuple[SeenVpn, ...] = PARSERS[family][VPNS](text)
    return found


def parse_tables(
    family: str,
    device: str,
    reached_at: IPv4Address,
    answers: Mapping[str, str],
    running: str = "",
    *,
    apart: Mapping[tuple[str, str], str] | None = None,
    ports: Iterable[str] = (),
) -> DeviceTables:
    """Return the tables that these answers (question → text) tell of.

    `apart` holds the answers of VPN instances ((question, VPN instance) → text); `ports` are names of interfaces in full, which
    tables may shorten.

    Raises:
        ValueError: an answer is not what the family gives; it names the question.
    """
    parsed = {question: _parse(family, question, text) for question, text in answers.items()}
    vpns: list[SeenVpn] = list(parsed.pop(VPNS, ()))
    for (question, vpn), text in (apart or {}).items():
        rows = _parse(family, question, text)
        if question == "ports":
            vpns += rows
        else:
            parsed[question] = (*parsed.get(question, ()), *(replace(row, vrf=vpn) for row in rows))
    held: tuple[HeldAddress, ...] = parsed.pop("addresses", ())
    names = {name: None for name in (*(one.interface for one in held), *ports)}
    bound = {full_name(port, names): vpn.name for vpn in vpns for port in vpn.interfaces}
    bound |= {one.interface: one.vrf for one in held if one.vrf is not None}
    tables = DeviceTables(device, reached_at, running=running, **parsed)
    return replace(
        tables,
        addresses=tuple(replace(one, vrf=bound.get(one.interface)) for one in held),
        neighbours=tuple(_placed(one, names, bound) for one in tables.neighbours),
        adjacencies=tuple(replace(one, interface=full_name(one.interface, names)) for one in tables.adjacencies),
        routes=tuple(replace(one, via=tuple(_full_way(way, names) for way in one.via)) for one in tables.routes),
    )


def _parse(family: str, question: str, text: str) -> Any:
    try:
        return PARSERS[family][question](text)
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
        raise ValueError(f"{question}: {type(error).__name__}: {error}") from error


def _placed(one: SeenNeighbour, names: Iterable[str], bound: Mapping[str, str]) -> SeenNeighbour:
    port = full_name(one.interface, names)
    return replace(one, interface=port, vrf=one.vrf or bound.get(port))


def _full_way(way: str, names: Iterable[str]) -> str:
    """Return a next hop as text with its interface, the last word of it, in full."""
    hop, blank, port = way.rpartition(" ")
    return f"{hop}{blank}{full_name(port, names)}"


def full_name(short: str, names: Iterable[str]) -> str:
    """Return the one of these names that a table shortens to this, the short one where none is: GE0/1.5, Vlan10, Loop0."""
    if short in names or not short:
        return short
    kind, number = _split(short)
    for name in names:
        long_kind, long_number = _split(name)
        if number == long_number and number and (port_kind(kind) == port_kind(long_kind) or long_kind.lower().startswith(kind.lower())):
            return name
    return short


def _split(name: str) -> tuple[str, str]:
    found = re.match(r"(.*?[A-Za-z])([\d/.:]*)$", name)
    return (found[1], found[2]) if found else (name, "")
