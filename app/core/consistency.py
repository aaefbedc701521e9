"""Judge the files of a workspace against each other. Pure; every rule yields findings and none stops another.

`incomplete` names the tables and sections that lack something because of a finding of their own (`units`, `lines`,
`service_classes` …): whatever points into them is not judged, so that one fault is reported once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.core.inventory import Device, Region, Service, Unit
from app.core.ipplan import PLAN_FILE
from app.core.ipv6 import find_ipv6_faults
from app.core.line_rules import find_line_faults
from app.core.nat_rules import find_nat_faults
from app.core.order_rules import find_order_faults
from app.core.plan_faults import find_conflicts, find_pool_faults
from app.core.pool_rules import find_pool_rule_faults
from app.core.ports import find_port_faults
from app.core.references import References, find_twins
from app.core.spans import ledger_order
from app.core.tree_rules import find_tree_faults
from app.core.vpn_lines import find_vpn_line_faults
from app.core.workspace import Workspace
from app.errors import Finding

#: What prompts, file names and every vendor's `sysname` take (domain default; no standard of the extranet names one).
DEVICE_NAME = re.compile(r"[A-Za-z0-9._-]{1,32}")
BACKBONE_AREA = "0.0.0.0"
UNIT_ROLES = ("city_unit", "urban_unit", "township_unit", "unit_switch")


def find_inconsistencies(workspace: Workspace, *, incomplete: frozenset[str] = frozenset()) -> list[Finding]:
    """Return everything in the workspace that contradicts something else in it, in file order."""
    rules = _InventoryRules(workspace, References(incomplete))
    return [
        *find_order_faults(workspace, rules.references),
        *rules.regions(),
        *rules.units(),
        *rules.devices(),
        *rules.services(),
        *find_line_faults(workspace, rules.references),
        *find_port_faults(workspace.inventory),
        *find_tree_faults(workspace.inventory, rules.references),
        *find_plan_faults(workspace, rules.references),
        *find_nat_faults(workspace, rules.references),
        *find_vpn_line_faults(workspace, rules.references),
        *find_ipv6_faults(workspace),
    ]


def find_notes(workspace: Workspace) -> list[Finding]:
    """Return what a reader should know though nothing is wrong: an illustration, sample units, units that were ruled out."""
    notes = []
    plan, units = workspace.plan, workspace.inventory.units.values()
    if plan.illustration:
        notes.append(
            Finding(
                PLAN_FILE,
                "the plan is an illustration",
                "the prefixes that the owner was assigned, with their provenance",
                f"illustration: true ({plan.provenance.document})",
                "Plan and render work; put the owner's pools in before any deployment.",
                note=True,
            )
        )
    if samples := [unit for unit in units if unit.sample]:
        found = f"{len(samples)} of {len(units)} units marked sample"
        notes.append(
            Finding(
                samples[0].where, "units are samples", "the real list of units", found, "Replace the rows with the real ones.", note=True
            )
        )
    if ruled_out := [unit for unit in units if not unit.in_scope]:
        names = ", ".join(f"{unit.unit_id} ({unit.ruling})" for unit in ruled_out)
        step = "They get no line and count in none; a milestone that names their kind still counts them."
        notes.append(Finding(ruled_out[0].where, "units are ruled out of the count", "every unit in scope", names, step, note=True))
    return notes


def find_plan_faults(workspace: Workspace, references: References) -> Iterator[Finding]:
    """Yield what is wrong with pools, management and ledger, by themselves and against the inventory."""
    if "plan" in references.incomplete:
        return
    plan, inventory = workspace.plan, workspace.inventory
    yield from find_pool_faults(plan)
    yield from find_pool_rule_faults(plan)
    for pool in plan.pools:
        owner = f"pool {pool.name}"
        yield from references.judge(pool.where, owner, "vrf", pool.vrf, "vrfs", plan.vrfs, PLAN_FILE)
        for region in pool.regions:
            yield from references.judge(pool.where, owner, "regions", region, "regions", inventory.regions, "inventory/regions.csv")
    yield from find_conflicts(plan, sorted(workspace.ledger, key=ledger_order), {})
    management = plan.management
    named = {
        "monitoring_service": (management.monitoring_service,),
        "ntp_services": management.ntp_services,
        "syslog_services": management.syslog_services,
        "trap_services": management.trap_services,
        "aaa.services": management.aaa.services if management.aaa else (),
    }
    for column, names in named.items():
        for name in names:
            yield from references.judge(
                management.where, "management", column, name, "services", inventory.services, "inventory/services.csv"
            )
    monitoring = inventory.services.get(management.monitoring_service)
    if monitoring is not None and monitoring.kind != "monitoring":
        step = "Name the service where the poller stands, or correct its kind in inventory/services.csv."
        what = f"monitoring_service {monitoring.service_id} is no monitoring service"
        yield Finding(management.where, what, "a service of kind monitoring", f"kind {monitoring.kind}", step)


@dataclass(frozen=True, slots=True)
class _InventoryRules:
    workspace: Workspace
    references: References

    def regions(self) -> Iterator[Finding]:
        regions = self.workspace.inventory.regions
        roots = [region for region in regions.values() if region.level == "city"]
        if len(roots) != 1 and "regions" not in self.references.incomplete:
            where = roots[1].where if len(roots) > 1 else "inventory/regions.csv"
            found = ", ".join(region.code for region in roots) or "none"
            yield Finding(
                where, "the region tree has no single root", "one region of level city", found, "Keep one; every county is its child."
            )
        for region in regions.values():
            yield from self.region(region, regions.get(region.parent or ""))

    def region(self, region: Region, parent: Region | None) -> Iterator[Finding]:
        owner = f"region {region.code}"
        if region.level == "city":
            if region.parent is not None:
                yield Finding(region.where, f"{owner}: the city has a parent", "none", region.parent, "Leave `parent` empty.")
            if region.ospf_area != BACKBONE_AREA:
                step = "Counties hang on the city's area, so it is the backbone."
                yield Finding(region.where, f"{owner}: the city is not in the backbone area", BACKBONE_AREA, region.ospf_area, step)
            return
        if region.parent is None:
            yield Finding(region.where, f"{owner}: a county without a parent", "the code of the city", "nothing", "Fill in `parent`.")
        elif parent is None:
            known = self.workspace.inventory.regions
            yield from self.references.judge(region.where, owner, "parent", region.parent, "regions", known, "inventory/regions.csv")
        elif parent.level != "city":
            yield Finding(
                region.where,
                f"{owner}: its parent is no city",
                "a region of level city",
                f"{parent.code} ({parent.level})",
                "Correct `parent`.",
            )
        if region.ospf_area == BACKBONE_AREA:
            step = "Give the county an area of its own; a stub area cannot be the backbone."
            yield Finding(
                region.where, f"{owner}: a county in the backbone area", f"an area other than {BACKBONE_AREA}", BACKBONE_AREA, step
            )

    def units(self) -> Iterator[Finding]:
        units = self.workspace.inventory.units.values()
        names = [(f"unit {unit.unit_id}", f"{unit.region}/{unit.name}", unit.where) for unit in units]
        yield from find_twins(names, "region and name", "Remove the row that repeats the unit, or tell the names apart.")
        connected = {line.unit_id for line in self.workspace.inventory.lines.values() if line.role == "primary"}
        for unit in units:
            yield from self.unit(unit, is_connected=unit.unit_id in connected)

    def unit(self, unit: Unit, *, is_connected: bool) -> Iterator[Finding]:
        owner = f"unit {unit.unit_id} ({unit.name})"
        regions, rulings = self.workspace.inventory.regions, self.workspace.order.rulings
        yield from self.references.judge(unit.where, owner, "region", unit.region, "regions", regions, "inventory/regions.csv")
        yield from self.references.judge(unit.where, owner, "ruling", unit.ruling, "rulings", rulings, "inventory/order.yaml")
        region = regions.get(unit.region)
        wanted = "city" if unit.level == "city" else "county"
        if region is not None and region.level != wanted:
            found = f"{region.code} ({region.level})"
            yield Finding(
                unit.where,
                f"{owner}: level and region do not fit",
                f"a {wanted} for level {unit.level}",
                found,
                "Correct `level` or `region`.",
            )
        if not unit.in_scope and unit.ruling is None:
            step = "Record the ruling under `rulings` in inventory/order.yaml and name it here."
            yield Finding(unit.where, f"{owner} is ruled out without a ruling", "the id of a ruling", "nothing", step)
        if unit.in_scope and unit.kind != "centre" and not is_connected and "lines" not in self.references.incomplete:
            step = "Add its line to inventory/lines.csv, or rule the unit out (in_scope no, with a ruling)."
            yield Finding(unit.where, f"{owner} is in scope and has no line", "one primary line", "none", step)

    def devices(self) -> Iterator[Finding]:
        inventory = self.workspace.inventory
        devices = inventory.devices.values()
        names = [(f"device {device.name}", device.name.lower(), device.where) for device in devices]
        yield from find_twins(names, "name in all but case", "Rename one of them.")
        switches = [
            (f"switch {device.name}", device.unit_id, device.where) for device in devices if device.role == "unit_switch" and device.unit_id
        ]
        yield from find_twins(switches, "unit", "Keep one switch per unit; its management prefix has one host.")
        for device in devices:
            yield from self.device(device)

    def device(self, device: Device) -> Iterator[Finding]:
        inventory, owner = self.workspace.inventory, f"device {device.name}"
        if DEVICE_NAME.fullmatch(device.name) is None:
            step = "Rename it; prompts and file names break on anything else."
            yield Finding(device.where, f"{owner}: the name cannot be used", "1 to 32 of A-Z a-z 0-9 . _ -", f"`{device.name}`", step)
        yield from self.references.judge(
            device.where, owner, "region", device.region, "regions", inventory.regions, "inventory/regions.csv"
        )
        yield from self.references.judge(device.where, owner, "unit_id", device.unit_id, "units", inventory.units, "inventory/units.csv")
        yield from self.references.judge(
            device.where, owner, "platform", device.platform, "groups", self.workspace.groups, "inventory/groups.yaml"
        )
        unit = inventory.units.get(device.unit_id or "")
        if device.role in UNIT_ROLES and device.unit_id is None:
            yield Finding(
                device.where, f"{owner}: a {device.role} stands at no unit", "the id of its unit", "nothing", "Fill in `unit_id`."
            )
        if unit is not None and unit.region in inventory.regions and unit.region != device.region:
            yield Finding(
                device.where,
                f"{owner} stands in another region than its unit",
                unit.region,
                device.region,
                "Correct `region` or `unit_id`.",
            )

    def services(self) -> Iterator[Finding]:
        for service in self.workspace.inventory.services.values():
            yield from self.service(service)

    def service(self, service: Service) -> Iterator[Finding]:
        inventory, owner = self.workspace.inventory, f"service {service.service_id}"
        yield from self.references.judge(
            service.where, owner, "device", service.device, "devices", inventory.devices, "inventory/devices.csv"
        )
        yield from self.references.judge(service.where, owner, "vpn", service.vpn, "vrfs", self.workspace.plan.vrfs, PLAN_FILE)
        device = inventory.devices.get(service.device)
        if device is not None and device.role == "unit_switch":
            yield Finding(service.where, f"{owner} stands on a switch", "a router", device.name, "Attach it to a router's port.")
        if service.kind == "access" and service.vpn is None:
            step = "Fill in `vpn`; units reach the public zone over their own LAN."
            yield Finding(service.where, f"{owner} is an access port of no VPN", "a VPN in `vpn`", "none", step)
        for unit_id in service.reached_by:
            yield from self.references.judge(service.where, owner, "reached_by", unit_id, "units", inventory.units, "inventory/units.csv")
        yield from self.standby(service, owner)

    def standby(self, service: Service, owner: str) -> Iterator[Finding]:
        """Two services that stand in for each other name each other, and serve the same units (SR-4)."""
        services = self.workspace.inventory.services
        yield from self.references.judge(
            service.where, owner, "standby_for", service.standby_for, "services", services, "inventory/services.csv"
        )
        other = services.get(service.standby_for or "")
        if other is None:
            return
        if other is service or other.standby_for != service.service_id:
            step = "Hot standby is mutual: let each name the other."
            found = other.standby_for or "nothing"
            yield Finding(
                service.where, f"{owner} and {other.service_id} are not each other's standby", service.service_id, found, step
            )
        elif (set(service.must_reach), set(service.reached_by)) != (set(other.must_reach), set(other.reached_by)):
            step = "Give both the same `must_reach` and `reached_by`."
            what = f"{owner} stands in for {other.service_id} and is for other units"
            yield Finding(service.where, what, "; ".join(other.must_reach), "; ".join(service.must_reach), step)
