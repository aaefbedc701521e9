"""IPv6 of the plan on ports: both ends of a line, loopbacks, unit LANs; and what is missing."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Interface, IPv6Network

import pytest

from app.core.intents import build_intents
from app.errors import InputError
from tests.golden.render.workspace import full_workspace, isis_workspace, small_workspace


def test_both_ends_of_a_line_lie_in_its_127_and_those_of_a_dialled_line_too() -> None:
    ends: dict[str, list[IPv6Interface | None]] = {}
    for intent in build_intents(full_workspace("huawei_ar")).values():
        for port in intent.interfaces:
            if port.kind in ("line", "backup") and port.line_id:
                ends.setdefault(port.line_id, []).append(port.address6)
    assert len(ends) == 5
    for near, far in ends.values():
        assert near is not None
        assert far is not None
        assert near.network == far.network
        assert near.network.prefixlen == 127
        assert near.ip != far.ip


def test_every_ipv6_address_of_a_device_is_held_in_the_ledger_and_on_one_port() -> None:
    workspace = isis_workspace("h3c_msr")
    held = [row.prefix for row in workspace.ledger6]
    ports = [port for intent in build_intents(workspace).values() for port in intent.interfaces]
    found = [port.address6 for port in ports if port.address6 and port.kind != "province"]
    within = [port.address6 for port in ports if port.address6 and port.vrf is not None]
    assert len(within) == len({address for address in within if address in IPv6Network("2001:db8:9000::/48")}) == 3 + 2
    assert len(found) == len(set(found)) == 5 + 4 + 10 + len(within)
    assert all(any(address.network.subnet_of(prefix) for prefix in held) for address in found)


def test_a_dialled_line_carries_ipv6_on_its_dialler_and_not_on_the_modems_port() -> None:
    held = {port.kind: port for port in build_intents(full_workspace("huawei_ar"))["t01"].interfaces if port.line_id == "C-1"}
    assert set(held) == {"line", "modem"}
    assert (held["line"].name, held["modem"].address6) == ("Dialer1", None)
    assert held["line"].address6 is not None
    assert held["line"].ospf_area == "0.0.0.2"


def test_a_units_lan_is_the_first_64_of_its_56_and_its_router_the_first_address() -> None:
    workspace = full_workspace("huawei_ar")
    (prefix,) = [row.prefix for row in workspace.ledger6 if row.holder == "unit:T01"]
    (lan,) = [port for port in build_intents(workspace)["t01"].interfaces if port.kind == "lan"]
    assert prefix.prefixlen == 56
    assert lan.address6 == IPv6Interface((prefix[1], 64))


def test_without_a_block_no_port_has_ipv6() -> None:
    intents = build_intents(small_workspace("huawei_ar"))
    assert not any(intent.has_ipv6 for intent in intents.values())


def test_a_holder_that_the_ipv6_ledger_does_not_hold_is_named() -> None:
    workspace = full_workspace("huawei_ar")
    ledger6 = tuple(row for row in workspace.ledger6 if row.holder != "device:t01")
    with pytest.raises(InputError) as caught:
        build_intents(replace(workspace, ledger6=ledger6))
    assert str(caught.value) == (
        "ipplan/allocations6.csv: device:t01 holds no IPv6 prefix: expected a row of its own; found none. Run `waiwang plan --commit`."
    )


def test_an_empty_ipv6_ledger_is_one_finding() -> None:
    with pytest.raises(InputError) as caught:
        build_intents(replace(full_workspace("huawei_ar"), ledger6=()))
    assert [finding.what for finding in caught.value.findings] == ["the IPv6 ledger holds nothing"]
