"""The paper that a run hands to the next shift, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.cli.plain import plain
from app.core.shift import Shift, Visited, shift_paper
from app.workflows.diff import RESULTS

DEVICES = (
    Visited("BZ-CORE01", "巴中市", "", "", "", "deployed", 4, ""),
    Visited("BZ-TJ-AGG01", "通江县", "通江县人民政府", "L-1", "unicom", "refused", 3, "BZ-TJ-AGG01: line 2: expected a; found b. Do c."),
    Visited("BZ-TJ-U01", "通江县", "春在镇人民政府", "L-2", "telecom", "not_begun", 0, "stopped, as BZ-TJ-AGG01 went wrong"),
    Visited("BZ-TJ-U02", "通江县", "涪阳镇人民政府", "L-3", "telecom", "not_begun", 0, "stopped, as BZ-TJ-AGG01 went wrong"),
    Visited("BZ-NJ-AGG01", "南江县", "南江县人民政府", "L-4", "telecom", "unchanged", 0, ""),
)
BACK = "waiwang rollback --since 2008-06-29T23:00:00"
SPAN = ("2008-06-29 23:00:00", "2008-06-30 00:10:00")
SHIFT = Shift("交接单", "ops", *SPAN, "waiwang deploy --commit", BACK, True, ("出错 1 台即停",), "模拟环境", DEVICES)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_paper_says_what_became_of_every_county_and_what_is_open(golden: Callable[[str, str], None], language: str) -> None:
    golden(f"shift/{language}.txt", plain(shift_paper(SHIFT, language)))


def test_a_run_without_anything_open_says_so_and_one_that_wrote_nothing_has_nothing_to_take_back() -> None:
    paper = plain(shift_paper(replace(SHIFT, committed=False, devices=DEVICES[:1], conditions=()), "zh"))
    assert "没有。" in paper
    assert "只显示，未写入任何设备。" in paper
    assert "rollback" not in paper


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_device_that_is_half_changed_comes_first_among_those_to_be_looked_at(language: str) -> None:
    failed = replace(SHIFT.devices[1], device="BZ-PC-U01", result="failed", stands="as_before")
    half = replace(SHIFT.devices[1], stands="half_changed")
    text = plain(shift_paper(replace(SHIFT, devices=(failed, half)), language))
    chapter = text[text.index({"zh": "需要处理", "en": "To be looked at"}[language]) :]
    assert chapter.index("BZ-TJ-AGG01") < chapter.index("BZ-PC-U01")
    assert chapter.replace("\n", "").count("half changed" if language == "en" else "只改了一半") == 1


def test_every_result_of_a_device_has_words_in_both_languages() -> None:
    devices = tuple(replace(DEVICES[0], result=result) for result in RESULTS)
    for language in ("zh", "en"):
        assert plain(shift_paper(replace(SHIFT, devices=devices), language))
