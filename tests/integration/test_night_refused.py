"""A night in which devices refuse lines, as the engineer on shift reads it: who is as it was, who is half changed, what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from lab.virtual.faults import SshFaults
from tests.samples.loopback_city import City, city_in, results

UNITS = ("county01-u01", "county01-u02", "county02-u01", "county02-u02", "county03-u01", "county03-u02")
FIRST, LATER, NO_WAY_BACK, BROKEN, WELL, LOCKED = UNITS
#: The patch of each is six lines: two ports are described otherwise.
FAULTS = {
    FIRST: SshFaults(refuse_at=1),
    LATER: SshFaults(refuse_at=5),
    NO_WAY_BACK: SshFaults(refuse_at=5, refuse="description DRIFT"),
    BROKEN: SshFaults(drop_after=4),
    LOCKED: SshFaults(refuse_password=True),
}
AS_BEFORE = {"stands": "as_before", "in_force": []}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    yield from city_in(tmp_path_factory.mktemp("refused"), bootstrap=False)


@pytest.fixture(autouse=True)
def _drifted(built: City) -> Iterator[None]:
    """Let somebody describe two ports of every unit otherwise; whatever a test does, all are well again after it."""
    for name in UNITS:
        built.enter(name, "interface lan0\n description DRIFT A\nexit\ninterface lo\n description DRIFT B\nexit\n")
    for name, faults in FAULTS.items():
        built.faulty(name, faults)
    yield
    for name in UNITS:
        built.faulty(name, SshFaults())


def running(city: City, name: str) -> str:
    return str(city.carrier.network.devices[name].state.running)


def test_every_device_is_as_intended_or_as_it_was_or_told_of_line_by_line(built: City) -> None:
    before = {name: running(built, name) for name in UNITS}
    done = built.shell("deploy", *UNITS, "--commit", "--format", "json")
    assert done.code == 3
    refused = dict.fromkeys((FIRST, LATER, NO_WAY_BACK), "refused")
    assert results(done) == {**refused, BROKEN: "failed", WELL: "deployed", LOCKED: "login_refused"}
    assert done.json["totals"] == {"deployed": 1, "login_refused": 1, "refused": 3, "failed": 1, "half_changed": 1}
    given_up = done.json["given_up"]
    in_force = given_up.pop(NO_WAY_BACK)
    assert given_up == dict.fromkeys((FIRST, LATER, BROKEN), AS_BEFORE)
    assert in_force["stands"] == "half_changed"
    assert [line[:2] for line in in_force["in_force"]] == ["- ", "+ "]
    same = {name for name in UNITS if running(built, name) == before[name]}
    assert same == {FIRST, LATER, BROKEN, LOCKED}

    told = built.shell("history", NO_WAY_BACK, "--since", "2026-01-01", "--format", "json").json["rows"][-1]
    assert "Taking the change back failed as well" in told["reason"]
    built.faulty(NO_WAY_BACK, SshFaults())
    assert built.shell("rollback", NO_WAY_BACK, "--commit", "--quiet").code == 0
    assert running(built, NO_WAY_BACK) == before[NO_WAY_BACK]


@pytest.mark.parametrize("columns", [80, 120])
def test_the_rows_read_well_at_80_and_120_columns(built: City, golden: Callable[[str, str], None], columns: int) -> None:
    ended = built.shell("deploy", *UNITS, "--commit", "--quiet", COLUMNS=str(columns))
    text = re.sub(r"\b\d+\.\d\b", lambda found: "1.0".rjust(len(found[0])), ended.out)
    golden(f"command_line/refused.{columns}.txt", re.sub(r"127\.\d+\.\d+\.\d+", "127.0.0.1", text))


def test_a_rollback_that_is_refused_is_taken_back_as_well(built: City) -> None:
    for name in UNITS:
        built.faulty(name, SshFaults())
    assert built.shell("deploy", LATER, "--commit", "--quiet").code == 0
    before = running(built, LATER)
    built.faulty(LATER, SshFaults(refuse_at=5))
    ended = built.shell("rollback", LATER, "--commit", "--format", "json")
    assert (ended.code, results(ended), ended.json["given_up"]) == (3, {LATER: "refused"}, {LATER: AS_BEFORE})
    assert running(built, LATER) == before
