"""Words broken into lines for terminals and pictures, Han characters two cells wide."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.core.wrapping import count_cells, wrap_words

WORDS = st.text(alphabet="ab 外网（）。，2-", max_size=60)


@given(words=WORDS, cells=st.integers(8, 30))
def test_nothing_is_lost_by_breaking_lines_but_the_space_between_them(words: str, cells: int) -> None:
    assert "".join("".join(wrap_words(words, cells)).split()) == "".join(words.split())


@given(words=st.text(alphabet="ab 外网", max_size=60), cells=st.integers(8, 30))
def test_a_line_is_wider_than_asked_for_only_where_it_is_one_word(words: str, cells: int) -> None:
    assert all(count_cells(line) <= cells or " " not in line.strip() for line in wrap_words(words, cells))


def test_no_closing_mark_begins_a_line_and_no_opening_one_ends_it() -> None:
    assert wrap_words("县（区）政府网站", 4) == ["县", "（区）", "政府", "网站"]
    assert wrap_words("截至今日，无。", 8) == ["截至今", "日，无。"]
    assert wrap_words("City departments hand in", 16) == ["City departments", "hand in"]
