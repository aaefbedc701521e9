"""Render: the intended configuration of every device, its first-boot text, and a page per site to print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from app.core.bootstrap import render_page
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.render import build_environment, render_bootstrap, render_device
from app.core.workspace import Workspace
from app.edge.templates import write_texts
from app.errors import Finding, InputError


def render(
    workspace: Workspace, templates: Mapping[str, str], names: Iterable[str] | None = None, *, bootstrap: bool = False
) -> dict[str, str]:
    """Return the configuration text of each device by name, in file order: the intended one, or what is typed at first boot.

    `names` narrows to these devices, as names or globs. Secrets stay references. Raises InputError for an unknown name and for a workspace
    that no intent can be drawn from, RenderError where a template and an intent do not fit.
    """
    environment = build_environment(templates)
    draw = render_bootstrap if bootstrap else render_device
    return {name: draw(intent, environment) for name, intent in _chosen(build_intents(workspace), names).items()}


def render_pages(
    workspace: Workspace, templates: Mapping[str, str], names: Iterable[str] | None = None, *, language: str = "zh"
) -> dict[str, str]:
    """Return the bootstrap page of each site by unit id (by device name where no unit is): who, where, which uplink, what to type.

    `language` is `zh` or `en`. Raises as `render` does.
    """
    environment = build_environment(templates)
    sites: dict[str, list[DeviceIntent]] = {}
    for name, intent in _chosen(build_intents(workspace), names).items():
        sites.setdefault(_site(workspace, name), []).append(intent)
    return {site: render_page(workspace, site, intents, environment, language=language) for site, intents in sites.items()}


def write_configs(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write `folder/NAME.cfg` for each text and return the paths."""
    return write_texts(folder, {f"{name}.cfg": text for name, text in texts.items()})


def write_pages(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write `folder/SITE.txt` for each page and return the paths."""
    return write_texts(folder, {f"{site}.txt": text for site, text in texts.items()})


def _chosen(intents: Mapping[str, DeviceIntent], names: Iterable[str] | None) -> dict[str, DeviceIntent]:
    if names is None:
        return dict(intents)
    wanted = list(dict.fromkeys(names))
    unknown = [_unknown(name, intents) for name in wanted if not any(fnmatchcase(device, name) for device in intents)]
    if unknown:
        raise InputError(unknown)
    return {device: intent for device, intent in intents.items() if any(fnmatchcase(device, name) for name in wanted)}


def _unknown(name: str, intents: Mapping[str, DeviceIntent]) -> Finding:
    close = get_close_matches(name, intents, n=3)
    return Finding(
        "inventory/devices.csv",
        f"device {name} is asked for",
        "the name of a device of this workspace, or a glob",
        "no such device",
        f"Did you mean {', '.join(close)}?" if close else "See inventory/devices.csv for the names.",
    )


def _site(workspace: Workspace, device: str) -> str:
    return workspace.inventory.devices[device].unit_id or device
