"""Read inventory/order.yaml into an Order. What cannot be read is reported and left out, so that the rest is still judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from app.core.duties import AvailabilityDuty, Duty, Gate, Organisation, Rhythm
from app.core.milestone import Milestone
from app.core.order import ForecastRule, Order, Requirement, Ruling, Simulation
from app.core.references import nearest
from app.core.scope import Scope
from app.core.score_table import Adjustment, Mark, Prizes, ScoreItem, ScoreTable
from app.core.service_class import Criterion, RefusedAccess, ServiceClass
from app.core.source import OURS, Source
from app.core.terms import DeadlineChange, PartTerms, in_order
from app.edge.files.explain import parse_block
from app.edge.files.marked import Marked, read_marked
from app.edge.files.order_schema import (
    AdjustmentBlock,
    AtRiskBlock,
    AvailabilityBlock,
    Block,
    ChangeBlock,
    ClassBlock,
    DutyBlock,
    ForecastBlock,
    GateBlock,
    HeadBlock,
    MeasurementBlock,
    MilestoneBlock,
    OrganisationBlock,
    RefusedAccessBlock,
    RequirementBlock,
    RhythmBlock,
    RulingBlock,
    ScopeBlock,
    ScoreTableBlock,
    SimulationBlock,
    SourcedBlock,
)
from app.edge.files.texts import Report, shown
from app.errors import Finding

B = TypeVar("B", bound=Block)
T = TypeVar("T")

_SECTIONS = (
    "order",
    "carriers",
    "carriers_en",
    "unit_kinds",
    "service_classes",
    "refused_access",
    "milestones",
    "gates",
    "availability",
    "rhythms",
    "organisations",
    "scoring",
    "rulings",
    "duties",
    "requirements",
    "at_risk_days",
    "measurement_valid_days",
    "forecast",
    "simulation",
)


@dataclass(frozen=True, slots=True)
class OrderReading:
    """An order as far as it could be read; `incomplete` names the sections that lack something because of a finding."""

    order: Order
    incomplete: frozenset[str]


def read_order(path: Path, root: Path, report: Report) -> OrderReading:
    """Read the order; what is wrong is reported and left out of the result."""
    document = read_marked(path, root, report)
    name = shown(path, root)
    if document is None:
        return OrderReading(_EMPTY, frozenset(_SECTIONS))
    for key in document.values:
        if key not in _SECTIONS:
            step = nearest(key, _SECTIONS, "Remove it.")
            report(Finding(document.where((key,)), f"unknown key `{key}`", f"one of {', '.join(_SECTIONS)}", f"`{key}`", step))
    return _OrderReader(document, name, report).read()


#: What stands in for an order that could not be read; it never leaves this edge.
_EMPTY = Order("", "", "", "", date.min, ZoneInfo("UTC"), {}, (), (), {}, (), {})


@dataclass(slots=True)
class _OrderReader:
    document: Marked
    name: str
    report: Report
    incomplete: set[str] = field(default_factory=set)

    def read(self) -> OrderReading:
        head = self.one("order", HeadBlock, wanted=True)
        at_risk = self.one("at_risk_days", AtRiskBlock)
        valid = self.one("measurement_valid_days", MeasurementBlock)
        forecast = self.one("forecast", ForecastBlock)
        simulation = self.one("simulation", SimulationBlock)
        refused = self.one("refused_access", RefusedAccessBlock)
        availability = self.one("availability", AvailabilityBlock)
        order = replace(
            _EMPTY,
            classes=dict(self.each("service_classes", "service class", ClassBlock, _service_class, wanted=True)),
            milestones=tuple(value for _, value in self.each("milestones", "milestone", MilestoneBlock, _milestone, wanted=True)),
            scoring=tuple(value for _, value in self.each("scoring", "score table", ScoreTableBlock, _score_table)),
            rulings=dict(self.each("rulings", "ruling", RulingBlock, _ruling)),
            duties=tuple(value for _, value in self.each("duties", "duty", DutyBlock, _duty)),
            carriers=self.words("carriers", wanted=True),
            requirements=dict(self.each("requirements", "requirement", RequirementBlock, _requirement)),
            carriers_en=self.carriers_in_english(),
            unit_kinds=self.words("unit_kinds"),
            gates=tuple(value for _, value in self.each("gates", "gate", GateBlock, _gate)),
            rhythms=tuple(value for _, value in self.each("rhythms", "rhythm", RhythmBlock, _rhythm)),
            organisations=tuple(value for _, value in self.each("organisations", "organisation", OrganisationBlock, _organisation)),
        )
        if head is not None:
            order = replace(order, **dict(head[0]))
        if at_risk is not None:
            order = replace(order, at_risk_days=at_risk[0].days, at_risk_source=_placed(*at_risk))
        if valid is not None:
            order = replace(order, measurement_valid_days=valid[0].days, measurement_valid_source=_placed(*valid))
        if forecast is not None:
            order = replace(order, forecast=_forecast(*forecast))
        if simulation is not None:
            order = replace(order, simulation=Simulation(**dict(simulation[0])))
        if refused is not None:
            order = replace(order, refused_access=RefusedAccess(refused[0].any_of, _placed(*refused)))
        if availability is not None:
            order = replace(order, availability=_availability(*availability))
        return OrderReading(order, frozenset(self.incomplete))

    def section(self, name: str, expected: str, *, wanted: bool) -> Marked | None:
        block = self.document.section(name)
        if block is None and (wanted or name in self.document.values):
            found = str(self.document.values.get(name, "nothing"))
            step = f"Write `{name}:` in {self.name}."
            self.report(Finding(self.document.where((name,)), f"section `{name}` is missing", expected, found, step))
            self.incomplete.add(name)
        return block

    def one(self, name: str, model: type[B], *, wanted: bool = False) -> tuple[B, Marked] | None:
        block = self.section(name, f"keys: {', '.join(model.model_fields)}", wanted=wanted)
        value = parse_block(model, block, self.report, called=name) if block is not None else None
        if block is None or value is None:
            self.incomplete.add(name)
            return None
        return value, block

    def each(
        self, name: str, called: str, model: type[B], build: Callable[[str, B, Marked], T], *, wanted: bool = False
    ) -> Iterator[tuple[str, T]]:
        """Yield by id what could be read of a section; an entry with any fault is left out."""
        section = self.section(name, "ids, each with its keys", wanted=wanted)
        for key in section.values if section is not None else ():
            assert section is not None
            block = section.section(key)
            if block is None:
                found, step = str(section.values[key]), "Write its keys below it."
                self.report(Finding(section.where((key,)), f"{called} {key} has no keys", "keys with values", found, step))
            elif (value := parse_block(model, block, self.report, called=f"{called} {key}")) is not None:
                yield key, build(key, value, block)
                continue
            self.incomplete.add(name)

    def carriers_in_english(self) -> dict[str, str]:
        """Read the English names of carriers; a name of nobody is reported."""
        names, known = self.words("carriers_en"), self.document.values.get("carriers")
        for carrier in names:
            if isinstance(known, dict) and carrier not in known:
                where, step = self.document.where(("carriers_en", carrier)), nearest(carrier, known, "Add it to `carriers`, or remove it.")
                self.report(Finding(where, "an English name of no carrier", "a carrier of `carriers`", f"`{carrier}`", step))
                self.incomplete.add("carriers_en")
        return names

    def words(self, name: str, *, wanted: bool = False) -> dict[str, str]:
        section = self.section(name, "ids, each with a text", wanted=wanted)
        if section is None:
            return {}
        texts = {key: value for key, value in section.values.items() if isinstance(value, str) and value}
        for key in section.values.keys() - texts.keys():
            self.report(Finding(section.where((key,)), f"`{name}.{key}` is no text", "text", str(section.values[key]), "Give it a text."))
            self.incomplete.add(name)
        return texts


def _placed(block: SourcedBlock, marked: Marked, *path: str) -> Source:
    """Return a block's source with the file and line of the block."""
    return replace(block.source, where=marked.where(path) if path else marked.file)


def _service_class(class_id: str, block: ClassBlock, marked: Marked) -> ServiceClass:
    parts = {
        "nominal": block.nominal,
        "configured": block.configured,
        "permitted": block.permitted,
        "access_methods": block.access_methods,
        "reserved_port": block.reserved_port,
    }
    return ServiceClass(
        class_id=class_id,
        words=block.words,
        words_en=block.words_en,
        medium=block.medium,
        nominal_down_kbps=block.nominal.down_kbps,
        nominal_up_kbps=block.nominal.up_kbps,
        configured_down_kbps=block.configured.down_kbps,
        configured_up_kbps=block.configured.up_kbps,
        for_levels=block.permitted.levels,
        for_kinds=block.permitted.kinds,
        urban_needs_ruling=block.permitted.urban_needs_ruling,
        access_methods=block.access_methods.any_of if block.access_methods else (),
        reserved_port_mbps=block.reserved_port.mbps if block.reserved_port else None,
        criteria=tuple(
            Criterion(kind, **inner.model_dump(exclude={"source"}, exclude_none=True), source=_placed(inner, marked, "criteria", kind))
            for kind, inner in block.criteria.items()
        ),
        source=_placed(block, marked),
        sources={key: _placed(part, marked, key) for key, part in parts.items() if part is not None},
    )


def _milestone(milestone_id: str, block: MilestoneBlock, marked: Marked) -> Milestone:
    own = block.model_dump(exclude={"scope", "source", "moves", "changes"})
    return Milestone(
        milestone_id=milestone_id,
        scope=_scope(block.scope),
        source=_placed(block, marked),
        earlier_only=_placed(block.moves, marked, "moves") if block.moves else None,
        changes=in_order(_change(name, each, marked) for name, each in block.changes.items()),
        **own,
    )


def _change(change_id: str, block: ChangeBlock, marked: Marked) -> DeadlineChange:
    own = block.model_dump(exclude={"was", "becomes"})
    was, becomes = (PartTerms(**part.model_dump()) for part in (block.was, block.becomes))
    return DeadlineChange(change_id=change_id, was=was, becomes=becomes, where=marked.where(("changes", change_id)), **own)


def _forecast(block: ForecastBlock, marked: Marked) -> ForecastRule:
    return ForecastRule(block.working_days, block.level, block.least_accepted, _placed(block, marked))


def _scope(block: ScopeBlock) -> Scope:
    return Scope(**dict(block))


def _score_table(table_id: str, block: ScoreTableBlock, marked: Marked) -> ScoreTable:
    items = tuple(
        ScoreItem(
            item_id,
            milestones=row.milestone,
            source=_placed(row, marked, "items", item_id),
            **row.model_dump(exclude={"source", "milestone"}),
        )
        for item_id, row in block.items.items()
    )
    subjects, prizes = block.subjects, block.prizes
    return ScoreTable(
        table_id=table_id,
        title=block.title,
        title_en=block.title_en,
        total=block.total,
        formula=block.formula.method,
        items=items,
        source=_placed(block, marked),
        formula_source=_placed(block.formula, marked, "formula"),
        counties=subjects is not None and subjects.counties,
        units=_scope(subjects.units) if subjects and subjects.units else None,
        subjects_source=_placed(subjects, marked, "subjects") if subjects else OURS,
        adjustments=(
            *(_adjustment(name, each, marked, deduction=False) for name, each in block.bonuses.items()),
            *(_adjustment(name, each, marked, deduction=True) for name, each in block.deductions.items()),
        ),
        marks=tuple(
            Mark(sign, each.text, each.text_en, _placed(each, marked, "marks", sign), each.kinds) for sign, each in block.marks.items()
        ),
        prizes=Prizes(prizes.places, _placed(prizes, marked, "prizes")) if prizes else None,
    )


def _adjustment(adjustment_id: str, block: AdjustmentBlock, marked: Marked, *, deduction: bool) -> Adjustment:
    source = _placed(block, marked, "deductions" if deduction else "bonuses", adjustment_id)
    return Adjustment(adjustment_id, source=source, deduction=deduction, **block.model_dump(exclude={"source"}))


def _gate(gate_id: str, block: GateBlock, marked: Marked) -> Gate:
    own = block.model_dump(exclude={"scope", "source"})
    return Gate(gate_id, scope=_scope(block.scope), source=_placed(block, marked), **own)


def _rhythm(rhythm_id: str, block: RhythmBlock, marked: Marked) -> Rhythm:
    return Rhythm(rhythm_id, source=_placed(block, marked), **block.model_dump(exclude={"source"}))


def _organisation(organisation_id: str, block: OrganisationBlock, marked: Marked) -> Organisation:
    own = block.model_dump(exclude={"scope", "source"})
    return Organisation(organisation_id, scope=_scope(block.scope), source=_placed(block, marked), **own)


def _availability(block: AvailabilityBlock, marked: Marked) -> AvailabilityDuty:
    return AvailabilityDuty(block.share, block.window, block.coverage, _scope(block.scope), _placed(block, marked))


def _requirement(_: str, block: RequirementBlock, marked: Marked) -> Requirement:
    return Requirement(block.clause, block.kept, marked.file)


def _ruling(ruling_id: str, block: RulingBlock, marked: Marked) -> Ruling:
    return Ruling(ruling_id, **dict(block), where=marked.file)


def _duty(duty_id: str, block: DutyBlock, marked: Marked) -> Duty:
    return Duty(duty_id, block.requirement, block.text, block.text_en, _placed(block, marked))
