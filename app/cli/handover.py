"""How a report leaves: its words, rows, or an office file, to stdout or to a file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Context, now
from app.cli.lines import parse_as_of, write_file
from app.cli.output import Table, as_csv, as_json, stdout, tell
from app.cli.paper import Language
from app.cli.plain import plain
from app.core.document import Document
from app.core.known import Learnt
from app.edge.office import write_report_docx, write_report_pdf, write_report_xlsx
from app.web.reports.shared import Ground, lay_ground
from app.workflows.known import read_known


class ReportFormat(StrEnum):
    text = "text"
    json = "json"
    csv = "csv"
    xlsx = "xlsx"
    docx = "docx"
    pdf = "pdf"


ReportForm = Annotated[
    ReportFormat | None,
    typer.Option("--format", envvar="WAIWANG_FORMAT", help="how to write; without it, by the name of --output, or text"),
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="file to write; without it, to stdout")]
InLanguage = Annotated[Language, typer.Option("--language", envvar="WAIWANG_LANGUAGE", help="of text, xlsx, docx and pdf")]
KnownOnly = Annotated[
    bool, typer.Option("--known-only", help="leave out what was learnt later: the same bytes as T's for ever")
]


@dataclass(frozen=True, slots=True)
class Way:
    """What was asked for: how to write, where to, in which language, as of when, and whether what was learnt later is told."""

    form: ReportFormat
    output: Path | None
    language: str
    as_of: str | None
    known_only: bool


def choose_way(form: ReportFormat | None, output: Path | None, language: str, as_of: str | None, *, known_only: bool) -> Way:
    """Return the way of a report, judged. Raises BadParameter for an office file without a name."""
    suffix = output.suffix.lower().removeprefix(".") if output is not None else ""
    chosen = form or (ReportFormat(suffix) if suffix in set(ReportFormat) else ReportFormat.text)
    if output is None and chosen in (ReportFormat.xlsx, ReportFormat.docx, ReportFormat.pdf):
        raise typer.BadParameter(f"name the file with -o FILE.{chosen}", param_hint="--format")
    return Way(chosen, output, language, as_of, known_only)


def ground_of(context: Context, way: Way, until: datetime | None = None) -> Ground:
    """Return what a report is written from: known at --as-of, at `until` where that is earlier, else now."""
    present = now()
    asked = parse_as_of(way.as_of, context.workspace.order.timezone, present)
    at = min(each for each in (present, asked, until) if each is not None).astimezone(UTC)
    known = read_known(context.workspace, context.store, at)
    looks_back = (asked is not None or at < present) and not way.known_only
    return lay_ground(context.workspace, known, way.language, known.later if looks_back else None)


def beside(ground: Ground) -> dict[str, object]:
    """Return what the JSON of every report holds beside its rows: the moment, and what was learnt later where it was asked for."""
    moment: dict[str, object] = {"as_of": ground.known.at.isoformat()}
    return moment if ground.later is None else moment | {"learnt_later": [_learnt(each) for each in ground.later]}


def _learnt(each: Learnt) -> dict[str, object]:
    observed, recorded = each.observed_at.isoformat(), each.recorded_at.isoformat()
    said = {"kind": each.kind, "subject": each.subject, "word": each.word}
    return {**said, "observed_at": observed, "recorded_at": recorded, "by": each.by, "document": each.document}


def _as_text(document: Document, way: Way) -> str:
    console = stdout()
    return plain(document) if way.output else plain(document, console.width, screen=console.is_terminal)


def hand_over(context: Context, way: Way, table: Table, document: Document) -> None:
    """Write the report. Raises InputError where its file or its template is not as it should be."""
    write: dict[ReportFormat, Callable[[], bytes]] = {
        ReportFormat.text: lambda: _as_text(document, way).encode(),
        ReportFormat.json: lambda: as_json(table).encode(),
        ReportFormat.csv: lambda: as_csv(table).encode(),
        ReportFormat.xlsx: partial(write_report_xlsx, document),
        ReportFormat.docx: partial(write_report_docx, document),
        ReportFormat.pdf: partial(write_report_pdf, context.settings.root, document),
    }
    content = write[way.form]()
    if way.output is None:
        sys.stdout.write(content.decode())
        return
    write_file(way.output, content)
    tell(f"{way.output}: {len(content)} bytes")
