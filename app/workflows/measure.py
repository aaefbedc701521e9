"""Active tests: reachability, rates, the supervised activation of reserved ports. Results are measurements, never verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address

from app.core.acceptance import LineStatus, Measurement
from app.core.device_probe import parse_probe
from app.core.intent import DeviceIntent
from app.core.inventory import Inventory, Line, Service
from app.core.ipplan import address_book
from app.core.ping import PingCount
from app.core.service_class import ServiceClass
from app.core.throughput import RateRequest, RateTester
from app.core.workspace import Workspace
from app.errors import DeviceError, ExitCode, worst
from app.workflows.hosts import Gateway

#: Sends probes from the centre: address → count, None where nothing could be sent.
PingFromCentre = Callable[[Sequence[IPv4Address], int], Mapping[IPv4Address, PingCount | None]]
Clock = Callable[[], datetime]
#: Lines below one device are loaded together up to this share of its uplink (design default).
LOAD_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class MeasureReport:
    """What was measured in one run."""

    measurements: tuple[Measurement, ...]

    @property
    def exit_code(self) -> ExitCode:
        """NOTHING_MEASURED when no test gave a value, DEVICE when the last test of some line and kind did not."""
        last = {(each.line_id, each.kind): each.value for each in self.measurements}
        if all(value is None for value in last.values()):
            return ExitCode.NOTHING_MEASURED
        return worst(ExitCode.DEVICE for value in last.values() if value is None)


@dataclass(frozen=True, slots=True)
class Ground:
    """What every active test stands on. `statuses` is what polling saw last: a line behind a dead one is not blamed.

    `simulated`: the network is played by a program, and every method says so.
    """

    workspace: Workspace
    intents: Mapping[str, DeviceIntent]
    statuses: Mapping[str, LineStatus]
    clock: Clock
    simulated: bool = False

    def method(self, words: str) -> str:
        """Return how something was measured, in words that evidence quotes."""
        return f"SIMULATION: {words}" if self.simulated else words

    @property
    def inventory(self) -> Inventory:
        return self.workspace.inventory

    def far_address(self, line: Line) -> IPv4Address:
        """Return the address of the far device that only the unit's own path leads to: its loopback."""
        return self.intents[line.z_device].contacts[0]

    def behind(self, line: Line) -> str | None:
        status = self.statuses.get(line.line_id)
        return status.sample.behind if status else None


def unmeasured(line_id: str, kind: str, at: datetime, unit: str, method: str, reason: str) -> Measurement:
    """Return a test that gave no value, with its reason: it proves nothing in either direction."""
    return Measurement(line_id, kind, at, None, unit, method, {"reason": reason})


# Reachability


def measure_reach(ground: Ground, lines: Sequence[Line], ping: PingFromCentre, gateway: Gateway, *, count: int) -> MeasureReport:
    """Probe every primary line's far device from the centre, and from that device every service that its unit must reach.

    What is reached is reached over the primary lines, so it says nothing of a backup.
    """
    wanted = [line for line in lines if line.role == "primary"]
    from_centre = _from_centre(ground, wanted, ping, count)
    with ThreadPoolExecutor(max(1, min(20, len(wanted)))) as pool:
        to_services = list(pool.map(lambda line: _to_services(ground, line, gateway, count), wanted))
    return MeasureReport((*from_centre, *to_services))


def _from_centre(ground: Ground, lines: Sequence[Line], ping: PingFromCentre, count: int) -> list[Measurement]:
    """Where the centre hears nobody at all, it is the centre that may be cut off: nothing is measured then."""
    addresses = {line.line_id: ground.far_address(line) for line in lines}
    counts = ping(tuple(dict.fromkeys(addresses.values())), count)
    at = ground.clock()
    method = ground.method(f"{count} ICMP echo requests from the centre to the far device's loopback")
    deaf = not any(each and each.received for each in counts.values())
    results = []
    for line in lines:
        seen = counts.get(addresses[line.line_id])
        behind = ground.behind(line)
        if deaf or seen is None or seen.loss_ratio is None:
            reason = "no probe could be sent" if seen is None or not seen.sent else "the centre heard no device at all"
            results.append(unmeasured(line.line_id, "reachable_from_centre", at, "ratio", method, reason))
        elif behind and not seen.received:
            results.append(unmeasured(line.line_id, "reachable_from_centre", at, "ratio", method, f"behind {behind}"))
        else:
            results.append(Measurement(line.line_id, "reachable_from_centre", at, seen.loss_ratio, "ratio", method, _counts(seen)))
            results += _times(line.line_id, seen, at, method)
    return results


def _times(line_id: str, seen: PingCount, at: datetime, method: str) -> Iterator[Measurement]:
    """Yield delay and jitter where echoes came back: what was lost has neither, and counts as loss."""
    for kind, words, value in (("delay", "mean round trip", seen.mean_ms), ("jitter", "mean difference of round trips", seen.jitter_ms)):
        if value is not None:
            yield Measurement(line_id, kind, at, value, "ms", f"{method}; {words}", _counts(seen))


def _to_services(ground: Ground, line: Line, gateway: Gateway, count: int) -> Measurement:
    """Ask the far device itself to probe each service; the worst loss counts."""
    kind, method = "reaches_services", ground.method(f"{count} ICMP echo requests sent by the far device itself")
    unit = ground.inventory.units[line.unit_id]
    wanted = [service for service in ground.inventory.services.values() if service.is_for(unit)]
    if not wanted:
        return unmeasured(line.line_id, kind, ground.clock(), "ratio", method, "no service of services.csv must be reached by this level")
    try:
        session = gateway.connect(ground.intents[line.z_device], 0.0)
        try:
            seen = {service.service_id: session.ping(service_address(ground.workspace, service), count) for service in wanted}
        finally:
            session.close()
    except DeviceError as error:
        return unmeasured(line.line_id, kind, ground.clock(), "ratio", method, str(error))
    losses = [each.loss_ratio for each in seen.values() if each is not None and each.loss_ratio is not None]
    detail = {name: _counts(each) if each else "no statistics" for name, each in seen.items()}
    if len(losses) < len(wanted):
        silent = ", ".join(name for name, each in seen.items() if each is None or each.loss_ratio is None)
        reason = f"the device gave no statistics of {silent}"
        return Measurement(line.line_id, kind, ground.clock(), None, "ratio", method, {**detail, "reason": reason})
    return Measurement(line.line_id, kind, ground.clock(), max(losses), "ratio", method, detail)


def service_address(workspace: Workspace, service: Service) -> IPv4Address:
    """Return where a service answers: the host address of its prefix."""
    return address_book(workspace.ledger).host(f"service:{service.service_id}").ip


def _counts(seen: PingCount) -> dict[str, object]:
    counts: dict[str, object] = {"sent": seen.sent, "received": seen.received, "mean_ms": seen.mean_ms}
    return counts if seen.jitter_ms is None else {**counts, "jitter_ms": seen.jitter_ms}


# The devices' own probes


def measure_probe(ground: Ground, lines: Sequence[Line], gateway: Gateway) -> MeasureReport:
    """Read what every far device's own probe of the centre found: NQA, IP SLA. It is second evidence beside the centre's own probes."""
    wanted = [line for line in lines if line.role == "primary"]
    with ThreadPoolExecutor(max(1, min(20, len(wanted)))) as pool:
        return MeasureReport(tuple(each for found in pool.map(lambda line: _own_probe(ground, line, gateway), wanted) for each in found))


def _own_probe(ground: Ground, line: Line, gateway: Gateway) -> list[Measurement]:
    intent, method = ground.intents[line.z_device], ground.method("the far device's own probe of the centre, read from its CLI")
    if intent.probe is None:
        return [unmeasured(line.line_id, "probe_loss", ground.clock(), "ratio", method, "the plan gives this device no probe")]
    try:
        session = gateway.connect(intent, 0.0)
        try:
            text = session.show("probe")
        finally:
            session.close()
    except DeviceError as error:
        return [unmeasured(line.line_id, "probe_loss", ground.clock(), "ratio", method, str(error))]
    seen, at = parse_probe(text), ground.clock()
    if seen is None or seen.loss_ratio is None:
        return [unmeasured(line.line_id, "probe_loss", at, "ratio", method, "the device tells of no finished test")]
    detail: dict[str, object] = {
        "target": str(intent.probe.target),
        "sent": seen.sent,
        "received": seen.received,
        "since": "the probe was scheduled; the round trip is the latest one's" if seen.latest_only else "the newest test began",
    }
    values = (("probe_loss", seen.loss_ratio, "ratio"), ("probe_delay", seen.mean_ms, "ms"), ("probe_jitter", seen.jitter_ms, "ms"))
    return [Measurement(line.line_id, kind, at, value, unit, method, detail) for kind, value, unit in values if value is not None]


# Rates


def measure_rate(ground: Ground, lines: Sequence[Line], tester: RateTester) -> MeasureReport:
    """Load the lines in both directions: first those at the centre, then those below, so that no line starves another.

    A line that gave no figure, or one below its criterion, is tested once more, alone; both tests stay as evidence and the
    later one counts.
    """
    classes = ground.workspace.order.classes
    measured: list[Measurement] = []
    for batch in rate_batches(ground.inventory, classes, lines):
        measured += _load_batch(ground, batch, tester, retest=False)
    poor = {each.line_id for each in measured if is_below(each, classes[ground.inventory.lines[each.line_id].service_class])}
    for line in lines:
        if line.line_id in poor:
            measured += _load_batch(ground, [line], tester, retest=True)
    return MeasureReport(tuple(measured))


def _load_batch(ground: Ground, batch: Sequence[Line], tester: RateTester, *, retest: bool) -> Iterator[Measurement]:
    outcomes = tester.measure([rate_request(ground, line) for line in batch])
    at = ground.clock()
    for line in batch:
        outcome = outcomes[line.line_id]
        detail = {**outcome.detail, "retest": True} if retest else outcome.detail
        for kind, kbps in (("rate_down", outcome.down_kbps), ("rate_up", outcome.up_kbps)):
            yield Measurement(line.line_id, kind, at, kbps, "kbps", outcome.method, detail)


def is_below(measured: Measurement, service_class: ServiceClass) -> bool:
    """Tell whether a rate was not measured or does not reach its criterion."""
    nominal = service_class.nominal_down_kbps if measured.kind == "rate_down" else service_class.nominal_up_kbps
    wanted = next((c.limit for c in service_class.criteria if c.kind == measured.kind and c.limit), 0.0)
    return measured.value is None or measured.value < wanted * nominal


def rate_request(ground: Ground, line: Line) -> RateRequest:
    """Return what loads a line: a primary one by the unit's own address, a backup end to end."""
    if line.role == "primary":
        return RateRequest(line.line_id, line.z_device, ground.far_address(line), line.service_class)
    far = address_book(ground.workspace.ledger).line_ends(line.line_id)[1].ip
    return RateRequest(line.line_id, line.z_device, far, line.service_class, near_device=line.a_device)


def rate_batches(inventory: Inventory, classes: Mapping[str, ServiceClass], lines: Iterable[Line]) -> list[list[Line]]:
    """Return lines in batches that may be loaded together: lines at the root first, then those below, backups last.

    Below the root, lines of one device are loaded together only as far as their nominal rates fit into `LOAD_SHARE` of its
    uplink, in either direction.
    """
    lines = tuple(lines)
    wanted = [line for line in lines if line.role == "primary"]
    uplinks = {line.z_device: classes[line.service_class] for line in inventory.lines.values() if line.role == "primary"}
    batches: list[list[Line]] = [[line for line in wanted if line.a_device not in uplinks]]
    loads: list[dict[str, tuple[float, float]]] = [{}]
    for line in (line for line in wanted if line.a_device in uplinks):
        limit, rate = uplinks[line.a_device], classes[line.service_class]
        for batch, load in zip(batches[1:], loads[1:], strict=True):
            down, up = (sum(pair) for pair in zip(load.get(line.a_device, (0, 0)), _rates(rate), strict=True))
            if down <= LOAD_SHARE * limit.nominal_down_kbps and up <= LOAD_SHARE * limit.nominal_up_kbps:
                batch.append(line)
                load[line.a_device] = (down, up)
                break
        else:
            batches.append([line])
            loads.append({line.a_device: _rates(rate)})
    return [batch for batch in (*batches, [line for line in lines if line.role != "primary"]) if batch]


def _rates(rate: ServiceClass) -> tuple[float, float]:
    return float(rate.nominal_down_kbps), float(rate.nominal_up_kbps)
