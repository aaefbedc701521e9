"""One line in a dialog: what it is, what was measured, and the evidence of its acceptance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from app.core.acceptance import Acceptance, CriterionResult, Transition
from app.core.line_view import LineView
from app.web.context import WebContext
from app.web.dashboard.deadlines import earliness_words, held_words
from app.web.dashboard.elements import block, pill, text
from app.web.dashboard.life import Books, draw_confirmation, draw_documents, draw_life
from app.web.dashboard.phrases import in_chinese
from app.web.dashboard.sections import reason_words
from app.web.dashboard.words import UNKNOWN, Words

HISTORY_SHOWN = 10


def draw_detail(
    words: Words,
    context: WebContext,
    line: LineView,
    decision: Acceptance | None,
    changes: Sequence[Transition],
    books: Books | None = None,
) -> None:
    """Draw everything that is known of one line; its life and confirmation where somebody keeps them."""
    with block("div", "detail-head"):
        text("h2", words.pick(line.unit_name, line.unit_name_en), "", "id=detail-title")
        text("span", line.line_id, "line-id")
        pill(words, "state", line.state)
        pill(words, "due", line.due)
    if reason := reason_words(words, line):
        text("p", reason, "reason")
    with block("dl", "facts"):
        for name, value in facts(words, context, line):
            with block("div"):
                text("dt", name)
                text("dd", value)
    if books is not None:
        draw_documents(words, context, books)
    _draw_criteria(words, context, decision)
    if books is not None:
        draw_life(words, context, books)
        draw_confirmation(words, context, books.standing)
    text("h3", words("history"))
    _draw_history(words, context, changes)


def facts(words: Words, context: WebContext, line: LineView) -> list[tuple[str, str]]:
    """Return what a line is, as name and value."""

    def moment(at: datetime | None) -> str:
        return words.moment(context.local(at)) if at else UNKNOWN

    role = words.known("role", line.role)
    since = [words("since", when=moment(line.since))] if line.since else []
    rows = [
        (words("region"), words.pick(line.region_name, line.region_name_en)),
        (words("class"), f"{words.pick(line.class_words, line.class_words_en)} · {role}"),
        (words("carrier"), words.pick(line.carrier_name, line.carrier_name_en)),
        (words("circuit_id"), line.circuit_id or words("not_known")),
        (words("route"), f"{line.a_device} {line.a_interface} → {line.z_device} {line.z_interface}"),
        (words("nominal"), f"{words.rate(line.nominal_down_kbps * 1e3)} / {words.rate(line.nominal_up_kbps * 1e3)}"),
        (words("measured"), f"{words.rate(line.down_bps)} / {words.rate(line.up_bps)}"),
        (words("input_errors"), UNKNOWN if line.in_errors is None else str(line.in_errors)),
        (words("sampled_at"), moment(line.sampled_at)),
        (words("state"), " · ".join([words.known("state", line.state), *since])),
        (words("deadline"), deadline(words, line)),
        *_deadline_facts(words, line),
        (words("verdict"), words(f"verdict_{line.verdict or 'none'}")),
    ]
    if line.clock_holder is not None:
        rows.append((words("clock_holder"), words.known("holder", line.clock_holder)))
    if line.open_gates:
        rows.append((words("open_gates"), words("list_separator").join(words.each(line.open_gates, line.open_gates_en))))
    if line.reserved_mbps is not None:
        state = {None: "reserved_unknown", False: "reserved_shut", True: "reserved_up"}[line.reserved_up]
        rows.append((words("reserved_port", mbps=line.reserved_mbps), words(state)))
    return rows


def _deadline_facts(words: Words, line: LineView) -> list[tuple[str, str]]:
    """Return the first deadline where it was another, how early or late the line is, and who held its clock."""
    rows = []
    if line.baseline_on is not None and line.baseline_on != line.due_on:
        rows.append((words("first_deadline"), words.day(line.baseline_on)))
    if line.days_early is not None:
        rows.append((words("early_or_late"), earliness_words(words, line)))
    if line.carrier_held_hours is not None:
        rows.append((words("clock_held"), held_words(words, line)))
    return rows


def deadline(words: Words, line: LineView) -> str:
    """Write the day a line is due and, while it is not accepted, how far away that is."""
    if line.due_on is None:
        return UNKNOWN
    if line.due.startswith("accepted"):
        return f"{words.day(line.due_on)} · {words.known('due', line.due)}"
    return f"{words.day(line.due_on)} · {words.days_left(line.days_left)}"


def _draw_criteria(words: Words, context: WebContext, decision: Acceptance | None) -> None:
    with block("div", "criteria-head"):
        text("h3", words("criteria"))
        if decision:
            pill(words, "verdict", decision.verdict)
            text("span", f"{words('decided_at')} {words.moment(context.local(decision.decided_at))}", "muted")
    if decision is None:
        text("p", words("not_judged_note"), "quiet")
        return
    with block("table", "list criteria"):
        with block("thead"), block("tr"):
            for key in ("criterion", "weight", "verdict", "expected", "found"):
                text("th", words(key), "", "scope=col")
        with block("tbody"):
            for result in decision.results:
                _criterion_row(words, context, result)


def _criterion_row(words: Words, context: WebContext, result: CriterionResult) -> None:
    with block("tr"):
        text("td", words.known("criterion", result.kind), "nowrap")
        text("td", words("required" if result.required else "advisory"), "nowrap muted")
        with block("td"):
            pill(words, "verdict", result.verdict)
        text("td", _judged(words, context, result.expected))
        with block("td"):
            text("div", _judged(words, context, result.found))
            if result.evidence:
                with block("details"):
                    text("summary", words("evidence"))
                    text("pre", json.dumps(dict(result.evidence), ensure_ascii=False, indent=2, default=str))


def _judged(words: Words, context: WebContext, sentence: str) -> str:
    if words.language != "zh":
        return sentence
    return in_chinese(sentence, lambda at: words.moment(context.local(at)))


def _draw_history(words: Words, context: WebContext, changes: Sequence[Transition]) -> None:
    if not changes:
        text("p", words("history_none"), "quiet")
        return
    with block("ol", "history"):
        for change in changes[:HISTORY_SHOWN]:
            with block("li"):
                text("span", words.moment(context.local(change.observed_at)), "date nowrap")
                pill(words, "state", change.before)
                text("span", "→", "", "aria-hidden=true")
                pill(words, "state", change.after)
                text("span", words.reason(change.reason), "reason")
