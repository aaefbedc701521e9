"""A carrier's worksheet: orders out, opened days, circuit ids and contact roles back. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from app.core.heads import folded, iso_day
from app.core.inventory import Line
from app.core.line_event import CARRIER_CONTACT, OPENED, LineEvent
from app.core.references import nearest
from app.core.terms import last_day_in_time
from app.core.workspace import Workspace
from app.errors import Finding

LANGUAGES = ("zh", "en")
#: Column → its heads, Chinese first.
HEADS: Mapping[str, tuple[str, str]] = {
    "line_id": ("线路编号", "Line id"),
    "carrier": ("网络服务提供商", "Carrier"),
    "unit": ("单位名称", "Unit"),
    "region": ("行政区划", "Region"),
    "service_class": ("线路类别", "Service class"),
    "medium": ("介质", "Medium"),
    "rate": ("速率（下行/上行，kbit/s）", "Rate (down/up, kbit/s)"),
    "role": ("主备", "Role"),
    "site_contact": ("现场联系岗位", "Site contact (role)"),
    "ordered_on": ("下单日期", "Ordered on"),
    "due_on": ("最迟日期", "Due on"),
    "a_port": ("本端端口", "Near port"),
    "z_port": ("用户端端口", "Unit port"),
    "reserved_ports": ("预留端口", "Reserved ports"),
    "opened_on": ("开通日期", "Opened on"),
    "circuit_id": ("电路代号", "Circuit id"),
    "carrier_contact": ("网络服务提供商联系岗位", "Carrier contact (role)"),
}
#: Heads of worksheets that were handed out by earlier versions and are still under way.
FORMER_HEADS: Mapping[str, tuple[str, ...]] = {"carrier": ("运营商",), "circuit_id": ("电路编号",), "carrier_contact": ("运营商联系岗位",)}
#: What the carrier fills in.
FILLED_IN = ("opened_on", "circuit_id", "carrier_contact")
#: What identifies the order: a cell of these that came back changed is a finding. The due day may move by a ruling.
FIXED = tuple(column for column in HEADS if column not in (*FILLED_IN, "due_on"))
MEDIA = {"fibre": ("光纤", "fibre"), "adsl": ("ADSL", "ADSL")}
ROLES = {"primary": ("主用", "primary"), "backup": ("备用", "backup")}

#: A number or an address that calls a person; contacts are roles.
_PERSONAL = re.compile(r"(?:\d[\s-]?){7,}|@")


@dataclass(frozen=True, slots=True)
class Returned:
    """What a carrier says of one line. None where the cell is empty."""

    line_id: str
    opened_on: date | None
    circuit_id: str | None
    contact_role: str | None
    where: str


@dataclass(frozen=True, slots=True)
class Return:
    """A worksheet that came back: the rows that can be taken and the findings on the others."""

    carrier: str | None
    rows: tuple[Returned, ...]
    findings: tuple[Finding, ...]


def due_day(workspace: Workspace, line: Line) -> date | None:
    """Return the last day that is in time, None for a line without deadline."""
    unit, order = workspace.inventory.units[line.unit_id], workspace.order
    milestone = order.line_milestone(line.service_class, unit.level, unit.kind) if line.role == "primary" else None
    return last_day_in_time(milestone.due_at(order.timezone), order.timezone) if milestone else None


def order_cells(workspace: Workspace, line: Line, language: str) -> dict[str, str]:
    """Return what the worksheet says of one line, without the columns that the carrier fills in."""
    at, inventory = LANGUAGES.index(language), workspace.inventory
    unit, kind = inventory.units[line.unit_id], workspace.order.classes[line.service_class]
    region, due = inventory.regions[unit.region], due_day(workspace, line)
    reserved = [
        f"{device}:{port}"
        for device, port in ((line.a_device, line.a_reserved_interface), (line.z_device, line.z_reserved_interface))
        if port
    ]
    return {
        "line_id": line.line_id,
        "carrier": workspace.order.carrier_names(line.carrier)[at],
        "unit": (unit.name, unit.name_en)[at],
        "region": (region.name, region.name_en)[at],
        "service_class": (kind.words, kind.words_en)[at],
        "medium": MEDIA.get(line.medium, (line.medium, line.medium))[at],
        "rate": f"{kind.nominal_down_kbps}/{kind.nominal_up_kbps}",
        "role": ROLES[line.role][at],
        "site_contact": unit.contact_role,
        "ordered_on": line.ordered_on.isoformat() if line.ordered_on else "",
        "due_on": due.isoformat() if due else "",
        "a_port": f"{line.a_device}:{line.a_interface}",
        "z_port": f"{line.z_device}:{line.z_interface}",
        "reserved_ports": " ".join(reserved),
    }


def worksheet_rows(
    workspace: Workspace, carrier: str, known: Mapping[tuple[str, str], LineEvent], language: str, *, only_open: bool
) -> list[list[str]]:
    """Return the worksheet of a carrier, heads first; `only_open` leaves out lines that have both opened day and circuit id."""
    rows = [[heads[LANGUAGES.index(language)] for heads in HEADS.values()]]
    for line in workspace.inventory.lines.values():
        opened, contact = known.get((line.line_id, OPENED)), known.get((line.line_id, CARRIER_CONTACT))
        if line.carrier != carrier or (only_open and opened and line.circuit_id):
            continue
        filled = [opened.value if opened else "", line.circuit_id or "", contact.value if contact else ""]
        rows.append([*order_cells(workspace, line, language).values(), *filled])
    return rows


def judge_return(
    workspace: Workspace, rows: Sequence[tuple[str, Mapping[str, str]]], today: date, *, carrier: str | None = None
) -> Return:
    """Judge the rows of a worksheet that came back, each given with its place. Every fault of every row is a finding.

    The sheet is that of `carrier`, or of the carrier that most of its rows name.
    """
    order = workspace.order
    ids = {name: key for key in order.carriers for name in (key, *order.carrier_names(key))}
    counted = Counter(ids[cells["carrier"]] for _, cells in rows if cells.get("carrier") in ids).most_common(1)
    named = carrier or (counted[0][0] if counted else None)
    judge = _Judge(workspace, named, today)
    taken = [judge.row(where, cells) for where, cells in rows]
    return Return(named, tuple(row for row in taken if row is not None), tuple(judge.findings))


@dataclass(slots=True)
class _Judge:
    workspace: Workspace
    carrier: str | None
    today: date
    findings: list[Finding] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)
    circuits: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lines = self.workspace.inventory.lines.values()
        self.circuits = {line.circuit_id: line.line_id for line in lines if line.circuit_id and line.carrier == self.carrier}

    def row(self, where: str, cells: Mapping[str, str]) -> Returned | None:
        line = self.workspace.inventory.lines.get(cells.get("line_id", ""))
        faults = list(self.unknown(where, cells) if line is None else self.known(where, line, cells))
        self.findings += faults
        if faults or line is None:
            return None
        opened_on = cells.get("opened_on", "")
        return Returned(
            line.line_id,
            date.fromisoformat(iso_day(opened_on)) if opened_on else None,
            cells.get("circuit_id") or None,
            cells.get("carrier_contact") or None,
            where,
        )

    def unknown(self, where: str, cells: Mapping[str, str]) -> Iterator[Finding]:
        named = cells.get("line_id", "")
        step = nearest(named, self.workspace.inventory.lines, "Take the row out, or order the line in inventory/lines.csv first.")
        yield Finding(where, "unknown line id", "a line of inventory/lines.csv", f"`{named}`" if named else "nothing", step)

    def known(self, where: str, line: Line, cells: Mapping[str, str]) -> Iterator[Finding]:
        owner, carriers = f"line {line.line_id}", self.workspace.order.carriers
        if line.line_id in self.seen:
            yield Finding(where, f"{owner} stands twice", "one row per line", f"another at {self.seen[line.line_id]}", "Remove one.")
            return
        self.seen[line.line_id] = where
        if line.carrier != self.carrier:
            found = f"a sheet of {carriers.get(self.carrier or '', 'nobody that the order knows')}"
            step = "Take the row out; each carrier reports its own lines. Which carrier a sheet is of, --carrier says."
            yield Finding(where, f"{owner} is another carrier's", f"{carriers[line.carrier]}", found, step)
            return
        yield from self.fixed(where, line, cells)
        yield from self.opened(where, line, cells.get("opened_on", ""))
        yield from self.circuit(where, line, cells.get("circuit_id", ""))
        contact = cells.get("carrier_contact", "")
        if _PERSONAL.search(contact):
            step = "Write the role, such as 客户经理岗 or 值班岗; names and numbers are kept out of the system's files."
            yield Finding(where, f"{owner}: the contact is a person's", "a role", "a number or address (not repeated here)", step)

    def fixed(self, where: str, line: Line, cells: Mapping[str, str]) -> Iterator[Finding]:
        both = [order_cells(self.workspace, line, language) for language in LANGUAGES]
        for column in FIXED:
            if column not in cells:
                continue
            found = iso_day(cells[column]) if column == "ordered_on" else cells[column]
            if found not in {folded(wanted[column]) for wanted in both} | {line.carrier if column == "carrier" else None}:
                step = "Put it back; if the order did change, send out a new worksheet and have that one filled in."
                what = f"line {line.line_id}: `{HEADS[column][0]}` was changed"
                yield Finding(where, what, both[0][column] or "nothing", found or "nothing", step)

    def opened(self, where: str, line: Line, text: str) -> Iterator[Finding]:
        what = f"line {line.line_id}: opened day"
        try:
            opened_on = date.fromisoformat(iso_day(text)) if text else None
        except ValueError:
            yield Finding(where, f"{what} cannot be read", "a date such as 2008-06-30", text, "Correct the date.")
            return
        if opened_on is not None and line.ordered_on is not None and opened_on < line.ordered_on:
            step = "Correct the date, or `ordered_on` in inventory/lines.csv."
            yield Finding(where, f"{what} lies before the order", f"{line.ordered_on} or later", str(opened_on), step)
        if opened_on is not None and opened_on > self.today:
            yield Finding(where, f"{what} lies in the future", f"{self.today} or earlier", str(opened_on), "Report it when it is open.")

    def circuit(self, where: str, line: Line, circuit_id: str) -> Iterator[Finding]:
        if not circuit_id:
            return
        if line.circuit_id and circuit_id != line.circuit_id:
            step = "Put it back; if the carrier has renumbered the circuit, change inventory/lines.csv by a reviewed edit."
            yield Finding(where, f"line {line.line_id} has another circuit id", line.circuit_id, circuit_id, step)
            return
        holder = self.circuits.setdefault(circuit_id, line.line_id)
        if holder != line.line_id:
            step = "Correct one; a carrier numbers each circuit once."
            yield Finding(where, f"line {line.line_id}: circuit id is taken", "an id of its own", f"{circuit_id}, held by {holder}", step)
