"""What a virtual device and a login hold, and the prompt they show. Values only; moments are POSIX seconds (`_s`).

A session is one login; its `candidate` is the configuration it edits on families that commit in two steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address

from lab.virtual import tree
from lab.virtual.facts import hostname_of
from lab.virtual.grammar import Ask, Grammar
from lab.virtual.surroundings import Surroundings
from lab.virtual.tree import Entry

TOP = "system"


@dataclass(frozen=True, slots=True)
class Trial:
    """A configuration on trial: what returns at `until_s` unless it is confirmed, and whose trial it is.

    With a `persist` word any session that names it may confirm or abort, else only the one that began it, or any (`session` None).
    """

    until_s: float
    before: Entry
    session: int | None
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
    """The answer to one line; `reboots` tells the network to restart the device, `restarts_ospf` its OSPF alone."""

    device: Device
    session: Session
    text: str = ""
    reboots: bool = False
    restarts_ospf: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What a line is judged in: the grammar, the moment, which interfaces are up, what lies around the device, and the number
    that its OSPF goes by."""

    grammar: Grammar
    now_s: float
    is_up: Callable[[str], bool] = lambda interface: True
    look_around: Callable[[], Surroundings] = Surroundings
    router_id: IPv4Address | None = None


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


def out_of_deleted(session: Session, edited: Entry) -> Session:
    """Leave a section that exists no longer."""
    places = session.places
    while places and tree.find(edited, tuple(place.shown for place in places)) is None:
        places = places[:-1]
    return replace(session, places=places)
