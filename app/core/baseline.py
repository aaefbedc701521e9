"""The baseline that running configurations are held to, as data: one row per check, one pattern list per command language.

Sources: SX-1 (no wireless routers, own exits), SR-8 (security built with the network), and the hardening defaults of this
product, which no order words (design default). A language that has no row in a check is not judged by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: The command language of each family; most of what the baseline asks of FRR is set on its host, and not in vtysh.
LANGUAGES: Mapping[str, str] = {
    "huawei_ar": "vrp",
    "huawei_s": "vrp",
    "huawei_ne": "vrp",
    "h3c_msr": "comware",
    "h3c_s": "comware",
    "cisco_ios": "ios",
    "frr": "frr",
}
ERROR, WARNING = "error", "warning"
DEFAULT = "design default"


@dataclass(frozen=True, slots=True)
class Forbid:
    """No line may match; within blocks whose head matches `block`, where that is given."""

    pattern: str
    block: str = ""


@dataclass(frozen=True, slots=True)
class Require:
    """At least one line of the whole configuration must match."""

    pattern: str


@dataclass(frozen=True, slots=True)
class RequireEach:
    """Every block whose head matches `block` must hold a matching line.

    Only blocks with a line that matches `only_with` count, where it is given, and none with one that matches `but_with`.
    `but_divided` leaves out ports that stand open for their sub-interfaces.
    """

    block: str
    pattern: str
    only_with: str = ""
    but_with: str = ""
    but_divided: bool = False


Rule = Forbid | Require | RequireEach


@dataclass(frozen=True, slots=True)
class BaselineCheck:
    """One check. `level` is error or warning; `rules` by command language."""

    check_id: str
    level: str
    title: str
    title_zh: str
    source: str
    next_step: str
    rules: Mapping[str, tuple[Rule, ...]]


_VTY = r"^(?:user-interface|line) vty\b"
_CONSOLE = r"^(?:user-interface con|line (?:con|console|aux))\b"
_PORT = r"^interface \S*(?:Ethernet|GigE)[\d/]+$"
_USED = (
    r"^(?:description|ip address|undo portswitch|port (?!link-mode)|eth-trunk|pppoe|channel-group|switchport|encapsulation"
    r"|service-policy)"
)


def _row(
    check_id: str, level: str, title: str, title_zh: str, next_step: str, source: str = DEFAULT, **rules: Rule | tuple[Rule, ...]
) -> BaselineCheck:
    listed = {language: rule if isinstance(rule, tuple) else (rule,) for language, rule in rules.items()}
    return BaselineCheck(check_id, level, title, title_zh, source, next_step, listed)


CHECKS: tuple[BaselineCheck, ...] = (
    _row(
        "telnet-server", ERROR, "the Telnet server is off", "关闭 Telnet 服务", "Turn it off; SSH replaces it.",
        vrp=Forbid(r"^telnet (?:ipv4 |ipv6 )?server enable"), comware=Forbid(r"^telnet server enable"),
    ),
    _row(
        "http-server", ERROR, "the HTTP server is off", "关闭 HTTP 服务", "Turn it off.",
        vrp=Forbid(r"^http server enable"), comware=Forbid(r"^ip http enable"), ios=Forbid(r"^ip http server"),
    ),
    _row(
        "https-server", WARNING, "the HTTPS server is off", "关闭 HTTPS 服务", "Turn it off, or write down who needs it.",
        vrp=Forbid(r"^http secure-server enable"), comware=Forbid(r"^ip https enable"), ios=Forbid(r"^ip http secure-server"),
    ),
    _row(
        "ftp-server", ERROR, "FTP and TFTP servers are off", "关闭 FTP、TFTP 服务", "Turn it off; SFTP replaces it.",
        vrp=Forbid(r"^(?i:t?ftp) (?:ipv6 )?server enable"), comware=Forbid(r"^ftp server enable"),
        ios=Forbid(r"^(?:tftp-server|ftp-server enable)"),
    ),
    _row(
        "ssh-server", ERROR, "the SSH server is on", "开启 SSH 服务", "Turn it on and make a host key.",
        vrp=Require(r"^stelnet (?:ipv4 )?server enable"), comware=Require(r"^ssh server enable"), ios=Require(r"^ip ssh version 2"),
    ),
    _row(
        "vty-ssh-only", ERROR, "remote lines take SSH alone", "远程登录只允许 SSH", "Let each VTY take SSH alone.",
        vrp=RequireEach(_VTY, r"^protocol inbound ssh$"), comware=RequireEach(_VTY, r"^protocol inbound ssh$"),
        ios=RequireEach(_VTY, r"^transport input ssh$"),
    ),
    _row(
        "vty-sources", ERROR, "management sources are restricted", "限制管理源地址", "Apply the ACL of the managers.",
        vrp=RequireEach(_VTY, r"^acl \S+ inbound"), comware=Require(r"^ssh server acl \d+"), ios=RequireEach(_VTY, r"^access-class \S+ in"),
    ),
    _row(
        "vty-aaa", ERROR, "remote lines ask for an account", "远程登录须认证", "Authenticate by AAA, local accounts last.",
        vrp=RequireEach(_VTY, r"^authentication-mode aaa"), comware=RequireEach(_VTY, r"^authentication-mode scheme"),
        ios=Require(r"^aaa new-model"),
    ),
    _row(
        "open-line", ERROR, "no line lets anybody in", "不得免认证登录", "Set an authentication mode.",
        vrp=Forbid(r"^authentication-mode none"), comware=Forbid(r"^authentication-mode none"), ios=Forbid(r"^no login$"),
    ),
    _row(
        "idle-timeout", ERROR, "idle sessions end within ten minutes", "空闲会话十分钟内断开", "Set the timeout to ten minutes.",
        vrp=(RequireEach(_VTY, r"^idle-timeout (?:[1-9]|10)(?: \d+)?$"), Forbid(r"^idle-timeout 0 0", _CONSOLE)),
        comware=RequireEach(_VTY, r"^idle-timeout (?:[1-9]|10)(?: \d+)?$"),
        ios=RequireEach(_VTY, r"^exec-timeout (?:[1-9]|10)(?: \d+)?$"),
    ),
    _row(
        "local-account", ERROR, "a local account is left for when AAA is away", "保留本地账号", "Add the local account of the plan.",
        vrp=Require(r"^local-user \S+ password"), comware=Require(r"^local-user \S+ class manage"), ios=Require(r"^username \S+ "),
    ),
    _row(
        "account-services", ERROR, "accounts may use SSH alone", "账号只允许 SSH", "Take telnet, ftp and http off the account.",
        vrp=Forbid(r"^local-user \S+ service-type .*\b(?:telnet|ftp|http)\b", r"^aaa"),
        comware=Forbid(r"^service-type .*\b(?:telnet|ftp|http)\b", r"^local-user "),
    ),
    _row(
        "reversible-password", ERROR, "passwords are kept irreversibly", "口令不可逆存储",
        "Set the password anew in the irreversible form.",
        vrp=Forbid(r"^local-user \S+ password (?:simple|cipher)\b", r"^aaa"),
        comware=Forbid(r"^password (?:simple|cipher)\b", r"^local-user "),
        ios=Forbid(r"^(?:username \S+ (?:.* )?|enable )password \S"), frr=Forbid(r"^(?:enable )?password (?!8 )"),
    ),
    _row(
        "snmp-community", ERROR, "no SNMP community is set", "不使用 SNMP 团体名", "Remove it; SNMPv3 replaces it.",
        vrp=Forbid(r"^snmp-agent community\b"), comware=Forbid(r"^snmp-agent community\b"), ios=Forbid(r"^snmp-server community\b"),
    ),
    _row(
        "snmp-version", ERROR, "SNMP answers version 3 alone", "只用 SNMPv3", "Set the version to v3 alone.",
        vrp=Forbid(r"^snmp-agent sys-info version .*(?:all|v1|v2c)"), comware=Forbid(r"^snmp-agent sys-info version .*(?:all|v1|v2c)"),
        ios=Forbid(r"^snmp-server group \S+ v(?:1|2c)\b"),
    ),
    _row(
        "snmp-privacy", ERROR, "SNMPv3 groups ask for authentication and privacy", "SNMPv3 须认证并加密",
        "Give the group the level privacy.",
        vrp=Forbid(r"^snmp-agent group v3 \S+(?! privacy)(?: |$)"), comware=Forbid(r"^snmp-agent group v3 \S+(?! privacy)(?: |$)"),
        ios=Forbid(r"^snmp-server group \S+ v3 (?:auth|noauth)\b"),
    ),
    _row(
        "snmp-sources", ERROR, "SNMP sources are restricted", "限制 SNMP 源地址", "Apply the ACL of the managers to SNMP.",
        vrp=Require(r"^snmp-agent (?:acl \S+|group v3 .* acl \S+|usm-user v3 .* acl \S+)"),
        comware=Require(r"^snmp-agent (?:group v3 .* acl \S+|usm-user v3 .* acl \S+)"),
        ios=Require(r"^snmp-server group \S+ v3 priv.* access \S+"),
    ),
    _row(
        "snmp-weak-keys", ERROR, "SNMPv3 users keep neither MD5 nor DES", "SNMPv3 不用 MD5、DES", "Make the user anew with SHA and AES.",
        vrp=Forbid(r"^snmp-agent usm-user v3 .*(?:authentication-mode md5|privacy-mode des56)"),
        comware=Forbid(r"^snmp-agent usm-user v3 .*(?:authentication-mode md5|privacy-mode des56)"),
        ios=Forbid(r"^snmp-server user .* (?:auth md5|priv des)\b"),
    ),
    _row(
        "ntp-server", ERROR, "the clock follows a server", "配置时钟服务器", "Add the NTP server of the plan.",
        vrp=Require(r"^ntp(?:-service)? unicast-server "), comware=Require(r"^ntp-service unicast-server "), ios=Require(r"^ntp server "),
    ),
    _row(
        "ntp-key", WARNING, "the clock's server is authenticated", "时钟服务器须认证",
        "Set management.ntp_key_id in ipplan/plan.yaml and deploy.",
        vrp=Require(r"^ntp(?:-service)? unicast-server .*authentication-keyid"),
        comware=Require(r"^ntp-service unicast-server .*authentication-keyid"),
        ios=Require(r"^ntp server .* key \d+"),
    ),
    _row(
        "syslog-host", ERROR, "events are logged to the centre", "日志上报网管中心", "Add the syslog host of the plan.",
        vrp=Require(r"^info-center loghost \d"), comware=Require(r"^info-center loghost \d"), ios=Require(r"^logging (?:host )?\d"),
    ),
    _row(
        "syslog-source", WARNING, "logs come from one known address", "日志源地址固定", "Set the source interface to the loopback.",
        vrp=Require(r"^info-center loghost source "), comware=Require(r"^info-center loghost source "),
        ios=Require(r"^logging source-interface "),
    ),
    _row(
        "login-banner", WARNING, "a banner warns before the login", "登录前有警示语",
        "Set management.banner in ipplan/plan.yaml and deploy.",
        vrp=Require(r"^header login information "), comware=Require(r"^header (?:login|legal) "), ios=Require(r"^banner (?:login|motd) "),
    ),
    _row(
        "line-description", WARNING, "every port with an address says what it is", "带地址端口须有描述",
        "Describe the port with its line id.",
        vrp=RequireEach(r"^interface ", r"^description ", only_with=r"^ip address \d"),
        comware=RequireEach(r"^interface ", r"^description ", only_with=r"^ip address \d"),
        ios=RequireEach(r"^interface ", r"^description ", only_with=r"^ip address \d"),
        frr=RequireEach(r"^interface ", r"^description ", only_with=r"^ip address \d"),
    ),
    _row(
        "unused-port", WARNING, "ports that nothing stands on are shut", "关闭闲置端口", "Shut it, or say what stands on it.", "SR-8",
        vrp=RequireEach(_PORT, r"^shutdown$", but_with=_USED, but_divided=True),
        comware=RequireEach(_PORT, r"^shutdown$", but_with=_USED, but_divided=True),
        ios=RequireEach(_PORT, r"^shutdown$", but_with=_USED, but_divided=True),
    ),
    _row(
        "wireless", ERROR, "no wireless is configured", "不得启用无线", "Take it out of the network.", "SX-1",
        # AR images show their idle controller from the factory on.
        vrp=Forbid(r"^(?:interface Wlan|wlan\b(?! ac$| ac-global carrier id other ac id 0$)|ssid-profile|capwap )"),
        comware=Forbid(r"^(?:interface WLAN|wlan (?!auto|tcp)|service-template)"),
        ios=Forbid(r"^(?:interface Dot11Radio|dot11 ssid)"), frr=Forbid(r"^interface wl\S+"),
    ),
    _row(
        "vpn-leak", ERROR, "no default route leads from one VPN into another", "VPN 之间不得泄露默认路由", "Remove the route.",
        vrp=Forbid(r"^ip route-static vpn-instance \S+ 0\.0\.0\.0 .*(?:vpn-instance \S+ \d|public)"),
        comware=Forbid(r"^ip route-static vpn-instance \S+ 0\.0\.0\.0 .*(?:vpn-instance \S+ \d|public)"),
        ios=Forbid(r"^ip route vrf \S+ 0\.0\.0\.0 0\.0\.0\.0 .*\bglobal\b"), frr=Forbid(r"^ip route 0\.0\.0\.0/0 .*\bnexthop-vrf "),
    ),
)  # fmt: skip
