"""Patterns of command lines, and how a typed line is matched against them. Pure.

    ip address <address:ipv4> <mask:mask> [sub]        words, parameters, options
    qos car (direction:inbound|outbound) cir <cir:8-4294967295>   a choice whose word is kept
    {permit | deny}                                    a choice whose word is not kept

Keywords may be shortened as far as the device allows; a match holds the full form, which is what a device echoes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, NetmaskValueError

_MARKS = re.compile(r"\(([a-z_0-9]+):([^)]*)\)|<([a-z_0-9]+):([^>]+)>|[\[\]{}|]|[^\s\[\]{}|]+")
_RANGE = re.compile(r"(\d+)-(\d+)(?:/(\d+))?$")


@dataclass(frozen=True, slots=True)
class Token:
    """One typed word and the column where it starts."""

    text: str
    column: int


@dataclass(frozen=True, slots=True)
class Match:
    """A line that fits: its full form, its parameters, and how many keywords were shortened."""

    text: str
    values: tuple[tuple[str, str], ...]
    shortened: int


@dataclass(frozen=True, slots=True)
class Miss:
    """A line that does not fit: how far it got (in words) and why: unrecognized, incomplete, wrong or excess."""

    at: int
    why: str


@dataclass(frozen=True, slots=True)
class Word:
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Alternatives:
    """One of several sequences; an option is an alternative with an empty sequence last."""

    sequences: tuple[tuple[Part, ...], ...]


Part = Word | Choice | Parameter | Alternatives


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern; `first_letters` are those that a matching line can start with, none where any can."""

    source: str
    parts: tuple[Part, ...]
    first_letters: frozenset[str]

    def may_start(self, letter: str) -> bool:
        return not self.first_letters or letter in self.first_letters


@dataclass(frozen=True, slots=True)
class Kinds:
    """What parameters of kind `ifname` accept on this family: interface types in full form, and names without a number."""

    interface_types: tuple[str, ...] = ()
    whole_names: tuple[str, ...] = ()


def tokenize(line: str) -> tuple[Token, ...]:
    """Split a line at blanks; a quoted text is one word and keeps its quotes."""
    return tuple(Token(found.group(), found.start()) for found in re.finditer(r'"[^"]*"|\S+', line))


def compile_pattern(source: str) -> Pattern:
    """Parse a pattern. Raises ValueError naming it where brackets do not pair."""
    marks = list(_MARKS.finditer(source))
    sequences, rest = _parse(source, marks, 0, closing="")
    if rest != len(marks) or len(sequences) != 1:
        raise ValueError(f"pattern {source!r}: expected paired brackets, and | only inside them")
    return Pattern(source, sequences[0], _first_letters(sequences[0]))


def _parse(source: str, marks: Sequence[re.Match[str]], at: int, closing: str) -> tuple[list[tuple[Part, ...]], int]:
    """Parse up to the closing bracket; return the sequences between bars and the place after it."""
    sequences: list[tuple[Part, ...]] = []
    parts: list[Part] = []
    while at < len(marks):
        mark = marks[at].group()
        if mark == closing:
            return [*sequences, tuple(parts)], at + 1
        if mark in "[{":
            inner, at = _parse(source, marks, at + 1, closing="]" if mark == "[" else "}")
            parts.append(Alternatives((*inner, ()) if mark == "[" else tuple(inner)))
            continue
        if mark == "|":
            sequences.append(tuple(parts))
            parts = []
        elif mark in "]}":
            raise ValueError(f"pattern {source!r}: {mark} closes nothing")
        else:
            parts.append(_part(marks[at]))
        at += 1
    if closing:
        raise ValueError(f"pattern {source!r}: {closing} is missing")
    return [*sequences, tuple(parts)], at


def _part(mark: re.Match[str]) -> Part:
    if mark.group(1):
        return Choice(mark.group(1), tuple(word.strip() for word in mark.group(2).split("|")))
    if mark.group(3):
        return Parameter(mark.group(3), mark.group(4))
    return Word(mark.group())


def _first_letters(parts: Sequence[Part]) -> frozenset[str]:
    if not parts:
        return frozenset()
    head = parts[0]
    if isinstance(head, Word):
        return frozenset(head.text[:1].lower())
    if isinstance(head, Choice):
        return frozenset(word[:1].lower() for word in head.words)
    if isinstance(head, Alternatives):
        letters = [_first_letters((*sequence, *parts[1:])) for sequence in head.sequences]
        return frozenset().union(*letters) if all(letters) else frozenset()
    return frozenset()


@dataclass(frozen=True, slots=True)
class _Way:
    """How far one way through a pattern has come."""

    at: int
    words: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    shortened: int = 0


def match(pattern: Pattern, line: str, tokens: Sequence[Token], kinds: Kinds) -> Match | Miss:
    """Match a whole line; the longest way through the pattern decides what is said of a miss."""
    worst = [Miss(0, "unrecognized")]
    best: Match | None = None
    for way in _walk(pattern.parts, _Way(0), line, tokens, kinds, worst):
        if way.at < len(tokens):
            _note(worst, Miss(way.at, "excess"))
            continue
        found = Match(" ".join(way.words), way.values, way.shortened)
        if best is None or found.shortened < best.shortened:
            best = found
    return best or worst[0]


def _note(worst: list[Miss], miss: Miss) -> None:
    """Keep the miss that got farthest; of two at one place, a wrong value tells more than an unknown word."""
    rank = {"unrecognized": 0, "excess": 1, "incomplete": 2, "wrong": 3}
    if (miss.at, rank[miss.why]) > (worst[0].at, rank[worst[0].why]):
        worst[0] = miss


def _walk(parts: Sequence[Part], way: _Way, line: str, tokens: Sequence[Token], kinds: Kinds, worst: list[Miss]) -> Iterator[_Way]:
    if not parts:
        yield way
        return
    head, rest = parts[0], parts[1:]
    if isinstance(head, Alternatives):
        for sequence in head.sequences:
            yield from _walk((*sequence, *rest), way, line, tokens, kinds, worst)
        return
    if way.at >= len(tokens):
        _note(worst, Miss(way.at, "incomplete"))
        return
    step = _keyword(head, way, tokens) if isinstance(head, Word | Choice) else _value(head, way, line, tokens, kinds)
    if step is None:
        _note(worst, Miss(way.at, "wrong" if isinstance(head, Parameter) else "unrecognized"))
        return
    yield from _walk(rest, step, line, tokens, kinds, worst)


def _keyword(part: Word | Choice, way: _Way, tokens: Sequence[Token]) -> _Way | None:
    typed = tokens[way.at].text.lower()
    words = (part.text,) if isinstance(part, Word) else part.words
    exact = [word for word in words if word.lower() == typed]
    near = exact or [word for word in words if word.lower().startswith(typed)]
    if len(near) != 1:
        return None
    values = way.values if isinstance(part, Word) else (*way.values, (part.name, near[0]))
    return _Way(way.at + 1, (*way.words, near[0]), values, way.shortened + (not exact))


def _value(part: Parameter, way: _Way, line: str, tokens: Sequence[Token], kinds: Kinds) -> _Way | None:
    typed = tokens[way.at].text
    if part.kind == "rest":
        text = line[tokens[way.at].column :].rstrip()
        return _Way(len(tokens), (*way.words, text), (*way.values, (part.name, text)), way.shortened)
    used = 1
    if part.kind == "ifname":
        found, used = _interface(tokens, way.at, kinds)
    else:
        found = canonical(part.kind, typed)
    if found is None:
        return None
    return _Way(way.at + used, (*way.words, found), (*way.values, (part.name, found)), way.shortened)


def _interface(tokens: Sequence[Token], at: int, kinds: Kinds) -> tuple[str | None, int]:
    """Read `GigabitEthernet0/0/1`, `GigabitEthernet 0/0/1` or a shortened type; return the full name and the words used."""
    typed, used = tokens[at].text, 1
    if typed in kinds.whole_names:
        return typed, used
    if typed.isalpha() and at + 1 < len(tokens) and tokens[at + 1].text[:1].isdigit():
        typed, used = typed + tokens[at + 1].text, 2
    return full_interface(typed, kinds.interface_types), used


def full_interface(typed: str, types: Sequence[str]) -> str | None:
    """Return the interface's name with its type in full, or None where the family has no such type."""
    parts = re.match(r"([A-Za-z][A-Za-z-]*)([\d/.:]*)$", typed)
    if parts is None:
        return None
    exact = [name for name in types if name.lower() == parts[1].lower()]
    near = exact or [name for name in types if name.lower().startswith(parts[1].lower())]
    return near[0] + parts[2] if near and parts[2] else None


def canonical(kind: str, typed: str) -> str | None:
    """Return the value as a device writes it, or None where it is not of this kind."""
    numbers = _RANGE.match(kind)
    if numbers:
        return _number(typed, int(numbers[1]), int(numbers[2]), int(numbers[3] or 1))
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(typed)
    length = re.match(r"(word|secret)(?:(\d+))?$", kind)
    if length is None:
        raise ValueError(f"parameter kind {kind!r}: expected one of {sorted(_READERS)}, ifname, rest, word, secret or a range")
    return typed if len(typed) <= int(length[2] or 255) else None


def _number(typed: str, low: int, high: int, step: int) -> str | None:
    if not typed.isdigit() or not low <= int(typed) <= high or int(typed) % step:
        return None
    return str(int(typed))


def _ipv4(typed: str) -> str | None:
    try:
        return str(IPv4Address(typed))
    except AddressValueError:
        return None


def _ipv6(typed: str) -> str | None:
    """Take an IPv6 address and return it compressed, in the typed case: FRR echoes small letters, the others capitals."""
    try:
        address = str(IPv6Address(typed))
    except AddressValueError:
        return None
    return address.upper() if typed.isupper() else address


def _ip(typed: str) -> str | None:
    return _ipv4(typed) or _ipv6(typed)


def _prefix6(typed: str) -> str | None:
    """Take an IPv6 address with its prefix length."""
    address, slash, length = typed.partition("/")
    if not slash or _ipv6(address) is None or _number(length, 0, 128, 1) is None:
        return None
    return f"{_ipv6(address)}/{int(length)}"


def _mask(typed: str) -> str | None:
    """Take a prefix length or a dotted mask; return the dotted mask."""
    try:
        dotted = IPv4Network(f"0.0.0.0/{typed}").netmask
    except (NetmaskValueError, AddressValueError, ValueError):
        return None
    return str(dotted) if typed.isdigit() or typed == str(dotted) else None


def _prefix(typed: str) -> str | None:
    """Take an address with its prefix length and return it as typed: an interface keeps its host part."""
    address, slash, length = typed.partition("/")
    if not slash or _ipv4(address) is None or _number(length, 0, 32, 1) is None:
        return None
    return f"{address}/{int(length)}"


def _area(typed: str) -> str | None:
    return str(IPv4Address(int(typed))) if typed.isdigit() and int(typed) < 2**32 else _ipv4(typed)


_READERS: Mapping[str, Callable[[str], str | None]] = {
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "ip": _ip,
    "prefix6": _prefix6,
    "wildcard": lambda typed: "0.0.0.0" if typed == "0" else _ipv4(typed),
    "mask": _mask,
    "prefix": _prefix,
    "area": _area,
    "hex": lambda typed: typed.upper() if re.fullmatch(r"[0-9A-Fa-f]+", typed) else None,
    "community": lambda typed: typed if re.fullmatch(r"\d+:\d+|\d+\.\d+\.\d+\.\d+:\d+", typed) else None,
    "clock": lambda typed: typed if re.fullmatch(r"\d\d:\d\d(?::\d\d)?", typed) else None,
}
