"""How fast a rollout may go: who goes first, how many at once, what ends it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.pacing import Pace, first_of_each, spread
from app.workflows.diff import DeviceRow
from app.workflows.pacing import STOPPED, Brake

HERE = IPv4Address("127.0.0.1")


def row(result: str, *, reached: bool = True) -> DeviceRow:
    return DeviceRow("u01", 2, result, address=HERE if reached else None)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers()), unique=True))
def test_spreading_keeps_every_name_once_and_the_order_within_a_group(names: list[tuple[int, int]]) -> None:
    spoken = [f"{group}-{number}" for group, number in names]
    found = spread(spoken, lambda name: name[0])
    assert sorted(found) == sorted(spoken)
    for group in range(5):
        assert [name for name in found if name[0] == str(group)] == [name for name in spoken if name[0] == str(group)]


def test_names_of_one_parent_stand_apart() -> None:
    assert spread(["a1", "a2", "a3", "b1", "c1", "c2"], lambda name: name[0]) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_the_first_of_every_kind_are_taken_in_order() -> None:
    assert list(first_of_each(["a1", "a2", "b1", "a3", "b2"], lambda name: name[0], 1)) == ["a1", "b1"]
    assert list(first_of_each(["a1", "a2", "b1", "a3", "b2"], lambda name: name[0], 2)) == ["a1", "a2", "b1", "b2"]


@pytest.mark.parametrize(
    ("done", "counts"),
    [
        (row("failed"), True),
        (row("login_refused", reached=False), True),
        (row("refused"), True),
        (row("unreachable"), True),
        (row("refused", reached=False), False),
        (row("unreachable", reached=False), False),
        (row("deployed"), False),
        (row("unchanged"), False),
        (row("not_begun", reached=False), False),
    ],
    ids=lambda value: f"{value.result}-{value.address}" if isinstance(value, DeviceRow) else str(value),
)
def test_a_device_that_went_wrong_stops_a_run_and_one_out_of_reach_does_not(done: DeviceRow, counts: bool) -> None:
    brake = Brake(Pace(stop_after=1), lambda: False, None)
    brake.count(done)
    assert bool(brake.reason()) is counts


def test_nothing_begins_at_the_moment_or_later() -> None:
    until = datetime(2008, 6, 30, 5, 30, tzinfo=UTC)
    at = [until - timedelta(seconds=1)]
    brake = Brake(Pace(until=until), lambda: False, lambda: at[0])
    assert brake.reason() == ""
    at[0] = until
    assert brake.reason() == "the time was over (2008-06-30 05:30) before this device; run the command again to go on"


def test_the_operator_goes_before_all_other_reasons() -> None:
    brake = Brake(Pace(stop_after=1), lambda: True, None)
    brake.count(row("failed"))
    assert brake.reason() == STOPPED


def test_so_many_changes_may_be_made_and_no_more() -> None:
    brake = Brake(Pace(changes=2), lambda: False, None)
    assert [brake.may_change() for _ in range(4)] == [True, True, False, False]
    assert all(Brake(Pace(), lambda: False, None).may_change() for _ in range(4))


def test_no_more_than_so_many_of_one_parent_are_worked_on_at_once() -> None:
    brake = Brake(Pace(at_most={"parent": 2, "carrier": 3}), lambda: False, None)
    lock, now, most = threading.Lock(), {"a": 0, "b": 0, "all": 0}, {"a": 0, "b": 0, "all": 0}
    begun = threading.Barrier(10)

    def work(parent: str) -> None:
        begun.wait()
        for turn in range(2000):
            if turn >= 20 and most == {"a": 2, "b": 2, "all": 3}:
                break  # on a busy machine it takes more turns until so many have met
            with brake.turn({"parent": parent, "carrier": "telecom"}):
                with lock:
                    for key in (parent, "all"):
                        now[key] += 1
                        most[key] = max(most[key], now[key])
                threading.Event().wait(0.0005)
                with lock:
                    for key in (parent, "all"):
                        now[key] -= 1

    threads = [threading.Thread(target=work, args=("ab"[number % 2],)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == {"a": 2, "b": 2, "all": 3}
