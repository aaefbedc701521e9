"""Exit codes and their order; what a message is made of."""

from __future__ import annotations

from itertools import combinations

import pytest

from app.errors import (
    EXIT_PRECEDENCE,
    AccessRefused,
    AlertmanagerError,
    CommitRefused,
    ConnectFailed,
    DeviceError,
    ExitCode,
    Finding,
    InputError,
    LabError,
    LoginRefused,
    PoolExhausted,
    RenderError,
    StoreError,
    UnsafeRoute,
    WaiwangError,
    counted,
    worst,
)

FINDING = Finding("inventory/units.csv:3", "unit twice", "one row", "two", "Remove one.")


def test_the_codes_are_those_that_the_documentation_promises() -> None:
    promised = {
        "OK": 0,
        "INTERNAL": 1,
        "INPUT": 2,
        "DEVICE": 3,
        "NOT_ACCEPTED": 4,
        "PENDING": 5,
        "DEADLINE": 6,
        "NOTHING_MEASURED": 7,
    }
    assert {code.name: int(code) for code in ExitCode} == promised


def test_every_code_but_success_has_its_place_in_the_order() -> None:
    assert [int(code) for code in EXIT_PRECEDENCE] == [1, 2, 3, 7, 4, 6, 5]
    assert set(EXIT_PRECEDENCE) | {ExitCode.OK} == set(ExitCode)


def test_of_any_codes_together_the_first_in_the_order_is_answered() -> None:
    """All 255 sets of codes, in both directions of writing them down."""
    codes = list(ExitCode)
    for size in range(1, len(codes) + 1):
        for held in combinations(codes, size):
            wanted = min(held, key=lambda code: EXIT_PRECEDENCE.index(code) if code else len(codes))
            assert worst(held) is wanted
            assert worst(reversed(held)) is wanted


def test_no_code_at_all_is_success() -> None:
    assert worst([]) is ExitCode.OK


DEVICE = dict(expected="an answer", found="none", next_step="Look at it.")
RAISED: dict[str, tuple[WaiwangError, ExitCode]] = {
    "base": (WaiwangError("?"), ExitCode.INTERNAL),
    "input": (InputError([FINDING]), ExitCode.INPUT),
    "pool": (PoolExhausted([FINDING]), ExitCode.INPUT),
    "render": (RenderError("?"), ExitCode.INPUT),
    "lab": (LabError("?"), ExitCode.INPUT),
    "store": (StoreError("?"), ExitCode.INPUT),
    "access": (AccessRefused("?"), ExitCode.INPUT),
    "alertmanager": (AlertmanagerError("?"), ExitCode.DEVICE),
    "device": (DeviceError("R1", "ask", **DEVICE), ExitCode.DEVICE),
    "connect": (ConnectFailed("R1", "ask", **DEVICE), ExitCode.DEVICE),
    "login": (LoginRefused("R1", "ask", **DEVICE), ExitCode.DEVICE),
    "commit": (CommitRefused("R1", "ask", **DEVICE), ExitCode.DEVICE),
    "route": (UnsafeRoute("R1", "ask", **DEVICE), ExitCode.DEVICE),
}


@pytest.mark.parametrize("name", RAISED)
def test_an_error_names_who_must_act_by_its_code(name: str) -> None:
    error, code = RAISED[name]
    assert error.exit_code is code


def test_every_error_of_the_tree_stands_in_the_table_above() -> None:
    def below(kind: type[WaiwangError]) -> set[type[WaiwangError]]:
        return {kind}.union(*(below(each) for each in kind.__subclasses__()))

    ours = {kind for kind in below(WaiwangError) if kind.__module__ == "app.errors"}
    assert {type(error) for error, _ in RAISED.values()} == ours


def test_a_message_says_what_where_expected_found_and_the_next_step() -> None:
    assert str(FINDING) == "inventory/units.csv:3: unit twice: expected one row; found two. Remove one."
    assert str(RAISED["device"][0]) == "R1: ask: expected an answer; found none. Look at it."


@pytest.mark.parametrize("found", ["Error: Unrecognized command.", "太长。", "Are you sure?"])
def test_what_a_device_says_in_a_sentence_gets_no_second_full_stop(found: str) -> None:
    said = str(CommitRefused("R1", "line 3 of 9", expected="acceptance", found=found, next_step="Correct it."))
    assert said == f"R1: line 3 of 9: expected acceptance; found {found} Correct it."
    assert str(Finding("a", "b", "c", found, "Correct it.")) == f"a: b: expected c; found {found} Correct it."


def test_a_number_and_its_noun_agree() -> None:
    assert [counted(1, "place"), counted(2, "place"), counted(0, "place")] == ["1 place", "2 places", "0 places"]
    assert counted(2, "prefix", "prefixes") == "2 prefixes"


def test_an_input_error_carries_every_finding_in_its_order() -> None:
    other = Finding("a", "b", "c", "d", "e")
    error = InputError(iter([FINDING, other]))
    assert error.findings == (FINDING, other)
    assert str(error).splitlines() == [str(FINDING), str(other)]
