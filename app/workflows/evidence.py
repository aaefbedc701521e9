"""Gather everything that a decision on a line rests on, and pack it so that nobody can change it unseen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path

from app.core.acceptance import PORT_PLACES, Acceptance, LineSample, PortSample
from app.core.canonical import as_json, canonical, sha256
from app.core.evidence import Part, build_pack
from app.core.identity import known_at
from app.core.inventory import Line
from app.core.roles import find_role_faults
from app.core.trail import AuditEntry
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.provenance import software, workspace_digests
from app.edge.signing import SigningKey
from app.errors import Finding, InputError
from app.workflows.accept import GAP_INTERVALS
from app.workflows.life import read_lives

PORT_COLUMNS = tuple(field.name for field in fields(PortSample))
#: Audit entries of this verb and subject say how the poller's clock was kept when decisions were recorded.
CLOCK_VERB, POLLER = "clock", "poller"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who makes a pack, when, and how the clock was kept at that moment. `by` is a role."""

    by: str
    made_at: datetime
    clock: Mapping[str, object]
    poll_interval_s: float


def export_evidence(workspace: Workspace, store: Store, root: Path, line_id: str, key: SigningKey, occasion: Occasion) -> bytes:
    """Return the pack over a line's newest decision.

    Raises:
        InputError: nothing was decided on the line, or whoever exports is no role.
    """
    faults = find_role_faults(f"line {line_id}", occasion.by)
    decisions = store.acceptance_history(line_id)
    if not decisions:
        step = f"Run waiwang accept {line_id} --commit first."
        faults.append(Finding(f"line {line_id}", "nothing to prove", "a recorded decision", "none", step))
    if faults:
        raise InputError(faults)
    parts = [*_frame(workspace, root, line_id, occasion), *_findings(workspace, store, line_id, decisions[-1], occasion)]
    return build_pack(parts, key.public, key.sign)


def _frame(workspace: Workspace, root: Path, line_id: str, occasion: Occasion) -> Iterator[Part]:
    """Yield what the decision was judged by: order, rules, line, software."""
    order, line = workspace.order, workspace.inventory.lines[line_id]
    unit = workspace.inventory.units[line.unit_id]
    made = {"made_at": occasion.made_at.isoformat(), "made_by": occasion.by}
    yield Part("pack", {"line_id": line_id, **made, "timezone": order.timezone.key})
    yield Part("software", software())
    simulation = None if order.simulation is None else plain(asdict(order.simulation))
    yield Part(
        "order",
        {
            "number": order.number,
            "title": order.title,
            "issuer": order.issuer,
            "issued_on": order.issued_on.isoformat(),
            "sha256": sha256(canonical(plain(order))),
            "simulation": simulation,
            "files": workspace_digests(root),
        },
    )
    yield Part("rules", plain(order.classes[line.service_class]))
    yield Part("line", {**plain_mapping(line), "carrier_name": order.carriers.get(line.carrier)})
    yield Part("unit", plain_mapping(unit, leave=("contact_role",)))


def _findings(workspace: Workspace, store: Store, line_id: str, decision: Acceptance, occasion: Occasion) -> Iterator[Part]:
    """Yield what was observed, measured and decided."""
    line = workspace.inventory.lines[line_id]
    yield from _devices(workspace, store, line, decision.decided_at)
    yield Part("clock", {"at_export": dict(occasion.clock), "recorded": _clock_entries(store.audit(None, POLLER), decision.decided_at)})
    service_class = workspace.order.classes[line.service_class]
    gap = timedelta(seconds=occasion.poll_interval_s * GAP_INTERVALS)
    window = max((criterion.window for criterion in service_class.criteria if criterion.window), default=timedelta(0))
    yield from sample_parts(store.samples(line_id, decision.decided_at - window - gap, decision.decided_at))
    transitions = [each for each in store.transitions(line_id, None, decision.decided_at) if each.recorded_at <= decision.decided_at]
    yield Part("transitions", [plain(each) for each in transitions])
    for number, taken in enumerate(store.measurement_history(line_id)):
        if taken.at <= decision.decided_at:
            yield Part(f"measurement/{number}/{taken.kind}", plain(taken))
    yield Part("decision", {**plain_mapping(decision, leave=("results",)), "criteria": [each.kind for each in decision.results]})
    for result in decision.results:
        yield Part(f"verdict/{result.kind}", plain(result))
    [life] = read_lives(store, [line_id])
    yield Part("life", plain(life))
    yield Part("confirmations", [plain(word) for word in store.confirmations(line_id)])


def _devices(workspace: Workspace, store: Store, line: Line, decided_at: datetime) -> Iterator[Part]:
    """Yield each end: what it is, what it calls itself, and the digest of its newest configuration before the decision."""
    states, ends = store.device_states(), (line.a_device, line.z_device)
    identities = store.device_identities(ends)
    for name in ends:
        device, state = workspace.inventory.devices[name], states.get(name)
        identity = known_at(identities.get(name, ()), decided_at)
        backup = next((each for each in store.backups(name) if each.at <= decided_at), None)
        yield Part(
            f"device/{name}",
            {
                "vendor": device.vendor,
                "model": device.model,
                "family": device.family,
                "sys_name": state.sys_name if state else None,
                "seen_at": state.at.isoformat() if state else None,
                "uptime_ticks": state.uptime_ticks if state else None,
                "sys_descr": identity.sys_descr if identity else None,
                "serial": identity.serial if identity else None,
                "model_told": identity.model if identity else None,
                "identity_read_at": identity.at.isoformat() if identity else None,
                "not_told": list(identity.not_told) if identity else "never asked: waiwang identify",
            },
        )
        configuration = None if backup is None else {"digest": backup.digest, "at": backup.at.isoformat()}
        yield Part(f"configuration/{name}", configuration)


def _clock_entries(entries: Iterable[AuditEntry], until: datetime) -> list[dict[str, object]]:
    return [{"at": entry.at.isoformat(), **entry.detail} for entry in entries if entry.verb == CLOCK_VERB and entry.at <= until]


def sample_parts(samples: Sequence[LineSample]) -> Iterator[Part]:
    """Yield the samples by the hour in UTC, so that a change is named to the hour; columns first, to spare room."""
    columns = ["at", "state", "reason", "behind", *PORT_PLACES]
    yield Part("samples", {"count": len(samples), "columns": columns, "port_columns": list(PORT_COLUMNS)})
    hours: dict[str, list[object]] = {}
    for sample in samples:
        ports = [plain(_cells(getattr(sample, place))) for place in PORT_PLACES]
        row = [sample.at.isoformat(), sample.state, sample.reason, sample.behind, *ports]
        hours.setdefault(f"{sample.at:%Y-%m-%dT%H}Z", []).append(row)
    for hour, rows in hours.items():
        yield Part(f"samples/{hour}", rows)


def _cells(port: PortSample | None) -> list[object] | None:
    return None if port is None else [getattr(port, name) for name in PORT_COLUMNS]


def plain_mapping(value: object, *, leave: Sequence[str] = ()) -> dict[str, object]:
    """Return a dataclass's fields as JSON, less those named and its place in a file."""
    names = [field.name for field in fields(value) if field.name not in ("where", *leave)]  # type: ignore[arg-type]  # callers give dataclasses
    return {name: plain(getattr(value, name)) for name in names}


def plain(value: object) -> object:
    """Return a value of `app.core` as JSON: moments and days in ISO form, spans in seconds, dataclasses as mappings."""
    if isinstance(value, bool | int | float | str) or value is None:
        return as_json(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    if hasattr(value, "__dataclass_fields__"):
        return plain_mapping(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
