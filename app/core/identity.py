"""What a device says it is: its own description (SNMPv2-MIB) and its chassis' model and serial number (ENTITY-MIB, RFC 6933). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

SYS_DESCR = "1.3.6.1.2.1.1.1.0"
ENTITY_CLASS, ENTITY_SERIAL, ENTITY_MODEL = (f"1.3.6.1.2.1.47.1.1.1.1.{column}" for column in (5, 11, 13))
#: entPhysicalClass of what carries a serial number of the whole device, the first that tells one goes: chassis, stack.
WHOLE = (3, 11)
#: Modules that are looked at in one device; a full chassis has some hundred.
CHASSIS_LIMIT = 20


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """What one device said at `at`; None stands for what its agent does not tell."""

    device: str
    at: datetime
    sys_descr: str | None
    serial: str | None
    model: str | None

    def says_the_same_as(self, other: DeviceIdentity) -> bool:
        return (self.sys_descr, self.serial, self.model) == (other.sys_descr, other.serial, other.model)

    @property
    def not_told(self) -> tuple[str, ...]:
        return tuple(name for name in ("sys_descr", "serial", "model") if getattr(self, name) is None)


def chassis_of(classes: Mapping[str, object]) -> list[str]:
    """Return the indexes of what may carry the device's serial number, chassis first; `classes` is a walk of entPhysicalClass."""
    found = [(WHOLE.index(kind), int(oid.rpartition(".")[2])) for oid, kind in classes.items() if isinstance(kind, int) and kind in WHOLE]
    return [str(index) for _, index in sorted(found)[:CHASSIS_LIMIT]]


def build_identity(device: str, at: datetime, chassis: Iterable[str], told: Mapping[str, object]) -> DeviceIdentity:
    """Return what the variables say; of several chassis (a stack) every serial number, in their order."""
    indexes = list(chassis)
    serials = [serial for index in indexes if (serial := _text(told.get(f"{ENTITY_SERIAL}.{index}")))]
    models = [model for index in indexes if (model := _text(told.get(f"{ENTITY_MODEL}.{index}")))]
    return DeviceIdentity(device, at, _text(told.get(SYS_DESCR)), _joined(serials), _joined(models))


def known_at(identities: Iterable[DeviceIdentity], moment: datetime) -> DeviceIdentity | None:
    """Return what a device was at a moment: the newest word before it, else the first one after; the latter's own moment tells which."""
    ordered = sorted(identities, key=lambda each: each.at)
    before = [each for each in ordered if each.at <= moment]
    return before[-1] if before else next(iter(ordered), None)


def _joined(texts: Iterable[str]) -> str | None:
    return " / ".join(dict.fromkeys(texts)) or None


def _text(value: object) -> str | None:
    """Return an agent's text without what cannot be printed; an empty one says nothing."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip() or None
