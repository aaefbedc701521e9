"""Faults: what opens one, what is folded into one, what may follow what, what carriers needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.acceptance import Transition
from app.core.availability import Maintenance
from app.core.fault_detection import Alert, Desk, Ground, Outage, Standing, lines_above, take_alert, watch
from app.core.fault_report import FaultSummary, KnownFaults, summarise_faults
from app.core.faults import (
    ALLOWED,
    ASSIGN,
    BY_HAND,
    CLOSE,
    FAULT_STATES,
    HAND,
    JOINED,
    MISTAKEN,
    NOTED,
    OPENED,
    REOPEN,
    RESTORE,
    Fault,
    FaultEvent,
    FaultPolicy,
    find_entry_faults,
    project_faults,
)
from app.core.inventory import Region
from app.core.windows import (
    CANCELLED,
    DECLARED,
    ChangeWindow,
    Concern,
    WindowEvent,
    build_reach,
    concerned_lines,
    find_cancel_faults,
    find_window_faults,
    next_window_id,
    project_windows,
)
from app.core.workspace import Workspace
from app.edge.files import read_workspace

ROOT = Path(__file__).parents[2]
#: 2008-07-03 10:00 in Beijing.
#: As long as a telephone number, and nobody's.
NUMBER = "1" + "0" * 10
NOW = datetime(2008, 7, 3, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
POLICY = FaultPolicy()


@cache
def workspace() -> Workspace:
    return read_workspace(ROOT)[0]


@cache
def family() -> tuple[str, str, str]:
    """Return a county's uplink, a line behind it, and a line of another county."""
    above = lines_above(workspace().inventory)
    child = next(line_id for line_id, way in above.items() if way)
    parent = above[child][-1]
    other = next(line_id for line_id, way in above.items() if line_id != parent and parent not in way and not way)
    return parent, child, other


PARENT, CHILD, OTHER = family()
#: A region without a unit.
LONELY = "511999"


def ground(**policy: object) -> Ground:
    inventory = workspace().inventory
    changed = replace(POLICY, **policy)  # type: ignore[arg-type]
    return Ground(lines_above(inventory), frozenset(inventory.lines), changed, workspace().order.timezone)


def desk(now: datetime = NOW, events: tuple[FaultEvent, ...] = (), **policy: object) -> Desk:
    return Desk(ground(**policy), now, project_faults(events))


def seen(line_id: str, state: str, since: datetime, at: datetime = NOW, behind: str | None = None) -> Standing:
    return Standing(line_id, state, since, at, behind)


def standings(*each: Standing) -> dict[str, Standing]:
    return {one.line_id: one for one in each}


def told(at: Desk) -> list[tuple[str, str, str]]:
    return [(event.fault_id, event.kind, event.line_id) for event in at.events]


def alert(line_id: str, starts_at: datetime = NOW - MINUTE, ends_at: datetime | None = None, fingerprint: str = "ab12") -> Alert:
    return Alert(fingerprint, "WaiwangLineDown", line_id, starts_at, ends_at, "线路中断")


def opened(line_id: str = OTHER, at: datetime = NOW - HOUR, fault_id: str = "F-20080703-001") -> FaultEvent:
    return FaultEvent(fault_id, OPENED, line_id, at, at, "值班员", BY_HAND, "电话报障")


def step(kind: str, at: datetime, value: str = "", fault_id: str = "F-20080703-001", line_id: str = OTHER) -> FaultEvent:
    return FaultEvent(fault_id, kind, line_id, at, at, "值班员", BY_HAND, "工单", value)


# What opens one


@pytest.mark.parametrize(("down_for", "opens"), [(5 * MINUTE - timedelta(seconds=1), False), (5 * MINUTE, True)])
def test_a_line_that_is_down_for_the_set_time_has_a_fault(down_for: timedelta, *, opens: bool) -> None:
    at = desk()
    watch(at, standings(seen(OTHER, "down", NOW - down_for)), [])
    assert told(at) == ([("F-20080703-001", OPENED, OTHER)] if opens else [])
    if opens:
        assert at.events[0].observed_at == NOW - down_for


@pytest.mark.parametrize("state", ["unreachable", "unknown", "up"])
def test_a_line_that_nobody_saw_down_opens_nothing(state: str) -> None:
    at = desk()
    watch(at, standings(seen(OTHER, state, NOW - HOUR)), [])
    assert told(at) == []


def test_a_line_that_was_never_accepted_has_no_fault() -> None:
    at = desk()
    at.ground = replace(at.ground, in_service=frozenset())
    watch(at, standings(seen(OTHER, "down", NOW - HOUR)), [])
    assert told(at) == []
    assert take_alert(at, alert(OTHER), {}) == ("not_in_service", "")


def drops(*minutes_ago: int) -> list[Transition]:
    return [Transition(OTHER, NOW - ago * MINUTE, NOW - ago * MINUTE, "up", "down", "") for ago in minutes_ago]


def test_a_line_that_flaps_has_one_fault_however_short_each_outage() -> None:
    at = desk()
    watch(at, standings(seen(OTHER, "up", NOW - MINUTE)), drops(29, 20, 10))
    assert told(at) == []
    watch(at, standings(seen(OTHER, "up", NOW - MINUTE)), drops(29, 20, 10, 2))
    assert told(at) == [("F-20080703-001", OPENED, OTHER)]
    assert (at.events[0].observed_at, at.events[0].document) == (NOW - 29 * MINUTE, "went down 4 times in 30 min")
    later = Desk(at.ground, NOW + 4 * MINUTE, at.faults)
    watch(later, standings(seen(OTHER, "up", NOW - MINUTE, NOW + 4 * MINUTE)), drops(20, 10, 2))
    assert told(later) == [("F-20080703-001", RESTORE, OTHER)], "its old outages do not open it again"
    assert later.events[0].observed_at == NOW - MINUTE


def test_what_breaks_soon_after_it_was_restored_is_the_same_fault_with_its_carrier() -> None:
    restored_at = NOW - 30 * MINUTE
    events = (opened(), step(HAND, NOW - 50 * MINUTE, "telecom"), step(RESTORE, restored_at))
    at = desk(events=events)
    assert at.open(Outage(OTHER, restored_at + 30 * MINUTE, "waiwang poll", "poller", "seen down")) == ("reopened", "F-20080703-001")
    fault = at.faults["F-20080703-001"]
    assert (fault.state, fault.reopened, fault.restored_at, fault.handed_at) == ("with_carrier", 1, None, NOW - 50 * MINUTE)
    other = desk(events=events)
    assert other.open(Outage(OTHER, restored_at + 30 * MINUTE + timedelta(seconds=1), "", "poller", ""))[0] == "opened"


def test_a_fault_that_was_closed_stays_closed_and_a_new_one_begins_after_it() -> None:
    events = (opened(), step(RESTORE, NOW - 20 * MINUTE), step(CLOSE, NOW - 10 * MINUTE))
    at = desk(events=events)
    watch(at, standings(seen(OTHER, "down", NOW - HOUR)), [])
    assert told(at) == [("F-20080703-002", OPENED, OTHER)]
    assert at.events[0].observed_at == NOW - 20 * MINUTE


# What is folded


def test_lines_behind_a_broken_line_are_its_children_and_have_no_fault() -> None:
    at = desk()
    seen_now = standings(
        seen(PARENT, "down", NOW - 10 * MINUTE),
        seen(CHILD, "unreachable", NOW - 10 * MINUTE, behind=PARENT),
        seen(OTHER, "unreachable", NOW - 10 * MINUTE),
    )
    watch(at, seen_now, [])
    assert told(at) == [("F-20080703-001", OPENED, PARENT), ("F-20080703-001", JOINED, CHILD)]
    again = Desk(at.ground, NOW + MINUTE, at.faults)
    watch(again, seen_now, [])
    assert told(again) == [], "seen again, nothing is added"


def test_a_child_that_is_down_while_its_parent_is_broken_joins_and_gets_its_own_fault_once_the_parent_works() -> None:
    at = desk()
    watch(at, standings(seen(CHILD, "down", NOW - 10 * MINUTE), seen(PARENT, "down", NOW - 10 * MINUTE)), [])
    assert told(at) == [("F-20080703-001", OPENED, PARENT), ("F-20080703-001", JOINED, CHILD)]
    later = Desk(at.ground, NOW + 10 * MINUTE, at.faults)
    then = NOW + 10 * MINUTE
    watch(later, standings(seen(CHILD, "down", NOW - 10 * MINUTE, then), seen(PARENT, "up", NOW + 5 * MINUTE, then)), [])
    assert told(later) == [("F-20080703-001", RESTORE, PARENT), ("F-20080703-002", OPENED, CHILD)]


def test_a_childs_fault_that_was_seen_first_is_folded_into_its_parents() -> None:
    at = desk()
    assert take_alert(at, alert(CHILD, NOW - 2 * MINUTE), {}) == ("opened", "F-20080703-001")
    assert take_alert(at, alert(PARENT, NOW - MINUTE, fingerprint="cd34"), {}) == ("opened", "F-20080703-002")
    child, parent = at.faults["F-20080703-001"], at.faults["F-20080703-002"]
    assert (child.state, child.folded_into, parent.children) == ("folded", "F-20080703-002", (CHILD,))
    early = desk()
    take_alert(early, alert(CHILD, NOW - 20 * MINUTE), {})
    take_alert(early, alert(PARENT, NOW - MINUTE, fingerprint="cd34"), {})
    assert early.faults["F-20080703-001"].state == "open", "what was broken long before its parent is a fault of its own"


def test_a_poller_that_is_cut_off_names_no_children() -> None:
    at = desk(events=(opened(PARENT),))
    watch(at, standings(seen(CHILD, "unreachable", NOW - HOUR)), [])
    assert told(at) == []


# What restores one


@pytest.mark.parametrize(("up_for", "restored"), [(5 * MINUTE - timedelta(seconds=1), False), (5 * MINUTE, True)])
def test_a_line_that_is_up_for_the_set_time_is_restored_as_of_the_moment_it_came_up(up_for: timedelta, *, restored: bool) -> None:
    at = desk(events=(opened(),))
    watch(at, standings(seen(OTHER, "up", NOW - up_for)), [])
    assert [event.observed_at for event in at.events] == ([NOW - up_for] if restored else [])


def test_polling_does_not_restore_a_fault_of_a_line_that_it_saw_up_all_along() -> None:
    at = desk(events=(opened(at=NOW - HOUR),))
    watch(at, standings(seen(OTHER, "up", NOW - 2 * HOUR)), [])
    assert told(at) == []


def test_an_alert_is_taken_once_and_its_end_restores() -> None:
    at = desk()
    assert take_alert(at, alert(OTHER), {})[0] == "opened"
    assert take_alert(at, alert(OTHER), {})[0] == "known"
    assert take_alert(at, alert(OTHER, ends_at=NOW), standings(seen(OTHER, "down", NOW)))[0] == "still_down"
    assert take_alert(at, alert(OTHER, ends_at=NOW), standings(seen(OTHER, "up", NOW)))[0] == "restored"
    assert take_alert(at, alert(OTHER, ends_at=NOW), {})[0] == "nothing_open"
    assert take_alert(at, alert(OTHER), {})[0] == "known", "an alert that is sent again late opens nothing"
    assert take_alert(at, alert("no-such-line"), {})[0] == "unknown_line"
    assert [event.kind for event in at.events] == [OPENED, RESTORE]


def test_an_alert_on_a_fault_that_is_open_already_is_noted_on_it() -> None:
    at = desk(events=(opened(),))
    assert take_alert(at, alert(OTHER), {}) == ("known", "F-20080703-001")
    assert told(at) == [("F-20080703-001", NOTED, OTHER)]
    assert take_alert(at, alert(OTHER, ends_at=NOW), {})[0] == "restored"


SIGHTS = st.lists(
    st.tuples(st.sampled_from([PARENT, CHILD, OTHER]), st.sampled_from(["up", "down", "unreachable", "alert", "resolved"])), max_size=40
)


@settings(max_examples=80, deadline=None)
@given(SIGHTS)
def test_whatever_is_seen_a_line_has_one_broken_fault_and_none_behind_a_broken_line(sights: list[tuple[str, str]]) -> None:
    events: list[FaultEvent] = []
    known = standings(*(seen(line_id, "up", NOW - 10 * HOUR) for line_id in (PARENT, CHILD, OTHER)))
    for number, (line_id, what) in enumerate(sights):
        now = NOW + 3 * number * MINUTE
        at = Desk(ground(), now, project_faults(events))
        if what in ("alert", "resolved"):
            take_alert(at, alert(line_id, now - MINUTE, now if what == "resolved" else None, line_id[-4:]), known)
        elif known[line_id].state != what:
            known[line_id] = seen(line_id, what, now, now, PARENT if what == "unreachable" and line_id == CHILD else None)
        known = {name: replace(one, at=now) for name, one in known.items()}
        watch(at, known, [])
        events += at.events
        broken = [fault.line_id for fault in at.faults.values() if fault.is_broken]
        assert len(broken) == len(set(broken))
        assert project_faults(events) == at.faults, "the desk decided over what a later reader sees"
        if known[PARENT].state == "down" and now - known[PARENT].since >= 5 * MINUTE:
            opened_now = {event.fault_id for event in at.events if event.kind == OPENED and event.line_id == CHILD}
            assert [at.faults[fault_id].state for fault_id in opened_now] in ([], ["folded"])


def naive_faults(states: str) -> list[tuple[int, int | None]]:
    """Return (began, restored) of every fault by runs of minutes, u up and d down: 5 of either count, 30 up between two part them."""
    runs, at = [], 0
    for state, run in groupby(states):
        length = len(list(run))
        runs.append((state, at, length))
        at += length
    found: list[tuple[int, int | None]] = []
    for state, start, length in runs:
        broken = bool(found) and found[-1][1] is None
        if state == "d" and length > 5 and not broken:
            if found and start - (found[-1][1] or 0) <= 30:
                found[-1] = (found[-1][0], None)
            else:
                found.append((start, None))
        elif state == "u" and length > 5 and broken:
            found[-1] = (found[-1][0], start)
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ud"), st.integers(1, 40)), min_size=1, max_size=12))
def test_faults_are_those_of_a_count_minute_by_minute(runs: list[tuple[str, int]]) -> None:
    states = "u" + "".join(state * length for state, length in runs)
    events: list[FaultEvent] = []
    since = 0
    for minute, state in enumerate(states):
        since = minute if minute and states[minute - 1] != state else since
        at = desk(NOW + minute * MINUTE, tuple(events), flaps=1000)
        line = seen(OTHER, {"u": "up", "d": "down"}[state], NOW + since * MINUTE, NOW + minute * MINUTE)
        watch(at, standings(line), [])
        events += at.events
    found = [
        ((fault.began_at - NOW) // MINUTE, None if fault.restored_at is None else (fault.restored_at - NOW) // MINUTE)
        for fault in project_faults(events).values()
    ]
    assert found == naive_faults(states)


# What a clerk enters


KINDS = (ASSIGN, HAND, RESTORE, CLOSE, MISTAKEN, REOPEN)


@given(st.lists(st.sampled_from(KINDS), max_size=12))
def test_only_what_is_allowed_moves_a_fault(kinds: list[str]) -> None:
    events, state = [opened()], "open"
    before = "open"
    for number, kind in enumerate(kinds):
        event = step(kind, NOW - HOUR + number * MINUTE, "telecom" if kind == HAND else "运维岗")
        refused = find_entry_faults(event, project_faults(events), NOW)
        assert bool(refused) == (kind not in ALLOWED[state])
        events.append(event)
        if not refused:
            before, state = state, {ASSIGN: "assigned", HAND: "with_carrier", RESTORE: "restored", REOPEN: before}.get(kind, "closed")
        assert project_faults(events)["F-20080703-001"].state == state
    assert state in FAULT_STATES


def test_every_refusal_is_told_in_words(golden: Callable[[str, str], None]) -> None:
    open_now = project_faults([opened()])
    closed = project_faults([opened(), step(RESTORE, NOW - 20 * MINUTE), step(CLOSE, NOW - 10 * MINUTE)])
    folded = {"F-20080703-001": replace(open_now["F-20080703-001"], state="folded", folded_into="F-20080703-002")}
    cases: list[tuple[dict[str, Fault], FaultEvent]] = [
        (open_now, step(CLOSE, NOW)),
        (open_now, step(RESTORE, NOW + MINUTE)),
        (open_now, step(HAND, NOW - 2 * HOUR, "telecom")),
        (open_now, replace(step(ASSIGN, NOW, NUMBER), by="")),
        (open_now, step(RESTORE, NOW, fault_id="F-1")),
        (closed, step(ASSIGN, NOW, "运维岗")),
        (folded, step(RESTORE, NOW)),
    ]
    findings = [str(each) for faults, event in cases for each in find_entry_faults(event, faults, NOW)]
    inventory = workspace().inventory
    inventory = replace(inventory, regions={**inventory.regions, LONELY: Region(LONELY, "某区", "", "county", "511900", "0.0.0.9")})
    declared = WindowEvent("", DECLARED, NOW, "通信处", "检修通知", NOW + HOUR, NOW + 2 * HOUR, Concern(("BZWW-*",)))
    windows = [
        replace(declared, ends_at=NOW, by=f"值班员 {NUMBER}", document=" "),
        replace(declared, starts_at=NOW - 2 * HOUR, ends_at=NOW, concern=Concern()),
        replace(declared, concern=Concern(("XX-*",), ("SC-BZ-CR09",), ("999999",))),
        replace(declared, concern=Concern(regions=(LONELY,))),
    ]
    findings += [str(each) for event in windows for each in find_window_faults(inventory, event, NOW)]
    cancelled = project_windows([replace(declared, window_id="W-1"), replace(declared, window_id="W-1", kind=CANCELLED)])
    findings += [str(each) for name in ("W-1", "W-2") for each in find_cancel_faults(cancelled, name, "通信处", NOW)]
    golden("faults/refusals.txt", "".join(f"{each}\n" for each in findings))


# What carriers needed


def summary(events: list[FaultEvent], windows: tuple[ChangeWindow, ...] = (), maintenance: tuple[Maintenance, ...] = ()) -> FaultSummary:
    held = replace(workspace(), service=replace(workspace().service, maintenance=maintenance), faults=POLICY)
    known = KnownFaults(project_faults(events), windows, build_reach(held.inventory, windows))
    return summarise_faults(held, known, NOW - timedelta(days=30), NOW, NOW)


def lasting(number: int, began: timedelta, lasted: timedelta | None, handed: timedelta | None = None) -> list[FaultEvent]:
    fault_id, start = f"F-20080702-{number:03d}", NOW - began
    events = [opened(at=start, fault_id=fault_id)]
    if handed is not None:
        events.append(step(HAND, start + handed, "telecom", fault_id))
    if lasted is not None:
        events.append(step(RESTORE, start + lasted, fault_id=fault_id))
    return events


@pytest.mark.requirement("SX-1")
def test_time_to_restore_counts_from_the_beginning_and_the_agreed_time_from_when_the_carrier_was_told() -> None:
    events = [
        *lasting(1, 20 * HOUR, 2 * HOUR),
        *lasting(2, 20 * HOUR, 9 * HOUR, HOUR),
        *lasting(3, 20 * HOUR, 9 * HOUR + timedelta(seconds=1), HOUR),
        *lasting(4, 20 * HOUR, 10 * HOUR),
        *lasting(5, 20 * HOUR, None, 11 * HOUR),
        *lasting(6, 5 * HOUR, None, HOUR),
    ]
    found = summary(events)
    [carrier] = [each for each in found.carriers if each.faults]
    assert (carrier.faults, carrier.restored, carrier.broken, carrier.handed) == (6, 4, 2, 4)
    assert (carrier.median, carrier.worst) == (9 * HOUR + timedelta(microseconds=500_000), 10 * HOUR)
    assert (carrier.within, carrier.over) == (1, 2), "exactly the agreed time is in time; one that is still broken may be over"
    assert [each.fault_id[-3:] for each in found.broken] == ["005", "006"]


def test_a_mistaken_fault_enters_no_count() -> None:
    found = summary([opened(), step(MISTAKEN, NOW - MINUTE)])
    assert (found.faults, sum(each.faults for each in found.carriers)) == ((), 0)


# Change windows


def announced(starts: timedelta, ends: timedelta, recorded: timedelta, concern: Concern) -> ChangeWindow:
    return ChangeWindow(WindowEvent("W-20080702-01", DECLARED, NOW + recorded, "通信处", "检修通知", NOW + starts, NOW + ends, concern))


@pytest.mark.parametrize(("recorded", "late"), [(-25 * HOUR, False), (-24 * HOUR - timedelta(seconds=1), True), (-HOUR, True)])
def test_a_fault_within_a_window_is_planned_and_a_late_announcement_shows(recorded: timedelta, *, late: bool) -> None:
    window = announced(-HOUR, HOUR, recorded, Concern((OTHER,)))
    [found] = summary([opened(at=NOW - MINUTE)], (window,)).faults
    assert (found.planned, found.announced_late) == ("检修通知", late)
    [carrier] = [each for each in summary([opened(at=NOW - MINUTE)], (window,)).carriers if each.planned]
    assert (carrier.faults, carrier.planned) == (0, 1)


def test_a_window_excuses_nothing_from_before_its_announcement_nor_after_its_cancellation() -> None:
    window = announced(-2 * HOUR, HOUR, -HOUR, Concern((OTHER,)))
    assert window.counted == (NOW - HOUR, NOW + HOUR)
    [found] = summary([opened(at=NOW - HOUR - timedelta(seconds=1))], (window,)).faults
    assert found.planned is None
    cancelled = ChangeWindow(window.declared, NOW - 30 * MINUTE)
    assert cancelled.counted == (NOW - HOUR, NOW - 30 * MINUTE)
    assert ChangeWindow(window.declared, NOW - HOUR).counted is None
    assert [cancelled.state(NOW), window.state(NOW), window.state(NOW + HOUR), window.state(NOW - 3 * HOUR)] == [
        "cancelled",
        "running",
        "over",
        "announced",
    ]


def test_maintenance_of_the_calendar_is_planned_and_never_late() -> None:
    maintenance = Maintenance(NOW - HOUR, NOW, ("BZWW-*",), "年度检修")
    [found] = summary([opened(at=NOW - MINUTE)], (), (maintenance,)).faults
    assert (found.planned, found.announced_late) == ("年度检修", False)


def test_a_window_concerns_lines_by_glob_device_with_what_is_behind_it_and_region() -> None:
    inventory = workspace().inventory
    assert concerned_lines(inventory, Concern(lines=(PARENT,))) == (PARENT,)
    below = concerned_lines(inventory, Concern(devices=(inventory.lines[PARENT].z_device,)))
    assert PARENT in below
    assert CHILD in below
    assert OTHER not in below
    assert concerned_lines(inventory, Concern(devices=(inventory.lines[CHILD].z_device,))) == (CHILD,)
    region = inventory.units[inventory.lines[CHILD].unit_id].region
    of_region = {line_id for line_id, line in inventory.lines.items() if inventory.units[line.unit_id].region == region}
    assert set(concerned_lines(inventory, Concern(regions=(region,)))) == of_region
    assert set(concerned_lines(inventory, Concern(regions=("511900",)))) == set(inventory.lines)


def test_windows_are_numbered_by_civil_day_and_known_as_of_a_moment() -> None:
    event = WindowEvent("W-20080703-02", DECLARED, NOW, "通信处", "检修通知", NOW, NOW + HOUR, Concern(("*",)))
    cancelled = replace(event, kind=CANCELLED, recorded_at=NOW + MINUTE)
    assert project_windows([event, cancelled], as_of=NOW - MINUTE) == ()
    assert project_windows([event, cancelled], as_of=NOW)[0].cancelled_at is None
    found = project_windows([event, cancelled])
    assert found[0].cancelled_at == NOW + MINUTE
    zone = workspace().order.timezone
    assert (next_window_id(found, NOW, zone), next_window_id(found, NOW + 14 * HOUR, zone)) == ("W-20080703-03", "W-20080704-01")


def test_a_fault_that_is_handed_over_twice_was_handed_over_the_first_time() -> None:
    steps = ((OPENED, NOW, ""), (HAND, NOW + HOUR, "telecom"), (HAND, NOW + 2 * HOUR, "unicom"))
    events = [FaultEvent("F-1", kind, OTHER, at, at, "值班员", BY_HAND, "单1", value) for kind, at, value in steps]
    fault = project_faults(events)["F-1"]
    assert (fault.carrier, fault.handed_at) == ("unicom", NOW + HOUR)


def test_a_second_cancellation_gives_no_time_back() -> None:
    declared = WindowEvent("W-20080703-02", DECLARED, NOW - HOUR, "通信处", "检修通知", NOW, NOW + HOUR, Concern(("*",)))
    twice = [replace(declared, kind=CANCELLED, recorded_at=NOW + after * MINUTE) for after in (10, 50)]
    [found] = project_windows([declared, *twice])
    assert found.counted == (NOW, NOW + 10 * MINUTE)
