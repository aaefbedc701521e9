"""The command line: `waiwang VERB`. Reading is the default; writing is asked for with --commit."""

from __future__ import annotations

import sys

#: What a shell shows for a process that SIGINT ended; Typer ends with it too, without a word.
INTERRUPTED = 130


def main() -> None:
    """Run one command. Ctrl-C is answered in one word and without a traceback, also while a command is still being loaded."""
    try:
        from app.cli.commands import run

        run()
    except KeyboardInterrupt:
        _stop()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _stop()
        raise


def _stop() -> None:
    sys.stderr.write("stopped\n")
    sys.exit(INTERRUPTED)
