"""Every command line of README and docs is one that the program takes: its verbs, its options, the number of its words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from app.cli.commands import load
from app.cli.lines import ShowByDefault
from app.cli.verbs import VERBS
from tests.samples.command_line import REPOSITORY

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
FENCE = re.compile(r"^```.*?^```", re.M | re.S)
INLINE = re.compile(r"(?<!`)`waiwang ([^`]+)`")
#: A command in a block: at a line's start or after `&&`, up to a comment, a pipe or the next command.
IN_BLOCK = re.compile(r"(?:^|&&)[ $]*(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?waiwang ((?:[^#|&\n]|(?<=\S)[|])+)", re.M)


def documented(page: Path) -> Iterator[str]:
    """Yield what stands after `waiwang` in a page, in blocks and in running text."""
    text = page.read_text(encoding="utf-8")
    blocks = FENCE.findall(text)
    yield from (line.strip() for block in blocks for line in IN_BLOCK.findall(block))
    yield from (line.replace("\\|", "|") for line in INLINE.findall(FENCE.sub("", text)))


def spellings(line: str) -> Iterator[tuple[str, ...]]:
    """Yield the command lines that a documented one stands for: `a|b` is either, what is in brackets may be there."""
    line = re.sub(r"\[([^\]]*)\]", r"\1", line).replace("…", "")
    yield from product(*(word.split("|") for word in shlex.split(line)))


def find_command(words: Sequence[str]) -> tuple[Any, list[str]]:
    """Return the command that these words name, and the words that are left for it."""
    verb = next((verb for verb in VERBS if verb.name == words[0]), None)
    assert verb is not None, f"no verb {words[0]}"
    command, rest = load(verb), list(words[1:])
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        if rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        else:
            assert isinstance(command, ShowByDefault), f"{verb.name} has no {rest[0]}"
            command = command.commands["show"]
    return command, rest


def require_taken(words: Sequence[str]) -> None:
    """Fail where the program would refuse an option or a word too many; what is missing is left to the reader."""
    if words[0].startswith("-"):
        return
    command, rest = find_command(words)
    context = command.make_context(words[0], [], resilient_parsing=True)
    context.resilient_parsing = False  # which would forgive what is wrong
    values, left, _ = command.make_parser(context).parse_args(rest)
    assert not left or command.context_settings.get("allow_extra_args"), f"words that nothing takes: {left}"
    for option in command.params:
        given, kind = values.get(option.name), option.type_descriptor.annotation
        if isinstance(given, str) and isinstance(kind, type) and issubclass(kind, Enum):
            assert given in [choice.value for choice in kind], f"{given}: one of {[choice.value for choice in kind]}"


CASES = [(page.name, line) for page in PAGES for line in documented(page)]


def test_there_are_commands_to_look_at() -> None:
    assert len(CASES) > 100


@pytest.mark.parametrize(("page", "line"), sorted(set(CASES)))
def test_every_documented_command_is_taken(page: str, line: str) -> None:
    for words in spellings(line):
        require_taken(words)


@pytest.mark.parametrize("line", ["chek", "plan --comit", "renumber begin", "verify PACK another", "check --format yaml"])
def test_a_command_that_is_no_longer_taken_is_found(line: str) -> None:
    with pytest.raises(Exception, match=r"no verb|No such option|has no|nothing takes|one of"):
        require_taken(line.split())
