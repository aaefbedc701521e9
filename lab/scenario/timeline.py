"""From a scenario to what happens when. Pure; the same seed gives the same moments."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.inventory import Inventory, Line
from lab.scenario.reading import match_lines
from lab.scenario.values import Defect, Fault, Scenario

#: Carriers work from 9 to 17.
FIRST_HOUR, LAST_HOUR = 9, 17


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """Something that changes the network. `kind`: open, cut, heal, spoil, mend, power_off, power_on, deaf or hearing."""

    at: datetime
    kind: str
    subject: str = ""
    amount: float = 0.0
    detail: str = ""


def chance(seed: int, *words: object) -> float:
    """Return a number of 0..1 that the seed and the words decide."""
    text = ":".join(map(str, (seed, *words)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / float(1 << 48)


def opening_moments(scenario: Scenario, inventory: Inventory, zone: ZoneInfo) -> dict[str, datetime]:
    """Return when each line is opened; lines that are never opened are left out.

    A carrier opens its lines evenly within its time, those that carry others first, each within working hours.
    """
    moments: dict[str, datetime] = {}
    for carrier, (first, last) in scenario.carriers.items():
        lines = sorted((line for line in inventory.lines.values() if line.carrier == carrier), key=lambda line: _rank(line, inventory))
        for number, line in enumerate(lines):
            share = (number + chance(scenario.seed, "opened", line.line_id)) / len(lines)
            moments[line.line_id] = _working_hour(first + share * (last - first), zone)
    for opening in scenario.openings:
        for line_id in match_lines(opening.lines, inventory.lines):
            if opening.at is None:
                moments.pop(line_id, None)
            else:
                moments[line_id] = opening.at
    return moments


def events(scenario: Scenario, inventory: Inventory, zone: ZoneInfo) -> list[Event]:
    """Return everything that happens, in order."""
    opened = opening_moments(scenario, inventory, zone)
    happening = [Event(at, "open", line_id) for line_id, at in opened.items()]
    for defect in scenario.defects:
        happening += _defect_events(defect, opened, inventory)
    for fault in scenario.faults:
        happening += _fault_events(fault, scenario.present_at)
    return sorted(happening)


def bad_reserved_ports(scenario: Scenario, inventory: Inventory, at: datetime) -> frozenset[str]:
    """Return the lines whose reserved ports are not wired to each other at this moment."""
    return frozenset(
        line_id
        for defect in scenario.defects
        if defect.kind == "reserved_unwired" and (defect.mended_at is None or at < defect.mended_at)
        for line_id in match_lines(defect.lines, inventory.lines)
    )


def _rank(line: Line, inventory: Inventory) -> tuple[bool, float]:
    """Lines that others hang on come first; the rest in an order that has nothing to do with the file's."""
    carries_others = line.role == "primary" and any(other.a_device == line.z_device for other in inventory.lines.values())
    return not carries_others, chance(0, "rank", line.line_id)


def _working_hour(at: datetime, zone: ZoneInfo) -> datetime:
    """Move a moment into the working hours of its day, whole minutes."""
    civil = at.astimezone(zone)
    share = (civil.hour * 60 + civil.minute) / (24 * 60)
    minutes = round(share * (LAST_HOUR - FIRST_HOUR) * 60)
    return civil.replace(hour=FIRST_HOUR, minute=0, second=0, microsecond=0) + timedelta(minutes=minutes)


def _defect_events(defect: Defect, opened: dict[str, datetime], inventory: Inventory) -> Iterator[Event]:
    if defect.kind == "reserved_unwired":
        return
    for line_id in match_lines(defect.lines, inventory.lines):
        if line_id not in opened or (defect.mended_at is not None and defect.mended_at <= opened[line_id]):
            continue
        yield Event(opened[line_id], "spoil", line_id, defect.amount, defect.kind)
        if defect.mended_at is not None:
            yield Event(defect.mended_at, "mend", line_id)


def _fault_events(fault: Fault, horizon: datetime) -> Iterator[Event]:
    """Yield a fault's beginning and end; one that begins after the horizon is never seen."""
    subject = fault.line or fault.device or ""
    begin, end = {
        "cut": ("cut", "heal"),
        "flap": ("cut", "heal"),
        "errors": ("spoil", "mend"),
        "power": ("power_off", "power_on"),
        "poller_stopped": ("stop", "start"),
        "poller_cut_off": ("deaf", "hearing"),
    }[fault.kind]
    if fault.kind == "flap":
        assert fault.every is not None
        assert fault.down is not None
        at = fault.begins_at
        while at < (fault.ends_at or horizon):
            yield Event(at, "cut", subject)
            yield Event(at + fault.down, "heal", subject)
            at += fault.every
        return
    yield Event(fault.begins_at, begin, subject, fault.per_hour, "errors" if fault.kind == "errors" else "")
    if fault.ends_at is not None:
        yield Event(fault.ends_at, end, subject)
