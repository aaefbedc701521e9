"""The command line: `waiwang VERB`. Reading is the default; writing is asked for with --commit."""

from __future__ import annotations

import sys

#: What a shell shows for a process that SIGINT ended.
INTERRUPTED = 130


def main() -> None:
    """Run one command. Loading everything takes a second, and Ctrl-C is answered without a traceback then too."""
    try:
        from app.cli.commands import run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(INTERRUPTED)
