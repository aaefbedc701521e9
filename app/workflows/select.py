"""Choose devices: by name or glob, by facts as Nornir's F, at most so many. Whatever cannot match is refused, not passed over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import reduce
from itertools import islice

from nornir.core import Nornir
from nornir.core.filter import AND, F_BASE, F
from nornir.core.inventory import Host

from app.errors import Finding, InputError

#: Operators of `-F key__operator=value`; no operator means equal. `a,b` is a list for `any` and `in`.
OPERATORS = ("any", "in", "contains", "startswith", "endswith")
LISTS = ("any", "in")
#: What every host has beside its facts.
ATTRIBUTES = ("name", "hostname", "platform", "groups")
SHOWN = 12


def select(nornir: Nornir, names: Iterable[str] = (), terms: Sequence[str] = (), limit: int | None = None) -> Nornir:
    """Return Nornir over the devices that match: any of the names or globs, every term, and of those the first `limit`.

    Raises:
        InputError: with every name, key and operator that is not known, or because nothing matches.
    """
    hosts = nornir.inventory.hosts
    wanted = tuple(names)
    findings = [_unknown_name(name, hosts) for name in wanted if not any(fnmatchcase(host, name) for host in hosts)]
    chosen = filter_of(terms, hosts) if not findings else F()
    if limit is not None and limit < 1:
        findings.append(Finding("--limit", "number of devices", "1 or more", str(limit), "Leave it out to take all."))
    if findings:
        raise InputError(findings)
    matching = (name for name, host in hosts.items() if _is_named(name, wanted) and chosen(host))
    kept = frozenset(islice(matching, limit))
    if not kept:
        step = f"{len(hosts)} devices are known; widen the selection."
        nothing = Finding("selection", "devices", "one or more", "none that match", step)
        raise InputError([_unmatched(term, hosts) for term in terms if not any(map(_one(term), hosts.values()))] or [nothing])
    return nornir.filter(filter_func=lambda host: host.name in kept)


def filter_of(terms: Iterable[str], hosts: Mapping[str, Host]) -> F_BASE:
    """Return the terms (`key=value`, `key!=value`, `key__operator=value`) as one filter; all of them must hold.

    Raises:
        InputError: with every term whose key or operator no host knows: Nornir would match nothing, or everything, in silence.
    """
    known = sorted({*ATTRIBUTES, *(key for host in hosts.values() for key in host.keys())})  # noqa: SIM118  # a Host is no dict
    everything: F_BASE = F()
    parts: list[F_BASE] = []
    findings: list[Finding] = []
    for term in terms:
        finding = _find_fault(term, known)
        if finding:
            findings.append(finding)
        else:
            parts.append(_one(term))
    if findings:
        raise InputError(findings)
    return reduce(AND, parts, everything)


def _one(term: str) -> F:
    key, _, value = term.partition("=")
    many = key.rstrip("!").rpartition("__")[2] in LISTS
    one = F(**{key.rstrip("!"): value.split(",") if many else value})
    return ~one if key.endswith("!") else one


def _find_fault(term: str, known: list[str]) -> Finding | None:
    path, equals, _ = term.partition("=")
    key, separator, operator = path.rstrip("!").partition("__")
    where = f"-F {term}"
    if not equals:
        return Finding(where, "term of a selection", "key=value", term, f"Write for example -F {known[0]}=… or -F role__any=a,b.")
    if key not in known:
        near = get_close_matches(key, known, n=1)
        step = f"Write {near[0]}." if near else "Choose one of them."
        return Finding(where, "key of a selection", f"one of {', '.join(known)}", key or "none", step)
    if separator and operator not in OPERATORS:
        step = f"Write {key}=… or {key}__any=…."
        return Finding(where, "operator of a selection", f"one of {', '.join(OPERATORS)}, or none", operator, step)
    return None


def _unmatched(term: str, hosts: Mapping[str, Host]) -> Finding:
    """Return that no device at all has what a term asks for, with values that there are: the nearest, else the first."""
    path, _, value = term.partition("=")
    key = path.rstrip("!").partition("__")[0]
    there = sorted({text for host in hosts.values() for text in _texts(host, key)})
    shown = get_close_matches(value, there, n=3) or there[:SHOWN]
    return Finding(f"-F {term}", f"devices by {key}", "one or more", "none", f"Known are for example {', '.join(shown)}.")


def _texts(host: Host, key: str) -> tuple[str, ...]:
    if key == "groups":
        return tuple(group.name for group in host.groups)
    value = getattr(host, key) if key in ATTRIBUTES else host.get(key)
    return (str(value),) if value not in (None, "") else ()


def _is_named(host: str, names: tuple[str, ...]) -> bool:
    return not names or any(fnmatchcase(host, name) for name in names)


def _unknown_name(name: str, hosts: Mapping[str, Host]) -> Finding:
    near = get_close_matches(name, hosts, n=3) or list(hosts)[:SHOWN]
    return Finding("selection", "device name", "a name or glob of inventory/devices.csv", name, f"Known are for example {', '.join(near)}.")
