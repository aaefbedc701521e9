"""Every word that reports say beside those of the page, Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.core.periods import Period
from app.core.source import Source
from app.web.dashboard.words import MONTHS, Words

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
    "step_planned": ("已规划", "planned"),
    "step_applied": ("已申请", "applied"),
    "step_approved": ("已批准", "approved"),
    "step_building": ("施工", "building"),
    "step_opened": ("开通", "opened"),
    "step_self_tested": ("自测", "self-tested"),
    "step_trial": ("试运行", "trial"),
    "step_accepted": ("验收", "accepted"),
    "step_rejected": ("退回", "rejected"),
    "step_in_service": ("投入使用", "in service"),
    "step_closed": ("关闭", "closed"),
    "party_unit": ("接入单位", "unit"),
    "party_carrier": ("网络服务提供商", "carrier"),
    "party_centre": ("电子政务中心", "centre"),
    # counts
    "counts": (
        "应建主用线路{total}条，已验收{done}条（{share}）",
        "Of {total} primary lines {done} are accepted ({share})",
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
    "head_done_late": ("逾期验收", "Late accepted"),
    "head_late": ("逾期未完", "Overdue"),
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
    "today": ("数据日", "as of"),
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
    "head_wanted": ("还需", "Wanted"),
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
    "overdue_title": ("逾期线路清单", "Overdue lines"),
    "overdue_none": ("截至{moment}，没有逾期未验收的线路。", "At {moment} no line was overdue."),
    "overdue_intro": (
        "截至{moment}，逾期未验收线路{count}条，责任方为网络服务提供商的{carrier}条、接入单位的{unit}条、电子政务中心的{centre}条。",
        "At {moment} {count} lines were overdue: {carrier} held by carriers, {unit} by units, {centre} by the centre.",
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
    # circular
    # Broken where it reads well: the lines of a title in the middle of the page are of nearly the same length.
    "circular_title": ("关于{period}电子政务外网\n建设进展情况的通报", "Circular: the e-government extranet in {period}"),
    "circular_mark": ("〔{year}〕　　号", "No. [    ] of {year}"),
    "addressee_city": (
        "各县（区）人民政府，市级各接入单位，各有关网络服务提供商：",
        "To the county governments, the city's units and the carriers concerned:",
    ),
    "addressee_county": ("各接入单位，各有关网络服务提供商：", "To all units and the carriers concerned:"),
    "circular_opening": (
        "根据《{title}》（{number}）要求，现将截至{day}的电子政务外网建设进展情况通报如下。",
        "Under \"{title}\" ({number}), this is how far the e-government extranet had come on {day}.",
    ),
    "chapter_progress": ("建设进展", "Progress"),
    "section_whole": ("总体情况", "As a whole"),
    "section_milestones": ("期限事项", "Milestones"),
    "chapter_problems": ("存在的问题", "What is wrong"),
    "section_late": ("逾期未完成", "Late"),
    "section_off_standard": ("不符合线路标准", "Off standard"),
    "section_holders": ("逾期线路的责任方", "Who holds the late lines"),
    "section_duties": ("逾期未办结的期限事项", "Duties that units are late with"),
    "chapter_demands": ("下一步要求", "What is to be done"),
    "counties_done": ("全部完成的有{names}。", "Complete: {names}."),
    "counties_best": ("完成率最高的是{name}（{share}）", "The furthest is {name} ({share})"),
    "counties_last": ("，最低的是{name}（{share}）。", ", the last {name} ({share})."),
    "counties_even": ("各县（区）完成率均为{share}。", "All counties stand at {share}."),
    "milestone_sentence": ("{title}（{due}）：{done}/{total}，{state}", "{title} ({due}): {done}/{total}, {state}"),
    "milestones_unmeasured": ("尚无登记的事项：{titles}。", "Nothing is recorded of: {titles}."),
    "late_sentence": (
        "截至{day}，{count}条线路逾期未完成，涉及{units}，详见附件{annex}。",
        "On {day} {count} lines were late, at {units}; see annex {annex}.",
    ),
    "late_none": ("没有逾期未完成的线路。", "No line is late."),
    "off_sentence": (
        "{count}条线路经验收判定不合格，涉及{units}，详见附件{annex}。",
        "{count} lines failed their judgement, at {units}; see annex {annex}.",
    ),
    "off_none": ("没有判定为不合格的线路。", "No line failed its judgement."),
    "holders_named": ("按目前责任划分：{holders}。", "As things stand: {holders}."),
    "holder_count": ("{name}{count}条", "{name}: {count}"),
    "duty_late": (
        "{title}（{due}到期）：{total}个单位中{count}个未办结，为{units}。",
        "{title} (due {due}): {count} of {total} units are missing: {units}.",
    ),
    "demand_duties": ("逾期未办结期限事项的单位立即办结并登记。", "Units that are late with a duty are to do it at once and report it."),
    "units_named": ("{names}等{count}个单位", "{names} and others, {count} units in all"),
    "units_few": ("{names}", "{names}"),
    "demand_carrier": (
        "{carriers}对附件{annex}所列由其负责的线路逐条查明原因，尽快建成并申请验收。",
        "{carriers} are to find the cause of every line of annex {annex} that they hold, build it and ask for its acceptance.",
    ),
    "demand_unit": ("有未就绪事项的接入单位尽快办结：{gates}。", "Units that are not ready are to see to it: {gates}."),
    "demand_centre": (
        "线路已通、待判定的{count}条，由电子政务中心尽快验收。",
        "{count} lines are up and wait for the centre, which is to judge them.",
    ),
    "demand_off": ("不合格线路整改后重新测试、重新验收。", "Lines that failed are to be mended, tested and judged again."),
    "demand_open": (
        "尚未到期的{count}条未验收线路，各责任方抓紧建设，按期完成验收。",
        "{count} lines whose day is to come are to be built and accepted in time.",
    ),
    "demand_none": ("各方继续保持，按期完成其余事项。", "All are to finish what remains in time."),
    "annex": ("附件{number}", "Annex {number}"),
    "annex_only": ("附件", "Annex"),
    "annexes": ("附件：", "Annexes: "),
    "annex_regions": ("各县（区）及网络服务提供商建设进度表", "Progress of counties and carriers"),
    "annex_late": ("逾期未完成线路清单", "Late lines"),
    "annex_off": ("不符合标准线路清单", "Lines off standard"),
    "caption_regions": ("各县（区）建设进度", "Counties"),
    "caption_carriers": ("网络服务提供商建设进度", "Carriers"),
    "caption_milestones": ("期限事项", "Milestones"),
    "head_failed_criteria": ("不合格项目", "What failed"),
    "head_judged": ("判定时间", "Judged"),
    "rhythm_source": ("通报周期：{title}（{source}）。", "Rhythm of this circular: {title} ({source})."),
    "rhythm_default": (
        "文件未规定通报周期；本期范围由使用者选定（默认值）。",
        "The order names no rhythm for circulars; the period is the user's choice (default).",
    ),
    # scores
    "scores_title": ("{title}考核得分表", "Scores: {title}"),
    "scores_none": ("本表没有考核对象。", "This table ranks nobody."),
    "chapter_ranking_county": ("县（区）排名", "Counties"),
    "chapter_ranking_unit": ("单位排名", "Units"),
    "chapter_working": ("得分计算", "Working"),
    "chapter_contests": ("复核与申诉", "Contests"),
    "contests_count": ("复核、申诉共{count}件", "{count} contests"),
    "contest_open": ("待决定", "open"),
    "contest_upheld": ("予以采纳", "upheld"),
    "contest_dismissed": ("不予采纳", "dismissed"),
    "head_contest": ("编号", "No."),
    "head_grounds": ("提出时间与理由", "Raised, on what grounds"),
    "head_outcome": ("处理结果", "Decision"),
    "head_row_points": ("该项得分", "Row"),
    "head_total_points": ("总分", "Total"),
    "chapter_rows": ("计分项目", "Rows"),
    "head_rank": ("名次", "Rank"),
    "head_prize": ("奖次", "Prize"),
    "head_name": ("对象", "Subject"),
    "head_score": ("得分", "Score"),
    "head_standing": ("性质", "Standing"),
    "head_working_out": ("计算", "Working"),
    "head_row": ("项目", "Row"),
    "head_points": ("分值", "Points"),
    "head_earned": ("得分", "Earned"),
    "provisional": ("暂定", "provisional"),
    "final": ("确定", "final"),
    "prize": ("{rank}等奖", "prize {rank}"),
    "provisional_note": (
        "有未计量项目的得分为暂定，参加排名，不授奖。{count}个对象中{open}个为暂定。",
        "A score with a row that nobody measured is provisional: ranked, no prize. {open} of {count} are.",
    ),
    "formula": ("计分方法：{formula}（{source}）。满分{total}分。", "Method: {formula} ({source}). Of {total} points."),
    "formula_in_proportion": ("按完成比例计分", "in proportion"),
    "formula_all_or_nothing": ("全部完成方得分", "all or nothing"),
    "adjusted": ("加减分", "bonus or deduction"),
    # organisation
    "organisation_title": ("{title}任务清单", "List of {title}"),
    "task": ("任务：{task}（{source}）。", "Task: {task} ({source})."),
    "chapter_own_milestones": ("期限事项", "Milestones"),
    "chapter_own_lines": ("线路", "Lines"),
    "own_no_milestones": ("没有分工到该组织的期限事项。", "No milestone names this organisation."),
    "own_no_lines": ("没有分工到该组织的线路。", "No line is this organisation's."),
    # availability
    "availability_title": ("线路可用率报告", "Availability of lines"),
    "availability_none": ("没有已验收且在考核范围内的线路。", "No accepted line is covered."),
    "availability_duty": (
        "要求：可用率不低于{share}，按{days}天计，测量覆盖不低于{coverage}（{source}）。",
        "Wanted: up for at least {share} over {days} days with {coverage} measured ({source}).",
    ),
    "head_verdict": ("结论", "Verdict"),
    "head_up": ("可用率", "Up"),
    "head_measured": ("测量覆盖", "Measured"),
    "head_down": ("中断时长", "Down"),
    "head_since": ("起算时间", "Since"),
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
