"""Measured values in words: the number, grouped and rounded for a reader, with its unit. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.acceptance import Measurement

#: Unit of a measurement → how its value is written.
_FORMS = {
    "ratio": "{:.4g} % loss",
    "kbps": "{:,.0f} kbit/s",
    "ms": "{:.1f} ms",
    "dB": "{:.1f} dB",
    "dBm": "{:.1f} dBm",
    "Mbit/s": "{:,.0f} Mbit/s",
}
_ANSWERS = {"proven": ("not proven", "proven"), "full": ("half duplex", "full duplex")}


def written(measured: Measurement) -> str | None:
    """Return a measurement as a reader writes it (`0 % loss`, `9,480 kbit/s`), None where there is no value."""
    value = measured.value
    if value is None:
        return None
    if measured.unit in _ANSWERS:
        return _ANSWERS[measured.unit][value == 1.0]
    form = _FORMS.get(measured.unit, f"{{:.4g}} {measured.unit}")
    return form.format(value * 100 if measured.unit == "ratio" else value).strip()


def steps_written(measured: Measurement) -> tuple[str, ...]:
    """Return the steps of a load test as a reader writes them, the way towards the unit first; nothing for any other test."""
    steps = measured.detail.get("steps")
    if measured.kind != "step_loss" or not isinstance(steps, list):
        return ()
    return tuple(filter(None, (_way(direction, steps) for direction in ("down", "up"))))


def _way(direction: str, steps: list[Mapping[str, object]]) -> str:
    words = []
    for step in (each for each in steps if each.get("direction") == direction):
        lost = step.get("loss_ratio")
        share, offered = float(str(step["share"])), float(str(step["offered_kbps"]))
        words.append(f"{share:.0%} of nominal {offered:,.0f} kbit/s: {'not measured' if lost is None else f'{float(str(lost)):.2%} lost'}")
    return f"{direction}: {', '.join(words)}" if words else ""
