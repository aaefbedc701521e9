"""Why an entry was refused, in Chinese. Findings are written in English; one of unknown origin stands as it is."""

from __future__ import annotations

import re

from app.errors import AccessRefused, Finding, InputError, WaiwangError
from app.web.confirmation_form import FormWords
from app.web.dashboard.words import Words

#: What a finding says → Chinese. `state` and `before` are states of a line, `party` one of those who confirm.
WHATS: tuple[tuple[str, str], ...] = (
    (r"the word of (?P<party>\w+) lies in the future", "{party}确认的时间在将来，请更正时间"),
    (r"(?P<state>\w+) lies in the future", "“{state}”的时间在将来，请更正时间"),
    (r"(?P<state>\w+) cannot follow (?P<before>\w+)", "当时线路为“{before}”，其后不能登记“{state}”"),
    (r"(?P<state>\w+) is not entered by hand", "“{state}”由系统判定，不由人工登记"),
    (r"(?P<state>\w+) contradicts what is recorded", "“{state}”的时间与已登记的步骤不符，请更正时间"),
    (r"(?P<party>\w+) cannot confirm yet", "线路尚未验收合格，不能确认"),
    (r"(?P<party>\w+) spoke before the acceptance", "时间早于验收，请更正时间"),
    (r"(?P<party>\w+) refuses without a reason", "不予确认须写明理由"),
    (r"the centre confirms last", "接入单位和网络服务提供商均确认后，中心方可确认"),
    (r"(?P<party>\w+) has confirmed already", "{party}已经确认过"),
    (r"whoever acts is no role", "经办应写岗位，不写姓名和号码"),
)
_COMPILED = tuple((re.compile(english), chinese) for english, chinese in WHATS)
_FIRST = re.compile(r"Record (?P<state>\w+) first\.")


def refusal_words(words: Words, error: WaiwangError) -> str:
    """Write why nothing was recorded."""
    if words.language != "zh":
        return str(error)
    if isinstance(error, AccessRefused):
        return "本账号没有此项权限。"
    if isinstance(error, InputError):
        return "".join(f"{_finding(words, finding)}。" for finding in error.findings)
    return str(error)


def _finding(words: Words, finding: Finding) -> str:
    for pattern, chinese in _COMPILED:
        if (match := pattern.fullmatch(finding.what)) is not None:
            sentence = chinese.format(**{name: _name(words, name, value) for name, value in match.groupdict().items()})
            first = _FIRST.fullmatch(finding.next_step)
            return f"{sentence}；请先登记“{_name(words, 'state', first['state'])}”" if first else sentence
    return str(finding)


def _name(words: Words, kind: str, value: str) -> str:
    return FormWords(words)(f"party_{value}") if kind == "party" else words.known("life", value)
