"""A rollout in the middle of June 2008, as its readers see it: every state, every standing, two carriers, four counties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.acceptance import Acceptance, CriterionResult, Transition
from app.core.access import Role
from app.core.deadlines import ChangeView
from app.core.fault_report import CarrierRestoring, FaultSummary, FaultView, WindowView
from app.core.forecast import Outlook, build_foreteller
from app.core.jeopardy import Jeopardy
from app.core.line_view import LineView
from app.core.milestone_view import CohortView, MilestoneView
from app.core.order import ForecastRule
from app.core.progress import Summary
from app.core.workdays import WorkCalendar

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2008, 7, 2, 1, 30, 15, tzinfo=UTC)
LINES_DUE_ON = date(2008, 6, 30)
LINES_DUE_AT = datetime(2008, 7, 1, tzinfo=ZONE)
REGIONS = {
    "511900": ("市本级", "City"),
    "511902": ("巴州区", "Bazhou"),
    "511921": ("通江县", "Tongjiang"),
    "511922": ("南江县", "Nanjiang"),
    "511923": ("平昌县", "Pingchang"),
}
CLASSES = {
    "agg10": ("10兆光纤", "10M fibre", 10000, 10000),
    "fibre2": ("2兆光纤", "2M fibre", 2000, 2000),
    "adsl1": ("1兆ADSL", "1M ADSL", 1000, 512),
}
CARRIERS = {"telecom": "电信", "mobile": "移动"}
CARRIERS_EN = {"telecom": "Telecom", "mobile": "Mobile"}
#: region, class, unit, name, English name, level, kind, state, due
ROWS = (
    ("511900", "fibre2", "fgw", "市发展和改革委员会", "Development and Reform Commission", "city", "department", "up", "accepted"),
    ("511900", "fibre2", "czj", "市财政局", "Finance Bureau", "city", "department", "up", "accepted"),
    ("511900", "fibre2", "jyj", "市教育局", "Education Bureau", "city", "department", "up", "accepted"),
    ("511900", "fibre2", "gaj", "市公安局", "Public Security Bureau", "city", "department", "down", "accepted"),
    ("511900", "fibre2", "wsj", "市卫生局", "Health Bureau", "city", "department", "up", "late"),
    ("511900", "fibre2", "jtj", "市交通局", "Transport Bureau", "city", "department", "unreachable", "late"),
    ("511900", "fibre2", "dsj", "市广播电视局", "Radio and Television Bureau", "city", "department", "unknown", "late"),
    ("511902", "agg10", "bz-zf", "巴州区人民政府", "Bazhou District Government", "county", "county_government", "up", "accepted"),
    ("511902", "fibre2", "bz-czj", "巴州区财政局", "Bazhou Finance Bureau", "county", "department", "up", "accepted"),
    ("511902", "fibre2", "bz-jyj", "巴州区教育局", "Bazhou Education Bureau", "county", "department", "up", "accepted_late"),
    ("511902", "adsl1", "bz-qj", "清江镇人民政府", "Qingjiang Town Government", "township", "town_government", "up", "late"),
    ("511902", "adsl1", "bz-ds", "大寺乡人民政府", "Dasi Township Government", "township", "township_government", "up", "accepted"),
    ("511921", "agg10", "tj-zf", "通江县人民政府", "Tongjiang County Government", "county", "county_government", "up", "accepted"),
    ("511921", "fibre2", "tj-czj", "通江县财政局", "Tongjiang Finance Bureau", "county", "department", "up", "accepted"),
    ("511921", "fibre2", "tj-sj", "通江县审计局", "Tongjiang Audit Office", "county", "department", "up", "accepted"),
    ("511921", "adsl1", "tj-ns", "诺水河镇人民政府", "Nuoshuihe Town Government", "township", "town_government", "up", "accepted"),
    ("511921", "adsl1", "tj-cc", "陈河乡人民政府", "Chenhe Township Government", "township", "township_government", "up", "late"),
    ("511922", "agg10", "nj-zf", "南江县人民政府", "Nanjiang County Government", "county", "county_government", "down", "accepted"),
    ("511922", "fibre2", "nj-czj", "南江县财政局", "Nanjiang Finance Bureau", "county", "department", "unreachable", "accepted"),
    ("511922", "fibre2", "nj-jyj", "南江县教育局", "Nanjiang Education Bureau", "county", "department", "unreachable", "accepted"),
    ("511922", "fibre2", "nj-lyj", "南江县林业局", "Nanjiang Forestry Bureau", "county", "department", "unreachable", "late"),
    ("511922", "adsl1", "nj-gw", "光雾山镇人民政府", "Guangwushan Town", "township", "town_government", "unreachable", "accepted"),
    ("511922", "adsl1", "nj-xl", "兴隆乡人民政府", "Xinglong Township", "township", "township_government", "unreachable", "late"),
    ("511923", "agg10", "pc-zf", "平昌县人民政府", "Pingchang County Government", "county", "county_government", "up", "accepted"),
    ("511923", "fibre2", "pc-czj", "平昌县财政局", "Pingchang Finance Bureau", "county", "department", "up", "accepted"),
    ("511923", "fibre2", "pc-jyj", "平昌县教育局", "Pingchang Education Bureau", "county", "department", "up", "accepted"),
    ("511923", "adsl1", "pc-by", "白衣镇人民政府", "Baiyi Town Government", "township", "town_government", "up", "at_risk"),
    ("511923", "adsl1", "pc-yt", "云台乡人民政府", "Yuntai Township Government", "township", "township_government", "up", "at_risk"),
    ("511923", "adsl1", "pc-lx", "龙岗乡人民政府", "Longgang Township Government", "township", "township_government", "unknown", "open"),
    ("511923", "adsl1", "pc-bk", "平昌县政府备用链路", "Pingchang backup line", "county", "county_government", "up", "no_deadline"),
)
UPLINK_OF_NANJIANG = "BZWW-511922-A-0018"
REASONS = {
    "up": "both ports are up",
    "down": "port SC-BZ-CR01 eth4 is down",
    "unreachable": f"neither end answers; behind line {UPLINK_OF_NANJIANG}",
    "unknown": "never looked: SC-BZ-CR01 was not asked",
}


def build_line(number: int, row: tuple[str, ...]) -> LineView:
    """Build the `number`th line from a row of ROWS."""
    region, class_id, unit, name, name_en, level, kind, state, due = row
    words, words_en, down, up = CLASSES[class_id]
    accepted = due.startswith("accepted")
    seen = state in ("up", "down")
    # at_risk and open lines have a later day of their own, by ruling
    due_on = {"at_risk": date(2008, 7, 5), "open": date(2008, 8, 31), "no_deadline": None}.get(due, LINES_DUE_ON)
    letter = {"agg10": "A", "fibre2": "B", "adsl1": "C"}[class_id]
    return LineView(
        line_id=f"BZWW-{region}-{letter}-{number:04d}",
        unit_id=unit,
        unit_name=name,
        unit_name_en=name_en,
        region=region,
        region_name=REGIONS[region][0],
        region_name_en=REGIONS[region][1],
        level=level,
        kind=kind,
        class_id=class_id,
        class_words=words,
        class_words_en=words_en,
        role="backup" if due == "no_deadline" else "primary",
        carrier="mobile" if number % 3 == 0 else "telecom",
        carrier_name=CARRIERS["mobile" if number % 3 == 0 else "telecom"],
        carrier_name_en=CARRIERS_EN["mobile" if number % 3 == 0 else "telecom"],
        circuit_id=None if state == "unknown" else f"SC{region}N{number:05d}",
        a_device="SC-BZ-CR01" if class_id == "agg10" or region == "511900" else f"SC-BZ-{region}-PE01",
        a_interface=f"eth{number}",
        z_device=f"SC-BZ-{unit}-AR01",
        z_interface="eth0",
        nominal_down_kbps=down,
        nominal_up_kbps=up,
        state=state,
        reason=REASONS[state] if region == "511922" or state != "unreachable" else "neither SC-BZ-CR01 nor SC-BZ-jtj-AR01 answers",
        behind=UPLINK_OF_NANJIANG if state == "unreachable" and region == "511922" else None,
        since=None if state == "unknown" else NOW - timedelta(minutes=7 * number),
        sampled_at=NOW - timedelta(seconds=12) if seen else None,
        down_bps=down * 1000 * 0.31 if state == "up" else None,
        up_bps=up * 1000 * 0.07 if state == "up" else None,
        in_errors=3 if number == 5 else (0 if seen else None),
        verdict="pass" if accepted else {"late": "not_proven", "at_risk": "fail"}.get(due),
        decided_at=_decided_at(number, due),
        open_criteria={"late": ("rate_down:not_proven", "trial:not_proven"), "at_risk": ("rate_up:fail",)}.get(due, ()),
        due=due,
        milestone="lines_by_june" if due_on else None,
        due_on=due_on,
        due_at=datetime.combine(due_on + timedelta(days=1), datetime.min.time(), tzinfo=ZONE) if due_on else None,
        days_left=(due_on - date(2008, 7, 2)).days if due_on else None,
        reserved_mbps=100 if class_id == "agg10" else None,
        reserved_up=False if class_id == "agg10" and seen else None,
    )


def _decided_at(number: int, due: str) -> datetime | None:
    if due == "accepted_late":
        return datetime(2008, 7, 1, 2, 0, tzinfo=UTC)
    if due in ("accepted", "late", "at_risk"):
        return datetime(2008, 6, 20, 2, 0, tzinfo=UTC) + timedelta(hours=number)
    return None


def count_cells(lines: Sequence[LineView]) -> tuple[CohortView, ...]:
    groups: dict[tuple[str, str], list[LineView]] = {}
    for line in lines:
        if line.role == "primary":
            groups.setdefault((line.region, line.class_id), []).append(line)
    return tuple(
        CohortView(
            region=region,
            region_name=members[0].region_name,
            region_name_en=members[0].region_name_en,
            class_id=class_id,
            class_words=members[0].class_words,
            class_words_en=members[0].class_words_en,
            done=sum(line.due.startswith("accepted") for line in members),
            total=len(members),
        )
        for (region, class_id), members in groups.items()
    )


def build_milestone(milestone_id: str, title: str, title_en: str, due_on: date, **rest: object) -> MilestoneView:
    cells = rest.pop("cells", ())
    assert isinstance(cells, tuple)
    start = MilestoneView(
        milestone_id=milestone_id,
        title=title,
        title_en=title_en,
        due_on=due_on,
        due_at=datetime.combine(due_on + timedelta(days=1), datetime.min.time(), tzinfo=ZONE),
        soft=False,
        evidence="accepted_line" if cells else "unit_event",
        target_share=1.0,
        state="late" if cells else "not_measured",
        done=sum(cell.done for cell in cells),
        total=sum(cell.total for cell in cells),
        cells=cells,
        clause=None,
        ruling=None,
        default=False,
    )
    return replace(start, **rest)  # type: ignore[arg-type]


CHANGE = ChangeView(
    change_id="C-1",
    changed_on=date(2008, 5, 12),
    due_was=date(2008, 7, 10),
    due_becomes=LINES_DUE_ON,
    later=False,
    other_terms=("target_share: 90% → 100%",),
    decided_by="市政府办公室",
    document="巴府办函[2008]27号（示例）",
    reason="公文交换试运行提前。",
    reason_en="The exchange goes on trial earlier.",
    ruling=None,
)


def build_jeopardy(lines: Sequence[LineView]) -> tuple[Jeopardy, ...]:
    """Foretell all lines, and those of each county, from the days on which the sample's lines were accepted."""
    foretell = build_foreteller(Outlook(NOW, ZONE, WorkCalendar(), ForecastRule(), date(2008, 3, 26))).foretell
    primary = [line for line in lines if line.role == "primary"]
    groups = [("whole", "", "", "", primary)]
    groups += [("county", code, *names, [line for line in primary if line.region == code]) for code, names in REGIONS.items()]
    found = []
    for grouping, key, name, name_en, members in groups:
        done = [line.done_at.astimezone(ZONE).date() for line in members if line.done_at]
        forecast = foretell(done, len(members) - len(done), datetime(2008, 7, 16, tzinfo=ZONE))
        found.append(Jeopardy("lines_by_june", grouping, key, name, name_en, len(done), len(members), forecast))
    return tuple(found)


def build_summary() -> Summary:
    lines = tuple(build_line(number, row) for number, row in enumerate(ROWS, start=1))
    cells = count_cells(lines)
    city = tuple(cell for cell in cells if cell.region == "511900")
    return Summary(
        order_number="巴府办发[2008]13号",
        order_title="巴中市人民政府办公室关于进一步加强电子政务和政务信息及目标考评工作的通知",
        order_title_en="Notice on strengthening e-government, government information work and its appraisal",
        issuer="巴中市人民政府办公室",
        as_of=NOW,
        polled_at=NOW - timedelta(seconds=12),
        simulation_note=None,
        simulation_note_en=None,
        illustration=False,
        milestones=(
            build_milestone(
                "lines_by_june",
                "电信企业建成全部线路",
                "Carriers finish all lines",
                LINES_DUE_ON,
                cells=cells,
                ruling="R-3",
                changes=(CHANGE,),
                baseline_on=CHANGE.due_was,
            ),
            build_milestone("fees", "缴纳软件费、印模材料", "Fees and seal papers handed in", date(2008, 4, 20), clause="一(一)"),
            build_milestone("domains", "理顺域名", "Domain names in order", date(2008, 6, 30), default=True, evidence="document"),
            build_milestone("trial", "交换软件装毕、培训、试运行", "Exchange software on trial", date(2008, 7, 31), clause="一(二)1"),
            build_milestone(
                "city_half",
                "市级部门接入过半",
                "Half of the city's bodies",
                date(2008, 5, 31),
                cells=city,
                target_share=0.5,
                soft=True,
                state="met",
                clause="二(一)",
            ),
        ),
        lines=lines,
        jeopardy=build_jeopardy(lines),
        assumed_years=(2008,),
    )


def build_faults(summary: Summary) -> FaultSummary:
    """Build three faults of the sample: a county's with its carrier for too long, one in a window announced late, one restored."""
    by_id = {line.line_id: line for line in summary.lines}
    county, bureau, done = (by_id[line_id] for line_id in (UPLINK_OF_NANJIANG, "BZWW-511900-B-0004", "BZWW-511900-B-0001"))
    faults = (
        build_fault(
            "F-20080701-002",
            county,
            state="with_carrier",
            handed_to=county.carrier,
            handed_at=NOW - timedelta(hours=9),
            within_agreed=False,
            children=tuple(line.line_id for line in summary.lines if line.behind == UPLINK_OF_NANJIANG),
        ),
        build_fault("F-20080702-001", bureau, planned="检修通知", announced_late=True, reopened=2, source="alertmanager"),
        build_fault("F-20080701-001", done, state="restored", restored_at=NOW - timedelta(hours=7), lasted=timedelta(hours=3)),
    )
    carriers = tuple(
        CarrierRestoring(
            *(name, called, 2, 1, 1, 1, timedelta(minutes=95), timedelta(hours=3), timedelta(hours=8), 1, 0, 1), CARRIERS_EN[name]
        )
        for name, called in CARRIERS.items()
    )
    begin, end = NOW - timedelta(hours=1), NOW + timedelta(hours=3)
    window = WindowView("W-20080702-01", "running", begin, end, begin, "通信处", "检修通知", 7, True, "", None)
    return FaultSummary(NOW - timedelta(days=30), faults, carriers, (window,))


def build_fault(fault_id: str, line: LineView, **rest: object) -> FaultView:
    start = FaultView(
        fault_id=fault_id,
        line_id=line.line_id,
        unit_name=line.unit_name,
        unit_name_en=line.unit_name_en,
        region=line.region,
        region_name=line.region_name,
        region_name_en=line.region_name_en,
        line_carrier=line.carrier,
        carrier_name=line.carrier_name,
        state="open",
        source="poller",
        document="seen down",
        began_at=NOW - timedelta(hours=10),
        recorded_at=NOW - timedelta(hours=10),
        assigned_to="",
        handed_to="",
        handed_at=None,
        restored_at=None,
        closed_at=None,
        lasted=timedelta(hours=10),
        agreed=timedelta(hours=8),
        within_agreed=None,
        planned=None,
        announced_late=False,
        children=(),
        reopened=0,
        carrier_name_en=line.carrier_name_en,
    )
    return replace(start, **rest)  # type: ignore[arg-type]


def build_acceptance(line: LineView) -> Acceptance:
    """Build the decision that the line's view speaks of: one criterion passed, one failed or not proven, one advisory."""
    assert line.verdict is not None
    assert line.decided_at is not None
    return Acceptance(
        line_id=line.line_id,
        decided_at=line.decided_at,
        verdict=line.verdict,
        results=(
            CriterionResult("reachable_from_centre", True, "pass", "loss ratio at most 0.01", "loss ratio 0", {"sent": 50, "lost": 0}),
            CriterionResult("rate_down", True, line.verdict, "at least 1800 kbit/s (90% of 2000)", "1932 kbit/s by iperf3", {"s": 10}),
            CriterionResult("input_errors", False, "not_proven", "at most 0 input errors in the window", "no counter <b>seen</b>", {}),
        ),
        milestone=line.milestone,
        due_at=line.due_at,
        on_time=True if line.due == "accepted" else None,
    )


@dataclass
class FixedReader:
    """Serves one summary, which a test may replace while the server runs."""

    now: Summary = field(default_factory=build_summary)

    def summary(self) -> Summary:
        return self.now

    def acceptance(self, line_id: str) -> Acceptance | None:
        line = next((one for one in self.now.lines if one.line_id == line_id), None)
        return build_acceptance(line) if line and line.verdict else None

    def narrowed(self, role: Role) -> FixedReader:
        raise NotImplementedError("a fixed summary has no parts; tests of roles use a real store")

    def transitions(self, line_id: str | None, limit: int) -> Sequence[Transition]:
        changes = [
            Transition(line.line_id, line.since, line.since + timedelta(seconds=2), "up", line.state, line.reason)
            for line in self.now.lines
            if line.since is not None and line.state != "up" and line_id in (None, line.line_id)
        ]
        return sorted(changes, key=lambda change: change.observed_at, reverse=True)[:limit]


def with_line(summary: Summary, line_id: str, **changes: object) -> Summary:
    """Return the summary with one line changed."""
    lines = tuple(replace(line, **changes) if line.line_id == line_id else line for line in summary.lines)  # type: ignore[arg-type]
    return replace(summary, lines=lines)
