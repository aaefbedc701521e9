"""Judge the parts of an order that are no lines: gates, refused access, circulars, organisations, score tables, requirements."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from app.core.duties import Gate, Organisation
from app.core.order import UNIT_KINDS, Order
from app.core.references import References, nearest
from app.core.scope import Scope, covers
from app.core.score_table import Adjustment, ScoreItem, ScoreTable
from app.core.source import Source
from app.core.workspace import Workspace
from app.errors import Finding

ORDER_FILE, LINES_FILE, DEVICES_FILE = "inventory/order.yaml", "inventory/lines.csv", "inventory/devices.csv"
REGIONS_FILE = "inventory/regions.csv"


def duty_sources(order: Order) -> Iterator[tuple[str, Source]]:
    """Yield every value of these parts with where it comes from."""
    if order.refused_access is not None:
        yield "refused_access", order.refused_access.source
    if order.availability is not None:
        yield "availability", order.availability.source
    for gate in order.gates:
        yield f"gate {gate.gate_id}", gate.source
    for rhythm in order.rhythms:
        yield f"rhythm {rhythm.rhythm_id}", rhythm.source
    for organisation in order.organisations:
        yield f"organisation {organisation.organisation_id}", organisation.source
    for table in order.scoring:
        yield f"score table {table.table_id}.subjects", table.subjects_source
        for adjustment in table.adjustments:
            yield f"score table {table.table_id}, {_adjustment_name(adjustment)}", adjustment.source
        for mark in table.marks:
            yield f"score table {table.table_id}, mark {mark.mark}", mark.source
        if table.prizes is not None:
            yield f"score table {table.table_id}.prizes", table.prizes.source


def find_duty_faults(workspace: Workspace, references: References) -> Iterator[Finding]:
    """Yield what these parts contradict, in the order of the file."""
    rules = _DutyRules(workspace, references, workspace.order)
    yield from rules.kinds()
    yield from rules.refused_access()
    for gate in workspace.order.gates:
        yield from rules.gate(gate)
    for rhythm in workspace.order.rhythms:
        if rhythm.kind == "circular" and rhythm.every_months is None:
            owner = f"rhythm {rhythm.rhythm_id}"
            step = "Write `every_months:`, or make it an inspection."
            yield Finding(rhythm.source.where, f"{owner}: a circular without a rhythm", "`every_months`", "none", step)
    for organisation in workspace.order.organisations:
        yield from rules.organisation(organisation)
    for table in workspace.order.scoring:
        yield from rules.score_table(table)
    if workspace.order.scoring and "scoring" not in references.incomplete:
        yield from rules.left_out()
    yield from rules.requirements()


def known_kinds(order: Order) -> list[str]:
    """Return what a unit can be under this order."""
    return [*UNIT_KINDS, *order.unit_kinds]


def _adjustment_name(adjustment: Adjustment) -> str:
    return f"{'deduction' if adjustment.deduction else 'bonus'} {adjustment.adjustment_id}"


@dataclass(frozen=True, slots=True)
class _DutyRules:
    workspace: Workspace
    references: References
    order: Order

    def kinds(self) -> Iterator[Finding]:
        """Every kind that the order or a unit names is known, and a scope names classes that exist."""
        for owner, where, kinds in self._named_kinds():
            for kind in kinds:
                yield from self.references.judge(where, owner, "kind", kind, "unit_kinds", known_kinds(self.order), ORDER_FILE)

    def _named_kinds(self) -> Iterator[tuple[str, str, Collection[str]]]:
        order = self.order
        for service_class in order.classes.values():
            yield f"service class {service_class.class_id}", service_class.source.where, service_class.for_kinds
        for milestone in order.milestones:
            yield f"milestone {milestone.milestone_id}", milestone.source.where, milestone.scope.kinds
        for gate in order.gates:
            yield f"gate {gate.gate_id}", gate.source.where, gate.scope.kinds
        for organisation in order.organisations:
            yield f"organisation {organisation.organisation_id}", organisation.source.where, organisation.scope.kinds
        for table in order.scoring:
            if table.units is not None:
                yield f"score table {table.table_id}.subjects", table.subjects_source.where, table.units.kinds
            for mark in table.marks:
                yield f"score table {table.table_id}, mark {mark.mark}", mark.source.where, mark.kinds
        for unit in self.workspace.inventory.units.values():
            yield f"unit {unit.unit_id} ({unit.name})", unit.where, (unit.kind,)

    def classes(self, where: str, owner: str, scope: Scope) -> Iterator[Finding]:
        for name in scope.classes:
            yield from self.references.judge(where, owner, "scope.classes", name, "service_classes", self.order.classes, ORDER_FILE)

    def refused_access(self) -> Iterator[Finding]:
        """No line uses, and no class permits, what the order refuses."""
        refused = self.order.refused_access
        if refused is None:
            return
        why = f"refused at {refused.source.where} by {_origin(refused.source)}"
        for service_class in self.order.classes.values():
            source = service_class.sources.get("access_methods", service_class.source)
            for method in service_class.access_methods:
                if method in refused.methods:
                    what = f"service class {service_class.class_id} permits an access method that the order refuses"
                    step = "Remove it from `access_methods`."
                    yield Finding(source.where, what, f"none of {', '.join(refused.methods)}", f"{method}, {why}", step)
        for line in self.workspace.inventory.lines.values():
            if line.access_method in refused.methods:
                what = f"line {line.line_id}: the order refuses its access_method"
                expected = f"none of {', '.join(refused.methods)} ({why})"
                step = f"Order the line as another access_method in {LINES_FILE}."
                yield Finding(line.where, what, expected, line.access_method, step)

    def gate(self, gate: Gate) -> Iterator[Finding]:
        where, owner = gate.source.where, f"gate {gate.gate_id}"
        yield from self.classes(where, owner, gate.scope)
        if gate.required and gate.before == "use":
            step = "Set `required: false`, or let it stand before connection or acceptance."
            yield Finding(
                where, f"{owner}: cannot keep a line from being accepted", "before connection or acceptance", "before use", step
            )
        said = {"required: true": gate.required, "device_role": gate.device_role is not None, "scope": gate.scope != Scope()}
        if gate.subject == "service" and (unfit := [key for key, holds in said.items() if holds]):
            step = "Remove it; the gate stands for every application of services.csv and blocks no line."
            yield Finding(where, f"{owner}: a gate of services says something of units", "nothing of units", ", ".join(unfit), step)
        if gate.device_role is not None:
            yield from self._equipped(gate, gate.device_role, owner)

    def _equipped(self, gate: Gate, role: str, owner: str) -> Iterator[Finding]:
        """Every unit of the gate's cohort has a device of the role that the order wants there (BL-1)."""
        if self.references.incomplete & {"devices", "units", "lines"}:
            return
        inventory = self.workspace.inventory
        equipped = {device.unit_id for device in inventory.devices.values() if device.role == role}
        for unit in gated_units(self.workspace, gate):
            if unit not in equipped:
                row = inventory.units[unit]
                what = f"unit {unit} ({row.name}) lacks what {owner} wants"
                step = f"Add its {role} to {DEVICES_FILE}."
                yield Finding(row.where, what, f"a device of role {role} ({_origin(gate.source)})", "none", step)

    def organisation(self, organisation: Organisation) -> Iterator[Finding]:
        where, owner = organisation.source.where, f"organisation {organisation.organisation_id}"
        yield from self.classes(where, owner, organisation.scope)
        known = [milestone.milestone_id for milestone in self.order.milestones]
        regions = self.workspace.inventory.regions
        for name in organisation.milestones:
            yield from self.references.judge(where, owner, "milestones", name, "milestones", known, ORDER_FILE)
        for code in organisation.regions:
            yield from self.references.judge(where, owner, "regions", code, "regions", regions, REGIONS_FILE)

    def score_table(self, table: ScoreTable) -> Iterator[Finding]:
        owner = f"score table {table.table_id}"
        signs, rows = [mark.mark for mark in table.marks], [row.item_id for row in table.items]
        milestones = [milestone.milestone_id for milestone in self.order.milestones]
        for row in table.items:
            called = f"{owner}, row {row.item_id}"
            yield from self._score_row(row, called, milestones)
            for sign in row.marks:
                yield from self.references.judge(row.source.where, called, "marks", sign, "marks", signs, ORDER_FILE)
        for adjustment in table.adjustments:
            called = f"{owner}, {_adjustment_name(adjustment)}"
            where = adjustment.source.where
            yield from self.references.judge(where, called, "within", adjustment.within, "items", rows, ORDER_FILE)
            if adjustment.deduction and adjustment.within is not None:
                step = "Remove `within`; points are taken from the whole."
                yield Finding(where, f"{called}: `within` means nothing here", "no `within`", adjustment.within, step)
            if adjustment.each > adjustment.cap:
                found = f"{adjustment.each:g} each, {adjustment.cap:g} at most"
                step = "Correct `each` or `cap`."
                yield Finding(where, f"{called}: one alone is above the cap", "`each` up to `cap`", found, step)

    def _score_row(self, row: ScoreItem, called: str, milestones: list[str]) -> Iterator[Finding]:
        for name in row.milestones:
            yield from self.references.judge(row.source.where, called, "milestone", name, "milestones", milestones, ORDER_FILE)
        if row.milestones and row.event is not None:
            step = "Keep one of them."
            yield Finding(row.source.where, f"{called}: two kinds of evidence", "`milestone` or `event`", "both", step)

    def left_out(self) -> Iterator[Finding]:
        """What a unit's row leaves out is a sign that some table prints."""
        every = [mark.mark for each in self.order.scoring for mark in each.marks]
        for unit in self.workspace.inventory.units.values():
            for sign in unit.left_out:
                owner = f"unit {unit.unit_id} ({unit.name})"
                yield from self.references.judge(unit.where, owner, "left_out", sign, "scoring.marks", every, ORDER_FILE)

    def requirements(self) -> Iterator[Finding]:
        """Every part that is said to keep a requirement exists."""
        parts = kept_parts(self.workspace)
        for name, requirement in self.order.requirements.items():
            for part in requirement.kept:
                if part in parts or part.partition(".")[0] in self.references.incomplete:
                    continue
                step = nearest(part, parts, "Name a section and an id of it, or a table of inventory/.")
                what = f"requirement {name}: `kept` points nowhere"
                yield Finding(requirement.where, what, "section.id of this order, or a table", f"`{part}`", step)


def gated_units(workspace: Workspace, gate: Gate) -> list[str]:
    """Return the units in scope that have a primary line and belong to the gate's cohort, in the order of the lines."""
    from_lines: dict[str, None] = {}
    for line in workspace.inventory.lines.values():
        unit = workspace.inventory.units.get(line.unit_id)
        if line.role == "primary" and unit is not None and unit.in_scope and is_gated(gate, line.service_class, unit.level, unit.kind):
            from_lines[unit.unit_id] = None
    return list(from_lines)


def is_gated(gate: Gate, class_id: str, level: str, kind: str) -> bool:
    """Tell whether a line of this class to a unit of this level and kind stands behind the gate."""
    return gate.subject == "unit" and covers(gate.scope, class_id, level, kind)


def kept_parts(workspace: Workspace) -> dict[str, Source | None]:
    """Return everything that can keep a requirement, by the name that `requirements` uses; tables have no source of their own."""
    order = workspace.order
    parts: dict[str, Source | None] = dict.fromkeys(("regions", "units", "devices", "lines", "services", "plan", "carriers"))
    named: Mapping[str, Mapping[str, Source | None]] = {
        "service_classes": {name: kind.source for name, kind in order.classes.items()},
        "milestones": {each.milestone_id: each.source for each in order.milestones},
        "gates": {each.gate_id: each.source for each in order.gates},
        "rhythms": {each.rhythm_id: each.source for each in order.rhythms},
        "organisations": {each.organisation_id: each.source for each in order.organisations},
        "scoring": {each.table_id: each.source for each in order.scoring},
        "duties": {each.duty_id: each.source for each in order.duties},
        "rulings": {name: Source(ruling=name) for name in order.rulings},
    }
    for section, entries in named.items():
        parts |= {f"{section}.{name}": source for name, source in entries.items()}
    if order.refused_access is not None:
        parts["refused_access"] = order.refused_access.source
    if order.availability is not None:
        parts["availability"] = order.availability.source
    return parts


def _origin(source: Source) -> str:
    if source.clause is not None:
        return f"clause {source.clause}"
    return f"ruling {source.ruling}" if source.ruling is not None else "a default"
