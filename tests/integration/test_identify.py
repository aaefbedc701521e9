"""What devices say they are: read from agents on loopback, kept when it changes, and named in the evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.evidence import verify
from app.core.identity import ENTITY_CLASS, ENTITY_MODEL, ENTITY_SERIAL, SYS_DESCR, DeviceIdentity, build_identity, chassis_of, known_at
from app.edge.database.store import Store
from app.edge.signing import check_signature, write_key
from app.edge.snmp.agent import Agent
from app.edge.snmp.session import Target
from app.errors import ExitCode, StoreError, UnsafeRoute
from app.workflows.evidence import Occasion, export_evidence
from app.workflows.identify import IdentityAgent, identify, identify_forever
from tests.integration.played_snmp import OCTETS, number, tlv
from tests.integration.test_poll import ADDRESSES, MANAGEMENT, Network, community, network
from tests.samples.accepted_line import ACCEPTED_AT, LINE, POLL_INTERVAL_S, ROOT, accept_line, root_workspace

DAY = timedelta(days=1)
AT = datetime(2008, 6, 1, tzinfo=UTC)
PORT, CHASSIS, STACK = 10, 3, 11


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    yield opened
    opened.close()


def entity(index: int, kind: int, serial: str, model: str) -> dict[str, bytes]:
    texts = {f"{ENTITY_SERIAL}.{index}": serial, f"{ENTITY_MODEL}.{index}": model}
    return {f"{ENTITY_CLASS}.{index}": number(kind)} | {oid: tlv(OCTETS, text.encode()) for oid, text in texts.items()}


def opener(net: Network) -> Callable[[str], IdentityAgent]:
    return lambda device: Agent(Target(device, "127.0.0.1", net.ports[device]), community(MANAGEMENT))


def tell(net: Network, device: str, description: str, *entities: dict[str, bytes]) -> None:
    net.agents[device].rows[SYS_DESCR] = tlv(OCTETS, description.encode())
    for rows in entities:
        net.agents[device].rows.update(rows)


async def test_a_device_says_what_it_is_and_an_agent_without_the_table_its_description_alone(store: Store) -> None:
    async with network() as net:
        tell(net, "city", "Huawei AR2220\r\nVRP V200R010", entity(1, CHASSIS, "2102350ABC", "AR2220"), entity(7, PORT, "SFP1", "SFP"))
        tell(net, "county01", "Linux county01 FRRouting")
        report = await identify(store, ["city", "county01", "unit01"], opener(net), net.clock)
    assert report.exit_code is ExitCode.OK
    found = {each.device: (each.sys_descr, each.serial, each.model) for each in report.said}
    assert found == {
        "city": ("Huawei AR2220  VRP V200R010", "2102350ABC", "AR2220"),
        "county01": ("Linux county01 FRRouting", None, None),
        "unit01": (None, None, None),
    }
    assert store.device_identities() == {each.device: [each] for each in report.said}


async def test_only_what_has_changed_is_written_and_the_old_word_stays(store: Store) -> None:
    async with network() as net:
        tell(net, "city", "AR2220", entity(1, CHASSIS, "OLD", "AR2220"))
        await identify(store, ["city"], opener(net), net.clock)
        net.now += DAY
        again = await identify(store, ["city"], opener(net), net.clock)
        net.now += DAY
        tell(net, "city", "AR2220", entity(1, CHASSIS, "NEW", "AR2220"))
        exchanged = await identify(store, ["city"], opener(net), net.clock)
    assert (again.changed, exchanged.changed) == (frozenset(), {"city"})
    assert [each.serial for each in store.device_identities(["city"])["city"]] == ["OLD", "NEW"]


async def test_who_does_not_answer_or_may_not_be_asked_is_named_and_keeps_nobody_waiting(store: Store) -> None:
    async with network() as net:
        net.silent.add("county01")
        tell(net, "city", "AR2220")

        def open_agent(device: str) -> IdentityAgent:
            if device == "unit01":
                raise UnsafeRoute(device, "route", expected="one in the lab", found="another", next_step="Look at it.")
            return opener(net)(device)

        report = await identify(store, list(ADDRESSES), open_agent, net.clock)
    assert [each.device for each in report.said] == ["city"]
    assert set(report.failed) == {"county01", "unit01"}
    assert "expected an answer; found no answer from 127.0.0.1" in report.failed["county01"]
    assert report.exit_code is ExitCode.DEVICE


async def test_where_nobody_answers_nothing_was_measured(store: Store) -> None:
    async with network() as net:
        net.silent |= set(ADDRESSES)
        assert (await identify(store, ["city"], opener(net), net.clock)).exit_code is ExitCode.NOTHING_MEASURED
    assert store.device_identities() == {}


async def test_a_round_that_fails_is_told_and_stopping_ends_at_once(store: Store) -> None:
    told, stop = list[Exception](), asyncio.Event()

    class Broken(Store):
        def __init__(self) -> None: ...

        def device_identities(self, devices: object = None) -> dict[str, list[DeviceIdentity]]:
            stop.set()
            raise StoreError("disk full")

    async with network() as net:
        await asyncio.wait_for(identify_forever(Broken(), ["city"], opener(net), net.clock, stop, told.append), 60)
    assert [str(error) for error in told] in (["disk full"], [])
    stop.clear()
    waiting = asyncio.create_task(identify_forever(store, [], lambda _: pytest.fail("asked"), lambda: AT, stop, told.append))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    stop.set()
    await asyncio.wait_for(waiting, 60)


def test_of_a_stack_every_serial_number_is_named_in_its_order() -> None:
    classes = {f"{ENTITY_CLASS}.{index}": kind for index, kind in ((5, STACK), (20, CHASSIS), (3, CHASSIS), (9, PORT))}
    assert chassis_of(classes) == ["3", "20", "5"]
    told = {f"{ENTITY_SERIAL}.3": b"A", f"{ENTITY_SERIAL}.20": b"B", f"{ENTITY_MODEL}.3": b"S5735", f"{ENTITY_MODEL}.20": b"S5735"}
    found = build_identity("sw", AT, chassis_of(classes), told)
    assert (found.serial, found.model, found.not_told) == ("A / B", "S5735", ("sys_descr",))


@given(st.lists(st.integers(0, 100), unique=True, max_size=6), st.integers(0, 100))
def test_what_was_known_at_a_moment_is_the_newest_word_before_it_or_the_first_after(days: list[int], moment: int) -> None:
    words = [DeviceIdentity("d", AT + day * DAY, str(day), None, None) for day in days]
    found = known_at(words, AT + moment * DAY)
    before = [day for day in days if day <= moment]
    expected = max(before) if before else min(days, default=None)
    assert (found.sys_descr if found else None) == (None if expected is None else str(expected))


def test_the_evidence_names_both_devices_as_they_were_when_the_line_was_judged(store: Store, tmp_path: Path) -> None:
    accept_line(store)
    line, key = root_workspace().inventory.lines[LINE], write_key(tmp_path / "key")
    seen = DeviceIdentity(line.a_device, ACCEPTED_AT - DAY, "Huawei NE40E", "2102-A", "NE40E-X3")
    store.write_device_identities([seen, replace(seen, at=ACCEPTED_AT + DAY, serial="2102-B")])
    occasion = Occasion("工程师", ACCEPTED_AT + 2 * DAY, {}, POLL_INTERVAL_S)
    found = verify(export_evidence(root_workspace(), store, ROOT, LINE, key, occasion), check_signature, key.public)
    near, far = (found.content(f"device/{name}") for name in (line.a_device, line.z_device))
    assert isinstance(near, dict)
    assert isinstance(far, dict)
    shown = [near[name] for name in ("sys_descr", "serial", "model_told", "identity_read_at", "not_told")]
    assert shown == ["Huawei NE40E", "2102-A", "NE40E-X3", (ACCEPTED_AT - DAY).isoformat(), []]
    assert (far["sys_descr"], far["serial"], far["not_told"]) == (None, None, "never asked: waiwang identify")
