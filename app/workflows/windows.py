"""Declare, list and cancel change windows, and tell Alertmanager."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from app.core.windows import (
    CANCELLED,
    ChangeWindow,
    PlannedStretch,
    WindowEvent,
    build_reach,
    build_stretches,
    concerned_lines,
    find_cancel_faults,
    find_window_faults,
    next_window_id,
    project_windows,
)
from app.core.workspace import Workspace
from app.edge.alertmanager import Alertmanager
from app.edge.database.store import Store
from app.errors import AlertmanagerError, ExitCode, InputError, StoreError


@dataclass(frozen=True, slots=True)
class WindowReport:
    """One window after what was asked; `told`: whether an Alertmanager was told."""

    window: ChangeWindow
    committed: bool
    told: bool

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.OK if self.committed else ExitCode.PENDING


def planned_stretches(workspace: Workspace, events: Iterable[WindowEvent], as_of: datetime) -> tuple[PlannedStretch, ...]:
    """Return everything that was planned, by windows and by the calendar, as known at `as_of`."""
    windows = project_windows(events, as_of=as_of)
    reach = build_reach(workspace.inventory, windows)
    return build_stretches(workspace.inventory, windows, reach, workspace.service.maintenance, workspace.faults.notice)


def add_window(
    workspace: Workspace, store: Store, event: WindowEvent, alertmanager: Alertmanager | None, *, commit: bool, now: datetime
) -> WindowReport:
    """Judge a window; on `commit` silence its lines and record it, both or neither. Its id is given here.

    Raises:
        InputError: it concerns nothing, is over, or a part of it is wrong.
        AlertmanagerError: the silence could not be made; nothing was recorded.
    """
    if faults := find_window_faults(workspace.inventory, event, now):
        raise InputError(faults)
    event = replace(event, window_id=next_window_id(project_windows(store.windows()), now, workspace.order.timezone))
    if not commit:
        return WindowReport(ChangeWindow(event), committed=False, told=False)
    if alertmanager is not None:
        lines = concerned_lines(workspace.inventory, event.concern)
        comment = f"{event.window_id} {event.document}"
        event = replace(event, silence=alertmanager.silence(lines, event.starts_at, event.ends_at, event.by, comment))
    try:
        store.write_window(event)
    except StoreError:
        if alertmanager is not None:
            with suppress(AlertmanagerError):  # the reason that counts is the database's
                alertmanager.expire(event.silence)
        raise
    return WindowReport(ChangeWindow(event), committed=True, told=alertmanager is not None)


def cancel_window(
    store: Store, window_id: str, by: str, document: str, alertmanager: Alertmanager | None, *, commit: bool, now: datetime
) -> WindowReport:
    """Judge a cancellation; on `commit` expire the window's silence and record it.

    Raises:
        InputError: the window does not stand.
        AlertmanagerError: the silence could not be ended; nothing was recorded.
    """
    windows = project_windows(store.windows())
    if faults := find_cancel_faults(windows, window_id, by, now):
        raise InputError(faults)
    [window] = [each for each in windows if each.window_id == window_id]
    told = False
    if commit:
        if alertmanager is not None and window.declared.silence:
            alertmanager.expire(window.declared.silence)
            told = True
        store.write_window(replace(window.declared, kind=CANCELLED, recorded_at=now, by=by, document=document))
    return WindowReport(ChangeWindow(window.declared, now), committed=commit, told=told)


def read_windows(store: Store, as_of: datetime | None = None) -> Sequence[ChangeWindow]:
    """Return every window, those that are over or cancelled too."""
    return project_windows(store.windows(), as_of=as_of)
