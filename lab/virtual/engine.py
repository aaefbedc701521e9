"""What a device answers to a typed line: (device, session, line) → (device, session, text). Pure; the clock is an argument.

Moments are POSIX seconds (`_s`). A session is one login; its `candidate` is the configuration it edits on families that
commit in two steps. Everything that differs between families stands in their grammar.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lab.virtual import tree
from lab.virtual.facts import address_table, hostname_of, interface_table, interfaces_of
from lab.virtual.grammar import Ask, Command, Grammar, Guard, Rule
from lab.virtual.pattern import Match, Miss, Pattern, Token, match, tokenize
from lab.virtual.tree import ROOT, Entry, Path

TOP = "system"
TRIAL_DEFAULT_S = 600


@dataclass(frozen=True, slots=True)
class Trial:
    """A configuration on trial: what returns at `until_s` unless it is confirmed, and whose trial it is.

    With a `persist` word any session that names it may confirm or abort, else only the one that began it.
    """

    until_s: float
    before: Entry
    session: int
    persist: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A virtual device. `ports` are its physical interfaces; `vault` maps ciphertexts it wrote to what they hide."""

    name: str
    ports: tuple[str, ...]
    running: Entry
    booted_at_s: float
    saved: Entry | None = None
    vault: Mapping[str, str] = field(default_factory=dict)
    trial: Trial | None = None
    locked_by: int | None = None
    disk_full: bool = False
    history: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A section that a session is in: its line, its view, its name in the prompt."""

    shown: str
    view: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Question:
    """What the device waits for, to which line, and what was answered so far. `again` is a secret to be repeated."""

    ask: Ask
    line: str
    answers: tuple[str, ...] = ()
    again: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    number: int
    user: str = ""
    configuring: bool = False
    places: tuple[Place, ...] = ()
    enabled: bool = True
    page_lines: int = 24
    candidate: Entry | None = None
    base: Entry | None = None
    question: Question | None = None
    closed: bool = False
    banner_until: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer to one line; `reboots` tells the network to restart the device."""

    device: Device
    session: Session
    text: str = ""
    reboots: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What a line is judged in: the grammar, the moment, and which interfaces are up."""

    grammar: Grammar
    now_s: float
    is_up: Callable[[str], bool] = lambda interface: True


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


def hostname(grammar: Grammar, device: Device) -> str:
    """Return the name that the device is configured with, else the one it was built with."""
    return hostname_of(grammar, device.running) or device.name


def prompt(context: Context, device: Device, session: Session) -> str:
    """Return what the device shows when it waits: a question's text, or the prompt of the view."""
    grammar = context.grammar
    if session.question is not None:
        return session.question.ask.text if session.question.again is None else "Confirm password:"
    if session.banner_until is not None:
        return ""
    name = hostname(grammar, device)
    if not session.configuring:
        shape = grammar.prompt_exec if session.enabled else grammar.enable_prompt
        return shape.format(hostname=name)
    view = session.places[-1].prompt if session.places else ""
    return grammar.prompt_config.format(hostname=name, view=view, mark=_mark(grammar, device, session))


def _mark(grammar: Grammar, device: Device, session: Session) -> str:
    if not grammar.two_phase or session.candidate is None:
        return ""
    trying = device.trial is not None and device.trial.session == session.number
    return "*" if is_changed(session) or trying else "~"


def is_changed(session: Session) -> bool:
    """Tell whether the session holds changes that were not committed."""
    return session.candidate is not None and session.candidate != session.base


def is_hidden(session: Session) -> bool:
    """Tell whether what is typed next must not be echoed."""
    return session.question is not None and session.question.ask.kind == "secret"


def settle(device: Device, now_s: float) -> Device:
    """Return the device with an expired trial rolled back."""
    if device.trial is None or now_s < device.trial.until_s:
        return device
    return replace(device, running=device.trial.before, trial=None)


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


# --- finding what a line means -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Hit:
    """A line understood: a command, or a rule of a view with the section it belongs to."""

    found: Match
    command: Command | None = None
    rule: Rule | None = None
    view: str = TOP
    places: tuple[Place, ...] = ()
    negated: bool = False


def _execute(context: Context, device: Device, session: Session, line: str, answers: tuple[str, ...]) -> Turn:
    tokens = tokenize(line)
    if session.configuring and context.grammar.fall_back and tokens[0].text == "do":
        told = _understand(context, replace(session, configuring=False), line, tokens[1:])
    else:
        told = _understand(context, session, line, tokens)
    if isinstance(told, str):
        return Turn(device, session, told.replace("\0", " " * len(prompt(context, device, session))), refused=True)
    asks = _asks_of(told)
    waiting = next((ask for ask in asks[len(answers) :] if not _is_skipped(ask, device, told.found)), None)
    if waiting is not None:
        return Turn(device, replace(session, question=Question(waiting, line, answers)))
    if told.command is not None:
        return _DEEDS[told.command.does](context, device, session, told.command, told.found, answers)
    return _configure(context, device, session, told, answers)


def _asks_of(hit: _Hit) -> tuple[Ask, ...]:
    if hit.command is not None:
        return hit.command.asks
    assert hit.rule is not None
    return hit.rule.undo_asks if hit.negated else hit.rule.asks


def _is_skipped(ask: Ask, device: Device, found: Match) -> bool:
    """Tell whether a question is not put: the line gives its answer, or it belongs to the first save only."""
    return (ask.kind == "first_text" and device.saved is not None) or (bool(ask.name) and ask.name in dict(found.values))


def _understand(context: Context, session: Session, line: str, tokens: Sequence[Token]) -> _Hit | str:
    """Find what the line means here, or the error text; a NUL stands for the width of the prompt."""
    misses: list[Miss] = []
    hits: list[_Hit] = []
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


def _candidates(grammar: Grammar, session: Session, tokens: Sequence[Token]) -> Iterator[tuple[_Hit, Pattern, Sequence[Token]]]:
    """Yield everything that may be typed here, nearest view first."""
    where = "config" if session.configuring else "exec"
    nothing = Match("", (), 0)
    letter = tokens[0].text[:1].lower()
    for command in grammar.commands:
        if command.where in (where, "any") and command.pattern.may_start(letter):
            yield _Hit(nothing, command=command), command.pattern, tokens
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
                    hit = _Hit(nothing, rule=rule, view=view, places=places, negated=negated)
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


def _error(grammar: Grammar, line: str, tokens: Sequence[Token], miss: Miss) -> str:
    column = tokens[miss.at].column if miss.at < len(tokens) else len(line)
    text = grammar.errors[miss.why].format(line=line, word=tokens[min(miss.at, len(tokens) - 1)].text)
    return f"\0{' ' * column}^\n{text}" if grammar.caret else text


# --- configuration lines --------------------------------------------------------------------------------------


def _configure(context: Context, device: Device, session: Session, hit: _Hit, answers: tuple[str, ...]) -> Turn:
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
        place = Place(shown, rule.opens, rule.prompt.format_map(_Blank(values)))
        session = replace(session, places=(*hit.places, place))
    elif hit.places != session.places and grammar.fall_back:
        session = replace(session, places=hit.places)
    return Turn(device, session, rule.says.format_map(_Blank(values)))


class _Blank(dict[str, str]):
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


def _objection(grammar: Grammar, device: Device, edited: Entry, path: Path, hit: _Hit, values: Mapping[str, str]) -> str:
    """Return why the family would refuse the line here and now, or nothing."""
    rule = hit.rule
    assert rule is not None
    if rule.means == "interface":
        return _interface_objection(grammar, device, edited, hit, values["interface"])
    if hit.negated:
        return ""
    section = tree.find(edited, path) or ROOT
    for guard in rule.guards:
        if not _is_met(guard, section if guard.at == "here" else edited, section.shown, values):
            return guard.error.format_map(_Blank(values))
    return ""


def _is_met(guard: Guard, section: Entry, shown: str, values: Mapping[str, str]) -> bool:
    if guard.when and not re.search(guard.when, shown):
        return True
    wanted = (guard.has or guard.lacks).format_map(_Blank(values))
    stands = any(entry.shown == wanted or entry.shown.startswith(f"{wanted} ") for entry in section.children)
    return stands is bool(guard.has)


def _interface_objection(grammar: Grammar, device: Device, edited: Entry, hit: _Hit, interface: str) -> str:
    """Refuse ports that the device does not have, and to delete those it has."""
    physical = grammar.is_physical(interface)
    parent, dot, _ = interface.partition(".")
    if physical and parent not in device.ports:
        return grammar.errors["no_port"].format(interface=interface)
    if physical and hit.negated and not dot:
        return grammar.errors["keep_port"].format(interface=interface)
    return ""


def _written(grammar: Grammar, device: Device, hit: _Hit, values: Mapping[str, str]) -> tuple[Entry, Mapping[str, str]]:
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

    return re.sub(r"\[([^\]]*)\]", optional, echo).format_map(_Blank(values)).strip()


def _digest(name: str, plain: str) -> str:
    """Return a text that looks like a ciphertext and tells nothing of the secret that a reader could use."""
    return hashlib.sha256(f"{name}\0{plain}".encode()).hexdigest()[:32]


def _placed(grammar: Grammar, view: str, section: Entry, rule: Rule, entry: Entry) -> Entry:
    """Put the line where it belongs, in the place of what it replaces."""
    rules = grammar.rules(view)
    for name in rule.drops:
        gone = {place for place, other in enumerate(rules) if name in (other.name, other.slot)}
        section = tree.drop(section, lambda old, gone=gone: old.rule in gone)  # type: ignore[misc]
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


def _standing(section: Entry, entry: Entry) -> str:
    held = next((old for old in section.children if old.rule == entry.rule and old.shown == entry.shown), None)
    return held.shown if held else entry.shown


def _store(device: Device, session: Session, changed: Entry) -> tuple[Device, Session]:
    if session.candidate is not None:
        return device, replace(session, candidate=changed)
    return replace(device, running=changed), session


def _negate(context: Context, device: Device, session: Session, hit: _Hit, edited: Entry, path: Path) -> Turn:
    """Take lines away; a line that is on by default leaves its negation behind."""
    grammar, rule = context.grammar, hit.rule
    assert rule is not None
    rules = grammar.rules(hit.view)
    given = dict(hit.found.values)
    known = {name for name, _ in rule.hides}
    named = {name: value for name, value in given.items() if name not in known}
    same = {place for place, other in enumerate(rules) if other is rule or (rule.slot and other.slot == rule.slot)}
    section = tree.find(edited, path) or ROOT
    gone = [entry for entry in section.children if entry.rule in same and _agrees(entry, named)]
    if rule.default_on:
        shown = f"{grammar.negation} {hit.found.text}"
        entry = Entry(rules.index(rule), shown, hit.found.values, negative=True)
        changed = tree.edit(edited, path, lambda held: tree.put(held, entry, lambda old: old.shown == shown))
    elif not gone:
        return Turn(device, session, rule.missing, refused=bool(rule.missing))
    else:
        texts = {entry.shown for entry in gone}
        changed = tree.edit(edited, path, lambda held: tree.drop(held, lambda old: old.rule in same and old.shown in texts))
    device, session = _store(device, session, changed)
    return Turn(device, _out_of_deleted(session, changed), rule.undo_says)


def _agrees(entry: Entry, named: Mapping[str, str]) -> bool:
    return all(entry.value(name) in (None, value) for name, value in named.items())


def _out_of_deleted(session: Session, edited: Entry) -> Session:
    """Leave a section that exists no longer."""
    places = session.places
    while places and tree.find(edited, tuple(place.shown for place in places)) is None:
        places = places[:-1]
    return replace(session, places=places)


def _opened_banner(session: Session, found: Match) -> Session:
    """Wait for the closing mark where a banner's first line does not hold it."""
    text = dict(found.values).get("text", "")
    mark = "^C" if text.startswith("^C") else text[:1]
    return session if text.count(mark) > 1 else replace(session, banner_until=mark)


# --- deeds: what commands do -----------------------------------------------------------------------------------


def _say(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    values = {**dict(found.values), "hostname": hostname(context.grammar, device)}
    return Turn(device, session, command.says.format_map(_Blank(values)))


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
    return Turn(device, _out_of_deleted(replace(session, candidate=merged, base=merged), merged), command.says)


def _may_end_trial(device: Device, session: Session, found: Match) -> bool:
    """Tell whether this line of this session may confirm or abort the trial, where there is one."""
    trial = device.trial
    if trial is None:
        return True
    return dict(found.values).get("persist", "") == trial.persist if trial.persist else trial.session == session.number


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
    session = _out_of_deleted(replace(session, candidate=before, base=before), before)
    return Turn(replace(device, running=before, trial=None), session, command.says)


def _discard(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    if session.candidate is None:
        return Turn(device, session)
    session = replace(session, candidate=device.running, base=device.running)
    return Turn(device, _out_of_deleted(session, device.running), command.says)


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
    return Turn(device, session, f"{context.grammar.description}\n{since}")


def _show_interfaces(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    ports = interfaces_of(context.grammar, device.running, device.ports)
    return Turn(device, session, interface_table(context.grammar.interface_table, ports, context.is_up))


def _show_addresses(context: Context, device: Device, session: Session, command: Command, found: Match, answers: tuple[str, ...]) -> Turn:
    ports = interfaces_of(context.grammar, device.running, device.ports)
    return Turn(device, session, address_table(ports, context.is_up))


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
        out += [f" {line}" for line in tree.lines_of(entry)]
        if not own:
            out += [grammar.block_end, mark] if grammar.block_end else [mark]
    if out[-1] != mark:
        out.append(mark)
    return "\n".join([*out, grammar.tail] if grammar.tail else out)


_DEEDS: Mapping[str, Callable[[Context, Device, Session, Command, Match, tuple[str, ...]], Turn]] = {
    "abort_trial": _abort_trial,
    "close": _close,
    "commit": _commit,
    "commit_trial": _commit_trial,
    "discard": _discard,
    "enable": _enable,
    "enter": _enter,
    "enter_immediately": _enter_now,
    "leave": _leave,
    "leave_all": _leave_all,
    "lock": _lock,
    "page": _page,
    "reboot": _reboot,
    "rollback": _rollback,
    "save": _save,
    "say": _say,
    "show_addresses": _show_addresses,
    "show_candidate": _show_candidate,
    "show_interfaces": _show_interfaces,
    "show_running": _show_running,
    "show_saved": _show_saved,
    "show_section": _show_section,
    "show_this": _show_this,
    "show_version": _show_version,
    "unlock": _unlock,
}
