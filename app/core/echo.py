"""What a device adds to a configuration of its own when it shows it, and how to take that away again. Pure.

A line is given short and echoed long: a policer with the burst sizes that the device worked out, a key with the word `cipher`
before what it was turned into. Only what is the device's own default goes: a burst size that somebody set stays a difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

#: Seen on VRP5 AR routers: cbs = 188 x cir, pbs = 313 x cir; a shaper's cbs = 25 x cir, at least 1500.
_AR_POLICER = re.compile(
    r"^(qos car (?:inbound|outbound)(?: acl \d+)?) cir (\d+) cbs (\d+) pbs (\d+) green pass yellow pass red discard$"
)
_AR_SHAPER = re.compile(r"^(qos gts) cir (\d+) cbs (\d+)$")
#: Comware 7: cbs = the traffic of 500 ms (62.5 x cir), ebs 0, and the actions that are its defaults.
_COMWARE_POLICER = re.compile(
    r"^(qos car (?:inbound|outbound) any) cir (\d+)(?: cbs (\d+))? ebs 0 green pass red discard yellow pass$"
)
_COMWARE_SHAPER = re.compile(r"^(qos lr (?:inbound|outbound)) cir (\d+) cbs (\d+)(?: ebs 0)?$")
#: A key is typed in clear and echoed behind this word.
_KEY_FORM = re.compile(r"\b((?:authentication-mode (?:md5|sha|sha2-256)|privacy-mode \S+)) cipher ")
_COMWARE_USER = re.compile(r"^(snmp-agent usm-user v3 \S+ \S+(?: remote \S+)?) cipher (?=authentication-mode )")
_COMWARE_SCHEME_KEY = re.compile(r"^(key (?:authentication|authorization|accounting)) cipher ")
_COMWARE_ISIS_KEY = re.compile(r"^((?:isis |area-|domain-)authentication-mode \S+) cipher ")
_COMWARE_PASSWORD = re.compile(r"^password hash ")
_COMWARE_KEY = re.compile(r"^(ntp-service authentication-keyid \d+ authentication-mode \S+|ppp chap password) cipher ")
#: VRP8 on NE: the same policer with the direction last; cbs = 187 x cir, pbs = 313 x cir.
_NE_POLICER = re.compile(
    r"^qos car cir (\d+) cbs (\d+) pbs (\d+) green pass yellow pass red discard (inbound|outbound)$"
)
#: IOS: the form of a key stands as a digit before or behind it; a banner's mark is shown as ^C.
_IOS_FORMS = (
    (re.compile(r"^(username .*(?:secret|password)) \d "), r"\1 "),
    (re.compile(r"^(ppp chap password) [07] "), r"\1 "),
    (re.compile(r"^(key-string|key) [07] "), r"\1 "),
    (re.compile(r"^(ntp authentication-key \d+ md5 \S+) 7$"), r"\1"),
    (re.compile(r"^(banner \S+) \^C(.*?)\^C?$"), r"\1 ^\2^"),
    (re.compile(r"^police (?:cir )?(\d+)(?: .*)?$"), r"police cir \1"),
)
#: Families whose sections stand between lines of `#`, some of them behind a margin of one blank.
MARGINED = frozenset({"h3c_msr", "h3c_s", "huawei_ar", "huawei_s", "huawei_ne"})
#: Services that first boot switches off. A device says nothing of a service that is off, so the line itself is no difference;
#: one that runs is shown as `X enable` and is removed.
_SILENT_WHEN_OFF = frozenset(
    {
        "undo telnet server enable",
        "undo http server enable",
        "undo http secure-server enable",
        "undo ip http enable",
        "undo ip https enable",
    }
)
#: What a family shows though it is what a port or section starts with: it goes on both sides. A port of NE starts shut.
_ALWAYS_SHOWN = {
    "h3c_msr": frozenset({"port link-mode route"}),
    "h3c_s": frozenset({"port link-mode bridge"}),
    "huawei_ar": frozenset({"policy vpn-target"}),
    "huawei_ne": frozenset({"policy vpn-target", "shutdown"}),
    "cisco_ios": frozenset({"no ip http server", "no ip http secure-server"}),
}


def plain_line(family: str, line: str) -> str:
    """Return one line, stripped, without what the family adds to its echo."""
    for step in _STEPS.get(family, ()):
        line = step(line)
    return line


def plain_text(family: str, text: str) -> str:
    """Return a configuration without what the family adds, its depth of blocks in blanks kept.

    Comware 7 and AR images of VRP5 put one blank before one-line commands of the system view; it goes, or the line would seem
    to stand in a block.
    """
    if family not in _STEPS:
        return text
    unsaid = _SILENT_WHEN_OFF | _ALWAYS_SHOWN.get(family, frozenset())
    lines = [line for line in text.split("\n") if line.strip() not in unsaid]
    if family in MARGINED:
        lines = list(without_margin(lines))
    if family == "cisco_ios":
        lines = list(_with_family_ends(lines))
    return "\n".join(line[: len(line) - len(line.lstrip())] + plain_line(family, line.lstrip()) for line in lines)


def without_margin(lines: list[str]) -> Iterator[str]:
    """Yield the lines of each section between `#`; one that begins with a blank holds commands of the system view.

    A `#` behind a blank parts the families of one section.
    """
    begins, margin = True, False
    for line in lines:
        if line.rstrip() == "#":
            begins = True
        elif line.strip():
            margin = line.startswith(" ") and (begins or margin)
            begins = False
        yield line[1:] if margin else line


def _with_family_ends(lines: list[str]) -> Iterator[str]:
    """Yield the lines with every address family of BGP closed by the line that closes it, whether it was shown or not."""
    end = " exit-address-family"
    is_open = False
    for line in lines:
        if line == end:
            continue
        if is_open and not line.startswith("  "):
            yield end
            is_open = False
        is_open = is_open or line.startswith(" address-family ")
        yield line
    if is_open:
        yield end


def _ar_policer(line: str) -> str:
    if (found := _AR_POLICER.match(line)) and (int(found[3]), int(found[4])) == (188 * int(found[2]), 313 * int(found[2])):
        return f"{found[1]} cir {found[2]}"
    return line


def _ar_shaper(line: str) -> str:
    if (found := _AR_SHAPER.match(line)) and int(found[3]) == max(1500, 25 * int(found[2])):
        return f"{found[1]} cir {found[2]}"
    return line


def _comware_policer(line: str) -> str:
    if (found := _COMWARE_POLICER.match(line)) and (found[3] is None or int(found[3]) == int(found[2]) * 125 // 2):
        return f"{found[1]} cir {found[2]}"
    return line


def _comware_shaper(line: str) -> str:
    if (found := _COMWARE_SHAPER.match(line)) and int(found[3]) == int(found[2]) * 125 // 2:
        return f"{found[1]} cir {found[2]}"
    return line


def _key_form(line: str) -> str:
    return _KEY_FORM.sub(r"\1 ", line)


def _comware_keys(line: str) -> str:
    line = _COMWARE_KEY.sub(r"\1 simple ", _COMWARE_USER.sub(r"\1 simple ", line))
    line = _COMWARE_ISIS_KEY.sub(r"\1 plain ", _COMWARE_SCHEME_KEY.sub(r"\1 simple ", line))
    return _COMWARE_PASSWORD.sub("password simple ", line)


def _ne_policer(line: str) -> str:
    if (found := _NE_POLICER.match(line)) and (int(found[2]), int(found[3])) == (187 * int(found[1]), 313 * int(found[1])):
        return f"qos car cir {found[1]} {found[4]}"
    return line


def _ios_forms(line: str) -> str:
    for pattern, short in _IOS_FORMS:
        line = pattern.sub(short, line)
    return line


_STEPS: dict[str, tuple[Callable[[str], str], ...]] = {
    "huawei_ar": (_ar_policer, _ar_shaper, _key_form),
    "huawei_s": (_key_form,),
    "huawei_ne": (_ne_policer, _key_form),
    "h3c_s": (_comware_keys,),
    "cisco_ios": (_ios_forms,),
    "h3c_msr": (_comware_policer, _comware_shaper, _comware_keys),
}
