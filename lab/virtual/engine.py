"""What a device answers to a typed line: (device, session, line) → (device, session, text). Pure; the clock is an argument.

Everything that differs between families stands in their grammar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lab.virtual.changing import configure
from lab.virtual.deeds import DEEDS
from lab.virtual.grammar import Ask, Grammar
from lab.virtual.pattern import Match, tokenize
from lab.virtual.reading import Hit, understand, unknown_line
from lab.virtual.state import TOP, Context, Device, Question, Session, Turn, prompt, settle
from lab.virtual.tree import ROOT


def new_device(grammar: Grammar, name: str, ports: Sequence[str], booted_at_s: float) -> Device:
    """Return a device as it leaves its box: a name, and its physical ports."""
    bare = Device(name, tuple(ports), ROOT, booted_at_s)
    shown = ports if grammar.shows_bare_ports else ()
    turn = load(grammar, bare, [f"{_sysname_rule(grammar)} {name}", *(f"interface {port}" for port in shown)])
    if turn.text:
        raise ValueError(f"{name}: a new device refuses its own ports: {turn.text}")
    return turn.device


def _sysname_rule(grammar: Grammar) -> str:
    return next(rule.pattern.source.split()[0] for rule in grammar.rules(TOP) if rule.means == "sysname")


def load(grammar: Grammar, device: Device, lines: Sequence[str], now_s: float = 0.0) -> Turn:
    """Play configuration text at once, as at boot; the turn's text holds every refusal. Questions are answered with yes."""
    context = Context(replace(grammar, two_phase=False), now_s)
    session = Session(0, configuring=True)
    refusals: list[str] = []
    for number, line in enumerate(lines, 1):
        depth = len(line) - len(line.lstrip())
        if session.banner_until is None and line.strip() and depth < len(session.places):
            session = replace(session, places=session.places[:depth])
        turn = step(context, device, session, line)
        while turn.session.question is not None:
            turn = step(context, turn.device, turn.session, "Y")
        device, session = turn.device, replace(turn.session, configuring=True, closed=False)
        if turn.refused:
            refusals.append(f"line {number}: {line.strip()}: {turn.text.strip().splitlines()[-1]}")
    return Turn(device, session, "\n".join(refusals))


def step(context: Context, device: Device, session: Session, typed: str) -> Turn:
    """Answer one line. Never raises for what a user types."""
    device = settle(device, context.now_s)
    if session.question is not None:
        return _answer(context, device, session, session.question, typed)
    if session.banner_until is not None:
        return _read_banner(device, session, typed)
    line = typed.strip()
    if not line or line.startswith(context.grammar.separator):
        return Turn(device, session)
    return _execute(context, device, session, line, ())


def _answer(context: Context, device: Device, session: Session, question: Question, typed: str) -> Turn:
    """Take an answer; ask the next thing, run the line with all answers, or drop it."""
    ask, answer = question.ask, typed.strip()
    idle = replace(session, question=None)
    if ask.kind == "yesno" and answer[:1].lower() != "y":
        if answer[:1].lower() == "n":
            return Turn(device, idle, ask.on_no)
        return Turn(device, session, "Error: Please choose 'YES' or 'NO' first before pressing 'Enter'. [Y/N]:" if answer else "")
    if ask.kind == "yesnocancel" and answer[:1].lower() not in ("y", "n", "c"):
        return Turn(device, session)
    if ask.kind == "secret":
        if len(answer) < ask.least:
            return Turn(device, idle, f"Error: The password is shorter than {ask.least} characters.", refused=True)
        if ask.repeats and question.again is None:
            return Turn(device, replace(session, question=replace(question, again=answer)))
        if ask.repeats and question.again != answer:
            return Turn(device, idle, "Error: The two passwords differ.", refused=True)
    return _execute(context, device, idle, question.line, (*question.answers, answer))


def _read_banner(device: Device, session: Session, typed: str) -> Turn:
    """Swallow the lines of a login banner up to its closing mark."""
    mark = session.banner_until or ""
    return Turn(device, replace(session, banner_until=None) if mark in typed else session)


def refusal(context: Context, device: Device, session: Session, line: str) -> str:
    """Return what the family says of a line that it does not know."""
    return unknown_line(context.grammar, line.strip()).replace("\0", " " * len(prompt(context, device, session)))


def _execute(context: Context, device: Device, session: Session, line: str, answers: tuple[str, ...]) -> Turn:
    tokens = tokenize(line)
    if session.configuring and context.grammar.fall_back and tokens[0].text == "do":
        told = understand(context, replace(session, configuring=False), line, tokens[1:])
    else:
        told = understand(context, session, line, tokens)
    if isinstance(told, str):
        return Turn(device, session, told.replace("\0", " " * len(prompt(context, device, session))), refused=True)
    asks = _asks_of(told)
    waiting = next((ask for ask in asks[len(answers) :] if not _is_skipped(ask, device, told.found)), None)
    if waiting is not None:
        return Turn(device, replace(session, question=Question(waiting, line, answers)))
    if told.command is not None:
        return DEEDS[told.command.does](context, device, session, told.command, told.found, answers)
    return configure(context, device, session, told, answers)


def _asks_of(hit: Hit) -> tuple[Ask, ...]:
    if hit.command is not None:
        return hit.command.asks
    assert hit.rule is not None
    return hit.rule.undo_asks if hit.negated else hit.rule.asks


def _is_skipped(ask: Ask, device: Device, found: Match) -> bool:
    """Tell whether a question is not put: the line gives its answer, or it belongs to the first save only."""
    return (ask.kind == "first_text" and device.saved is not None) or (bool(ask.name) and ask.name in dict(found.values))
