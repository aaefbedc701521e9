"""What commands do that are no configuration: enter and leave views, commit, save, show. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from lab.virtual import tree
from lab.virtual.answers import interfaces_text, ospf_peers_text, ospf_text, routes_json, vpns_text
from lab.virtual.changing import Blank
from lab.virtual.facts import address_table, interface_table, interfaces_of, meaning_anywhere, vpn_instances
from lab.virtual.grammar import Ask, Command, Grammar
from lab.virtual.pattern import Match
from lab.virtual.state import TOP, Context, Device, Question, Session, Trial, Turn, hostname, is_changed, out_of_deleted
from lab.virtual.surroundings import local_routes, own_routes
from lab.virtual.tables import arp_table, in_use, lldp_table, route_table
from lab.virtual.tree import ROOT, Entry

TRIAL_DEFAULT_S = 600


def _say(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    values = {**dict(found.values), "hostname": hostname(context.grammar, device)}
    return Turn(device, session, command.says.format_map(Blank(values)))


def _enter(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    if not session.enabled:
        return Turn(device, session, context.grammar.errors["unrecognized"], refused=True)
    session = replace(session, configuring=True, places=())
    if context.grammar.two_phase:
        session = replace(session, candidate=device.running, base=device.running)
    return Turn(device, session, command.says)


def _enter_now(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    return Turn(device, replace(session, configuring=True, places=(), candidate=None, base=None), command.says)


def _leave(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    if session.places:
        return Turn(device, replace(session, places=session.places[:-1]))
    if not session.configuring:
        return Turn(device, replace(session, closed=True), command.says)
    return _leave_all(context, device, session, command, found, answers)


def _leave_all(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    if not session.configuring:
        return Turn(device, session)
    if not is_changed(session):
        return Turn(device, _idle(session))
    if not answers:
        ask = Ask(context.grammar.errors["uncommitted"], "yesnocancel")
        return Turn(device, replace(session, question=Question(ask, found.text)))
    choice = answers[0][:1].lower()
    if choice == "c":
        return Turn(device, session)
    if choice == "n":
        return Turn(device, _idle(session))
    turn = _commit(context, device, session, command, found, ())
    return turn if turn.refused else replace(turn, session=_idle(turn.session))


def _idle(session: Session) -> Session:
    return replace(session, configuring=False, places=(), candidate=None, base=None)


def _merged(device: Device, session: Session) -> Entry | None:
    """Return the candidate on top of the running configuration; None where another session changed the same section."""
    assert session.candidate is not None
    assert session.base is not None
    if device.running == session.base:
        return session.candidate
    return _three_way(session.base, session.candidate, device.running)


def _three_way(base: Entry, mine: Entry, theirs: Entry) -> Entry | None:
    """Merge by top-level line: each may be changed on one side only."""
    old, own, other = ({entry.shown: entry for entry in side.children} for side in (base, mine, theirs))
    result = list(theirs.children)
    for shown in {**old, **own}:
        if own.get(shown) == old.get(shown):
            continue
        if other.get(shown) != old.get(shown):
            return None
        result = [entry for entry in result if entry.shown != shown]
        if shown in own:
            result.append(own[shown])
    return replace(theirs, children=tuple(sorted(result, key=lambda entry: entry.rank)))


def _commit(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    """Make the candidate the running configuration; confirms a trial of this session."""
    if session.candidate is None:
        return Turn(device, session, context.grammar.errors["unrecognized"], refused=True)
    if device.locked_by not in (None, session.number):
        return Turn(device, session, context.grammar.errors["locked"], refused=True)
    if not _may_end_trial(device, session, found):
        return Turn(device, session, context.grammar.errors["trial_of_another"], refused=True)
    merged = _merged(device, session)
    if merged is None:
        return Turn(device, session, context.grammar.errors["conflict"], refused=True)
    history = (device.running, *device.history)[:20] if merged != device.running else device.history
    device = replace(device, running=merged, trial=None, history=history)
    return Turn(device, out_of_deleted(replace(session, candidate=merged, base=merged), merged), command.says)


def _may_end_trial(device: Device, session: Session, found: Match) -> bool:
    """Tell whether this line of this session may confirm or abort the trial, where there is one."""
    trial = device.trial
    if trial is None:
        return True
    return dict(found.values).get("persist", "") == trial.persist if trial.persist else trial.session in (None, session.number)


def _commit_trial(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    if not is_changed(session):
        return Turn(device, session, context.grammar.errors["no_change"], refused=True)
    seconds = int(dict(found.values).get("seconds", TRIAL_DEFAULT_S))
    before = device.trial.before if device.trial else device.running
    turn = _commit(context, device, session, command, found, answers)
    if turn.refused:
        return turn
    trial = Trial(context.now_s + seconds, before, session.number, dict(found.values).get("persist", ""))
    return replace(turn, device=replace(turn.device, trial=trial), text=command.says.format(seconds=seconds))


def _abort_trial(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    if device.trial is None:
        return Turn(device, session, context.grammar.errors["no_trial"], refused=True)
    if not _may_end_trial(device, session, found):
        return Turn(device, session, context.grammar.errors["trial_of_another"], refused=True)
    before = device.trial.before
    if context.grammar.two_phase:
        session = replace(session, candidate=before, base=before)
    session = out_of_deleted(session, before)
    return Turn(replace(device, running=before, trial=None), session, command.says)


def _enter_on_trial(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    """Open configuration mode; what is changed from now on returns by itself unless it is confirmed, by any session."""
    if not any(meaning_anywhere(context.grammar, device.running, "archive")):
        return Turn(device, session, context.grammar.errors["no_archive"], refused=True)
    until_s = context.now_s + 60 * int(dict(found.values)["minutes"])
    turn = _enter(context, device, session, command, found, answers)
    return turn if turn.refused else replace(turn, device=replace(turn.device, trial=Trial(until_s, device.running, None)))


def _confirm_trial(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    if device.trial is None:
        return Turn(device, session, context.grammar.errors["no_trial"], refused=True)
    return Turn(replace(device, trial=None), session, command.says)


def _discard(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    if session.candidate is None:
        return Turn(device, session)
    session = replace(session, candidate=device.running, base=device.running)
    return Turn(device, out_of_deleted(session, device.running), command.says)


def _rollback(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    """Return to the configuration before the last N commits."""
    count = int(dict(found.values).get("count", "1"))
    if count > len(device.history):
        return Turn(device, session, context.grammar.errors["no_change"], refused=True)
    target = device.history[count - 1]
    return Turn(replace(device, running=target, history=(device.running, *device.history)[:20]), session, command.says)


def _lock(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    if device.locked_by not in (None, session.number):
        return Turn(device, session, context.grammar.errors["locked"], refused=True)
    return Turn(replace(device, locked_by=session.number), session, command.says)


def _unlock(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    return Turn(replace(device, locked_by=None), session, command.says)


def _save(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    words = context.grammar.save
    if device.disk_full:
        return Turn(device, session, words["full"], refused=True)
    name = next((answer for answer in answers[1:] if answer), words.get("file", ""))
    return Turn(replace(device, saved=device.running), session, words["done"].format(file=name))


def _page(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    lines = int(dict(found.values).get("lines", "0"))
    return Turn(device, replace(session, page_lines=lines), command.says)


def _enable(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    return Turn(device, replace(session, enabled=True))


def _close(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    return Turn(device, replace(session, closed=True), command.says)


def _reboot(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    return Turn(device, replace(session, closed=True), command.says, reboots=True)


def _show_running(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    return _shown(context, device, session, found, config_text(context.grammar, device.running))


def _show_saved(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    if device.saved is None:
        return Turn(device, session, context.grammar.save["none"])
    return _shown(context, device, session, found, config_text(context.grammar, device.saved))


def _show_candidate(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    held = session.candidate if session.candidate is not None else device.running
    return _shown(context, device, session, found, config_text(context.grammar, held))


def _show_this(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    held = session.candidate if session.candidate is not None else device.running
    section = tree.find(held, tuple(place.shown for place in session.places)) or ROOT
    body = (section.shown, *(f" {line}" for line in tree.lines_of(section))) if session.places else tree.lines_of(held)
    mark = context.grammar.separator
    return Turn(device, session, "\n".join((mark, *body, mark, context.grammar.tail)))


def _show_section(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    """Show the sections whose first line starts with what is named, such as one interface."""
    wanted = " ".join(value for name, value in found.values if name != "how" and name != "what")
    mark = context.grammar.separator
    out = [mark]
    for entry in device.running.children:
        if entry.shown == f"interface {wanted}" or entry.shown.split()[0] == wanted:
            out += [entry.shown, *(f" {line}" for line in tree.lines_of(entry)), mark]
    return Turn(device, session, "\n".join([*out, context.grammar.tail]))


def _show_version(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    up = int(context.now_s - device.booted_at_s)
    days, rest = divmod(up, 86400)
    name = hostname(context.grammar, device)
    since = f"{name} uptime is {days} days, {rest // 3600} hours, {rest % 3600 // 60} minutes"
    return Turn(device, session, "\n".join(filter(None, (context.grammar.description, since, context.grammar.hardware))))


def _show_interfaces(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    ports = interfaces_of(context.grammar, device.running, device.ports)
    return Turn(device, session, interface_table(context.grammar.interface_table, ports, context.is_up))


def _show_addresses(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    ports = interfaces_of(context.grammar, device.running, device.ports)
    return Turn(device, session, address_table(ports, context.is_up))


def _show_ip_ports(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    ports = interfaces_of(context.grammar, device.running, device.ports)
    return Turn(device, session, interfaces_text(context.grammar.vendor, ports, context.is_up))


def _show_vpns(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    ports = interfaces_of(context.grammar, device.running, device.ports)
    vpns = vpn_instances(context.grammar, device.running)
    return Turn(device, session, vpns_text(context.grammar.vendor, vpns, ports, dict(found.values).get("vpn")))


def _show_ospf_peers(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    return Turn(device, session, ospf_peers_text(context.grammar.vendor, context.router_id, context.look_around().peers))


def _show_ospf(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    return Turn(device, session, ospf_text(context.grammar.vendor, context.router_id))


def _restart_ospf(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    return Turn(device, session, command.says, restarts_ospf=True)


def _show_arp(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    around, vpn = context.look_around(), dict(found.values).get("vpn")
    return Turn(device, session, arp_table(context.grammar.vendor, around.neighbours, vpn))


def _show_neighbours(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    if not any(meaning_anywhere(context.grammar, device.running, "lldp")):
        return Turn(device, session, context.grammar.errors.get("no_lldp", context.grammar.errors["unrecognized"]), refused=True)
    return Turn(device, session, lldp_table(context.grammar.vendor, context.look_around().neighbours))


def _show_routes(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    ports = interfaces_of(context.grammar, device.running, device.ports)
    up, vendor, values = [port for port in ports if context.is_up(port.name)], context.grammar.vendor, dict(found.values)
    routes = (*own_routes(context.grammar, device.running, up), *local_routes(vendor, up))
    known = sorted((*routes, *context.look_around().learned), key=lambda route: route.prefix)
    if "form" in values:
        return Turn(device, session, routes_json(in_use(vendor, (route for route in known if route.vpn == values.get("vpn")))))
    return Turn(device, session, route_table(vendor, known, values.get("vpn")))


def _shown(context: Context, device: Device, session: Session, found: Match, text: str) -> Turn:
    """Show a configuration, whole or the lines that a filter leaves."""
    values = dict(found.values)
    how, what = values.get("how"), values.get("what", "")
    lines = text.split("\n")
    if how == "include":
        lines = [line for line in lines if _searched(what, line)]
    elif how == "exclude":
        lines = [line for line in lines if not _searched(what, line)]
    elif how == "begin":
        start = next((place for place, line in enumerate(lines) if _searched(what, line)), len(lines))
        lines = lines[start:]
    return Turn(device, session, "\n".join(lines))


def _searched(what: str, line: str) -> bool:
    try:
        return re.search(what, line) is not None
    except re.error:
        return what in line


def _within(grammar: Grammar, section: Entry) -> Iterator[str]:
    """Yield a section's lines. Where a family writes the end of an address family, it writes none that holds nothing."""
    for entry in section.children:
        ends = bool(grammar.family_end) and entry.shown.startswith("address-family ")
        if ends and not entry.children:
            continue
        yield f" {entry.shown}"
        yield from (f"  {line}" for line in tree.lines_of(entry))
        if ends:
            yield f" {grammar.family_end}"


def config_text(grammar: Grammar, root: Entry) -> str:
    """Return a configuration as the device prints it."""
    mark = grammar.separator
    out = [*grammar.head, mark] if grammar.head else [mark]
    group = ""
    for entry in root.children:
        own = "" if entry.children or grammar.rules(TOP)[entry.rule].opens else entry.shown.split()[0]
        if out[-1] != mark and (not own or own != group):
            out.append(mark)
        group = own
        out.append(grammar.indent_top + entry.shown if own else entry.shown)
        out += _within(grammar, entry)
        if not own:
            out += [grammar.block_end, mark] if grammar.block_end else [mark]
    if out[-1] != mark:
        out.append(mark)
    return "\n".join([*out, grammar.tail] if grammar.tail else out)


DEEDS: Mapping[str, Callable[[Context, Device, Session, Command, Match, tuple[str, ...]], Turn]] = {
    "abort_trial": _abort_trial,
    "close": _close,
    "commit": _commit,
    "commit_trial": _commit_trial,
    "confirm_trial": _confirm_trial,
    "discard": _discard,
    "enable": _enable,
    "enter": _enter,
    "enter_immediately": _enter_now,
    "enter_on_trial": _enter_on_trial,
    "leave": _leave,
    "leave_all": _leave_all,
    "lock": _lock,
    "page": _page,
    "reboot": _reboot,
    "restart_ospf": _restart_ospf,
    "rollback": _rollback,
    "save": _save,
    "say": _say,
    "show_addresses": _show_addresses,
    "show_arp": _show_arp,
    "show_candidate": _show_candidate,
    "show_interfaces": _show_interfaces,
    "show_ip_interfaces": _show_ip_ports,
    "show_neighbours": _show_neighbours,
    "show_ospf": _show_ospf,
    "show_ospf_peers": _show_ospf_peers,
    "show_routes": _show_routes,
    "show_running": _show_running,
    "show_saved": _show_saved,
    "show_section": _show_section,
    "show_this": _show_this,
    "show_version": _show_version,
    "show_vpns": _show_vpns,
    "unlock": _unlock,
}
