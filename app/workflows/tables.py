"""Read back what devices hold: addresses, routes, neighbours, adjacencies. One failing device is a row among the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nornir.core import Nornir
from nornir.core.task import Result, Task

from app.core.commands import mask_secrets
from app.core.device_tables import QUESTIONS, DeviceTables, parse_tables
from app.core.intent import DeviceIntent
from app.errors import DeviceError, WaiwangError
from app.workflows.diff import DeviceRow, Progress, Timer, failure_row, ordered, row_of_fault, silent, with_seconds
from app.workflows.hosts import DeviceSession, Gateway


@dataclass(frozen=True, slots=True)
class Readings:
    """The tables of the devices that answered, by name, and a row for each that did not."""

    tables: Mapping[str, DeviceTables]
    failures: tuple[DeviceRow, ...]


def read_tables(
    nornir: Nornir,
    intents: Mapping[str, DeviceIntent],
    gateway: Gateway,
    *,
    questions: Iterable[str] = QUESTIONS,
    running: bool = False,
    progress: Progress = silent,
) -> Readings:
    """Ask every host of Nornir these questions, and with `running` for its configuration. Nothing is written."""
    asked = tuple(questions)

    def read_one(task: Task) -> Result:
        intent = intents[task.host.name]
        timer = Timer()
        try:
            found: DeviceTables | DeviceRow = _read(intent, gateway, asked, progress, running=running)
        except WaiwangError as error:
            found = with_seconds(failure_row(intent, error), timer)
        progress(intent.hostname, "unchanged" if isinstance(found, DeviceTables) else found.result)
        return Result(task.host, result=found)

    tables: dict[str, DeviceTables] = {}
    failures: list[DeviceRow] = []
    for name, results in nornir.run(task=read_one, on_failed=True).items():
        found = results[0].result
        if isinstance(found, DeviceTables):
            tables[name] = found
        else:
            failures.append(found if isinstance(found, DeviceRow) else row_of_fault(intents[name], results))
    return Readings(tables, tuple(ordered(failures)))


def ask_tables(session: DeviceSession, intent: DeviceIntent, questions: Iterable[str], *, running: bool = False) -> DeviceTables:
    """Ask an open session. Raises DeviceError where an answer cannot be read, beside what the session raises."""
    answers = {question: session.show(question) for question in questions}
    text = mask_secrets(session.running()) if running else ""
    try:
        return parse_tables(intent.family, intent.hostname, session.address, answers, text)
    except ValueError as error:
        step = "Look at the device's release; the answers of FRR 8.4 are known."
        raise DeviceError(
            intent.hostname, "read its tables", expected=f"answers of family {intent.family}", found=str(error)[:200], next_step=step
        ) from None


def _read(
    intent: DeviceIntent, gateway: Gateway, questions: Iterable[str], progress: Progress, *, running: bool
) -> DeviceTables:
    progress(intent.hostname, "connecting")
    session = gateway.connect(intent, 0.0)
    try:
        progress(intent.hostname, "reading")
        return ask_tables(session, intent, questions, running=running)
    finally:
        session.close()
