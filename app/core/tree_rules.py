"""Judge the shape of the network: primary lines make one tree whose root is the one city core."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.core.inventory import Device, Inventory, Line, parents, path_to_root
from app.core.references import References, find_twins
from app.errors import Finding

DEVICES_FILE = "inventory/devices.csv"


def find_tree_faults(inventory: Inventory, references: References) -> Iterator[Finding]:
    """Yield what keeps the primary lines from being a tree; silent while lines or devices are missing from the reading."""
    if references.incomplete & {"lines", "devices"}:
        return
    routers = [device for device in inventory.devices.values() if device.role != "unit_switch"]
    roots = [device for device in routers if device.role == "city_core"]
    yield from _root_faults(roots)
    primary = [line for line in inventory.lines.values() if line.role == "primary"]
    ends = [(f"line {line.line_id}", line.z_device, line.where) for line in primary]
    yield from find_twins(ends, "z device", "Make one of them a backup line, or correct `z_device`.")
    parent = parents(inventory)
    for root in roots:
        if root.name in parent:
            line = parent[root.name]
            step = "Turn the line round: `a` is the end nearer the centre."
            yield Finding(line.where, f"line {line.line_id} leads down to the city core", "no primary line above the root", root.name, step)
    if len(roots) == 1:
        for device in routers:
            if device is not roots[0]:
                yield from _stranded(device, parent, roots[0].name)


def _root_faults(roots: list[Device]) -> Iterator[Finding]:
    if not roots:
        step = f"Add it to {DEVICES_FILE}."
        yield Finding(DEVICES_FILE, "the network has no root", "one device of role city_core", "none", step)
    for extra in roots[1:]:
        found = f"{extra.name} and {roots[0].name}"
        yield Finding(extra.where, "the network has two roots", "one device of role city_core", found, "Give one of them another role.")


def _stranded(device: Device, parent: Mapping[str, Line], root: str) -> Iterator[Finding]:
    path = list(path_to_root(device.name, parent))
    top = path[-1].a_device if path else device.name
    if top == root:
        return
    if not path:
        step = "Add the line that connects it to inventory/lines.csv, or remove the device."
        yield Finding(device.where, f"device {device.name} has no primary line", f"a way up to {root}", "none", step)
    elif top == device.name:
        found = " → ".join([device.name, *(line.a_device for line in path)])
        yield Finding(
            path[0].where,
            f"primary lines run in a circle at {device.name}",
            f"a way up to {root}",
            found,
            "Correct the ends of one of them.",
        )
