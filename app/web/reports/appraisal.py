"""The score sheet, an organisation's own list, availability. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from app.core.availability import ServiceLevel
from app.core.document import DASH, Block, Document, grid_or
from app.core.duties import AvailabilityDuty
from app.core.line_view import LineView
from app.core.organisations import OwnList
from app.core.score_table import ScoreTable
from app.core.scoring import Score
from app.web.reports.shared import Ground, add_later, finish, holder_name, milestones_grid, open_report
from app.web.reports.words import ReportWords

#: How `app.core.scoring` and `app.core.appraisal` say what they did → Chinese.
WORKINGS = (
    (r"left out \((.+)\)", r"不计（\1）"),
    (r"not measured: (.+)", r"未计量：\1"),
    (r"scored outside this product", "不在本系统计分"),
    (r"nothing recorded", "无登记"),
    (r"no evidence", "无依据"),
    (r"no part of the cohort", "不在考核范围"),
    (r"(\d+) of (\d+) done", r"\2项完成\1项"),
    (r"([\d.]+) by (.+?) on contest (\d+)(?=: |$)", r"凭“\2”计\1分（复核第\3号）"),
    (r"([\d.]+) by (.+?)(?=: |$)", r"凭“\2”计\1分"),
    (r"([\d.]+) of ([\d.]+)", r"可得\2分，实得\1分"),
    (r", scaled to ([\d.]+): ", r"，折算为\1分制："),
    (r", at most ([\d.]+)", r"，上限\1"),
    (r", within (.+?) \(([\d.]+) left\)", r"，在\1内（余\2）"),
    (r": ", "："),
)
_WITHIN = re.compile(r", within (\w+) \(")
_WORKINGS = tuple((re.compile(pattern), chinese) for pattern, chinese in WORKINGS)


def working_words(say: ReportWords, working: str, titles: Mapping[str, str] = MappingProxyType({})) -> str:
    """Write how a score was come by in the language of the report; a row that caps another by its title."""
    working = _WITHIN.sub(lambda found: f", within {_quoted(say, titles[found[1]]) if found[1] in titles else found[1]} (", working)
    if say.language == "zh":
        for pattern, chinese in _WORKINGS:
            working = pattern.sub(chinese, working)
    return working


def _quoted(say: ReportWords, title: str) -> str:
    return f"“{title}”" if say.language == "zh" else f'"{title}"'


def build_scores(ground: Ground, table: ScoreTable, ranked: Sequence[Score]) -> Document:
    """Return an appraisal table: method and rows with their sources, ranks and prizes of each kind, every row's working."""
    say, outline = ground.say, open_report(ground)
    formula = say.known("formula", table.formula)
    outline.say(say("formula", formula=formula, source=say.source(table.formula_source), total=f"{table.total:g}"))
    provisional = sum(each.provisional for each in ranked)
    outline.say(say("provisional_note", count=len(ranked), open=provisional) if provisional else "")
    for kind in dict.fromkeys(each.kind for each in ranked):
        outline.chapter(say(f"chapter_ranking_{kind}"))
        outline.add(_ranking(say, [each for each in ranked if each.kind == kind]))
    if not ranked:
        outline.say(say("scores_none"))
    outline.chapter(say("chapter_rows"))
    outline.add(_row_sources(say, table))
    if contests := [contest for each in ranked for contest in each.contests]:
        outline.chapter(say("chapter_contests"))
        outline.add(_contests(say, ranked, {item.item_id: say.pick(item.title, item.title_en) for item in table.items}, len(contests)))
    outline.chapter(say("chapter_working"))
    outline.add(_working(say, ranked))
    add_later(ground, outline)
    return finish(ground, say("scores_title", title=say.pick(table.title, table.title_en)), outline)


def _ranking(say: ReportWords, scores: Sequence[Score]) -> Block:
    rows = [
        (
            each.rank,
            say("prize", rank="一二三四五六七八九"[each.prize - 1] if say.language == "zh" else each.prize) if each.prize else None,
            say.pick(each.name, each.name_en),
            round(each.total, 2),
            say("provisional" if each.provisional else "final"),
            working_words(say, each.working),
        )
        for each in scores
    ]
    head = [say(f"head_{name}") for name in ("rank", "prize", "name", "score", "standing", "working_out")]
    return grid_or(say("scores_none"), "", head, rows, (8, 11, 29, 11, 14, 37), "cclrcl")


def _row_sources(say: ReportWords, table: ScoreTable) -> Block:
    rows = [(say.pick(item.title, item.title_en) + "".join(item.marks), item.points, say.source(item.source)) for item in table.items]
    for each in table.adjustments:
        points = -each.cap if each.deduction else each.cap
        rows.append((say.pick(each.title, each.title_en) + say("adjusted"), points, say.source(each.source)))
    head = [say("head_row"), say("head_points"), say("head_source")]
    return grid_or(say("scores_none"), "", head, rows, (70, 14, 26), "lrl")


def _contests(say: ReportWords, scores: Sequence[Score], titles: Mapping[str, str], count: int) -> Block:
    """Show who contested which row, what was decided, and the score of the row and the total before and after."""
    rows: list[tuple[str | int | float | None, ...]] = []
    for each in scores:
        for contest in each.contests:
            decided, shown = contest.decided, contest.decided or contest.raised
            row_of, total_of = (shown.row_before, shown.row_after), (shown.total_before, shown.total_after)
            rows.append(
                (
                    contest.number,
                    say.pick(each.name, each.name_en),
                    titles.get(contest.raised.row, contest.raised.row),
                    f"{say.day(contest.raised.observed_at.astimezone(say.zone))} {contest.raised.by}: {contest.raised.reason}",
                    f"{say(f'contest_{contest.standing}')} {decided.document if decided else ''}".strip(),
                    *(_change(points, decided=decided is not None) for points in (row_of, total_of)),
                )
            )
    head = [say(f"head_{name}") for name in ("contest", "name", "row", "grounds", "outcome", "row_points", "total_points")]
    return grid_or("", say("contests_count", count=count), head, rows, (7, 17, 21, 23, 14, 9, 9), "cllllrr")


def _change(points: tuple[float | None, float | None], *, decided: bool) -> str:
    before, after = (DASH if each is None else f"{each:.2f}" for each in points)
    return f"{before} → {after}" if decided else before


def _working(say: ReportWords, scores: Sequence[Score]) -> Block:
    rows: list[tuple[str | int | float | None, ...]] = []
    for each in scores:
        name = say.pick(each.name, each.name_en)
        titles = {row.item_id: say.pick(row.title, row.title_en) for row in each.rows}
        for row in each.rows:
            earned = None if row.earned is None else round(row.earned, 2)
            rows.append((name, say.pick(row.title, row.title_en), row.points, earned, working_words(say, row.working)))
        for extra in each.adjustments:
            working = working_words(say, extra.working, titles)
            rows.append((name, say.pick(extra.title, extra.title_en), None, round(extra.points, 2), working))
    head = [say(f"head_{name}") for name in ("name", "row", "points", "earned", "working_out")]
    return grid_or(say("scores_none"), "", head, rows, (24, 36, 9, 9, 34), "llrrl")


def build_organisation(ground: Ground, own: OwnList) -> Document:
    """Return what one organisation answers for."""
    say, outline, organisation = ground.say, open_report(ground), own.organisation
    task = say.pick(organisation.task, organisation.task_en)
    outline.say(say("task", task=task.rstrip("。."), source=say.source(organisation.source)))
    outline.chapter(say("chapter_own_milestones"))
    outline.add(milestones_grid(ground, own.milestones, say("own_no_milestones")))
    outline.chapter(say("chapter_own_lines"))
    outline.add(_own_lines(say, own.lines))
    add_later(ground, outline)
    return finish(ground, say("organisation_title", title=say.pick(organisation.title, organisation.title_en)), outline)


def _own_lines(say: ReportWords, lines: Sequence[LineView]) -> Block:
    rows = [
        (
            number,
            say.pick(line.unit_name, line.unit_name_en),
            line.line_id,
            f"{line.due_on}" if line.due_on else None,
            say.words.known("due", line.due),
            holder_name(say, line.clock_holder),
        )
        for number, line in enumerate(lines, start=1)
    ]
    head = [say("number"), *(say(f"head_{name}") for name in ("unit", "line", "due", "state", "holder"))]
    return grid_or(say("own_no_lines"), "", head, rows, (7, 34, 22, 15, 13, 17), "cllccl")


def build_availability(ground: Ground, duty: AvailabilityDuty | None, found: Sequence[ServiceLevel]) -> Document:
    """Return how much of the time accepted lines were up, against the order's duty."""
    say, outline = ground.say, open_report(ground)
    if duty is not None:
        days = f"{duty.window.total_seconds() / 86400:g}"
        source = say.source(duty.source)
        outline.say(say("availability_duty", share=f"{duty.share:.2%}", days=days, coverage=f"{duty.coverage:.0%}", source=source))
    outline.add(_levels(ground, found))
    add_later(ground, outline)
    return finish(ground, say("availability_title"), outline)


def _levels(ground: Ground, found: Sequence[ServiceLevel]) -> Block:
    say, lines, units = ground.say, ground.workspace.inventory.lines, ground.workspace.inventory.units
    rows = []
    for number, each in enumerate(found, start=1):
        unit = units[lines[each.line_id].unit_id]
        share = None if each.sli_percent is None else f"{each.sli_percent}%"
        verdict, down = say.words.known("verdict", each.verdict), say.words.age(each.down)
        covered = each.coverage_percent
        measured, since = f"{covered or 0:.1f}%", say.stamp(each.since)
        rows.append((number, say.pick(unit.name, unit.name_en), each.line_id, verdict, share, measured, down, since))
    head = [say("number"), *(say(f"head_{name}") for name in ("unit", "line", "verdict", "up", "measured", "down", "since"))]
    return grid_or(say("availability_none"), "", head, rows, (6, 27, 20, 12, 13, 12, 12, 20), "cllcrrrl")
