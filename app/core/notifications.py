"""SNMP notifications: what they are told apart by. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address

#: What became of a datagram that came to the receiver.
NOTIFICATION_RESULTS = (
    "accepted",  # a look follows
    "coalesced",  # a look at that device was due anyway
    "ignored",  # says nothing about a line
    "unknown_sender",  # authentic, and no device of the inventory
    "unknown_engine",  # a v3 trap whose engine was never polled
    "unknown_user",
    "wrong_key",
    "wrong_community",
    "refused_version",  # SNMPv1 or v2c, and no community is set
    "malformed",
    "too_large",
    "flooded",  # more than may be looked at
)
#: Notifications after which lines may stand differently: OIDs, or the beginnings of OIDs.
LINE_NOTIFICATIONS = (
    "1.3.6.1.6.3.1.1.5.1",  # coldStart
    "1.3.6.1.6.3.1.1.5.2",  # warmStart
    "1.3.6.1.6.3.1.1.5.3",  # linkDown
    "1.3.6.1.6.3.1.1.5.4",  # linkUp
    "1.3.6.1.2.1.14.16.2",  # OSPF-TRAP-MIB
    "1.3.6.1.2.1.15.7",  # BGP4-MIB
    "1.3.6.1.2.1.15.0",  # the same, RFC 4273
)
#: Enterprise number of the receiver's software (pysnmp, 20408) with the high bit set, then format 1: an IPv4 address (RFC 3411 §5).
_ENGINE_PREFIX = "80004fb801"


def receiver_engine_id(address: IPv4Address) -> str:
    """Return the receiver's SNMPv3 engine id, hexadecimal, from the address that devices send to.

    It follows from the plan alone: some families must be told it before they can send an inform.
    """
    return f"{_ENGINE_PREFIX}{int(address):08x}"


def concerns_lines(kind: str) -> bool:
    """Tell whether a notification of this OID (snmpTrapOID) may mean that a line stands differently."""
    return any(kind == each or kind.startswith(f"{each}.") for each in LINE_NOTIFICATIONS)
