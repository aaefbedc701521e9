"""A client of `waiwang serve` in a lab, as a process that ends with the test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import httpx

from lab import served
from lab.handle import Lab


@contextmanager
def serving(lab: Lab, log: Path, environ: Mapping[str, str] = MappingProxyType({})) -> Iterator[httpx.Client]:
    """Run `waiwang serve` in noc, its page on this machine's loopback; yield a client of it."""
    with served.serving(lab, log, environ) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client
