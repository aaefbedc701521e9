"""What must hold before an intent can be drawn, and of the texts that it then carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.core.ground import Ground
from app.core.intent import DeviceIntent
from app.core.inventory import Device
from app.core.ipplan import PLAN_FILE, Management
from app.core.plan_faults import LEDGER_FILE
from app.core.typed_texts import SENTENCE_WORDS, SENTENCES, WORD_WORDS, find_untypeable, is_sentence, is_word
from app.errors import Finding

#: VRP takes 242 characters; ifAlias of RFC 2863 in older agents 64 to 255. Ours stay below.
DESCRIPTION_LIMIT = 200


def find_unfit_devices(ground: Ground) -> Iterator[Finding]:
    for device in ground.workspace.inventory.devices.values():
        family = ground.families.get(device.family)
        if family is None:
            yield Finding(
                device.where,
                f"device {device.name} is of an unknown family",
                f"one of {', '.join(ground.families)}",
                device.family,
                "Correct the family, or add it to app/core/families.py with templates.",
            )
        elif device.role not in family.roles:
            yield Finding(
                device.where,
                f"device {device.name}: family {family.name} has no template for its role",
                f"one of {', '.join(family.roles)}",
                device.role,
                f"Choose another family, or write templates/device_configs/{family.name}/{device.role}.j2.",
            )
        elif device.role == "unit_switch":
            yield from _find_unfit_switch(ground, device)


def _find_unfit_switch(ground: Ground, device: Device) -> Iterator[Finding]:
    line = ground.unit_lines.get(device.unit_id or "")
    if device.lan_interface is None:
        yield Finding(
            device.where,
            f"switch {device.name} has no port towards its router",
            "lan_interface, the trunk port",
            "none",
            "Fill in lan_interface.",
        )
    if line is None:
        yield Finding(
            device.where,
            f"switch {device.name} has no router above it",
            "a primary line to its unit",
            f"unit {device.unit_id or 'none'} without one",
            "Add the line to inventory/lines.csv, or correct unit_id.",
        )
    elif ground.device(line.z_device).lan_interface is None:
        router = ground.device(line.z_device)
        yield Finding(
            router.where,
            f"router {router.name} has no LAN port for switch {device.name}",
            "lan_interface",
            "none",
            "Fill in lan_interface of the router.",
        )


def find_unfit_management(ground: Ground) -> Iterator[Finding]:
    management, inventory = ground.workspace.plan.management, ground.workspace.inventory
    for name in management.named_services:
        if name not in inventory.services:
            yield Finding(
                PLAN_FILE,
                f"management names service {name}",
                f"one of {', '.join(inventory.services) or 'inventory/services.csv'}",
                "no such service",
                "Correct the name, or add the service to inventory/services.csv.",
            )
    service = inventory.services.get(management.monitoring_service)
    if service is not None and ground.device(service.device).role != "city_core":
        yield Finding(
            service.where,
            f"monitoring service {service.service_id} does not stand at the root",
            "a device of role city_core, to which every uplink leads",
            f"{service.device} ({ground.device(service.device).role})",
            "Attach it to the city core, or name another service in ipplan/plan.yaml.",
        )
    for family in {device.family: None for device in inventory.devices.values()}:
        held = ground.families.get(family)
        if held is not None and management.snmp_auth not in held.digests:
            yield Finding(
                management.where or PLAN_FILE,
                f"family {family} cannot carry management.snmp_auth",
                f"one of {', '.join(held.digests)}",
                management.snmp_auth,
                "Choose a digest that every family of inventory/devices.csv knows.",
            )
    yield from _find_untypeable_management(management)


def find_unaddressed(ground: Ground) -> list[Finding]:
    holders = list(_holders(ground))
    if not ground.book.prefixes:
        expected = f"prefixes of {len(holders)} holders"
        return [Finding(LEDGER_FILE, "the ledger holds nothing", expected, "none", "Run `waiwang plan --commit`.")]
    findings = []
    for holder, where, longest in holders:
        prefix = ground.book.prefixes.get(holder)
        if prefix is None:
            findings.append(Finding(where, f"{holder} holds no prefix", f"a row in {LEDGER_FILE}", "none", "Run `waiwang plan --commit`."))
        elif prefix.prefixlen > longest:
            findings.append(
                Finding(
                    where,
                    f"{holder} holds a prefix too small for two ends",
                    f"/{longest} or shorter",
                    str(prefix),
                    "Correct the pool's length in ipplan/plan.yaml and plan anew.",
                )
            )
    return findings


def _holders(ground: Ground) -> Iterator[tuple[str, str, int]]:
    """Yield every holder that an intent asks the ledger for, with its place in the inventory and the longest usable prefix."""
    inventory = ground.workspace.inventory
    for device in inventory.devices.values():
        if ground.families[device.family].loopback is not None:
            yield f"device:{device.name}", device.where, 32
    for line in inventory.lines.values():
        yield f"line:{line.line_id}", line.where, 31
    for unit_id, line in ground.unit_lines.items():
        unit = inventory.units[unit_id]
        if unit.in_scope and ground.device(line.z_device).lan_interface is not None:
            yield f"unit:{unit_id}", unit.where, 30
    for unit_id in ground.switches:
        yield f"management:{unit_id}", inventory.units[unit_id].where, 30
    for held in inventory.vpn_lines:
        yield f"vpn:{held.line_id}/{held.vpn}", held.where, 31
    for service in inventory.services.values():
        yield f"service:{service.service_id}", service.where, 30


def find_unfit_texts(ground: Ground, intents: Iterable[DeviceIntent]) -> Iterator[Finding]:
    """Yield every text of an intent that would say more than itself on a device, and descriptions that are too long."""
    inventory = ground.workspace.inventory
    for intent in intents:
        device = inventory.devices[intent.hostname]
        for port in intent.interfaces:
            if len(port.description) <= DESCRIPTION_LIMIT and is_sentence(port.description):
                continue
            yield Finding(
                inventory.lines[port.line_id].where if port.line_id else device.where,
                f"description of {intent.hostname} {port.name}",
                f"at most {DESCRIPTION_LIMIT} {SENTENCE_WORDS}",
                f"{len(port.description)}: {port.description!r}",
                "Shorten the names or write them in ASCII.",
            )
        for name, text in find_untypeable(intent):
            if name not in SENTENCES:
                step = "Rename it; on a device it would be read as something else."
                yield Finding(device.where, f"device {intent.hostname}: {name}", WORD_WORDS, repr(text), step)


def _find_untypeable_management(management: Management) -> Iterator[Finding]:
    where = management.where or PLAN_FILE
    for name in ("ssh_user", "snmp_user"):
        text = getattr(management, name)
        if not is_word(text):
            step = "Name the account so."
            yield Finding(where, f"management.{name} cannot be typed on every device", WORD_WORDS, repr(text), step)
    if not is_sentence(management.banner):
        what, step = "management.banner cannot be typed on every device", "Write the banner in plain ASCII."
        yield Finding(where, what, f"one line of {SENTENCE_WORDS}", repr(management.banner), step)
