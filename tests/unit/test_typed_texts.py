"""No text of the inventory or the plan becomes a command of its own on a device, whatever it holds, in any family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.core.commands import SECRET_REFERENCE
from app.core.typed_texts import NOT_TYPED, is_sentence, is_word
from app.core.workspace import Workspace
from app.edge.templates import read_templates
from app.errors import InputError, RenderError
from app.workflows.render import render
from tests.golden.render.workspace import full_workspace, isis_workspace
from tests.samples.small_city import ROOT, SWITCHES
from tests.unit.test_intent import changed, refusal

FAMILIES = ("huawei_ar", "huawei_ne", "h3c_msr", "cisco_ios", "frr")
#: What an attacker, or a spreadsheet, would put into a name.
HOSTILE = (
    "A\nundo shutdown",
    "A\r\nreturn",
    "A\x0bshutdown",
    "A\x1cshutdown",
    "A\x85shutdown",
    "A\u2028shutdown",
    "A\x00",
    "A\x03",
    "A\x1a",
    "A\x7f",
    "A?",
    'A" B',
    "A^",
    "A | redirect flash:x",
    "<secret:ssh_password>",
    "A%^%#x%^%#",
    "巴中",
    "A\u202eB",
    " ",
    "",
    "A privilege 15",
    "x" * 300,
    "{{ intent }}",
    "{% raw %}",
    "!A",
    "#A",
)
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=30) | st.text("AZ09-._/:?!\"'^|<>%$#\\ \t\n\r\x85\u2028", max_size=20)

Change = Callable[[Workspace, str], Workspace]


def _of(table: str, key: str, column: str) -> Change:
    return lambda workspace, text: changed(workspace, table, key, **{column: text})


def _management(field: str) -> Change:
    def change(workspace: Workspace, text: str) -> Workspace:
        return replace(workspace, plan=replace(workspace.plan, management=replace(workspace.plan.management, **{field: text})))

    return change


def _province_port(workspace: Workspace, text: str) -> Workspace:
    bgp = workspace.plan.features.bgp
    assert bgp is not None
    peer = replace(bgp.peers[0], interface=text)
    return replace(workspace, plan=replace(workspace.plan, features=replace(workspace.plan.features, bgp=replace(bgp, peers=(peer,)))))


def _unused_port(workspace: Workspace, text: str) -> Workspace:
    held = {device.model: (text,) for device in workspace.inventory.devices.values()}
    return replace(workspace, plan=replace(workspace.plan, features=replace(workspace.plan.features, hardware=held)))


def _isis_area(workspace: Workspace, text: str) -> Workspace:
    return workspace if workspace.plan.isis is None else replace(
        workspace, plan=replace(workspace.plan, isis=replace(workspace.plan.isis, area_prefix=text))
    )


def _vpn(field: str) -> Change:
    def change(workspace: Workspace, text: str) -> Workspace:
        first, *rest = workspace.plan.features.vpns
        value = text if field in ("rd",) else (text,)
        vpns = (replace(first, **{field: value}), *rest)
        return replace(workspace, plan=replace(workspace.plan, features=replace(workspace.plan.features, vpns=vpns)))

    return change


#: Every text that somebody may write and that could find its way into a configuration.
PLACES: dict[str, Change] = {
    **{f"units.{column}": _of("units", "U01", column) for column in ("name", "name_en", "kind", "contact_role", "access_class")},
    **{f"devices.{column}": _of("devices", "u01", column) for column in ("vendor", "model", "lan_interface")},
    **{f"lines.{column}": _of("lines", "B-1", column) for column in ("circuit_id", "carrier", "a_interface", "z_interface", "medium")},
    **{f"lines.{column}": _of("lines", "A-1", column) for column in ("a_reserved_interface", "z_reserved_interface")},
    **{f"services.{column}": _of("services", "finance", column) for column in ("name", "name_en", "interface", "qos_class")},
    **{f"regions.{column}": _of("regions", "511902", column) for column in ("name", "name_en", "ospf_area")},
    **{f"management.{field}": _management(field) for field in ("ssh_user", "snmp_user", "banner", "snmp_priv")},
    **{f"vpn.{field}": _vpn(field) for field in ("rd", "imports", "exports")},
    "province.interface": _province_port,
    "hardware": _unused_port,
    "isis.area_prefix": _isis_area,
}


#: One of these fits wherever a text may stand.
PLAIN = ("Plain1", "GigabitEthernet0/9/9", "49", "0.0.0.9", "64512:99")
REFUSED = (InputError, RenderError, ValueError, LookupError)


@cache
def _templates() -> dict[str, str]:
    return dict(read_templates(ROOT))


@cache
def _whole(family: str, *, isis: bool) -> Workspace:
    return (isis_workspace if isis else full_workspace)(family, switch=family in SWITCHES)


@cache
def _rendered(family: str, *, isis: bool) -> dict[str, str]:
    return render(_whole(family, isis=isis), _templates())


@cache
def _known_commands(family: str, place: str, *, isis: bool) -> frozenset[str]:
    """Return how the lines of the city begin, and those of the city with one harmless word in this place."""
    lines = {_command(line) for text in _rendered(family, isis=isis).values() for line in text.split("\n")}
    for word in PLAIN:
        try:
            texts = render(PLACES[place](_whole(family, isis=isis), word), _templates())
        except REFUSED:
            continue
        return frozenset(lines | {_command(line) for text in texts.values() for line in text.split("\n")})
    raise AssertionError(f"{place}: no harmless word fits")


def _command(line: str) -> str:
    return line.strip().partition(" ")[0]


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.sampled_from(sorted(PLACES)), text=TEXTS, isis=st.booleans())
@example(place="lines.circuit_id", text="<secret:ssh_password>", isis=False)
@example(place="management.ssh_user", text="a\nsystem-view", isis=False)
@example(place="management.snmp_user", text="a privilege 15", isis=True)
@example(place="management.banner", text="a^\nreload", isis=False)
@example(place="province.interface", text="GE0\nshutdown", isis=False)
@example(place="hardware", text="GE0\u2028shutdown", isis=False)
@example(place="units.name", text="甲\nundo shutdown", isis=False)
def test_whatever_a_text_holds_it_is_refused_or_stays_one_text(family: str, place: str, text: str, isis: bool) -> None:
    before = _rendered(family, isis=isis)
    try:
        after = render(PLACES[place](_whole(family, isis=isis), text), _templates())
    except REFUSED:
        return
    if after == before:  # no template looks at it
        return
    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & set(NOT_TYPED)
    known = _known_commands(family, place, isis=isis)
    for name, found in after.items():
        assert SECRET_REFERENCE.findall(found) == SECRET_REFERENCE.findall(before[name]), name
        assert {_command(line) for line in found.split("\n")} <= known, name


@pytest.mark.parametrize(
    ("family", "place"),
    [
        *((family, "lines.circuit_id") for family in FAMILIES),
        *((family, f"management.{name}") for family in FAMILIES[:-1] for name in ("ssh_user", "snmp_user", "banner")),
        *((family, "hardware") for family in FAMILIES[:-1]),
    ],
)
def test_a_place_that_templates_look_at_takes_a_harmless_word(family: str, place: str) -> None:
    after = render(PLACES[place](_whole(family, isis=False), "GigabitEthernet0/9/9"), _templates())
    assert any("GigabitEthernet0/9/9" in text for text in after.values())


@pytest.mark.parametrize("text", [text for text in HOSTILE if not text.startswith(("x", "{", "!", "#"))])
def test_every_hostile_text_is_no_word_and_none_but_spaces_and_nothing_a_sentence(text: str) -> None:
    assert not is_word(text)
    assert is_sentence(text) is (text in (" ", "", "A privilege 15"))


def test_a_text_is_refused_with_its_place_and_what_may_stand_there() -> None:
    base = full_workspace("cisco_ios")
    assert refusal(_management("ssh_user")(base, "ops\nreload")) == (
        "ipplan/plan.yaml: management.ssh_user cannot be typed on every device: expected one word of A-Z a-z 0-9 . _ : / + -; "
        "found 'ops\\nreload'. Name the account so."
    )
    assert refusal(_province_port(base, "Gi0/1 shutdown")) == (
        "inventory/devices.csv:2: device core: name: expected one word of A-Z a-z 0-9 . _ : / + -; found 'Gi0/1 shutdown'. "
        "Rename it; on a device it would be read as something else."
    )
    assert "none of ? \" ^ | < > % $" in refusal(changed(base, "lines", "B-1", circuit_id="<secret:ssh_password>"))
