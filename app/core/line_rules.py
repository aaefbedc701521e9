"""Judge every line against the order: its class, its unit, its medium, its ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.core.intent_faults import DESCRIPTION_LIMIT
from app.core.inventory import Line, Unit
from app.core.references import References, find_twins
from app.core.service_class import ServiceClass
from app.core.typed_texts import SENTENCE_WORDS, is_sentence
from app.core.workspace import Workspace
from app.errors import Finding

ORDER_FILE, LINES_FILE = "inventory/order.yaml", "inventory/lines.csv"
#: The part of a port description that is the same for every line.
_FIXED_CHARACTERS = len("RESERVED 100000M TO:: L: C: BW:1000000 CID:")


def find_line_faults(workspace: Workspace, references: References) -> Iterator[Finding]:
    """Yield what the order, the units and the devices forbid of a line."""
    lines = workspace.inventory.lines.values()
    circuits = [(f"line {line.line_id}", f"{line.carrier}/{line.circuit_id}", line.where) for line in lines if line.circuit_id]
    yield from find_twins(circuits, "circuit id", "Correct one; a carrier numbers each circuit once.")
    for line in lines:
        rules = _LineRules(workspace, references, line, f"line {line.line_id}")
        yield from rules.names()
        yield from rules.ends()
        yield from rules.description()
        unit = workspace.inventory.units.get(line.unit_id)
        kind = workspace.order.classes.get(line.service_class)
        if unit is not None:
            yield from rules.against_unit(unit)
        if kind is not None:
            yield from rules.against_class(kind)
        if unit is not None and kind is not None:
            yield from rules.permission(unit, kind)


@dataclass(frozen=True, slots=True)
class _LineRules:
    workspace: Workspace
    references: References
    line: Line
    owner: str

    def fault(self, what: str, expected: str, found: str, next_step: str) -> Finding:
        return Finding(self.line.where, f"{self.owner}: {what}", expected, found, next_step)

    def names(self) -> Iterator[Finding]:
        line, inventory, order = self.line, self.workspace.inventory, self.workspace.order
        wanted = (
            ("unit_id", line.unit_id, "units", inventory.units, "inventory/units.csv"),
            ("service_class", line.service_class, "service_classes", order.classes, ORDER_FILE),
            ("carrier", line.carrier, "carriers", order.carriers, ORDER_FILE),
            ("a_device", line.a_device, "devices", inventory.devices, "inventory/devices.csv"),
            ("z_device", line.z_device, "devices", inventory.devices, "inventory/devices.csv"),
            ("ruling", line.ruling, "rulings", order.rulings, ORDER_FILE),
        )
        for column, name, table, known, file in wanted:
            yield from self.references.judge(line.where, self.owner, column, name, table, known, file)

    def ends(self) -> Iterator[Finding]:
        line, devices = self.line, self.workspace.inventory.devices
        if line.a_device == line.z_device:
            yield self.fault("both ends stand on one device", "two devices", line.a_device, "Correct `a_device` or `z_device`.")
        for column, name in (("a_device", line.a_device), ("z_device", line.z_device)):
            device = devices.get(name)
            if device is not None and device.role == "unit_switch":
                yield self.fault(f"`{column}` is a switch", "a router", name, "Let the line end on the unit's router.")
        below = devices.get(line.z_device)
        if below is not None and below.unit_id not in (None, line.unit_id):
            step = "Correct `unit_id` or `z_device`."
            yield self.fault(
                "its z end stands at another unit", f"a device of unit {line.unit_id}", f"{below.name} of unit {below.unit_id}", step
            )

    def description(self) -> Iterator[Finding]:
        """The longest description of either end must fit into the smallest alias of the families."""
        line = self.line
        ends = [
            (line.a_device, line.a_interface),
            (line.z_device, line.z_interface),
            (line.a_device, line.a_reserved_interface or ""),
            (line.z_device, line.z_reserved_interface or ""),
        ]
        far = max(len(device) + len(port) for device, port in ends)
        length = _FIXED_CHARACTERS + far + len(line.line_id) + len(line.carrier) + len(line.circuit_id or "")
        if length > DESCRIPTION_LIMIT:
            step = "Shorten the circuit id, the carrier's id or the names."
            yield self.fault("its port description grows too long", f"up to {DESCRIPTION_LIMIT} characters", f"up to {length}", step)
        for column, text in (("carrier", line.carrier), ("circuit_id", line.circuit_id)):
            if text and not (is_sentence(text) and " " not in text):
                expected = f"{SENTENCE_WORDS}, without spaces"
                yield self.fault(f"`{column}` cannot stand in a port description", expected, f"`{text}`", "Rename it.")

    def against_unit(self, unit: Unit) -> Iterator[Finding]:
        if not unit.in_scope:
            found = f"unit {unit.unit_id} ({unit.name}), ruled out by {unit.ruling or 'nothing'}"
            yield self.fault("leads to a unit out of scope", "a unit in scope", found, "Remove the line, or take the unit back into scope.")

    def against_class(self, kind: ServiceClass) -> Iterator[Finding]:
        line = self.line
        if line.medium != kind.medium:
            step = f"Correct `medium`, or choose a class of medium {line.medium}."
            yield self.fault(f"medium does not fit class {kind.class_id}", kind.medium, line.medium, step)
        if kind.access_methods and line.access_method not in kind.access_methods:
            expected = " or ".join(kind.access_methods)
            step = f"Correct `access_method`, or permit it for the class in {ORDER_FILE}."
            yield self.fault(f"access_method does not fit class {kind.class_id}", expected, line.access_method, step)
        ends = {"a_reserved_interface": line.a_reserved_interface, "z_reserved_interface": line.z_reserved_interface}
        for column, port in ends.items():
            if kind.reserved_port_mbps is not None and port is None:
                step = f"Name the port that is kept free in `{column}`."
                yield self.fault(
                    f"no `{column}`", f"the port reserved for {kind.reserved_port_mbps}M by class {kind.class_id}", "nothing", step
                )
            if kind.reserved_port_mbps is None and port is not None:
                step = f"Empty `{column}`, or choose a class with a reserved port."
                yield self.fault(f"`{column}` is filled in", f"nothing: class {kind.class_id} reserves no port", port, step)

    def permission(self, unit: Unit, kind: ServiceClass) -> Iterator[Finding]:
        who = f"unit {unit.unit_id} ({unit.name}): {unit.level}, {unit.kind}"
        if unit.level not in kind.for_levels or (kind.for_kinds and unit.kind not in kind.for_kinds):
            expected = ", ".join(kind.for_levels) + (f"; {', '.join(kind.for_kinds)}" if kind.for_kinds else "")
            step = f"Choose another class for the line, or correct the unit (the class stands at {kind.source.where or ORDER_FILE})."
            yield self.fault(f"class {kind.class_id} is not permitted for its unit", expected, who, step)
        # the ruling that says who may use the class at all is no exception from it
        general = kind.sources["permitted"].ruling if "permitted" in kind.sources else None
        if kind.urban_needs_ruling and unit.urban and self.line.ruling in (None, general):
            step = f"Give the line a fibre class, or record the ruling under `rulings` in {ORDER_FILE} and name it here."
            ruling = "without a ruling" if self.line.ruling is None else f"with {general}, which excepts nobody,"
            found = f"{kind.words} {ruling} for urban {who}"
            yield self.fault(f"class {kind.class_id} on an urban unit", "a fibre class, or the id of a ruling on this unit", found, step)
