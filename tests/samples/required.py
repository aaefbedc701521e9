"""What a test needs and a machine may lack: elsewhere it is skipped with its reason, in CI (CI=true) that is a failure."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def skip_or_fail(reason: str) -> NoReturn:
    """End the present test: CI skips nothing."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
