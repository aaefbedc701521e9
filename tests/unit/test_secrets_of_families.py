"""No secret of a running configuration survives masking, in whichever form a family shows it, whoever typed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from app.core.commands import MASK, mask_secrets
from app.core.families import FAMILIES
from app.edge.patch import patch, unified_diff

SECRET = "s3cr3t-Xy"

VRP: Sequence[str] = (
    "aaa\n local-user a password irreversible-cipher %^%#SECRET%^%#",
    "aaa\n local-user a password irreversible-cipher $1d$SECRET$abc$",
    "aaa\n local-user a password irreversible-cipher @%@%SECRET@%@%",
    "aaa\n local-user a password cipher %#%#SECRET%#%#",
    "aaa\n local-user a password cipher %$%$SECRET%$%$",
    "aaa\n local-user a password simple SECRET",
    "snmp-agent community read cipher %+%#SECRET%+%#",
    "snmp-agent community write SECRET",
    "snmp-agent usm-user v3 p g authentication-mode sha %#%#SECRET%#%# privacy-mode aes128 %#%#SECRET%#%#",
    "snmp-agent usm-user v3 p authentication-mode sha2-256 cipher SECRET",
    "snmp-agent target-host trap address udp-domain 10.0.0.1 params securityname SECRET v2c",
    "ntp-service authentication-keyid 1 authentication-mode hmac-sha256 cipher %+%#SECRET%+%#",
    "interface Dialer1\n ppp chap password cipher %^%#SECRET%^%#",
    "interface Dialer1\n ppp pap local-user u password simple SECRET",
    "interface GigabitEthernet0/0/1\n ospf authentication-mode md5 1 plain SECRET",
    "interface GigabitEthernet0/0/1\n ospf authentication-mode simple plain SECRET",
    "interface GigabitEthernet0/0/1\n ospf authentication-mode hmac-sha256 1 cipher SECRET",
    "isis 1\n area-authentication-mode md5 cipher SECRET",
    "bgp 64512\n peer 10.0.0.1 password cipher SECRET",
    "radius-server template r\n radius-server shared-key cipher SECRET",
    "radius-server template r\n radius-server shared-key SECRET",
    "ike peer p\n pre-shared-key SECRET",
    "user-interface vty 0 4\n set authentication password cipher SECRET",
    "super password level 3 cipher SECRET",
    "aaa\n local-user a password SECRET",
    "snmp-agent target-host trap address udp-domain 10.0.0.1 params securityname SECRET",
    "ike peer p\n pre-shared-key simple SECRET",
    "mpls ldp\n md5-password plain 10.0.0.1 SECRET",
    "wlan\n security wpa2 psk pass-phrase SECRET aes",
    "keychain k mode absolute\n key-string plain SECRET",
)
COMWARE: Sequence[str] = (
    "local-user a class manage\n password hash $h$6$SECRET/x==",
    "local-user a class manage\n password simple SECRET",
    "snmp-agent usm-user v3 p g cipher authentication-mode sha $c$3$SECRET privacy-mode aes128 $c$3$SECRET",
    "snmp-agent usm-user v3 p g simple authentication-mode sha SECRET privacy-mode aes128 SECRET",
    "snmp-agent community read cipher $c$3$SECRET",
    "snmp-agent community read simple SECRET",
    "snmp-agent community write SECRET",
    "snmp-agent target-host trap address udp-domain 10.0.0.1 params securityname SECRET v2c",
    "ntp-service authentication-keyid 1 authentication-mode md5 cipher $c$3$SECRET",
    "interface Dialer1\n ppp chap password cipher $c$3$SECRET",
    "interface GigabitEthernet0/1\n ospf authentication-mode md5 1 plain SECRET",
    "bgp 64512\n peer 10.0.0.1 password simple SECRET",
    "radius scheme r\n key authentication simple SECRET",
    "hwtacacs scheme t\n primary authentication 10.1.1.1 key simple SECRET",
    "super password role network-admin simple SECRET",
    "line vty 0 63\n set authentication password hash $h$6$SECRET",
    "ntp-service authentication-keyid 1 authentication-mode md5 simple SECRET",
    "ike keychain k\n pre-shared-key address 10.0.0.1 255.255.255.255 key simple SECRET",
    "radius scheme r\n key authentication SECRET",
)
IOS: Sequence[str] = (
    "enable secret 5 $1$abc$SECRET",
    "enable secret 9 $9$SECRET",
    "enable password 7 SECRET",
    "enable password SECRET",
    "username a privilege 15 secret 5 $1$x$SECRET",
    "username a password 7 SECRET",
    "snmp-server community SECRET RO",
    "snmp-server host 10.0.0.1 version 2c SECRET",
    "snmp-server user u g v3 auth sha SECRET priv aes 128 SECRET",
    "ntp authentication-key 1 md5 SECRET 7",
    "interface Dialer1\n ppp chap password 7 SECRET",
    "interface GigabitEthernet0/1\n ip ospf message-digest-key 1 md5 7 SECRET",
    "interface GigabitEthernet0/1\n ip ospf authentication-key SECRET",
    "interface GigabitEthernet0/1\n isis password SECRET",
    "key chain k\n key 1\n  key-string 7 SECRET",
    "router bgp 64512\n neighbor 10.0.0.1 password 7 SECRET",
    "router isis\n area-password SECRET",
    "radius-server key 7 SECRET",
    "tacacs-server host 10.0.0.1 key SECRET",
    "tacacs server a\n key 7 SECRET",
    "crypto isakmp key SECRET address 0.0.0.0",
    "line vty 0 4\n password 7 SECRET",
    "snmp-server host 10.0.0.1 SECRET",
    "snmp-server host 10.0.0.1 traps SECRET",
    "crypto ikev2 keyring k\n pre-shared-key local SECRET",
    "interface GigabitEthernet0/1\n standby 1 authentication SECRET",
    "interface GigabitEthernet0/1\n ipv6 ospf authentication ipsec spi 500 md5 0 SECRET",
    "interface Tunnel0\n ip nhrp authentication SECRET",
    "ip ftp password 7 SECRET",
)
FRR: Sequence[str] = (
    "password SECRET",
    "password 8 SECRET",
    "enable password SECRET",
    "interface eth1\n ip ospf message-digest-key 1 md5 SECRET",
    "interface eth1\n ip ospf authentication-key SECRET",
    "interface eth1\n isis password md5 SECRET",
    "key chain k\n key 1\n  key-string SECRET",
    "router bgp 64512\n neighbor 10.0.0.1 password SECRET",
    "router isis a\n area-password clear SECRET",
    "router isis a\n domain-password md5 SECRET",
)
SHOWN: Mapping[str, Sequence[str]] = {
    "huawei_ar": VRP,
    "huawei_s": VRP,
    "huawei_ne": VRP,
    "h3c_msr": COMWARE,
    "h3c_s": COMWARE,
    "cisco_ios": IOS,
    "frr": FRR,
}
CASES = [(family, line) for family, lines in SHOWN.items() for line in lines]


def test_every_family_is_looked_at() -> None:
    assert set(SHOWN) == set(FAMILIES)


@pytest.mark.parametrize(("family", "line"), CASES)
def test_a_secret_is_masked_before_it_is_stored(family: str, line: str) -> None:
    masked = mask_secrets(line.replace("SECRET", SECRET))
    assert SECRET not in masked
    assert MASK in masked
    assert masked.splitlines()[0].split()[0] == line.splitlines()[0].split()[0]
    assert mask_secrets(masked) == masked, "masking twice is masking once"


@pytest.mark.parametrize(("family", "line"), CASES)
def test_a_secret_that_a_device_shows_anew_is_no_difference_and_is_in_no_diff(family: str, line: str) -> None:
    """Devices encrypt anew at every save: two ciphertexts of one secret must not differ."""
    head = f"{'hostname' if family in ('frr', 'cisco_ios') else 'sysname'} r1\n"
    one, other = (head + line.replace("SECRET", text) + "\n" for text in (SECRET, "An0ther-Zz"))
    assert patch(family, one, other) == ()
    assert unified_diff(family, one, other, "r1") == ""
    assert SECRET not in unified_diff(family, head, one, "r1")
