"""Turn an intent into the text of a configuration. Same intent, same templates: same bytes.

Templates decide nothing: no arithmetic, no default values. What they may call, beside Jinja's own:

| name | kind | meaning |
|---|---|---|
| `mask` | filter | dotted netmask of an address or prefix |
| `wildcard` | filter | inverted netmask (VRP's and IOS's wildcard) of an address or prefix |
| `network` | filter | network address of an address with prefix length |
| `echoed(NAME)` | test | the OSPF value is set and the family shows it in its own echo (it is not its default) |

Rates stand in kbit/s in the intent, which is what VRP's `cir` takes; a family that counts otherwise gets a filter here.
Empty lines are dropped (no device prints one), so a template may break lines where it reads well.
Secrets are references, `<secret:NAME>`, resolved at the moment of the push.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from types import TracebackType

from jinja2 import Environment, FunctionLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError, UndefinedError

from app.core.families import FAMILIES
from app.core.intent import DeviceIntent, InterfaceIntent
from app.errors import RenderError

TEMPLATE_ROOT = "templates/device_configs"
_QUOTED = re.compile(r"'([^']*)'")


def build_environment(texts: Mapping[str, str]) -> Environment:
    """Return the Jinja environment over these templates (name → text), made once per set of texts."""
    return _environment(tuple(sorted(texts.items())))


@lru_cache(maxsize=4)
def _environment(texts: tuple[tuple[str, str], ...]) -> Environment:
    held = dict(texts)

    def load(name: str) -> tuple[str, str, None] | None:
        """Give the template its own name as file name, so that a traceback names it; DictLoader gives none."""
        return (held[name], name, None) if name in held else None

    environment = Environment(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # device text, not HTML
        auto_reload=False,
        finalize=_refuse_none,
    )
    environment.filters |= {"mask": mask, "wildcard": wildcard, "network": network}
    environment.tests["echoed"] = is_echoed
    return environment


def mask(value: IPv4Interface | IPv4Network) -> str:
    """Return the dotted netmask."""
    return str(value.netmask)


def wildcard(value: IPv4Interface | IPv4Network) -> str:
    """Return the inverted netmask."""
    return str(value.hostmask)


def network(value: IPv4Interface | IPv4Network) -> IPv4Address:
    """Return the network's own address."""
    return value.network.network_address if isinstance(value, IPv4Interface) else value.network_address


def is_echoed(value: object, name: str, family: str) -> bool:
    """Tell whether a device of the family shows this OSPF value in its running configuration."""
    return value is not None and FAMILIES[family].unsaid.get(name) != value


def _refuse_none(value: object) -> object:
    """Stop a template that prints a value which is not known: it would read None."""
    if value is None:
        raise UndefinedError("a value that is not known (None) would be printed")
    return value


def render_device(intent: DeviceIntent, templates: Environment) -> str:
    """Return the intended configuration, ending in one newline.

    Raises RenderError naming template, line, device and variable.
    """
    return _render(f"{intent.family}/{intent.role}.j2", intent, templates)


def render_bootstrap(intent: DeviceIntent, templates: Environment) -> str:
    """Return what must be typed before the device can be reached: name, uplink, route to the centre, SSH.

    Raises RenderError as `render_device` does.
    """
    return _render(f"{intent.family}/bootstrap.j2", intent, templates)


def render_activation(intent: DeviceIntent, templates: Environment) -> str:
    """Return what opens the device's reserved ports under supervision; empty where it has none.

    Raises RenderError as `render_device` does.
    """
    if not any(port.kind == "reserved" for port in intent.interfaces):
        return ""
    return _render(f"{intent.family}/activate.j2", intent, templates)


def centre_port(intent: DeviceIntent) -> InterfaceIntent:
    """Return the interface towards the centre: the uplink, or at the root the port to the monitoring service.

    Raises RenderError where there is none.
    """
    for port in intent.interfaces:
        if port.name == intent.uplink or (intent.uplink is None and port.address and port.address.network in intent.management.sources):
            return port
    raise RenderError(
        f"device {intent.hostname}: bootstrap: expected an interface towards the centre; found none. "
        "Check its uplink in inventory/lines.csv and the monitoring service in inventory/services.csv."
    )


def _render(name: str, intent: DeviceIntent, templates: Environment) -> str:
    text = fill(name, {"intent": intent, "centre_port": centre_port(intent)}, templates, f"device {intent.hostname}")
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines() if line.strip())


def fill(name: str, context: Mapping[str, object], templates: Environment, subject: str) -> str:
    """Return a template filled in. Raises RenderError that starts with `subject` (the device or site) and names the place."""
    try:
        return templates.get_template(name).render(context)
    except TemplateNotFound as error:
        raise RenderError(_missing(subject, name, str(error))) from None
    except TemplateSyntaxError as error:
        place = f"{TEMPLATE_ROOT}/{error.name}:{error.lineno}"
        raise RenderError(f"{subject}: {place}: expected a Jinja template; found {str(error).rstrip('.')}. Correct that line.") from None
    except (UndefinedError, TypeError, ValueError, AttributeError, LookupError) as error:
        raise RenderError(_misfit(subject, name, error)) from None


def _missing(subject: str, name: str, found: str) -> str:
    return (
        f"{subject}: template {TEMPLATE_ROOT}/{found}: expected a file; found none (asked for by {name}). "
        "Write it, or choose another family or role in inventory/devices.csv."
    )


def _misfit(subject: str, name: str, error: Exception) -> str:
    template, line = _place(error.__traceback__, name)
    quoted = _QUOTED.findall(str(error))
    found = f"variable {quoted[-1]!r}: {error}" if isinstance(error, UndefinedError) and quoted else str(error)
    return (
        f"{subject}: {TEMPLATE_ROOT}/{template}:{line}: expected names and values that an intent has "
        f"(app/core/intent.py); found {found}. Correct that line."
    )


def _place(traceback: TracebackType | None, name: str) -> tuple[str, int]:
    """Return template and line of the innermost template frame; Jinja has rewritten the traceback to template lines."""
    place = (name, 0)
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file.endswith(".j2"):
            place = (file, traceback.tb_lineno)
        traceback = traceback.tb_next
    return place
