"""In the dialog of a line: its life step by step, its confirmation, the documents to take away, and what the viewer may record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from nicegui import run, ui

from app.core.access import Viewer, may_prove, may_step, party_of
from app.core.confirmation import CONFIRMED, REFUSED, ConfirmationStanding, PartyStanding
from app.core.life import DECISION, DERIVED, DOES_NOT_FOLLOW, REPEATED, SKIPPED, Life, LifeStep
from app.errors import WaiwangError
from app.web.confirmation_form import FormWords
from app.web.context import WebContext
from app.web.dashboard.elements import block, pill, text
from app.web.dashboard.refusals import refusal_words
from app.web.dashboard.words import Words
from app.workflows.registry import Entry, Registry

#: Longest texts that a form takes.
DOCUMENT_LIMIT, REASON_LIMIT = 200, 500


@dataclass(frozen=True, slots=True)
class Books:
    """What is written down of one line, and where more may be. `is_judged`: a decision on it is recorded."""

    registry: Registry
    life: Life
    standing: ConfirmationStanding
    is_judged: bool


def read_books(registry: Registry, line_id: str) -> Books:
    """Read what is written down of a line. Raises UnknownLine, StoreError."""
    return Books(registry, registry.life(line_id), registry.standing(line_id), registry.is_judged(line_id))


def draw_life(words: Words, context: WebContext, books: Books) -> None:
    """Draw every step: when it happened, when it was written down, by whom, on what."""
    with block("div", "criteria-head"):
        text("h3", words("life"))
        pill(words, "life", books.life.state)
    if not books.life.steps:
        text("p", words("life_none"), "quiet")
        return
    with block("ol", "life", "data-part=life"):
        for step in books.life.steps:
            with block("li", f"is-{step.standing}"):
                _draw_step(words, context, books.registry, step)


def _draw_step(words: Words, context: WebContext, registry: Registry, step: LifeStep) -> None:
    event = step.event
    text("span", words.moment(context.local(event.observed_at)), "date nowrap")
    pill(words, "life", event.state)
    with block("div"):
        text("div", f"{by_words(words, registry, event.by)} · {evidence_words(words, context, step)}")
        notes = [words("recorded", when=words.moment(context.local(event.recorded_at)))] if event.recorded_at != event.observed_at else []
        if step.standing in (REPEATED, DOES_NOT_FOLLOW):
            notes.append(words(f"step_{step.standing}"))
        if step.standing == SKIPPED:
            skipped = words("list_separator").join(words.known("life", state) for state in step.unrecorded)
            notes.append(words("step_skipped", steps=skipped))
        if notes:
            text("div", " · ".join(notes), "muted")


def by_words(words: Words, registry: Registry, by: str) -> str:
    """Write who says so: a command of ours, a carrier by its name, another role as it stands."""
    kind, _, subject = by.partition(":")
    if kind == "carrier" and subject:
        return f"{words('access_carrier')} {words.pick(*registry.workspace.order.carrier_names(subject))}"
    return words.known("access", by) if f"by_{by}" not in _BY else words.pick(*_BY[f"by_{by}"])


_BY = {
    "by_waiwang accept": ("系统验收判定", "waiwang accept"),
    "by_waiwang poll": ("系统轮询", "waiwang poll"),
}


def evidence_words(words: Words, context: WebContext, step: LifeStep) -> str:
    """Write what shows a step; a decision by its moment on the order's clock."""
    if step.event.source != DECISION:
        return step.event.evidence
    stamp = step.event.evidence.removeprefix("decision ").partition(",")[0]
    return words("evidence_decision", when=words.moment(context.local(datetime.fromisoformat(stamp))))


def draw_confirmation(words: Words, context: WebContext, standing: ConfirmationStanding) -> None:
    """Draw who has confirmed the line, who is awaited and until when."""
    text("h3", words("confirmation"))
    if standing.requested_at is None:
        text("p", words("confirmation_not_yet"), "quiet")
        return
    say = FormWords(words)
    with block("ul", "parties", "data-part=confirmation"):
        for each in standing.parties:
            with block("li"):
                text("b", say(f"party_{each.party}"))
                with block("span", f"pill is-{each.standing}"):
                    text("span", say(f"standing_{each.standing}"))
                for sentence in _party_sentences(words, say, context, each):
                    text("div", sentence, "muted")


def _party_sentences(words: Words, say: FormWords, context: WebContext, each: PartyStanding) -> list[str]:
    found = []
    if each.word is not None:
        found.append(f"{words.moment(context.local(each.word.observed_at))} · {each.word.by} · {each.word.document}")
        found += [f"{say('reason')}{words('colon')}{each.word.reason}"] if each.word.reason else []
    if each.window is not None:
        found.append(f"{say('last_day')}{words('colon')}{words.day(each.window.last_day)}")
        if each.window.assumed_years:
            found.append(say("assumed", years=words("list_separator").join(map(str, each.window.assumed_years))))
    return found


def draw_documents(words: Words, context: WebContext, books: Books) -> None:
    """Draw the documents that the viewer may take away; nothing where there are none."""
    line_id = books.life.line_id
    folder = f"/api/v1/lines/{line_id}"
    links = []
    if books.standing.requested_at is not None:
        for form in ("pdf", "docx"):
            links.append((words("form_link", kind=form.upper()), f"{folder}/confirmation-form?format={form}&language={words.language}"))
    viewer, line = context.viewer, books.registry.workspace.inventory.lines[line_id]
    if viewer is not None and books.is_judged and books.registry.key is not None and may_prove(viewer.role, line):
        links.append((words("pack_link"), f"{folder}/evidence"))
    if links:
        with block("div", "documents", "data-part=documents"):
            for name, target in links:
                text("a", name, "more", f'href="{target}" download')


class Entries:
    """The forms of what this viewer may record of this line.

    `again` draws the dialog anew; `is_standing` tells whether the session still holds.
    """

    def __init__(
        self, words: Words, context: WebContext, books: Books, again: Callable[[], Awaitable[None]], is_standing: Callable[[], bool]
    ) -> None:
        self.words, self.context, self.books, self.again, self.is_standing = words, context, books, again, is_standing
        self.line = books.registry.workspace.inventory.lines[books.life.line_id]

    def draw(self) -> None:
        """Draw what may be recorded; nothing where nothing may."""
        viewer = self.context.viewer
        if viewer is None:
            return
        states = [state for state in self.books.life.next_states if state not in DERIVED and may_step(viewer.role, self.line, state)]
        if states:
            self._draw_step_form(viewer, states)
        party = party_of(viewer.role, self.line)
        if party is not None and self._is_awaited(party):
            self._draw_word_form(viewer, party)

    def _is_awaited(self, party: str) -> bool:
        return self.books.standing.of(party).standing in ("awaited", "overdue", REFUSED)

    def _draw_step_form(self, viewer: Viewer, states: list[str]) -> None:
        words = self.words
        with block("div", "entry", "data-part=step"):
            text("h3", words("record_step"))
            with block("div", "entry-fields"):
                state = ui.select({each: words.known("life", each) for each in states}, value=states[0])
                state.props("dense outlined options-dense")
                moment, document = self._moment_input(), self._text_input("document", DOCUMENT_LIMIT)

                async def save() -> None:
                    entry = self._entry(moment, document)
                    if entry is not None:
                        await self._write(lambda: self.books.registry.add_step(viewer, self.line.line_id, str(state.value), entry), told)

                text("button", words("record"), "strong", "type=button").on("click", save)
            told = text("p", "", "refusal", "role=alert")

    def _draw_word_form(self, viewer: Viewer, party: str) -> None:
        words, say = self.words, FormWords(self.words)
        with block("div", "entry", "data-part=word"):
            text("h3", words("record_word", party=say(f"party_{party}")))
            with block("div", "entry-fields"):
                choice = ui.select({CONFIRMED: words("confirm"), REFUSED: words("refuse")}, value=CONFIRMED)
                choice.props("dense outlined options-dense")
                moment, document = self._moment_input(), self._text_input("document", DOCUMENT_LIMIT)
                reason = self._text_input("refusal_reason", REASON_LIMIT)
                reason.bind_visibility_from(choice, "value", value=REFUSED)

                async def save() -> None:
                    entry, why = self._entry(moment, document), str(reason.value or "").strip()
                    if entry is not None:
                        decision = str(choice.value)
                        await self._write(
                            lambda: self.books.registry.add_word(viewer, self.line.line_id, decision, entry, why), told
                        )

                text("button", words("record"), "strong", "type=button").on("click", save)
            told = text("p", "", "refusal", "role=alert")

    def _moment_input(self) -> ui.input:
        at = self.context.local(self.books.registry.clock())
        label = self.words("observed_at")
        return ui.input(label, value=f"{at:%Y-%m-%dT%H:%M}").props("dense outlined stack-label type=datetime-local").classes("entry-moment")

    def _text_input(self, key: str, limit: int) -> ui.input:
        return ui.input(self.words(key)).props(f"dense outlined maxlength={limit}").classes("entry-text")

    def _entry(self, moment: ui.input, document: ui.input) -> Entry | None:
        """Return what was entered; None, with the field marked, where something is missing."""
        paper = str(document.value or "").strip()
        document.error = None if paper else self.words("is_missing")
        try:
            at = datetime.fromisoformat(str(moment.value)).replace(tzinfo=self.context.zone).astimezone(UTC)
        except (ValueError, OverflowError):
            moment.error = self.words("is_missing")
            return None
        moment.error = None
        now = self.books.registry.clock()
        present = abs((now - at).total_seconds()) < 60  # the minute that the form proposes: its seconds are still to come
        return Entry(paper, None if present else at) if paper else None

    async def _write(self, write: Callable[[], object], told: ui.element) -> None:
        if not await run.io_bound(self.is_standing):
            ui.navigate.to("/sign-in")
            return
        try:
            await run.io_bound(write)
        except WaiwangError as error:
            told.set_text(f"{self.words('not_recorded')}{refusal_words(self.words, error)}")  # type: ignore[attr-defined]  # a TextElement
            return
        await self.again()
