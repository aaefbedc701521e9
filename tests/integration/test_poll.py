"""Poll cycles over agents on loopback: states, rates, memory of the silent, schedule and findings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from app.core.intent import DeviceIntent, ManagementIntent
from app.core.inventory import Inventory, Line
from app.core.ipplan import Management, OspfProfile, Plan, Provenance
from app.core.order import Order
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.secrets import Secrets
from app.edge.snmp.ports import SYS_NAME, SYS_UPTIME
from app.edge.snmp.session import Community
from app.errors import ExitCode, InputError, StoreError, UnsafeRoute, WaiwangError
from app.settings import read_settings
from app.workflows.poll import Pace, Poller, open_poller, usm_credentials
from app.workflows.poll_report import CycleReport
from app.workflows.schedule import next_start, poll_forever
from tests.integration.played_snmp import COUNTER64, GET_BULK, OCTETS, TICKS, PlayedAgent, number, played, port_rows, tlv
from tests.samples.virtual_time import virtual_time

START = datetime(2008, 6, 1, tzinfo=UTC)
BRISK = Pace(patience_s=(0.2, 0.2), silent_patience_s=(0.05,), second_look=3, at_once=10)
ADDRESSES = {"city": "198.18.0.1", "county01": "198.18.0.2", "unit01": "198.18.0.3"}


def line(line_id: str, a: str, a_port: str, z: str, z_port: str, *reserved: str) -> Line:
    spare = reserved or (None, None)
    return Line(line_id, "unit", "class", "fibre", "ethernet", "telecom", None, a, a_port, z, z_port, *spare)


LINES = [line("BZWW-A-0001", "city", "eth1", "county01", "eth1", "eth2", "eth2"), line("BZWW-U-0001", "county01", "eth3", "unit01", "eth1")]
PROVENANCE = Provenance("test", "test", None)
MANAGEMENT = ManagementIntent("netops", "poller", "sha", "aes128", (), (), (), "", "")


def workspace(*, illustration: bool = False) -> Workspace:
    management = Management("noc", (), (), "netops", "poller")
    plan = Plan(IPv4Network("198.18.0.0/15"), (), PROVENANCE, illustration, OspfProfile(), management)
    order = Order("1", "t", "t", "i", date(2008, 4, 1), ZoneInfo("Asia/Shanghai"), {}, (), (), {}, (), {})
    return Workspace(order, Inventory({}, {}, {}, {entry.line_id: entry for entry in LINES}, {}), plan, (), {})


def intents() -> dict[str, DeviceIntent]:
    return {
        name: DeviceIntent(
            name, "frr", "cisco_ios", "city_core", "511900", 0, None, (IPv4Address(address),), (), (), None, MANAGEMENT, None
        )
        for name, address in ADDRESSES.items()
    }


def agent_rows(device: str, uptime: int, ports: Iterable[tuple[int, str, str, int]]) -> dict[str, bytes]:
    rows = {SYS_UPTIME: number(uptime, TICKS), SYS_NAME: tlv(OCTETS, device.encode())}
    for index, name, alias, octets in ports:
        counted = {"in": number(octets, COUNTER64), "out": number(2 * octets, COUNTER64)}
        rows |= port_rows(index, name, alias=tlv(OCTETS, alias.encode()), **counted)
    return rows


def every_row(uptime: int = 100_000, octets: int = 1000) -> dict[str, dict[str, bytes]]:
    agg, unit = "L:BZWW-A-0001 to far", "L:BZWW-U-0001 to far"
    spare = "RESERVED 100M L:BZWW-A-0001"
    return {
        "city": agent_rows("city", uptime, [(1, "eth1", agg, octets), (2, "eth2", spare, 0)]),
        "county01": agent_rows("county01", uptime, [(1, "eth1", agg, octets), (2, "eth2", spare, 0), (3, "eth3", unit, octets)]),
        "unit01": agent_rows("unit01", uptime, [(1, "eth1", unit, octets)]),
    }


@dataclass
class Network:
    """Three devices on loopback, any of which may be told to keep silent."""

    agents: dict[str, PlayedAgent]
    ports: dict[str, int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    now: datetime = START

    def clock(self) -> datetime:
        return self.now

    def endpoint(self, address: IPv4Address) -> tuple[IPv4Address, int]:
        name = next(device for device, contact in ADDRESSES.items() if contact == str(address))
        return IPv4Address("127.0.0.1"), self.ports[name]

    def pass_time(self, seconds: int, octets: int) -> None:
        self.now += timedelta(seconds=seconds)
        uptime = 100_000 + int((self.now - START).total_seconds()) * 100
        for name, rows in every_row(uptime, octets).items():
            self.agents[name].rows = rows

    def questions(self, device: str) -> int:
        return len(self.agents[device].questions)


def played_device(name: str, rows: dict[str, bytes], silent: set[str]) -> PlayedAgent:
    return PlayedAgent(rows, lambda _n, _kind, _request, _oids, replies: [] if name in silent else replies)


@asynccontextmanager
async def network() -> AsyncIterator[Network]:
    silent: set[str] = set()
    made = Network({name: played_device(name, rows, silent) for name, rows in every_row().items()}, silent=silent)
    async with AsyncExitStack() as stack:
        for name, agent in made.agents.items():
            made.ports[name] = (await stack.enter_async_context(played(agent, name))).port
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    yield opened
    opened.close()


def poller(net: Network, store: Store, pace: Pace = BRISK) -> Poller:
    return Poller(workspace(), intents(), store, community, net.endpoint, pace=pace)


def community(_management: ManagementIntent) -> Community:
    return Community(SecretStr("readers"))


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop run until something holds."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  # an agent that was asked tells nobody
            await asyncio.sleep(0.01)


def states(report: CycleReport) -> dict[str, str]:
    return {sample.line_id: sample.state for sample in report.lines}


async def test_a_cycle_sees_every_line_and_writes_what_it_saw(store: Store) -> None:
    async with network() as net:
        report = await poller(net, store).cycle(net.clock)
    assert states(report) == {"BZWW-A-0001": "up", "BZWW-U-0001": "up"}
    assert (report.exit_code, report.findings) == (ExitCode.OK, ())
    assert [change.after for change in report.transitions] == ["up", "up"]
    written = store.latest()["BZWW-A-0001"].sample
    assert written == report.lines[0]
    assert written.reserved_a is not None
    assert written.reserved_z is not None
    assert written.reserved_z.device == "county01"
    last = store.last_cycle()
    assert last is not None
    assert (last.devices, last.answered) == (3, 3)


async def test_rates_come_with_the_second_cycle_and_survive_a_new_process(store: Store) -> None:
    async with network() as net:
        first = await poller(net, store).cycle(net.clock)
        assert first.rows()[0].down_bps is None
        net.pass_time(60, octets=61_000)
        second = await poller(net, store).cycle(net.clock)
        net.pass_time(60, octets=121_000)
        third = await poller(net, store).cycle(net.clock)
    row = second.rows()[0]
    assert (row.line_id, row.state, row.up_bps, row.down_bps, row.in_errors, row.out_errors) == ("BZWW-A-0001", "up", 8000.0, 16000.0, 3, 4)
    assert third.rows()[0].up_bps == 8000.0


async def test_a_restarted_device_has_a_gap_and_no_rate(store: Store) -> None:
    async with network() as net:
        asker = poller(net, store)
        await asker.cycle(net.clock)
        net.pass_time(60, octets=61_000)
        net.agents["city"].rows = every_row(uptime=500, octets=61_000)["city"]
        report = await asker.cycle(net.clock)
    sample = report.lines[0]
    assert sample.a is not None
    assert sample.z is not None
    assert (sample.a.in_bps, sample.z.in_bps) == (None, 8000.0)


async def test_a_silent_device_makes_its_lines_unreachable_and_exit_code_3(store: Store) -> None:
    async with network() as net:
        net.silent |= {"county01", "unit01"}
        report = await poller(net, store).cycle(net.clock)
    assert states(report) == {"BZWW-A-0001": "unreachable", "BZWW-U-0001": "unreachable"}
    assert report.rows()[1].behind == "BZWW-A-0001"
    assert report.exit_code is ExitCode.DEVICE
    assert store.device_states()["county01"].answer == "silent"


async def test_nothing_answering_is_nothing_measured_and_makes_no_line_down(store: Store) -> None:
    async with network() as net:
        net.silent |= set(ADDRESSES)
        report = await poller(net, store).cycle(net.clock)
    assert report.exit_code is ExitCode.NOTHING_MEASURED
    assert set(states(report).values()) == {"unreachable"}
    assert "the poller may be cut off" in report.lines[0].reason


async def test_the_silent_are_asked_shortly_and_with_full_patience_at_every_third_cycle(store: Store) -> None:
    async with network() as net:
        net.silent.add("unit01")
        asker = poller(net, store)
        asked = []
        for _ in range(5):
            before = net.questions("unit01")
            await asker.cycle(net.clock)
            net.now += timedelta(seconds=60)
            asked.append(net.questions("unit01") - before)
        assert asked == [2, 1, 1, 2, 1]
        net.silent.clear()
        report = await asker.cycle(net.clock)
        net.silent.add("unit01")
        before = net.questions("unit01")
        await asker.cycle(replace(net, now=net.now + timedelta(seconds=60)).clock)
        assert states(report)["BZWW-U-0001"] == "up"
        assert net.questions("unit01") - before == 2, "who has answered is trusted again"


async def test_the_silent_delay_nobody_else(store: Store) -> None:
    async with network() as net:
        net.silent.add("city")
        asker = poller(net, store, replace(BRISK, at_once=1, patience_s=(0.2,), silent_patience_s=(3600.0,), second_look=100))
        await asker.cycle(net.clock)
        net.now += timedelta(seconds=60)
        before = {name: net.questions(name) for name in ADDRESSES}
        cycle = asyncio.create_task(asker.cycle(net.clock))
        await until(lambda: all(net.questions(name) > asked for name, asked in before.items()))
        assert not cycle.done(), "the silent one is waited for still"
        cycle.cancel()
        with suppress(asyncio.CancelledError):
            await cycle


async def test_an_index_is_walked_for_once(store: Store) -> None:
    async with network() as net:
        asker = poller(net, store)
        for _ in range(3):
            await asker.cycle(net.clock)
            net.now += timedelta(seconds=60)
        kinds = [kind for kind, _ in net.agents["county01"].questions]
    assert kinds.count(GET_BULK) == 1


async def test_two_cycles_asked_for_at_once_run_one_after_the_other(store: Store) -> None:
    async with network() as net:
        asker = poller(net, store)

        def clock() -> datetime:
            net.now += timedelta(seconds=1)
            return net.now

        first, second = await asyncio.gather(asker.cycle(clock), asker.cycle(clock))
    assert first.finished_at < second.started_at


async def test_oddities_are_findings_and_decide_nothing(store: Store) -> None:
    async with network() as net:
        rows = net.agents["unit01"].rows
        rows[SYS_NAME] = tlv(OCTETS, b"unit99")
        rows |= port_rows(1, "eth1", alias=tlv(OCTETS, b"L:BZWW-U-0002 to far"))
        net.agents["city"].rows = agent_rows("city", 1, [(1, "eth1", "", 0)])
        report = await poller(net, store).cycle(net.clock)
    said = [(finding.where, finding.what, finding.expected, finding.found) for finding in report.findings]
    assert said == [
        ("city/eth2", "interface", "an ifName of the device", "none"),
        ("unit01", "sysName", "unit01", "unit99"),
        ("unit01/eth1", "ifAlias", "a text with BZWW-U-0001", "L:BZWW-U-0002 to far"),
    ]
    assert all(finding.note for finding in report.findings)
    assert report.exit_code is ExitCode.OK


async def test_an_address_that_may_not_be_contacted_stops_the_cycle_before_the_first_question(store: Store) -> None:
    async with network() as net:
        asker = Poller(workspace(), intents(), store, community, lambda address: (address, 161))
        with pytest.raises(UnsafeRoute, match=r"198\.18\.0\.1: contact with a lab address from outside the lab"):
            await asker.cycle(net.clock)
        assert net.questions("city") == 0
    assert store.last_cycle() is None


def test_an_illustration_is_not_polled(store: Store) -> None:
    with pytest.raises(InputError, match=r"ipplan/plan.yaml: poll: .*illustration: true.*Nothing was sent"):
        Poller(workspace(illustration=True), intents(), store, community, lambda address: (address, 161))


def test_credentials_come_from_the_secrets_and_a_missing_one_is_named() -> None:
    secrets = Secrets({"snmp_auth": SecretStr("auth-word"), "snmp_priv": SecretStr("priv-word")}, "secrets.yaml")
    user = usm_credentials(secrets)(MANAGEMENT)
    assert (user.name, user.auth, user.priv, user.auth_password.get_secret_value()) == ("poller", "sha", "aes128", "auth-word")
    assert "auth-word" not in repr(user)
    with pytest.raises(InputError, match="snmp_priv"):
        usm_credentials(Secrets({"snmp_auth": SecretStr("auth-word")}, "secrets.yaml"))


def test_opening_a_poller_judges_plan_secrets_and_algorithms_before_anything_is_sent(store: Store, tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path)
    secrets = {"WAIWANG_SECRET_SNMP_AUTH": "auth-word", "WAIWANG_SECRET_SNMP_PRIV": "priv-word"}
    with pytest.raises(InputError, match="illustration: true"):
        open_poller(workspace(illustration=True), intents(), store, settings, {})
    with pytest.raises(InputError) as missing:
        open_poller(workspace(), intents(), store, settings, {})
    assert len(missing.value.findings) == 2
    odd = replace(MANAGEMENT, snmp_auth="sm3")
    with pytest.raises(InputError, match="snmp_auth: expected one of"):
        open_poller(workspace(), {name: replace(intent, management=odd) for name, intent in intents().items()}, store, settings, secrets)
    open_poller(workspace(), intents(), store, settings, secrets).close()


# --- the schedule


@pytest.mark.parametrize(
    ("now", "start"), [(100.0, 160.0), (100.1, 160.0), (159.9, 160.0), (160.0, 220.0), (161.0, 220.0), (280.5, 340.0)]
)
def test_the_next_start_is_a_multiple_of_the_interval_that_is_still_to_come(now: float, start: float) -> None:
    assert next_start(100.0, 60.0, now) == start


class Scripted:
    """A poller whose cycles take given times or fail."""

    def __init__(self, stop: asyncio.Event, takes: list[float | WaiwangError]) -> None:
        self.stop, self.takes, self.starts = stop, takes, list[float]()

    async def cycle(self, clock: Callable[[], datetime]) -> CycleReport:
        self.starts.append(asyncio.get_running_loop().time())
        step = self.takes.pop(0)
        if not self.takes:
            self.stop.set()
        if isinstance(step, WaiwangError):
            raise step
        await asyncio.sleep(step)
        return CycleReport(clock(), clock(), (), (), (), ())


def test_the_schedule_does_not_drift_and_a_slow_cycle_skips_a_start() -> None:
    async def starts() -> list[float]:
        stop = asyncio.Event()
        scripted = Scripted(stop, [5.0, 35.0, 5.0, 0.0])
        await poll_forever(scripted, 20.0, lambda: START, stop)  # type: ignore[arg-type]  # only cycle() is used
        return scripted.starts

    with asyncio.Runner(loop_factory=virtual_time) as runner:
        assert runner.run(starts()) == pytest.approx([0.0, 20.0, 60.0, 80.0])


async def test_a_cycle_that_fails_is_reported_and_the_next_one_runs() -> None:
    stop = asyncio.Event()
    scripted = Scripted(stop, [StoreError("disk full"), 0.0])
    failures, reports = [], []
    await poll_forever(scripted, 0.05, lambda: START, stop, reports.append, failures.append)  # type: ignore[arg-type]  # as above
    assert [str(failure) for failure in failures] == ["disk full"]
    assert len(reports) == 1
