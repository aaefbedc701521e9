"""What is said of a notification that is dropped, and how often."""

from __future__ import annotations

from app.edge.traps.limits import SENDERS_KEPT

#: By result: what was expected, and the next step.
DROPS = {
    "unknown_sender": (
        "an address of a device in the inventory",
        "Add the device to inventory/devices.csv, or stop it from sending here.",
    ),
    "unknown_engine": (
        "an SNMPv3 engine that has answered a poll",
        "Let the device send informs, which need no engine known beforehand, or see whether it is polled.",
    ),
    "unknown_user": ("the plan's SNMP user", "Give the device the user of ipplan/plan.yaml: deploy it."),
    "wrong_key": ("the keys of the plan's SNMP user", "Compare the secrets snmp_auth and snmp_priv with the device's."),
    "wrong_community": ("the community in secret trap_community", "Compare it with the device's, or let it send SNMPv3."),
    "refused_version": ("SNMPv3", "Let the device send SNMPv3; to take v2c all the same, set the secret trap_community."),
    "malformed": ("an SNMP notification", "See what on that machine sends to this port."),
    "too_large": ("a datagram of at most 8192 octets", "See what on that machine sends to this port."),
    "flooded": ("no more datagrams than are looked at", "Its lines are polled on schedule; find out why it sends so many."),
}


class Drops:
    """Which drops to tell: the first of a sender and kind, then one in `again_s` seconds with the number of those between."""

    def __init__(self, again_s: float) -> None:
        self._again_s = again_s
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def note(self, sender: str, result: str, now: float) -> int | None:
        """Return how many were kept back since the last telling, None where this one is kept back too."""
        told_at, kept = self._told.get((sender, result), (float("-inf"), 0))
        if now - told_at < self._again_s:
            self._told[sender, result] = told_at, kept + 1
            return None
        if len(self._told) >= SENDERS_KEPT:
            self._told.clear()
        self._told[sender, result] = now, 0
        return kept


def dropped(sender: str, result: str, found: str, kept: int) -> str:
    """Return the line for a drop: where, what, expected against found, next step, and how many like it were not told."""
    expected, step = DROPS[result]
    more = f" ({kept} more like it since the last such line)" if kept else ""
    return f"{sender}: SNMP notification dropped: expected {expected}; found {found}{more}. {step}"
