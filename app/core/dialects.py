"""What each family is asked over a session, and how it says no: data alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.core.commands import Command, Question

#: What is configured in a VPN instance is shown by a question of its own, once for each.
VPN = "{vpn}"


@dataclass(frozen=True, slots=True)
class Trial:
    """How a change returns by itself unless it is confirmed: {seconds}, or {minutes} where the family counts so.

    `enter` opens configuration mode with the clock running; empty where `commit` starts it after the lines. `confirm` is typed in
    configuration mode where `commit` is set, else outside; `abandon` takes the change back at once.
    """

    confirm: str
    abandon: Command
    enter: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one family is asked, and how it says no. `refusal` is searched per line, `saved` in the answer to `save`.

    `save` empty means that the driver knows the questions that saving asks. `ping` takes an address and a count; one that
    knows no count (`endless`) is interrupted after `count` seconds. `questions`: what to ask for each of its tables
    (`app.core.device_tables.QUESTIONS`), without which a family cannot be read back, and for its own `probe` of the centre.
    `vpn_questions`: the same for what a VPN instance shows apart from the rest, asked once for each of them.
    `restart_ospf` takes a changed OSPF router id into use.
    `tables`: what shows ARP, LLDP neighbours and routes as text; a line with {vpn} is asked for every VPN instance.
    `commit` makes gathered lines live, on families that gather them; `discard` drops them.
    `leave` leaves a view, on families that take the lines of a view in no other.
    """

    running: str
    save: str
    saved: str
    refusal: str
    ping: str
    endless: bool = False
    questions: Mapping[str, str] = field(default_factory=dict)
    vpn_questions: Mapping[str, str] = field(default_factory=dict)
    restart_ospf: Command | None = None
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    commit: str = ""
    discard: str = ""
    leave: str = ""
    trial: Trial | None = None


_DISPLAY_VPN_ROUTES = f"display ip routing-table vpn-instance {VPN}"

_VRP_TABLES = {
    "arp": ("display arp all",),
    "lldp": ("display lldp neighbor brief",),
    "routes": ("display ip routing-table", _DISPLAY_VPN_ROUTES),
}

_VRP_QUESTIONS = {
    "probe": "display nqa results test-instance waiwang centre",
    "addresses": "display ip interface",
    "routes": "display ip routing-table",
    "neighbours": "display arp all",
    "adjacencies": "display ospf peer",
    "router_id": "display ospf peer",
    "vpns": "display ip vpn-instance interface",
}

#: Unverified: the words of VRP's question; any that end so are answered.
_VRP_RESTART = Command("reset ospf process", questions=(Question(r"/\[Y.N\]:?/", "Y", is_regexp=True),))

#: VRP5 as AR routers and S switches speak it: refusals begin with `Error:`, what is only told begins with `Info:` or `Warning:`.
VRP5 = Dialect(
    running="display current-configuration",
    save="",
    saved=r"saved successfully|Save the configuration successfully",
    refusal=r"^\s*Error: .*$",
    ping="ping -c {count} {address}",
    questions=_VRP_QUESTIONS,
    vpn_questions={"routes": _DISPLAY_VPN_ROUTES},
    restart_ospf=_VRP_RESTART,
    tables=_VRP_TABLES,
    leave="quit",
)

#: VRP8 as NE routers speak it: lines gather in a candidate until `commit`; `commit trial` returns by itself.
VRP8 = replace(
    VRP5,
    commit="commit",
    discard="clear configuration candidate",
    trial=Trial(
        commit="commit trial {seconds}",
        confirm="commit",
        abandon=Command("abort trial", questions=(Question("Continue? [Y/N]:", "Y"),)),
    ),
)

#: Comware 7 on routers and switches.
COMWARE7 = Dialect(
    running="display current-configuration",
    save="save force",
    saved=r"[Ss]aved the current configuration",
    refusal=r"^ ?% .*$",
    ping="ping -c {count} {address}",
    questions={**_VRP_QUESTIONS, "probe": "display nqa result waiwang centre", "vpns": "display ip vpn-instance"},
    vpn_questions={"ports": f"display ip vpn-instance instance-name {VPN}", "routes": _DISPLAY_VPN_ROUTES},
    restart_ospf=_VRP_RESTART,
    tables={
        "arp": ("display arp all",),
        "lldp": ("display lldp neighbor-information list",),
        "routes": ("display ip routing-table", _DISPLAY_VPN_ROUTES),
    },
    leave="quit",
)

#: FRR 8.4's vtysh. It has no LLDP: a daemon of its host would.
FRR = Dialect(
    running="show running-config",
    save="write memory",
    saved=r"\[OK\]",
    refusal=r"^(?:% .*|Must remove .*|Error (?:type|description): .*|.*[Cc]onfiguration failed.*)$",
    ping="ping {address}",
    endless=True,
    questions={
        "addresses": "show interface vrf all json",
        "routes": "show ip route json",
        "neighbours": "show ip neigh",
        "adjacencies": "show ip ospf neighbor json",
        "router_id": "show ip ospf json",
        "vpns": "show vrf",
    },
    vpn_questions={"routes": f"show ip route vrf {VPN} json"},
    restart_ospf=Command("clear ip ospf process"),
    tables={"arp": ("show ip neigh",), "routes": ("show ip route", f"show ip route vrf {VPN}")},
)

#: IOS 15. Its revert timer wants an archive (`archive`, `path`) to return from.
IOS = Dialect(
    running="show running-config",
    save="write memory",
    saved=r"\[OK\]",
    refusal=r"^(?:% (?!Warning|Interface .*removed due to).*|Must delete secondary before deleting primary.*)$",
    ping="ping {address} repeat {count}",
    questions={
        "probe": "show ip sla statistics 1",
        "addresses": "show ip interface",
        "routes": "show ip route",
        "neighbours": "show ip arp",
        "adjacencies": "show ip ospf neighbor",
        "router_id": "show ip ospf",
        "vpns": "show ip vrf",
    },
    vpn_questions={"routes": f"show ip route vrf {VPN}", "neighbours": f"show ip arp vrf {VPN}"},
    restart_ospf=Command("clear ip ospf process", questions=(Question(r"/Reset ALL OSPF processes\? \[no\]:/", "yes", is_regexp=True),)),
    tables={
        "arp": ("show ip arp", f"show ip arp vrf {VPN}"),
        "lldp": ("show lldp neighbors",),
        "routes": ("show ip route", f"show ip route vrf {VPN}"),
    },
    trial=Trial(
        enter="configure terminal revert timer {minutes}",
        confirm="configure confirm",
        abandon=Command("configure revert now"),
    ),
)

#: Families that may be spoken to. A family without a dialect is refused, never guessed.
DIALECTS: Mapping[str, Dialect] = {
    "frr": FRR,
    "huawei_ar": VRP5,
    "huawei_s": VRP5,
    "huawei_ne": VRP8,
    "h3c_msr": COMWARE7,
    "h3c_s": COMWARE7,
    "cisco_ios": IOS,
}


def can_revert(family: str) -> bool:
    """Tell whether the family's devices can take a change back by themselves."""
    dialect = DIALECTS.get(family)
    return dialect is not None and dialect.trial is not None


def find_question(said: str) -> str:
    """Return a line that a device has not ended, where it looks like a question; empty for a prompt, an echo, or silence."""
    line = said.strip()
    return line if line.endswith(("?", ":", "]", ")")) and " " in line else ""
