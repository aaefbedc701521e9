"""Read inventory/order.yaml into an Order. Every value block says where it comes from, or is a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from app.core.order import (
    CRITERIA,
    Criterion,
    Duty,
    Milestone,
    Order,
    Ruling,
    Scope,
    ScoreItem,
    ScoreTable,
    ServiceClass,
    Simulation,
    Source,
)
from app.core.references import nearest
from app.edge.files.explain import parse_block
from app.edge.files.marked import Marked, read_marked
from app.edge.files.order_schema import (
    AccessBlock,
    AtRiskBlock,
    Block,
    ClassBlock,
    CriterionBlock,
    DutyBlock,
    FormulaBlock,
    HeadBlock,
    MilestoneBlock,
    PermittedBlock,
    RatesBlock,
    ReservedBlock,
    RulingBlock,
    ScoreItemBlock,
    ScoreTableBlock,
    SimulationBlock,
)
from app.edge.files.texts import Report, shown
from app.errors import Finding

B = TypeVar("B", bound=Block)
T = TypeVar("T")

_SECTIONS = (
    "order", "carriers", "service_classes", "milestones", "scoring", "rulings", "duties", "requirements", "at_risk_days", "simulation"
)  # fmt: skip
_CLASS_PARTS = ("nominal", "configured", "permitted", "access_methods", "reserved_port", "criteria")
_SOURCE_KEYS = ("clause", "ruling", "default")
_CHOOSE = "Name the clause (`clause:`) or the ruling (`ruling:`) that it comes from, or mark it `default: true`."


@dataclass(slots=True)
class OrderReading:
    """An order as far as it could be read; `incomplete` names the sections that lack something because of a finding."""

    order: Order
    incomplete: set[str] = field(default_factory=set)


def read_order(path: Path, root: Path, report: Report) -> OrderReading:
    """Read the order; what is wrong is reported and left out of the result."""
    document = read_marked(path, root, report)
    name = shown(path, root)
    if document is None:
        return OrderReading(_empty_order(), {"order", *_SECTIONS})
    for key in document.values:
        if key not in _SECTIONS:
            step = nearest(key, _SECTIONS, "Remove it.")
            report(Finding(document.where((key,)), f"unknown key `{key}`", f"one of {', '.join(_SECTIONS)}", f"`{key}`", step))
    return _OrderReader(document, name, report).read()


def _empty_order() -> Order:
    """Return what stands in for an order that could not be read, so that other files are still judged; it never leaves this edge."""
    return Order("", "", "", "", date.min, ZoneInfo("UTC"), {}, (), (), {}, (), {})


@dataclass(slots=True)
class _OrderReader:
    document: Marked
    name: str
    report: Report
    incomplete: set[str] = field(default_factory=set)

    def read(self) -> OrderReading:
        head = self.head()
        classes = {class_id: value for class_id, value in self.each("service_classes", self.service_class)}
        at_risk = self.optional("at_risk_days", AtRiskBlock, sourced=True)
        simulation = self.optional("simulation", SimulationBlock, sourced=False)
        order = Order(
            number=head.number if head else "",
            title=head.title if head else "",
            title_en=head.title_en if head else "",
            issuer=head.issuer if head else "",
            issued_on=head.issued_on if head else date.min,
            timezone=head.timezone if head else ZoneInfo("UTC"),
            classes=classes,
            milestones=tuple(value for _, value in self.each("milestones", self.milestone)),
            scoring=tuple(value for _, value in self.each("scoring", self.score_table, wanted=False)),
            rulings={ruling_id: value for ruling_id, value in self.each("rulings", self.ruling, wanted=False)},
            duties=tuple(value for _, value in self.each("duties", self.duty, wanted=False)),
            carriers=self.words("carriers"),
            at_risk_days=at_risk.days if at_risk else 7,
            simulation=Simulation(simulation.note, simulation.note_en, simulation.moved_days) if simulation else None,
            requirements=self.words("requirements"),
        )
        return OrderReading(order, self.incomplete)

    def head(self) -> HeadBlock | None:
        block = self.document.section("order")
        if block is None:
            self.miss("order", "the head of the order: number, title, title_en, issuer, issued_on, timezone")
            return None
        return self.kept("order", parse_block(HeadBlock, block, self.report, called="order"))

    def each(self, section: str, read: Callable[[str, Marked], T | None], *, wanted: bool = True) -> Iterator[tuple[str, T]]:
        """Yield what could be read of a section, by id."""
        block = self.document.section(section)
        if block is None:
            if wanted or section in self.document.values:
                self.miss(section, "ids, each with its keys")
            return
        for key in block.values:
            inner = block.section(key)
            if inner is None:
                where = block.where((key,))
                self.report(
                    Finding(where, f"`{section}.{key}` has no keys", "keys with values", str(block.values[key]), "Write its keys below it.")
                )
                self.incomplete.add(section)
            elif (value := self.kept(section, read(key, inner))) is not None:
                yield key, value

    def kept(self, section: str, value: T | None) -> T | None:
        if value is None:
            self.incomplete.add(section)
        return value

    def miss(self, section: str, expected: str) -> None:
        where = self.document.where((section,))
        self.report(Finding(where, f"section `{section}` is missing", expected, "nothing", f"Write `{section}:` in {self.name}."))
        self.incomplete.add(section)

    def optional(self, section: str, model: type[B], *, sourced: bool) -> B | None:
        if section not in self.document.values:
            return None
        block = self.document.section(section)
        if block is None:
            self.miss(section, f"keys: {', '.join(model.model_fields)}")
            return None
        if sourced:
            return self.sourced(section, model, block)[0]
        return parse_block(model, block, self.report, called=section)

    def words(self, section: str) -> dict[str, str]:
        block = self.document.section(section)
        if block is None:
            if section in self.document.values:
                self.miss(section, "ids, each with a text")
            return {}
        for key, value in block.values.items():
            if not isinstance(value, str) or not value:
                self.report(Finding(block.where((key,)), f"`{section}.{key}` is no text", "text", str(value), "Give it a text."))
                self.incomplete.add(section)
        return {key: value for key, value in block.values.items() if isinstance(value, str) and value}

    def source(self, called: str, block: Marked) -> Source | None:
        """Return where a block's value comes from; exactly one of `clause`, `ruling`, `default: true` must stand."""
        given = {key: block.values[key] for key in _SOURCE_KEYS if block.values.get(key) is not None}
        where = block.where((next(iter(given)),)) if given else block.file
        if len(given) != 1:
            found = " and ".join(f"`{key}`" for key in given) or "none"
            self.report(
                Finding(block.file, f"{called}: value has no single source", "one of clause, ruling, default: true", found, _CHOOSE)
            )
            return None
        key, value = next(iter(given.items()))
        if value is not True if key == "default" else not (isinstance(value, str) and value):
            expected = "true" if key == "default" else "text"
            self.report(Finding(where, f"{called}: `{key}` has a bad value", expected, str(value), _CHOOSE))
            return None
        if key == "default":
            return Source(default=True, where=block.file)
        return Source(clause=str(value), where=block.file) if key == "clause" else Source(ruling=str(value), where=block.file)

    def sourced(self, called: str, model: type[B], block: Marked, *, parts: tuple[str, ...] = ()) -> tuple[B | None, Source | None]:
        """Parse a block less its source keys and its sub-blocks; both faults are reported at once."""
        source = self.source(called, block)
        own = {key: value for key, value in block.values.items() if key not in _SOURCE_KEYS and key not in parts}
        return parse_block(model, Marked(own, block.marks, block.file), self.report, called=called), source

    def part(self, called: str, model: type[B], block: Marked, key: str, *, wanted: bool) -> B | None:
        inner = block.section(key)
        if inner is not None:
            value, source = self.sourced(f"{called}.{key}", model, inner)
            return value if source else None
        if wanted or key in block.values:
            expected = f"keys: {', '.join(model.model_fields)} and a source"
            found = str(block.values.get(key, "nothing"))
            self.report(Finding(block.where((key,)), f"{called}: `{key}` is missing", expected, found, f"Write `{key}:` with its keys."))
        return None

    def service_class(self, class_id: str, block: Marked) -> ServiceClass | None:
        called = f"service class {class_id}"
        words, source = self.sourced(called, ClassBlock, block, parts=_CLASS_PARTS)
        nominal = self.part(called, RatesBlock, block, "nominal", wanted=True)
        configured = self.part(called, RatesBlock, block, "configured", wanted=True)
        permitted = self.part(called, PermittedBlock, block, "permitted", wanted=True)
        access = self.part(called, AccessBlock, block, "access_methods", wanted=False)
        reserved = self.part(called, ReservedBlock, block, "reserved_port", wanted=False)
        criteria = self.criteria(called, block)
        if words is None or source is None or nominal is None or configured is None or permitted is None:
            return None
        return ServiceClass(
            class_id=class_id,
            words=words.words,
            words_en=words.words_en,
            medium=words.medium,
            nominal_down_kbps=nominal.down_kbps,
            nominal_up_kbps=nominal.up_kbps,
            configured_down_kbps=configured.down_kbps,
            configured_up_kbps=configured.up_kbps,
            for_levels=permitted.levels,
            for_kinds=permitted.kinds,
            urban_needs_ruling=permitted.urban_needs_ruling,
            access_methods=access.any_of if access else (),
            reserved_port_mbps=reserved.mbps if reserved else None,
            criteria=criteria,
            source=source,
        )

    def criteria(self, called: str, block: Marked) -> tuple[Criterion, ...]:
        inner = block.section("criteria")
        if inner is None:
            step = "Write `criteria:` with a block for each."
            self.report(
                Finding(block.where(("criteria",)), f"{called}: `criteria` is missing", f"some of {', '.join(CRITERIA)}", "nothing", step)
            )
            return ()
        found = [self.criterion(f"{called}, criterion {kind}", kind, inner) for kind in inner.values]
        return tuple(criterion for criterion in found if criterion is not None)

    def criterion(self, called: str, kind: str, criteria: Marked) -> Criterion | None:
        where = criteria.where((kind,))
        if kind not in CRITERIA:
            step = nearest(kind, CRITERIA, "Remove it.")
            self.report(Finding(where, f"{called}: unknown criterion", f"one of {', '.join(CRITERIA)}", f"`{kind}`", step))
            return None
        block = criteria.section(kind)
        if block is None:
            self.report(
                Finding(where, f"{called}: no keys", "required, limit … and a source", str(criteria.values[kind]), "Write its keys.")
            )
            return None
        value, source = self.sourced(called, CriterionBlock, block)
        if value is None or source is None:
            return None
        return Criterion(kind, **value.model_dump(exclude_none=True), source=source)

    def milestone(self, milestone_id: str, block: Marked) -> Milestone | None:
        value, source = self.sourced(f"milestone {milestone_id}", MilestoneBlock, block)
        if value is None or source is None:
            return None
        scope = Scope(value.scope.levels, value.scope.kinds, value.scope.classes)
        own = value.model_dump(exclude={"scope"})
        return Milestone(milestone_id=milestone_id, scope=scope, source=source, **own)

    def score_table(self, table_id: str, block: Marked) -> ScoreTable | None:
        called = f"score table {table_id}"
        value, source = self.sourced(called, ScoreTableBlock, block, parts=("formula", "items"))
        formula = self.part(called, FormulaBlock, block, "formula", wanted=True)
        inner = block.section("items")
        if inner is None:
            self.report(Finding(block.where(("items",)), f"{called}: `items` is missing", "its rows by id", "nothing", "Write `items:`."))
            return None
        rows = [self.score_item(f"{called}, row {item_id}", item_id, inner) for item_id in inner.values]
        if value is None or source is None or formula is None or None in rows:
            return None
        return ScoreTable(table_id, **dict(value), formula=formula.method, items=tuple(row for row in rows if row is not None), source=source)

    def score_item(self, called: str, item_id: str, items: Marked) -> ScoreItem | None:
        block = items.section(item_id)
        if block is None:
            self.report(
                Finding(
                    items.where((item_id,)),
                    f"{called}: no keys",
                    "title, points … and a source",
                    str(items.values[item_id]),
                    "Write its keys.",
                )
            )
            return None
        value, source = self.sourced(called, ScoreItemBlock, block)
        return ScoreItem(item_id, **dict(value), source=source) if value and source else None

    def ruling(self, ruling_id: str, block: Marked) -> Ruling | None:
        value = parse_block(RulingBlock, block, self.report, called=f"ruling {ruling_id}")
        return Ruling(ruling_id, **dict(value), where=block.file) if value else None

    def duty(self, duty_id: str, block: Marked) -> Duty | None:
        value, source = self.sourced(f"duty {duty_id}", DutyBlock, block)
        return Duty(duty_id, **dict(value), source=source) if value and source else None
