"""What every command starts from: the settings, the workspace, its intents and texts, its database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import Format
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.workspace import Workspace
from app.edge.database.connection import database_exists
from app.edge.database.store import Store
from app.edge.files import read_workspace
from app.edge.templates import read_templates
from app.errors import ExitCode
from app.settings import Settings, read_settings
from app.workflows.render import render

Root = Annotated[Path | None, typer.Option("--root", envvar="WAIWANG_ROOT", help="the workspace", show_default="the present directory")]
Form = Annotated[Format, typer.Option("--format", envvar="WAIWANG_FORMAT", help="how to print")]
Commit = Annotated[bool, typer.Option("--commit", help="write; without it nothing is written")]
Names = Annotated[list[str] | None, typer.Argument(help="device names or globs; none means all")]
Terms = Annotated[list[str] | None, typer.Option("-F", "--filter", help="key=value with Nornir's operators, e.g. role__any=a,b")]
Limit = Annotated[int | None, typer.Option("--limit", envvar="WAIWANG_LIMIT", help="at most so many")]


@dataclass(frozen=True)
class Context:
    """One command's ground, read when first asked for. `environ` is the process's, taken at the door."""

    settings: Settings
    environ: Mapping[str, str]

    @cached_property
    def workspace(self) -> Workspace:
        return read_workspace(self.settings.root)[0]

    @cached_property
    def intents(self) -> dict[str, DeviceIntent]:
        return build_intents(self.workspace)

    @cached_property
    def texts(self) -> dict[str, str]:
        return render(self.workspace, read_templates(self.settings.root))

    @cached_property
    def store(self) -> Store:
        return Store.open(self.settings.database_url)

    @cached_property
    def store_if_any(self) -> Store | None:
        """The database where there is one; none is made."""
        return self.store if database_exists(self.settings.database_url) else None

    @property
    def today(self) -> date:
        """The civil day in the order's zone."""
        return now().astimezone(self.workspace.order.timezone).date()


def open_context(root: Path | None) -> Context:
    return Context(read_settings(os.environ, root), dict(os.environ))


def now() -> datetime:
    """The clock of this door; everything below is given the moment."""
    return datetime.now(UTC)


def leave(code: ExitCode) -> None:
    raise typer.Exit(int(code))
