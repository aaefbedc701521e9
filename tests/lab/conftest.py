"""The lab as a fixture: booted once per test module, always taken down, never skipped in CI."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from app.edge.files import read_workspace
from app.errors import LabError
from app.workflows.rehearse import rehearse
from lab.handle import Lab, running_lab
from lab.possible import require_possible
from lab.runner import LabOptions
from tests.samples.required import skip_or_fail

#: Another test run, or a person's lab, may hold the machine's one lab for a while.
WAIT_FOR_OTHERS_S = 600.0


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Boot the lab for one module of tests, so that each begins with bootstrap text only (3 s)."""
    require_lab()
    with running_lab(LabOptions(wait_s=WAIT_FOR_OTHERS_S)) as handle:
        yield handle


@pytest.fixture(scope="module")
def rehearsed_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Boot a lab whose dates are moved so that today lies inside the rollout, as the demo does."""
    require_lab()
    source, root = LabOptions().workspace, tmp_path_factory.mktemp("rehearsal")
    rehearse(read_workspace(source)[0], source, root, datetime.now(UTC).date())
    with running_lab(LabOptions(workspace=root, wait_s=WAIT_FOR_OTHERS_S)) as handle:
        yield handle


def require_lab() -> None:
    """Skip with the reason where no lab can run; under CI=true that is a failure."""
    try:
        require_possible()
    except LabError as error:
        skip_or_fail(str(error))
