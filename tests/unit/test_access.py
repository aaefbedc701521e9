"""Roles: what is one, what each is shown, and what each may say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.access import (
    HIDDEN,
    NARROW,
    WIDE,
    Role,
    find_account_faults,
    find_password_faults,
    mask_reason,
    may_prove,
    may_report,
    may_step,
    narrow_workspace,
    parse_role,
    party_of,
)
from app.core.life import LIFE_STATES
from app.core.linestate import REASONS
from app.core.progress import summarise
from tests.samples.accepted_line import LINE, root_workspace

NOW = datetime(2008, 6, 1, tzinfo=UTC)
TELECOM, UNICOM = Role("carrier", "telecom"), Role("carrier", "unicom")
OWN_UNIT, OTHER_UNIT = Role("unit", "BZQ-GOV"), Role("unit", "TJ-GOV")
WIDE_ROLES = tuple(Role(kind) for kind in WIDE)


@pytest.mark.parametrize("text", ["viewer", "engineer", "centre", "carrier:telecom", "unit:BZQ-GOV"])
def test_a_role_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_role(text)) == text


@pytest.mark.parametrize("text", ["", "admin", "carrier", "carrier:", "unit:", "viewer:all", "centre:", "Viewer", "unit:" + "x" * 80])
def test_other_texts_are_no_role(text: str) -> None:
    assert parse_role(text) is None


@given(st.text(max_size=100))
def test_no_text_makes_a_narrow_role_without_whose(text: str) -> None:
    role = parse_role(text)
    assert role is None or (role.kind in NARROW) == bool(role.subject)


def test_a_carrier_sees_its_own_lines_and_a_unit_its_own() -> None:
    lines = root_workspace().inventory.lines.values()
    assert {line.line_id for line in lines if TELECOM.sees(line)} == {line.line_id for line in lines if line.carrier == "telecom"}
    assert {line.line_id for line in lines if OWN_UNIT.sees(line)} == {line.line_id for line in lines if line.unit_id == "BZQ-GOV"}
    assert all(role.sees(line) for role in WIDE_ROLES for line in lines)


def test_the_parts_of_all_carriers_make_the_whole_and_meet_nowhere() -> None:
    workspace = root_workspace()
    parts = [set(narrow_workspace(workspace, Role("carrier", name)).inventory.lines) for name in workspace.order.carriers]
    assert sum(map(len, parts)) == len(workspace.inventory.lines)
    assert set().union(*parts) == set(workspace.inventory.lines)


@pytest.mark.parametrize("role", [TELECOM, OWN_UNIT])
def test_a_summary_of_a_part_names_no_line_and_no_unit_of_others(role: Role) -> None:
    workspace = root_workspace()
    summary = summarise(narrow_workspace(workspace, role), {}, {}, None, NOW)
    others = [line for line in workspace.inventory.lines.values() if not role.sees(line)]
    shown = repr(summary)
    assert summary.lines
    assert not any(line.line_id in shown for line in others)
    served = {line.unit_id for line in workspace.inventory.lines.values() if role.sees(line)}
    assert not any(unit_id in {line.unit_id for line in summary.lines} for unit_id in set(workspace.inventory.units) - served)
    assert not any(subject in set(workspace.inventory.units) - served for gate in summary.gates for subject in gate.open_subjects)


def test_a_carriers_milestones_count_its_own_lines() -> None:
    workspace = root_workspace()
    whole = {each.milestone_id: each.total for each in summarise(workspace, {}, {}, None, NOW).milestones if each.cells}
    parts: dict[str, int] = {}
    for carrier in workspace.order.carriers:
        narrow = narrow_workspace(workspace, Role("carrier", carrier))
        for each in summarise(narrow, {}, {}, None, NOW).milestones:
            assert each.evidence == "accepted_line"
            parts[each.milestone_id] = parts.get(each.milestone_id, 0) + each.total
    assert parts
    assert all(whole[milestone] == total for milestone, total in parts.items())


def test_a_wide_role_is_shown_the_workspace_itself() -> None:
    assert all(narrow_workspace(root_workspace(), role) is root_workspace() for role in WIDE_ROLES)


def test_the_line_that_another_is_behind_is_not_named_to_strangers() -> None:
    reason = REASONS["behind"][0].format(LINE)
    assert mask_reason(reason, [LINE]) == reason
    assert LINE not in mask_reason(reason, [])
    assert HIDDEN in mask_reason(reason, [])
    assert mask_reason("both ports are up", []) == "both ports are up"


def test_who_may_record_which_step() -> None:
    line = root_workspace().inventory.lines[LINE]
    assert line.carrier == "telecom"
    for state in LIFE_STATES:
        assert may_step(Role("engineer"), line, state)
        assert may_step(Role("centre"), line, state)
        assert may_step(TELECOM, line, state) is (state == "opened")
        assert not any(may_step(role, line, state) for role in (UNICOM, OWN_UNIT, Role("viewer")))


def test_nobody_confirms_for_another_party() -> None:
    line = root_workspace().inventory.lines[LINE]
    expected = {TELECOM: "carrier", OWN_UNIT: "unit", Role("centre"): "centre"}
    for role in (*WIDE_ROLES, TELECOM, UNICOM, OWN_UNIT, OTHER_UNIT):
        assert party_of(role, line) == expected.get(role)


def test_a_unit_reports_of_itself_alone() -> None:
    assert may_report(OWN_UNIT, "BZQ-GOV")
    assert not any(may_report(OWN_UNIT, subject) for subject in ("TJ-GOV", "service:exchange", "region:511902", ""))
    assert not any(may_report(role, "BZQ-GOV") for role in (TELECOM, Role("viewer"), Role("carrier", "BZQ-GOV")))
    assert may_report(Role("centre"), "region:511902")


def test_evidence_is_for_the_parties_and_the_centre() -> None:
    line = root_workspace().inventory.lines[LINE]
    allowed = {role for role in (*WIDE_ROLES, TELECOM, UNICOM, OWN_UNIT, OTHER_UNIT) if may_prove(role, line)}
    assert allowed == {Role("engineer"), Role("centre"), TELECOM, OWN_UNIT}


def test_every_fault_of_an_account_is_told_at_once() -> None:
    found = [str(fault) for fault in find_account_faults(root_workspace(), "Li Ming", "carrier:telekom")]
    assert found == [
        "account: name: expected 2 to 32 of a-z 0-9 . _ -, a letter first; found `Li Ming`. "
        "Name the desk or the system, such as telecom-desk or screen-1, never a person.",
        "account: role of a carrier: expected a carrier of inventory/order.yaml; found `telekom`. Did you mean `telecom`?",
    ]
    assert find_account_faults(root_workspace(), "telecom-desk", "carrier:telecom") == []


@pytest.mark.parametrize(
    ("password", "fine"),
    [("x" * 11, False), ("aaaaaaaaaaaaaa", False), ("office-office-1234", False), ("seven grey herons", True), ("y" * 201, False)],
)
def test_a_password_is_long_and_various_and_never_repeated_to_its_reader(password: str, fine: bool) -> None:
    faults = find_password_faults(password, "office")
    assert (faults == []) is fine
    assert not any(password in str(fault) for fault in faults)
