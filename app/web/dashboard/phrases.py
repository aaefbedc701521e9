"""What `app.core.judging` expected and found, in Chinese. Evidence is stored in English; a text of unknown origin stands as it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from app.core.linestate import reason_in_chinese

MOMENT = r"(?P<at>\d{4}-\d\d-\d\dT[\d:.]+(?:[+-]\d\d:\d\d|Z))"
STATES = {"up": "通", "down": "断", "unreachable": "不可达", "unknown": "未测量"}

#: English as `judging` writes it → Chinese. Groups are filled in: `at` on the order's clock, `span` in words, `reason` by linestate.
PHRASES: tuple[tuple[str, str], ...] = (
    (r"loss ratio at most (?P<ratio>[\d.e+-]+)", "丢包率不超过 {ratio}"),
    (r"loss ratio (?P<ratio>[\d.e+-]+) at (?P<steps>\d.+)", "{steps} 时丢包率 {ratio}"),
    (r"loss ratio (?P<ratio>[\d.e+-]+) \((?P<lost>.+)\)", "丢包率 {ratio}（{lost}）"),
    (r"loss ratio (?P<ratio>[\d.e+-]+)", "丢包率 {ratio}"),
    (r"at most (?P<n>\S+) (?P<unit>ms|dB)", "不超过 {n} {unit}"),
    (r"at least (?P<n>\S+) (?P<unit>Mbit/s|dBm|dB)", "不低于 {n} {unit}"),
    (r"(?P<n>-?[\d.e+-]+) (?P<unit>ms|dBm|dB|Mbit/s|kbit/s)", "{n} {unit}"),
    (r"full duplex at both ends", "两端均为全双工"),
    (r"full duplex", "全双工"),
    (r"half duplex", "半双工"),
    (r"no reserved port at (?P<devices>.+)", "{devices} 上没有预留接口"),
    (r"at least (?P<n>\d+) kbit/s \((?P<share>\S+) of (?P<nominal>\d+)\)", "不低于 {n} kbit/s（标称 {nominal} 的 {share}）"),
    (r"(?P<n>\d+) kbit/s by (?P<method>.+)", "{n} kbit/s（{method}）"),
    (r"both ports administratively and operationally up", "两端端口均已启用并连通"),
    (r"no sample that is recent enough", "没有足够新的测量"),
    (r"both up", "两端均通"),
    (r"at most (?P<n>\S+) input errors in the window", "试运行期内输入误码不超过 {n} 个"),
    (r"(?P<n>\d+) input errors", "输入误码 {n} 个"),
    (r"error counters of both ends are not known", "未能取得两端的误码计数"),
    (r"up (?P<share>\S+) of (?P<span>.+) with (?P<part>\S+) of it measured", "{span}内 {share} 的时间为通，且至少测到其中 {part}"),
    (r"nothing was measured", "没有测量"),
    (rf"the trial ends at {MOMENT}", "试运行至 {at} 结束"),
    (r"up (?P<share>\S+), (?P<part>\S+) measured", "{share} 的时间为通，测到 {part}"),
    (r"up (?P<share>\S+)", "{share} 的时间为通"),
    (r"(?P<part>\S+) of the window was measured", "只测到其中 {part}"),
    (
        r"shut and silent; (?P<mbps>\d+) Mbit/s and the wiring proven by a supervised activation",
        "平时关闭且无流量；经监督启用证实 {mbps} Mbit/s 与接线",
    ),
    (r"the reserved port is not shut", "预留接口未关闭"),
    (r"activation failed: (?P<reason>.*)", "监督启用失败：{reason}"),
    (r"the state of both reserved ports is not known", "未能取得两端预留接口的状态"),
    (r"no supervised activation yet", "尚未做监督启用"),
    (r"(?P<n>\d+) octets on a port that is shut", "已关闭的接口上有 {n} 字节流量"),
    (r"shut and silent, activation proven", "关闭且无流量，监督启用已证实"),
    (r"every required gate met", "各项前置条件均已就绪"),
    (r"(?P<n>\d+) of (?P<total>\d+) gates met", "{total} 项中 {n} 项已就绪"),
    (r"not measured", "未测量"),
    (r"could not be measured: no reason given", "未能测量，原因未说明"),
    (r"could not be measured: (?P<reason>.*)", "未能测量：{reason}"),
    (rf"measured {MOMENT}, out of date", "{at} 的测量已过期"),
    (r"(?P<state>up|down|unreachable|unknown): (?P<reason>.*)", "{state}：{reason}"),
)
_COMPILED = tuple((re.compile(english, re.DOTALL), chinese) for english, chinese in PHRASES)
_SPAN = re.compile(r"(?:(\d+) days?, )?(\d+):(\d\d):(\d\d)(?:\.\d+)?")
_LASTING = re.compile(r"(\d+) (day|hour|minute|second)s?")
_UNITS = {"day": "天", "hour": "小时", "minute": "分钟", "second": "秒"}


def in_chinese(text: str, moment: Callable[[datetime], str]) -> str:
    """Return a text of `judging` in Chinese; `moment` writes a moment on the order's clock."""
    for pattern, chinese in _COMPILED:
        if (match := pattern.fullmatch(text)) is not None:
            return chinese.format(**{name: _write(name, value, moment) for name, value in match.groupdict().items()})
    return reason_in_chinese(text)


def _write(name: str, value: str, moment: Callable[[datetime], str]) -> str:
    if name == "at":
        return moment(datetime.fromisoformat(value))
    if name == "reason":
        return reason_in_chinese(value)
    if name == "state":
        return STATES[value]
    if name == "ratio":
        return f"{float(value) * 100:g}%"
    if name == "lost":
        return re.sub(r"(\S+): (\d+) of (\d+) came back", r"\1：\3 个中收回 \2 个", value)
    if name == "steps":
        return value.replace(" down", " 下行").replace(" up", " 上行")
    return _span(value) if name == "span" else value


def _span(text: str) -> str:
    """Write a duration as `judging.lasting` does, or as Python prints it (`3 days, 0:10:00`: evidence of old), in Chinese."""
    match = _SPAN.fullmatch(text)
    if match is None:
        return " ".join(f"{number} {_UNITS[unit]}" for number, unit in _LASTING.findall(text)) or text
    parts = [f"{int(number)} {unit}" for number, unit in zip(match.groups("0"), ("天", "小时", "分钟", "秒"), strict=True) if int(number)]
    return " ".join(parts) or "0 秒"
