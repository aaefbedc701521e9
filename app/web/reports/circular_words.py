"""Words of circulars, in the shape of `words.TABLE`."""

from __future__ import annotations

CIRCULAR_TABLE: dict[str, tuple[str, str]] = {
    # Broken where it reads well: the lines of a title in the middle of the page are of nearly the same length.
    "circular_title": ("关于{period}电子政务外网\n建设进展情况的通报", "Circular: the e-government extranet \nin {period}"),
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
        "Lines that were late on {day}: {count}, at {units}; see annex {annex}.",
    ),
    "late_none": ("没有逾期未完成的线路。", "No line is late."),
    "off_sentence": (
        "{count}条线路经验收判定不合格，涉及{units}，详见附件{annex}。",
        "Lines that failed their judgement: {count}, at {units}; see annex {annex}.",
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
}
