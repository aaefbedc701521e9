"""Deploy over SSH to small devices on loopback, with everything that can go wrong on one of them."""

from __future__ import annotations

import re
import secrets
import socket
import threading
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest
from nornir.core import Nornir
from nornir.core.configuration import Config, LoggingConfig
from nornir.core.inventory import Host, Hosts, Inventory
from nornir.core.state import GlobalState
from nornir.plugins.runners import ThreadedRunner

from app.core.intent import DeviceIntent, InterfaceIntent, ManagementIntent
from app.core.ipplan import Management, OspfProfile, Plan, Provenance
from app.edge.ssh.access import Limits
from app.errors import ExitCode, InputError
from app.settings import Settings
from app.workflows.deploy import DeployReport, deploy
from app.workflows.diff import diff
from app.workflows.hosts import DeviceSession, Gateway, open_gateway

#: What answers is waited for, however slow the machine.
PATIENT = Limits(connect_s=10.0, login_s=60.0, read_s=60.0, retry_s=0.1)
CENTRE = IPv4Network("198.18.9.0/29")
PLAN = Plan(
    national_block=IPv4Network("198.18.0.0/15"),
    pools=(),
    provenance=Provenance("test", "none", None),
    illustration=False,
    ospf=OspfProfile(),
    management=Management("noc", (), (), "netops", "poller"),
)
#: name: (depth, parent, contact)
TREE = {
    "city": (0, None, "198.18.0.1"),
    "county01": (1, "city", "198.18.0.2"),
    "county02": (1, "city", "198.18.0.3"),
    "c01-u01": (2, "county01", "198.18.0.4"),
    "c02-u01": (2, "county02", "198.18.0.5"),
}


def intent_of(name: str) -> DeviceIntent:
    depth, parent, contact = TREE[name]
    uplink = InterfaceIntent("eth1", "line", "uplink", address=IPv4Interface(f"198.18.1.{4 * depth + 2}/30"), far_device=parent)
    return DeviceIntent(
        hostname=name,
        family="frr",
        platform="cisco_ios",
        role="county_agg",
        region="1",
        depth=depth,
        loopback=None,
        contacts=(IPv4Address(contact),),
        interfaces=(uplink,),
        static_routes=(),
        ospf=None,
        management=ManagementIntent("netops", "poller", "sha", "aes128", (CENTRE,), (), (), "", ""),
        uplink="eth1" if parent else None,
    )


INTENTS = {name: intent_of(name) for name in TREE}


def bootstrap(name: str) -> str:
    address = INTENTS[name].interfaces[0].address
    return f"hostname {name}\nip route {CENTRE} 198.18.1.1 250\ninterface eth1\n ip address {address}\nexit\n"


def intended(name: str) -> str:
    return bootstrap(name).replace("exit\n", " description TO:parent\nexit\n") + "interface eth2\n description RESERVED\n shutdown\nexit\n"


TEXTS = {name: intended(name) for name in TREE}


def nornir_over(names) -> Nornir:
    hosts = Hosts({name: Host(name=name) for name in names})
    config = Config(logging=LoggingConfig(enabled=False))
    return Nornir(inventory=Inventory(hosts=hosts), runner=ThreadedRunner(num_workers=4), config=config, data=GlobalState())


class City:
    """The devices of the tree, each in its bootstrap state, and how to deploy to them."""

    def __init__(self, fleet, tmp_path: Path) -> None:
        self.fleet, self.tmp_path = fleet, tmp_path
        self.password = secrets.token_hex(8)
        self.devices = {}
        self.backups: dict[str, str] = {}
        self.steps: list[tuple[str, str]] = []
        self.known_hosts: Path | None = None
        self.given_up: dict[str, Limits] = {}
        self.waits: dict[str, float] = {}
        self.lock = threading.Lock()
        self.environ = {"WAIWANG_SECRET_SSH_PASSWORD": self.password}

    def start(self, *names: str) -> City:
        for name in names or TREE:
            self.devices[name] = self.fleet.add(name, self.password, TREE[name][2], bootstrap(name))
        return self

    def gateway(self, **changes) -> Gateway:
        """Return a gateway that is patient with all but those of `given_up`; `waits`: how long each may be waited for."""
        settings = Settings(self.tmp_path, "", None, self.known_hosts, 60.0, 161, 22)

        def within(limits: Limits) -> Gateway:
            return open_gateway(PLAN, settings, self.environ, endpoint=self.fleet.endpoint, limits=limits)

        patient = within(PATIENT)

        def connect(intent: DeviceIntent, wait_s: float) -> DeviceSession:
            self.waits[intent.hostname] = wait_s
            limits = self.given_up.get(intent.hostname)
            return (within(limits) if limits else patient).connect(intent, wait_s)

        return replace(patient, connect=connect, **changes)

    def deploy(self, *, commit: bool, texts=TEXTS, names=None, gateway: Gateway | None = None, **options) -> DeployReport:
        return deploy(
            nornir_over(names or TREE),
            INTENTS,
            texts,
            gateway or self.gateway(),
            commit=commit,
            record_backup=self.backups.__setitem__,
            progress=self.note,
            **options,
        )

    def note(self, device: str, step: str) -> None:
        with self.lock:
            self.steps.append((device, step))


@pytest.fixture
def city(fleet, tmp_path: Path) -> City:
    return City(fleet, tmp_path)


def results(report: DeployReport) -> dict[str, str]:
    return {row.device: row.result for row in report.rows}


def row_of(report: DeployReport, device: str):
    return next(row for row in report.rows if row.device == device)


def test_without_commit_the_patch_is_shown_and_nothing_is_written(city: City) -> None:
    report = city.start().deploy(commit=False)

    assert set(results(report).values()) == {"pending"}
    assert report.exit_code is ExitCode.PENDING
    assert all(not device.saved and "configure terminal" not in device.typed for device in city.devices.values())
    row = row_of(report, "county01")
    assert (row.changed, [str(command) for command in row.commands]) == (
        4,
        ["interface eth1", " description TO:parent", " exit", "interface eth2", " description RESERVED", " shutdown", " exit"],
    )
    assert "+ description TO:parent" in row.diff


def test_commit_deploys_everything_root_first_and_a_second_one_changes_nothing(city: City) -> None:
    first = city.start().deploy(commit=True)
    finished = [device for device, step in city.steps if step == "deployed"]
    standing = {name: device.saved for name, device in city.devices.items()}
    typed = {name: len(device.typed) for name, device in city.devices.items()}
    second = city.deploy(commit=True)

    assert (set(results(first).values()), first.exit_code) == ({"deployed"}, ExitCode.OK)
    assert [TREE[name][0] for name in finished] == [0, 1, 1, 2, 2]
    assert (set(results(second).values()), second.exit_code) == ({"unchanged"}, ExitCode.OK)
    assert all("description RESERVED" in text for text in standing.values())
    assert {name: device.saved for name, device in city.devices.items()} == standing
    assert all("configure terminal" not in device.typed[typed[name] :] for name, device in city.devices.items())
    assert city.backups["city"].count("interface eth1") == 1
    assert "RESERVED" not in city.backups["city"]


def test_what_was_shown_is_what_is_pushed(city: City) -> None:
    report = city.start("city").deploy(commit=True, names=["city"])
    typed = [line for line in city.devices["city"].typed if line]
    start = typed.index("configure terminal") + 1
    commands = [command.text for command in row_of(report, "city").commands]
    assert typed[start : start + len(commands)] == commands


def test_a_device_that_is_down_is_a_row_and_hides_no_other(city: City) -> None:
    report = city.start("city", "county02", "c02-u01").deploy(commit=True, wait_s=3.0)

    assert results(report) == {
        "city": "deployed",
        "county01": "unreachable",
        "county02": "deployed",
        "c01-u01": "unreachable",
        "c02-u01": "deployed",
    }
    assert report.exit_code is ExitCode.DEVICE
    assert row_of(report, "c01-u01").reason.startswith("behind county01, which is unreachable. ")
    assert (city.waits["county01"], city.waits["c01-u01"]) == (3.0, 0.0), "a device behind a lost one is not waited for"
    assert report.totals() == {"deployed": 3, "unreachable": 2}


def test_a_device_that_is_only_being_reached_now_is_waited_for(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins to listen when it has refused twice; without patience it would be a row of its own."""
    city.start("city")
    host, port = city.fleet.reserve(TREE["county01"][2])
    knock, refused = socket.create_connection, list[str]()

    def knock_until_it_listens(end: tuple[str, int], *args: object, **more: object) -> socket.socket:
        try:
            return knock(end, *args, **more)
        except ConnectionRefusedError as refusal:
            if end == (str(host), port):
                refused.append(str(refusal))
                if len(refused) == 2:
                    city.start("county01")
            raise

    monkeypatch.setattr(socket, "create_connection", knock_until_it_listens)
    report = city.deploy(commit=True, names=["city", "county01"], wait_s=60.0)
    assert results(report) == {"city": "deployed", "county01": "deployed"}
    assert len(refused) == 2


def test_a_wrong_password_is_offered_once_and_ends_as_login_refused(city: City) -> None:
    city.start("city", "county01", "county02")
    city.devices["county01"].password = "another"
    report = city.deploy(commit=True, names=["city", "county01", "county02"])

    assert results(report) == {"city": "deployed", "county01": "login_refused", "county02": "deployed"}
    assert city.devices["county01"].logins == ["netops"]
    assert city.password not in row_of(report, "county01").reason
    assert report.exit_code is ExitCode.DEVICE


def test_an_unknown_host_key_is_refused_before_the_password_is_sent(city: City, tmp_path: Path) -> None:
    city.start("city", "county01")
    city.known_hosts = city.fleet.known_hosts(tmp_path / "known_hosts")
    lines = city.known_hosts.read_text(encoding="ascii").splitlines()
    city.known_hosts.write_text(lines[0] + "\n", encoding="ascii")

    report = city.deploy(commit=True, names=["city", "county01"])

    assert results(report) == {"city": "deployed", "county01": "login_refused"}
    assert "known_hosts" in row_of(report, "county01").reason
    assert city.devices["county01"].logins == []


@pytest.mark.parametrize("step", ["terminal length 0", "show running-config", "configure terminal", "description RESERVED", "write mem"])
def test_a_device_that_hangs_at_any_step_is_given_up_and_is_a_row(city: City, step: str) -> None:
    """It never answers again: that the run ends at all is what its limits do, and the row says so."""
    city.start("city", "county01", "county02")
    city.devices["county01"].hangs_at = step
    city.given_up["county01"] = replace(PATIENT, read_s=3.0)
    report = city.deploy(commit=True, names=["city", "county01", "county02"])

    assert results(report)["county02"] == "deployed"
    assert results(report)["county01"] in ("failed", "unreachable")
    assert re.search("no answer in time|silence after the login", row_of(report, "county01").reason)
    assert report.exit_code is ExitCode.DEVICE
    assert "description" not in city.devices["county01"].saved


def test_a_port_that_answers_and_then_says_nothing_ends_as_unreachable(city: City) -> None:
    with socket.create_server(("127.9.8.8", 0)) as mute:
        city.fleet.ends[IPv4Address(TREE["city"][2])] = (IPv4Address("127.9.8.8"), mute.getsockname()[1])
        city.given_up["city"] = replace(PATIENT, login_s=1.5, read_s=3.0)
        report = city.deploy(commit=False, names=["city"])
    assert results(report) == {"city": "unreachable"}
    assert "expected a prompt within 4.5 s; found " in row_of(report, "city").reason


def test_a_session_that_breaks_while_pushing_says_where_and_is_not_saved(city: City) -> None:
    city.start("city")
    city.devices["city"].drops_at = "description RESERVED"
    report = city.deploy(commit=True, names=["city"])

    row = row_of(report, "city")
    assert row.result == "failed"
    assert "line 5 of 7, 'description RESERVED'" in row.reason
    assert city.devices["city"].saved == ""


def test_a_refused_line_stops_the_push_and_shows_the_device_s_words(city: City) -> None:
    city.start("city")
    city.devices["city"].refuses = "shutdown"
    report = city.deploy(commit=True, names=["city"])

    row = row_of(report, "city")
    assert (row.result, row.exit_code) == ("refused", ExitCode.DEVICE)
    assert "% Unknown command: shutdown" in row.reason
    assert row.commands
    assert city.devices["city"].saved == ""


def test_a_disk_that_is_full_is_no_success(city: City) -> None:
    city.start("city")
    city.devices["city"].full_disk = True
    assert results(city.deploy(commit=True, names=["city"])) == {"city": "refused"}
    city.devices["city"].full_disk = False
    again = city.deploy(commit=True, names=["city"])
    assert results(again) == {"city": "unchanged"}
    assert "RESERVED" in city.devices["city"].saved, "what an earlier run pushed and could not save is saved now"


def test_a_line_that_does_not_take_is_found_by_reading_back_and_not_saved(city: City) -> None:
    city.start("city")
    city.devices["city"].ignores = "shutdown"
    report = city.deploy(commit=True, names=["city"])
    assert results(report) == {"city": "failed"}
    assert "1 line that differs still" in row_of(report, "city").reason
    assert city.devices["city"].saved == ""


def test_a_patch_that_would_cut_the_way_in_is_refused_before_the_first_line(city: City) -> None:
    city.start("city", "county01")
    texts = {**TEXTS, "county01": TEXTS["county01"].replace(f"ip route {CENTRE} 198.18.1.1 250\n", "")}
    report = city.deploy(commit=True, names=["city", "county01"], texts=texts)
    assert results(report) == {"city": "deployed", "county01": "refused"}
    assert "removes the last route to the centre (198.18.9.0/29)" in row_of(report, "county01").reason
    assert "configure terminal" not in city.devices["county01"].typed
    assert "county01" not in city.backups


def test_a_device_that_calls_itself_otherwise_is_refused(city: City) -> None:
    city.start("city")
    city.devices["city"].hostname = "somebody-else"
    report = city.deploy(commit=True, names=["city"])
    assert results(report) == {"city": "refused"}
    assert "expected a device that calls itself city" in row_of(report, "city").reason
    assert "configure terminal" not in city.devices["city"].typed


def test_an_illustration_is_refused_before_any_contact(city: City) -> None:
    city.start("city")
    gateway = city.gateway(illustration=True)
    for commit in (False, True):
        with pytest.raises(InputError, match="illustration: true"):
            city.deploy(commit=commit, names=["city"], gateway=gateway)
    with pytest.raises(InputError, match="illustration: true"):
        diff(nornir_over(["city"]), INTENTS, TEXTS, gateway)
    assert city.devices["city"].logins == []


def test_commit_outside_the_lab_wants_the_family_named_as_unsafe(city: City) -> None:
    city.start("city")
    outside = city.gateway(is_practice=lambda intent: False)

    refused = city.deploy(commit=True, names=["city"], gateway=outside)
    logins = list(city.devices["city"].logins)
    accepted = city.deploy(commit=True, names=["city"], gateway=outside, unsafe={"frr"})

    assert (results(refused), logins) == ({"city": "refused"}, [])
    assert "--unsafe frr" in row_of(refused, "city").reason
    assert results(accepted) == {"city": "deployed"}


def test_only_lab_and_loopback_addresses_count_as_practice(city: City) -> None:
    gateway = city.gateway()
    assert gateway.is_practice(INTENTS["city"])
    settings = Settings(city.tmp_path, "", None, None, 60.0, 161, 22)
    real = open_gateway(PLAN, settings, city.environ)
    assert real.is_practice(INTENTS["city"])
    assert not real.is_practice(replace(INTENTS["city"], contacts=(IPv4Address("198.18.0.1"), IPv4Address("59.225.0.1"))))


def test_missing_secrets_are_named_before_any_contact(city: City) -> None:
    city.start("city")
    texts = {"city": TEXTS["city"] + "key chain k\n key-string <secret:ospf_key>\nexit\n"}
    with pytest.raises(InputError) as refusal:
        city.deploy(commit=True, names=["city"], texts=texts)
    assert [finding.what for finding in refusal.value.findings] == ["secret ospf_key"]
    assert city.devices["city"].logins == []
    city.environ = {}
    with pytest.raises(InputError, match="secret ssh_password"):
        city.gateway()


def test_a_secret_reaches_the_device_and_nothing_that_people_read(city: City) -> None:
    city.start("city")
    city.environ["WAIWANG_SECRET_OSPF_KEY"] = "s3cr3t-value"
    texts = {"city": TEXTS["city"].replace(" shutdown", " ip ospf message-digest-key 1 md5 <secret:ospf_key>\n shutdown")}
    first = city.deploy(commit=True, names=["city"], texts=texts)
    second = city.deploy(commit=True, names=["city"], texts={"city": TEXTS["city"].replace("RESERVED", "other")})

    assert "ip ospf message-digest-key 1 md5 s3cr3t-value" in city.devices["city"].typed
    assert (results(first), results(second)["city"]) == ({"city": "deployed"}, "deployed")
    assert "no ip ospf message-digest-key 1" in city.devices["city"].typed
    assert "s3cr3t-value" not in repr(first) + repr(second) + city.backups["city"]


def test_a_fault_of_ours_on_one_device_is_a_row_and_exits_as_internal(city: City) -> None:
    city.start("city", "county01")
    gateway = city.gateway()

    def connect(intent: DeviceIntent, wait_s: float):
        if intent.hostname == "county01":
            raise ZeroDivisionError("bug")
        return gateway.connect(intent, wait_s)

    report = city.deploy(commit=True, names=["city", "county01"], gateway=replace(gateway, connect=connect))
    assert results(report) == {"city": "deployed", "county01": "failed"}
    assert "internal fault: ZeroDivisionError" in row_of(report, "county01").reason
    assert report.exit_code is ExitCode.INTERNAL


def test_diff_shows_every_device_and_writes_nothing(city: City) -> None:
    city.start("city", "county01")
    city.devices["city"].load(intended("city"))
    rows = diff(nornir_over(["city", "county01", "county02"]), INTENTS, TEXTS, city.gateway())
    assert [(row.device, row.result) for row in rows] == [("city", "unchanged"), ("county01", "pending"), ("county02", "unreachable")]
    assert all("configure terminal" not in device.typed for device in city.devices.values())
