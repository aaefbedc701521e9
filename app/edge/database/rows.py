"""Between values and rows."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Protocol

import sqlalchemy as sa


class Slotted(Protocol):
    """A dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


@cache
def _reader(kind: type[Slotted]) -> tuple[tuple[str, ...], attrgetter[tuple[object, ...]]]:
    """Return what reads all fields of a value at once: a cycle writes a hundred thousand of them."""
    names = tuple(field.name for field in fields(kind))
    return names, attrgetter(*names)


def slots(value: Slotted) -> dict[str, object]:
    """Return a value's fields (two or more), one level deep (asdict would copy everything below)."""
    names, read = _reader(type(value))
    return dict(zip(names, read(value), strict=True))


def of_line(table: sa.Table, line_id: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if line_id is None else [table.c.line_id == line_id]


def within(column: sa.Column[datetime], since: datetime | None, until: datetime | None) -> list[sa.ColumnElement[bool]]:
    return ([] if since is None else [column >= since]) + ([] if until is None else [column <= until])
