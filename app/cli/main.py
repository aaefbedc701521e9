"""The command line: `waiwang VERB`. Reading is the default; writing is asked for with --commit."""

from __future__ import annotations

import os
import sys

import typer

from app.cli import devices, exchange, lifecycle, observe, paper, proof
from app.cli.demo import demo
from app.cli.output import show_error, stderr
from app.errors import ExitCode, WaiwangError
from lab.cli import app as lab

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
app.add_typer(observe.measure, name="measure")
app.add_typer(lifecycle.life, name="life")
app.add_typer(lifecycle.confirm, name="confirm")
app.add_typer(proof.evidence, name="evidence")
app.add_typer(lab, name="lab")


def main() -> None:
    """Run one command. The door: foreseen errors become messages and codes, unforeseen ones code 1 and one line."""
    try:
        app()
    except WaiwangError as error:
        sys.exit(int(show_error(error)))
    except KeyboardInterrupt:
        stderr().print("stopped")
        sys.exit(130)
    except Exception as error:
        if os.environ.get("WAIWANG_DEBUG"):
            raise
        stderr().print(f"internal fault: {type(error).__name__}: {error}. WAIWANG_DEBUG=1 shows where; please report it.", markup=False)
        sys.exit(int(ExitCode.INTERNAL))
