"""Read inventory/calendar.yaml: holidays and make-up days by year, confirmation windows, service time, planned maintenance, faults."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from app.core.availability import Maintenance, ServicePolicy
from app.core.faults import FaultPolicy
from app.core.references import nearest
from app.core.source import Source
from app.core.workdays import ConfirmationWindows, OfficeHours, WorkCalendar, YearNotice, build_notice, find_notice_faults
from app.edge.files.explain import parse_block, wanted
from app.edge.files.marked import Marked, read_marked
from app.edge.files.order_schema import Block, Day, SourcedBlock, Span, Text
from app.edge.files.texts import Report
from app.errors import Finding

FILE = Path("inventory") / "calendar.yaml"
_HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """What the file says; where it is missing, the defaults and no year's notice."""

    calendar: WorkCalendar
    service: ServicePolicy
    faults: FaultPolicy


def _hours(value: object) -> tuple[int, int]:
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        start, end = (int(found[place]) * 60 + int(found[place + 1]) for place in (1, 3))
        if int(found[2]) < 60 and int(found[4]) < 60 and start < end <= 1440:
            return start, end
    raise wanted("hours of one day such as 08:30-17:30 or 00:00-24:00")


def _percent(value: object) -> Decimal:
    try:
        percent = Decimal(str(value))
    except InvalidOperation:
        raise wanted("a share in percent such as 99.9000") from None
    exponent = percent.as_tuple().exponent
    if isinstance(value, bool) or not isinstance(exponent, int) or exponent < -4 or not 0 < percent <= 100:
        raise wanted("a share in percent above 0 and up to 100, with at most four decimals")
    return percent


def _moment(value: object) -> datetime:
    """Take a civil moment `YYYY-MM-DD HH:MM`; YAML may have read it as a moment already. The zone is the order's."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise wanted("a civil moment such as 2008-07-05 22:00") from None
    if found.tzinfo is not None:
        raise wanted("a civil moment without a zone, such as 2008-07-05 22:00")
    return found


class HolidayBlock(Block):
    first: Day
    last: Day


class YearBlock(SourcedBlock):
    holidays: dict[str, HolidayBlock]
    make_up: tuple[Day, ...] = ()


class WindowsBlock(SourcedBlock):
    parties_days: Annotated[int, Field(strict=True, ge=1, le=60)]
    centre_days: Annotated[int, Field(strict=True, ge=1, le=60)]


class ServiceBlock(SourcedBlock):
    slo_percent: Annotated[Decimal, BeforeValidator(_percent)]
    hours: Annotated[tuple[Annotated[tuple[int, int], BeforeValidator(_hours)], ...], Field(min_length=1)]
    days: Literal["every", "working"]


class OfficeBlock(SourcedBlock):
    hours: Annotated[tuple[Annotated[tuple[int, int], BeforeValidator(_hours)], ...], Field(min_length=1)]


class MaintenanceBlock(Block):
    starts: Annotated[datetime, BeforeValidator(_moment)]
    ends: Annotated[datetime, BeforeValidator(_moment)]
    lines: Annotated[tuple[Text, ...], Field(min_length=1)]
    document: Text


class FaultsBlock(SourcedBlock):
    open_after: Span
    settle: Span
    flaps: Annotated[int, Field(strict=True, ge=2, le=100)]
    restore_within: Span
    by_carrier: dict[str, Span] = {}  # noqa: RUF012  # Pydantic copies defaults


class ChangeWindowsBlock(SourcedBlock):
    notice: Span


class CalendarBlock(Block):
    """The sections of the file; each is parsed by itself."""

    years: dict[str, object] = {}  # noqa: RUF012  # Pydantic copies defaults
    confirmation: object = None
    service_level: object = None
    office_hours: object = None
    maintenance: dict[str, object] = {}  # noqa: RUF012  # Pydantic copies defaults
    faults: object = None
    change_windows: object = None


def read_calendar(
    root: Path, zone: ZoneInfo, rulings: Collection[str], report: Report, carriers: Collection[str] = ()
) -> CalendarReading:
    """Read the calendar of a workspace; one without the file has the defaults and counts by weekends alone."""
    if not (root / FILE).exists():
        return CalendarReading(WorkCalendar(), ServicePolicy(), FaultPolicy())
    document = read_marked(root / FILE, root, report)
    if document is None or parse_block(CalendarBlock, document, report, called="calendar") is None:
        return CalendarReading(WorkCalendar(), ServicePolicy(), FaultPolicy())
    return _Reader(document, zone, rulings, report, carriers).read()


@dataclass(frozen=True, slots=True)
class _Reader:
    document: Marked
    zone: ZoneInfo
    rulings: Collection[str]
    report: Report
    carriers: Collection[str]

    def read(self) -> CalendarReading:
        years = {notice.year: notice for notice in map(self.year, self.ids("years")) if notice is not None}
        calendar = WorkCalendar(years, self.windows(), self.office())
        return CalendarReading(calendar, replace(self.service(), maintenance=self.maintenance()), self.faults())

    def ids(self, section: str) -> list[str]:
        block = self.document.section(section)
        return list(block.values) if block is not None else []

    def block(self, *path: str) -> Marked:
        return self.document.section(*path) or Marked({}, {}, self.document.where(path))

    def year(self, name: str) -> YearNotice | None:
        """Read one year's notice; None where it is wrong, which is reported."""
        marked = self.block("years", name)
        if not name.isdigit() or len(name) != 4:
            step = "Write the year of the notice."
            self.report(Finding(marked.file, "`years` has a key that is no year", "four digits", f"`{name}`", step))
            return None
        read = parse_block(YearBlock, marked, self.report, called=f"calendar {name}")
        if read is None:
            return None
        spans = [(holiday, each.first, each.last) for holiday, each in read.holidays.items()]
        notice = build_notice(int(name), spans, read.make_up, self.source(read.source, marked))
        faults = list(find_notice_faults(notice, spans))
        for what, expected, found in faults:
            self.report(Finding(marked.file, f"calendar {name}: {what}", expected, found, "Compare it with the notice."))
        return None if faults else notice

    def windows(self) -> ConfirmationWindows:
        if self.document.section("confirmation") is None:
            return ConfirmationWindows()
        marked = self.block("confirmation")
        read = parse_block(WindowsBlock, marked, self.report, called="confirmation")
        if read is None:
            return ConfirmationWindows()
        return ConfirmationWindows(read.parties_days, read.centre_days, self.source(read.source, marked))

    def service(self) -> ServicePolicy:
        if self.document.section("service_level") is None:
            return ServicePolicy()
        marked = self.block("service_level")
        read = parse_block(ServiceBlock, marked, self.report, called="service_level")
        if read is None:
            return ServicePolicy()
        self.judge_hours("service_level", read.hours, marked)
        return ServicePolicy(read.slo_percent, read.hours, read.days, (), self.source(read.source, marked))

    def office(self) -> OfficeHours:
        if self.document.section("office_hours") is None:
            return OfficeHours()
        marked = self.block("office_hours")
        read = parse_block(OfficeBlock, marked, self.report, called="office_hours")
        if read is None:
            return OfficeHours()
        self.judge_hours("office_hours", read.hours, marked)
        return OfficeHours(read.hours, self.source(read.source, marked))

    def judge_hours(self, called: str, hours: Sequence[tuple[int, int]], marked: Marked) -> None:
        if any(later[0] < earlier[1] for earlier, later in pairwise(hours)):
            found, step = str(marked.values["hours"]), "Put them in order, none over another."
            self.report(Finding(marked.where(("hours",)), f"{called}: `hours` overlap", "hours in order", found, step))

    def maintenance(self) -> tuple[Maintenance, ...]:
        found = []
        for name in self.ids("maintenance"):
            marked = self.block("maintenance", name)
            read = parse_block(MaintenanceBlock, marked, self.report, called=f"maintenance {name}")
            if read is None:
                continue
            if read.ends <= read.starts:
                step = "Correct one of them."
                what = f"maintenance {name} ends before it begins"
                self.report(Finding(marked.where(("ends",)), what, f"a moment after {read.starts}", str(read.ends), step))
            starts_at, ends_at = (moment.replace(tzinfo=self.zone) for moment in (read.starts, read.ends))
            found.append(Maintenance(starts_at, ends_at, read.lines, read.document))
        return tuple(found)

    def faults(self) -> FaultPolicy:
        """Read when a fault is opened and what is agreed, and how long before a change window is to be announced."""
        policy = FaultPolicy()
        if self.document.section("faults") is not None:
            marked = self.block("faults")
            if (read := parse_block(FaultsBlock, marked, self.report, called="faults")) is not None:
                self._check_carriers(marked, read.by_carrier)
                spans = (read.open_after, read.settle, read.flaps, read.restore_within, read.by_carrier)
                policy = FaultPolicy(*spans, source=self.source(read.source, marked))
        if self.document.section("change_windows") is not None:
            marked = self.block("change_windows")
            if (announced := parse_block(ChangeWindowsBlock, marked, self.report, called="change_windows")) is not None:
                policy = replace(policy, notice=announced.notice, notice_source=self.source(announced.source, marked))
        return policy

    def _check_carriers(self, marked: Marked, by_carrier: Mapping[str, timedelta]) -> None:
        for carrier in by_carrier:
            if carrier not in self.carriers:
                where, step = marked.where(("by_carrier", carrier)), nearest(carrier, self.carriers, "Add it to `carriers` of order.yaml.")
                self.report(Finding(where, f"faults: carrier {carrier} is not known", "a carrier of order.yaml", f"`{carrier}`", step))

    def source(self, source: Source, marked: Marked) -> Source:
        """Return the source with its place; a ruling that the order does not have is reported."""
        if source.ruling is not None and source.ruling not in self.rulings:
            where, step = marked.where(("ruling",)), nearest(source.ruling, self.rulings, "Add it to `rulings` of inventory/order.yaml.")
            self.report(Finding(where, f"ruling {source.ruling} is not known", "a ruling of order.yaml", f"`{source.ruling}`", step))
        return replace(source, where=marked.file)
