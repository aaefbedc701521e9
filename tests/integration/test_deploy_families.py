"""Sessions with families that ask questions: pushed, answered, refused, saved, against virtual devices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

import pytest
from pydantic import SecretStr

from app.core.commands import Command
from app.edge.patch import patch
from app.edge.ssh.access import Access, Limits, Target
from app.edge.ssh.login import open_session, quiet_libraries
from app.edge.ssh.session import Session
from app.errors import CommitRefused, DeviceError, LoginRefused
from app.workflows.hosts import open_driver
from lab.virtual.deeds import config_text
from lab.virtual.device import DeviceSpec
from lab.virtual.faults import SshFaults
from lab.virtual.network import VirtualNetwork
from lab.virtual.simulation import Carrier, Service, free_port, served

PLATFORMS = {"huawei_ar": "huawei", "huawei_s": "huawei", "h3c_msr": "hp_comware"}
PORT = {"huawei_ar": "GigabitEthernet0/0/1", "huawei_s": "Vlanif1", "h3c_msr": "GigabitEthernet0/1"}


@contextmanager
def device(family: str, boot: str = "", read_s: float = 60.0) -> Iterator[tuple[Carrier, Access, Target]]:
    """Serve one device on loopback, and say how it is reached."""
    network = VirtualNetwork([DeviceSpec("r1", family, (PORT[family],) if "/" in PORT[family] else (), boot=f"sysname r1\n{boot}")])
    (place,) = network.places()
    with served(network, Service({"netops": "not-a-secret-1"}, ssh_port=free_port(), snmp_port=free_port())) as carrier:
        port = carrier.simulation.service.ssh_port
        access = Access(
            guard=lambda address: None,
            endpoint=lambda contact: (IPv4Address(place), port),
            password=SecretStr("not-a-secret-1"),
            resolve=lambda text: text,
            known_hosts=None,
            limits=Limits(connect_s=10.0, login_s=60.0, read_s=read_s),
            connect=open_driver,
        )
        yield carrier, access, Target("r1", family, PLATFORMS[family], (IPv4Address(place),), "netops")


@contextmanager
def session(target: Target, access: Access) -> Iterator[Session]:
    quiet_libraries()
    opened = open_session(target, access)
    try:
        yield opened
    finally:
        opened.close()


@pytest.mark.parametrize("family", PLATFORMS)
def test_a_patch_is_pushed_read_back_and_saved(family: str) -> None:
    with device(family) as (carrier, access, target), session(target, access) as open_one:
        wanted = f"sysname r1\ninterface {PORT[family]}\n description seen\n"
        open_one.push(patch(family, open_one.running(), wanted))
        assert " description seen" in open_one.running()
        open_one.save()
        assert carrier.network.devices["r1"].state.saved == carrier.network.devices["r1"].state.running


def test_a_question_that_the_rules_allow_is_answered() -> None:
    with device("huawei_ar", "telnet server enable\n") as (carrier, access, target), session(target, access) as open_one:
        assert "telnet server enable" in open_one.running()
        commands = patch("huawei_ar", open_one.running(), "sysname r1\n")
        assert [(command.text, len(command.questions)) for command in commands] == [("undo telnet server enable", 1)]
        open_one.push(commands)
        assert "telnet server enable" not in config_text(carrier.network.devices["r1"].grammar, carrier.network.devices["r1"].state.running)


def test_a_question_that_nobody_allows_is_not_answered() -> None:
    """The same command without its question: the session is given up and the server goes on running."""
    with device("huawei_ar", "telnet server enable\n", read_s=10.0) as (carrier, access, target), session(target, access) as open_one:
        with pytest.raises(DeviceError, match="no answer in time"):
            open_one.push([Command("undo telnet server enable")])
        assert "telnet server enable" in config_text(carrier.network.devices["r1"].grammar, carrier.network.devices["r1"].state.running)


@pytest.mark.parametrize("family", PLATFORMS)
def test_a_refused_line_stops_the_push_with_the_device_s_own_words(family: str) -> None:
    with device(family) as (_, access, target), session(target, access) as open_one:
        with pytest.raises(CommitRefused, match=r"line 2 of 3, 'no such command'.*Unrecognized command found"):
            open_one.push([Command("sysname r1"), Command("no such command"), Command("sysname never")])
        assert "never" not in open_one.running()


@pytest.mark.parametrize("family", PLATFORMS)
def test_a_full_disk_is_not_called_saved(family: str) -> None:
    with device(family) as (carrier, access, target), session(target, access) as open_one:
        carrier.call(lambda: carrier.network.set_faults("r1", ssh=SshFaults(disk_full=True)))
        with pytest.raises(CommitRefused, match="the device's own confirmation"):
            open_one.save()


@pytest.mark.parametrize("family", PLATFORMS)
def test_a_wrong_password_is_a_refused_login(family: str) -> None:
    with device(family) as (carrier, access, target):
        carrier.call(lambda: carrier.network.set_faults("r1", ssh=SshFaults(refuse_password=True)))
        with pytest.raises(LoginRefused):
            open_session(target, access)
