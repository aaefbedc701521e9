"""Who acts is a role, never a person: texts that look like a name card are refused. Pure."""

from __future__ import annotations

import re

from app.errors import Finding

#: Longer than any office's name for a role.
ROLE_LIMIT = 40
#: A run of digits as long as a telephone number.
_NUMBER = re.compile(r"\d{5,}")


def is_role(text: str) -> bool:
    """Tell whether a text can be a role: something short, without a number."""
    return bool(text.strip()) and len(text) <= ROLE_LIMIT and not _NUMBER.search(text)


def find_role_faults(where: str, role: str) -> list[Finding]:
    """Return a finding where the text cannot be a role; its words are not repeated."""
    if is_role(role):
        return []
    expected, step = f"a role of up to {ROLE_LIMIT} characters without numbers", "Write the role (公文交换员), never a name or a number."
    return [Finding(where, "whoever acts is no role", expected, "something else" if role.strip() else "nothing", step)]
