"""Changes that return by themselves: tried, proven from a second login, confirmed; and what becomes of them otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.core.commands import Command
from app.core.intent import DeviceIntent
from app.errors import CommitRefused, ConnectFailed, DeviceError, ExitCode
from app.workflows.commit import TRIAL_S
from app.workflows.deploy import DeployReport, deploy
from app.workflows.hosts import DeviceSession, Gateway
from tests.samples.small_city import SmallCity, on_the_air, small

ROUTERS = ("huawei_ne", "cisco_ios")
#: IOS takes a change back only where it has an archive to return to; its texts give it one.
ARCHIVE = "archive\n path flash:waiwang-\n!\n"


@pytest.fixture(params=ROUTERS)
def city(request: pytest.FixtureRequest) -> Iterator[SmallCity]:
    with on_the_air(small(request.param)) as city:
        yield city


def family(city: SmallCity) -> str:
    return city.intents["core"].family


def changed(city: SmallCity) -> dict[str, str]:
    """Return texts in which the core's port to the centre has another description."""
    port = city.intents["core"].interfaces[0]
    return {**city.texts, "core": city.texts["core"].replace(f"description {port.description}", "description AS ORDERED")}


def deployed(city: SmallCity, gateway: Gateway, texts: dict[str, str]) -> DeployReport:
    kept: dict[str, str] = {}
    return deploy(city.nornir("core"), city.intents, texts, gateway, commit=True, record_backup=kept.__setitem__)


def far_away(city: SmallCity) -> Gateway:
    """Return the gateway with every device taken for one of the real network."""
    return replace(city.gateway, is_practice=lambda intent: False)


def test_a_family_that_reverts_needs_no_leave_to_be_changed_outside_the_lab(city: SmallCity) -> None:
    report = deployed(city, far_away(city), changed(city))
    assert ([row.result for row in report.rows], report.exit_code) == (["deployed"], ExitCode.OK), report.rows[0].reason
    state = city.carrier.network.devices["core"].state
    assert (state.trial, state.saved) == (None, state.running)
    assert "AS ORDERED" in city.running("core")


def test_a_change_after_which_nobody_can_log_in_is_taken_back(city: SmallCity) -> None:
    logins: list[str] = []

    def connect(intent: DeviceIntent, wait_s: float) -> DeviceSession:
        logins.append(intent.hostname)
        if len(logins) > 1:
            assert "AS ORDERED" in city.running("core")
            raise ConnectFailed(intent.hostname, "log in", expected="a prompt", found="silence", next_step="Look at the device.")
        return city.gateway.connect(intent, wait_s)

    before = city.running("core")
    report = deployed(city, replace(city.gateway, connect=connect), changed(city))
    assert logins == ["core", "core"]
    assert (report.rows[0].result, report.exit_code) == ("unreachable", ExitCode.DEVICE)
    assert city.running("core") == before
    assert city.carrier.network.devices["core"].state.trial is None


def test_a_session_that_ends_before_it_confirms_leaves_the_device_to_return(city: SmallCity) -> None:
    before = city.running("core")
    session = city.gateway.connect(city.intents["core"], 0.0)
    assert session.push_on_trial([Command(port(city)), Command("description ON TRIAL", level=1)], TRIAL_S)
    assert "ON TRIAL" in session.running()
    session.close()
    assert "ON TRIAL" in city.running("core")
    clock = city.carrier.network.clock
    city.carrier.network.clock = lambda: clock() + TRIAL_S + 1
    city.carrier.call(city.carrier.network.tick)
    assert city.running("core") == before


def port(city: SmallCity) -> str:
    return f"interface {city.intents['core'].interfaces[0].name}"


def test_a_refused_line_leaves_nothing_behind(city: SmallCity) -> None:
    before = city.running("core")
    session = city.gateway.connect(city.intents["core"], 0.0)
    try:
        with pytest.raises(CommitRefused, match=r"line 3 of 3, 'no such line'.* Nothing stays in force"):
            session.push_on_trial([Command(port(city)), Command("description HALF", level=1), Command("no such line", level=1)], TRIAL_S)
        assert session.running().strip() in before
    finally:
        session.close()
    assert city.running("core") == before


def test_a_confirmation_that_comes_too_late_is_no_success_and_saves_nothing(city: SmallCity) -> None:
    logins: list[str] = []

    def connect(intent: DeviceIntent, wait_s: float) -> DeviceSession:
        logins.append(intent.hostname)
        if len(logins) == 2:
            clock = city.carrier.network.clock
            city.carrier.network.clock = lambda: clock() + TRIAL_S + 1
            city.carrier.call(city.carrier.network.tick)
        return city.gateway.connect(intent, wait_s)

    before = city.running("core")
    (row,) = deployed(city, replace(city.gateway, connect=connect), changed(city)).rows
    assert row.result == {"huawei_ne": "failed", "cisco_ios": "refused"}[family(city)]
    assert {"huawei_ne": "The time was over before it was confirmed", "cisco_ios": "No Rollback"}[family(city)] in row.reason
    assert city.running("core") == before
    assert city.carrier.network.devices["core"].state.saved is None


def test_ios_without_an_archive_is_changed_in_the_lab_and_refused_outside() -> None:
    with on_the_air(small("cisco_ios")) as city:
        assert city.texts["core"].count(ARCHIVE) == 1
        city.load("core", "no archive\n")
        before = city.running("core")
        assert "archive" not in before
        refused = deployed(city, far_away(city), changed(city))
        assert refused.rows[0].result == "refused"
        assert "it has nothing to return to (IOS: `archive` with a `path`)" in refused.rows[0].reason
        assert city.running("core") == before
        assert deployed(city, city.gateway, changed(city)).rows[0].result == "deployed"


def test_a_family_without_a_trial_is_refused_outside_the_lab_before_anything_is_sent() -> None:
    with on_the_air(small("h3c_msr")) as city:
        refused = deployed(city, far_away(city), changed(city))
        assert refused.rows[0].result == "refused"
        assert "family h3c_msr cannot revert a change by itself" in refused.rows[0].reason
        session = city.gateway.connect(city.intents["core"], 0.0)
        try:
            for deed in (lambda: session.push_on_trial([], TRIAL_S), session.confirm, session.abandon):
                with pytest.raises(DeviceError):
                    deed()
        finally:
            session.close()
