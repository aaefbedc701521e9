"""Ask devices what they are, and keep what has changed: a device that was exchanged is seen, and evidence names it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from app.core.identity import (
    ENTITY_CLASS,
    ENTITY_MODEL,
    ENTITY_SERIAL,
    SYS_DESCR,
    DeviceIdentity,
    build_identity,
    chassis_of,
)
from app.core.intent import DeviceIntent
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.guard import guard_all
from app.edge.secrets import read_secrets
from app.edge.snmp.agent import Agent
from app.edge.snmp.session import Target
from app.errors import DeviceError, ExitCode, WaiwangError
from app.settings import Settings
from app.workflows.diff import refuse_illustration
from app.workflows.endpoints import Endpoint, snmp_endpoint
from app.workflows.poll import Guard, usm_credentials

#: Devices asked at the same time: this is in no hurry.
AT_ONCE = 20
#: From one round of `serve` to the next.
EVERY = timedelta(days=1)


class IdentityAgent(Protocol):
    """What is asked of a device; `app.edge.snmp.Agent` is the real one. Both questions raise DeviceError."""

    async def fetch(self, oids: Sequence[str]) -> Mapping[str, object]: ...
    async def walk(self, root: str) -> Mapping[str, object]: ...
    def close(self) -> None: ...


OpenAgent = Callable[[str], IdentityAgent]


@dataclass(frozen=True, slots=True)
class IdentityReport:
    """What devices said, those of whom it was new, and who did not answer and why."""

    said: tuple[DeviceIdentity, ...]
    changed: frozenset[str]
    failed: Mapping[str, str]

    @property
    def exit_code(self) -> ExitCode:
        if not self.said:
            return ExitCode.NOTHING_MEASURED
        return ExitCode.DEVICE if self.failed else ExitCode.OK


def agent_opener(
    workspace: Workspace,
    intents: Mapping[str, DeviceIntent],
    settings: Settings,
    environ: Mapping[str, str],
    *,
    endpoint: Endpoint | None = None,
    guard: Guard = guard_all,
) -> OpenAgent:
    """Return what opens a session to a device's agent; each address passes the guard first.

    Raises:
        InputError: the plan is an illustration, or a secret is missing.
    """
    refuse_illustration("identify", illustration=workspace.plan.illustration)
    credentials, where = usm_credentials(read_secrets(settings.secrets_file, environ)), endpoint or snmp_endpoint(settings)

    def open_agent(device: str) -> IdentityAgent:
        address, port = where(intents[device].contacts[0])
        guard([address], illustration=workspace.plan.illustration)
        return Agent(Target(device, str(address), port), credentials(intents[device].management))

    return open_agent


async def identify(store: Store, devices: Sequence[str], open_agent: OpenAgent, clock: Callable[[], datetime]) -> IdentityReport:
    """Ask these devices, and append what differs from what each said last."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def ask(device: str) -> DeviceIdentity | DeviceError:
        async with turn:
            return await read_identity(device, open_agent, clock)

    answers = dict(zip(devices, await asyncio.gather(*map(ask, devices)), strict=True))
    said = tuple(answer for answer in answers.values() if isinstance(answer, DeviceIdentity))
    failed = {device: str(answer) for device, answer in answers.items() if isinstance(answer, DeviceError)}
    known = await asyncio.to_thread(store.device_identities)
    new = [each for each in said if not (last := known.get(each.device)) or not each.says_the_same_as(last[-1])]
    await asyncio.to_thread(store.write_device_identities, new)
    return IdentityReport(said, frozenset(each.device for each in new), failed)


async def read_identity(device: str, open_agent: OpenAgent, clock: Callable[[], datetime]) -> DeviceIdentity | DeviceError:
    """Ask one device; an agent without ENTITY-MIB tells its description alone."""
    try:
        agent = open_agent(device)
    except DeviceError as error:
        return error
    try:
        chassis = chassis_of(await agent.walk(ENTITY_CLASS))
        columns = [f"{column}.{index}" for index in chassis for column in (ENTITY_SERIAL, ENTITY_MODEL)]
        return build_identity(device, clock(), chassis, await agent.fetch([SYS_DESCR, *columns]))
    except DeviceError as error:
        return error
    finally:
        agent.close()


async def identify_forever(
    store: Store,
    devices: Sequence[str],
    open_agent: OpenAgent,
    clock: Callable[[], datetime],
    stop: asyncio.Event,
    report_failure: Callable[[Exception], None],
) -> None:
    """Ask every day until told to stop; a round that fails is told, and the next one comes all the same."""
    while not stop.is_set():
        round_of = asyncio.create_task(identify(store, devices, open_agent, clock))
        ending = asyncio.create_task(stop.wait())
        await asyncio.wait([round_of, ending], return_when=asyncio.FIRST_COMPLETED)
        if not round_of.done():
            round_of.cancel()
            return
        try:
            round_of.result()
        except WaiwangError as error:
            report_failure(error)
        await asyncio.wait([ending], timeout=EVERY.total_seconds())
        ending.cancel()
