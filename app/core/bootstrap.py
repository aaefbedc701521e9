"""The sheet that goes with a site's devices: which unit, which line, what to type at first boot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jinja2 import Environment

from app.core.families import FAMILIES
from app.core.heads import DEVICE_ROLES
from app.core.intent import DeviceIntent, InterfaceIntent
from app.core.inventory import Inventory, Line
from app.core.render import centre_port, fill, render_bootstrap
from app.core.workspace import Workspace

#: What an office calls a role: 县级汇聚.
_ROLE_WORDS = {role: word for word, role in DEVICE_ROLES.items()}


@dataclass(frozen=True, slots=True)
class DeviceSheet:
    """One device on the sheet. `line` is its uplink where that is a carrier's line; `host_key` the command that makes one."""

    intent: DeviceIntent
    vendor: str
    model: str
    port: InterfaceIntent
    line: Line | None
    class_words: str | None
    class_words_en: str | None
    carrier: str | None
    carrier_en: str | None
    role_words: str
    role_words_en: str
    host_key: str | None
    text: str


@dataclass(frozen=True, slots=True)
class SiteSheet:
    """One site: a unit with its devices, or a device that belongs to none."""

    site_id: str
    unit_name: str
    unit_name_en: str
    region: str
    region_name: str
    region_name_en: str
    illustration: bool
    devices: tuple[DeviceSheet, ...]


def render_page(workspace: Workspace, site_id: str, intents: Iterable[DeviceIntent], templates: Environment, *, language: str) -> str:
    """Return the sheet of a site as text, in `zh` or `en`. Raises RenderError as `app.core.render` does."""
    sheet = build_sheet(workspace, site_id, intents, templates)
    return fill(f"_page.{language}.j2", {"site": sheet}, templates, f"site {site_id}").rstrip("\n") + "\n"


def build_sheet(workspace: Workspace, site_id: str, intents: Iterable[DeviceIntent], templates: Environment) -> SiteSheet:
    """Return what a site's sheet says; the devices in the order given."""
    devices = tuple(_device_sheet(workspace, intent, templates) for intent in intents)
    unit = workspace.inventory.units.get(site_id)
    region = workspace.inventory.regions[unit.region if unit else devices[0].intent.region]
    return SiteSheet(
        site_id=site_id,
        unit_name=unit.name if unit else site_id,
        unit_name_en=unit.name_en if unit else site_id,
        region=region.code,
        region_name=region.name,
        region_name_en=region.name_en,
        illustration=workspace.plan.illustration,
        devices=devices,
    )


def _device_sheet(workspace: Workspace, intent: DeviceIntent, templates: Environment) -> DeviceSheet:
    device = workspace.inventory.devices[intent.hostname]
    line = _uplink(workspace.inventory, intent)
    service_class = workspace.order.classes[line.service_class] if line else None
    carrier, carrier_en = workspace.order.carrier_names(line.carrier) if line else (None, None)
    return DeviceSheet(
        intent=intent,
        vendor=device.vendor,
        model=device.model,
        port=centre_port(intent),
        line=line,
        class_words=service_class.words if service_class else None,
        class_words_en=service_class.words_en if service_class else None,
        carrier=carrier,
        carrier_en=carrier_en,
        role_words=_ROLE_WORDS[intent.role],
        role_words_en=intent.role.replace("_", " "),
        host_key=FAMILIES[intent.family].host_key,
        text=render_bootstrap(intent, templates),
    )


def _uplink(inventory: Inventory, intent: DeviceIntent) -> Line | None:
    line_id = next((port.line_id for port in intent.interfaces if port.name == intent.uplink), None)
    return inventory.lines[line_id] if line_id else None
