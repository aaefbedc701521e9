"""What every route and page is given: the reader, the order's time zone, and when polling counts as stale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from fastapi import Request
from pydantic import SecretStr

from app.core.fault_detection import Alert
from app.core.progress import Summary
from app.web.reader import Reader
from app.web.recent import RecentSummary


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

    `recent`: a summary that may be a second old, shared by all open pages. `notifications`: how many SNMP notifications
    came to each result; empty where none are received. `alerts`: where Alertmanager's alerts go, None where they are not taken.
    """

    reader: Reader
    zone: ZoneInfo
    stale_after: timedelta
    recent: RecentSummary
    notifications: Mapping[str, int] = field(default_factory=dict)
    alerts: AlertDoor | None = None

    def is_stale(self, summary: Summary) -> bool:
        """Tell whether what is shown may no longer be true: nothing was ever measured, or not recently enough."""
        return summary.polled_at is None or summary.as_of - summary.polled_at > self.stale_after

    def local(self, moment: datetime) -> datetime:
        """Return the same moment on the order's clock."""
        return moment.astimezone(self.zone)


def read_context(request: Request) -> WebContext:
    """Return the context that `Gate` laid into the request."""
    context = request.state.context
    assert isinstance(context, WebContext)
    return context
