"""Measured values in words: the number, grouped and rounded for a reader, with its unit. Pure."""

from __future__ import annotations

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
