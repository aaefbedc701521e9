"""Where devices listen, by the settings: at their own addresses, or where a simulation plays them."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

from app.edge.endpoints import read_endpoints
from app.settings import Settings

#: Says where the device of a contact address really listens: address and port.
Endpoint = Callable[[IPv4Address], tuple[IPv4Address, int]]


def ssh_endpoint(settings: Settings) -> Endpoint:
    """Return where devices take SSH. Raises InputError where the file of endpoints cannot be used."""
    if settings.endpoints_file is None:
        return lambda contact: (contact, settings.ssh_port)
    return read_endpoints(settings.endpoints_file).ssh


def snmp_endpoint(settings: Settings) -> Endpoint:
    """Return where agents answer. Raises InputError where the file of endpoints cannot be used."""
    if settings.endpoints_file is None:
        return lambda contact: (contact, settings.snmp_port)
    return read_endpoints(settings.endpoints_file).snmp
