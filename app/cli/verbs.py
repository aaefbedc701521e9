"""Every verb of the command line: where it is defined, and what `waiwang --help` says of it without loading it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verb:
    """`place`: module and attribute, a function or a Typer of its own. `summary`: the first paragraph of its help."""

    name: str
    place: str
    summary: str


VERBS = (
    Verb("check", "app.cli.paper:check", "Judge every input; all findings at once, each with file:line."),
    Verb("plan", "app.cli.paper:plan", "Show the allocations to be made; --commit writes the ledger."),
    Verb("render", "app.cli.paper:render", "Write the intended configuration of every device; the same input gives the same bytes."),
    Verb("diff", "app.cli.devices:diff", "Show intended against running, a unified diff per device. Writes nothing."),
    Verb("deploy", "app.cli.devices:deploy", "Show the patch of every device; --commit pushes it root first, reads it back, saves."),
    Verb(
        "history", "app.cli.rollback:history",
        "Show the configurations of a device that were kept before a change, newest first; with --since, or no device, what was done.",
    ),
    Verb(
        "rollback", "app.cli.rollback:rollback",
        "Show the patch that takes one device back to a backup; --commit pushes it, reads it back, saves.",
    ),
    Verb("poll", "app.cli.observe:poll", "Ask every device once and show every line."),
    Verb("accept", "app.cli.observe:accept", "Judge lines against the order; --commit records the decisions with their evidence."),
    Verb("serve", "app.cli.observe:serve", "Poll on schedule and show: dashboard at /, API at /api/v1, metrics at /metrics."),
    Verb("availability", "app.cli.availability:availability", "Judge how much of the service time accepted lines were up."),
    Verb("verify", "app.cli.proof:verify", "Check a pack; names what was altered. Needs no workspace and no network."),
    Verb(
        "demo", "app.cli.demo:demo",
        "Carry the order of Bazhong to accepted lines: check, plan, render, deploy, poll, measure, accept, see.",
    ),
    Verb(
        "identify", "app.cli.identity:identify_devices",
        "Ask devices for their description, model and serial number, and keep what has changed.",
    ),
    Verb("import", "app.cli.exchange:import_", "Take units, devices, lines and VPNs on lines from XLSX or CSV, judged together."),
    Verb("export", "app.cli.exchange:export", "Hand out a table of the inventory; `import` takes it back."),
    Verb(
        "init", "app.cli.exchange:init",
        "Write a new workspace with commented files and marked defaults; it passes the check as it stands.",
    ),
    Verb("worksheet", "app.cli.exchange:worksheet", "Orders out to a carrier, and its reports back."),
    Verb("netbox", "app.cli.exchange:netbox", "Tables for NetBox's CSV import, and NetBox's circuits and prefixes back."),
    Verb("measure", "app.cli.measure:app", "Active tests; their results are evidence for waiwang accept."),
    Verb("life", "app.cli.lifecycle:life", "The life of lines, from planned to closed."),
    Verb("confirm", "app.cli.lifecycle:confirm", "Confirmation of accepted lines: unit and carrier, then the centre."),
    Verb("evidence", "app.cli.proof:evidence", "Evidence packs: what a decision rests on, signed."),
    Verb("event", "app.cli.events:event", "What units report; evidence for milestones that no line shows."),
    Verb("account", "app.cli.accounts:account", "Who may sign in to the page and the API."),
    Verb("contest", "app.cli.contests:contest", "Contests of scores (复核、申诉): who contests which row, and what was decided."),
    Verb("fault", "app.cli.faults:fault", "Faults of lines: who has them, and how long carriers need."),
    Verb("window", "app.cli.windows:window", "Change windows: planned maintenance that silences alerts and enters no availability."),
    Verb("report", "app.cli.report:report", "Progress, overdue lines, circulars, scores, lists of organisations, availability."),
    Verb("audit", "app.cli.audit:app", "What devices really hold, against plan, baseline and isolation. Nothing is written."),
    Verb(
        "renumber", "app.cli.renumber:app",
        "Renumber units to the plan: both addresses for a while, proof before anything is taken away.",
    ),
    Verb(
        "completion", "app.cli.completion:completion",
        'Print the script that lets a shell complete verbs and options: eval "$(waiwang completion bash)".',
    ),
    Verb("lab", "lab.cli:app", "The lab: real routers in network namespaces, numbered from 198.18.0.0/15. Needs root."),
    Verb("virtual", "lab.virtual.cli:app", "A simulated city: virtual devices on 127.0.0.0/8, no root."),
)
