"""Rows of the IPv6 ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from ipaddress import IPv6Network

LEDGER6_FILE = "ipplan/allocations6.csv"
#: Length of each role's prefixes. Sources: province, city, county, unit as DB32/T 4617.4 is summarised (low reliability),
#: /127 for links (RFC 6164); the rest is a design default.
LENGTHS = {"infrastructure": 48, "region": 48, "unit": 56, "link": 127, "loopback": 128, "service": 64}
CITY_LENGTH = 40
#: Length of the block of a VPN instance (design default: that of a region).
VPN_LENGTH = 48
#: Length of the one subnet that a unit's LAN takes of its /56.
LAN_LENGTH = 64
#: Who holds the part of the city's block that routers' own addresses are cut from.
INFRASTRUCTURE = "network:infrastructure"


@dataclass(frozen=True, slots=True)
class Allocation6:
    """Who holds which IPv6 prefix since when.

    `holder` is `network:infrastructure`, `region:CODE`, `unit:ID`, `line:ID` or `device:NAME`; in a VPN instance `service:ID` or
    `vpn:LINE/VPN`.
    """

    prefix: IPv6Network
    vrf: str
    role: str
    holder: str
    since: date
    released_on: date | None = None
    where: str = ""
