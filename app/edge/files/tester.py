"""Read a tester's result: CSV, or JSON with the same names. Layout: docs/measuring.md."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from app.core.tester_result import Direction, Layer, ResultRow, Standard
from app.edge.files.explain import parse_row, wanted
from app.edge.files.order_schema import Text
from app.edge.files.rows_schema import Cells
from app.edge.files.tables import Row, parse_table
from app.edge.files.texts import Report, read_text, shown
from app.errors import Finding

FORMAT, VERSION = "waiwang-tester-result", 1


def _moment(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise wanted("a moment such as 2008-06-18T21:40") from None
    if isinstance(value, str) and len(value) < len("2008-06-18T21:40"):
        raise wanted("a moment such as 2008-06-18T21:40")
    return found


Measured = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class TesterCells(Cells):
    """One load of one run. A moment without an offset is civil time in the order's zone."""

    line_id: Text
    at: Annotated[datetime, BeforeValidator(_moment)]
    standard: Standard
    direction: Direction
    layer: Layer
    throughput_kbps: Measured
    tester: Text
    serial: Text
    by: Text
    document: Text
    frame_octets: Annotated[int, Field(ge=64, le=9600)] | None = None
    load_percent: Annotated[float, Field(gt=0, le=200, allow_inf_nan=False)] | None = None
    loss_ratio: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    delay_ms: Measured | None = None
    jitter_ms: Measured | None = None
    calibrated_until: date | None = None

    def value(self, zone: ZoneInfo, where: str) -> ResultRow:
        own = dict(self)
        if self.at.tzinfo is None:
            own["at"] = self.at.replace(tzinfo=zone)
        return ResultRow(**own, where=where)


COLUMNS = tuple(TesterCells.model_fields)
REQUIRED = COLUMNS[:10]


@dataclass(frozen=True, slots=True)
class TesterReading:
    """The rows that could be read, and the SHA-256 of the file."""

    rows: tuple[ResultRow, ...]
    digest: str


def read_tester_result(path: Path, zone: ZoneInfo, report: Report) -> TesterReading:
    """Read every row; what is wrong with one is reported and the row left out."""
    text = read_text(path, path.parent, report)
    if text is None:
        return TesterReading((), "")
    name = shown(path, path.parent)
    rows = _json_rows(text, name, report) if path.suffix.lower() == ".json" else _csv_rows(text, name, report)
    parsed = [(row, parse_row(TesterCells, row, report, called="result")) for row in rows]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return TesterReading(tuple(cells.value(zone, row.where) for row, cells in parsed if cells is not None), digest)


def _csv_rows(text: str, name: str, report: Report) -> list[Row]:
    return parse_table(text, name, report, columns=COLUMNS, required=REQUIRED)


def _json_rows(text: str, name: str, report: Report) -> list[Row]:
    """Take `results`, each with what `common` says for all of them."""
    try:
        document = json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        report(Finding(f"{name}:{line}", "broken JSON", "a JSON document", getattr(error, "msg", str(error)), "Export it again."))
        return []
    head = (document.get("format"), document.get("version")) if isinstance(document, dict) else (None, None)
    if head != (FORMAT, VERSION):
        found = f"format {head[0]}, version {head[1]}" if isinstance(document, dict) else type(document).__name__
        step = "See docs/measuring.md for the layout."
        report(Finding(name, "file is no tester's result", f"format {FORMAT}, version {VERSION}", found, step))
        return []
    common, results = document.get("common", {}), document.get("results")
    if not isinstance(common, dict) or not isinstance(results, list) or not all(isinstance(each, dict) for each in results):
        step = "See docs/measuring.md for the layout."
        report(Finding(name, "`results` are missing", "common: {…}, results: [{…}, …]", "something else", step))
        return []
    return [Row(_cells({**common, **each}), f"{name}: result {number}") for number, each in enumerate(results, start=1)]


def _cells(values: dict[str, object]) -> dict[str, str]:
    """Return values as the cells of a table; nothing and empty text are no cell."""
    return {key: str(value) for key, value in values.items() if value not in (None, "")}
