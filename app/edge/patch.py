"""The difference between two configurations as the commands that close it. annet computes, our rules decide."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import unified_diff as lines_of_difference
from functools import cache
from types import SimpleNamespace
from typing import Any

from annet import implicit, patching
from annet.annlib.netdev.views.hardware import HardwareView
from annet.hardware import AnnetHardwareProvider, hardware_connector
from annet.rulebook import DefaultRulebookProvider, deploying, get_rulebook, rulebook_provider_connector
from annet.vendors import registry_connector, tabparser
from annet.vendors.base import AbstractVendor
from annet.vendors.library.cisco import CiscoVendor
from annet.vendors.registry import registry

from app.core.commands import MASK, Command, Question, is_frr, mask_secrets, secret_lines, strip_noise
from app.core.factory import without_factory
from app.core.schedules import folded
from app.errors import RenderError

#: annet's model string per family. Rulebooks are cached by it, so a new OS generation needs a string of its own.
MODELS: Mapping[str, str] = {
    "frr": "FRR",
    "huawei_ar": "Huawei AR2220",
    "huawei_s": "Huawei Quidway S5700",
    "huawei_ne": "Huawei NE40E",
    "h3c_msr": "H3C MSR",
    "h3c_s": "H3C S5130",
    "cisco_ios": "Cisco ISR",
}

#: Families where a removed routing process must be committed before it is written anew. annet says so of every VRP; the others know
#: no `commit`.
TWO_PHASE = frozenset({"huawei_ne"})

#: Commands after which a vendor's question may be answered, with the only answer given: what is asked was shown in the patch.
#: annet's own table would also confirm the removal of the IGP, which is the way in, and hand out a password of its own.
ANSWERABLE: Mapping[str, str] = {
    "undo interface": "Y",
    "undo telnet server": "Y",
    "stelnet server": "Y",
    "peer ": "Y",
    "undo peer ": "Y",
    "undo bgp": "Y",
}


_EXITS = ("exit", "quit")

#: The removal of a whole SNMP user; VRP8 also knows those of its parts.
_WHOLE_USER = re.compile(r"undo snmp-agent usm-user v3 \S+$")


@registry.register
class FrrVendor(CiscoVendor):
    """FRR's vtysh: Cisco's shape with rules of its own. annet's model database cannot be extended, so it matches none."""

    NAME = "frr"

    def match(self) -> list[str]:
        return []


class OurHardware(AnnetHardwareProvider):
    def hw_to_vendor(self, hw: HardwareView) -> str | None:
        return FrrVendor.NAME if hw.model == "FRR" else super().hw_to_vendor(hw)


class OurRulebooks(DefaultRulebookProvider):
    """Rules of ours first; a file that is not there is annet's own."""

    def __init__(self) -> None:
        super().__init__()
        self.rulebook_module = "app.edge.rulebooks"


@cache
def configure_annet() -> None:
    """Hand annet our vendors and rules, once per process: its connectors refuse a second time."""
    hardware_connector.set(OurHardware)
    rulebook_provider_connector.set(OurRulebooks)


def patch(family: str, running: str, intended: str) -> tuple[Command, ...]:
    """Return the commands that turn the running configuration into the intended one; empty when nothing differs.

    Secrets are masked before comparing, so a changed secret alone gives no command; commands that carry one
    hold its reference. The rollback is the same with the arguments swapped.

    Raises:
        RenderError: the text is no configuration of this family, or holds one line twice with different values.
    """
    hardware, vendor = _hardware(family)
    rulebook = get_rulebook(hardware)
    old, new = (folded(family, tree) for tree in _trees(family, vendor, running, intended))
    if not is_frr(family):
        old, new = _with_implied(hardware, old, beside=new), _with_implied(hardware, new, beside=old)
    try:
        changes = patching.make_diff(old, new, rulebook, [])
        tree = patching.make_patch(
            pre=patching.make_pre(changes),  # type: ignore[arg-type]  # annotated narrower than annet itself uses it
            rb=rulebook,  # type: ignore[arg-type]  # the same
            hw=hardware,
            add_comments=False,
        )
    except AssertionError as error:
        raise RenderError(_ambiguous(family, str(error))) from error
    references = secret_lines(family, intended)
    paths = vendor.make_formatter(indent="").cmd_paths(tree)
    commands = (_command(rulebook, path, context, references) for path, context in paths.items())
    kept = [command for command in commands if command.text != "commit" or family in TWO_PHASE]
    plain = _without_undone(list(_without_stray_exits(kept)))
    return plain if is_frr(family) else _overwriting(plain)


def unified_diff(family: str, running: str, intended: str, name: str, target: str = "intended") -> str:
    """Return the difference as unified diff with masked secrets; empty when `patch` would be. `target`: what the second text is.

    Rows that stand in both follow the running order: a mere reordering shows nothing.
    """
    _, vendor = _hardware(family)
    old, new = _trees(family, vendor, running, intended)
    before, after = list(_rows(old)), list(_rows(_in_order_of(old, new)))
    return "".join(lines_of_difference(before, after, f"{name} running", f"{name} {target}"))


def count_changes(diff: str) -> int:
    """Return the number of lines that a unified diff adds or removes."""
    return sum(1 for line in diff.splitlines() if line[:1] in "+-" and not line.startswith(("+++", "---")))


def _hardware(family: str) -> tuple[HardwareView, AbstractVendor]:
    configure_annet()
    try:
        hardware = HardwareView(MODELS[family], "")
    except KeyError:
        known = ", ".join(MODELS)
        raise RenderError(f"family {family}: expected one of {known}; found no patch rules. Add it to app/edge/patch.py.") from None
    return hardware, registry_connector.get()[str(hardware.vendor)]


def _trees(family: str, vendor: AbstractVendor, running: str, intended: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both texts as trees, without what only one of them has and every such device has from the factory on."""
    old, new = (_tree(family, vendor, text) for text in (running, intended))
    return _without_bare_ports(without_factory(family, old, new)), _without_bare_ports(without_factory(family, new, old))


def _without_bare_ports(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {row: children for row, children in tree.items() if children or not row.startswith("interface ")}


def _tree(family: str, vendor: AbstractVendor, text: str) -> dict[str, Any]:
    plain = mask_secrets(strip_noise(family, text))
    try:
        tree: dict[str, Any] = tabparser.parse_to_tree(text=plain, splitter=vendor.make_formatter().split)
    except tabparser.ParserError as error:
        raise RenderError(f"{family} configuration: expected blocks by indentation; found {error}. Look at its template.") from error
    return tree


def _with_implied(hardware: HardwareView, tree: dict[str, Any], *, beside: Mapping[str, Any]) -> dict[str, Any]:
    """Add what the device does unsaid, in blocks that both sides have: in one that is only being made it would be typed."""
    rules = implicit.compile_rules(SimpleNamespace(hw=hardware))  # type: ignore[arg-type]  # it reads `hw` alone
    implied = implicit.config(tree, rules)
    return _merged(tree, {row: lines for row, lines in implied.items() if not lines or row in beside})


def _merged(tree: dict[str, Any], implied: Mapping[str, Any]) -> dict[str, Any]:
    merged = {row: dict(children) for row, children in tree.items()}
    for row, children in implied.items():
        merged[row] = _merged(merged.get(row, {}), children)
    return merged


def _command(rulebook: Any, path: tuple[str, ...], context: dict[str, str], references: Mapping[str, str]) -> Command:
    rule = deploying.match_deploy_rule(rulebook["deploying"], path, context)  # type: ignore[arg-type]  # variadic in fact
    text = references.get(path[-1], path[-1]).rstrip()
    if MASK in text:
        raise RenderError(f"command {text!r}: expected a reference to its secret; found none. Add a rule that removes it without it.")
    questions = tuple(
        Question(question.text, answer, is_regexp=question.text.startswith("/"))
        for start, answer in ANSWERABLE.items()
        if text.startswith(start)
        for question in rule["attrs"]["dialogs"]
    )
    timeout = rule["attrs"]["timeout"]
    return Command(text, len(path) - 1, None if timeout == deploying.DEFAULT_TIMEOUT else float(timeout), questions)


def _without_stray_exits(commands: Iterable[Command]) -> Iterator[Command]:
    """Leave out ends of blocks that no line opened: annet ends every line of a rule for blocks, one that is no block included."""
    depth = 0
    for command in commands:
        if command.text not in _EXITS:
            depth = command.level
        elif command.level > depth:
            continue
        else:
            depth = command.level - 1
        yield command


def _without_undone(commands: Sequence[Command]) -> tuple[Command, ...]:
    """Leave out removals that would take too much or are done already: of a route that is given again with another preference
    (it replaces the old one, and is what would go), of the parts of an SNMP user that goes as a whole (VRP8; a user of
    another engine is one of its own), and of what went a line before (annet takes a BGP process of VRP away twice, around a `commit`).
    """
    users = {command.text for command in commands if _WHOLE_USER.match(command.text)}
    given = {command.text for command in commands if command.text.startswith("ip route-static ")}

    def is_given_again(command: Command) -> bool:
        gone = command.text.removeprefix("undo ")
        return command.text.startswith("undo ip route-static ") and any(f"{text} ".startswith(f"{gone} ") for text in given)

    def is_gone(command: Command) -> bool:
        return any(command.text.startswith(f"{user} ") and not command.text.startswith(f"{user} remote ") for user in users)

    kept = [command for command in commands if not is_given_again(command) and not is_gone(command)]
    first = {command.text: place for place, command in reversed(list(enumerate(kept)))}
    return tuple(
        command
        for place, command in enumerate(kept)
        if command.level or not command.text.startswith("undo ") or first[command.text] == place
    )


_LEADING = re.compile(r"(?:(?:undo|no) )?ip address [\d.]+ [\d.]+$")


def _overwriting(commands: Sequence[Command]) -> tuple[Command, ...]:
    """Leave out the removal of a leading address where another follows in its block: it takes its place, and no device lets the
    leading one go while others stand beside it."""
    block, of = -1, dict[int, int]()
    for place, command in enumerate(commands):
        block = place if command.level == 0 else block
        of[place] = block
    given = {of[place] for place, command in enumerate(commands) if _LEADING.match(command.text) and command.text.startswith("ip ")}
    return tuple(
        command
        for place, command in enumerate(commands)
        if not (of[place] in given and _LEADING.match(command.text) and not command.text.startswith("ip "))
    )


def _rows(tree: Mapping[str, Any], level: int = 0) -> Iterable[str]:
    for row, children in tree.items():
        yield f"{' ' * level}{row}\n"
        yield from _rows(children, level + 1)


def _in_order_of(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    order = [row for row in old if row in new]
    place = 0
    for row in new:
        if row in old:
            place = order.index(row) + 1
            continue
        order.insert(place, row)
        place += 1
    return {row: _in_order_of(old.get(row, {}), new[row]) for row in order}


def _ambiguous(family: str, found: str) -> str:
    return f"{family} configuration: expected each line once; found {mask_secrets(found)}. Let the template write one of them."
