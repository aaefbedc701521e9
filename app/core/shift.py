"""The paper that a run hands to the next shift: what became of every device, what is open, how to go on and how to go back. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.document import Block, Cell, Document, Outline, grid_or

#: Result of a device, in the order in which they are counted, with its words.
RESULT_WORDS = {
    "deployed": ("已下发并保存", "deployed"),
    "unchanged": ("已符合", "unchanged"),
    "pending": ("待下发", "pending"),
    "unreachable": ("不可达", "unreachable"),
    "login_refused": ("拒绝登录", "login refused"),
    "refused": ("被拒绝", "refused"),
    "failed": ("失败", "failed"),
    "not_begun": ("未开始", "not begun"),
}
#: What a change that was given up has left, where the device is not as it was: these come first, as they need somebody at once.
STANDS_WORDS = {
    "half_changed": ("只改了一半", "half changed"),
    "not_known": ("状态不明", "state not known"),
}
#: Those that somebody has to look at.
OPEN = ("failed", "refused", "login_refused", "unreachable")


@dataclass(frozen=True, slots=True)
class Visited:
    """One device of a run. `lines`: lines added and removed; `region` and `unit` by name; `stands` as in DeviceError."""

    device: str
    region: str
    unit: str
    line: str
    carrier: str
    result: str
    lines: int
    reason: str
    stands: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """A run as a whole; moments as text on the order's clock. `command` goes on with it, `back` undoes it; `note` tells a simulation."""

    title: str
    by: str
    began: str
    ended: str
    command: str
    back: str
    committed: bool
    conditions: tuple[str, ...]
    note: str
    devices: tuple[Visited, ...]


def shift_paper(shift: Shift, language: str) -> Document:
    """Return the hand-over of a run."""
    zh = language == "zh"
    outline = Outline(language)
    who = f"执行：{shift.by}；{shift.began} 至 {shift.ended}。" if zh else f"Run by {shift.by}, {shift.began} to {shift.ended}."
    outline.say(f"{'命令：' if zh else 'Command: '}{shift.command}", style="plain")
    shown_only = "只显示，未写入任何设备。" if zh else "Shown only: nothing was written to any device."
    outline.say(who, "" if shift.committed else shown_only, style="plain")
    if shift.conditions:
        outline.say(("限制：" if zh else "Limits: ") + ("；" if zh else "; ").join(shift.conditions), style="plain")
    outline.chapter("各县区结果" if zh else "Results by county")
    outline.add(_by_region(shift.devices, zh=zh))
    outline.chapter("需要处理" if zh else "To be looked at")
    outline.add(_open(shift.devices, zh=zh))
    outline.chapter("未开始和待下发" if zh else "Not begun, and pending")
    outline.add(_waiting(shift.devices, zh=zh))
    outline.chapter("接着做与退回" if zh else "Going on, and going back")
    on, back = (
        ("接着做（已符合的设备不会再动）：", "退回本次全部改动（先看补丁，再加 --commit）：")
        if zh
        else ("To go on (what is as it should be stays untouched): ", "To take all of it back (read the patch, then --commit): ")
    )
    outline.say(f"{on}{shift.command}", style="plain")
    if shift.committed:
        outline.say(f"{back}{shift.back}", style="plain")
    return Document(language, "report", shift.title, "", "", shift.note, outline.blocks)


def _word(result: str, *, zh: bool) -> str:
    return RESULT_WORDS[result][0 if zh else 1]


def _words(each: Visited, *, zh: bool) -> str:
    word = _word(each.result, zh=zh)
    if each.stands not in STANDS_WORDS:
        return word
    left = STANDS_WORDS[each.stands][0 if zh else 1]
    return f"{word}（{left}）" if zh else f"{word}, {left}"


def _by_region(devices: Sequence[Visited], *, zh: bool) -> Block:
    results = [result for result in RESULT_WORDS if any(each.result == result for each in devices)]
    regions = list(dict.fromkeys(each.region for each in devices))
    counted = Counter((each.region, each.result) for each in devices)
    rows: list[tuple[Cell, ...]] = [
        (region, sum(counted[region, result] for result in results), *(counted[region, result] for result in results)) for region in regions
    ]
    totals = [sum(counted[region, result] for region in regions) for result in results]
    rows.append(("合计" if zh else "Total", len(devices), *totals))
    head = ("县区" if zh else "County", "设备" if zh else "Devices", *(_word(result, zh=zh).capitalize() for result in results))
    return grid_or("", "", head, rows, (1.0,) * len(head), "l" + "r" * (len(head) - 1))


def _open(devices: Iterable[Visited], *, zh: bool) -> Block:
    open_ones = (each for each in devices if each.result in OPEN)
    found = sorted(open_ones, key=lambda each: (each.stands not in STANDS_WORDS, OPEN.index(each.result)))
    rows = [(each.device, each.unit or each.region, each.line, each.carrier, _words(each, zh=zh), each.reason) for each in found]
    head = ("设备", "单位", "线路", "提供商", "结果", "原因和下一步")
    head = head if zh else ("Device", "Unit", "Line", "Carrier", "Result", "Reason, next step")
    return grid_or("没有。" if zh else "None.", "", head, rows, (1.2, 1.0, 1.0, 0.6, 0.7, 3.0), "llllll")


def _waiting(devices: Iterable[Visited], *, zh: bool) -> Block:
    groups: dict[tuple[str, str], list[str]] = {}
    for each in devices:
        if each.result in ("not_begun", "pending"):
            groups.setdefault((each.result, each.reason), []).append(each.device)
    rows = [(_word(result, zh=zh), len(names), reason, " ".join(names)) for (result, reason), names in groups.items()]
    head = ("结果", "设备数", "原因", "设备") if zh else ("Result", "Devices", "Reason", "Devices by name")
    return grid_or("没有。" if zh else "None.", "", head, rows, (0.6, 0.4, 2.0, 3.0), "lrll")
