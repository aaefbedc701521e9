"""What a typed line means in a view: a command, a rule, or the family's own words of refusal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lab.virtual.grammar import Command, Grammar, Rule
from lab.virtual.pattern import Match, Miss, Pattern, Token, match, tokenize
from lab.virtual.state import TOP, Context, Place, Session


@dataclass(frozen=True, slots=True)
class Hit:
    """A line understood: a command, or a rule of a view with the section it belongs to."""

    found: Match
    command: Command | None = None
    rule: Rule | None = None
    view: str = TOP
    places: tuple[Place, ...] = ()
    negated: bool = False


def understand(context: Context, session: Session, line: str, tokens: Sequence[Token]) -> Hit | str:
    """Find what the line means here, or the error text; a NUL stands for the width of the prompt."""
    misses: list[Miss] = []
    hits: list[Hit] = []
    for hit, pattern, rest in _candidates(context.grammar, session, tokens):
        found = match(pattern, line, rest, context.grammar.kinds)
        if isinstance(found, Match):
            hits.append(replace(hit, found=found))
        else:
            misses.append(replace(found, at=found.at + len(tokens) - len(rest)))
    if not hits:
        return _refusal(context.grammar, line, tokens, misses)
    best = min(hits, key=lambda hit: hit.found.shortened)
    rivals = {hit.found.text for hit in hits if hit.found.shortened == best.found.shortened}
    if best.found.shortened and len(rivals) > 1:
        return _error(context.grammar, line, tokens, Miss(0, "ambiguous"))
    return best


def _candidates(grammar: Grammar, session: Session, tokens: Sequence[Token]) -> Iterator[tuple[Hit, Pattern, Sequence[Token]]]:
    """Yield everything that may be typed here, nearest view first."""
    where = "config" if session.configuring else "exec"
    nothing = Match("", (), 0)
    letter = tokens[0].text[:1].lower()
    for command in grammar.commands:
        if command.where in (where, "any") and command.pattern.may_start(letter):
            yield Hit(nothing, command=command), command.pattern, tokens
    if not session.configuring:
        return
    negated = tokens[0].text.lower() == grammar.negation and len(tokens) > 1
    letter = tokens[1].text[:1].lower() if negated else letter
    for view, places, all_rules in _reach(grammar, session):
        for rule in grammar.rules(view):
            if not (all_rules or rule.from_any):
                continue
            for form in _forms(rule, negated=negated):
                if form.may_start(letter):
                    hit = Hit(nothing, rule=rule, view=view, places=places, negated=negated)
                    yield hit, form, tokens[1:] if negated else tokens


def _forms(rule: Rule, *, negated: bool) -> tuple[Pattern, ...]:
    """Return the patterns of a rule that a line may follow."""
    if not negated:
        return (rule.pattern,)
    return () if rule.no_undo else rule.undo


def _reach(grammar: Grammar, session: Session) -> Iterator[tuple[str, tuple[Place, ...], bool]]:
    """Yield the views whose lines this session can type: its own, then those above where the family falls back to them."""
    if not session.places:
        yield TOP, (), True
        return
    yield session.places[-1].view, session.places, True
    if grammar.fall_back:
        for depth in range(len(session.places) - 1, 0, -1):
            yield session.places[depth - 1].view, session.places[:depth], True
        yield TOP, (), True
    else:
        yield TOP, (), False


def _refusal(grammar: Grammar, line: str, tokens: Sequence[Token], misses: Sequence[Miss]) -> str:
    rank = {"unrecognized": 0, "excess": 1, "incomplete": 2, "wrong": 3}
    return _error(grammar, line, tokens, max(misses, key=lambda miss: (miss.at, rank[miss.why]), default=Miss(0, "unrecognized")))


def unknown_line(grammar: Grammar, line: str) -> str:
    """Return the error text of a line whose first word means nothing; a NUL stands for the width of the prompt."""
    return _error(grammar, line, tokenize(line), Miss(0, "unrecognized"))


def _error(grammar: Grammar, line: str, tokens: Sequence[Token], miss: Miss) -> str:
    column = tokens[miss.at].column if miss.at < len(tokens) else len(line)
    text = grammar.errors[miss.why].format(line=line, word=tokens[min(miss.at, len(tokens) - 1)].text)
    return f"\0{' ' * column}^\n{text}" if grammar.caret else text
