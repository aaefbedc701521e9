"""A change that a device refuses midway, or whose session breaks off: the device is left as it was, or what it runs is told.

On virtual devices of every family, over SSH. Configuration lines are counted from 1 in each session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest

from app.core.intent import DeviceIntent
from app.errors import ConnectFailed, ExitCode, LoginRefused
from app.workflows.deploy import DeployReport, deploy
from app.workflows.diff import DeviceRow
from app.workflows.hosts import DeviceSession, Gateway
from lab.virtual.faults import NO_SSH_FAULTS, SshFaults
from tests.samples.small_city import ROUTERS, SmallCity, on_the_air, small

#: A device of every family: the router family of its city, and its name. The last keeps no archive: it takes nothing back by itself.
DEVICES = (
    ("huawei_ar", "core"),
    ("huawei_ar", "u01-sw"),
    ("huawei_ne", "core"),
    ("h3c_msr", "core"),
    ("h3c_msr", "u01-sw"),
    ("frr", "core"),
    ("cisco_ios", "core"),
    ("cisco_ios", "county02"),
)
#: Those that take each line into force at once and nothing back.
PLAIN = tuple(device for device in DEVICES if device not in (("huawei_ne", "core"), ("cisco_ios", "core")))
#: Said where lines were in force, and where none was.
BACK = "The change was taken back over the session that was open, and the device runs what it ran before. Nothing is saved."
NOTHING = "It runs what it ran before: nothing of the change is in force."


@pytest.fixture(scope="module")
def cities() -> Iterator[Mapping[str, SmallCity]]:
    """Every city on the air at once; county02 of IOS without its archive."""
    with on_air(ROUTERS) as found:
        found["cisco_ios"].load("county02", "no archive\n")
        yield found


@contextmanager
def on_air(routers: tuple[str, ...]) -> Iterator[dict[str, SmallCity]]:
    if not routers:
        yield {}
        return
    with on_the_air(small(routers[0])) as city, on_air(routers[1:]) as others:
        yield {routers[0]: city, **others}


@pytest.fixture
def at(request: pytest.FixtureRequest, cities: Mapping[str, SmallCity]) -> Iterator[tuple[SmallCity, str]]:
    """The city and the name of one device, which is well and runs what it ran when the test is over."""
    router, name = request.param
    city = cities[router]
    device = city.carrier.network.devices[name]
    state = device.state
    yield city, name

    def mend() -> None:
        city.carrier.network.set_faults(name, ssh=NO_SSH_FAULTS)
        device.state = replace(state, vault={**state.vault, **device.state.vault})
        device.refresh()

    city.carrier.call(mend)


def faulty(at: tuple[SmallCity, str], faults: SshFaults) -> None:
    city, name = at
    city.carrier.call(lambda: city.carrier.network.set_faults(name, ssh=faults))


def two_changes(at: tuple[SmallCity, str]) -> dict[str, str]:
    """Return texts in which two ports of the device have another description: a patch of six lines, three of each port."""
    city, name = at
    text = city.texts[name]
    ports = [port for port in city.intents[name].interfaces if port.description and f"interface {port.name}\n" in text]
    for port in ports[:2]:
        text = text.replace(f"description {port.description}", f"description NEW {port.name[-1]}", 1)
    texts = {**city.texts, name: text}
    if "archive" not in city.running(name):
        texts[name] = texts[name].replace("archive\n path flash:waiwang-\n", "")
    return texts


def run(at: tuple[SmallCity, str], gateway: Gateway | None = None, *, commit: bool = True) -> DeployReport:
    city, name = at
    return deploy(
        city.nornir(name), city.intents, two_changes(at), gateway or city.gateway, commit=commit, record_backup=lambda name, text: None
    )


def row_of(at: tuple[SmallCity, str], gateway: Gateway | None = None) -> DeviceRow:
    report = run(at, gateway)
    assert report.exit_code is ExitCode.DEVICE
    return report.rows[0]


def later(at: tuple[SmallCity, str], meanwhile: Callable[[], None]) -> Gateway:
    """Return a gateway on which something happens before the second login; the device is well again from then on."""
    city, _ = at
    logins: list[str] = []

    def connect(intent: DeviceIntent, wait_s: float) -> DeviceSession:
        logins.append(intent.hostname)
        if len(logins) == 2:
            faulty(at, NO_SSH_FAULTS)
            meanwhile()
        return city.gateway.connect(intent, wait_s)

    return replace(city.gateway, connect=connect)


@pytest.mark.parametrize("line", [1, 2, 5], ids=["first", "middle", "last"])
@pytest.mark.parametrize("at", DEVICES, indirect=True, ids="-".join)
def test_a_device_that_refuses_a_line_is_as_it_was_and_not_saved(at: tuple[SmallCity, str], line: int) -> None:
    city, name = at
    before, saved = city.running(name), city.carrier.network.devices[name].state.saved
    faulty(at, SshFaults(refuse_at=line))
    row = row_of(at)
    assert (row.result, row.stands, row.in_force) == ("refused", "as_before", ())
    assert f"line {line} of 6" in row.reason
    assert row.reason.endswith("Correct the template or the workspace, then deploy again.")
    pushed_for_good = line == 5 and (city.intents[name].family, name) not in {("huawei_ne", "core"), ("cisco_ios", "core")}
    assert (BACK if pushed_for_good else NOTHING) in row.reason
    assert city.running(name) == before
    state = city.carrier.network.devices[name].state
    assert (state.saved, state.trial) == (saved, None)


@pytest.mark.parametrize("at", PLAIN, indirect=True, ids="-".join)
def test_a_device_that_refuses_the_way_back_too_is_told_of_line_by_line(at: tuple[SmallCity, str]) -> None:
    city, name = at
    head, new = (command.text for command in run(at, commit=False).rows[0].commands[:2])
    old = next(port.description for port in city.intents[name].interfaces if f"interface {port.name}" == head)
    faulty(at, SshFaults(refuse_at=5, refuse=f"description {old}"))
    row = row_of(at)
    assert (row.result, row.stands) == ("refused", "half_changed")
    assert row.in_force == (f"- {head} / description {old}", f"+ {head} / {new}")
    assert "Taking the change back failed as well" in row.reason
    assert f"In force: {'; '.join(row.in_force)}." in row.reason
    assert f"waiwang rollback {name} takes back what is in force" in row.reason
    assert "NEW" in city.running(name)


@pytest.mark.parametrize("at", [("huawei_ne", "core")], indirect=True, ids="-".join)
def test_a_commit_that_is_refused_leaves_nothing_in_force(at: tuple[SmallCity, str]) -> None:
    city, name = at
    before = city.running(name)
    faulty(at, SshFaults(refuse="commit trial"))
    row = row_of(at)
    assert (row.result, row.stands) == ("refused", "as_before")
    assert "make the lines live, 'commit trial 300'" in row.reason
    assert NOTHING in row.reason
    assert city.running(name) == before


@pytest.mark.parametrize("at", DEVICES, indirect=True, ids="-".join)
def test_a_device_whose_session_ends_midway_is_as_it_was(at: tuple[SmallCity, str]) -> None:
    city, name = at
    before = city.running(name)
    faulty(at, SshFaults(drop_after=4))
    row = row_of(at, later(at, lambda: None))
    assert (row.result, row.stands, row.in_force) == ("failed", "as_before", ())
    assert "line 4 of 6" in row.reason
    assert city.running(name) == before
    assert city.carrier.network.devices[name].state.trial is None


@pytest.mark.parametrize("at", PLAIN, indirect=True, ids="-".join)
def test_a_device_that_restarts_midway_is_as_it_was_though_it_had_not_saved_that(at: tuple[SmallCity, str]) -> None:
    """What it ran before was typed by somebody and not saved: a restart loses it, and the way back brings it again."""
    city, name = at
    port = next(port for port in city.intents[name].interfaces if f"interface {port.name}\n" in city.texts[name])
    city.load(name, f"interface {port.name}\n description NOT SAVED\n")
    before = city.running(name)
    faulty(at, SshFaults(drop_after=4))
    row = row_of(at, later(at, lambda: city.carrier.call(lambda: city.carrier.network.reboot(name))))
    assert (row.result, row.stands) == ("failed", "as_before")
    assert city.running(name) == before


@pytest.mark.parametrize("at", [("frr", "core"), ("huawei_ne", "core")], indirect=True, ids="-".join)
def test_a_device_that_does_not_answer_any_more_is_said_to_be_unknown(at: tuple[SmallCity, str]) -> None:
    city, name = at

    def gone() -> None:
        raise ConnectFailed(name, "connect by SSH", expected="an answer", found="no answer", next_step="Look at the line to it.")

    faulty(at, SshFaults(drop_after=4))
    row = row_of(at, later(at, gone))
    assert (row.result, row.stands, row.in_force) == ("failed", "not_known", ())
    assert "It could not be asked again" in row.reason
    assert {"frr": "how many of the 6 lines are in force is not known", "huawei_ne": "returns by itself within 300 s"}[
        city.intents[name].family
    ] in row.reason


@pytest.mark.parametrize("at", [("frr", "core")], indirect=True, ids="-".join)
def test_a_device_that_drops_every_session_is_not_logged_in_to_for_ever(at: tuple[SmallCity, str]) -> None:
    city, name = at
    logins: list[str] = []

    def connect(intent: DeviceIntent, wait_s: float) -> DeviceSession:
        logins.append(intent.hostname)
        faulty(at, SshFaults(drop_after=4) if len(logins) == 1 else SshFaults(drop_after=1))
        return city.gateway.connect(intent, wait_s)

    row = row_of(at, replace(city.gateway, connect=connect))
    assert (row.result, row.stands) == ("failed", "not_known")
    assert len(logins) <= 5, "one to change it, one to ask, three to take it back"
    assert "NEW" in city.running(name), "or else there was nothing to be lost over"


@pytest.mark.parametrize("at", [("huawei_ar", "core"), ("frr", "core")], indirect=True, ids="-".join)
def test_a_line_that_does_not_take_is_taken_back_as_well(at: tuple[SmallCity, str]) -> None:
    """The device takes the line and shows another: the template asks for what it does not show."""
    city, name = at
    before = city.running(name)

    class Other:
        """A session that adds a line of its own to what it shows once something was pushed."""

        def __init__(self, session: DeviceSession) -> None:
            self.session, self.pushes = session, 0

        def __getattr__(self, word: str) -> object:
            return getattr(self.session, word)

        def push(self, *pushed: object) -> None:
            self.pushes += 1
            self.session.push(*pushed)  # type: ignore[arg-type]

        def running(self) -> str:
            text = self.session.running()
            return text.replace("NEW 1", "OTHER") if self.pushes == 1 else text

    gateway = replace(city.gateway, connect=lambda intent, wait_s: Other(city.gateway.connect(intent, wait_s)))  # type: ignore[return-value]
    row = row_of(at, gateway)
    assert (row.result, row.stands) == ("failed", "as_before")
    assert "read back what was pushed: expected no difference" in row.reason
    assert BACK in row.reason
    assert city.running(name) == before


@pytest.mark.parametrize("at", [("frr", "core")], indirect=True, ids="-".join)
def test_what_lies_behind_is_asked_after_the_way_back_too(at: tuple[SmallCity, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.workflows.commit.BEHIND_S", 0.1)
    city, _ = at
    asked: list[str] = []

    def answers(intent: DeviceIntent, wait_s: float) -> bool:
        asked.append(intent.hostname)
        return len(set(asked)) == len(asked)

    faulty(at, SshFaults(refuse_at=5))
    row = row_of(at, replace(city.gateway, answers=answers))
    assert row.stands == "as_before"
    assert f"{BACK} All the same: core: reach what lies behind it: expected an answer of " in row.reason


@pytest.mark.parametrize("at", [("frr", "core"), ("huawei_ne", "core")], indirect=True, ids="-".join)
def test_a_login_that_is_refused_is_not_tried_again_after_the_way_back(at: tuple[SmallCity, str]) -> None:
    """Devices lock accounts."""
    city, name = at
    before, logins = city.running(name), list[str]()

    def connect(intent: DeviceIntent, wait_s: float) -> DeviceSession:
        logins.append(intent.hostname)
        if len(logins) > 1:
            raise LoginRefused(name, "log in", expected="a login", found="the device refused it", next_step="Compare the secret.")
        return city.gateway.connect(intent, wait_s)

    row = row_of(at, replace(city.gateway, connect=connect))
    assert (row.result, row.stands, len(logins)) == ("login_refused", "as_before", 2)
    assert city.running(name) == before
