"""The environment, read once at a door and passed down as values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from app.errors import Finding, InputError

#: The shortest poll interval, seconds: agents answer their port tables from a cache of some seconds.
SHORTEST_INTERVAL_S = 1.0
#: How long single samples are kept, days: a trial and its contest are over by then (design default).
KEEP_SAMPLES_DAYS = 35
#: A century: whoever means for ever says 0.
LONGEST_DAYS = 36_500
#: How long a session of the page may go unused, minutes, and a password stand, days (design defaults).
IDLE_MINUTES, PASSWORD_DAYS = 30, 90
LONGEST_MINUTES = 24 * 60
#: The proxies that are believed unless others are named: one on this machine.
LOCAL_PROXY = "127.0.0.1"
_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*")
OPEN_READING = ("auto", "yes", "no")
HOST_KEYS = ("known", "first")


@dataclass(frozen=True, slots=True)
class Settings:
    """`root`: the workspace. `database_url`: SQLAlchemy's. `secrets_file`: YAML of name → value, outside git.

    `poll_interval_s`: from one poll cycle's start to the next. `keep_samples_days`: how long `serve` keeps single samples that
    no decision rests on, 0 for ever. `known_hosts`: OpenSSH format; None reaches devices on loopback and in the lab alone.
    `host_keys`: `known` refuses a device whose key is not in `known_hosts`, `first` takes its key into it at first contact.
    `endpoints_file`: where simulated devices listen, None on a real network. `simulation`: the control socket of that
    simulation, which active tests ask instead of a network.
    `open_reading`: whether page and API may be read without sign-in: `yes`, `no`, or `auto` (on loopback addresses only).
    `hosts`: names that the server is called by, beside addresses and localhost. `proxies`: addresses and prefixes of the proxies
    whose word on a visitor's address and on TLS is believed. `idle`: how long a session may go unused, `password_life`: how long a
    password stands; None for ever.
    `alertmanager_url`: whom change windows tell to be silent, None where there is no Alertmanager.
    `trap_listen`: where SNMP notifications are received: `address:port`, `auto` (where the plan sends them), or `off`.
    """

    root: Path
    database_url: str
    secrets_file: Path | None
    known_hosts: Path | None
    poll_interval_s: float
    snmp_port: int
    ssh_port: int
    trap_listen: str = "auto"
    endpoints_file: Path | None = None
    simulation: Path | None = None
    open_reading: str = "auto"
    alertmanager_url: str | None = None
    keep_samples_days: int = KEEP_SAMPLES_DAYS
    hosts: frozenset[str] = frozenset()
    proxies: tuple[str, ...] = (LOCAL_PROXY,)
    host_keys: str = HOST_KEYS[0]
    idle: timedelta | None = timedelta(minutes=IDLE_MINUTES)
    password_life: timedelta | None = timedelta(days=PASSWORD_DAYS)


def read_settings(environ: Mapping[str, str], root: Path | None = None) -> Settings:
    """Build the settings from `WAIWANG_*` variables; `root` given on the command line goes first. An empty variable is not set.

    Raises:
        InputError: with every variable that holds no value of its kind.
    """
    given = {name: value for name, value in environ.items() if value}
    findings: list[Finding] = []
    where = root or Path(given.get("WAIWANG_ROOT", "."))
    secrets = given.get("WAIWANG_SECRETS_FILE")
    known = given.get("WAIWANG_KNOWN_HOSTS")
    endpoints = given.get("WAIWANG_ENDPOINTS")
    simulation = given.get("WAIWANG_SIMULATION")
    settings = Settings(
        root=where,
        database_url=given.get("WAIWANG_DATABASE_URL", f"sqlite:///{where / 'waiwang.db'}"),
        secrets_file=Path(secrets) if secrets else None,
        known_hosts=Path(known) if known else None,
        poll_interval_s=_interval(given, "WAIWANG_POLL_INTERVAL_S", 60.0, findings),
        keep_samples_days=_whole(given, "WAIWANG_KEEP_SAMPLES_DAYS", KEEP_SAMPLES_DAYS, LONGEST_DAYS, "days", findings),
        snmp_port=_port(given, "WAIWANG_SNMP_PORT", 161, findings),
        ssh_port=_port(given, "WAIWANG_SSH_PORT", 22, findings),
        trap_listen=given.get("WAIWANG_TRAP_LISTEN", "auto"),
        endpoints_file=Path(endpoints) if endpoints else None,
        simulation=Path(simulation) if simulation else None,
        open_reading=_choice(given, "WAIWANG_OPEN_READING", OPEN_READING, findings),
        host_keys=_choice(given, "WAIWANG_HOST_KEYS", HOST_KEYS, findings),
        hosts=_hosts(given, "WAIWANG_HOSTS", findings),
        proxies=_proxies(given, "WAIWANG_PROXIES", findings),
        idle=timedelta(minutes=_whole(given, "WAIWANG_IDLE_MINUTES", IDLE_MINUTES, LONGEST_MINUTES, "minutes", findings)) or None,
        password_life=timedelta(days=_whole(given, "WAIWANG_PASSWORD_DAYS", PASSWORD_DAYS, LONGEST_DAYS, "days", findings)) or None,
        alertmanager_url=_web_address(given, "WAIWANG_ALERTMANAGER_URL", findings),
    )
    if settings.host_keys == "first" and known is None:
        findings.append(_finding("WAIWANG_HOST_KEYS", "WAIWANG_KNOWN_HOSTS beside it, the file that keys are taken into", "none"))
    if findings:
        raise InputError(findings)
    return settings


def _choice(given: Mapping[str, str], name: str, choices: tuple[str, ...], findings: list[Finding]) -> str:
    """Return the variable's value, the first of the choices where it is not set."""
    text = given.get(name, choices[0])
    if text in choices:
        return text
    findings.append(_finding(name, " or ".join(choices), text))
    return choices[0]


def _port(given: Mapping[str, str], name: str, default: int, findings: list[Finding]) -> int:
    text = given.get(name, str(default))
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    findings.append(_finding(name, "a port, 1 to 65535", text))
    return default


def _whole(given: Mapping[str, str], name: str, default: int, longest: int, unit: str, findings: list[Finding]) -> int:
    text = given.get(name, str(default))
    if text.isascii() and text.isdigit() and int(text) <= longest:
        return int(text)
    findings.append(_finding(name, f"a number of {unit}, 0 (for ever) to {longest}", text))
    return default


def _interval(given: Mapping[str, str], name: str, default: float, findings: list[Finding]) -> float:
    text = given.get(name, str(default))
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if SHORTEST_INTERVAL_S <= seconds < math.inf:
        return seconds
    findings.append(_finding(name, f"a number of seconds, {SHORTEST_INTERVAL_S:g} or more", text))
    return default


def _web_address(given: Mapping[str, str], name: str, findings: list[Finding]) -> str | None:
    text = given.get(name)
    if text is None:
        return None
    parts = urlsplit(text)
    if parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment and "@" not in parts.netloc:
        return text.rstrip("/")
    found = "an address with a password in it" if "@" in parts.netloc else text
    findings.append(_finding(name, "an address such as http://127.0.0.1:9093, without a password", found))
    return None


def _hosts(given: Mapping[str, str], name: str, findings: list[Finding]) -> frozenset[str]:
    words = [word.strip().lower().rstrip(".") for word in given.get(name, "").split(",") if word.strip()]
    for word in words:
        if _HOST_NAME.fullmatch(word) is None:
            findings.append(_finding(name, "names such as ww.example.gov.cn, with commas between, without ports", word))
    return frozenset(words)


def _proxies(given: Mapping[str, str], name: str, findings: list[Finding]) -> tuple[str, ...]:
    words = [word.strip() for word in given.get(name, LOCAL_PROXY).split(",") if word.strip()]
    if words == ["none"]:
        return ()
    for word in words:
        try:
            ip_network(word)
        except ValueError:
            findings.append(_finding(name, "addresses or prefixes such as 127.0.0.1 or 192.0.2.0/28, with commas between, or none", word))
    return tuple(words)


def _finding(name: str, expected: str, found: str) -> Finding:
    return Finding(name, "environment variable", expected, found, "Correct it, or unset it to take the default.")
