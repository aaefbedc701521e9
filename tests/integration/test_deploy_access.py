"""What a change may not end in unseen, on families that take nothing back by themselves: nobody gets in, or half of it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from app.core.intent import DeviceIntent
from app.edge.ssh.session import AS_WRITTEN
from app.errors import CommitRefused, ConnectFailed, LoginRefused
from app.workflows.deploy import deploy
from app.workflows.diff import DeviceRow
from app.workflows.hosts import DeviceSession, Gateway
from lab.virtual.faults import SshFaults
from tests.samples.small_city import SmallCity, on_the_air, resolved, small

ROUTERS = ("huawei_ar", "h3c_msr", "frr")


@pytest.fixture(scope="module", params=ROUTERS)
def city(request: pytest.FixtureRequest) -> Iterator[SmallCity]:
    with on_the_air(small(request.param)) as city:
        yield city


@pytest.fixture(autouse=True)
def _well(city: SmallCity) -> Iterator[None]:
    yield
    city.carrier.call(lambda: city.carrier.network.set_faults("core", ssh=SshFaults()))
    city.carrier.call(lambda: city.carrier.network.reboot("core"))


def two_changes(city: SmallCity) -> dict[str, str]:
    """Return texts in which two ports of the core have another description."""
    text = city.texts["core"]
    for port in [port for port in city.intents["core"].interfaces if port.description][:2]:
        text = text.replace(f"description {port.description}", f"description NEW {port.name[-1]}", 1)
    return {**city.texts, "core": text}


def deployed(city: SmallCity, gateway: Gateway) -> DeviceRow:
    texts = two_changes(city)
    report = deploy(city.nornir("core"), city.intents, texts, gateway, commit=True, record_backup=lambda name, text: None)
    return report.rows[0]


def only_first_login(city: SmallCity, refusal: Exception) -> Gateway:
    """Return a gateway that lets one session in and refuses every later one, as after a filter on the lines of access."""
    logins: list[str] = []

    def connect(intent: DeviceIntent, wait_s: float) -> DeviceSession:
        logins.append(intent.hostname)
        if len(logins) > 1:
            raise refusal
        return city.gateway.connect(intent, wait_s)

    return replace(city.gateway, connect=connect)


@pytest.mark.parametrize(("kind", "result"), [(ConnectFailed, "unreachable"), (LoginRefused, "login_refused")])
def test_a_change_after_which_nobody_can_log_in_is_taken_back(city: SmallCity, kind: type, result: str) -> None:
    before, saved = city.running("core"), city.carrier.network.devices["core"].state.saved
    row = deployed(city, only_first_login(city, kind("core", "log in", expected="a prompt", found="silence", next_step="Look.")))
    assert (row.result, row.changed) == (result, 4)
    assert "taken back over the session that was open, and the device runs what it ran before. Nothing is saved." in row.reason
    assert city.running("core") == before
    assert city.carrier.network.devices["core"].state.saved == saved


def test_a_change_that_cuts_off_what_lies_behind_is_taken_back(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.workflows.commit.BEHIND_S", 0.5)
    before = city.running("core")
    children = [child for child in city.intents.values() if child.depth == 1]
    ports = [port.name for port in city.intents["core"].interfaces if port.far_device in {child.hostname for child in children}]
    assert all(city.gateway.answers(child, 0.0) for child in children)
    text = city.texts["core"]
    for port in ports:
        head = f"interface {port.partition('.')[0]}\n"
        text = text.replace(head, f"{head} shutdown\n", 1) if head in text else f"{text}\n{head} shutdown\n"
    report = deploy(
        city.nornir("core"), city.intents, {**city.texts, "core": text}, city.gateway, commit=True, record_backup=lambda name, text: None
    )
    row = report.rows[0]
    assert row.result == "unreachable", row.reason
    assert "reach what lies behind it: expected an answer of " in row.reason
    assert "The change was taken back over the session that was open, and the device runs what it ran before." in row.reason
    assert city.running("core") == before
    assert all(city.gateway.answers(child, 60.0) for child in children)


@pytest.mark.parametrize("taken", [1, 2, 4])
def test_what_was_in_force_when_a_session_broke_off_is_taken_back(city: SmallCity, taken: int) -> None:
    """The session ends once the device took so many lines of the change, unanswered."""
    before, saved = city.running("core"), city.carrier.network.devices["core"].state.saved
    city.carrier.call(lambda: city.carrier.network.set_faults("core", ssh=SshFaults(drop_after=taken)))
    row = deployed(city, once_faulty(city))
    assert (row.result, row.stands, row.in_force) == ("failed", "as_before", ())
    assert f"line {taken} of 6" in row.reason
    assert "found the session was lost" in row.reason
    told = "The change was taken back over a new session, and the device runs what it ran before. Nothing is saved."
    assert (told if taken > 1 else "Asked again, it runs what it ran before: nothing of the change is in force.") in row.reason
    assert city.running("core") == before
    assert city.carrier.network.devices["core"].state.saved == saved


def test_a_change_that_is_whole_in_force_though_its_session_broke_off_is_proven_and_saved(city: SmallCity) -> None:
    city.carrier.call(lambda: city.carrier.network.set_faults("core", ssh=SshFaults(drop_after=5)))
    row = deployed(city, once_faulty(city))
    assert (row.result, row.stands) == ("deployed", "")
    assert "asked again, the whole change was in force, and it was proven and saved" in row.reason
    state = city.carrier.network.devices["core"].state
    assert "NEW" in city.running("core")
    assert state.saved == state.running
    city.load("core", resolved(city.texts["core"]))
    city.carrier.call(lambda: setattr(city.carrier.network.devices["core"], "state", replace(state, saved=None)))


def once_faulty(city: SmallCity) -> Gateway:
    """Return a gateway over which a device's fault is gone after the first session."""
    logins: list[str] = []

    def connect(intent: DeviceIntent, wait_s: float) -> DeviceSession:
        logins.append(intent.hostname)
        if len(logins) > 1:
            city.carrier.call(lambda: city.carrier.network.set_faults("core", ssh=SshFaults()))
        return city.gateway.connect(intent, wait_s)

    return replace(city.gateway, connect=connect)


def test_a_full_disk_says_that_the_change_is_in_force_and_would_be_lost(city: SmallCity) -> None:
    city.carrier.call(lambda: city.carrier.network.set_faults("core", ssh=SshFaults(disk_full=True)))
    first, second = deployed(city, city.gateway), deployed(city, city.gateway)
    for row in (first, second):
        assert row.result == "refused"
        assert "The intended configuration is in force and not saved: a restart of core loses it." in row.reason


def test_taking_back_that_fails_says_so_and_how_to_go_back(city: SmallCity) -> None:
    refusal = ConnectFailed("core", "log in", expected="a prompt", found="silence", next_step="Look.")
    gateway = only_first_login(city, refusal)

    class Stubborn:
        """A session that takes one push and no other."""

        def __init__(self, session: DeviceSession) -> None:
            self.session, self.pushes = session, 0

        def __getattr__(self, name: str) -> object:
            return getattr(self.session, name)

        def push(self, commands: object, spoken: Mapping[str, str] = AS_WRITTEN) -> None:
            self.pushes += 1
            if self.pushes > 1:
                raise CommitRefused("core", "line 1", expected="acceptance", found="Error: busy", next_step="Wait.")
            self.session.push(commands, spoken)  # type: ignore[arg-type]

    stubborn = replace(gateway, connect=lambda intent, wait_s: Stubborn(gateway.connect(intent, wait_s)))  # type: ignore[arg-type, return-value]
    row = deployed(city, stubborn)
    assert "Taking the change back failed as well (core: line 1: expected acceptance; found Error: busy. Wait.)" in row.reason
    assert "waiwang rollback core takes back what is in force" in row.reason
