"""The environment, read once at a door and passed down as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """`root`: the workspace. `database_url`: SQLAlchemy's. `secrets_file`: YAML of name → value, outside git.

    `poll_interval_s`: from one poll cycle's start to the next. `known_hosts`: OpenSSH format, None accepts any key.
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


def read_settings(environ: Mapping[str, str], root: Path | None = None) -> Settings:
    """Build the settings from `WAIWANG_*` variables; `root` given on the command line goes first."""
    where = root or Path(environ.get("WAIWANG_ROOT", "."))
    secrets = environ.get("WAIWANG_SECRETS_FILE")
    known = environ.get("WAIWANG_KNOWN_HOSTS")
    return Settings(
        root=where,
        database_url=environ.get("WAIWANG_DATABASE_URL", f"sqlite:///{where / 'waiwang.db'}"),
        secrets_file=Path(secrets) if secrets else None,
        known_hosts=Path(known) if known else None,
        poll_interval_s=float(environ.get("WAIWANG_POLL_INTERVAL_S", "60")),
        snmp_port=int(environ.get("WAIWANG_SNMP_PORT", "161")),
        ssh_port=int(environ.get("WAIWANG_SSH_PORT", "22")),
        trap_listen=environ.get("WAIWANG_TRAP_LISTEN", "auto"),
    )
