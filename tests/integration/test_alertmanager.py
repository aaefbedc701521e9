"""Real Prometheus and Alertmanager: a line down becomes a fault and its end restores it; a change window keeps both silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app.core.acceptance import PASS, Acceptance, LineSample
from app.core.fault_detection import lines_above
from app.core.fault_report import FaultView
from app.core.windows import DECLARED, Concern, WindowEvent
from app.edge.alertmanager import Alertmanager
from app.edge.database.store import Store
from app.errors import AlertmanagerError
from app.web.context import AlertDoor
from app.workflows.faults import FaultDesk, read_faults
from app.workflows.summary import StoreReader
from app.workflows.windows import add_window, cancel_window
from tests.samples.accepted_line import root_workspace
from tests.samples.alertmanager import alertmanager
from tests.samples.prometheus import prometheus
from tests.samples.server import free_port, serve, wait_until

TOKEN = "a-token-of-this-test-alone"
ABOVE = lines_above(root_workspace().inventory)
CHILD = next(line_id for line_id, way in ABOVE.items() if way)
PARENT = ABOVE[CHILD][-1]
OTHER = next(line_id for line_id, way in ABOVE.items() if not way and line_id != PARENT)
HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Site:
    """Three accepted lines, in a real database."""

    store: Store

    def see(self, **states: str) -> None:
        """Write one poll cycle in which these lines (parent, child, other) are in these states, the others up."""
        at, found = now(), {PARENT: "up", CHILD: "up", OTHER: "up"} | {NAMES[name]: state for name, state in states.items()}
        behind = {CHILD: PARENT if found[CHILD] == "unreachable" else None}
        samples = [LineSample(line_id, at, state, "played", behind.get(line_id), None, None) for line_id, state in found.items()]
        self.store.write_cycle(at, at, [], samples)

    def faults(self) -> dict[str, FaultView]:
        return {each.line_id: each for each in read_faults(root_workspace(), self.store, now()).faults}


NAMES = {"parent": PARENT, "child": CHILD, "other": OTHER}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    store = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    for line_id in NAMES.values():
        store.write_acceptance(Acceptance(line_id, now() - HOUR, PASS, (), None, None, None))
    yield Site(store)
    store.close()


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    door = AlertDoor(FaultDesk(root_workspace(), site.store), SecretStr(TOKEN), now)
    with serve(StoreReader(root_workspace(), site.store, now), door) as found:
        yield found


def fire(client: httpx.Client, line_id: str, *, ends_at: datetime | None = None) -> None:
    """Tell Alertmanager of an alert as Prometheus does."""
    labels = {"alertname": "WaiwangLineDown", "line_id": line_id, "region": "511922", "severity": "critical"}
    starts_at = now() if ends_at is None else ends_at - timedelta(seconds=1)
    alert: dict[str, object] = {"labels": labels, "annotations": {"summary": "线路中断"}, "startsAt": starts_at.isoformat()}
    if ends_at is not None:
        alert["endsAt"] = ends_at.isoformat()
    client.post("/api/v2/alerts", json=[alert]).raise_for_status()


@pytest.mark.requirement("SX-1")
def test_a_line_down_becomes_a_fault_by_way_of_prometheus_and_alertmanager_and_is_restored(
    require_program: Callable[..., None], tmp_path: Path, site: Site, address: str
) -> None:
    require_program("prometheus", "prometheus-alertmanager")
    site.see()
    with alertmanager(tmp_path / "alertmanager", address, TOKEN) as manager:
        target, told = address.removeprefix("http://"), f"{manager.base_url.host}:{manager.base_url.port}"
        with prometheus(tmp_path / "prometheus", target, alertmanager=told, wait="1s"):
            down_at = now()
            site.see(parent="down", child="unreachable")
            wait_until(lambda: PARENT in site.faults(), 60, "a fault")
            fault = site.faults()[PARENT]
            assert (fault.state, fault.source, fault.children) == ("open", "alertmanager", (CHILD,))
            assert fault.document == "WaiwangLineDown: 线路中断：" + expected_name(PARENT)
            assert down_at < fault.began_at < now()
            assert CHILD not in site.faults()
            shown = httpx.get(f"{address}/api/v1/faults", params={"state": "open"}).json()
            assert [(each["line_id"], each["children"], each["held_by"]) for each in shown["faults"]] == [(PARENT, [CHILD], "centre")]

            up_at = now()
            site.see()
            wait_until(lambda: site.faults()[PARENT].state == "restored", 60, "the fault to be restored")
            restored = site.faults()[PARENT]
            assert restored.restored_at is not None
            assert up_at < restored.restored_at < now()
            [carrier] = [each for each in read_faults(root_workspace(), site.store, now()).carriers if each.faults]
            assert carrier.worst == restored.lasted


def expected_name(line_id: str) -> str:
    inventory = root_workspace().inventory
    unit = inventory.units[inventory.lines[line_id].unit_id]
    return f"{unit.name}（{inventory.regions[unit.region].name}）"


@pytest.mark.requirement("SX-1")
def test_no_notification_comes_during_a_change_window_and_its_cancellation_lets_them_through(
    require_program: Callable[..., None], tmp_path: Path, site: Site, address: str
) -> None:
    require_program("prometheus-alertmanager")
    with alertmanager(tmp_path, address, TOKEN) as manager:
        edge = Alertmanager(str(manager.base_url).rstrip("/"))
        event = WindowEvent("", DECLARED, now(), "通信处", "检修通知", now() - HOUR, now() + HOUR, Concern((PARENT,)))
        shown = add_window(root_workspace(), site.store, event, edge, commit=False, now=now())
        assert (shown.window.declared.silence, manager.get("/api/v2/silences").json()) == ("", [])

        declared = add_window(root_workspace(), site.store, event, edge, commit=True, now=now()).window
        [silence] = manager.get("/api/v2/silences").json()
        assert (silence["id"], silence["status"]["state"]) == (declared.declared.silence, "active")
        assert (silence["createdBy"], silence["comment"]) == ("通信处", f"{declared.window_id} 检修通知")
        fire(manager, PARENT)
        fire(manager, OTHER)
        wait_until(lambda: OTHER in site.faults(), 60, "the fault of the line that is not silenced")
        assert PARENT not in site.faults()
        states = {each["labels"]["line_id"]: each["status"]["state"] for each in manager.get("/api/v2/alerts").json()}
        assert states == {PARENT: "suppressed", OTHER: "active"}

        cancel_window(site.store, declared.window_id, "通信处", "取消通知", edge, commit=True, now=now())
        [silence] = manager.get("/api/v2/silences").json()
        assert silence["status"]["state"] == "expired"
        wait_until(lambda: PARENT in site.faults(), 60, "the fault once nothing is silenced")
        found = site.faults()[PARENT]
        assert (found.planned, found.announced_late) == ("检修通知", True), "it began within the window, which was announced at once"
        assert site.faults()[OTHER].planned is None
        edge.expire(declared.declared.silence)
        edge.expire("00000000-0000-0000-0000-000000000000")


def test_the_same_alert_sent_again_opens_nothing_and_its_end_restores(
    require_program: Callable[..., None], tmp_path: Path, site: Site, address: str
) -> None:
    require_program("prometheus-alertmanager")
    with alertmanager(tmp_path, address, TOKEN) as manager:
        fire(manager, OTHER)
        wait_until(lambda: OTHER in site.faults(), 60, "the fault")
        first = len(site.store.fault_events())
        fire(manager, CHILD)  # the group is told again, with the first alert in it
        wait_until(lambda: CHILD in site.faults(), 60, "the second fault")
        assert [event.line_id for event in site.store.fault_events()] == [OTHER] * first + [CHILD]
        fire(manager, OTHER, ends_at=now())
        wait_until(lambda: site.faults()[OTHER].state == "restored", 60, "the end")
        assert site.faults()[CHILD].state == "open"


def test_a_window_is_not_recorded_where_alertmanager_cannot_be_told(site: Site) -> None:
    edge = Alertmanager(f"http://127.0.0.1:{free_port()}")
    event = WindowEvent("", DECLARED, now(), "通信处", "检修通知", now(), now() + HOUR, Concern((PARENT,)))
    with pytest.raises(AlertmanagerError, match=r"connection: expected an Alertmanager that answers; found .*--no-silence"):
        add_window(root_workspace(), site.store, event, edge, commit=True, now=now())
    assert site.store.windows() == []
    assert add_window(root_workspace(), site.store, event, None, commit=True, now=now()).told is False
    assert len(site.store.windows()) == 1


def test_alertmanager_refuses_a_silence_that_cannot_be_and_this_is_told(
    require_program: Callable[..., None], tmp_path: Path, address: str
) -> None:
    require_program("prometheus-alertmanager")
    with alertmanager(tmp_path, address, TOKEN) as manager:
        edge = Alertmanager(str(manager.base_url).rstrip("/"))
        with pytest.raises(AlertmanagerError, match=r"POST /api/v2: expected success; found 400 .*end time"):
            edge.silence([PARENT], now() - 2 * HOUR, now() - HOUR, "通信处", "检修通知")
