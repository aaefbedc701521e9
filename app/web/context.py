"""What every route and page is given: the reader, who asks, the order's time zone, and when polling counts as stale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from fastapi import Request
from pydantic import SecretStr

from app.core.access import Role, Viewer
from app.core.fault_detection import Alert
from app.core.progress import Summary
from app.web.doors import Doors
from app.web.reader import Reader
from app.web.recent import RecentScrape, RecentSummary
from app.workflows.registry import Registry


class AlertTaker(Protocol):
    """What decides on alerts. Called from several threads at once; may raise StoreError."""

    def take(self, alerts: Sequence[Alert], now: datetime) -> Mapping[str, int]:
        """Decide on alerts; return how many came to which outcome."""
        ...


@dataclass(frozen=True, slots=True)
class AlertDoor:
    """Who decides on alerts, at whose clock, and the token that Alertmanager shows."""

    taker: AlertTaker
    token: SecretStr
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class WebContext:
    """`zone`: civil times are shown in it. `stale_after`: age of the newest poll cycle at which the page says so loudly.

    `recent`: a summary that may be a second old, shared by all open pages that are shown the same. `notifications`: how many SNMP
    notifications came to each result; empty where none are received. `alerts`: where Alertmanager's alerts go, None where they are
    not taken. `viewer`: who signed in, None for whoever has not; `reader` and `registry` know no more than the viewer may.
    `registry` is None where nothing is written down. `scraped` keeps the last scrape.
    """

    reader: Reader
    zone: ZoneInfo
    stale_after: timedelta
    recent: RecentSummary
    notifications: Mapping[str, int] = field(default_factory=dict)
    alerts: AlertDoor | None = None
    doors: Doors = field(default_factory=Doors)
    viewer: Viewer | None = None
    registry: Registry | None = None
    scraped: RecentScrape = field(default_factory=RecentScrape)

    def is_stale(self, summary: Summary) -> bool:
        """Tell whether what is shown may no longer be true: nothing was ever measured, or not recently enough."""
        return summary.polled_at is None or summary.as_of - summary.polled_at > self.stale_after

    def local(self, moment: datetime) -> datetime:
        """Return the same moment on the order's clock."""
        return moment.astimezone(self.zone)


class Contexts:
    """The context of each role: narrow roles have readers of their own, which the pages of one role share."""

    def __init__(self, whole: WebContext, shared_for_s: float) -> None:
        self._whole, self._shared_for_s = whole, shared_for_s
        self._narrow: dict[Role, WebContext] = {}

    @property
    def doors(self) -> Doors:
        return self._whole.doors

    def of(self, viewer: Viewer | None) -> WebContext:
        """Return what this viewer is given; whoever has not signed in is shown everything or, by the gate, nothing."""
        if viewer is None:
            return self._whole
        if not viewer.role.is_narrow:
            return replace(self._whole, viewer=viewer)
        if viewer.role not in self._narrow:
            reader = self._whole.reader.narrowed(viewer.role)
            registry = self._whole.registry.narrowed(viewer.role) if self._whole.registry else None
            recent = RecentSummary(reader.summary, self._shared_for_s)
            self._narrow[viewer.role] = replace(self._whole, reader=reader, recent=recent, registry=registry)
        return replace(self._narrow[viewer.role], viewer=viewer)


def read_context(request: Request) -> WebContext:
    """Return the context that `Gate` laid into the request."""
    context = request.state.context
    assert isinstance(context, WebContext)
    return context
