"""Read back what devices hold: addresses, routes, neighbours, adjacencies. One failing device is a row among the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from nornir.core import Nornir
from nornir.core.task import Result, Task

from app.core.commands import mask_secrets
from app.core.device_tables import QUESTIONS, VPNS, DeviceTables
from app.core.dialects import DIALECTS
from app.core.intent import DeviceIntent
from app.core.table_parsers import parse_tables, parse_vpns
from app.errors import DeviceError, WaiwangError
from app.workflows.diff import DeviceRow, Progress, Timer, failure_row, ordered, row_of_fault, silent, with_seconds
from app.workflows.hosts import DeviceSession, Gateway

#: Questions that only a device with OSPF has an answer to.
OF_OSPF = ("adjacencies", "router_id")
#: Questions whose answers tell VPN instances apart.
APART = frozenset(("addresses", "routes", "neighbours"))
#: Echo requests to each address that a device is told to ping.
PINGS = 3


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
    pings: Mapping[str, Sequence[IPv4Address]] | None = None,
    progress: Progress = silent,
) -> Readings:
    """Ask every host of Nornir these questions, and with `running` for its configuration. Nothing is written.

    `pings` are addresses that a device is told to ping, by its name.
    """
    asked = tuple(questions)

    def read_one(task: Task) -> Result:
        intent = intents[task.host.name]
        timer = Timer()
        try:
            wanted = (pings or {}).get(intent.hostname, ())
            found: DeviceTables | DeviceRow = _read(intent, gateway, asked, progress, running=running, pings=wanted)
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
    """Ask an open session, every VPN instance that the device has for its own.

    Raises DeviceError where an answer cannot be read, beside what the session raises.
    """
    asked = [question for question in questions if intent.ospf is not None or question not in OF_OSPF]
    answers: dict[str, str] = {}
    apart: dict[tuple[str, str], str] = {}
    try:
        if APART & set(asked) and (told := _vpns_of(session)) is not None:
            answers[VPNS] = told
            names = [vpn.name for vpn in parse_vpns(intent.family, told)]
            own = [name for name in DIALECTS[intent.family].vpn_questions if name == "ports" or name in asked]
            apart = {(name, vpn): session.show(name, vpn) for vpn in names for name in own}
        answers |= {question: session.show(question) for question in asked}
        text = mask_secrets(session.running()) if running else ""
        ports = [port.name for port in intent.interfaces]
        return parse_tables(intent.family, intent.hostname, session.address, answers, text, apart=apart, ports=ports)
    except ValueError as error:
        step = "Look at the device's release: the answers that are known are those of docs/families.md."
        raise DeviceError(
            intent.hostname, "read its tables", expected=f"answers of family {intent.family}", found=str(error)[:200], next_step=step
        ) from None


def _vpns_of(session: DeviceSession) -> str | None:
    """Return what the device says of its VPN instances; one that refuses the question (an access switch) has none.

    A session that was lost is noticed by the question after this.
    """
    try:
        return session.show(VPNS)
    except DeviceError:
        return None


def _read(
    intent: DeviceIntent,
    gateway: Gateway,
    questions: Iterable[str],
    progress: Progress,
    *,
    running: bool,
    pings: Sequence[IPv4Address],
) -> DeviceTables:
    progress(intent.hostname, "connecting")
    session = gateway.connect(intent, 0.0)
    try:
        progress(intent.hostname, "reading")
        tables = ask_tables(session, intent, questions, running=running)
        counts = {address: session.ping(address, PINGS) for address in pings}
        return replace(tables, answered=frozenset(address for address, count in counts.items() if count and count.received))
    finally:
        session.close()
