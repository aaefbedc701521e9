"""Heads and words of office sheets."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.heads import HEADS, KEYS, WORDS, Vocabulary, columns_by_head, iso_day, only_once, with_units
from app.edge.files.rows_schema import COLUMNS, DeviceCells, LineCells, UnitCells, VpnLineCells

DOCUMENT = (Path(__file__).parents[2] / "docs" / "exchange.md").read_text(encoding="utf-8")


ROWS = {"units": UnitCells, "devices": DeviceCells, "lines": LineCells, "vpn_lines": VpnLineCells}


@pytest.mark.parametrize(("table", "cells"), ROWS.items())
def test_every_column_has_heads_and_no_head_means_two_columns(table: str, cells: type) -> None:
    assert set(HEADS[table]) == set(COLUMNS[cells])
    assert set(KEYS[table]) <= set(HEADS[table])
    heads = [head for column, known in HEADS[table].items() for head in (column, *known)]
    assert len(columns_by_head(HEADS[table])) == len(set(heads)) == len(heads)


def test_every_head_and_word_is_documented() -> None:
    for table, columns in HEADS.items():
        section = DOCUMENT.split(f"### {table}\n")[1].split("\n##")[0]
        for column, heads in columns.items():
            row = next(line for line in section.splitlines() if line.startswith(f"| `{column}` |"))
            for head in heads:
                assert head in row
            for word, meant in WORDS.get((table, column), {}).items():
                assert f"{word} → `{meant}`" in row


@pytest.mark.parametrize("text", ["2008-06-30", "2008/6/30", "2008.6.30", "2008年6月30日", "2008-06-30 00:00:00"])
def test_a_day_is_understood_as_offices_write_it(text: str) -> None:
    assert iso_day(text) == "2008-06-30"


@pytest.mark.parametrize("text", ["2008-13-01", "30/6/2008", "soon", "2008-02-30", "20080630"])
def test_what_is_no_day_stays_as_it_stands(text: str) -> None:
    assert iso_day(text) == text


def test_a_name_that_two_things_share_means_neither() -> None:
    assert only_once([("教育局", "A-U1"), ("教育局", "B-U1"), ("财政局", "A-U2"), ("财政局", "A-U2")]) == {"财政局": "A-U2"}
    known = with_units(Vocabulary({("lines", "unit_id"): {"教育局": "A-U1"}}), [("教育局", "B-U1"), ("新局", "B-U2")])
    assert known.cell("lines", "unit_id", "教育局") == "教育局"
    assert known.cell("lines", "unit_id", "新局") == "B-U2"


def test_words_are_understood_where_they_belong_and_ids_stay() -> None:
    assert Vocabulary().cell("units", "level", "县级") == "county"
    assert Vocabulary().cell("units", "name", "县级") == "县级"
    assert Vocabulary().cell("units", "urban", "Y") == "yes"
    assert Vocabulary().cell("lines", "ordered_on", "2008/4/1") == "2008-04-01"
