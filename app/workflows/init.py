"""Init: a new workspace for a new city, which passes the check as it stands."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

from app.edge.skeleton import read_skeleton, write_skeleton
from app.errors import Finding, InputError

#: Days from today to the placeholder of the lines' deadline.
DAYS_TO_DUE = 90
_NAME = re.compile(r"[^\s\"'\\,:#{}\[\]@]{1,30}")
_NAME_EN = re.compile(r"[A-Za-z][A-Za-z .-]{0,40}")
_CODE = re.compile(r"\d{4}00")


def init(folder: Path, *, city: str, city_en: str, code: str, today: date) -> list[Path]:
    """Write a new workspace into `folder` and return its files. Nothing that is there is overwritten.

    `code` is the city's of GB/T 2260. Dates are placeholders counted from `today`, marked as defaults.

    Raises:
        InputError: a word cannot be used, a file is there already, or the folder cannot be written.
    """
    findings = []
    for option, text, pattern, expected, example in (
        ("--city", city, _NAME, "a name of up to 30 characters without blanks, quotes or commas", "巴中市"),
        ("--city-en", city_en, _NAME_EN, "a name in Latin letters", "Bazhong City"),
        ("--code", code, _CODE, "six digits of GB/T 2260, the last two 00", "511900"),
    ):
        if pattern.fullmatch(text) is None:
            findings.append(Finding(option, "init", expected, f"`{text}`", f"Give one such as {example}."))
    if findings:
        raise InputError(findings)
    due = today + timedelta(days=DAYS_TO_DUE)
    words = {
        "CITY_EN": city_en,
        "CITY": city,
        "CODE": code,
        "COUNTY": f"{code[:4]}02",
        "TODAY": today.isoformat(),
        "DUE": due.isoformat(),
    }
    return write_skeleton(folder, read_skeleton(words))
