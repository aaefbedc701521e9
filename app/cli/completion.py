"""Completion of words in a shell: the script that asks `waiwang` for them."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer
from typer.completion import get_completion_script  # type: ignore[attr-defined]  # documented nowhere, and the one way there is

#: The variable by which a shell's script asks for words.
COMPLETE = "_WAIWANG_COMPLETE"


class Shell(StrEnum):
    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="the shell that is to complete words")]) -> None:
    """Print the script that lets a shell complete verbs and options: eval "$(waiwang completion bash)"."""
    sys.stdout.write(get_completion_script(prog_name="waiwang", complete_var=COMPLETE, shell=shell.value) + "\n")
