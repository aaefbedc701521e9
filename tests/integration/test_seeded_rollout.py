"""Seeded rollouts of 500 lines over 90 days through the product's own way, against a naive recomputation from the raw events.

The recomputation walks a grid of half an hour and imports nothing of what it checks: it is slow, plain, and says the rules anew.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import pytest

from app.core.acceptance import LineSample, Measurement
from app.core.progress import Summary
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.workflows.accept import accept
from app.workflows.availability import measure_availability
from app.workflows.summary import StoreReader
from tests.samples.seeded_rollout import (
    ADSL_DUE,
    BEGIN,
    DAY,
    END,
    FIBRE_DUE,
    HALF_HOUR,
    HOUR,
    INTERVAL,
    SHANGHAI,
    VALID_DAYS,
    Raw,
    World,
    build_workspace,
    draw,
)

GAP = 3 * INTERVAL
WINDOW, RESTART_AFTER, JUMPED = 72 * HOUR, 12 * HOUR, HOUR


def midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=SHANGHAI)


DUES = {"fibre": midnight_after(FIBRE_DUE), "adsl": midnight_after(ADSL_DUE), "half": midnight_after(date(2008, 5, 20))}
#: Every fourth evening at eight.
EVENINGS = [BEGIN + number * DAY + 20 * HOUR for number in range(2, 90, 4)]
CHECKPOINTS = [BEGIN + 29 * DAY, DUES["fibre"] - HALF_HOUR, DUES["fibre"], DUES["fibre"] + DAY, DUES["adsl"], END]


# What the product does


@dataclass
class Played:
    """A rollout that was written, judged every fourth evening and looked at at every checkpoint."""

    raw: Raw
    workspace: Workspace
    store: Store
    summaries: dict[datetime, Summary] = field(default_factory=dict)

    def deeds(self) -> Iterator[tuple[datetime, int, Callable[[datetime], object]]]:
        """Yield when what is done; at one moment the poller comes first, the judge and the reader last."""
        raw, store = self.raw, self.store
        for cycle in raw.cycles:
            yield cycle.truly_at, 0, lambda _, cycle=cycle: store.write_cycle(cycle.at, cycle.at, [], cycle.samples)
        for taken in raw.measurements:
            yield taken.at, 1, lambda _, taken=taken: store.write_measurement(taken)
        for report in raw.unit_events:
            yield report.recorded_at, 1, lambda _, report=report: store.write_events([report])
        for step in raw.life_events:
            yield step.recorded_at, 1, lambda _, step=step: store.write_life_events([step])
        yield from ((evening, 2, self.judge) for evening in EVENINGS)
        yield from ((moment, 3, self.look) for moment in CHECKPOINTS)

    def judge(self, now: datetime) -> None:
        accepted = {line_id for line_id, each in self.store.acceptances().items() if each.verdict == "pass"}
        wanted = [line_id for line_id, world in self.raw.worlds.items() if is_open(world, now) and line_id not in accepted]
        accept(self.workspace, self.store, wanted, commit=True, poll_interval_s=INTERVAL.total_seconds(), now=now)

    def look(self, now: datetime) -> None:
        self.summaries[now] = StoreReader(self.workspace, self.store, lambda: now).summary()


def is_open(world: World, now: datetime) -> bool:
    return world.opens_at is not None and world.opens_at <= now


def play(seed: int, folder: Path) -> Played:
    workspace = build_workspace()
    played = Played(draw(seed, workspace), workspace, Store.open(f"sqlite:///{folder / f'{seed}.db'}"))
    for at, _, deed in sorted(played.deeds(), key=lambda each: each[:2]):
        deed(at)
    return played


# The naive recomputation


@dataclass(frozen=True)
class Look:
    truly_at: datetime
    stamp: datetime
    sample: LineSample

    @property
    def state(self) -> str:
        return self.sample.state


@dataclass
class Naive:
    """One rollout, computed again from the raw events."""

    raw: Raw

    @cached_property
    def looks(self) -> dict[str, list[Look]]:
        """Every look at every line, in the order in which it was written."""
        found: dict[str, list[Look]] = {line_id: [] for line_id in self.raw.worlds}
        for cycle in self.raw.cycles:
            for sample in cycle.samples:
                found[sample.line_id].append(Look(cycle.truly_at, cycle.at, sample))
        return found

    @cached_property
    def tests(self) -> dict[tuple[str, str], list[Measurement]]:
        found: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
        for each in self.raw.measurements:
            found[each.line_id, each.kind].append(each)
        return found

    @cached_property
    def met(self) -> dict[tuple[str, str], datetime]:
        return {(event.subject, event.event): event.observed_at for event in self.raw.unit_events}

    @cached_property
    def decisions(self) -> dict[str, list[tuple[datetime, str]]]:
        """Return every line's judgements: of each open line, every fourth evening until it passes."""
        found: dict[str, list[tuple[datetime, str]]] = {line_id: [] for line_id in self.raw.worlds}
        for evening in EVENINGS:
            for line_id, world in self.raw.worlds.items():
                if is_open(world, evening) and not any(verdict == "pass" for _, verdict in found[line_id]):
                    found[line_id].append((evening, self.verdict(world, evening)))
        return found

    def accepted_at(self, line_id: str, now: datetime) -> datetime | None:
        return next((at for at, verdict in self.decisions[line_id] if verdict == "pass" and at <= now), None)

    # --- the criteria

    def verdict(self, world: World, now: datetime) -> str:
        written = [look for look in self.looks[world.line_id] if look.truly_at <= now and look.stamp <= now]
        seen = sorted(written, key=lambda look: look.stamp)
        nominal = 2000 if world.fibre else 1000
        words = [
            self.gate_word(world, now),
            self.ports_word(seen, now),
            self.trial_word(seen, now),
            self.test_word(world, "reachable_from_centre", now, lambda loss: loss <= 0.01),
            self.test_word(world, "rate_down", now, lambda rate: rate >= 0.9 * nominal),
            self.errors_word(world, seen, now),
        ]
        return "fail" if "fail" in words else "not_proven" if "not_proven" in words else "pass"

    def gate_word(self, world: World, now: datetime) -> str:
        met = self.met.get((world.unit_id, "switch_ready"))
        return "pass" if not world.fibre or (met is not None and met + HOUR <= now) else "not_proven"

    def ports_word(self, seen: list[Look], now: datetime) -> str:
        if not seen or now - seen[-1].stamp > GAP:
            return "not_proven"
        return {"up": "pass", "down": "fail"}.get(seen[-1].state, "not_proven")

    def trial_word(self, seen: list[Look], now: datetime) -> str:
        """Walk ten days up to now: a look speaks until the next one, for 36 hours at most."""
        grid, place, states = [], -1, []
        moment = now - 10 * DAY
        while moment < now:
            while place + 1 < len(seen) and seen[place + 1].stamp <= moment:
                place += 1
            speaks = place >= 0 and moment - seen[place].stamp < GAP
            states.append(seen[place].state if speaks and seen[place].state in ("up", "down") else "")
            grid.append(moment)
            moment += HALF_HOUR
        begun, run = next((at for at, state in zip(grid, states, strict=True) if state), None), timedelta(0)
        if begun is None:
            return "not_proven"
        for at, state in zip(grid, states, strict=True):
            run = run + HALF_HOUR if state == "down" else timedelta(0)
            if run > RESTART_AFTER:
                begun = at + HALF_HOUR
        inside = Counter(state for at, state in zip(grid, states, strict=True) if at >= max(begun, now - WINDOW))
        measured = inside["up"] + inside["down"]
        if not measured or now - begun < WINDOW:
            return "not_proven"
        if inside["up"] / measured < 0.8:
            return "fail"
        return "pass" if measured / sum(inside.values()) >= 0.9 else "not_proven"

    def test_word(self, world: World, kind: str, now: datetime, fits: Callable[[float], bool]) -> str:
        taken = next((each for each in reversed(self.tests[world.line_id, kind]) if each.at <= now), None)
        if taken is None or taken.value is None or now - taken.at > VALID_DAYS * DAY:
            return "not_proven"
        return "pass" if fits(taken.value) else "fail"

    def errors_word(self, world: World, seen: list[Look], now: datetime) -> str:
        if not world.fibre:
            return "pass"
        total, unknown = 0, False
        for end in ("a", "z"):
            counts = [port.in_errors for look in seen if look.stamp >= now - WINDOW - GAP and (port := getattr(look.sample, end))]
            unknown |= len(counts) < 2
            for before, after in pairwise(counts):
                total += after - before if after >= before else after
        return "fail" if total > 3 else "not_proven" if unknown else "pass"

    # --- what is known of a line at a moment

    def state(self, line_id: str, now: datetime) -> tuple[str, datetime]:
        """Return the state in force and since when: a look stamped earlier than the last changes nothing, unless the clock had jumped."""
        state, since, stamp = "unknown", now, None
        for look in self.looks[line_id]:
            if look.truly_at > now:
                break
            if stamp is not None and look.stamp <= stamp <= look.stamp + JUMPED:
                continue
            if look.state != state or (stamp is not None and stamp > look.stamp):
                state, since = look.state, look.stamp
            stamp = look.stamp
        return state, since

    def settled(self, line_id: str, now: datetime) -> list[tuple[datetime, str]]:
        """Return looks in the order in which they were written, none later than one that was written after it."""
        found, bound = [], now
        for look in reversed([look for look in self.looks[line_id] if look.truly_at <= now]):
            bound = min(bound, look.stamp)
            found.append((bound, look.state))
        return found[::-1]

    def facts(self, line_id: str, now: datetime) -> list[tuple[datetime, str]]:
        looks = [(at, state) for at, state in self.settled(line_id, now) if state in ("up", "down")]
        steps = [(each.observed_at, each.state) for each in self.raw.life_events if each.line_id == line_id and each.recorded_at <= now]
        words = [(at, verdict) for at, verdict in self.decisions[line_id] if at <= now]
        return sorted([*looks, *steps, *words], key=lambda fact: fact[0])

    @staticmethod
    def standings(facts: list[tuple[datetime, str]], begin: datetime, end: datetime) -> list[str]:
        """Return for each half hour: `failed`, `there` or `gone`, by the last word of each kind up to its beginning."""
        found, place, failed, building, there = [], 0, False, False, False
        moment = begin
        while moment < end:
            while place < len(facts) and facts[place][0] <= moment:
                what = facts[place][1]
                failed = what == "fail" or (failed and what not in ("self_tested", "not_proven", "pass"))
                building = what == "building" or (building and what != "self_tested")
                there = what in ("up", "self_tested") or (there and what != "down")
                place += 1
            found.append("failed" if failed or building else "there" if there else "gone")
            moment += HALF_HOUR
        return found

    def may_have_been_ready(self, world: World, due_at: datetime, now: datetime) -> bool:
        if world.fibre and self.met.get((world.unit_id, "switch_ready"), due_at) >= due_at:
            return False
        facts = self.facts(world.line_id, now)
        if self.standings(facts, now, now + HALF_HOUR) == ["failed"]:
            return False
        standings = self.standings([fact for fact in facts if fact[0] < due_at], BEGIN, due_at)
        if standings[-1] != "there":
            return False
        length = gone = 0
        broken: list[int] = []
        for place, standing in enumerate(reversed(standings)):
            gone = gone + 1 if standing == "gone" else 0
            if standing == "failed" or gone * HALF_HOUR > RESTART_AFTER:
                break
            if standing == "gone":
                broken.append(place)
            else:
                length = place + 1
        inside = sum(place * HALF_HOUR < WINDOW for place in broken if place < length)
        return length * HALF_HOUR > WINDOW and inside * HALF_HOUR <= WINDOW * 0.2

    def held(self, world: World, now: datetime, *, ordered: bool) -> Counter[str]:
        """Return for how many half hours each held the clock of a line, and under `now` who holds it."""
        begin = BEGIN if ordered else BEGIN - 6 * DAY
        end = self.accepted_at(world.line_id, now) or now
        kept = any(each.event == "computer_ready" and each.recorded_at <= now for each in self.raw.unit_events)
        found: Counter[str] = Counter()
        moment = begin
        for standing in self.standings(self.facts(world.line_id, now), begin, end):
            switched = not world.fibre or self.met.get((world.unit_id, "switch_ready"), END + DAY) <= moment
            equipped = not kept or self.met.get((world.unit_id, "computer_ready"), END + DAY) <= moment
            found["carrier" if switched and standing != "there" else "centre" if switched and equipped else "unit"] += 1
            moment += HALF_HOUR
        return found

    # --- what the page shows

    def due(self, world: World, now: datetime) -> str:
        due_at, accepted_at = DUES["fibre" if world.fibre else "adsl"], self.accepted_at(world.line_id, now)
        if accepted_at is not None:
            return "accepted_late" if accepted_at >= due_at else "accepted"
        if now >= due_at:
            return "not_proven" if self.may_have_been_ready(world, due_at, now) else "late"
        return "at_risk" if due_at - now <= 7 * DAY else "open"

    def availability(self, line_id: str) -> tuple[timedelta, timedelta, timedelta]:
        """Return how long an accepted line was up, down and unmeasured up to the end."""
        moment, spent = self.accepted_at(line_id, END), Counter[str]()
        assert moment is not None
        changes, place = self.settled(line_id, END), -1
        while moment < END:
            while place + 1 < len(changes) and changes[place + 1][0] <= moment:
                place += 1
            state = changes[place][1] if moment in self.looked and place >= 0 else ""
            spent[state if state in ("up", "down") else "unmeasured"] += 1
            moment += HALF_HOUR
        return spent["up"] * HALF_HOUR, spent["down"] * HALF_HOUR, spent["unmeasured"] * HALF_HOUR

    @cached_property
    def looked(self) -> set[datetime]:
        return {cycle.at + number * HALF_HOUR for cycle in self.raw.cycles for number in range(GAP // HALF_HOUR)}


# Side by side


@pytest.fixture(scope="module", params=[1, 2, 3])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Played, Naive]]:
    played = play(request.param, tmp_path_factory.mktemp("seeded"))
    yield played, Naive(played.raw)
    played.store.close()


def test_every_verdict_of_every_evening_is_the_naive_one(pair: tuple[Played, Naive]) -> None:
    played, naive = pair
    found: dict[str, list[tuple[datetime, str]]] = {line_id: [] for line_id in played.raw.worlds}
    for decision in played.store.acceptance_history():
        found[decision.line_id].append((decision.decided_at, decision.verdict))
        due_at = DUES["fibre" if played.raw.worlds[decision.line_id].fibre else "adsl"]
        assert decision.on_time is (decision.decided_at < due_at if decision.verdict == "pass" else None)
    assert found == naive.decisions
    counts = Counter(verdict for rows in found.values() for _, verdict in rows)
    assert min(counts["pass"], counts["fail"], counts["not_proven"]) > 50


def test_states_and_standings_are_the_naive_ones_at_every_checkpoint(pair: tuple[Played, Naive]) -> None:
    played, naive = pair
    met: Counter[str] = Counter()
    for now, summary in played.summaries.items():
        for line in summary.lines:
            world = played.raw.worlds[line.line_id]
            assert (line.line_id, line.state, line.since) == (line.line_id, *naive.state(line.line_id, now))
            assert (now, line.line_id, line.due) == (now, line.line_id, naive.due(world, now))
            assert line.done_at == naive.accepted_at(line.line_id, now)
            met[line.due] += 1
    assert set(met) == {"accepted", "accepted_late", "late", "not_proven", "at_risk", "open"}


def test_milestones_count_and_stand_as_the_naive_ones(pair: tuple[Played, Naive]) -> None:
    played, naive = pair
    for now, summary in played.summaries.items():
        for view in summary.milestones:
            cohort = [line for line in summary.lines if view.milestone_id in ("half", "aim") or line.class_id.startswith(view.milestone_id)]
            cells = {(cell.region, cell.class_id): (cell.done, cell.total) for cell in view.cells}
            counted: dict[tuple[str, str], tuple[int, int]] = {}
            for line in cohort:
                done, total = counted.get((line.region, line.class_id), (0, 0))
                counted[line.region, line.class_id] = done + (naive.accepted_at(line.line_id, now) is not None), total + 1
            assert cells == counted
            assert view.state == milestone_state(naive, view.milestone_id, [(line.line_id, line.region) for line in cohort], now)
    assert {view.state for summary in played.summaries.values() for view in summary.milestones} >= {"late", "open", "at_risk"}


def milestone_state(naive: Naive, name: str, cohort: list[tuple[str, str]], now: datetime) -> str:
    due_at = DUES.get(name, midnight_after(date(2008, 5, 31)))
    share = {"half": 0.5, "aim": 0.9}.get(name, 1.0)
    groups: dict[str, list[str]] = {}
    for line_id, region in cohort:
        groups.setdefault(region if name in ("half", "fibre") else "", []).append(line_id)

    def reached(counts: Callable[[str], bool]) -> bool:
        return all(sum(map(counts, group)) >= share * len(group) for group in groups.values())

    def in_time(line_id: str) -> bool:
        at = naive.accepted_at(line_id, now)
        return at is not None and at < due_at

    if reached(in_time):
        return "met"
    if reached(lambda line_id: naive.accepted_at(line_id, now) is not None):
        return "met_late"
    if name == "aim":
        return "open"
    if now < due_at:
        return "at_risk" if due_at - now <= 7 * DAY else "open"

    def may(line_id: str) -> bool:
        return naive.accepted_at(line_id, now) is None and naive.may_have_been_ready(naive.raw.worlds[line_id], due_at, now)

    return "not_proven" if reached(lambda line_id: in_time(line_id) or may(line_id)) else "late"


def test_clocks_and_days_are_the_naive_ones_at_the_end(pair: tuple[Played, Naive]) -> None:
    played, naive = pair
    holders: Counter[str] = Counter()
    for line in played.summaries[END].lines:
        world, due_on = played.raw.worlds[line.line_id], FIBRE_DUE if line.class_id == "fibre_2m" else ADSL_DUE
        held = naive.held(world, END, ordered=played.workspace.inventory.lines[line.line_id].ordered_on is not None)
        shown = {"carrier": line.carrier_held_hours, "unit": line.unit_held_hours, "centre": line.centre_held_hours}
        assert (line.line_id, shown) == (line.line_id, {holder: held[holder] // 2 for holder in shown})
        on = (naive.accepted_at(line.line_id, END) or END).astimezone(SHANGHAI).date()
        assert line.days_early == (due_on - on).days
        assert line.working_days_early == weekdays(on, due_on)
        holders[line.clock_holder or ""] += 1
        if line.clock_holder is not None:
            last = naive.held(world, END + HALF_HOUR, ordered=True) - naive.held(world, END, ordered=True)
            assert list(last) == [line.clock_holder]
    assert set(holders) == {"", "carrier", "unit", "centre"}


def weekdays(after: date, until: date) -> int:
    if until < after:
        return -weekdays(until, after)
    return sum((after + timedelta(days=number)).weekday() < 5 for number in range(1, (until - after).days + 1))


def test_availability_after_acceptance_is_the_naive_one(pair: tuple[Played, Naive]) -> None:
    played, naive = pair
    accepted = [line_id for line_id in played.raw.worlds if naive.accepted_at(line_id, END) is not None]
    report = measure_availability(played.workspace, played.store, list(played.raw.worlds), None, END, INTERVAL.total_seconds())
    assert [level.line_id for level in report.levels] == accepted
    assert any(level.down for level in report.levels)
    for level in report.levels:
        assert (level.line_id, level.up, level.down, level.unmeasured) == (level.line_id, *naive.availability(level.line_id))
