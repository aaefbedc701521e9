"""Metric families as text: heads by prometheus-client, samples here. A city of 5,000 lines has 85,000 of them, and the client tries
each name and each label of each anew for whether it needs quotes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from prometheus_client import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

#: What the client's `choose_encoder` returns.
Encoder = Callable[[Collector], bytes]


class _Families(Collector):
    """Families as an encoder wants them."""

    def __init__(self, *families: Metric) -> None:
        self.families = families

    def collect(self) -> Iterable[Metric]:
        return self.families


def write_families(families: Iterable[Metric], encoder: Encoder) -> bytes:
    """Return what the encoder would write of these families, to the octet. Their samples have no moments and no exemplars."""
    end = encoder(_Families())
    parts = [_write_family(family, encoder, end) for family in families]
    return b"".join((*parts, end))


def _write_family(family: Metric, encoder: Encoder, end: bytes) -> bytes:
    head = encoder(_Families(Metric(family.name, family.documentation, family.type, family.unit))).removesuffix(end)
    if not head.startswith(f"# HELP {family.name}".encode()):  # names are asked for in an escaped form
        return encoder(_Families(family)).removesuffix(end)
    return head + "".join(_sample_lines(family)).encode()


def _sample_lines(family: Metric) -> Iterator[str]:
    for sample in family.samples:
        labels = ",".join([f'{name}="{_escaped(value)}"' for name, value in sorted(sample.labels.items())])
        number: str = floatToGoString(sample.value)  # type: ignore[no-untyped-call]  # the client types its doors only
        yield f"{sample.name}{{{labels}}} {number}\n" if labels else f"{sample.name} {number}\n"


@lru_cache(maxsize=1 << 16)
def _escaped(value: str) -> str:
    """Return a label's value between its quotes: the same few ids and names stand in every family."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
