"""Commands on faults of lines: open, assign, hand to the carrier, restore, close, list, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Commit, Context, Form, Root, leave, now, open_context
from app.cli.lines import AsOf, given_moment, one_line, parse_as_of, written
from app.cli.output import Format, Table, show, tell
from app.cli.paper import Language
from app.core.fault_report import CarrierRestoring, FaultSummary, FaultView, clock_holder
from app.core.faults import ASSIGN, BY_HAND, CLOSE, HAND, MISTAKEN, RESTORE, FaultEvent
from app.core.references import nearest
from app.edge.files.sheets import write_office_csv, write_sheet, write_workbook
from app.errors import ExitCode, Finding, InputError
from app.web.dashboard.words import LANGUAGES
from app.workflows.faults import FaultDesk, FaultReport, outage_by_hand, read_faults

fault = typer.Typer(help="Faults of lines: who has them, and how long carriers need.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="FAULT", help="id of a fault; waiwang fault list shows them")]
By = Annotated[str, typer.Option("--by", help="role of whoever says so, never a name")]
Document = Annotated[str, typer.Option("--document", help="what shows it: a report, a ticket, a measurement")]
At = Annotated[str | None, typer.Option("--at", help="day or moment on the order's clock; without it, now")]
Since = Annotated[str | None, typer.Option("--since", help="day or moment on the order's clock; without it, 30 days ago")]
Until = Annotated[str | None, typer.Option("--until", help="day or moment, exclusive; without it, now")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="write a sheet instead: NAME.xlsx or NAME.csv")]
InLanguage = Annotated[Language, typer.Option("--language", envvar="WAIWANG_LANGUAGE", help="of the sheet")]

#: Column → its head in a sheet, Chinese and English.
FAULT_HEADS = {
    "fault": ("故障编号", "Fault"),
    "line": ("线路编号", "Line"),
    "unit": ("接入单位", "Unit"),
    "region": ("所在区域", "Region"),
    "carrier": ("网络服务提供商", "Carrier"),
    "state": ("状态", "State"),
    "with": ("处理方", "With"),
    "began": ("发生时间", "Began"),
    "lasted_min": ("历时（分钟）", "Lasted (min)"),
    "handed": ("移交时间", "Handed"),
    "restored": ("恢复时间", "Restored"),
    "agreed_h": ("约定时限（小时）", "Agreed (h)"),
    "within_agreed": ("时限内恢复", "Within agreed time"),
    "reopened": ("反复次数", "Broke again"),
    "announced_late": ("通知逾期", "Announced late"),
    "planned": ("计划检修", "Planned under"),
    "children": ("受影响的下级线路", "Lines behind it"),
    "source": ("来源", "Source"),
    "document": ("依据", "Evidence"),
}
#: Long texts, which stand below their row where the screen is too narrow.
BELOW = ("planned", "children", "document")
#: What a reader of a screen asks first: other columns that find no room stand below their row as well, the last ones first.
FIRST = ("fault", "line", "state", "with", "lasted_min", "carrier", "began")
ON_SCREEN = (*FIRST, *(column for column in FAULT_HEADS if column not in (*FIRST, *BELOW)), *BELOW)
CARRIER_HEADS = {
    "carrier": ("网络服务提供商", "Carrier"),
    "faults": ("故障数", "Faults"),
    "broken": ("未恢复", "Broken now"),
    "restored": ("已恢复", "Restored"),
    "median_min": ("恢复历时中位数（分钟）", "Median time to restore (min)"),
    "worst_min": ("最长恢复历时（分钟）", "Worst time to restore (min)"),
    "agreed_h": ("约定时限（小时）", "Agreed (h)"),
    "handed": ("移交数", "Handed"),
    "within_agreed": ("时限内恢复", "Within agreed time"),
    "over_agreed": ("超过时限", "Over agreed time"),
    "planned": ("计划检修内", "Planned"),
}
STATE_WORDS = {
    "open": ("未派单", "open"),
    "assigned": ("已派单", "assigned"),
    "with_carrier": ("已移交网络服务提供商", "with the carrier"),
    "restored": ("已恢复", "restored"),
    "closed": ("已关闭", "closed"),
}
SOURCE_WORDS = {"hand": ("人工", "by hand"), "poller": ("轮询", "poller"), "alertmanager": ("告警", "alert")}


@fault.command("open")
def open_(
    line: Annotated[str, typer.Argument(help="line id")],
    by: By,
    document: Document,
    root: Root = None,
    form: Form = Format.text,
    at: At = None,
    commit: Commit = False,
) -> None:
    """Open a fault that somebody reports; --commit writes it."""
    context, moment = open_context(root), now()
    line_id = one_line(context.workspace.inventory.lines, line)
    outage = outage_by_hand(line_id, given_moment(context, "--at", at) or moment.astimezone(context.workspace.order.timezone), by, document)
    _show_entry(context, FaultDesk(context.workspace, context.store).open_by_hand(outage, commit=commit, now=moment), form, "open")


@fault.command()
def assign(
    fault_id: Id,
    to: Annotated[str, typer.Option("--to", help="role that is to act")],
    by: By,
    document: Document,
    root: Root = None,
    form: Form = Format.text,
    at: At = None,
    commit: Commit = False,
) -> None:
    """Give a fault to a role; --commit writes it."""
    _enter(open_context(root), fault_id, ASSIGN, by, document, form, at, value=to, commit=commit)


@fault.command()
def hand(
    fault_id: Id,
    by: By,
    document: Document,
    root: Root = None,
    form: Form = Format.text,
    carrier: Annotated[str | None, typer.Option("--carrier", help="id of the carrier; without it, the line's own")] = None,
    at: At = None,
    commit: Commit = False,
) -> None:
    """Hand a fault to the carrier, whose agreed time begins; --commit writes it."""
    context = open_context(root)
    _enter(context, fault_id, HAND, by, document, form, at, value=_carrier(context, fault_id, carrier), commit=commit)


@fault.command()
def restore(
    fault_id: Id, by: By, document: Document, root: Root = None, form: Form = Format.text, at: At = None, commit: Commit = False
) -> None:
    """Say that a line works again; --commit writes it. Polling reopens the fault where it still sees the line down."""
    _enter(open_context(root), fault_id, RESTORE, by, document, form, at, commit=commit)


@fault.command()
def close(
    fault_id: Id,
    by: By,
    document: Document,
    root: Root = None,
    form: Form = Format.text,
    at: At = None,
    mistaken: Annotated[bool, typer.Option("--mistaken", help="it was no fault: it enters no count and no time")] = False,
    commit: Commit = False,
) -> None:
    """Close a restored fault; --commit writes it."""
    _enter(open_context(root), fault_id, MISTAKEN if mistaken else CLOSE, by, document, form, at, commit=commit)


@fault.command("list")
def list_(
    root: Root = None,
    form: Form = Format.text,
    every: Annotated[bool, typer.Option("--all", help="restored and closed ones of the period too")] = False,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    output: Output = None,
    language: InLanguage = Language.zh,
) -> None:
    """Show faults: those that are broken now, with --all every one of the period."""
    context = open_context(root)
    summary = _read(context, since, until, as_of)
    chosen = summary.faults if every else summary.broken
    rows = [_fault_row(context, each, language if output else None) for each in chosen]
    if output is not None:
        _write(output, ("故障清单", "Faults"), FAULT_HEADS, rows, language)
        return
    totals = {"broken": len(summary.broken), "of the period": len(summary.faults)}
    places = [list(FAULT_HEADS).index(column) for column in ON_SCREEN]
    show(Table("faults", ON_SCREEN, [[row[place] for place in places] for row in rows], totals, BELOW), form)


@fault.command()
def report(
    root: Root = None,
    form: Form = Format.text,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    output: Output = None,
    language: InLanguage = Language.zh,
) -> None:
    """Show how long each carrier's lines were broken, and whether the agreed time was kept."""
    context = open_context(root)
    summary = _read(context, since, until, as_of)
    rows = [_carrier_row(each, language if output else None) for each in summary.carriers]
    over = sum(each.over for each in summary.carriers)
    if output is not None:
        _write(output, ("故障恢复情况", "Time to restore"), CARRIER_HEADS, rows, language)
    else:
        source = context.workspace.faults.source
        begin = written(summary.since, context.workspace.order.timezone) or ""
        totals: dict[str, int | str] = {"faults": len(summary.faults), "over the agreed time": over, "since": begin}
        totals["agreed by"] = source.clause or source.ruling or "default"
        show(Table("time to restore", tuple(CARRIER_HEADS), rows, totals), form)
    leave(ExitCode.DEADLINE if over else ExitCode.OK)


def _enter(
    context: Context,
    fault_id: str,
    kind: str,
    by: str,
    document: str,
    form: Format,
    at: str | None,
    *,
    commit: bool,
    value: str = "",
) -> None:
    moment = now()
    observed = given_moment(context, "--at", at) or moment.astimezone(context.workspace.order.timezone)
    event = FaultEvent(fault_id, kind, "", observed, moment, by, BY_HAND, document, value)
    _show_entry(context, FaultDesk(context.workspace, context.store).enter(event, commit=commit, now=moment), form, kind)


def _show_entry(context: Context, done: FaultReport, form: Format, verb: str) -> None:
    zone = context.workspace.order.timezone
    rows = [
        (each.fault_id, each.kind, each.line_id, written(each.observed_at, zone), each.by, each.value or None, each.document)
        for each in done.events
    ]
    title = f"fault {verb}" if done.committed else f"fault {verb} (nothing recorded; --commit records)"
    columns = ("fault", "event", "line", "observed", "by", "to", "document")
    show(Table(title, columns, rows, {"fault": done.fault_id, "outcome": done.outcome}), form)
    leave(done.exit_code)


def _carrier(context: Context, fault_id: str, carrier: str | None) -> str:
    """Return the carrier that is named, else that of the fault's line; empty where the fault is not known, which is refused later."""
    carriers = context.workspace.order.carriers
    if carrier is not None and carrier not in carriers:
        step = nearest(carrier, carriers, "Look into `carriers` of inventory/order.yaml.")
        raise InputError([Finding("command line", "no such carrier", "a carrier of order.yaml", f"`{carrier}`", step)])
    if carrier is not None:
        return carrier
    line_id = next((each.line_id for each in context.store.fault_events() if each.fault_id == fault_id), None)
    line = context.workspace.inventory.lines.get(line_id or "")
    return line.carrier if line else ""


def _read(context: Context, since: str | None, until: str | None, as_of: str | None) -> FaultSummary:
    moment = parse_as_of(as_of, context.workspace.order.timezone, now()) or now()
    return read_faults(
        context.workspace, context.store, moment, given_moment(context, "--since", since), given_moment(context, "--until", until)
    )


def _fault_row(context: Context, each: FaultView, language: str | None) -> tuple[object, ...]:
    """Return the cells of `FAULT_HEADS`, codes in words where a language is given."""
    zone = context.workspace.order.timezone
    in_english = language == "en"
    return (
        each.fault_id,
        each.line_id,
        each.unit_name_en if in_english and each.unit_name_en else each.unit_name,
        each.region_name_en if in_english and each.region_name_en else each.region_name,
        each.carrier_name_en if in_english and each.carrier_name_en else each.carrier_name,
        _in_words(STATE_WORDS, each.state, language),
        clock_holder(each),
        written(each.began_at, zone),
        _minutes(each.lasted),
        written(each.handed_at, zone),
        written(each.restored_at, zone),
        each.agreed / timedelta(hours=1),
        _yes_no(each.within_agreed, language),
        each.reopened,
        _yes_no(each.announced_late if each.planned else None, language),
        each.planned,
        each.children,
        _in_words(SOURCE_WORDS, each.source, language),
        each.document,
    )


def _in_words(words: Mapping[str, tuple[str, str]], code: str, language: str | None) -> str:
    return code if language is None else words[code][LANGUAGES.index(language)]


def _carrier_row(each: CarrierRestoring, language: str | None) -> tuple[object, ...]:
    return (
        each.carrier if language is None else (each.carrier_name_en if language == "en" else "") or each.carrier_name,
        each.faults,
        each.broken,
        each.restored,
        _minutes(each.median),
        _minutes(each.worst),
        each.agreed / timedelta(hours=1),
        each.handed,
        each.within,
        each.over,
        each.planned,
    )


def _minutes(span: timedelta | None) -> float | None:
    return None if span is None else round(span / timedelta(minutes=1), 1)


def _yes_no(value: bool | None, language: str | None) -> str | None:
    return None if value is None else (("是", "yes") if value else ("否", "no"))[language != "zh"]


def _write(
    output: Path, titles: tuple[str, str], heads: dict[str, tuple[str, str]], rows: Sequence[Sequence[object]], language: str
) -> None:
    place = LANGUAGES.index(language)
    texts = [[_text(cell) for cell in row] for row in rows]
    sheet = [[each[place] for each in heads.values()], *texts]
    match output.suffix.lower():
        case ".xlsx":
            write_sheet(output, write_workbook(titles[place], sheet))
        case ".csv":
            write_sheet(output, write_office_csv(sheet))
        case _:
            raise typer.BadParameter("a name that ends in .xlsx or .csv", param_hint="--output")
    tell(f"{output}")


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, tuple):
        return "; ".join(map(str, cell))
    return f"{cell:g}" if isinstance(cell, float) else str(cell)
