"""Single rows of a CSV text change; every other byte stays."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.rows import format_diff, merge_rows, records

TEXT = 'id,name,note\nA,甲,"x, ""y"""\n"B",乙,\n\nC,丙,"two\nlines"\n'

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12).map(lambda text: text.replace("\r", "").strip())
KEYS = st.text("ABCDEFG0123", min_size=1, max_size=3)


def test_a_changed_row_is_rewritten_and_its_neighbours_keep_their_bytes() -> None:
    merged = merge_rows(TEXT, ("id",), {"A": {"name": "甲二"}})
    assert merged.text == TEXT.replace("A,甲,", "A,甲二,")
    assert [(change.key, change.before, change.after) for change in merged.changes] == [("A", 'A,甲,"x, ""y"""', 'A,甲二,"x, ""y"""')]


def test_a_row_whose_cells_stay_the_same_keeps_even_its_odd_quotes() -> None:
    merged = merge_rows(TEXT, ("id",), {"B": {"name": "乙", "note": ""}})
    assert (merged.text, merged.changes) == (TEXT, ())


def test_new_rows_go_to_the_end_in_the_order_given_and_know_their_lines() -> None:
    merged = merge_rows(TEXT.removesuffix("\n"), ("id",), {"Z": {"name": "末"}, "D": {"id": "D", "note": "a,b"}})
    assert merged.text == TEXT + ',末,\nD,,"a,b"\n'
    assert (merged.lines["A"], merged.lines["C"], merged.lines["Z"], merged.lines["D"]) == (2, 5, 7, 8)


def test_an_empty_cell_empties_and_a_missing_column_keeps() -> None:
    assert merge_rows(TEXT, ("id",), {"C": {"note": ""}}).text == TEXT.replace('C,丙,"two\nlines"', "C,丙,")


def test_a_column_that_the_header_lacks_is_added_for_every_row_only_when_a_cell_needs_it() -> None:
    assert merge_rows("id\nA\nB\n", ("id",), {"A": {"ruling": ""}}).text == "id\nA\nB\n"
    assert merge_rows("id\nA\nB\n", ("id",), {"A": {"ruling": "R-1"}}).text == "id,ruling\nA,R-1\nB,\n"


def test_the_line_ends_of_the_file_are_kept() -> None:
    assert merge_rows("id,n\r\nA,1\r\n", ("id",), {"A": {"n": "2"}, "B": {"id": "B", "n": "3"}}).text == "id,n\r\nA,2\r\nB,3\r\n"


def test_a_lone_carriage_return_in_a_row_that_is_rewritten_can_be_read_again() -> None:
    merged = merge_rows('id,n,m\nA,"x\ry",1\n', ("id",), {"A": {"m": "2"}})
    assert list(csv.reader(io.StringIO(merged.text, newline=""), strict=True))[1] == ["A", "x\ry", "2"]


def test_a_table_without_header_is_refused() -> None:
    with pytest.raises(ValueError, match="no header"):
        merge_rows("\n\n", ("id",), {})


def test_the_diff_names_lines_before_and_after() -> None:
    merged = merge_rows(TEXT, ("id",), {"C": {"name": "丁"}, "D": {"id": "D"}})
    assert format_diff("t.csv", merged.changes) == (
        '--- a/t.csv\n+++ b/t.csv\n@@ -5,2 +5,2 @@\n-C,丙,"two\n-lines"\n+C,丁,"two\n+lines"\n@@ -7,0 +7 @@\n+D,,\n'
    )
    assert format_diff("t.csv", ()) == ""


@given(st.dictionaries(KEYS, st.tuples(CELLS, CELLS), min_size=1), st.dictionaries(KEYS, CELLS))
def test_a_merge_changes_what_it_is_told_and_nothing_else(table: dict[str, tuple[str, str]], laid: dict[str, str]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([("id", "a", "b"), *((key, *cells) for key, cells in table.items())])
    before = out.getvalue()
    assert "".join(record.raw for record in records(before)) == before
    merged = merge_rows(before, ("id",), {key: {"id": key, "a": cell} for key, cell in laid.items()})
    rows = {cells[0]: cells[1:] for cells in csv.reader(io.StringIO(merged.text, newline=""), strict=True)}
    expected = {key: [laid.get(key, a), b] for key, (a, b) in table.items()} | {key: [a, ""] for key, a in laid.items() if key not in table}
    assert {key: cells for key, cells in rows.items() if key != "id"} == expected
    untouched = {record.raw for record in records(before) if record.cells[0] not in laid}
    assert untouched <= {record.raw for record in records(merged.text)}
    again = merge_rows(merged.text, ("id",), {key: {"id": key, "a": cell} for key, cell in laid.items()})
    assert (again.text, again.changes) == (merged.text, ())
    lines = merged.text.split("\n")
    assert all(lines[line - 1].lstrip('"').startswith(key) for key, line in merged.lines.items())
