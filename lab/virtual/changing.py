"""Configuration lines at work: what a line does to the tree that a session edits, and what the family objects to. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from lab.virtual import tree
from lab.virtual.grammar import Grammar, Guard, Rule
from lab.virtual.pattern import Match
from lab.virtual.reading import Hit
from lab.virtual.state import Context, Device, Place, Session, Turn, out_of_deleted
from lab.virtual.tree import ROOT, Entry, Path


def configure(context: Context, device: Device, session: Session, hit: Hit, answers: tuple[str, ...]) -> Turn:
    """Apply a line to the tree that the session edits: the running configuration, or its candidate."""
    grammar, rule = context.grammar, hit.rule
    assert rule is not None
    if device.locked_by not in (None, session.number):
        return Turn(device, session, grammar.errors["locked"], refused=True)
    edited = session.candidate if session.candidate is not None else device.running
    path = tuple(place.shown for place in hit.places)
    values = {**_values_on(edited, path), **dict(hit.found.values), **_answered(rule, answers)}
    objection = _objection(grammar, device, edited, path, hit, values)
    if objection:
        return Turn(device, session, objection, refused=True)
    if hit.negated:
        return _negate(context, device, session, hit, edited, path)
    entry, vault = _written(grammar, device, hit, values)
    device = replace(device, vault=vault)
    if grammar.reads_banner_by and rule.name == grammar.reads_banner_by:
        session = _opened_banner(session, hit.found)
    changed = tree.edit(edited, path, lambda section: _placed(grammar, hit.view, section, rule, entry))
    device, session = _store(device, session, changed)
    if rule.opens:
        # A section that stood already keeps the text it was first written with.
        shown = _standing(tree.find(changed, path) or ROOT, entry)
        place = Place(shown, rule.opens, rule.prompt.format_map(Blank(values)))
        session = replace(session, places=(*hit.places, place))
    elif hit.places != session.places and grammar.fall_back:
        session = replace(session, places=hit.places)
    return Turn(device, session, rule.says.format_map(Blank(values)))


class Blank(dict[str, str]):
    """A mapping for texts: a value that is not there is empty."""

    def __missing__(self, key: str) -> str:
        return ""


def _answered(rule: Rule, answers: tuple[str, ...]) -> dict[str, str]:
    named = [ask.name for ask in rule.asks]
    return {name: answer for name, answer in zip(named, answers, strict=False) if name}


def _values_on(root: Entry, path: Path) -> dict[str, str]:
    """Return the parameters of every section on the path."""
    values: dict[str, str] = {}
    for depth in range(1, len(path) + 1):
        section = tree.find(root, path[:depth])
        values.update(section.values if section else ())
    return values


def _objection(grammar: Grammar, device: Device, edited: Entry, path: Path, hit: Hit, values: Mapping[str, str]) -> str:
    """Return why the family would refuse the line here and now, or nothing."""
    rule = hit.rule
    assert rule is not None
    if rule.means == "interface":
        return _interface_objection(grammar, device, edited, hit, values["interface"])
    section = tree.find(edited, path) or ROOT
    rules = grammar.rules(hit.view)
    for guard in rule.undo_guards if hit.negated else rule.guards:
        if guard.given and guard.given not in dict(hit.found.values):
            continue
        if guard.lacks_rule:
            met = not any(rules[entry.rule].name == guard.lacks_rule for entry in section.children)
        else:
            met = _is_met(guard, section if guard.at == "here" else edited, section.shown, values)
        if not met:
            return guard.error.format_map(Blank(values))
    return ""


def _is_met(guard: Guard, section: Entry, shown: str, values: Mapping[str, str]) -> bool:
    if guard.when and not re.search(guard.when, shown):
        return True
    wanted = (guard.has or guard.lacks).format_map(Blank(values))
    stands = any(entry.shown == wanted or entry.shown.startswith(f"{wanted} ") for entry in section.children)
    return stands is bool(guard.has)


def _interface_objection(grammar: Grammar, device: Device, edited: Entry, hit: Hit, interface: str) -> str:
    """Refuse ports that the device does not have, and to delete those it has."""
    physical = grammar.is_physical(interface)
    parent, dot, _ = interface.partition(".")
    if physical and parent not in device.ports:
        return grammar.errors["no_port"].format(interface=interface)
    if physical and hit.negated and not dot:
        return grammar.errors["keep_port"].format(interface=interface)
    return ""


def _written(grammar: Grammar, device: Device, hit: Hit, values: Mapping[str, str]) -> tuple[Entry, Mapping[str, str]]:
    """Return the line as the device writes it, and the vault with the secrets that it hid."""
    rule = hit.rule
    assert rule is not None
    own = dict(hit.found.values)
    own.update({name: values[name] for name in (ask.name for ask in rule.asks) if name and name in values})
    vault = dict(device.vault)
    for name, form in rule.hides:
        if name in own and own[name] not in vault:
            plain = own[name]
            own[name] = grammar.secret_forms[form].format(digest=_digest(device.name, plain))
            vault[own[name]] = plain
    for name, of, times, least in rule.derive:
        if name not in own and of in own:
            own[name] = str(max(int(own[of]) * times, least))
    shown = fill(rule.echo, own) if rule.echo else hit.found.text
    place = grammar.rules(hit.view).index(rule)
    return Entry(place, shown, tuple(own.items()), natural=rule.natural), vault


def fill(echo: str, values: Mapping[str, str]) -> str:
    """Fill an echo's braces; a part in brackets is left out where one of its values is not given."""

    def optional(part: re.Match[str]) -> str:
        names = re.findall(r"\{(\w+)\}", part.group(1))
        return part.group(1) if all(name in values for name in names) else ""

    return re.sub(r"\[([^\]]*)\]", optional, echo).format_map(Blank(values)).strip()


def _digest(name: str, plain: str) -> str:
    """Return a text that looks like a ciphertext and tells nothing of the secret that a reader could use."""
    return hashlib.sha256(f"{name}\0{plain}".encode()).hexdigest()[:32]


def _placed(grammar: Grammar, view: str, section: Entry, rule: Rule, entry: Entry) -> Entry:
    """Put the line where it belongs, in the place of what it replaces."""
    rules = grammar.rules(view)
    section = _without_dropped(grammar, view, section, rule)
    if rule.quiet:
        return section
    same = {entry.rule} | {place for place, other in enumerate(rules) if rule.slot and other.slot == rule.slot}
    names = rule.key if rule.key is not None else [name for name, _ in entry.values]
    key = {name: entry.value(name) for name in names if entry.value(name) is not None}

    def replaces(old: Entry) -> bool:
        if old.rule not in same:
            return False
        return old.negative or all(old.value(name) == value for name, value in key.items())

    if rule.default_on:
        return tree.drop(section, replaces)
    return tree.put(section, entry, replaces)


def _without_dropped(grammar: Grammar, view: str, section: Entry, rule: Rule) -> Entry:
    """Take away the lines that vanish when this one is set or undone."""
    gone = {place for place, other in enumerate(grammar.rules(view)) for name in rule.drops if name in (other.name, other.slot)}
    return tree.drop(section, lambda old: old.rule in gone) if gone else section


def _standing(section: Entry, entry: Entry) -> str:
    held = next((old for old in section.children if old.rule == entry.rule and old.shown == entry.shown), None)
    return held.shown if held else entry.shown


def _store(device: Device, session: Session, changed: Entry) -> tuple[Device, Session]:
    if session.candidate is not None:
        return device, replace(session, candidate=changed)
    return replace(device, running=changed), session


def _negate(context: Context, device: Device, session: Session, hit: Hit, edited: Entry, path: Path) -> Turn:
    """Take lines away; a line that is on by default leaves its negation behind."""
    grammar, rule = context.grammar, hit.rule
    assert rule is not None
    rules = grammar.rules(hit.view)
    given = dict(hit.found.values)
    known = {name for name, _ in rule.hides}
    named = {name: value for name, value in given.items() if name not in known}
    same = {place for place, other in enumerate(rules) if other is rule or (rule.slot and other.slot == rule.slot)}
    section = tree.find(edited, path) or ROOT
    gone = [entry for entry in section.children if entry.rule in same and _agrees(entry, named, rule.key or ())]
    if rule.default_on:
        shown = f"{grammar.negation} {hit.found.text}"
        entry = Entry(rules.index(rule), shown, hit.found.values, negative=True)
        changed = tree.edit(edited, path, lambda held: tree.put(held, entry, lambda old: old.shown == shown))
    elif not gone:
        return Turn(device, session, rule.missing, refused=bool(rule.missing))
    else:
        texts = {entry.shown for entry in gone}
        changed = tree.edit(edited, path, lambda held: tree.drop(held, lambda old: old.rule in same and old.shown in texts))
        changed = tree.edit(changed, path, lambda held: _without_dropped(grammar, hit.view, held, rule))
        if rule.takes_along:
            whose = {entry.value(rule.takes_along) for entry in gone}
            changed = tree.edit(changed, path, lambda held: _without(held, rule.takes_along, whose))
    device, session = _store(device, session, changed)
    return Turn(device, out_of_deleted(session, changed), rule.undo_says)


def _without(section: Entry, parameter: str, whose: Container[str | None]) -> Entry:
    """Return the section without the lines of these values of a parameter, at every depth but in VPN instances, which are a world apart."""
    kept = tuple(
        entry if "vpn-instance" in entry.shown else _without(entry, parameter, whose)
        for entry in section.children
        if entry.value(parameter) not in whose
    )
    return replace(section, children=kept)


def _agrees(entry: Entry, named: Mapping[str, str], key: Sequence[str]) -> bool:
    """Tell whether a line is meant: it has the named values of its key, and of the others none that is another."""
    return all(entry.value(name) in ((value,) if name in key else (None, value)) for name, value in named.items())


def _opened_banner(session: Session, found: Match) -> Session:
    """Wait for the closing mark where a banner's first line does not hold it."""
    text = dict(found.values).get("text", "")
    mark = "^C" if text.startswith("^C") else text[:1]
    return session if text.count(mark) > 1 else replace(session, banner_until=mark)
