"""Go back: a device's earlier configurations, and one of them as the text that it shall run again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from app.core.commands import refer_secrets
from app.core.intent import DeviceIntent
from app.edge.database.decisions import Backup
from app.edge.database.store import Store
from app.edge.patch import count_changes, unified_diff
from app.errors import Finding, InputError


def find_backup(store: Store, device: str, backup_id: int | None) -> Backup:
    """Return one backup of a device, the newest when none is named.

    Raises:
        InputError: there is none, or none of this number.
    """
    kept = store.backups(device)
    found = next((backup for backup in kept if backup_id in (None, backup.backup_id)), None)
    if found is not None:
        return found
    numbers = ", ".join(str(backup.backup_id) for backup in kept)
    if not kept:
        step = "A backup is made by every waiwang deploy --commit that changes the device."
        raise InputError([Finding("database", f"backup of {device}", "one or more", "none", step)])
    expected = f"a number of waiwang history {device}, where there is {numbers}" if len(kept) == 1 else f"one of {numbers}"
    raise InputError([Finding("command line", f"no such backup of {device}", expected, str(backup_id), f"See waiwang history {device}.")])


def first_backups(store: Store, devices: Collection[str], since: datetime) -> dict[str, Backup]:
    """Return what each of the devices ran before its first change from `since` on; those that were not changed are left out.

    Raises:
        InputError: none of them was changed since.
    """
    first: dict[str, int] = {}
    for device, backup_id, _ in store.backup_times(since):
        if device in devices:
            first.setdefault(device, backup_id)
    if not first:
        step = "Name an earlier moment; waiwang history shows what was changed and when."
        found = f"none from {since.isoformat(sep=' ', timespec='seconds')} on"
        raise InputError([Finding("--since", f"backups of {len(devices)} devices", "one or more", found, step)])
    return {device: find_backup(store, device, backup_id) for device, backup_id in first.items()}


def find_unfinished(store: Store, devices: Collection[str]) -> list[tuple[str, datetime]]:
    """Return the devices that a run began to change and of which it never said what became of them, with the moment of their backup.

    A backup is kept right before the first line is typed, and a run writes a device's row as soon as it is final.
    """
    newest = {device: at for device, _, at in store.backup_times() if device in devices}
    if not newest:
        return []
    told: dict[str, datetime] = {}
    for entry in store.audit(min(newest.values())):
        for device in newest if entry.verb.startswith("renumber") else (entry.subject,):
            told[device] = entry.at
    return [(device, at) for device, at in newest.items() if told.get(device, datetime.min.replace(tzinfo=UTC)) < at]


def earlier_text(backup: Backup, intent: DeviceIntent, intended: str) -> str:
    """Return what the device ran then, with secrets as references to those of today: passwords are never rolled back."""
    return refer_secrets(intent.family, backup.text, intended)


def difference_to_intended(backup: Backup, intent: DeviceIntent, intended: str) -> str:
    """Return the unified diff from a backup to the intended text; empty when they say the same."""
    return unified_diff(intent.family, earlier_text(backup, intent, intended), intended, f"{backup.device} backup {backup.backup_id},")


def lines_from_intended(backup: Backup, intent: DeviceIntent, intended: str) -> int:
    """Return by how many lines a backup differs from the intended text."""
    return count_changes(difference_to_intended(backup, intent, intended))
