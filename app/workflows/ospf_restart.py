"""Restart OSPF where it goes by another number than intended: a changed router id takes effect only then."""

from __future__ import annotations

import time
from collections.abc import Mapping

from nornir.core import Nornir
from nornir.core.task import Result, Task

from app.core.device_tables import DeviceTables
from app.core.intent import DeviceIntent
from app.errors import ConnectFailed, ExitCode, WaiwangError
from app.workflows.deploy import waves
from app.workflows.diff import DeviceRow, Progress, Timer, failure_row, ordered, run_rows, with_seconds
from app.workflows.hosts import Gateway
from app.workflows.tables import ask_tables

RETRY_S = 0.5
ASKED = ("router_id", "adjacencies")


def restart_ospf(
    nornir: Nornir, intents: Mapping[str, DeviceIntent], gateway: Gateway, wait_s: float, progress: Progress
) -> tuple[DeviceRow, ...]:
    """Restart it on the hosts of Nornir that need it, leaf first; each depth waits until its neighbours are back, at most `wait_s`.

    Devices without OSPF are not asked. Traffic through a device stops from its restart until its adjacencies are full. Rows of
    those that were restarted, or should have been.
    """
    rows: list[DeviceRow] = []

    def restart_one(task: Task) -> Result:
        intent, timer = intents[task.host.name], Timer()
        try:
            row = _restart(intent, gateway, wait_s, progress)
        except WaiwangError as error:
            row = failure_row(intent, error)
        progress(intent.hostname, row.result)
        return Result(task.host, result=with_seconds(row, timer))

    for wave in waves({name: intents[name] for name in nornir.inventory.hosts if intents[name].ospf is not None}, leaf_first=True):
        part = nornir.filter(filter_func=lambda host, wave=wave: host.name in wave)
        rows += [row for row in run_rows(part, restart_one, intents) if row.result != "unchanged"]
    return tuple(ordered(rows))


def _restart(intent: DeviceIntent, gateway: Gateway, wait_s: float, progress: Progress) -> DeviceRow:
    session = gateway.connect(intent, wait_s)
    try:
        before = ask_tables(session, intent, ASKED)
        if intent.ospf is None or before.router_id == intent.ospf.router_id:
            return DeviceRow(intent.hostname, intent.depth, "unchanged")
        progress(intent.hostname, "restarting OSPF")
        session.restart_ospf()
    finally:
        session.close()
    return _wait(intent, gateway, _full(before), wait_s)


def _wait(intent: DeviceIntent, gateway: Gateway, wanted: int, wait_s: float) -> DeviceRow:
    """Look again until the device has as many full neighbours as before."""
    deadline = time.monotonic() + wait_s
    found = "no answer"
    while time.monotonic() < deadline:
        time.sleep(RETRY_S)
        try:
            session = gateway.connect(intent, 0.0)
        except ConnectFailed:
            continue
        try:
            after = ask_tables(session, intent, ASKED)
        finally:
            session.close()
        if _full(after) >= wanted and intent.ospf is not None and after.router_id == intent.ospf.router_id:
            return DeviceRow(intent.hostname, intent.depth, "deployed", reason=f"OSPF restarted, goes by {after.router_id} now")
        found = f"{_full(after)} of {wanted} neighbours, router id {after.router_id}"
    reason = f"OSPF was restarted: expected its neighbours back within {wait_s:g} s; found {found}. Look at its lines."
    return DeviceRow(intent.hostname, intent.depth, "failed", reason=reason, exit_code=ExitCode.DEVICE)


def _full(tables: DeviceTables) -> int:
    return sum(one.full for one in tables.adjacencies)
