"""Commands that read and write files only: check, plan, render."""

from __future__ import annotations

import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Commit, Form, Names, Root, leave, now, open_context
from app.cli.output import Format, Table, show, show_findings, stdout, tell
from app.core.families import find_gaps
from app.edge.templates import read_templates
from app.errors import counted
from app.workflows.check import check as run_check
from app.workflows.plan import change_rows, format_plan, ipv6_diff
from app.workflows.plan import plan as run_plan
from app.workflows.render import render as run_render
from app.workflows.render import render_activations, render_pages, write_configs, write_pages

#: Notes of one kind are told so many times, then counted; --all-notes tells every one.
SHOWN_NOTES = 10


class Language(StrEnum):
    zh = "zh"
    en = "en"


def check(
    root: Root = None,
    form: Form = Format.text,
    all_notes: Annotated[bool, typer.Option("--all-notes", help="show every note, not the first ten")] = False,
) -> None:
    """Judge every input; all findings at once, each with file:line."""
    context = open_context(root)
    report = run_check(context.settings.root, today=_today(), store=context.store_if_any)
    notes = report.notes if all_notes or form is not Format.text else report.notes[:SHOWN_NOTES]
    show_findings([*report.findings, *notes], form, title="check")
    if form is Format.text:
        hidden = len(report.notes) - len(notes)
        more = f" ({hidden} not shown: --all-notes)" if hidden else ""
        counts = "".join(f" · {name} {number}" for name, number in report.counts.items())
        verdict = f"{counted(len(report.findings), 'finding')} · {counted(len(report.notes), 'note')}{more}"
        stdout().print(f"[bold]{verdict}[/bold]{counts}", soft_wrap=True)
    leave(report.exit_code)


def plan(root: Root = None, form: Form = Format.text, commit: Commit = False) -> None:
    """Show the allocations to be made; --commit writes the ledger."""
    context = open_context(root)
    report = run_plan(context.settings.root, commit=commit, today=_today())
    if form is Format.text:
        sys.stdout.write(format_plan(report, stdout().width))
    else:
        rows = [
            (row.change, str(row.allocation.prefix), row.allocation.holder, row.allocation.pool, row.allocation.vrf)
            for row in change_rows(report.change)
        ]
        rows += [(change, prefix[2:], holder, role, vrf) for prefix, holder, role, vrf, change in ipv6_diff(report.change6)]
        show(Table("plan", ("change", "prefix", "holder", "pool", "vrf"), rows, {"changes": len(rows)}), form)
    leave(report.exit_code)


def render(
    names: Names = None,
    root: Root = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="folder to write to; without it, to stdout")] = None,
    bootstrap: Annotated[bool, typer.Option("--bootstrap", help="first-boot texts and a page per site to print")] = False,
    language: Annotated[Language, typer.Option("--language", envvar="WAIWANG_LANGUAGE", help="of the site pages")] = Language.zh,
) -> None:
    """Write the intended configuration of every device; the same input gives the same bytes."""
    context = open_context(root)
    workspace, templates = context.workspace, read_templates(context.settings.root)
    texts = run_render(workspace, templates, names, bootstrap=bootstrap)
    if output is None:
        sys.stdout.write("".join(texts[name] for name in texts))
        return
    written = [*write_configs(output, texts)]
    if bootstrap:
        written += write_pages(output / "sites", render_pages(workspace, templates, names, language=language))
    else:
        activations = render_activations(workspace, templates, names)
        written += write_configs(output, {f"{name}.activate": text for name, text in activations.items()})
    gaps = find_gaps({name: context.intents[name] for name in texts})
    lacking = f"{counted(len(gaps), 'thing')} that a family cannot carry (waiwang check lists them)"
    tell(f"{counted(len(written), 'file')} in {output}; {lacking}")


def _today() -> date:
    """The civil day where the command runs: the ledger's dates and quarantines are days of the office."""
    return now().astimezone().date()
