"""The door of the command line: loads the verb that is called, turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]  # Typer runs it only for a command of its own making
from typer.core import TyperArgument, TyperCommand, TyperOption

from app.cli.output import show_error, tell
from app.cli.verbs import VERBS, Verb
from app.errors import ExitCode, WaiwangError

app = typer.Typer(
    name="waiwang",
    help="Rolls out and watches a city's e-government extranet: from the order to the accepted line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Unloaded(TyperCommand):
    """A verb that is loaded when it is called: loading all of them takes two seconds, most need a fraction."""

    def __init__(self, verb: Verb) -> None:
        super().__init__(verb.name, help=verb.summary)
        self._verb = verb

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Hand over to the verb itself; its context runs it."""
        return load(self._verb).make_context(info_name, args, parent, **extra)


def load(verb: Verb) -> Any:  # Typer's own copy of click has no public name for its commands
    """Return a verb with everything below it, with a variable for every option that takes a value.

    WAIWANG_<VERB>_<OPTION> where none is named. Flags have none: a word such as --commit or --skip-rejected is given by hand, each time.
    """
    module, _, name = verb.place.partition(":")
    defined = getattr(import_module(module), name)
    holder = typer.Typer()
    if isinstance(defined, typer.Typer):
        holder.add_typer(defined, name=verb.name)
    else:
        holder.command(verb.name)(defined)
    command = typer.main.get_group(holder).commands[verb.name]
    _name_variables(command, ("WAIWANG", verb.name))
    _name_parameters(command)
    return command


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"waiwang {version('waiwang')}\n")
        raise typer.Exit


@app.callback()
def everything(
    shown: Annotated[bool, typer.Option("--version", help="show the version", callback=_show_version, is_eager=True)] = False,
) -> None:
    """Rolls out and watches a city's e-government extranet: from the order to the accepted line."""


def build_command() -> Any:
    """Return the whole command line, its verbs not loaded yet."""
    command = typer.main.get_group(app)
    for verb in VERBS:
        command.add_command(Unloaded(verb))
    _name_parameters(command)
    return command


def _name_parameters(command: Any) -> None:
    """Write arguments in capitals, and flags without a type, --help among them."""
    for parameter in command.params:
        if isinstance(parameter, TyperArgument) and parameter.metavar is None:
            parameter.metavar = parameter.name.upper()
        elif isinstance(parameter, TyperOption) and parameter.is_flag:
            parameter.metavar = ""
    if not isinstance(command, Unloaded):
        command.get_help_option(typer.Context(command)).metavar = ""
    for inner in getattr(command, "commands", {}).values():
        _name_parameters(inner)


def _name_variables(command: Any, path: tuple[str, ...]) -> None:
    for option in command.params:
        if isinstance(option, TyperOption) and option.envvar is None and not option.is_flag and option.name != "help":
            long = next((text for text in option.opts if text.startswith("--")), option.opts[0])
            option.envvar = "_".join((*path, long.lstrip("-").replace("-", "_"))).upper()
            option.show_envvar = False
    for name, inner in getattr(command, "commands", {}).items():
        _name_variables(inner, (*path, name.replace("-", "_")))


def run() -> None:
    """Run the command that the process was given; foreseen errors become messages and codes, unforeseen ones code 1 and one line."""
    try:
        try:
            if "_WAIWANG_COMPLETE" in os.environ:
                completion_init()
            build_command()(prog_name="waiwang")
        finally:
            sys.stdout.flush()  # here, where a full disk can still be answered
    except BrokenPipeError:
        _abandon_stdout()  # whoever read our output has seen enough
        sys.exit(int(ExitCode.OK))
    except WaiwangError as error:
        sys.exit(int(show_error(error)))
    except OSError as error:
        if os.environ.get("WAIWANG_DEBUG"):
            raise
        step = "Make room, give this account access, or choose another place."
        _abandon_stdout()
        tell(f"error {error.filename or 'output'}: expected what the system lets be read or written; found {error.strerror}. {step}")
        sys.exit(int(ExitCode.INPUT))
    except Exception as error:
        if os.environ.get("WAIWANG_DEBUG"):
            raise
        tell(f"internal fault: {type(error).__name__}: {error}. WAIWANG_DEBUG=1 shows where; please report it.")
        sys.exit(int(ExitCode.INTERNAL))


def _abandon_stdout() -> None:
    """Let what could not be written go: the interpreter would try again at its end, and complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
