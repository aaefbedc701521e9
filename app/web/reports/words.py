"""Every word that reports say beside those of the page, Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.core.periods import Period
from app.core.source import Source
from app.web.dashboard.words import MONTHS, Words
from app.web.reports.appraisal_words import APPRAISAL_TABLE
from app.web.reports.circular_words import CIRCULAR_TABLE

#: Key → (Chinese, English).
TABLE: dict[str, tuple[str, str]] = {
    # every report
    "basis": ("依据：《{title}》（{number}）。", "Under \"{title}\" ({number})."),
    "as_of": ("数据截至{moment}（{zone}）。", "As known at {moment} ({zone})."),
    "never_polled": ("截至此时没有任何通断测量。", "No link state had been measured by then."),
    "number": ("序号", "No."),
    "percent": ("完成率", "Share"),
    "all": ("合计", "All"),
    "later": ("此后获知的此前情况", "Learnt later about the time before"),
    "by_decision": ("验收判定", "decision on the line"),
    "aside": ("备考", "For the record"),
    "later_none": ("{moment}以前发生的情况，此后没有新的登记。", "Nothing that had happened by {moment} was recorded after it."),
    "later_intro": (
        "下列情况发生在{moment}以前，登记在此后，不计入以上各项。",
        "What follows had happened by {moment} and was recorded after it; nothing above counts it.",
    ),
    "head_what": ("情况", "What"),
    "head_subject": ("对象", "Of"),
    "head_observed": ("发生时间", "Happened"),
    "head_recorded": ("登记时间", "Recorded"),
    "head_document": ("凭据", "Shown by"),
    "learnt_transition": ("线路{word}", "line {word}"),
    "learnt_trial": ("试运行开始", "trial began"),
    "learnt_measurement": ("测试结果：{word}", "test result: {word}"),
    "learnt_life": ("建设环节：{word}", "step: {word}"),
    "learnt_line_event": ("网络服务提供商报告：{word}", "carrier's report: {word}"),
    "learnt_confirmation": ("确认：{word}", "confirmation: {word}"),
    "learnt_unit_event": ("单位登记：{word}", "unit's report: {word}"),
    "learnt_contest": ("复核、申诉：{word}", "contest: {word}"),
    "learnt_taken_back": ("撤回登记：{word}", "taken back: {word}"),
    "event_opened": ("开通", "opened"),
    "event_carrier_contact": ("联系岗位", "contact role"),
    "party_unit": ("接入单位", "unit"),
    "party_carrier": ("网络服务提供商", "carrier"),
    "party_centre": ("电子政务中心", "centre"),
    # counts
    "counts": (
        "应建主用线路{total}条，已验收{done}条（{share}）",
        "Of {total} primary lines, {done} are accepted ({share})",
    ),
    "counts_late": ("，其中逾期验收{count}条", ", {count} of them late"),
    "counts_open": (
        "；未验收{open}条{parts}。",
        "; {open} are open{parts}.",
    ),
    "counts_parts": ("，其中{parts}", ", of them {parts}"),
    "counts_all_late": ("，均已逾期", ", all of them late"),
    "part_late": ("逾期{count}条", "{count} late"),
    "part_at_risk": ("临期{count}条", "{count} at risk"),
    "counts_none": ("清单中没有主用线路。", "The inventory has no primary line."),
    "counts_all": ("。全部线路已验收。", ". All lines are accepted."),
    "failed": ("最近一次验收判定为不合格的{count}条。", "{count} failed their last judgement."),
    "period_done": ("{period}内验收{count}条。", "{count} were accepted in {period}."),
    "period_none": ("{period}内没有线路通过验收。", "None was accepted in {period}."),
    "head_region": ("县（区）", "County"),
    "head_class": ("线路类别", "Class of line"),
    "head_carrier": ("网络服务提供商", "Carrier"),
    "head_built_by": ("提供商", "Carrier"),
    "holder_carrier": ("提供商", "carrier"),
    "head_total": ("应完成", "Wanted"),
    "head_done": ("已验收", "Accepted"),
    "head_done_late": ("逾期验收", "Accepted late"),
    "head_late": ("逾期未完", "Late"),
    "head_at_risk": ("临期", "At risk"),
    "head_failed": ("不合格", "Failed"),
    "head_days": ("提前（天）", "Days early"),
    "days_note": (
        "“提前”为已验收线路距应完成日期的自然日中位数，负数为逾期。",
        "Days early: median of civil days from acceptance to the last day in time; negative is late.",
    ),
    "no_lines": ("清单中没有应建线路。", "The inventory has no lines to be built."),
    # progress
    "progress_title": ("电子政务外网建设进度报告", "Progress of the e-government extranet"),
    "deadlines_title": ("电子政务外网建设期限与预测报告", "E-government extranet: deadlines and forecast"),
    "chapter_whole": ("总体进度", "As a whole"),
    "chapter_milestones": ("期限事项", "Milestones"),
    "chapter_regions": ("各县（区）", "Counties"),
    "chapter_classes": ("各类线路", "Classes of line"),
    "chapter_carriers": ("各网络服务提供商", "Carriers"),
    "head_milestone": ("事项", "Milestone"),
    "head_due": ("期限", "Due"),
    "head_progress": ("完成／应完成", "Done / wanted"),
    "head_state": ("进度", "State"),
    "head_source": ("依据", "Source"),
    "no_milestones": ("文件没有规定期限事项。", "The order has no milestones."),
    "not_measured": ("未登记", "nothing recorded"),
    "source_default": ("默认值", "default"),
    "rulings_note": (
        "“依据”栏中以R-开头的为裁定编号，裁定的内容、理由与日期载于order.yaml。",
        "Sources that begin with R- are rulings; order.yaml says what was decided, why and when.",
    ),
    "soft": ("（力争）", " (aim)"),
    "timeline": ("期限事项时间图", "Milestones in time"),
    "timeline_text": ("各期限事项的到期日与完成比例。", "When each milestone is due and how much of it is done."),
    "today": ("数据日 {day}", "as of {day}"),
    "map": ("进度示意图", "Schematic map of progress"),
    "map_text": ("市中心与各县（区）的验收进度。", "Accepted lines of the centre and its counties."),
    "map_note": (
        "本图按隶属关系示意，不表示地理位置：清单中没有地理数据。",
        "Drawn by the tree of regions, not by geography: the inventory holds none.",
    ),
    "chapter_forecast": ("进度预测", "Forecast"),
    "first_due": ("（原定{day}）", " (first {day})"),
    "head_of_lines": ("范围", "Lines"),
    "head_of_units": ("事项", "Duty"),
    "county_of": ("其中：{name}", "of these: {name}"),
    "head_wanted": ("还需", "Still wanted"),
    "head_needed_lines": ("须达（条/日）", "Needed a day"),
    "head_lately_lines": ("近期（条/日）", "Lately a day"),
    "head_needed_units": ("须达（个/日）", "Needed a day"),
    "head_lately_units": ("近期（个/日）", "Lately a day"),
    "caption_forecast": ("进度预测：{title}", "Forecast: {title}"),
    "caption_units": ("进度预测：由单位登记办结的期限事项", "Forecast: duties that units report"),
    "head_foretold": ("预计完成（区间）", "Foretold (interval)"),
    "head_outlook": ("能否按期", "Outlook"),
    "open_end": ("四年以上", "over four years"),
    "foretold": ("{expected}（{earliest}至{latest}）", "{expected} ({earliest} to {latest})"),
    "forecast_none": ("没有可供预测的期限事项。", "No deadline has anything counted that could be foretold."),
    "forecast_method": (
        "预测依据最近{days}个工作日的线路验收数或单位登记数，按负二项分布给出概率{level}的区间，不足{least}的不作预测（{source}）；"
        "日均按工作日计。",
        "Foretold from the lines accepted and the units that reported in the last {days} working days (negative binomial, interval of "
        "probability {level}; none from fewer than {least}; {source}); a day is a working day.",
    ),
    "forecast_pace": (
        "近{days}个工作日验收{seen}条，按此进度预计完成日期为{foretold}。",
        "{seen} lines were accepted in the last {days} working days; at that pace the rest is done by {foretold}.",
    ),
    "forecast_of": ("{title}：", "{title}: "),
    "forecast_units": ("由单位登记办结的期限事项，按近期进度，{parts}。", "Duties that units report, by their recent pace: {parts}."),
    "forecast_units_part": ("{outlook}的有{titles}", "{titles} ({outlook})"),
    "part_separator": ("；", "; "),
    "forecast_need": (
        "要按期完成，每个工作日须验收{needed}条，{outlook}。",
        "To be in time, {needed} lines are needed each working day: {outlook}.",
    ),
    "forecast_unknown": (
        "近{days}个工作日验收{seen}条，数据不足，不作预测。",
        "{seen} lines were accepted in the last {days} working days: too few to foretell anything.",
    ),
    "deadline_change": (
        "{title}：{on}经{office}（{document}）由{was}改为{becomes}，理由：{reason}。",
        "{title}: on {on} {office} ({document}) moved it from {was} to {becomes}. Reason: {reason}.",
    ),
    "deadlines_moved": (
        "期限被改动而没有变更记录，须补记或改回：{titles}。",
        "Moved without a record, to be recorded or put back: {titles}.",
    ),
    "late_or_unproven": (
        "“逾期”指期限已过仍未验收，且没有记录表明按期就绪；“未证实”指到期前已测得连通或已登记自测，此后没有不利记录，"
        "只差验收判定，不算逾期，由电子政务中心核实。",
        "Late: over its day, not accepted, and nothing shows that it was ready in time. Not proven: it was seen up, or its carrier "
        "recorded its own test, early enough, and nothing since speaks against it; only the judgement is missing. It is not late; the "
        "centre is to find out.",
    ),
    "part_not_proven": ("未证实{count}条", "{count} not proven"),
    "head_not_proven": ("未证实", "Not proven"),
    "not_proven_sentence": (
        "另有{count}条线路期限已过、尚未验收，现有记录不能证实其未按期就绪，由电子政务中心核实。",
        "{count} more are past their day, and nothing known says that they were not ready in time: the centre is to find out.",
    ),
    # overdue
    "overdue_title": ("逾期线路清单", "Late lines"),
    "overdue_none": ("截至{moment}，没有逾期未验收的线路。", "At {moment}, no line was late."),
    "overdue_intro": (
        "截至{moment}，逾期未验收线路{count}条，责任方为网络服务提供商的{carrier}条、接入单位的{unit}条、电子政务中心的{centre}条。",
        "Late lines at {moment}: {count}, of them {carrier} held by carriers, {unit} by units, {centre} by the centre.",
    ),
    "head_unit": ("单位", "Unit"),
    "head_line": ("线路编号", "Line"),
    "head_days_over": ("逾期（天）", "Days over"),
    "head_working": ("工作日", "Working days"),
    "head_holder": ("责任方", "Held by"),
    "head_gates": ("未就绪事项", "Not ready"),
    "gates_none": ("无", "none"),
    "weekends_only": (
        "{years}年的节假日安排尚未录入，工作日仅按周末推算。",
        "The holidays of {years} are not entered; working days are counted by weekends alone.",
    ),
    **CIRCULAR_TABLE,
    **APPRAISAL_TABLE,
}

QUARTERS = ("first", "second", "third", "fourth")


@dataclass(frozen=True, slots=True)
class ReportWords:
    """The words of reports beside those of the page, with dates on the order's clock."""

    words: Words
    zone: ZoneInfo

    @property
    def language(self) -> str:
        return self.words.language

    def __call__(self, key: str, **values: object) -> str:
        return self.words.pick(*TABLE[key]).format(**values)

    def known(self, prefix: str, value: str) -> str:
        """Return the words for `prefix_value`, or the value itself where the table has none."""
        return self(f"{prefix}_{value}") if f"{prefix}_{value}" in TABLE else value

    def pick(self, chinese: str, english: str) -> str:
        return self.words.pick(chinese, english)

    def day(self, day: date) -> str:
        return self.words.day(day)

    def moment(self, moment: datetime) -> str:
        """Write a moment to the minute; the last of a day as its 24th hour."""
        local = moment.astimezone(self.zone)
        if (local.hour, local.minute, local.second, local.microsecond) == (23, 59, 59, 999999):
            return f"{self.day(local)}24时" if self.language == "zh" else f"{self.day(local)}, 24:00"
        return f"{self.day(local)}{local:%H:%M}" if self.language == "zh" else f"{self.day(local)}, {local:%H:%M}"

    def stamp(self, moment: datetime) -> str:
        """Write a moment short, for tables."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def zone_name(self) -> str:
        return self.words.known("zone", self.zone.key)

    def source(self, source: Source) -> str:
        """Say where a value comes from: the clause, the ruling, or that it is a default."""
        return source.clause or source.ruling or self("source_default")

    def share(self, done: int, total: int) -> str:
        return self.words.share(done, total)

    def joined(self, names: list[str]) -> str:
        return self.words("list_separator").join(names)

    def period(self, period: Period) -> str:
        """Write a month or a quarter."""
        if period.months == 1:
            return f"{period.year}年{period.month}月" if self.language == "zh" else f"{MONTHS[period.month - 1]} {period.year}"
        if self.language == "zh":
            return f"{period.year}年第{'一二三四'[period.quarter - 1]}季度"
        return f"the {QUARTERS[period.quarter - 1]} quarter of {period.year}"


def report_words(language: str, zone: ZoneInfo) -> ReportWords:
    return ReportWords(Words(language), zone)
