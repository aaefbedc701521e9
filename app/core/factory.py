"""What devices show from the factory on: no plan names it, no patch takes it away, and no comparison calls it a difference. Pure.

Devices refuse to lose most of it (`default` schemes, built-in zones, the console), and a refused line ends a deployment. A row counts
only where the other side has none of its own: what a plan does say of such a section is compared. Accounts are never of the factory's:
one that stands from the first boot is extra, and goes. Seen in public configurations (AR V200R003, S V200R, Comware 7 MSR and S, IOS
15); what an image adds beyond these, the first `waiwang diff` of a device shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

#: Patterns of a row, or of a section and of rows within it; each matches a whole row.
Patterns = Mapping[str, tuple[str, ...]]

#: Sections that a plan fills too: they are the factory's while they are empty.
IF_EMPTY = (r"domain (?:system|default(?:[01]|_admin)?)",)
_VRP_AAA = (r"(?:authentication|authorization|accounting|local-aaa-server)-scheme default[01]?",)
_VRP_TOP = (
    r"drop illegal-mac alarm",
    r"drop-profile default",
    r"diffserv domain default",
    r"set cpu-usage threshold \d+ restore \d+",
    r"user-interface con 0",
    r"user-interface vty 16 20",
    r"interface NULL0",
)
_AR_TOP = (
    r"portal local-server load \S+",
    r"wlan ac(?:-global carrier id other ac id 0)?",
    r"firewall zone Local",
    r"board add \S+ \S+",
    r"pki realm default",
    r"ssl policy default_policy type server",
)
_COMWARE_TOP = (
    r"version \S+, .*",
    r"system-working-mode \S+",
    r"xbar load-single",
    r"password-recovery enable",
    r"lpu-type \S+",
    r"scheduler logfile size \d+",
    r"irf (?:mac-address persistent \S+|auto-update enable|link-delay \d+|member 1 priority 1)|undo irf link-delay",
    r"vlan 1",
    r"interface NULL0",
    r"line class \S+",
    r"line (?:aux|con|console|tty|usb) .*",
    r"domain default enable system",
    r"role name level-\d+",
    r"user-group system",
)
_COMWARE_WITHIN = {
    r"line vty 0 63": (r"user-role network-operator",),
    r"interface \S+": (r"combo enable (?:copper|fiber|auto)",),
}
_IOS_TOP = (
    r"service timestamps (?:debug|log) datetime msec",
    r"service (?:call-home|config)|no service pad",
    r"boot-(?:start|end)-marker",
    r"no aaa new-model",
    r"ip cef",
    r"no ipv6 cef",
    r"multilink bundle-name authenticated",
    r"license udi pid .*",
    r"redundancy",
    r"ip forward-protocol nd",
    r"control-plane",
    r"line (?:con 0|aux 0|\d+)",
    r"scheduler allocate \d+ \d+",
    r"mgcp .*",
    r"memory-size iomem \d+",
    r"interface Embedded-Service-Engine\S+",
)
_IOS_WITHIN = {r"interface \S+": (r"duplex auto", r"speed auto", r"no ip address", r"media-type \S+")}

#: By family: rows of the top, and rows within sections.
FACTORY: Mapping[str, tuple[tuple[str, ...], Patterns]] = {
    "huawei_ar": (_VRP_TOP + _AR_TOP, {r"aaa": _VRP_AAA}),
    "huawei_s": ((*_VRP_TOP, r"cluster enable", r"nt?dp enable", r"ntdp hop \d+"), {r"aaa": _VRP_AAA}),
    "huawei_ne": ((*_VRP_TOP, r"slot \d+"), {r"aaa": _VRP_AAA}),
    "h3c_msr": (_COMWARE_TOP, _COMWARE_WITHIN),
    "h3c_s": (_COMWARE_TOP, _COMWARE_WITHIN),
    "cisco_ios": (_IOS_TOP, _IOS_WITHIN),
}

#: A port that a plan says nothing of may stay shut: taking its lines away must not open it (SR-8).
LEFT_SHUT = (r"shutdown",)


def without_factory(family: str, tree: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tree without the factory's rows, but for those that the other side has too."""
    if family not in FACTORY:
        return dict(tree)
    top, within = FACTORY[family]
    kept = _own(tree, beside, top)
    for row, lines in kept.items():
        patterns = tuple(pattern for head, held in within.items() if re.fullmatch(head, row) for pattern in held)
        if row.startswith("interface ") and row not in beside:
            patterns += LEFT_SHUT
        if patterns:
            kept[row] = _own(lines, beside.get(row) or {}, patterns)
    return kept


def _own(rows: Mapping[str, Any], beside: Mapping[str, Any], patterns: tuple[str, ...]) -> dict[str, Any]:
    """Return the rows that the other side has too, or that are none of the factory's."""
    return {row: lines for row, lines in rows.items() if row in beside or not _is_factorys(row, lines, patterns)}


def _is_factorys(row: str, lines: Mapping[str, Any], patterns: tuple[str, ...]) -> bool:
    known = patterns if lines else (*patterns, *IF_EMPTY)
    return bool(known) and _any_of(known).fullmatch(row.strip()) is not None


@lru_cache(maxsize=64)
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
