"""What imports cannot show of `app/core`: it asks no clock, draws no lots and opens nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "app/core"
#: Moments, days and chance come in as arguments; files are read at the edge.
METHODS = frozenset({"now", "utcnow", "today", "time", "monotonic", "localtime", "random", "urandom", "uuid4"})
FUNCTIONS = frozenset({"open", "input", "monotonic", "urandom", "uuid4"})


def impure_calls(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in METHODS:
                found.append(f"{ast.unparse(node)} (line {node.lineno})")
            case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
                found.append(f"{ast.unparse(node)} (line {node.lineno})")
    return found


@pytest.mark.parametrize("module", sorted(path.name for path in CORE.glob("*.py")))
def test_core_asks_no_clock_and_opens_nothing(module: str) -> None:
    assert impure_calls((CORE / module).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("call", ["datetime.now(UTC)", "date.today()", "time.time()", "open('x')", "random.random()"])
def test_a_look_at_the_clock_would_be_seen(call: str) -> None:
    assert impure_calls(f"x = {call}") == [f"{call} (line 1)"]
