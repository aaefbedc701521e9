"""The files that each node of the lab boots with, made from the same intents as the configurations.

What FRR does not carry (accounts, SNMP users, committed rates, who may ask) is set here from the intent. Addresses and
routing are not: a router boots with its bootstrap text only, the rest is deployed through the lines that are being built.
"""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from app.core.intent import DeviceIntent, InterfaceIntent, ManagementIntent
from lab.failure import lab_error

SECRET_NAMES = ("snmp_auth", "snmp_priv", "ssh_password")
SNMP_AUTH = {"sha": "SHA", "sha256": "SHA-256"}
SNMP_PRIV = {"aes128": "AES"}
ETHERNET = 6  # ifType ethernetCsmacd

#: zebra and its kin as Debian packages them; -M snmp needs the package frr-snmp.
DAEMONS = {
    "zebra": "-A 127.0.0.1 -s 4000000 -M snmp",
    "staticd": "-A 127.0.0.1",
    "ospfd": "-A 127.0.0.1 -M snmp",
}
SSHD = """\
ListenAddress 0.0.0.0
HostKey /etc/waiwang/ssh_host_ed25519_key
AllowUsers {user}
PasswordAuthentication yes
KbdInteractiveAuthentication no
PermitRootLogin no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
LoginGraceTime 20
Banner /etc/waiwang/banner
PidFile /run/sshd.pid
"""
#: A port that is taken out leaves the tables after a second, as a card's does; net-snmp would show it as down for five minutes.
SNMPD = """\
agentAddress udp:161
sysName {name}
sysLocation {location}
sysContact noc
sysDescr FRRouting lab router (simulated)
exactEngineID 0x{engine}
createUser {user} {auth_protocol} "{auth}" {priv_protocol} "{priv}"
rouser {user} authpriv
master agentx
agentXSocket /var/agentx/master
agentXPerms 0777 0777
interface_fadeout 1
"""
#: Watches the state of every port by a user of its own (the agent asks itself), each second: its table is 3 s old at most,
#: so a change is seen within 3 s; each 2 s it took up to 4. Numeric names: the nodes read no MIBs.
#: Informs: they need no engine known beforehand, and one that gets lost on a dying way is sent again over the next.
SNMPD_NOTIFY = """\
createUser {watcher} SHA "{watcher_key}"
rouser {watcher} auth
iquerySecName {watcher}
trapsess -Ci -v 3 -l authPriv -u {user} -a {auth_protocol} -A {auth} -x {priv_protocol} -X {priv} -e 0x{receiver} -t 1 -r 5 {address}:{port}
notificationEvent linkDownSeen .1.3.6.1.6.3.1.1.5.3 .1.3.6.1.2.1.2.2.1.1 .1.3.6.1.2.1.2.2.1.7 .1.3.6.1.2.1.2.2.1.8
notificationEvent linkUpSeen .1.3.6.1.6.3.1.1.5.4 .1.3.6.1.2.1.2.2.1.1 .1.3.6.1.2.1.2.2.1.7 .1.3.6.1.2.1.2.2.1.8
monitor -S -r 1 -e linkDownSeen "port down" .1.3.6.1.2.1.2.2.1.8 != 1
monitor -S -r 1 -e linkUpSeen "port up" .1.3.6.1.2.1.2.2.1.8 == 1
"""
WATCHER = "agent_itself"
#: RFC 3411: enterprise 8072 (net-snmp) with the high bit set, format 4 (text); the node's name follows.
ENGINE_PREFIX = "80001f8804"
ENGINE_TEXT_OCTETS = 27


@dataclass(frozen=True, slots=True)
class HostKey:
    """An SSH host key: OpenSSH's private file and the public line without a comment."""

    private: str
    public: str


@dataclass(frozen=True, slots=True)
class Host:
    """A server of the lab: its address, the router that it stands behind, and the port it answers on (None: none)."""

    address: IPv4Interface
    gateway: IPv4Address
    port: int | None


def make_secrets() -> dict[str, str]:
    """Return fresh random secrets by name, of 24 characters each."""
    return {name: secrets.token_urlsafe(18) for name in SECRET_NAMES}


def make_host_key() -> HostKey:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return HostKey(private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


def known_hosts(intents: Mapping[str, DeviceIntent], keys: Mapping[str, HostKey]) -> str:
    """Return OpenSSH known_hosts text that names every contact address of every device."""
    return "".join(f"{address} {keys[name].public}\n" for name, intent in intents.items() for address in intent.contacts)


def router_files(
    intent: DeviceIntent, bootstrap: str, links: Sequence[str], secret: Mapping[str, str], key: HostKey
) -> dict[str, str]:
    """Return the files of a router by path below `/etc`. `links`: the wired interfaces that it waits for at boot."""
    management = intent.management
    bridges = [port.name for port in intent.interfaces if port.kind in ("lan", "management") and port.name not in links]
    setup = {
        "PART": "router",
        "NAME": intent.hostname,
        "LINKS": " ".join(links),
        "BRIDGES": " ".join(bridges),
        "LOGIN": management.ssh_user,
    }
    return {
        "frr/frr.conf": bootstrap,
        "frr/vtysh.conf": "service integrated-vtysh-config\n",
        "frr/daemons": "".join(f'{name}=yes\n{name}_options="{options}"\n' for name, options in DAEMONS.items()),
        "snmp/snmpd.conf": _snmpd(intent, secret),
        "snmp/frr.conf": "agentXSocket /var/agentx/master\n",
        "waiwang/setup": _setup(setup),
        "waiwang/rates": "".join(f"{port.name} {rate}\n" for port in intent.interfaces if (rate := _rate_kbps(port))),
        "waiwang/login_hash": password_hash(secret["ssh_password"]) + "\n",
        "waiwang/ssh_host_ed25519_key": key.private,
        "waiwang/sshd_config": SSHD.format(user=management.ssh_user),
        "waiwang/banner": f"{management.banner}\n" if management.banner else "",
        "waiwang/filter.nft": _filter(management.sources),
    }


def host_files(name: str, links: Sequence[str], host: Host) -> dict[str, str]:
    """Return the files of a server by path below `/etc`."""
    setup = {
        "PART": "host",
        "NAME": name,
        "LINKS": " ".join(links),
        "ADDRESS": str(host.address),
        "GATEWAY": str(host.gateway),
        "PORT": "" if host.port is None else str(host.port),
    }
    return {"waiwang/setup": _setup(setup)}


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write a node's files below `folder`; secrets and keys are for root alone."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o644 if name.startswith("frr/") or name == "snmp/frr.conf" else 0o600)
        file.write_text(text, encoding="utf-8")
    (folder / "waiwang").chmod(0o700)


def password_hash(password: str) -> str:
    """Return the SHA-512 crypt of a password, as /etc/shadow holds it.

    Raises:
        LabError: the system has no libcrypt.
    """
    for library in ("libcrypt.so.1", "libcrypt.so.2"):
        try:
            crypt = ctypes.CDLL(library).crypt
        except OSError:
            continue
        crypt.restype = ctypes.c_char_p
        salt = "$6$" + secrets.token_hex(8)
        hashed = crypt(password.encode(), salt.encode())
        return str(hashed.decode())
    raise lab_error(
        "libcrypt.so.1",
        "a login cannot be made",
        expected="the system's crypt library",
        found="none",
        next_step="On Debian, as root: apt-get install libcrypt1",
    )


def _snmpd(intent: DeviceIntent, secret: Mapping[str, str]) -> str:
    management = intent.management
    text = SNMPD.format(
        name=intent.hostname,
        location=management.location,
        engine=ENGINE_PREFIX + intent.hostname.encode()[:ENGINE_TEXT_OCTETS].hex(),
        user=management.snmp_user,
        auth_protocol=SNMP_AUTH[management.snmp_auth],
        auth=secret["snmp_auth"],
        priv_protocol=SNMP_PRIV[management.snmp_priv],
        priv=secret["snmp_priv"],
    )
    return text + _notify(management, secret) + "".join(_speeds(intent.interfaces))


def _notify(management: ManagementIntent, secret: Mapping[str, str]) -> str:
    """Return what makes the agent tell the monitoring service of ports that go down and come up."""
    if management.notify is None:
        return ""
    return SNMPD_NOTIFY.format(
        watcher=WATCHER,
        watcher_key=secrets.token_urlsafe(18),
        user=management.snmp_user,
        auth_protocol=SNMP_AUTH[management.snmp_auth],
        auth=secret["snmp_auth"],
        priv_protocol=SNMP_PRIV[management.snmp_priv],
        priv=secret["snmp_priv"],
        receiver=management.notify.engine_id,
        address=management.notify.address,
        port=management.notify.port,
    )


def _speeds(interfaces: Iterable[InterfaceIntent]) -> Iterable[str]:
    """Yield snmpd's word for what a port is; a virtual wire would say 10 Gbit/s for all of them."""
    for port in interfaces:
        kbps = port.port_mbps * 1000 if port.port_mbps else port.nominal_kbps
        if kbps:
            yield f"interface {port.name} {ETHERNET} {kbps * 1000}\n"


def _rate_kbps(port: InterfaceIntent) -> int | None:
    """Return what leaves this port at most, in kbit/s; a reserved port runs at its full speed."""
    return port.port_mbps * 1000 if port.kind == "reserved" and port.port_mbps else port.out_kbps


def _filter(sources: Sequence[IPv4Network]) -> str:
    """Return nftables text that lets SSH and SNMP in from the sources alone."""
    if not sources:
        return ""
    allowed = ", ".join(str(source) for source in sources)
    return f"""\
table ip waiwang {{
    chain input {{
        type filter hook input priority 0; policy accept;
        iifname "lo" accept
        ip saddr {{ {allowed} }} accept
        tcp dport 22 drop
        udp dport 161 drop
    }}
}}
"""


def _setup(values: Mapping[str, str]) -> str:
    """Return a file that a shell can read; the values are names, numbers and addresses, already checked."""
    return "".join(f"{name}={value!r}\n" for name, value in values.items())
