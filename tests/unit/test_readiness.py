"""Who holds the clock of a line, and what a gate that is not met does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.core.acceptance import FAIL, NOT_PROVEN, PASS
from app.core.duties import Gate
from app.core.events import UnitEvent, build_book
from app.core.readiness import GateState, clock_holder, gate_counts, holding, judge_gates
from app.core.scope import Scope
from app.core.source import Source

NOW = datetime(2008, 7, 1, tzinfo=UTC)


def gate(name: str, held_by: str, before: str, *, required: bool = False) -> Gate:
    return Gate(name, "BZ-7", name, name, Scope(), "unit", held_by, before, required, f"{name}_ready", Source(default=True))


def state(gate: Gate, *, met: bool = False, counts: bool = True) -> GateState:
    return GateState(gate, NOW if met else None, counts)


SWITCH = gate("switch", "unit", "connection", required=True)
ROOM = gate("room", "centre", "connection")
COMPUTER = gate("computer", "unit", "acceptance")
ACCOUNT = gate("account", "centre", "acceptance")
MODEM = gate("modem", "carrier", "acceptance")
LEADER = gate("leader", "unit", "use")


@pytest.mark.requirement("BZ-7", "BL-1")
@pytest.mark.parametrize(
    ("gates", "delivered", "verdict", "holder"),
    [
        # nothing stands before the line: first the carrier, then the centre
        ((), False, None, "carrier"),
        ((), False, NOT_PROVEN, "carrier"),
        ((), True, None, "centre"),
        ((), True, NOT_PROVEN, "centre"),
        # a line that failed is the carrier's again, one that passed nobody's
        ((), True, FAIL, "carrier"),
        ((), True, PASS, None),
        ((state(SWITCH),), True, PASS, None),
        # before the connection stands whoever holds the gate, the first in the file first
        ((state(SWITCH),), False, None, "unit"),
        ((state(ROOM),), False, None, "centre"),
        ((state(ROOM), state(SWITCH)), False, None, "centre"),
        ((state(SWITCH), state(ROOM)), False, NOT_PROVEN, "unit"),
        ((state(SWITCH),), True, FAIL, "unit"),
        # gates of the acceptance wait until the carrier has delivered
        ((state(COMPUTER),), False, None, "carrier"),
        ((state(COMPUTER),), True, None, "unit"),
        ((state(COMPUTER),), True, FAIL, "carrier"),
        ((state(ACCOUNT), state(COMPUTER)), True, NOT_PROVEN, "centre"),
        ((state(MODEM),), True, None, "carrier"),
        # what is met, does not count, or stands before daily use only holds nobody's clock
        ((state(SWITCH, met=True),), False, None, "carrier"),
        ((state(COMPUTER, met=True),), True, None, "centre"),
        ((state(SWITCH, met=True), state(COMPUTER)), True, None, "unit"),
        ((state(ROOM, counts=False),), False, None, "carrier"),
        ((state(LEADER),), True, None, "centre"),
    ],
)
def test_the_clock_is_held_by_whoever_has_to_act_next(
    gates: tuple[GateState, ...], delivered: bool, verdict: str | None, holder: str | None
) -> None:
    assert clock_holder(gates, delivered=delivered, verdict=verdict) == holder


def test_a_required_gate_counts_always_and_another_once_anybody_recorded_it() -> None:
    nothing = build_book([])
    somewhere = build_book([UnitEvent("U9", "computer_ready", NOW, NOW, "公文交换员", "登记表")])
    assert [gate_counts(each, nothing) for each in (SWITCH, COMPUTER)] == [True, False]
    assert [gate_counts(each, somewhere) for each in (SWITCH, COMPUTER)] == [True, True]


def test_only_required_gates_keep_a_line_from_being_accepted() -> None:
    assert judge_gates([state(COMPUTER), state(ROOM)]) == ()
    [missing] = judge_gates([state(SWITCH), state(COMPUTER)])
    assert (missing.verdict, missing.found, missing.evidence) == (NOT_PROVEN, "0 of 1 gates met", {"switch": None})
    [met] = judge_gates([state(SWITCH, met=True), state(COMPUTER)])
    assert (met.verdict, met.evidence) == (PASS, {"switch": NOW.isoformat()})


def test_open_gates_are_those_before_the_acceptance() -> None:
    assert holding([state(SWITCH), state(COMPUTER, met=True), state(ROOM, counts=False), state(LEADER)]) == (SWITCH,)
