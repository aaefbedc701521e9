"""What can be kept of what somebody enters: moments that fit the calendar in UTC, texts without control characters. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from app.errors import Finding

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
#: Control characters and halves of surrogate pairs: databases, spreadsheets and word processors take neither.
ODD = ("Cc", "Cs")


def fits_utc(moment: datetime) -> bool:
    """Tell whether an aware moment has a day in UTC: the first and the last of the calendar may have none."""
    return FIRST <= moment <= LAST


def find_entry_faults(where: str, observed_at: datetime | None, texts: Mapping[str, str | None]) -> Iterator[Finding]:
    """Yield what is wrong with an entry in itself; `texts` are by the name of their field."""
    if observed_at is not None and not fits_utc(observed_at):
        yield Finding(where, "moment", "a day of the calendar in UTC", observed_at.isoformat(), "Correct the day.")
    for name, text in texts.items():
        odd = next((sign for sign in text or "" if unicodedata.category(sign) in ODD), None)
        if odd is not None:
            found, step = f"the character U+{ord(odd):04X}", "Type it again without that character."
            yield Finding(where, name, "one line of readable text", found, step)
