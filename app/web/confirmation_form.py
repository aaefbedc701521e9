"""The form 《专线接入确认单》 as words: what a template lays out, in either language. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.core.acceptance import NOT_PROVEN, Acceptance, CriterionResult
from app.core.confirmation import ConfirmationStanding, PartyStanding
from app.core.inventory import Line, Unit
from app.core.workdays import count_working_days
from app.core.workspace import Workspace
from app.errors import Finding, InputError
from app.web.dashboard.phrases import in_chinese
from app.web.dashboard.words import Words

#: Key → (Chinese, English). What the page says too comes from its own table.
TABLE: dict[str, tuple[str, str]] = {
    "title": ("专线接入确认单", "Confirmation of a Leased Line"),
    "number": ("编号", "No."),
    "basis": ("依据", "Under"),
    "line_id": ("线路编号", "Line"),
    "unit": ("接入单位", "Unit"),
    "region": ("所在区域", "Region"),
    "class": ("线路标准", "Class"),
    "carrier": ("网络服务提供商", "Carrier"),
    "circuit": ("电路代号", "Circuit id"),
    "no_circuit": ("未登记", "not registered"),
    "method": ("接入方式", "Access"),
    "near": ("本端设备端口", "Near port"),
    "far": ("对端设备端口", "Far port"),
    "due": ("应完成日期", "Due"),
    "accepted": ("验收时间", "Accepted"),
    "against_due": ("提前或逾期", "Early or late"),
    "method_ethernet": ("以太网", "Ethernet"),
    "method_bridged_pvc": ("桥接PVC", "bridged PVC"),
    "method_vpdn_l2tp": ("VPDN（L2TP）", "VPDN (L2TP)"),
    "method_internet_ipsec": ("互联网IPsec", "IPsec over the Internet"),
    "head_criterion": ("验收项目", "Criterion"),
    "head_expected": ("要求", "Expected"),
    "head_found": ("实测", "Found"),
    "head_verdict": ("结论", "Verdict"),
    "advisory": ("（参考）", " (advisory)"),
    "conclusion": (
        "该线路经系统验收，结论为合格。验收时间为{at}（{zone}）。{due}",
        "The line was judged and passes, at {at} ({zone}). {due}",
    ),
    "early": ("提前{days}天（{working}个工作日）", "{days} days ({working} working days) early"),
    "same_day": ("应完成日期当天", "on its last day"),
    "late": ("逾期{days}天（{working}个工作日）", "{days} days ({working} working days) late"),
    "against": ("与应完成日期相比：{how}。", "Against its due date: {how}."),
    "party_unit": ("接入单位", "Unit"),
    "party_carrier": ("网络服务提供商", "Carrier"),
    "party_centre": ("市电子政务中心", "City e-government centre"),
    "standing_confirmed": ("已确认", "Confirmed"),
    "standing_confirmed_late": ("已确认（逾期）", "Confirmed, late"),
    "standing_refused": ("不予确认", "Refused"),
    "standing_awaited": ("待确认", "Awaited"),
    "standing_overdue": ("逾期未确认", "Overdue"),
    "standing_not_yet": ("待前两方确认后办理", "After the other two"),
    "last_day": ("确认期限", "Last day"),
    "said": ("确认时间", "Confirmed"),
    "by": ("经办", "By"),
    "document": ("凭据", "Document"),
    "reason": ("理由", "Reason"),
    "sign": ("（签字、盖章）", "(signature, seal)"),
    "date": ("年　　月　　日", "Date: ____________"),
    "opinion": ("确认意见", "Confirmations"),
    "notes": ("说明", "Notes"),
    "windows_default": (
        "确认期限为验收后{parties}个工作日、前两方确认后{centre}个工作日；文件未作规定，系本系统默认值。",
        "Windows of {parties} working days from acceptance and {centre} from the later of the two: a default of this product, in no order.",
    ),
    "windows": (
        "确认期限为验收后{parties}个工作日、前两方确认后{centre}个工作日（{source}）。",
        "Windows of {parties} working days from acceptance and {centre} from the later of the two ({source}).",
    ),
    "assumed": (
        "{years}年的节假日安排尚未录入，期限仅按周末推算。",
        "The holidays of {years} are not entered yet; days were counted by weekends alone.",
    ),
    "silence": ("逾期不确认不视为同意。", "Silence past the last day is no consent."),
    "evidence": ("验收证据包摘要（SHA-256）：{digest}", "Evidence pack (SHA-256): {digest}"),
}


@dataclass(frozen=True, slots=True)
class FormWords:
    """The words of the form, beside those of the page."""

    words: Words

    def __call__(self, key: str, **values: object) -> str:
        return self.words.pick(*TABLE[key]).format(**values)


def build_form(
    workspace: Workspace,
    line_id: str,
    decision: Acceptance | None,
    standing: ConfirmationStanding,
    language: str,
    digest: str | None = None,
) -> dict[str, object]:
    """Return everything that the form says, as JSON for a template. `digest` is that of the evidence pack, where one was made.

    Raises:
        InputError: the line is not accepted; there is nothing to confirm.
    """
    if decision is None or standing.requested_at is None:
        step = f"Run waiwang accept {line_id} --commit; the form follows the acceptance."
        raise InputError([Finding(f"line {line_id}", "no form yet", "an accepted line", "a line that is not accepted", step)])
    say = FormWords(Words(language))
    line = workspace.inventory.lines[line_id]
    simulation = workspace.order.simulation
    return {
        "language": language,
        "title": say("title"),
        "number": f"{say('number')}{_colon(say)}{line_id}",
        "basis": f"{say('basis')}{_colon(say)}{_order_name(workspace, say)}",
        "simulation": say.words.pick(simulation.note, simulation.note_en) if simulation else "",
        "facts": _facts(workspace, line, decision, say),
        "criteria_head": [say(f"head_{name}") for name in ("criterion", "expected", "found", "verdict")],
        "criteria": [_criterion(workspace, result, say) for result in decision.results if result.required or result.verdict != NOT_PROVEN],
        "conclusion": _conclusion(workspace, decision, say),
        "opinion": say("opinion"),
        "parties": [_party(workspace, each, say) for each in standing.parties],
        "notes_head": say("notes"),
        "notes": _notes(workspace, standing, say, digest),
    }


def _colon(say: FormWords) -> str:
    return "：" if say.words.language == "zh" else ": "


def _order_name(workspace: Workspace, say: FormWords) -> str:
    order = workspace.order
    return f"《{order.title}》（{order.number}）" if say.words.language == "zh" else f"{order.title_en} ({order.number_en or order.number})"


def _facts(workspace: Workspace, line: Line, decision: Acceptance, say: FormWords) -> list[list[str]]:
    """Return rows of two label and value pairs."""
    order, inventory, words = workspace.order, workspace.inventory, say.words
    unit: Unit = inventory.units[line.unit_id]
    region, service_class = inventory.regions[unit.region], order.classes[line.service_class]
    local = decision.decided_at.astimezone(order.timezone)
    due = next((each.due_on for each in order.milestones if each.milestone_id == decision.milestone), None)
    method = f"method_{line.access_method}"
    pairs = [
        (say("unit"), words.pick(unit.name, unit.name_en)),
        (say("region"), words.pick(region.name, region.name_en)),
        (say("line_id"), line.line_id),
        (say("circuit"), line.circuit_id or say("no_circuit")),
        (say("class"), words.pick(service_class.words, service_class.words_en)),
        (say("method"), say(method) if method in TABLE else line.access_method),
        (say("carrier"), words.pick(*order.carrier_names(line.carrier))),
        (say("accepted"), f"{words.day(local)} {local:%H:%M}"),
        (say("near"), f"{line.a_device} {line.a_interface}"),
        (say("far"), f"{line.z_device} {line.z_interface}"),
    ]
    if due is not None:
        pairs += [(say("due"), words.day(due)), (say("against_due"), _earliness(workspace, decision, say))]
    return [[*pairs[place], *pairs[place + 1]] for place in range(0, len(pairs), 2)]


def _criterion(workspace: Workspace, result: CriterionResult, say: FormWords) -> list[str]:
    name = say.words.known("criterion", result.kind) + ("" if result.required else say("advisory"))
    sentences = (_judged(workspace, sentence, say) for sentence in (result.expected, result.found))
    return [name, *sentences, say.words.known("verdict", result.verdict)]


def _judged(workspace: Workspace, sentence: str, say: FormWords) -> str:
    if say.words.language != "zh":
        return sentence
    return in_chinese(sentence, lambda at: say.words.moment(at.astimezone(workspace.order.timezone)))


def _conclusion(workspace: Workspace, decision: Acceptance, say: FormWords) -> str:
    zone = workspace.order.timezone
    at = say.words.moment(decision.decided_at.astimezone(zone))
    how = _earliness(workspace, decision, say)
    return say("conclusion", at=at, zone=say.words.known("zone", zone.key), due=say("against", how=how) if how else "").strip()


def _earliness(workspace: Workspace, decision: Acceptance, say: FormWords) -> str:
    """Say how far before or after its last day the line was accepted, in calendar and working days; nothing where it has none."""
    due = next((each.due_on for each in workspace.order.milestones if each.milestone_id == decision.milestone), None)
    if due is None:
        return ""
    on = decision.decided_at.astimezone(workspace.order.timezone).date()
    days = (due - on).days
    if days == 0:
        return say("same_day")
    working = abs(count_working_days(workspace.calendar, on, due))
    return say("early" if days > 0 else "late", days=abs(days), working=working)


def _party(workspace: Workspace, each: PartyStanding, say: FormWords) -> dict[str, object]:
    rows = []
    if each.window is not None:
        rows.append([say("last_day"), say.words.day(each.window.last_day)])
    if each.word is not None:
        rows += [[say("said"), _minute(each.word.observed_at, workspace, say)], [say("by"), each.word.by]]
        rows += [[say("document"), each.word.document]]
        rows += [[say("reason"), each.word.reason]] if each.word.reason else []
    lines = [f"{label}{_colon(say)}{value}" for label, value in rows]
    return {
        "title": say(f"party_{each.party}"),
        "standing": say(f"standing_{each.standing}"),
        "lines": lines,
        "sign": say("sign"),
        "date": say("date"),
    }


def _minute(moment: datetime, workspace: Workspace, say: FormWords) -> str:
    local = moment.astimezone(workspace.order.timezone)
    return f"{say.words.day(local)} {local:%H:%M}"


def _notes(workspace: Workspace, standing: ConfirmationStanding, say: FormWords, digest: str | None) -> list[str]:
    windows = workspace.calendar.windows
    source = windows.source.clause or windows.source.ruling
    counts = {"parties": windows.parties_days, "centre": windows.centre_days}
    notes = [say("windows", **counts, source=source) if source else say("windows_default", **counts), say("silence")]
    years = sorted({year for each in standing.parties if each.window for year in each.window.assumed_years})
    if years:
        notes.append(say("assumed", years="、".join(map(str, years)) if say.words.language == "zh" else ", ".join(map(str, years))))
    if digest is not None:
        notes.append(say("evidence", digest=digest))
    return notes
