"""The web application: API, metrics and dashboard over one reader."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from app.web import administration, metrics, own_password, sign_in
from app.web.api import alerts as alert_routes
from app.web.api import entries, faults, offices, routes
from app.web.context import AlertDoor, Contexts, WebContext
from app.web.dashboard import mount
from app.web.doors import Doors
from app.web.gate import Gate
from app.web.problems import add_problem_handlers
from app.web.reader import Reader
from app.web.recent import RecentSummary
from app.workflows.registry import Registry

API_VERSION = "1.0"


def create_app(
    reader: Reader,
    zone: ZoneInfo = ZoneInfo("Asia/Shanghai"),
    stale_after: timedelta = timedelta(minutes=5),
    shared_for_s: float = 1.0,
    notifications: Mapping[str, int] = MappingProxyType({}),
    alerts: AlertDoor | None = None,
    doors: Doors | None = None,
    registry: Registry | None = None,
) -> FastAPI:
    """Build the application over one reader.

    `zone` is the order's; `stale_after` is how old the newest poll cycle may be before the page warns; `shared_for_s` is how
    long the open pages share one summary (API and metrics always read anew); `notifications` are the receiver's counts;
    `alerts` takes Alertmanager's, which are refused where it is None. `doors` tell who asks (without them everybody may read
    and nobody write); `registry` is where the doors write things down.
    """
    pages = mount.build_pages()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with pages.router.lifespan_context(pages):
            yield

    app = FastAPI(
        title="waiwang",
        version=API_VERSION,
        description="The rollout of a city's e-government extranet: milestones, lines, acceptance. Every answer is a view of one summary.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    apis = (routes.api, entries.api, faults.api, offices.api, alert_routes.api)
    plain = (sign_in.router, own_password.router, administration.router)
    for router in (routes.health, *apis, metrics.router, *plain, routes.rest):
        app.include_router(router)
    add_problem_handlers(app)
    app.mount("/", pages)
    recent = RecentSummary(reader.summary, shared_for_s)
    context = WebContext(reader, zone, stale_after, recent, notifications, alerts, doors or Doors(), registry=registry)
    app.add_middleware(Gate, contexts=Contexts(context, shared_for_s))
    return app
