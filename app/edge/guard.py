"""The safety rule: nothing of a lab leaves the machine, and nothing is ever sent to an illustration.

The kernel is asked for the route (RTM_GETROUTE, the question of `ip route get`); no packet is sent. An answer takes
some 30 µs and is not cached: a lab that goes down while a process lives would turn a remembered answer into a leak.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

from app.errors import UnsafeRoute

#: Numbers of lab and demo (RFC 2544) and of the network that boots containers.
LAB_PREFIXES = (IPv4Network("198.18.0.0/15"), IPv4Network("172.20.20.0/24"))
LOOPBACK = IPv4Network("127.0.0.0/8")
#: The lab writes this alias on every interface that it makes; containerlab's bridge has a fixed name instead.
LAB_ALIAS = "waiwang-lab"
LAB_BRIDGE = "br-waiwang-lab"

# linux/netlink.h, linux/rtnetlink.h, linux/if_link.h
_ERROR, _GETLINK, _GETROUTE = 2, 18, 26
_REQUEST = 1
_RTA_DST, _RTA_OIF, _IFLA_IFNAME, _IFLA_IFALIAS = 1, 4, 3, 20
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ROUTE = struct.Struct("=BBBBBBBBI")  # rtmsg
_LINK = struct.Struct("=BxHiII")  # ifinfomsg
_ATTRIBUTE = struct.Struct("=HH")  # length, type


def require_safe(address: IPv4Address | str, *, illustration: bool) -> None:
    """Return only when a packet to this address may be sent.

    `illustration`: the plan that the address comes from is marked so; none of its addresses is contacted.

    Raises:
        UnsafeRoute: the plan is an illustration, or the route to a lab address does not end in the lab.
    """
    guard_all((address,), illustration=illustration)


def guard_all(addresses: Iterable[IPv4Address | str], *, illustration: bool) -> None:
    """Judge many addresses before the first packet leaves; as `require_safe`, for the first that is not safe."""
    parsed = (address if isinstance(address, IPv4Address) else IPv4Address(address) for address in addresses)
    wanted = [address for address in parsed if address not in LOOPBACK]
    if illustration and wanted:
        raise _illustration(wanted[0])
    lab = [address for address in wanted if any(address in prefix for prefix in LAB_PREFIXES)]
    if lab:
        _require_lab_routes(lab)


def _require_lab_routes(addresses: Iterable[IPv4Address]) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        names: dict[int, tuple[str, str]] = {}
        for address in addresses:
            index = _route_interface(kernel, address)
            if index is None:
                raise _leaves_lab(address, "no route at all")
            if index not in names:
                names[index] = _interface(kernel, index)
            name, alias = names[index]
            if name not in ("lo", LAB_BRIDGE) and alias != LAB_ALIAS:
                raise _leaves_lab(address, f"a route through {name}, which is none of the lab's")


def _route_interface(kernel: socket.socket, address: IPv4Address) -> int | None:
    """Return the index of the interface that a packet to this address would leave by, None where there is no route."""
    body = _ROUTE.pack(socket.AF_INET, 32, 0, 0, 0, 0, 0, 0, 0) + _attribute(_RTA_DST, address.packed)
    answer = _ask(kernel, _GETROUTE, body)
    if answer is None:
        return None
    interface = dict(_attributes(answer, _ROUTE.size)).get(_RTA_OIF)
    return None if interface is None else int(struct.unpack("=I", interface)[0])


def _interface(kernel: socket.socket, index: int) -> tuple[str, str]:
    """Return name and alias of an interface, empty where it has just gone."""
    answer = _ask(kernel, _GETLINK, _LINK.pack(socket.AF_UNSPEC, 0, index, 0, 0))
    attributes = {} if answer is None else dict(_attributes(answer, _LINK.size))
    name, alias = (attributes.get(kind, b"").rstrip(b"\0").decode(errors="replace") for kind in (_IFLA_IFNAME, _IFLA_IFALIAS))
    return name, alias


def _ask(kernel: socket.socket, kind: int, body: bytes) -> bytes | None:
    """Put one question to rtnetlink; None where the kernel says that there is no such route or interface."""
    kernel.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST, 1, 0) + body)
    reply = kernel.recv(65536)
    length, answered, _flags, _sequence, _port = _HEADER.unpack_from(reply)
    if answered == _ERROR:
        code = -struct.unpack_from("=i", reply, _HEADER.size)[0]
        if code in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EINVAL, errno.ENODEV):
            return None
        raise OSError(code, os.strerror(code))
    return reply[_HEADER.size : length]


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value


def _attributes(body: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    while start + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, start)
        if length < _ATTRIBUTE.size:
            return
        yield kind, body[start + _ATTRIBUTE.size : start + length]
        start += (length + 3) & ~3


def _illustration(address: IPv4Address) -> UnsafeRoute:
    return UnsafeRoute(
        str(address),
        "contact with a device of an illustration",
        expected="a plan whose numbers were assigned to this network",
        found="ipplan/plan.yaml says illustration: true",
        next_step="Nothing was sent. Enter the assigned ranges in ipplan/plan.yaml, or choose the lab's workspace with --root.",
    )


def _leaves_lab(address: IPv4Address, found: str) -> UnsafeRoute:
    return UnsafeRoute(
        str(address),
        "contact with a lab address from outside the lab",
        expected=f"a route by an interface of the lab (alias {LAB_ALIAS}, or the bridge {LAB_BRIDGE})",
        found=found,
        next_step="Nothing was sent. Start the lab (waiwang lab up) and run the command inside it: waiwang lab exec noc -- waiwang …",
    )
