"""The command language of a family, read from `grammar/<family>.yaml`: what it accepts, how it writes it, what it asks.

A file may build on another (`extends`): its own values go first, its rules replace those of the same name,
`without` leaves rules out. An unknown key is an error, so that a slip of the pen is not a silent hole in the grammar.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import takewhile
from pathlib import Path

import yaml

from app.errors import LabError
from lab.virtual.pattern import Kinds, Pattern, Word, compile_pattern

FOLDER = Path(__file__).parent / "grammar"
DEEDS = (
    "abort_trial",
    "close",
    "commit",
    "commit_trial",
    "confirm_trial",
    "discard",
    "enable",
    "enter",
    "enter_immediately",
    "enter_on_trial",
    "leave",
    "leave_all",
    "lock",
    "page",
    "reboot",
    "restart_ospf",
    "rollback",
    "save",
    "say",
    "show_addresses",
    "show_arp",
    "show_candidate",
    "show_interfaces",
    "show_ip_interfaces",
    "show_neighbours",
    "show_ospf",
    "show_ospf_peers",
    "show_routes",
    "show_running",
    "show_saved",
    "show_section",
    "show_this",
    "show_version",
    "show_vpns",
    "unlock",
)
MEANINGS = (
    "address",
    "archive",
    "bandwidth",
    "community",
    "description",
    "interface",
    "lldp",
    "location",
    "ospf",
    "ospf_area",
    "ospf_network",
    "rd",
    "router_id",
    "shutdown",
    "snmp_user",
    "static_route",
    "sysname",
    "target",
    "vpn",
    "vpn_instance",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question of the device. `kind`: yesno (only Y goes on), yesnocancel, text (any line), first_text (the same, asked only before
    the first save), secret (not echoed; typed twice where `repeats`). `on_no` is said when it is refused; `least` is the shortest secret.
    """

    text: str
    kind: str = "yesno"
    name: str = ""
    on_no: str = ""
    least: int = 0
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition on a line. `when` (a pattern of the section's text) limits it; `has` or `lacks` name the start of a line that
    must or must not stand in this section (`at: here`) or at the top (`at: root`); values in braces come from the line and its sections.
    `given` limits it to lines that give this value; `lacks_rule` names a rule of which no line may stand here.
    """

    error: str
    when: str = ""
    at: str = "here"
    has: str = ""
    lacks: str = ""
    given: str = ""
    lacks_rule: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A line that a view takes.

    `key`: the values by which a new line replaces an old one; None means all of them, () means one such line in a section.
    `slot`: rules of one slot replace each other. `undo`: the forms after the negation; `full_undo` also takes the whole line.
    `echo`: how the device writes it, with values in braces and optional parts in brackets; `derive`: values it adds, as
    (name, of, times, least). `hides`: parameters written as ciphertext, by form. `default_on`: the line is the default, so only
    its negation is written. `opens`: the view of its section, whose name in the prompt is `prompt`. `from_any`: any view takes it.
    `quiet`: accepted and never written. `drops`: rules whose lines vanish from the section when this one is set or undone.
    `takes_along`: the parameter whose other lines, here and in the sections below, vanish when this one is taken away.
    """

    name: str
    pattern: Pattern
    undo: tuple[Pattern, ...]
    key: tuple[str, ...] | None = None
    slot: str = ""
    echo: str = ""
    derive: tuple[tuple[str, str, int, int], ...] = ()
    hides: tuple[tuple[str, str], ...] = ()
    default_on: bool = False
    opens: str = ""
    prompt: str = ""
    from_any: bool = False
    natural: bool = False
    quiet: bool = False
    no_undo: bool = False
    drops: tuple[str, ...] = ()
    takes_along: str = ""
    asks: tuple[Ask, ...] = ()
    undo_asks: tuple[Ask, ...] = ()
    says: str = ""
    undo_says: str = ""
    missing: str = ""
    guards: tuple[Guard, ...] = ()
    undo_guards: tuple[Guard, ...] = ()
    means: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A line that does something and is no configuration. `where`: exec, config or any."""

    pattern: Pattern
    does: str
    where: str = "exec"
    says: str = ""
    asks: tuple[Ask, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Grammar:
    """A family. Texts may hold {hostname}, {mark} (of an uncommitted change) and {view} (the section's name in the prompt).

    `interface_types`: physical, logical, or whole (a physical one whose name has no number). `negation` is undo or no,
    `full_undo` takes the whole line after it. `fall_back`: lines of the views above are taken too. `two_phase`: lines wait
    for a commit. `block_end` closes a section in the text, `family_end` an address family within; `shows_bare_ports` writes ports
    that nothing was configured on. `hardware` ends the answer to the question for the version.
    """

    family: str
    vendor: str
    title: str
    description: str
    sys_object_id: str
    banner: str
    prompt_exec: str
    prompt_config: str
    negation: str
    separator: str
    head: tuple[str, ...]
    tail: str
    indent_top: str
    errors: Mapping[str, str]
    caret: bool
    interface_types: Mapping[str, str]
    secret_forms: Mapping[str, str]
    save: Mapping[str, str]
    commands: tuple[Command, ...]
    views: Mapping[str, tuple[Rule, ...]]
    two_phase: bool = False
    fall_back: bool = False
    full_undo: bool = False
    reads_banner_by: str = ""
    enable_prompt: str = ""
    interface_table: str = "vrp"
    shows_bare_ports: bool = True
    block_end: str = ""
    family_end: str = ""
    hardware: str = ""
    kinds: Kinds = field(default_factory=Kinds)

    def is_physical(self, interface: str) -> bool:
        """Tell whether an interface of this name is a port of the device, or stands on one."""
        if interface in self.kinds.whole_names:
            return True
        return self.interface_types.get(interface.rstrip("0123456789/:.")) == "physical"

    def rules(self, view: str) -> tuple[Rule, ...]:
        """Return the rules of a view in the order of the running configuration."""
        return self.views[view]


class GrammarFault(LabError):
    """A grammar file cannot be used; the message says which and why."""

    def __init__(self, where: str, what: str, expected: str, found: str) -> None:
        super().__init__(f"{where}: {what}: expected {expected}; found {found}. Correct the file.")


def families() -> tuple[str, ...]:
    """Return the families that have a grammar, in order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@cache
def read_grammar(family: str) -> Grammar:
    """Read a family's grammar once. Raises GrammarFault."""
    return build_grammar(family, _merged(family))


def _merged(family: str) -> dict[str, object]:
    """Return a file with what it extends beneath it."""
    path = FOLDER / f"{family}.yaml"
    if not path.exists():
        raise GrammarFault(path.name, "grammar", f"one of {', '.join(families())}", family)
    own = yaml.safe_load(path.read_text(encoding="utf-8"))
    base = _merged(own.pop("extends")) if "extends" in own else {}
    without = set(own.pop("without", ()))
    for name in ("errors", "interface_types", "secret_forms", "save"):
        own[name] = {**_mapping(base.get(name)), **_mapping(own.get(name))}
    own["commands"] = [*own.get("commands", ()), *_rows(base.get("commands"))]
    views, below = _mapping(own.get("views")), _mapping(base.get("views"))
    own["views"] = {name: _merged_rules(_rows(views.get(name)), _rows(below.get(name)), without) for name in {**below, **views}}
    return {**base, **own}


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _rows(value: object) -> list[dict[str, object]]:
    rows = value if isinstance(value, list) else []
    return [{"line": row} if isinstance(row, str) else dict(row) for row in rows]


def _merged_rules(own: list[dict[str, object]], base: list[dict[str, object]], without: set[str]) -> list[dict[str, object]]:
    """Replace rules of the same name where they stand; put new ones after those of the base."""
    mine = {_name(row): row for row in own}
    kept = [mine.pop(_name(row), row) for row in base if _name(row) not in without]
    return [*kept, *mine.values()]


def _name(row: Mapping[str, object]) -> str:
    return str(row.get("name") or row.get("line"))


def build_grammar(family: str, raw: Mapping[str, object]) -> Grammar:
    """Build a grammar from what its file says. Raises GrammarFault on unknown keys, views and deeds."""
    known = {entry.name for entry in fields(Grammar)} - {"family", "kinds"}
    _refuse_unknown(family, raw, known)
    missing = sorted(name for name in known - set(raw) if name in _REQUIRED)
    if missing:
        raise GrammarFault(family, "grammar", f"the keys {', '.join(missing)}", "none of them")
    full_undo = bool(raw.get("full_undo", False))
    views = {
        name: tuple(_rule(f"{family}: {name}", row, full_undo=full_undo) for row in _rows(rows))
        for name, rows in _mapping(raw["views"]).items()
    }
    for name, rules in views.items():
        for rule in rules:
            if rule.opens and rule.opens not in views:
                raise GrammarFault(f"{family}: {name}", f"rule {rule.name!r}", f"a view among {', '.join(views)}", rule.opens)
    types = {name: str(kind) for name, kind in _mapping(raw["interface_types"]).items()}
    plain = {name: raw[name] for name in raw if name in known - {"commands", "views", "interface_types", "head"}}
    return Grammar(
        family=family,
        commands=tuple(_command(family, row) for row in _rows(raw["commands"])),
        views=views,
        interface_types=types,
        head=tuple(str(line) for line in _texts(raw.get("head"))),
        kinds=Kinds(tuple(types), tuple(name for name, kind in types.items() if kind == "whole")),
        **plain,  # type: ignore[arg-type]  # the keys were checked against the dataclass above
    )


_REQUIRED = {entry.name for entry in fields(Grammar)} - {
    "family",
    "kinds",
    "two_phase",
    "fall_back",
    "full_undo",
    "reads_banner_by",
    "enable_prompt",
    "interface_table",
    "shows_bare_ports",
    "block_end",
    "family_end",
    "hardware",
}


def _refuse_unknown(where: str, raw: Mapping[str, object], known: set[str]) -> None:
    unknown = sorted(set(raw) - known)
    if unknown:
        raise GrammarFault(where, "keys", f"only {', '.join(sorted(known))}", ", ".join(unknown))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(text) for text in value) if isinstance(value, list | tuple) else ()


def _rule(where: str, row: Mapping[str, object], *, full_undo: bool) -> Rule:
    built = {"line", "name", "key", "undo", "derive", "hides", "drops", "asks", "undo_asks", "guards", "undo_guards"}
    plain = {entry.name for entry in fields(Rule)} - built - {"pattern"}
    _refuse_unknown(f"{where}: {_name(row)}", row, plain | built)
    if row.get("means") and row["means"] not in MEANINGS:
        raise GrammarFault(f"{where}: {_name(row)}", "means", f"one of {', '.join(MEANINGS)}", str(row["means"]))
    pattern = compile_pattern(str(row["line"]))
    key = _texts(row["key"]) if "key" in row else None
    return Rule(
        name=_name(row),
        pattern=pattern,
        key=key,
        undo=_undo_forms(row, pattern, key, full=full_undo),
        derive=tuple(_derived(row)),
        hides=tuple((name, str(form)) for name, form in _mapping(row.get("hides")).items()),
        drops=_texts(row.get("drops")),
        asks=_asks(where, row.get("asks")),
        undo_asks=_asks(where, row.get("undo_asks")),
        guards=_guards(row.get("guards")),
        undo_guards=_guards(row.get("undo_guards")),
        **{name: value for name, value in row.items() if name in plain},  # type: ignore[arg-type]  # the keys were checked against the dataclass
    )


def _guards(value: object) -> tuple[Guard, ...]:
    return tuple(Guard(**{name: str(text) for name, text in guard.items()}) for guard in _rows(value))


def _derived(row: Mapping[str, object]) -> Iterator[tuple[str, str, int, int]]:
    for name, given in _mapping(row.get("derive")).items():
        how = _mapping(given)
        yield name, str(how["of"]), int(str(how["times"])), int(str(how.get("least", 0)))


def _undo_forms(row: Mapping[str, object], pattern: Pattern, key: tuple[str, ...] | None, *, full: bool) -> tuple[Pattern, ...]:
    """Return the forms after the negation: as written, else the leading words of a line that stands once, else the whole line."""
    if "undo" in row:
        named = row["undo"]
        written = tuple(compile_pattern(text) for text in ([named] if isinstance(named, str) else _texts(named)))
        return (*written, pattern) if full else written
    if key != ():
        return (pattern,)
    leading = compile_pattern(_leading(pattern))
    return (leading, pattern) if full else (leading,)


def _leading(pattern: Pattern) -> str:
    """Return the words before the first parameter."""
    return " ".join(part.text for part in takewhile(lambda part: isinstance(part, Word), pattern.parts) if isinstance(part, Word))


def _asks(where: str, value: object) -> tuple[Ask, ...]:
    rows = [{"text": row} if isinstance(row, str) else dict(row) for row in (value if isinstance(value, list) else [])]
    for row in rows:
        _refuse_unknown(f"{where}: asks", row, {entry.name for entry in fields(Ask)})
    return tuple(Ask(**row) for row in rows)


def _command(family: str, row: Mapping[str, object]) -> Command:
    _refuse_unknown(f"{family}: commands: {row.get('line')}", row, {"line", "does", "where", "says", "asks", "hidden"})
    does = str(row.get("does", "say"))
    if does not in DEEDS:
        raise GrammarFault(f"{family}: commands: {row['line']}", "does", f"one of {', '.join(DEEDS)}", does)
    return Command(
        pattern=compile_pattern(str(row["line"])),
        does=does,
        where=str(row.get("where", "exec")),
        says=str(row.get("says", "")),
        asks=_asks(family, row.get("asks")),
        hidden=bool(row.get("hidden", False)),
    )

