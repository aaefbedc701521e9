"""Renumbering over virtual devices of every family and SSH: second addresses beside the first, the new ones let lead, the old ones gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from app.core.renumber import burn_down, find_moves
from app.edge.ssh.access import Limits
from app.errors import ExitCode
from app.workflows.hosts import open_gateway, open_nornir
from app.workflows.renumber import Ground, RenumberReport, cut_over, finish, start
from app.workflows.renumber import plan as plan_renumbering
from app.workflows.tables import read_tables
from lab.virtual.faults import NO_SSH_FAULTS, SshFaults
from tests.samples.mixed_city import DAY, FAMILIES, MixedCity, on_the_air, retire_pools, write_city
from tests.samples.small_city import ENVIRON

OLD = tuple(map(IPv4Network, ("198.19.0.0/24", "198.19.1.0/24", "198.19.4.0/22", "198.19.16.0/20")))
BESIDE = {"cisco_ios": " secondary", "frr": ""}


@dataclass
class Watched:
    """A city whose every change of reach is looked at: `lost` holds the devices that were once reached by no way at all."""

    city: MixedCity
    ground: Ground
    lost: set[str] = field(default_factory=set)

    def watch(self) -> None:
        network = self.city.carrier.network
        self.lost |= {name for name in network.devices if not network.is_reachable(name)}


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    root = write_city(tmp_path / "city")
    retire_pools(root)
    plan_renumbering(root, commit=True, today=DAY)
    with on_the_air(root) as city:
        ground = Ground(root, city.settings, ENVIRON, city.gateway, lambda device, text: None, workers=4, wait_s=2.0)
        watched = Watched(city, ground)
        city.carrier.call(lambda: city.carrier.network.on_reach.append(watched.watch))
        yield watched


def results(report: RenumberReport) -> dict[str, int]:
    return dict(Counter(row.result for row in report.moves))


def held(watched: Watched) -> dict[str, set[IPv4Address]]:
    """Return what the devices say that they hold, asked over SSH."""
    nornir = open_nornir(watched.city.workspace, watched.city.intents, watched.city.settings, ENVIRON, workers=4)
    readings = read_tables(nornir, watched.city.intents, watched.city.gateway, questions=("addresses",))
    assert readings.failures == ()
    return {name: {one.address.ip for one in tables.addresses} for name, tables in readings.tables.items()}


def test_a_city_of_all_families_is_carried_over_and_no_device_is_ever_lost(watched: Watched) -> None:
    moves = len(find_moves(watched.city.workspace))
    begun = start(watched.ground, (), commit=True)
    assert (results(begun), begun.exit_code) == ({"moved": moves}, ExitCode.OK)
    lan = next(port for port in watched.city.intents["county01-u01"].interfaces if port.kind == "lan")
    for name, word in {"county01-u01": " sub", "county02-u01": " sub", "county04-u02": " secondary"}.items():
        second = next(port for port in watched.city.intents[name].interfaces if port.kind == "lan").secondary[0]
        assert f" ip address {second.ip} {second.network.netmask}{word}\n" in watched.city.running(name)
    assert lan.address is not None
    assert {lan.address.ip, lan.secondary[0].ip} <= held(watched)["county01-u01"]

    led = cut_over(watched.ground, (), commit=True)
    assert (results(led), led.exit_code) == ({"moved": moves}, ExitCode.OK)
    new = next(move.new for move in find_moves(watched.city.workspace) if move.holder == "unit:C04U02")
    assert f" ip address {new[1]} {new.netmask}\n" in watched.city.running("county04-u02")

    again = cut_over(watched.ground, (), commit=True)
    assert (results(again), {row.result for row in again.devices}) == ({"unchanged": moves}, {"unchanged"})

    done = finish(watched.ground, (), commit=True, today=DAY, restarting=True)
    assert (results(done), done.exit_code) == ({"moved": moves}, ExitCode.OK), [row.reasons for row in done.moves]
    assert {unit.phase for unit in burn_down(watched.city.workspace)} == {"finished"}
    left = {name: [address for address in found if any(address in old for old in OLD)] for name, found in held(watched).items()}
    assert left == {name: [] for name in FAMILIES}
    assert watched.lost == set()


def test_a_line_of_leading_addresses_is_proven_by_pings_and_one_that_answers_none_stays(watched: Watched) -> None:
    start(watched.ground, ("C02",), commit=True)
    line = next(move for move in find_moves(watched.city.workspace) if move.holder == "line:BZWW-A-0002")
    ports = {name: watched.city.intents[name].interfaces for name in ("city", "county02")}
    ends = {name: next(port for port in held if port.line_id == "BZWW-A-0002") for name, held in ports.items()}
    second = ends["county02"].secondary[0]
    text = f"interface {ends['county02'].name}\n undo ip address {second.ip} {second.network.netmask} sub\n"
    watched.city.carrier.call(lambda: watched.city.carrier.network.load("county02", text))
    report = cut_over(watched.ground, ("C02",), commit=True)
    reasons = {row.move.holder: row.reasons for row in report.moves if row.result == "not_proven"}
    assert reasons == {
        line.holder: (
            f"city {ends['city'].name} gets no answer from {second.ip}",
            f"county02 {ends['county02'].name} does not hold {second}",
        )
    }
    assert report.exit_code is ExitCode.NOT_ACCEPTED
    assert next(move.phase for move in find_moves(watched.city.workspace) if move.holder == line.holder) == "dual"


def test_a_device_that_goes_down_midway_is_a_row_and_the_same_step_completes_it_afterwards(watched: Watched) -> None:
    city, network = watched.city, watched.city.carrier.network
    impatient = open_gateway(
        city.workspace.plan, city.settings, ENVIRON, endpoint=city.carrier.simulation.ssh_endpoint, limits=Limits(login_s=60, read_s=20)
    )
    short = replace(watched.ground, gateway=impatient, wait_s=0.0)
    city.carrier.call(lambda: network.set_faults("county02-u01", ssh=SshFaults(drop_at=8)))
    broken = start(short, ("C02", "C02U01"), commit=True)
    rows = {row.device: row.result for row in broken.devices}
    assert rows["county02-u01"] == "failed"
    assert broken.exit_code is ExitCode.DEVICE
    assert {result for name, result in rows.items() if name != "county02-u01"} <= {"deployed", "unchanged"}
    refused = cut_over(short, ("C02U01",), commit=True)
    assert refused.exit_code is ExitCode.DEVICE
    assert "not_proven" in results(refused)
    city.carrier.call(lambda: network.set_faults("county02-u01", ssh=NO_SSH_FAULTS))
    again = start(watched.ground, ("C02U01",), commit=True)
    assert {row.result for row in again.devices if row.device == "county02-u01"} == {"deployed"}
    led = cut_over(replace(watched.ground, wait_s=4.0), ("C02U01",), commit=True)
    assert "not_proven" not in results(led), [row.reasons for row in led.moves]
    assert watched.lost == set()


def test_a_device_that_refuses_a_line_of_a_step_is_as_it_was_and_the_same_step_completes_it(watched: Watched) -> None:
    city, network = watched.city, watched.city.carrier.network
    before = city.running("county02-u01")
    city.carrier.call(lambda: network.set_faults("county02-u01", ssh=SshFaults(refuse_at=3)))
    broken = start(watched.ground, ("C02", "C02U01"), commit=True)
    rows = {row.device: (row.result, row.stands) for row in broken.devices}
    assert rows["county02-u01"] == ("refused", "as_before")
    assert broken.exit_code is ExitCode.DEVICE
    assert city.running("county02-u01") == before
    city.carrier.call(lambda: network.set_faults("county02-u01", ssh=NO_SSH_FAULTS))
    again = start(watched.ground, ("C02U01",), commit=True)
    assert {row.result for row in again.devices if row.device == "county02-u01"} == {"deployed"}
    assert watched.lost == set()
