"""waiwang deploy on every family over SSH: a piece of a city from its first boot to intended, drift, and back again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from app.core.commands import mask_secrets, refer_secrets
from app.edge.patch import unified_diff
from app.edge.templates import read_templates
from app.errors import ExitCode
from app.workflows.deploy import DeployReport, deploy
from app.workflows.diff import diff
from app.workflows.render import render
from tests.samples.small_city import ROOT, ROUTERS, SECRETS, SmallCity, on_the_air, small, with_ports_of


def deployed(city: SmallCity, texts: Mapping[str, str] | None = None, *names: str) -> tuple[DeployReport, dict[str, str]]:
    """Deploy with --commit; return the report and the backups that were taken."""
    backups: dict[str, str] = {}
    report = deploy(
        city.nornir(*names),
        city.intents,
        texts or city.texts,
        city.gateway,
        commit=True,
        record_backup=backups.__setitem__,
        wait_s=10.0,
    )
    return report, backups


def results(report: DeployReport) -> dict[str, str]:
    return {row.device: row.result for row in report.rows}


@pytest.fixture(scope="module", params=ROUTERS)
def city(request: pytest.FixtureRequest) -> Iterator[SmallCity]:
    """A city of one family after its first boot. The tests below take it from there in their order."""
    with on_the_air(small(request.param), bootstrap=True, specs=with_ports_of(small(request.param, full=True))) as city:
        yield city


def test_a_city_is_deployed_from_its_first_boot_and_saved(city: SmallCity) -> None:
    report, backups = deployed(city)
    assert results(report) == dict.fromkeys(city.intents, "deployed"), [row.reason for row in report.rows]
    assert report.exit_code is ExitCode.OK
    for name in city.intents:
        state = city.carrier.network.devices[name].state
        assert (state.saved, state.trial) == (state.running, None)
    spoken = "".join(backups.values()) + "".join(row.diff + row.reason for row in report.rows)
    assert set(backups) == set(city.intents)
    assert not any(secret in spoken for secret in SECRETS.values())


def test_a_second_deploy_finds_nothing_to_do(city: SmallCity) -> None:
    report, backups = deployed(city)
    assert results(report) == dict.fromkeys(city.intents, "unchanged")
    assert {row.diff for row in report.rows} == {""}
    assert backups == {}


def test_what_somebody_changed_by_hand_is_shown_and_taken_back(city: SmallCity) -> None:
    port = next(port for port in city.intents["county02"].interfaces if port.kind == "line")
    text = city.texts["county02"]
    before = city.running("county02")
    city.load("county02", f"interface {port.name}\n description MOVED BY HAND\n")
    shown = diff(city.nornir("county02"), city.intents, city.texts, city.gateway)[0]
    assert (shown.result, shown.changed) == ("pending", 2)
    assert "- description MOVED BY HAND" in shown.diff
    report, backups = deployed(city, None, "county02")
    assert results(report) == {"county02": "deployed"}
    assert "MOVED BY HAND" in backups["county02"]
    assert mask_secrets(city.running("county02")) == mask_secrets(before), text


def test_a_larger_plan_is_deployed_and_rolled_back(city: SmallCity) -> None:
    """Everything that a plan may ask for, VPN instances, BGP, filters, queues, probes, keys; and back to what the backups hold."""
    router = city.intents["core"].family
    names = tuple(name for name in ("core", "county02", "u01-sw") if name in city.intents)
    larger = render(small(router, full=True), read_templates(ROOT))
    before = {name: city.running(name) for name in names}
    forth, backups = deployed(city, larger, *names)
    changed = [name for name in names if larger[name] != city.texts[name]]
    assert results(forth) == {name: "deployed" if name in changed else "unchanged" for name in names}, [row.reason for row in forth.rows]
    assert set(backups) == set(changed) >= {"core", "county02"}
    assert not any(secret in text for text in backups.values() for secret in SECRETS.values())
    earlier = {name: refer_secrets(city.intents[name].family, text, larger[name]) for name, text in backups.items()}
    back, _ = deployed(city, earlier, *changed)
    assert results(back) == dict.fromkeys(changed, "deployed"), [row.reason for row in back.rows]
    assert [unified_diff(city.intents[name].family, city.running(name), text, name) for name, text in before.items()] == [""] * len(names)
