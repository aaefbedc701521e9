"""`waiwang demo --scenario FILE`: play a rollout in compressed time, show what came of it, serve the page of that moment."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from rich.text import Text

from app.cli.context import leave
from app.cli.output import Format, Table, show, stdout
from app.cli.serving import listening_socket, serve_beside
from app.core.acceptance import PASS
from app.core.order import Simulation
from app.core.progress import Summary
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.errors import ExitCode
from app.web.app import create_app
from app.workflows.accept import GAP_INTERVALS
from app.workflows.summary import StoreReader
from lab.scenario.player import Player
from lab.scenario.reading import read_scenario
from lab.scenario.values import Scenario

#: How often a scenario that runs on is played further, seconds.
STEP_S = 1.0


def show_scenario(file: Path, port: int, *, exit_after: bool, pace: float) -> None:
    """Play the file, print its milestones against what it expects, then serve until Ctrl-C.

    `pace`: seconds of the scenario that pass in one second of ours while it is served; 0 lets time stand still.
    Leaves with 4 where a milestone is not as expected. Raises InputError with every finding of the file.
    """
    scenario, workspace = read_scenario(file)
    workspace = entitled(workspace, scenario)
    stdout().print(Text(f"── SIMULATION {scenario.title} · {scenario.title_en}", style="bold cyan"))
    with tempfile.TemporaryDirectory(prefix="waiwang-scenario-") as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'waiwang.db'}")
        try:
            player = Player(scenario, workspace, store)
            begun = time.monotonic()
            played = player.play_until(scenario.present_at)
            days = (scenario.present_at - scenario.begins_at) / timedelta(days=1)
            stdout().print(
                f"{days:.0f} days in {time.monotonic() - begun:.0f} s: {played.cycles} poll cycles, {played.decisions} decisions on lines"
            )
            as_expected = _show(StoreReader(workspace, store, lambda: scenario.present_at).summary(), scenario)
            if not exit_after:
                _serve(player, scenario, workspace, store, port, pace)
        finally:
            store.close()
    leave(ExitCode.OK if as_expected else ExitCode.NOT_ACCEPTED)


def entitled(workspace: Workspace, scenario: Scenario) -> Workspace:
    """Return the workspace with the scenario named on every page: what is shown was played."""
    order = workspace.order
    note, note_en = (order.simulation.note, order.simulation.note_en) if order.simulation else ("模拟", "Simulation")
    told = f"{note}；剧本“{scenario.title}”，种子 {scenario.seed}"
    told_en = f'{note_en}; scenario "{scenario.title_en}", seed {scenario.seed}'
    return replace(workspace, order=replace(order, simulation=Simulation(told, told_en)))


def _show(summary: Summary, scenario: Scenario) -> bool:
    """Print milestones and lines; tell whether the milestones are as the file expects."""
    rows = [
        (view.milestone_id, view.due_on, view.state, f"{view.done}/{view.total}", scenario.expected.get(view.milestone_id))
        for view in summary.milestones
        if view.evidence == "accepted_line"
    ]
    dues, states = Counter(line.due for line in summary.lines), Counter(line.state for line in summary.lines)
    totals = {**{due: dues[due] for due in sorted(dues)}, **{state: states[state] for state in sorted(states)}}
    waiting = [
        (line.line_id, line.due, line.state, "; ".join(line.open_criteria) or "never judged")
        for line in summary.lines
        if line.verdict != PASS
    ]
    if waiting:
        show(Table("not accepted", ("line", "standing", "state", "what_is_open"), waiting, {"lines": len(waiting)}), Format.text)
    columns = ("milestone", "due_on", "state", "accepted", "expected")
    show(Table(f"as of {summary.as_of:%Y-%m-%d %H:%M %Z}", columns, rows, totals), Format.text)
    return all(expected is None or expected == state for _, _, state, _, expected in rows)


def _serve(player: Player, scenario: Scenario, workspace: Workspace, store: Store, port: int, pace: float) -> None:
    """Serve the page on the scenario's own clock."""
    begun = time.monotonic()

    def clock() -> datetime:
        return scenario.present_at + timedelta(seconds=pace * (time.monotonic() - begun))

    stale_after = scenario.polling.final_every * GAP_INTERVALS
    app = create_app(StoreReader(workspace, store, clock), workspace.order.timezone, stale_after)

    async def play_on(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await asyncio.to_thread(player.play_until, clock())
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), STEP_S)

    async def start(stop: asyncio.Event) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(play_on(stop))] if pace else []

    with listening_socket(os.environ, "127.0.0.1", port) as sock:
        running = f"runs on {pace:g} times as fast" if pace else "stands still"
        stdout().print(Text(f"\nhttp://127.0.0.1:{port}/ until Ctrl-C; the scenario's clock {running}.", style="bold"))
        asyncio.run(serve_beside(app, sock, start))
