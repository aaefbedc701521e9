"""NAPALM through our guarded hosts: facts of virtual IOS routers, by the driver of its core."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from nornir.core import Nornir
from nornir.core.configuration import Config, LoggingConfig
from nornir.core.plugins.connections import ConnectionPluginRegister
from nornir.core.state import GlobalState
from nornir.plugins.runners import SerialRunner
from pydantic import SecretStr

from app.edge.nornir_inventory import Way, build_inventory
from app.edge.ssh.login import quiet_libraries
from app.errors import ConnectFailed, ExitCode, UnsafeRoute
from playbooks.facts import show
from tests.samples.small_city import SECRETS, SmallCity, on_the_air, small


@pytest.fixture(scope="module")
def city() -> Iterator[SmallCity]:
    ConnectionPluginRegister.auto_register()
    quiet_libraries()
    with on_the_air(small("cisco_ios")) as city:
        yield city


def nornir_of(city: SmallCity, *names: str, known_hosts: Path | None = None, password: str = SECRETS["ssh_password"]) -> Nornir:
    """Return Nornir as a script gets it, with the ways of virtual devices."""

    def find_way(name: str) -> Way:
        address, port = city.carrier.simulation.ssh_endpoint(IPv4Address(city.intents[name].contacts[0]))
        return Way(str(address), port, SecretStr(password), known_hosts)

    inventory = build_inventory(city.workspace, city.intents, find_way)
    nornir = Nornir(inventory=inventory, runner=SerialRunner(), config=Config(logging=LoggingConfig(enabled=False)), data=GlobalState())
    return nornir.filter(filter_func=lambda host: host.name in names)


def test_facts_are_read_and_the_names_are_those_of_the_inventory(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    nornir = nornir_of(city, "core", "u01")
    assert show(nornir) is ExitCode.OK
    nornir.close_connections()
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == ["core", "u01"]
    assert all("SIMULATED-ISR" in row and row.endswith("SIM00000001") and "ISR Software" in row for row in rows)


def test_a_device_that_goes_by_another_name_is_told(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    city.load("d01", "hostname somebody\n")
    try:
        nornir = nornir_of(city, "d01")
        assert show(nornir) is ExitCode.NOT_ACCEPTED
        nornir.close_connections()
    finally:
        city.load("d01", "hostname d01\n")
    assert capsys.readouterr().out.rstrip().endswith("CALLS ITSELF somebody")


def test_an_unknown_host_key_is_refused_by_napalm_too(city: SmallCity, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "known_hosts"
    empty.touch()
    assert show(nornir_of(city, "core", known_hosts=empty)) is ExitCode.DEVICE
    assert "not read: Cannot connect to 127.64.0.1" in capsys.readouterr().out
    server = city.carrier.simulation.ssh
    empty.write_text(server.known_hosts(), encoding="utf-8")
    nornir = nornir_of(city, "core", known_hosts=empty)
    assert show(nornir) is ExitCode.OK
    nornir.close_connections()


def test_a_wrong_password_and_no_device_at_all_are_no_success(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(nornir_of(city, "core", password="Mistaken-99")) is ExitCode.DEVICE
    assert "core" in (shown := capsys.readouterr().out)
    assert "Mistaken-99" not in shown
    assert show(nornir_of(city)) is ExitCode.NOTHING_MEASURED


def test_a_family_without_a_core_driver_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    with on_the_air(small("h3c_msr")) as city:
        assert show(nornir_of(city, "core")) is ExitCode.DEVICE
    assert "expected a family with a driver in NAPALM's core (cisco_ios); found h3c_msr" in capsys.readouterr().out


@pytest.mark.parametrize("refusal", [UnsafeRoute, ConnectFailed])
def test_the_guard_is_asked_before_napalm_connects(city: SmallCity, refusal: type[UnsafeRoute], capsys: pytest.CaptureFixture[str]) -> None:
    def find_way(name: str) -> Way:
        raise refusal(name, "contact", expected="a safe route", found="none", next_step="Nothing was sent.")

    inventory = build_inventory(city.workspace, city.intents, find_way)
    nornir = Nornir(inventory=inventory, runner=SerialRunner(), config=Config(logging=LoggingConfig(enabled=False)), data=GlobalState())
    assert show(nornir.filter(filter_func=lambda host: host.name == "core")) is ExitCode.DEVICE
    assert "Nothing was sent." in capsys.readouterr().out
