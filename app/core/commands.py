"""Configuration text as values: the commands of a patch, its blocks, and the masking of what nobody shall read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from app.core.echo import plain_line, plain_text

#: How templates name a secret; the edge resolves it at the moment of the push.
SECRET_REFERENCE = re.compile(r"<secret:([A-Za-z0-9_]+)>")
#: What stands in place of any secret, on either side of a comparison.
MASK = "<masked>"

#: Values that devices show encrypted or, as FRR does, in the clear. Group 1 stays, group 2 is masked.
_SECRET_VALUES = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"()(<secret:[A-Za-z0-9_]+>)",
        r"()(%\^%#.*?%\^%#|%#%#.*?%#%#|%\+%#.*?%\+%#|%@%@.*?%@%@|@%@%.*?@%@%|%\$%\$.*?%\$%\$|\$1[a-z]\$\S*?\$|\$[ch]\$\d\$\S+)",
        r"(\bcipher )(?!<|authentication-mode\b)(\S+)",
        r"(\bauthentication-mode (?:md5|sha|sha2-256) (?:cipher )?)(?!<|cipher\b|plain\b|simple\b|\d+ )(\S+)",
        r"(\bauthentication-mode \S+ (?:\d+ )?plain )(?!<)(\S+)",
        r"(\bprivacy-mode \S+ (?:cipher )?)(?!<|cipher\b)(\S+)",
        r"(\bsimple )(?!cipher\b|plain\b|authentication-mode\b|<)(\S+)",
        r"(\b(?:pre-)?shared-key (?:(?:local-key|local|remote|address \S+(?: \S+)? key) )?)"
        r"(?!<|cipher |simple |local-key |local |remote |address )(\S+)",
        r"(\bpass-phrase )(?!<|cipher |simple )(\S+)",
        r"(\bmd5-password (?:cipher|plain) \S+ )(?!<)(\S+)",
        r"(^ *local-user \S+ password )(?!<|cipher |simple |irreversible-cipher |hash |policy )(\S+)",
        r"(^ +key (?:authentication|authorization|accounting) )(?!<|cipher |simple )(\S+)",
        r"(^ *snmp-server host \S+ (?:vrf \S+ )?(?:(?:traps|informs) )?)(?!<|version |vrf |traps |informs )(\S+)",
        r"(\b(?:standby|glbp|vrrp) \d+ authentication (?:text )?)(?!<|md5 |text )(\S+)",
        r"(\bwpa-psk (?:ascii|hex) (?:\d )?)(?!<|\d )(\S+)",
        r"(\b(?:ip (?:ftp|http client)|l2tp tunnel|tunnel) password (?:\d )?)(?!<|\d |cipher |simple )(\S+)",
        r"(\bip nhrp authentication )(?!<)(\S+)",
        r"(\bspi \d+ (?:md5|sha1) (?:[07] )?)(?!<|[07] )(\S+)",
        r"(\bmessage-digest-key \d+ md5 (?:[0-8] )?)(?!<|[0-8] )(\S+)",
        r"(\bauthentication-key \d+ md5 )(?!<)(\S+)",
        r"(\bauthentication-key (?:[0-8] )?)(?!<|\d+ md5 |[0-8] )(\S+)",
        r"(\bppp (?:chap|pap) .*?password (?:cipher |simple |[07] )?)(?!<|(?:cipher|simple|[07]) )(\S+)",
        r"(^ *username \S+ .*?(?:secret|password) (?:\d )?)(?!<|\d )(\S+)",
        r"(^ *enable secret (?:\d )?)(?!<|\d )(\S+)",
        r"(\bauth (?:md5|sha) )(?!<)(\S+)",
        r"(\bpriv (?:aes )?(?:128|192|256|des|3des) )(?!<)(\S+)",
        r"(^ *snmp-server community )(?!<)(\S+)",
        r"(^ *snmp-server host \S+ .*?version (?:1|2c) )(?!<)(\S+)",
        r"(^ *snmp-agent community (?:read|write) (?:cipher |simple )?)(?!<|(?:cipher|simple) )(\S+)",
        r"(\bsecurityname )(?!<|cipher )(\S+)(?= v(?:1|2c)\b| *$)",
        r"(\bkey-string (?:[067] |plain )?)(?!<|[067] |plain |cipher )(\S+)",
        r"(^ +key (?:[067] )?)(?!<|[067] |\d{1,4}$|authentication |authorization |accounting )(\S+)",
        r"(\b(?:radius|tacacs)-server (?:host \S+ .*?)?key (?:\d )?)(?!<|\d )(\S+)",
        r"(\bisakmp key (?:\d )?)(?!<|\d )(\S+)",
        r"(\b(?:area-password|domain-password|isis password) (?:(?:md5|clear) )?)(?!<|(?:md5|clear) )(\S+)",
        r"(^ *(?:enable )?password (?:\d )?)(?!<|\d )(\S+)",
        r"(^ *neighbor \S+ password (?:\d )?)(?!<|\d )(\S+)",
    )
)
#: Lines that say how a text was made, not what is configured. `service integrated-vtysh-config` is vtysh's own, in vtysh.conf.
#: `agentx` belongs to the host's SNMP agent, as its users do: FRR refuses it without its SNMP module, and never takes it back.
_FRR_NOISE = re.compile(
    r"^\s*(?:!.*|end|exit|frr version .*|frr defaults .*|service integrated-vtysh-config|agentx"
    r"|Building configuration.*|Current configuration:.*)?\s*$"
)
#: A user of SNMPv3 is typed and never shown by IOS: its line is no part of a comparison.
_IOS_NOISE = re.compile(
    r"^\s*(?:!.*|end|version \d.*|snmp-server user .*"
    r"|Building configuration.*|Current configuration ?:.*)?\s*$"
)
_VRP_NOISE = re.compile(r"^\s*(?:#.*|!.*|return|\[V\d\S*\]|version \d.*)?\s*$")


@dataclass(frozen=True, slots=True)
class Question:
    """A question that a device may ask after a command, and the answer that is allowed."""

    text: str
    answer: str
    is_regexp: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a patch. `level` is its depth in blocks from 0; `timeout_s` how long the device may think about it, where
    that is longer than any other answer may take."""

    text: str
    level: int = 0
    timeout_s: float | None = None
    questions: tuple[Question, ...] = ()

    def __str__(self) -> str:
        return " " * self.level + self.text


def mask_secrets(text: str) -> str:
    """Return the text with every secret, and every reference to one, replaced by the same mark."""
    for pattern in _SECRET_VALUES:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text


def replace_secrets(text: str, name: Callable[[str], str]) -> str:
    """Return the text with every secret replaced by what `name` gives for it, which has to begin with `<`."""
    for pattern in _SECRET_VALUES:
        text = pattern.sub(lambda found: f"{found[1]}{name(found[2])}", text)
    return text


def secret_names(text: str) -> tuple[str, ...]:
    """Return the names of the secrets that a text refers to, each once, in order of appearance."""
    return tuple(dict.fromkeys(SECRET_REFERENCE.findall(text)))


def refer_secrets(family: str, masked: str, intended: str) -> str:
    """Return a masked text with every line whose secret the intended text has too as that one writes it: with a reference.

    Lines whose secret nobody knows any more stay masked: they may stand where they are and cannot be written again.
    """
    references = secret_lines(family, intended)
    return "".join(f"{_with_reference(line, references)}\n" for line in masked.splitlines())


def secret_lines(family: str, intended: str) -> dict[str, str]:
    """Return every line of an intended text that refers to a secret, by what it looks like masked."""
    lines = (line.strip() for line in intended.splitlines() if "<secret:" in line)
    return {mask_secrets(plain_line(family, line)): line for line in lines}


def _with_reference(line: str, references: Mapping[str, str]) -> str:
    text = line.strip()
    return line.replace(text, references.get(text, text)) if MASK in text else line


def is_frr(family: str) -> bool:
    """Tell whether the configuration is that of FRR's vtysh."""
    return family == "frr"


def negation(family: str) -> str:
    """Return the word that takes a line back: `no` (FRR, IOS) or `undo` (VRP, Comware)."""
    return "no" if family in ("frr", "cisco_ios") else "undo"


def strip_noise(family: str, text: str) -> str:
    """Return the configured lines alone: no headers, separators, block ends, versions or carriage returns, nothing that the
    device adds of its own.
    """
    noise = {"frr": _FRR_NOISE, "cisco_ios": _IOS_NOISE}.get(family, _VRP_NOISE)
    lines = (line.rstrip() for line in plain_text(family, text.replace("\r", "")).split("\n"))
    return "".join(f"{line}\n" for line in lines if not noise.match(line))


def blocks(family: str, text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every top-level line with the lines indented below it, stripped, in order."""
    head: str | None = None
    body: list[str] = []
    for line in strip_noise(family, text).splitlines():
        if line.startswith(" "):
            body.append(line.strip())
            continue
        if head is not None:
            yield head, tuple(body)
        head, body = line, []
    if head is not None:
        yield head, tuple(body)
