"""Hold running configurations against the baseline, line by line. Pure: text in, findings out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from app.core.acceptance import FAIL, PASS
from app.core.baseline import CHECKS, LANGUAGES, BaselineCheck, Forbid, Require, RequireEach, Rule
from app.core.commands import mask_secrets
from app.core.config_lines import ConfigBlock, ConfigLine, read_blocks, read_lines

NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Breach:
    """A line that breaks a check, or the place where one is missing: `line` 0 means that it stands nowhere. Secrets are masked."""

    line: int
    found: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check on one device: pass, fail with every breach, or not applicable to its family."""

    device: str
    check: BaselineCheck
    verdict: str
    breaches: tuple[Breach, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ground:
    lines: tuple[ConfigLine, ...]
    blocks: tuple[ConfigBlock, ...]


def audit_config(device: str, family: str, running: str, checks: Iterable[BaselineCheck] = CHECKS) -> tuple[CheckResult, ...]:
    """Return the result of every check on one running configuration, in the order of the checks."""
    lines = read_lines(family, running)
    ground = _Ground(lines, tuple(read_blocks(lines)))
    language = LANGUAGES.get(family, "")
    return tuple(_result(device, check, check.rules.get(language, ()), ground) for check in checks)


def count_verdicts(results: Iterable[CheckResult]) -> Mapping[str, int]:
    """Return how many results there are of each verdict."""
    counts = {PASS: 0, FAIL: 0, NOT_APPLICABLE: 0}
    for result in results:
        counts[result.verdict] += 1
    return counts


def _result(device: str, check: BaselineCheck, rules: tuple[Rule, ...], ground: _Ground) -> CheckResult:
    if not rules:
        return CheckResult(device, check, NOT_APPLICABLE)
    breaches = tuple(breach for rule in rules for breach in _breaches(rule, ground))
    return CheckResult(device, check, FAIL if breaches else PASS, breaches)


def _breaches(rule: Rule, ground: _Ground) -> Iterator[Breach]:
    match rule:
        case Forbid():
            yield from _forbidden(rule, ground)
        case Require():
            if not any(_find(rule.pattern, line.text) for line in ground.lines):
                yield Breach(0, "no such line")
        case RequireEach():
            yield from _missing(rule, ground)


def _forbidden(rule: Forbid, ground: _Ground) -> Iterator[Breach]:
    for line in ground.lines:
        if rule.block and not _find(rule.block, line.block):
            continue
        if _find(rule.pattern, line.text):
            yield Breach(line.number, mask_secrets(line.text))


def _missing(rule: RequireEach, ground: _Ground) -> Iterator[Breach]:
    for block in ground.blocks:
        if not _find(rule.block, block.head.text) or _is_left_out(rule, block, ground):
            continue
        if not any(_find(rule.pattern, line.text) for line in block.body):
            yield Breach(block.head.number, f"{mask_secrets(block.head.text)}: no such line in it")


def _is_left_out(rule: RequireEach, block: ConfigBlock, ground: _Ground) -> bool:
    if rule.only_with and not any(_find(rule.only_with, line.text) for line in block.body):
        return True
    if rule.but_with and any(_find(rule.but_with, line.text) for line in block.body):
        return True
    return rule.but_divided and any(other.head.text.startswith(f"{block.head.text}.") for other in ground.blocks)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _find(pattern: str, text: str) -> bool:
    return _compiled(pattern).search(text) is not None
