"""The result of a tester's instrument: RFC 2544 or ITU-T Y.1564 runs as rows, judged, and what they mean as measurements. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args

from app.core.acceptance import Measurement
from app.core.inventory import Line
from app.core.moments import on_the_clock
from app.core.references import nearest
from app.errors import Finding

Standard = Literal["RFC 2544", "Y.1564"]
Direction = Literal["down", "up"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
Layer = Literal["L1", "L2", "L3", "L4"]
#: Octets that layer 1 adds to every frame: preamble, start of frame, gap.
LAYER_1_OCTETS = 20


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One load of one run. Rates in kbit/s on `layer`; `delay_ms` is a round trip; `load_percent` of the nominal rate.

    `serial` and `calibrated_until` are the instrument's; `by` is a role, `document` the tester's own report.
    """

    line_id: str
    at: datetime
    standard: str
    direction: str
    layer: str
    throughput_kbps: float
    tester: str
    serial: str
    by: str
    document: str
    frame_octets: int | None = None
    load_percent: float | None = None
    loss_ratio: float | None = None
    delay_ms: float | None = None
    jitter_ms: float | None = None
    calibrated_until: date | None = None
    where: str = ""

    @property
    def counted_kbps(self) -> float:
        """The rate that counts: one of layer 1 without what layer 1 adds, any other as it stands."""
        if self.layer != "L1" or self.frame_octets is None:
            return self.throughput_kbps
        return self.throughput_kbps * self.frame_octets / (self.frame_octets + LAYER_1_OCTETS)


def find_row_faults(rows: Iterable[ResultRow], lines: Mapping[str, Line], now: datetime) -> Iterator[Finding]:
    """Yield what cannot be: lines that nobody knows, tests of the future, instruments out of calibration, rates without their frames."""
    for row in rows:
        if row.line_id not in lines:
            step = nearest(row.line_id, tuple(lines), "Name the line of inventory/lines.csv.")
            yield Finding(row.where, f"line {row.line_id} is not known", "a line of inventory/lines.csv", f"`{row.line_id}`", step)
        if row.at > now + timedelta(minutes=5):
            step, expected = "Correct `at`, or the clock of the instrument.", f"a moment up to {on_the_clock(now, row.at.tzinfo)}"
            yield Finding(row.where, "the test lies in the future", expected, on_the_clock(row.at), step)
        if row.calibrated_until is not None and row.calibrated_until < row.at.date():
            step = "Test again with an instrument in calibration."
            expected = f"a calibration that holds on {row.at.date()}"
            yield Finding(row.where, f"the calibration of {row.tester} had run out", expected, str(row.calibrated_until), step)
        if row.layer == "L1" and row.frame_octets is None:
            step = "Give the size of the frames, or the rate on layer 2."
            yield Finding(row.where, "a rate on layer 1 without the size of its frames", "`frame_octets`", "nothing", step)


def build_measurements(rows: Sequence[ResultRow], source: str, digest: str) -> tuple[Measurement, ...]:
    """Return what the rows mean, line by line and kind by kind.

    rate_down, rate_up: of each frame size its best load, of the sizes the worst. delay, jitter, step_loss: the worst of any load up to
    100 %. `source` and `digest` (SHA-256) name the file.
    """
    by_line: dict[str, list[ResultRow]] = defaultdict(list)
    for row in rows:
        by_line[row.line_id].append(row)
    return tuple(each for line_id, own in by_line.items() for each in _of_line(line_id, own, source, digest))


def _of_line(line_id: str, rows: Sequence[ResultRow], source: str, digest: str) -> Iterator[Measurement]:
    for direction in DIRECTIONS:
        loads = [row for row in rows if row.direction == direction]
        if loads:
            yield _measurement(f"rate_{direction}", "kbps", worst_rate(loads), loads, source, digest)
    within = [row for row in rows if row.load_percent is None or row.load_percent <= 100]
    for kind, column, unit in (("delay", "delay_ms", "ms"), ("jitter", "jitter_ms", "ms"), ("step_loss", "loss_ratio", "ratio")):
        told = [row for row in within if getattr(row, column) is not None]
        if told:
            yield _measurement(kind, unit, max(getattr(row, column) for row in told), told, source, digest)


def worst_rate(loads: Iterable[ResultRow]) -> float:
    """Return the rate that every frame size reached at its best load."""
    best: dict[int | None, float] = defaultdict(float)
    for row in loads:
        best[row.frame_octets] = max(best[row.frame_octets], row.counted_kbps)
    return min(best.values())


def _measurement(kind: str, unit: str, value: float, rows: Sequence[ResultRow], source: str, digest: str) -> Measurement:
    first = rows[0]
    layers = ", ".join(sorted({"L2 without preamble and gap" if row.layer == "L1" else row.layer for row in rows}))
    on = f" on {layers}" if kind.startswith("rate") else ""
    method = f"{first.standard} by {first.tester}, serial {first.serial}{on}; imported"
    detail: dict[str, object] = {
        "imported_from": source,
        "sha256": digest,
        "by": first.by,
        "document": first.document,
        "calibrated_until": first.calibrated_until.isoformat() if first.calibrated_until else None,
        "rows": [_plain(row) for row in rows],
    }
    return Measurement(first.line_id, kind, max(row.at for row in rows), value, unit, method, detail)


def _plain(row: ResultRow) -> dict[str, object]:
    """Return a row as evidence, as it was written, without what is not known."""
    values = {name: value for name, value in asdict(row).items() if value is not None and name != "line_id"}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
