"""The lab as a fixture: booted once per test module, always taken down, never skipped in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from app.errors import LabError
from lab.handle import Lab, running_lab
from lab.possible import require_possible
from lab.runner import LabOptions

#: Another test run, or a person's lab, may hold the machine's one lab for a while.
WAIT_FOR_OTHERS_S = 600.0


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Boot the lab for one module of tests, so that each begins with bootstrap text only (3 s)."""
    require_lab()
    with running_lab(LabOptions(wait_s=WAIT_FOR_OTHERS_S)) as handle:
        yield handle


def require_lab() -> None:
    """Skip with the reason where no lab can run; under CI=true that is a failure."""
    try:
        require_possible()
    except LabError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
