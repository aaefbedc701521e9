"""Every word that the page shows, Chinese first. Texts of the order and names of units come from the summary, not from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.core.linestate import reason_in_chinese
from app.web.dashboard.deadline_words import DEADLINE_TABLE
from app.web.dashboard.office_words import OFFICE_TABLE

LANGUAGES = ("zh", "en")

#: Key → (Chinese, English). `{name}` is filled in by the caller.
TABLE: dict[str, tuple[str, str]] = {
    "page_title": ("电子政务外网建设与运行", "E-government extranet: rollout and operation"),
    "order_line": ("{title}（{number}）", "{title} ({number})"),
    "as_of": ("数据时间", "As of"),
    "other_language": ("English", "中文"),
    "simulation": ("模拟演示", "Simulation"),
    "illustration": ("示例地址规划", "Illustrative address plan"),
    "illustration_note": (
        "本工作区的地址池为示例，尚未由上级分配；可以规划和生成配置，不下发到真实设备。",
        "The address pools of this workspace are not assigned yet: they can be planned and rendered, not deployed to real devices.",
    ),
    "never_polled": ("尚未测量", "Nothing measured yet"),
    "never_polled_note": (
        "从未完成过一次轮询，下列通断和速率均无依据。请启动轮询。",
        "No poll cycle has ever ended: states and rates below rest on nothing. Start the poller.",
    ),
    "stale": ("轮询已停滞", "Polling has stalled"),
    "stale_note": (
        "最近一次轮询结束于{when}（{age}前），下列通断可能已不属实。请检查轮询程序。",
        "The newest poll cycle ended {when} ({age} ago): states below may no longer be true. Check the poller.",
    ),
    "unread": ("数据读取失败", "Data could not be read"),
    "stands_still": ("页面停留在上一次读到的数据。", "The page shows what was read last."),
    # key figures
    "primary_accepted": ("主用线路已验收", "Primary lines accepted"),
    "of_total": ("共 {total} 条，{share}", "of {total}, {share}"),
    "backups_beside": ("另有备用线路 {total} 条，已验收 {count} 条", "beside them {count} of {total} backup lines"),
    "accepted_late_part": ("其中逾期验收 {count} 条", "{count} of them late"),
    "fig_late": ("逾期", "Late"),
    "fig_late_note": ("过期未验收", "past due"),
    "fig_at_risk": ("临期", "At risk"),
    "fig_at_risk_note": ("临近期限未验收", "due soon"),
    "fig_up_note": ("线路两端正常", "working"),
    "fig_down_note": ("线路中断", "line broken"),
    "fig_unreachable_note": ("被上级阻断", "cannot be seen"),
    "fig_unknown_note": ("从未测到", "never seen"),
    "fig_not_opened_note": ("网络服务提供商尚未开通", "not handed over"),
    "last_polled": ("最近轮询", "Last polled"),
    "ago": ("{age}前", "{age} ago"),
    "never": ("从未", "never"),
    # milestones
    "milestones": ("里程碑", "Milestones"),
    "milestones_note": (
        "每格：已完成 / 应完成，按县（区）与线路类别（只计主用线路），或按单位。",
        "Each cell: done / wanted, by county and class of line (primary lines only), or by unit.",
    ),
    "due": ("期限", "Due"),
    "milestone": ("事项", "Duty"),
    "progress": ("完成", "Done"),
    "target": ("目标 {share}", "target {share}"),
    "clause": ("依据：{clause}", "Clause: {clause}"),
    "ruling": ("裁定：{ruling}", "Ruling: {ruling}"),
    "default": ("默认值，原文未定", "Default; the order is silent"),
    "soft": ("力争", "aim"),
    "evidence_accepted_line": ("凭线路验收", "by accepted lines"),
    "evidence_unit_event": ("凭单位登记", "by unit"),
    "evidence_document": ("凭文件", "by document"),
    "milestone_met": ("按期完成", "Met"),
    "milestone_met_late": ("逾期完成", "Met late"),
    "milestone_late": ("逾期", "Late"),
    "milestone_not_proven": ("未证实", "Not proven"),
    "milestone_at_risk": ("临期", "At risk"),
    "milestone_open": ("进行中", "Open"),
    "milestone_not_measured": ("未计量", "Not measured"),
    # faults
    "faults": ("故障", "Faults"),
    "faults_none": ("没有未恢复的故障。", "No fault is open."),
    "faults_more": ("另有 {count} 起，见 waiwang fault list", "{count} more: waiwang fault list"),
    "fault_began": ("发生时间", "Began"),
    "fault_with": ("处理方", "With"),
    "fault_agreed": ("约定时限", "Agreed time"),
    "fault_open": ("未派单", "Open"),
    "fault_assigned": ("已派单", "Assigned"),
    "fault_with_carrier": ("已移交网络服务提供商", "With the carrier"),
    "fault_over": ("超过时限", "Over the agreed time"),
    "fault_planned": ("计划检修：{document}", "Planned: {document}"),
    "fault_planned_late": ("计划检修（通知逾期）：{document}", "Planned, announced late: {document}"),
    "fault_reopened": ("反复 {count} 次", "broke again {count} times"),
    "fault_children": ("其后 {count} 条线路受影响（只计已验收的）：{names}", "{count} lines behind it (accepted ones): {names}"),
    "fault_source_hand": ("人工登记", "by hand"),
    "fault_source_poller": ("轮询发现", "by polling"),
    "fault_source_alertmanager": ("告警", "by alert"),
    "fault_carriers": ("网络服务提供商恢复情况（近30天）", "What carriers needed (last 30 days)"),
    "fault_broken": ("未恢复", "Not restored"),
    "fault_median": ("恢复历时中位数", "Median to restore"),
    "fault_worst": ("最长恢复历时", "Longest to restore"),
    "fault_kept": ("时限内 / 超时", "In time / over"),
    "fault_kept_of": ("{within} / {over}", "{within} / {over}"),
    "fault_in_window": ("计划检修内", "Planned"),
    "windows": ("检修窗口", "Change windows"),
    "window_announced": ("已通知", "Announced"),
    "window_running": ("进行中", "Running"),
    "window_late": ("通知逾期", "announced late"),
    "window_lines": ("涉及 {count} 条线路", "{count} lines"),
    # attention and states
    "attention": ("逾期、未证实与临期线路", "Lines late, not proven or at risk"),
    "attention_none": ("没有逾期、未证实或临期的线路。", "No line is late, not proven or at risk."),
    "states": ("线路通断", "Link states"),
    "states_of_all": ("全部 {total} 条线路，其中备用 {backups} 条。", "All {total} lines, {backups} of them backup lines."),
    "not_up": ("未通线路与原因", "Lines not up, and why"),
    "not_up_none": ("没有断开、不可达的线路。", "No line is down or unreachable."),
    "behind": ("位于线路 {line} 之后", "behind line {line}"),
    "verdict_criteria": ("{verdict}：{criteria}", "{verdict}: {criteria}"),
    "hides": ("其后 {count} 条不可达：{names}", "{count} behind it cannot be seen: {names}"),
    "and_more": ("等", " …"),
    "list_separator": ("、", ", "),
    "since": ("自 {when} 起", "since {when}"),
    "more_outages": ("另有 {count} 处，在下方列出", "{count} more: list them below"),
    "state_broken": ("断或不可达", "Down or unreachable"),
    "other_duties": ("其他期限事项", "Other dated duties"),
    "other_duties_note": ("尚无登记，未计量。", "Nothing recorded yet; not measured."),
    "region_class": ("县（区）/ 类别", "County / class"),
    "more": ("另有 {count} 条，在下方列出", "{count} more: list them below"),
    "total": ("合计", "Total"),
    "reason_missing": ("原因不明", "reason not known"),
    # all lines
    "all_lines": ("全部线路", "All lines"),
    "all_lines_note": ("点一行看验收依据。", "Click a row for the evidence of its acceptance."),
    "search": ("查找单位、线路号、电路代号、设备", "Find unit, line, circuit, device"),
    "any_region": ("全部县（区）", "Every county"),
    "any_class": ("全部类别", "Every class"),
    "any_state": ("全部通断", "Every state"),
    "any_due": ("全部进度", "Every standing"),
    "any_carrier": ("全部网络服务提供商", "Every carrier"),
    "clear": ("清除", "Clear"),
    "unit": ("单位", "Unit"),
    "region": ("县（区）", "County"),
    "class": ("类别", "Class"),
    "carrier": ("网络服务提供商", "Carrier"),
    "line": ("线路", "Line"),
    "line_id": ("线路号", "Line id"),
    "circuit_id": ("电路代号", "Circuit id"),
    "state": ("通断", "State"),
    "standing": ("进度", "Standing"),
    "days_left": ("剩余天数", "Days left"),
    "rate_down": ("下行速率", "Rate down"),
    "rate_up": ("上行速率", "Rate up"),
    "verdict": ("验收结论", "Verdict"),
    "open_criteria": ("未过项", "Open criteria"),
    "grid_loading": ("正在读取…", "Loading …"),
    "grid_empty": ("没有符合条件的线路", "No line matches"),
    # states, standings, verdicts
    "state_up": ("通", "Up"),
    "state_down": ("断", "Down"),
    "state_unreachable": ("不可达", "Unreachable"),
    "state_unknown": ("未测量", "Not measured"),
    "state_not_opened": ("未开通", "Not opened"),
    "due_accepted": ("已验收", "Accepted"),
    "due_accepted_late": ("逾期验收", "Accepted late"),
    "due_late": ("逾期", "Late"),
    "due_not_proven": ("未证实", "Not proven"),
    "due_at_risk": ("临期", "At risk"),
    "due_open": ("待验收", "Open"),
    "due_no_deadline": ("无期限", "No deadline"),
    "verdict_pass": ("合格", "Pass"),
    "verdict_fail": ("不合格", "Fail"),
    "verdict_not_proven": ("未证实", "Not proven"),
    "verdict_none": ("尚未判定", "Not judged yet"),
    "zone_Asia/Shanghai": ("北京时间", "Beijing time"),
    "role_primary": ("主用", "primary"),
    "role_backup": ("备用", "backup"),
    # criteria
    "criterion_reachable_from_centre": ("市中心可达", "Reachable from the centre"),
    "criterion_reaches_services": ("可达公文交换服务器", "Reaches the services"),
    "criterion_ports_up": ("端口状态", "Ports up"),
    "criterion_input_errors": ("误码计数", "Input errors"),
    "criterion_trial": ("试运行", "Trial period"),
    "criterion_rate_down": ("下行速率", "Rate down"),
    "criterion_rate_up": ("上行速率", "Rate up"),
    "criterion_reserved_port": ("预留接口", "Reserved port"),
    "criterion_delay": ("时延", "Delay"),
    "criterion_jitter": ("抖动", "Jitter"),
    "criterion_step_loss": ("分级加载丢包", "Loss under stepped load"),
    "criterion_port_speed": ("端口协商速率", "Negotiated port speed"),
    "criterion_duplex": ("双工方式", "Duplex"),
    "criterion_rx_power": ("收光功率", "Received optical power"),
    "criterion_sync_rate_down": ("ADSL下行同步速率", "ADSL sync rate down"),
    "criterion_sync_rate_up": ("ADSL上行同步速率", "ADSL sync rate up"),
    "criterion_snr_margin": ("ADSL信噪比裕量", "ADSL SNR margin"),
    "criterion_attenuation": ("ADSL线路衰减", "ADSL attenuation"),
    "criterion_readiness": ("前置条件", "Readiness"),
    # who holds the clock
    "clock_holder": ("责任方", "Clock held by"),
    "held_by": ("责任方：{holder}", "held by: {holder}"),
    "holder_carrier": ("网络服务提供商", "carrier"),
    "holder_unit": ("接入单位", "unit"),
    "holder_centre": ("电子政务中心", "centre"),
    "open_gates": ("未就绪", "Not ready"),
    # detail
    "close": ("关闭", "Close"),
    "criteria": ("验收项目", "Criteria"),
    "criterion": ("项目", "Criterion"),
    "weight": ("性质", "Weight"),
    "required": ("必备", "required"),
    "advisory": ("参考", "advisory"),
    "expected": ("要求", "Expected"),
    "found": ("实测", "Found"),
    "evidence": ("证据", "Evidence"),
    "decided_at": ("判定时间", "Decided"),
    "not_judged_note": ("这条线路还没有验收判定。", "Nobody has judged this line yet."),
    "history": ("通断记录", "Changes of state"),
    "history_none": ("没有记录。", "None recorded."),
    "route": ("走向", "Route"),
    "nominal": ("标称速率（下行 / 上行）", "Nominal rate (down / up)"),
    "measured": ("实测流量（下行 / 上行）", "Traffic now (down / up)"),
    "input_errors": ("输入误码", "Input errors"),
    "sampled_at": ("测量时间", "Measured"),
    "deadline": ("期限", "Deadline"),
    "reserved_port": ("预留{mbps}兆接口", "Reserved {mbps}M port"),
    "reserved_shut": ("关闭（应如此）", "shut, as intended"),
    "reserved_up": ("已启用", "in use"),
    "reserved_unknown": ("未测量", "not measured"),
    "not_known": ("未知", "not known"),
    "gone": ("这条线路已不在清单中。", "This line is no longer in the inventory."),
    # life and confirmation
    "life": ("建设历程", "Life of the line"),
    "life_none": ("尚无登记。", "Nothing recorded yet."),
    "life_planned": ("已规划", "Planned"),
    "life_applied": ("已申请", "Applied"),
    "life_approved": ("已批准", "Approved"),
    "life_building": ("建设中", "Building"),
    "life_opened": ("已开通", "Opened"),
    "life_self_tested": ("已自测", "Self-tested"),
    "life_trial": ("试运行", "Trial"),
    "life_accepted": ("已验收", "Accepted"),
    "life_rejected": ("验收未通过", "Rejected"),
    "life_in_service": ("投入使用", "In service"),
    "life_closed": ("已停用", "Closed"),
    "recorded": ("登记于 {when}", "recorded {when}"),
    "step_repeated": ("重复登记", "said once more"),
    "step_does_not_follow": ("与前后步骤不衔接，未改变状态", "does not follow; moved nothing"),
    "step_skipped": ("此前未登记：{steps}", "not recorded before it: {steps}"),
    "evidence_decision": ("判定于 {when}", "decision of {when}"),
    "confirmation": ("接入确认", "Confirmation"),
    "confirmation_not_yet": ("验收合格后开始确认。", "Begins once the line is accepted."),
    "colon": ("：", ": "),
    "form_link": ("《专线接入确认单》（{kind}）", "Confirmation form ({kind})"),
    "pack_link": ("验收证据包", "Evidence pack"),
    "record_step": ("登记进展", "Record a step"),
    "record_word": ("{party}意见", "Word of the {party}"),
    "record": ("登记", "Record"),
    "confirm": ("确认", "Confirm"),
    "refuse": ("不予确认", "Refuse"),
    "document": ("凭据（文件名或文号）", "Document"),
    "refusal_reason": ("理由", "Reason"),
    "observed_at": ("发生时间", "When it happened"),
    "is_missing": ("请填写", "is missing"),
    "not_recorded": ("未登记：", "Not recorded: "),
    # sign-in
    "sign_in": ("登录", "Sign in"),
    "sign_out": ("退出", "Sign out"),
    "account": ("账号", "Account"),
    "password": ("口令", "Password"),
    "sign_in_note": ("账号由市电子政务中心发放。", "Accounts are given out by the e-government centre."),
    "sign_in_refused": ("账号或口令不正确。", "Account and password do not fit."),
    "sign_in_wait": ("失败次数过多，请 {minutes} 分钟后再试。", "Too many failures: try again in {minutes} min."),
    "sign_in_idle": ("因长时间无操作，登录已结束，请重新登录。", "The session ended because nobody used it. Sign in again."),
    "sign_in_changed": ("口令已更改，请用新口令登录。", "The password was changed. Sign in with the new one."),
    "idle_soon": ("登录即将结束", "The session ends soon"),
    "idle_soon_note": (
        "长时间无操作，{left}后退出登录；移动鼠标或按任意键即可继续。",
        "Nobody has used it for long: it ends in {left}. Move the mouse or press a key to go on.",
    ),
    "signed_in_as": ("{account}（{role}）", "{account} ({role})"),
    "access_viewer": ("查看", "viewer"),
    "access_engineer": ("运维工程师", "engineer"),
    "access_centre": ("电子政务中心", "centre"),
    "access_carrier": ("网络服务提供商", "carrier"),
    "access_unit": ("接入单位", "unit"),
    "access_system": ("系统管理员", "system administrator"),
    "access_security": ("安全管理员", "security administrator"),
    "access_auditor": ("安全审计员", "auditor"),
    "access_none": ("未授予角色", "no role yet"),
    # dates
    "days_over": ("逾期 {days} 天", "{days} d over"),
    "days_today": ("今天到期", "due today"),
    "days_ahead": ("还有 {days} 天", "{days} d left"),
    "seconds": ("{count} 秒", "{count} s"),
    "minutes": ("{count} 分钟", "{count} min"),
    "hours": ("{count} 小时", "{count} h"),
    "days": ("{count} 天", "{count} days"),
    # foot
    "foot": (
        "API、指标与本页同出一份汇总，每 {seconds} 秒更新。",
        "API, metrics and this page are views of one summary, renewed every {seconds} s.",
    ),
    "api": ("接口说明（OpenAPI）", "API (OpenAPI)"),
    "metrics": ("监控指标", "Metrics"),
    **DEADLINE_TABLE,
    **OFFICE_TABLE,
}

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
UNKNOWN = "—"


@dataclass(frozen=True, slots=True)
class Words:
    """The table in one language, with its dates and numbers."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """Return the words for a key. Raises KeyError for a key that the table lacks."""
        return TABLE[key][LANGUAGES.index(self.language)].format(**values)

    def known(self, prefix: str, value: str) -> str:
        """Return the words for `prefix_value`, or the value itself where the table has none."""
        key = f"{prefix}_{value}"
        return self(key) if key in TABLE else value

    def pick(self, chinese: str, english: str) -> str:
        """Return the text in this language, the Chinese where no English is given."""
        return english if self.language == "en" and english else chinese

    def each(self, chinese: Sequence[str], english: Sequence[str]) -> list[str]:
        """Return texts in this language, the Chinese one where no English is given."""
        return [self.pick(*pair) for pair in zip(chinese, english, strict=True)]

    def day(self, day: date) -> str:
        if self.language == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {MONTHS[day.month - 1]} {day.year}"

    def moment(self, moment: datetime) -> str:
        """Write a moment with its date to the second, on the clock that it carries."""
        return f"{self.day(moment)} {moment:%H:%M:%S}"

    def recent(self, moment: datetime, now: datetime) -> str:
        """Write a moment without its date where that is today's; both on the same clock."""
        return f"{moment:%H:%M:%S}" if moment.date() == now.date() else self.moment(moment)

    def reason(self, reason: str) -> str:
        """Write the reason of a state, which is stored in English; a text of unknown origin stands as it is."""
        return reason_in_chinese(reason) if self.language == "zh" else reason

    def age(self, age: timedelta) -> str:
        """Write a duration in its largest whole unit; a negative one counts as nothing."""
        seconds = max(0, int(age.total_seconds()))
        for key, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
            if seconds >= size:
                return self(key, count=seconds // size)
        return self("seconds", count=seconds)

    def short(self, chinese: str, english: str) -> str:
        """Return the words of a class without what stands in brackets after them, for narrow places."""
        return self.pick(chinese, english).partition("（")[0].partition(" (")[0]

    def days_left(self, days: int | None) -> str:
        if days is None:
            return UNKNOWN
        if days < 0:
            return self("days_over", days=-days)
        return self("days_ahead", days=days) if days else self("days_today")

    def share(self, done: int, total: int) -> str:
        """Write a share as percent, rounded down: 100% only when all is done."""
        return f"{done * 100 // total}%" if total else UNKNOWN

    def rate(self, bits: float | None) -> str:
        """Write bit/s in the unit that reads best."""
        if bits is None:
            return UNKNOWN
        for size, unit in ((1e6, "Mbit/s"), (1e3, "kbit/s")):
            if bits >= size:
                return f"{bits / size:.2f} {unit}"
        return f"{bits:.0f} bit/s"
