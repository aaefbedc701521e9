"""What commands about lines share: which lines, which moment, a group that shows when no verb is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from typer.core import TyperGroup

from app.cli.context import Context
from app.core.inventory import Line
from app.core.moments import on_the_clock
from app.errors import Finding, InputError

Lines = Annotated[list[str] | None, typer.Argument(help="line ids or globs; none means all")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="T", help="what was known then: a day (to its end) or a moment on the order's clock")
]


def choose_lines(lines: Mapping[str, Line], wanted: Sequence[str] | None) -> list[Line]:
    """Return the lines that match any of the ids or globs. Raises InputError for one that matches nothing."""
    unknown = [name for name in wanted or [] if not any(fnmatchcase(line_id, name) for line_id in lines)]
    if unknown:
        step = f"Known are for example {', '.join(list(lines)[:3])}." if lines else "inventory/lines.csv holds no line yet."
        raise InputError(Finding("selection", "line id", "an id or glob of inventory/lines.csv", name, step) for name in unknown)
    return [line for line_id, line in lines.items() if not wanted or any(fnmatchcase(line_id, name) for name in wanted)]


def chosen_lines(context: Context, wanted: Sequence[str] | None) -> list[Line]:
    """Return the lines of the workspace that match any of the ids or globs. Raises InputError for one that matches nothing."""
    return choose_lines(context.workspace.inventory.lines, wanted)


def one_line(lines: Mapping[str, Line], line_id: str) -> str:
    """Return the id of one line that is known. Raises InputError."""
    if line_id not in lines:
        choose_lines(lines, [line_id])
        step = f"Name one line, such as {next(iter(lines))}."
        raise InputError([Finding("selection", "line id", "the id of one line", line_id, step)])
    return line_id


def parse_moment(option: str, text: str, zone: ZoneInfo) -> datetime:
    """Return a civil day's first moment, or a civil moment, in the order's zone. Raises InputError."""
    try:
        if len(text) == len("2008-06-30"):
            return datetime.combine(date.fromisoformat(text), time.min, tzinfo=zone)
        found = datetime.fromisoformat(text)
        (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        step = "Write year, month and day, and the hour where it matters."
        expected = "a day such as 2008-06-30, or a moment such as 2008-06-30T16:30"
        raise InputError([Finding("command line", f"`{option}` is no moment", expected, text, step)]) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def given_moment(context: Context, option: str, text: str | None) -> datetime | None:
    """Return the moment of an option that may be left out, None where it was. Raises InputError."""
    return None if text is None else parse_moment(option, text, context.workspace.order.timezone)


def parse_as_of(text: str | None, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Return the last moment of a civil day, or a civil moment, in the order's zone; None where nothing is asked.

    Raises: InputError for what is no moment, and for one that is still to come.
    """
    if text is None:
        return None
    moment = parse_moment("--as-of", text, zone)
    if len(text) == len("2008-06-30"):
        # The first moment of the next day is the one at which a deadline of this day is broken.
        following = datetime.combine(moment.date() + timedelta(days=1), time.min, tzinfo=zone)
        moment = following - timedelta(microseconds=1)
    start = datetime.combine(moment.astimezone(zone).date(), time.min, tzinfo=zone)
    if start > now or (moment > now and len(text) > len("2008-06-30")):
        step = "Name today or a day before; what will be known is not known yet."
        raise InputError([Finding("command line", "`--as-of` lies in the future", f"up to {on_the_clock(now, zone)}", text, step)])
    return min(moment, now).astimezone(UTC)


def written(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """Return a moment on the order's clock, to the second, with the offset; None where there is none."""
    return None if moment is None else on_the_clock(moment, zone)


def read_file(path: Path) -> bytes:
    """Return a file's content. Raises InputError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        found = str(error.strerror)
        raise InputError([Finding(str(path), "file to read", "a readable file", found, "Name a file that is there.")]) from None


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole. Raises InputError where it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        step = "Make the folder, or choose another file."
        raise InputError([Finding(str(path), "file to write", "a file that can be written", str(error.strerror), step)]) from None


class ShowByDefault(TyperGroup):
    """A group whose first word may be a line: `waiwang life LINE` is `waiwang life show LINE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # Any: typer's own context class is private
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["show", *args]
        return super().parse_args(ctx, args)
