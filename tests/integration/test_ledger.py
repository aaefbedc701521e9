"""The ledger on a real disk: whole or untouched, one writer at a time, the same rows the same bytes."""

from __future__ import annotations

import csv
import multiprocessing
import resource
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.allocation import plan_allocations
from app.core.ipplan import Allocation, Demand, Management, OspfProfile, Plan, Pool, Provenance
from app.edge.files.ledger import HEADER, format_ledger, locked, write_ledger
from app.errors import InputError

DAY = date(2008, 4, 1)
SOURCE = Provenance("city centre", "test", None)
POOL = Pool("lan", "unit_lan", "local_public", "GGW", IPv4Network("10.0.0.0/24"), 28, SOURCE)
PLAN = Plan(IPv4Network("59.192.0.0/10"), (POOL,), SOURCE, True, OspfProfile(), Management("noc", (), (), "netops", "poller"))


def row(prefix: str, holder: str, released_on: date | None = None, vrf: str = "GGW") -> Allocation:
    return Allocation(IPv4Network(prefix), "lan", vrf, "unit_lan", holder, DAY, released_on)


def read_rows(path: Path) -> list[Allocation]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Allocation(
                IPv4Network(cells["prefix"]),
                cells["pool"],
                cells["vrf"],
                cells["role"],
                cells["holder"],
                date.fromisoformat(cells["since"]),
                date.fromisoformat(cells["released_on"]) if cells["released_on"] else None,
            )
            for cells in csv.DictReader(file)
        ]


@contextmanager
def no_file_longer_than(octets: int) -> Iterator[None]:
    """Let this process write no file beyond so many octets: to who writes it is as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    (tmp_path / "ipplan").mkdir()
    return tmp_path / "ipplan" / "allocations.csv"


def test_rows_are_written_sorted_by_vrf_and_address_with_line_feeds(ledger: Path) -> None:
    rows = [row("10.0.0.16/28", "unit:U2", DAY), row("10.0.0.0/28", "unit:U9"), row("9.0.0.0/28", "unit:U1", vrf="JR2")]
    write_ledger(ledger, rows)
    assert ledger.read_bytes() == (
        b"prefix,pool,vrf,role,holder,since,released_on\n"
        b"10.0.0.0/28,lan,GGW,unit_lan,unit:U9,2008-04-01,\n"
        b"10.0.0.16/28,lan,GGW,unit_lan,unit:U2,2008-04-01,2008-04-01\n"
        b"9.0.0.0/28,lan,JR2,unit_lan,unit:U1,2008-04-01,\n"
    )
    assert read_rows(ledger) == [rows[1], rows[0], rows[2]]


def test_addresses_sort_as_numbers_and_not_as_text(ledger: Path) -> None:
    write_ledger(ledger, [row("10.0.0.128/28", "unit:A"), row("10.0.0.32/28", "unit:B")])
    assert [entry.holder for entry in read_rows(ledger)] == ["unit:B", "unit:A"]


def test_the_same_rows_in_any_order_give_the_same_bytes() -> None:
    rows = [row(f"10.0.0.{16 * n}/28", f"unit:U{n}") for n in range(6)]
    assert format_ledger(rows) == format_ledger(reversed(rows))
    assert format_ledger(()) == ",".join(HEADER) + "\n"


def test_a_write_that_fails_leaves_the_old_ledger_and_no_other_file(ledger: Path) -> None:
    write_ledger(ledger, [row("10.0.0.0/28", "unit:U1")])
    before = ledger.read_bytes()

    with no_file_longer_than(10), pytest.raises(InputError) as refused:
        write_ledger(ledger, [row("10.0.0.16/28", "unit:U2")])
    assert str(refused.value).startswith("ipplan/allocations.csv: file cannot be written: expected a folder that this account may write in")
    assert "found File too large." in str(refused.value)
    assert ledger.read_bytes() == before
    assert [path.name for path in ledger.parent.iterdir()] == ["allocations.csv"]


def test_a_missing_folder_is_said_in_words(tmp_path: Path) -> None:
    path = tmp_path / "ipplan" / "allocations.csv"
    with pytest.raises(InputError, match="No such file or directory"):
        write_ledger(path, [])
    with pytest.raises(InputError, match="No such file or directory"), locked(path):
        pass


def test_permissions_and_a_symbolic_link_outlive_a_write(ledger: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.csv"
    kept.write_text("")
    kept.chmod(0o640)
    ledger.symlink_to(kept)
    write_ledger(ledger, [row("10.0.0.0/28", "unit:U1")])
    assert ledger.is_symlink()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert len(read_rows(kept)) == 1


def test_a_new_ledger_is_as_readable_as_any_new_file(ledger: Path) -> None:
    write_ledger(ledger, [])
    plain = ledger.with_name("plain")
    plain.write_text("")
    assert stat.S_IMODE(ledger.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_reader_never_sees_half_a_ledger(ledger: Path) -> None:
    rows = [row(str(prefix), f"unit:{prefix}") for prefix in IPv4Network("10.0.0.0/16").subnets(new_prefix=26)]
    write_ledger(ledger, rows)
    sizes: set[int] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            sizes.add(ledger.stat().st_size)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(20):
        write_ledger(ledger, rows)
    done.set()
    watcher.join()
    assert sizes == {len(format_ledger(rows))}


def hold(ledger: Path, holding: threading.Event, leave: threading.Event) -> None:
    with locked(ledger):
        holding.set()
        leave.wait(60)


@contextmanager
def held_elsewhere(ledger: Path) -> Iterator[None]:
    """Let another process hold the ledger."""
    context = multiprocessing.get_context("spawn")
    holding, leave = context.Event(), context.Event()
    holder = context.Process(target=hold, args=(ledger, holding, leave))
    holder.start()
    try:
        assert holding.wait(60)
        yield
    finally:
        leave.set()
        holder.join()


def test_a_ledger_that_stays_locked_is_refused_in_words(ledger: Path) -> None:
    with held_elsewhere(ledger), pytest.raises(InputError) as refused, locked(ledger, wait_s=0.1):
        pass
    assert str(refused.value) == (
        "ipplan/: another run is writing here: expected the lock within 0.1 s; found still held. "
        "Wait for the other command to end and run this one again; nothing was changed."
    )


def test_the_lock_is_free_again_after_use_and_after_a_failure(ledger: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(ledger):
        _ = 1 / 0
    with locked(ledger, wait_s=0):
        pass
    assert list(ledger.parent.iterdir()) == []


def add_holders(ledger: Path, names: list[str], start: threading.Barrier) -> None:
    """Play one run after another, each of which adds one holder to whatever the ledger holds by then."""
    start.wait(60)
    for name in names:
        with locked(ledger):
            rows = read_rows(ledger)
            present = [Demand(entry.holder, entry.role, "511902") for entry in rows]
            change = plan_allocations(PLAN, rows, [*present, Demand(f"unit:{name}", "unit_lan", "511902")], DAY)
            assert not change.refused
            write_ledger(ledger, change.ledger)


def test_two_processes_that_commit_at_once_never_hand_out_the_same_prefix(ledger: Path) -> None:
    write_ledger(ledger, [])
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    names = {"left": [f"A{n}" for n in range(8)], "right": [f"B{n}" for n in range(8)]}
    runs = [context.Process(target=add_holders, args=(ledger, side, start)) for side in names.values()]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)
    assert [run.exitcode for run in runs] == [0, 0]
    rows = read_rows(ledger)
    assert sorted(entry.holder for entry in rows) == sorted(f"unit:{name}" for side in names.values() for name in side)
    assert len({entry.prefix for entry in rows}) == 16
    assert [path.name for path in ledger.parent.iterdir()] == ["allocations.csv"]


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_prefix_is_written_as_everybody_writes_it(number: int, length: int) -> None:
    prefix = IPv4Network((number, length), strict=False)
    assert format_ledger([replace(row("10.0.0.0/28", "unit:U1"), prefix=prefix)]).splitlines()[1].startswith(f"{prefix},")
