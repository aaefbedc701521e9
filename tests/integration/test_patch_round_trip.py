"""Patches proven by another hand: a virtual device of the family applies them, and its echo is the wanted configuration.

running + patch = intended, and intended + rollback = running, on edits that hypothesis makes of a rendered text; and a part of a
patch + the way back = running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from app.core.commands import Command, strip_noise
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.render import build_environment, render_bootstrap, render_device
from app.core.workspace import Workspace
from app.edge.patch import patch
from app.edge.ssh.session import AS_WRITTEN
from app.edge.templates import read_templates
from app.errors import CommitRefused
from app.workflows.hosts import DeviceSession, Gateway
from app.workflows.way_back import Change, Standing, take_back
from lab.virtual import engine
from lab.virtual.deeds import config_text
from lab.virtual.grammar import read_grammar
from lab.virtual.state import Device
from tests.golden.render.workspace import full_workspace, isis_workspace, small_workspace

ROOT = Path(__file__).parents[2]
CASES = (
    ("huawei_ar", "huawei_ar", "core"),
    ("huawei_ar", "huawei_ar", "t01"),
    ("huawei_ar", "huawei_s", "u01-sw"),
    ("huawei_ne", "huawei_ne", "county02"),
    ("h3c_msr", "h3c_msr", "core"),
    ("h3c_msr", "h3c_msr", "t01"),
    ("h3c_msr", "h3c_s", "u01-sw"),
    ("cisco_ios", "cisco_ios", "county02"),
    ("cisco_ios", "cisco_ios", "t01"),
    ("frr", "frr", "core"),
    ("frr", "frr", "u01"),
)


@dataclass(frozen=True, slots=True)
class Edit:
    """Changes to an intent: other rates, other addresses, other names, things taken away."""

    rate_step: int = 0
    description: str = ""
    frequency_s: int = 60
    closed: tuple[int, ...] = ()
    without: frozenset[str] = frozenset()
    syslog: int = 0


PARTS = ("probe", "qos", "traps", "ntp_key", "bgp", "filters", "route", "banner", "aaa", "informs", "ipv6", "province6", "isis_keys")
EDITS = st.builds(
    Edit,
    rate_step=st.integers(0, 3),
    description=st.sampled_from(("", " CID:9", " LATER")),
    frequency_s=st.sampled_from((30, 60, 120)),
    closed=st.lists(st.integers(0, 6), max_size=2, unique=True).map(tuple),
    without=st.frozensets(st.sampled_from(PARTS)),
    syslog=st.integers(0, 2),
)


@cache
def _ground(router: str, build: Callable[..., Workspace]) -> tuple[dict[str, DeviceIntent], Environment]:
    workspace = build(router, switch=router in ("huawei_ar", "h3c_msr"))
    return build_intents(workspace), build_environment(read_templates(ROOT))


def edited(router: str, device: str, edit: Edit, build: Callable[..., Workspace] = full_workspace) -> str:
    """Return the text of a device whose intent was changed so."""
    intents, templates = _ground(router, build)
    intent = intents[device]
    gone = edit.without
    ports = tuple(
        replace(
            port,
            description=port.description + edit.description,
            shutdown=port.shutdown or (place in edit.closed and port.kind in ("lan", "service")),
            in_kbps=port.in_kbps and port.in_kbps * 2**edit.rate_step,
            policy=None if "qos" in gone else port.policy,
            metric=port.metric and port.metric * 2**edit.rate_step,
            address6=None if "ipv6" in gone else port.address6,
        )
        for place, port in enumerate(intent.interfaces)
    )
    management = replace(
        intent.management,
        trap_hosts=() if "traps" in gone else intent.management.trap_hosts,
        ntp_key_id=None if "ntp_key" in gone else intent.management.ntp_key_id,
        aaa=None if "aaa" in gone else intent.management.aaa,
        notify=None if "informs" in gone else intent.management.notify,
        banner="" if "banner" in gone else intent.management.banner,
        syslog_hosts=tuple(host + step for host in intent.management.syslog_hosts for step in range(edit.syslog)),
    )
    bgp = intent.bgp and replace(intent.bgp, external6=() if gone & {"ipv6", "province6"} else intent.bgp.external6)
    probe = intent.probe and replace(intent.probe, frequency_s=edit.frequency_s)
    changed = replace(
        intent,
        interfaces=ports,
        management=management,
        probe=None if "probe" in gone else probe,
        policies=() if "qos" in gone else intent.policies,
        bgp=None if gone & {"bgp", "filters"} else bgp,
        assigned=() if "filters" in gone else intent.assigned,
        assigned6=() if gone & {"filters", "ipv6"} else intent.assigned6,
        isis=intent.isis and replace(intent.isis, authentication="isis_keys" not in gone),
        static_routes=() if "route" in gone else intent.static_routes,
    )
    return render_device(changed, templates)


def new_device(family: str, text: str) -> Device:
    """Return a virtual device with the ports that a text names, and nothing else."""
    grammar = read_grammar(family)
    named = [line.split()[1] for line in text.splitlines() if line.startswith("interface ")]
    ports = tuple(dict.fromkeys(name.partition(".")[0] for name in named if grammar.is_physical(name)))
    return engine.new_device(grammar, "new", ports, 0.0)


def applied(family: str, device: Device, commands: tuple[Command, ...]) -> tuple[Device, str]:
    """Return the device after the commands, typed one by one at its levels, and what it refused."""
    grammar = read_grammar(family)
    lines = [str(command) for command in commands if command.text not in ("quit", "exit", "commit")]
    turn = engine.load(grammar, device, lines)
    return turn.device, turn.text


def echo(family: str, device: Device) -> str:
    return config_text(read_grammar(family), device.running)


@pytest.mark.parametrize(("router", "family", "device"), CASES)
@settings(max_examples=8, deadline=None, derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(before=EDITS, after=EDITS)
def test_a_patch_leads_to_the_intended_text_and_its_rollback_back(router: str, family: str, device: str, before: Edit, after: Edit) -> None:
    there_and_back(family, edited(router, device, before), edited(router, device, after))


@pytest.mark.parametrize(("router", "family", "device"), CASES)
@settings(max_examples=4, deadline=None, derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(before=EDITS, after=EDITS)
def test_patches_lead_there_and_back_in_a_city_with_isis(router: str, family: str, device: str, before: Edit, after: Edit) -> None:
    there_and_back(family, edited(router, device, before, isis_workspace), edited(router, device, after, isis_workspace))


@pytest.mark.parametrize(("router", "family", "device"), CASES)
def test_patches_lead_from_ospf_to_isis_and_back(router: str, family: str, device: str) -> None:
    there_and_back(family, edited(router, device, Edit(), full_workspace), edited(router, device, Edit(), isis_workspace))


@pytest.mark.parametrize(("router", "family", "device"), [case for case in CASES if case[2] != "t01"])
def test_patches_lead_from_a_plan_that_asks_for_little_to_one_that_asks_for_everything_and_back(
    router: str, family: str, device: str
) -> None:
    """Ports leave their VPN instances on the way back, and with that the device takes their addresses away, those of IPv6 too."""
    there_and_back(family, edited(router, device, Edit(), small_workspace), edited(router, device, Edit(), full_workspace))


@pytest.mark.parametrize("build", [small_workspace, full_workspace])
@pytest.mark.parametrize(("router", "family", "device"), CASES)
def test_a_device_goes_back_to_what_it_ran_at_first_boot(
    router: str, family: str, device: str, build: Callable[..., Workspace]
) -> None:
    """The oldest backup of every device is its bootstrap text: `waiwang rollback --to` takes all else away."""
    text = edited(router, device, Edit(), build)
    standing = engine.load(read_grammar(family), new_device(family, text), text.splitlines())
    intents, templates = _ground(router, build)
    bootstrap = render_bootstrap(intents[device], templates)
    _, refused = applied(family, standing.device, patch(family, echo(family, standing.device), bootstrap))
    assert refused == ""


def there_and_back(family: str, old: str, new: str) -> None:
    """Let a virtual device that holds the old text take the patch to the new one, and the rollback."""
    standing = engine.load(read_grammar(family), new_device(family, old + new), old.splitlines())
    assert standing.text == ""
    running = echo(family, standing.device)
    forth, refused = applied(family, standing.device, patch(family, running, new))
    assert refused == ""
    assert [str(command) for command in patch(family, echo(family, forth), new)] == []
    back, refused = applied(family, forth, patch(family, echo(family, forth), old))
    assert refused == ""
    assert [str(command) for command in patch(family, echo(family, back), old)] == []


# VPN instances on lines: a rate of their own, and IPv6


WITHIN = (
    ("huawei_ar", "core"),
    ("huawei_ar", "county02"),
    ("huawei_ar", "u01"),
    ("huawei_ne", "core"),
    ("huawei_ne", "county02"),
    ("h3c_msr", "core"),
    ("h3c_msr", "county02"),
    ("h3c_msr", "u01"),
    ("cisco_ios", "county02"),
    ("cisco_ios", "u01"),
)


def carrying(router: str, device: str, build: Callable[..., Workspace], *, kbps: int | None, ipv6: bool) -> str:
    """Return the text of a device whose city carries its VPN at this rate, and with IPv6 or without."""
    workspace = build(router)
    held = tuple(replace(one, committed_kbps=kbps) for one in workspace.inventory.vpn_lines)
    vpns = tuple(vpn if ipv6 else replace(vpn, prefix6=None) for vpn in workspace.plan.features.vpns)
    plan = replace(workspace.plan, features=replace(workspace.plan.features, vpns=vpns))
    ledger6 = tuple(row for row in workspace.ledger6 if ipv6 or row.vrf not in plan.vpn_names)
    city = replace(workspace, plan=plan, ledger6=ledger6, inventory=replace(workspace.inventory, vpn_lines=held))
    return render_device(build_intents(city)[device], build_environment(read_templates(ROOT)))


@pytest.mark.parametrize("build", [full_workspace, isis_workspace])
@pytest.mark.parametrize(("router", "device"), WITHIN)
def test_a_vpn_gets_ipv6_and_a_rate_changes_it_and_loses_both_again(
    router: str, device: str, build: Callable[..., Workspace]
) -> None:
    family = build(router).inventory.devices[device].family
    plain = carrying(router, device, build, kbps=None, ipv6=False)
    slow, fast = (carrying(router, device, build, kbps=kbps, ipv6=True) for kbps in (576, 1088))
    assert plain != slow
    there_and_back(family, plain, slow)
    there_and_back(family, slow, fast)
    there_and_back(family, fast, plain)


# Renumbering: the leading address and the one beside it change places


PHASES = (None, "dual", "cut_over", "clearing")


def moved(prefix: IPv4Network) -> IPv4Network:
    return IPv4Network((int(prefix.network_address) + 0x10000, prefix.prefixlen))


def renumbered(router: str, device: str, build: Callable[..., Workspace] = small_workspace) -> list[str]:
    """Return the texts of a device in every phase of its city's renumbering."""
    workspace = build(router, switch=router in ("huawei_ar", "h3c_msr"))
    texts = []
    for phase in PHASES:
        beside = tuple(replace(row, prefix=moved(row.prefix), replaces=row.prefix, phase=phase) for row in workspace.ledger if phase)
        intents = build_intents(replace(workspace, ledger=(*workspace.ledger, *beside)))
        texts.append(render_device(intents[device], build_environment(read_templates(ROOT))))
    return texts


@pytest.mark.parametrize("build", [small_workspace, full_workspace, isis_workspace])
@pytest.mark.parametrize(("router", "family", "device"), CASES)
def test_patches_lead_through_a_renumbering_and_back(
    router: str, family: str, device: str, build: Callable[..., Workspace]
) -> None:
    texts = renumbered(router, device, build)
    standing = engine.load(read_grammar(family), new_device(family, "".join(texts)), texts[0].splitlines())
    assert standing.text == ""
    running = standing.device
    for text in (*texts[1:], *texts[-2::-1]):
        running, refused = applied(family, running, patch(family, echo(family, running), text))
        assert refused == ""
        assert [str(command) for command in patch(family, echo(family, running), text)] == []


@pytest.mark.parametrize(("router", "family", "device"), [case for case in CASES if case[2] in ("core", "county02") and case[1] != "frr"])
def test_a_renumbered_neighbour_is_named_before_it_is_spoken_of_and_leaves_no_line(router: str, family: str, device: str) -> None:
    word = "neighbor" if family == "cisco_ios" else "peer"
    old, new = (renumbered(router, device, full_workspace)[at] for at in (1, 2))
    neighbours = {line.split()[1] for line in old.splitlines() if line.strip().startswith(f"{word} 198.18.0.")}
    assert neighbours
    commands = [str(command).strip() for command in patch(family, old, new)]
    for gone in neighbours:
        came = gone.replace("198.18.", "198.19.")
        first = next(place for place, command in enumerate(commands) if f"{word} {came} " in command)
        assert any(named in commands[first] for named in ("as-number", "remote-as"))
        assert any(command.startswith((f"undo {word} {gone}", f"no {word} {gone} remote-as")) for command in commands)
        assert f"{word} {gone} " not in new


@pytest.mark.parametrize(("router", "family", "device"), [case for case in CASES if case[1] != "frr"])
def test_a_second_address_stands_beside_the_leading_one_and_in_ospf(router: str, family: str, device: str) -> None:
    word = "secondary" if family == "cisco_ios" else "sub"
    old, dual, cut_over, new = ([line.strip() for line in text.splitlines()] for text in renumbered(router, device))
    leading = [line for line in old if line.startswith("ip address 198.18.")]
    assert leading
    for line in leading:
        other = line.replace("198.18.", "198.19.")
        assert dual[dual.index(line) + 1] == f"{other} {word}"
        assert cut_over[cut_over.index(other) + 1] == f"{line} {word}"
        assert other in new
    assert not [line for line in new if line.startswith(("ip address 198.18.", "network 198.18."))]
    for line in (line for line in old if line.startswith("network 198.18.")):
        both = {line, line.replace("198.18.", "198.19.")}
        assert both <= set(dual)
        assert both <= set(cut_over)


# A change that is given up midway


@dataclass
class Played:
    """An open login on a virtual device without a network: lines are typed at their levels, and one of them may be refused."""

    family: str
    device: Device
    refuse_at: int | None = None

    @property
    def address(self) -> IPv4Address:
        return IPv4Address("192.0.2.1")

    def running(self) -> str:
        return echo(self.family, self.device)

    def push(self, commands: Iterable[Command], spoken: Mapping[str, str] = AS_WRITTEN) -> None:
        kept = [replace(command, text=spoken.get(command.text, command.text)) for command in commands]
        number, self.refuse_at = self.refuse_at, None
        self.device, refused = applied(self.family, self.device, tuple(kept if number is None else kept[:number]))
        if refused or number is not None:
            raise CommitRefused("new", f"line {number}", expected="acceptance", found=refused or "no", next_step="None.")


def booted(family: str, old: str, new: str) -> Device:
    """Return a virtual device that holds the old text, and the empty sections that its family has from the factory on."""
    factory = {"huawei": "aaa\n domain default_admin\n", "h3c": "domain system\n"}.get(family.partition("_")[0], "")
    standing = engine.load(read_grammar(family), new_device(family, old + new), f"{factory}{old}".splitlines())
    assert standing.text == ""
    return standing.device


def canonical(family: str, text: str) -> list[tuple[str, ...]]:
    """Return every line behind its section's, sorted: lines that depend on no order may stand in another. A port without lines says
    nothing: a device may show it once it was entered.
    """
    found: list[tuple[str, ...]] = []
    above: list[str] = []
    for line in strip_noise(family, text).splitlines():
        above = [*above[: len(line) - len(line.lstrip())], line.strip()]
        found.append(tuple(above))
    bare = {path for path, below in zip(found, [*found[1:], ()], strict=True) if path[0].startswith("interface ") and len(below) < 2}
    return sorted(path for path in found if len(path) > 1 or path not in bare)


def given_up(router: str, family: str, name: str, texts: tuple[str, str], share: float) -> tuple[Standing, str, str]:
    """Let a device refuse a line of the patch between two texts; return what is told of it, what it ran before, and what it runs."""
    session = Played(family, booted(family, *texts))
    before = session.running()
    commands = patch(family, before, texts[1])
    session.refuse_at = int(share * len(commands))
    intents, _ = _ground(router, full_workspace)
    change = Change(cast("Gateway", None), intents[name], before, len(commands), lambda: None)
    with suppress(CommitRefused):
        session.push(commands)
    return take_back(change, cast("DeviceSession", session)), before, session.running()


@pytest.mark.parametrize(("router", "family", "device"), CASES)
@settings(max_examples=4, deadline=None, derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(before=EDITS, after=EDITS, share=st.floats(0, 1))
def test_after_a_line_is_refused_a_device_is_what_it_was(
    router: str, family: str, device: str, before: Edit, after: Edit, share: float
) -> None:
    """Secrets too: each is typed again as the device showed it."""
    texts = edited(router, device, before), edited(router, device, after)
    standing, was, runs = given_up(router, family, device, texts, share)
    assert (standing.stands, standing.in_force) == ("as_before", ()), standing.told
    assert canonical(family, runs) == canonical(family, was)


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize(("router", "family", "device"), CASES)
def test_a_first_rollout_that_is_refused_leaves_the_first_boot(router: str, family: str, device: str, share: float) -> None:
    """The largest patch of all: routing is begun in it, and ended on the way back."""
    intents, templates = _ground(router, full_workspace)
    texts = render_bootstrap(intents[device], templates), render_device(intents[device], templates)
    standing, was, runs = given_up(router, family, device, texts, share)
    assert (standing.stands, standing.in_force) == ("as_before", ()), standing.told
    assert canonical(family, runs) == canonical(family, was)


@pytest.mark.parametrize(("router", "family", "device"), CASES)
def test_a_renumbering_that_is_refused_leaves_every_address_where_it_was(router: str, family: str, device: str) -> None:
    texts = renumbered(router, device)
    for place, (old, new) in enumerate(pairwise(texts)):
        standing, was, runs = given_up(router, family, device, (old, new), 0.25 * (place + 1))
        assert (standing.stands, standing.in_force) == ("as_before", ()), standing.told
        assert canonical(family, runs) == canonical(family, was)
