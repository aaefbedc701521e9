"""Fixtures of every test: golden files, and the rule that CI skips nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.samples.postgresql import Cluster, cluster, find_program
from tests.samples.required import skip_or_fail

GOLDEN = Path(__file__).parent / "golden"
if "CI" not in os.environ:  # there Hypothesis does so by itself
    settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("calm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the present output into tests/golden instead of comparing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the lab's tests first: they take longest."""
    items.sort(key=lambda item: item.path.parent.name != "lab")


class OneLab(LoadScopeScheduling):
    """Keep each file on one worker, and the lab's files together: a machine holds one lab, a module of tests one boot of it.

    The markers of `--dist loadgroup` do the same, but pytest-xdist 3.8 writes them into a field that pytest 9.2 no longer reads.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "tests/lab" if file.startswith("tests/lab/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneLab:
    return OneLab(config, log)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with `tests/golden/<path>`, or write it there with --update-golden."""

    def compare(path: str, text: str) -> None:
        file = GOLDEN / path
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.exists(), f"{file} is missing; run pytest --update-golden and read what it wrote"
        assert text == file.read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def require_program() -> Callable[..., None]:
    """Skip where a program is missing, with the reason; under CI=true that is a failure."""

    def require(*programs: str) -> None:
        if missing := [program for program in programs if shutil.which(program) is None]:
            skip_without(missing)

    return require


def skip_without(missing: Sequence[str]) -> NoReturn:
    skip_or_fail(f"not installed: {', '.join(missing)} (make system-packages)")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """Run a real PostgreSQL for the tests of this worker."""
    initdb, postgres = find_program("initdb"), find_program("postgres")
    if initdb is None or postgres is None:
        skip_without(["postgresql"])
    with cluster(initdb, postgres) as running:
        yield running
