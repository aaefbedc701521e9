"""Renumbering a city that runs IS-IS, over virtual devices of every family: the NET keeps its old name until it is asked to change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from app.core.intent import DeviceIntent
from app.core.isis import system_id
from app.core.renumber import burn_down, find_moves
from app.errors import ExitCode
from app.workflows.commit import BEHIND_S
from app.workflows.hosts import DeviceSession
from app.workflows.renumber import Ground, cut_over, finish, start
from app.workflows.renumber import plan as plan_renumbering
from tests.integration.test_renumber_families import OLD, Watched, held, results
from tests.samples.mixed_city import DAY, FAMILIES, on_the_air, retire_pools, write_city
from tests.samples.small_city import ENVIRON

NET = re.compile(r"^ (?:network-entity|net) (\S+)$", re.MULTILINE)
ROUTERS = [name for name, family in FAMILIES.items() if not family.endswith("_s")]
LOOPBACKS = IPv4Network("198.18.0.0/24")


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    root = write_city(tmp_path / "city")
    path = root / "ipplan/plan.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count("\nrouting:\n") == 1
    path.write_text(text.replace("\nrouting:\n", "\nrouting:\n  igp: isis\n  isis: {authentication: true}\n"), encoding="utf-8")
    retire_pools(root)
    plan_renumbering(root, commit=True, today=DAY)
    with on_the_air(root) as city:
        ground = Ground(root, city.settings, ENVIRON, city.gateway, lambda device, text: None, workers=4, wait_s=60.0)
        watched = Watched(city, ground)
        city.carrier.call(lambda: city.carrier.network.on_reach.append(watched.watch))
        yield watched


def names_of(watched: Watched) -> dict[str, list[str]]:
    """Return the NETs that each router is configured with."""
    return {name: NET.findall(watched.city.running(name)) for name in ROUTERS}


def test_a_city_of_all_families_that_runs_isis_is_carried_over_and_renamed_when_that_is_asked_for(watched: Watched) -> None:
    moves, before = find_moves(watched.city.workspace), names_of(watched)
    assert {len(nets) for nets in before.values()} == {1}
    for step in (start, cut_over):
        report = step(watched.ground, (), commit=True)
        assert (results(report), report.exit_code) == ({"moved": len(moves)}, ExitCode.OK), [row.reasons for row in report.moves]
    assert names_of(watched) == before, "IS-IS keeps its name while both addresses are there"

    unasked = finish(watched.ground, (), commit=True, today=DAY)
    assert results(unasked) == {"not_proven": len(ROUTERS), "moved": len(moves) - len(ROUTERS)}
    assert unasked.exit_code is ExitCode.NOT_ACCEPTED
    kept = {row.move.holder: row.reasons for row in unasked.moves if row.result == "not_proven"}
    (net,) = before["county02"]
    told = f"county02: IS-IS goes by {net} and takes another name with the loopback, which stops traffic for a moment (--restart-igp)"
    assert kept["device:county02"] == (told,)
    assert names_of(watched) == before

    logins: list[tuple[str, float]] = []
    connect = watched.ground.gateway.connect

    def counted(intent: DeviceIntent, wait_s: float) -> DeviceSession:
        logins.append((intent.hostname, wait_s))
        return connect(intent, wait_s)

    gateway = replace(watched.ground.gateway, connect=counted)
    done = finish(replace(watched.ground, gateway=gateway), (), commit=True, today=DAY, restarting=True)
    assert (results(done), done.exit_code) == ({"moved": len(ROUTERS)}, ExitCode.OK), [row.reasons for row in done.moves]
    assert {name for name, wait_s in logins if wait_s == BEHIND_S} == set(ROUTERS), "each is waited for under its new name"
    for name, nets in names_of(watched).items():
        loopback = next(port.address for port in watched.city.intents[name].interfaces if port.kind == "loopback")
        assert loopback is not None
        assert loopback.ip in LOOPBACKS
        assert nets == [f"{before[name][0][:12]}.{system_id(loopback.ip)}.00"]
    assert {unit.phase for unit in burn_down(watched.city.workspace)} == {"finished"}
    left = {name: [address for address in found if any(address in old for old in OLD)] for name, found in held(watched).items()}
    assert left == {name: [] for name in FAMILIES}
    assert watched.lost == set()


@pytest.mark.parametrize("name", ["county01", "county02", "county04"])
def test_a_virtual_device_takes_no_second_system_id_beside_the_first(watched: Watched, name: str) -> None:
    (net,) = names_of(watched)[name]
    word, view = ("net", "router isis 1") if FAMILIES[name] == "cisco_ios" else ("network-entity", "isis 1")
    other = f"{net[:-7]}9999.00"
    network = watched.city.carrier.network
    refused = watched.city.carrier.call(lambda: network.load(name, f"{view}\n {word} {other}\n"))
    assert "ystem ID" in refused
    assert names_of(watched)[name] == [net]
