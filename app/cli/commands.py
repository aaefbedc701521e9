"""Every verb of the command line, and the door that turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperOption

from app.cli import devices, exchange, lifecycle, observe, paper, proof, rollback
from app.cli.audit import app as audit
from app.cli.demo import demo
from app.cli.events import event
from app.cli.measure import app as measure
from app.cli.output import show_error, tell
from app.cli.renumber import app as renumber
from app.cli.report import report
from app.errors import ExitCode, WaiwangError
from lab.cli import app as lab
from lab.virtual.cli import app as virtual

app = typer.Typer(
    name="waiwang",
    help="Rolls out and watches a city's e-government extranet: from the order to the accepted line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (
    paper.check,
    paper.plan,
    paper.render,
    devices.diff,
    devices.deploy,
    rollback.history,
    rollback.rollback,
    observe.poll,
    observe.accept,
    observe.serve,
    lifecycle.availability,
    proof.verify,
    demo,
):
    app.command()(verb)
app.command(name="import")(exchange.import_)
app.command()(exchange.export)
app.command()(exchange.init)
app.add_typer(exchange.worksheet, name="worksheet")
app.add_typer(exchange.netbox, name="netbox")
app.add_typer(measure, name="measure")
app.add_typer(lifecycle.life, name="life")
app.add_typer(lifecycle.confirm, name="confirm")
app.add_typer(proof.evidence, name="evidence")
app.add_typer(event, name="event")
app.add_typer(report, name="report")
app.add_typer(audit, name="audit")
app.add_typer(renumber, name="renumber")
app.add_typer(lab, name="lab")
app.add_typer(virtual, name="virtual")


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"waiwang {version('waiwang')}\n")
        raise typer.Exit


@app.callback()
def everything(
    shown: Annotated[bool, typer.Option("--version", metavar="", help="show the version", callback=_show_version, is_eager=True)] = False,
) -> None:
    """Rolls out and watches a city's e-government extranet: from the order to the accepted line."""


def build_command() -> Any:  # Typer's own copy of click has no public name for its commands
    """Return the whole command line, with a variable for every option that takes a value: WAIWANG_<VERB>_<OPTION> where none is named.

    Flags have none: a word such as --commit or --skip-rejected is given by hand, each time.
    """
    command = typer.main.get_command(app)
    _name_variables(command, ("WAIWANG",))
    return command


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
