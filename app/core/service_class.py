"""The kinds of line that the order names, and the criteria that a line of each must stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

from app.core.source import OURS, Source

CriterionKind = Literal[
    "reachable_from_centre",
    "reaches_services",
    "ports_up",
    "input_errors",
    "trial",
    "rate_down",
    "rate_up",
    "reserved_port",
    "delay",
    "jitter",
    "step_loss",
    "port_speed",
    "duplex",
    "rx_power",
    "sync_rate_down",
    "sync_rate_up",
    "snr_margin",
    "attenuation",
]
CRITERIA: tuple[CriterionKind, ...] = get_args(CriterionKind)
#: Criteria that only one medium can be judged by, and those that one medium has no sense for: an ADSL line's ends are no Ethernet ports.
ONLY_ON: Mapping[str, str] = {
    "rx_power": "fibre",
    "sync_rate_down": "adsl",
    "sync_rate_up": "adsl",
    "snr_margin": "adsl",
    "attenuation": "adsl",
}
NOT_ON: Mapping[str, str] = {"port_speed": "adsl", "duplex": "adsl"}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One test that a line of a class must stand.

    `limit` by kind: reachable_from_centre, reaches_services: largest loss ratio 0..1; input_errors: largest
    count in the trial window; trial: smallest share of time up 0..1; rate_down, rate_up: smallest share of the
    nominal rate 0..1; delay, jitter: largest ms, round trip; step_loss: largest loss ratio 0..1 up to the nominal rate;
    port_speed: smallest Mbit/s; rx_power: smallest dBm; sync_rate_down, sync_rate_up: smallest share of the nominal rate 0..1;
    snr_margin: smallest dB; attenuation: largest dB; ports_up, reserved_port, duplex: unused (None). `window` and
    `restart_after` belong to trial: how long, and the outage that starts it anew; `coverage` is the smallest share of the
    window that must have been measured.
    """

    kind: str
    required: bool
    limit: float | None = None
    window: timedelta | None = None
    restart_after: timedelta | None = None
    coverage: float = 0.95
    source: Source = OURS


@dataclass(frozen=True, slots=True)
class ServiceClass:
    """A kind of line that the order names, with what devices are given and how it is accepted.

    `source` is where the kind itself comes from; `sources` says it for its parts: nominal, configured, permitted,
    access_methods, reserved_port.
    """

    class_id: str
    words: str
    words_en: str
    medium: str
    nominal_down_kbps: int
    nominal_up_kbps: int
    configured_down_kbps: int
    configured_up_kbps: int
    for_levels: tuple[str, ...]
    for_kinds: tuple[str, ...] = ()
    urban_needs_ruling: bool = False
    access_methods: tuple[str, ...] = ()
    reserved_port_mbps: int | None = None
    criteria: tuple[Criterion, ...] = ()
    source: Source = OURS
    sources: Mapping[str, Source] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class RefusedAccess:
    """Access methods that the order refuses for every line."""

    methods: tuple[str, ...]
    source: Source
