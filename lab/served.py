"""`waiwang serve` in the lab's `noc`, for whoever looks at it from outside: tests and benches."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from app.errors import LabError
from lab import runner
from lab.handle import Lab
from lab.virtual.simulation import free_port

#: A server that does not answer by then will not.
PATIENCE_S = 60.0


@contextmanager
def serving(lab: Lab, log: Path, environ: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """Serve until the block ends, what it says in `log`; yield its address on this machine's loopback.

    Raises:
        LabError: as `await_answer`.
    """
    port = free_port()
    program = str(Path(sys.executable).with_name("waiwang"))
    with log.open("w", encoding="utf-8") as said:
        process = runner.start_in_noc([program, "serve"], {**lab.environment, **environ}, listen=("127.0.0.1", port), stdout=said)
        try:
            url = f"http://127.0.0.1:{port}"
            await_answer(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(60)


def await_answer(url: str, process: subprocess.Popen[str]) -> None:
    """Wait until a server that was just started answers.

    Raises:
        LabError: it ended, or did not answer within `PATIENCE_S`.
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LabError(f"waiwang serve: expected a running server; found exit code {process.returncode}. Run it by hand to see why.")
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise LabError(f"waiwang serve: expected an answer within {PATIENCE_S:g} s; found none. Run it by hand to see why.")
