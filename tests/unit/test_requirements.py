"""Every requirement of the five orders has its clause, is kept by something that exists, and is proven by a test that names it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from app.core.duty_rules import kept_parts
from app.core.workspace import Workspace
from app.edge.files import read_workspace

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
#: Letters of an order → its workspace, and how many requirements it has.
ORDERS = {
    "BZ": (".", 14),
    "BL": ("examples/barkol-2013", 5),
    "SR": ("examples/shangrao-2012", 8),
    "SX": ("examples/shaoxing-2012", 4),
    "DZ": ("examples/dazhou-2008", 3),
}
IDS = [f"{letters}-{number}" for letters, (_, count) in ORDERS.items() for number in range(1, count + 1)]


@cache
def workspace(letters: str) -> Workspace:
    return read_workspace(ROOT / ORDERS[letters][0])[0]


@cache
def proofs() -> dict[str, list[str]]:
    """Return requirement id → the tests that carry the marker with it, read from the source of every test."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for test in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef) and test.name.startswith("test_"):
                for mark in test.decorator_list:
                    for name in marked(mark):
                        found.setdefault(name, []).append(f"{path.relative_to(ROOT)}::{test.name}")
    return found


def marked(decorator: ast.expr) -> list[str]:
    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.requirement":
        return [str(ast.literal_eval(argument)) for argument in decorator.args]
    return []


@pytest.mark.parametrize("name", IDS)
def test_a_requirement_has_a_clause_is_kept_and_is_proven_by_a_test_that_names_it(name: str) -> None:
    held = workspace(name[:2])
    requirement = held.order.requirements.get(name)
    assert requirement is not None, f"{name} has no clause in `requirements` of {ORDERS[name[:2]][0]}/inventory/order.yaml"
    assert requirement.clause
    assert set(requirement.kept) <= set(kept_parts(held))
    assert proofs().get(name), f"no test carries @pytest.mark.requirement({name!r})"


@pytest.mark.parametrize("letters", ORDERS)
def test_an_order_lists_its_own_requirements_and_no_others(letters: str) -> None:
    assert list(workspace(letters).order.requirements) == [name for name in IDS if name.startswith(letters)]


def test_no_test_claims_a_requirement_that_no_order_has() -> None:
    assert set(proofs()) <= set(IDS)


@pytest.mark.parametrize("letters", ORDERS)
def test_everything_that_an_order_dates_rules_and_asks_is_kept_for_some_requirement(letters: str) -> None:
    held = workspace(letters)
    kept = {part for requirement in held.order.requirements.values() for part in requirement.kept}
    tables = {"regions", "units", "devices", "lines", "services", "plan", "carriers"}
    own = {f"service_classes.{name}" for name in held.order.classes}
    secondary = {f"duties.{duty.duty_id}" for duty in held.order.duties}
    secondary |= {f"organisations.{each.organisation_id}" for each in held.order.organisations}
    assert set(kept_parts(held)) - tables - own - secondary <= kept
