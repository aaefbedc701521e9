"""A workspace as one value: the order, what is to be built, the plan and its ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.core.availability import ServicePolicy
from app.core.faults import FaultPolicy
from app.core.inventory import Group, Inventory
from app.core.ipplan import Allocation, Plan
from app.core.ipv6_rows import Allocation6
from app.core.order import Order
from app.core.workdays import WorkCalendar


@dataclass(frozen=True, slots=True)
class Workspace:
    """Everything that was read, parsed and found consistent; nobody checks it again.

    `defaults` are Nornir's, passed through as they stand. `calendar`, `service` and `faults` are of inventory/calendar.yaml.
    """

    order: Order
    inventory: Inventory
    plan: Plan
    ledger: tuple[Allocation, ...]
    groups: Mapping[str, Group]
    defaults: Mapping[str, object] = field(default_factory=dict)
    ledger6: tuple[Allocation6, ...] = ()
    calendar: WorkCalendar = field(default_factory=WorkCalendar)
    service: ServicePolicy = field(default_factory=ServicePolicy)
    faults: FaultPolicy = field(default_factory=FaultPolicy)
