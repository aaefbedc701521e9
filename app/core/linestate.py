"""The state of every line from what one poll cycle saw. Pure.

A line is down only where somebody saw a port down; where nobody could look it is unreachable, behind the dead line
nearest the root. Devices that answered decide: a county that a backup line keeps alive stays visible.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.core.acceptance import PortSample
from app.core.inventory import Inventory, Line, parents, path_to_root

#: What a device did when asked. `wrong_key`: it answered, and refused the user or the key.
ANSWERS = ("answered", "silent", "wrong_key", "faulty")

#: Every reason in English, as it is stored, and in Chinese. One `{}` stands for each name.
REASONS = {
    "both_up": ("both ports are up", "两端端口均已连通"),
    "far_answers": ("far end {} answers through this line; near end {} does not answer", "对端 {} 经本线路应答；近端 {} 无应答"),
    "port_down": ("port {} is down", "端口 {} 断开"),
    "port_shut": ("port {} is shut", "端口 {} 已被关闭"),
    "no_port": ("{} has no interface {}", "设备 {} 上没有接口 {}"),
    "no_status": ("{} does not tell the state of {}", "设备 {} 未给出 {} 的状态"),
    "wrong_key": ("{} refuses our SNMP user or key", "设备 {} 拒绝本系统的 SNMP 用户或密钥"),
    "faulty": ("{} answers SNMP with errors only", "设备 {} 的 SNMP 应答均为错误"),
    "far_silent": ("far end {} does not answer", "对端 {} 无应答"),
    "near_silent": ("near end {} does not answer, far end sees its port up", "近端 {} 无应答，对端端口连通"),
    "behind": ("neither end answers; behind line {}", "两端均无应答；位于线路 {} 之后"),
    "neither": ("neither {} nor {} answers", "{} 与 {} 均无应答"),
    "cut_off": (
        "root {} and everything behind it are silent: the poller may be cut off",
        "根设备 {} 及其下全部无应答：监测机可能已与网络断开",
    ),
    "not_asked": ("never looked: {} was not asked", "未测量：没有询问 {}"),
}
_PATTERNS = tuple(
    (re.compile(re.escape(english).replace(re.escape("{}"), "(.+?)") + r"\Z"), chinese) for english, chinese in REASONS.values()
)


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What one device did in one cycle. `uptime_ticks` is sysUpTime in 1/100 s; `sys_name` what it calls itself."""

    device: str
    at: datetime
    answer: str
    reason: str
    sys_name: str | None = None
    uptime_ticks: int | None = None


@dataclass(frozen=True, slots=True)
class PollCycle:
    """One finished cycle: how many devices were asked and how many answered."""

    started_at: datetime
    finished_at: datetime
    devices: int
    answered: int


@dataclass(frozen=True, slots=True)
class LineJudgement:
    """A line's state (`acceptance.LINE_STATES`), why, and the dead line it is behind, None at the top of a dead part."""

    state: str
    reason: str
    behind: str | None = None


def judge_lines(inventory: Inventory, answers: Mapping[str, str], ports: Mapping[tuple[str, str], PortSample]) -> dict[str, LineJudgement]:
    """Return a judgement of every line.

    `answers` holds one of `ANSWERS` for each device that was asked. `ports` maps (device, interface) to what was seen.
    """
    if (root := find_silent_root(inventory, answers)) is not None:
        reason = _words("cut_off", root)
        return {line_id: LineJudgement("unreachable", reason) for line_id in inventory.lines}
    parent = parents(inventory)
    carrying = lines_without_detour(inventory, parent)
    judged = {line.line_id: _judge_ends(line, answers, ports, line.line_id in carrying) for line in inventory.lines.values()}
    for line in inventory.lines.values():
        if answers.get(line.a_device) == answers.get(line.z_device) == "silent":
            judged[line.line_id] = _judge_dead(line, judged, parent)
    return judged


def find_silent_root(inventory: Inventory, answers: Mapping[str, str]) -> str | None:
    """Return the root that was asked and is silent while nobody else says a word: who looks from there sees nothing."""
    if any(answer != "silent" for answer in answers.values()):
        return None
    below = {line.z_device for line in inventory.lines.values() if line.role == "primary"}
    above = (line.a_device for line in inventory.lines.values() if line.role == "primary")
    return next((device for device in above if device not in below and device in answers), None)


def lines_without_detour(inventory: Inventory, parent: Mapping[str, Line]) -> set[str]:
    """Return the lines that everything beyond them must pass: no backup line leads round them."""
    alone = {line.line_id for line in parent.values()}
    for backup in inventory.lines.values():
        if backup.role == "backup":
            ends = (path_to_root(backup.a_device, parent), path_to_root(backup.z_device, parent))
            from_a, from_z = ({line.line_id for line in path} for path in ends)
            alone -= from_a ^ from_z
    return alone


def _judge_ends(
    line: Line, answers: Mapping[str, str], ports: Mapping[tuple[str, str], PortSample], carries_answer: bool
) -> LineJudgement:
    ends = ((line.a_device, line.a_interface), (line.z_device, line.z_interface))
    for end in ends:
        if (why := _down_reason(ports.get(end))) is not None:
            return LineJudgement("down", why)
    for device, interface in ends:
        if answers.get(device) == "answered" and (why := _unseen_reason(device, interface, ports)) is not None:
            return LineJudgement("unknown", why)
    match answers.get(line.a_device), answers.get(line.z_device):
        case None, _:
            return LineJudgement("unknown", _words("not_asked", line.a_device))
        case _, None:
            return LineJudgement("unknown", _words("not_asked", line.z_device))
        case "answered", "answered":
            return LineJudgement("up", _words("both_up"))
        case _, "answered" if carries_answer:
            return LineJudgement("up", _words("far_answers", line.z_device, line.a_device))
    return LineJudgement("unreachable", _mute_reason(line, answers))


def _mute_reason(line: Line, answers: Mapping[str, str]) -> str:
    """Say which end of a line keeps us from judging it."""
    for device in (line.a_device, line.z_device):
        if (answer := answers[device]) in ("wrong_key", "faulty"):
            return _words(answer, device)
    if answers[line.a_device] == "answered":
        return _words("far_silent", line.z_device)
    if answers[line.z_device] == "answered":
        return _words("near_silent", line.a_device)
    return _words("neither", line.a_device, line.z_device)


def _unseen_reason(device: str, interface: str, ports: Mapping[tuple[str, str], PortSample]) -> str | None:
    """Say why a device that answered leaves us without the port's state, None where it is known."""
    port = ports.get((device, interface))
    if port is None:
        return _words("no_port", device, interface)
    return _words("no_status", device, interface) if port.oper_up is None else None


def _down_reason(port: PortSample | None) -> str | None:
    """Say why a port that was seen is not usable, None where it was not seen or is fine."""
    if port is None:
        return None
    if port.admin_up is False:
        return _words("port_shut", f"{port.device}/{port.interface}")
    return _words("port_down", f"{port.device}/{port.interface}") if port.oper_up is False else None


def _judge_dead(line: Line, judged: Mapping[str, LineJudgement], parent: Mapping[str, Line]) -> LineJudgement:
    """Find the dead line nearest the root above a line that nobody sees."""
    path = [above.line_id for above in path_to_root(line.a_device, parent) if above.line_id != line.line_id]
    top = next((line_id for line_id in reversed(path) if judged[line_id].state in ("down", "unreachable")), None)
    return judged[line.line_id] if top is None else LineJudgement("unreachable", _words("behind", top), top)


def _words(reason: str, *names: str) -> str:
    return REASONS[reason][0].format(*names)


def reason_in_chinese(reason: str) -> str:
    """Return a stored reason in Chinese; a text that is none of `REASONS` comes back as it is."""
    for pattern, chinese in _PATTERNS:
        if (match := pattern.match(reason)) is not None:
            return chinese.format(*match.groups())
    return reason


def names_line(alias: str, line_id: str) -> bool:
    """Tell whether a port's description holds the line id as a word of its own: no letter, digit, `_` or `-` touches it."""
    start = alias.find(line_id)
    while start >= 0:
        end = start + len(line_id)
        if not (_is_of_word(alias[start - 1 : start]) or _is_of_word(alias[end : end + 1])):
            return True
        start = alias.find(line_id, start + 1)
    return False


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character in ("_", "-")


def line_ports(lines: Iterable[Line]) -> dict[str, dict[str, tuple[str, bool]]]:
    """Return for every device its interfaces that belong to lines: name → (line id, whether it is the reserved one)."""
    ports: dict[str, dict[str, tuple[str, bool]]] = {}
    for line in lines:
        places = (
            (line.a_device, line.a_interface, False),
            (line.z_device, line.z_interface, False),
            (line.a_device, line.a_reserved_interface, True),
            (line.z_device, line.z_reserved_interface, True),
        )
        for device, interface, reserved in places:
            if interface is not None:
                ports.setdefault(device, {})[interface] = (line.line_id, reserved)
    return ports
