"""What we write of metric families is what prometheus-client would write, to the octet, in every form that it knows."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from app.web.exposition import Encoder, write_families
from app.web.metrics import families, notification_families
from tests.samples.rollout import build_summary

FORMS = (
    "",
    "text/plain; version=1.0.0; escaping=allow-utf-8",
    "text/plain; version=1.0.0; escaping=values",
    "text/plain; version=1.0.0; escaping=dots",
    "application/openmetrics-text; version=1.0.0",
    "application/openmetrics-text; version=1.0.0; escaping=allow-utf-8",
    "application/openmetrics-text; version=1.0.0; escaping=dots",
)
#: Texts with what a label's value has to be escaped for, and any others.
TEXTS = st.text(st.one_of(st.sampled_from('\\"\n{},= 巴'), st.characters(exclude_categories=["Cs"])), max_size=12)
NUMBERS = st.one_of(st.floats(), st.integers(-(2**70), 2**70))


class Fixed(Collector):
    """Families that are there."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self.found = list(found)

    def collect(self) -> Iterable[Metric]:
        return self.found


def written_by_the_client(found: Iterable[Metric], encoder: Encoder) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Fixed(found))
    return encoder(registry)  # type: ignore[arg-type]  # as the client itself calls it


@pytest.mark.parametrize("accepted", FORMS)
def test_a_whole_rollout_is_written_as_the_client_writes_it(accepted: str) -> None:
    encoder, _ = choose_encoder(accepted)
    found = [*families(build_summary()), *notification_families({"accepted": 3, "unknown_engine": 0})]
    assert sum(len(family.samples) for family in found) > 100
    assert write_families(found, encoder) == written_by_the_client(found, encoder)


@given(st.sampled_from(FORMS), st.lists(st.tuples(TEXTS, TEXTS, NUMBERS), max_size=4), TEXTS)
def test_any_label_number_and_documentation_is_written_as_the_client_writes_it(
    accepted: str, samples: list[tuple[str, str, float]], documentation: str
) -> None:
    encoder, _ = choose_encoder(accepted)
    gauge = GaugeMetricFamily("waiwang_gauge", documentation, labels=("zone", "line_id"))
    counter = CounterMetricFamily("waiwang_counter", documentation, labels=("line_id",))
    told = InfoMetricFamily("waiwang_told", documentation, labels=("line_id",))
    bare = GaugeMetricFamily("waiwang_bare", documentation, value=1.5)
    for one, other, number in samples:
        gauge.add_metric((one, other), number)
        counter.add_metric((one,), number)
        told.add_metric((one,), {"unit": other})
    found = (gauge, counter, told, bare)
    assert write_families(found, encoder) == written_by_the_client(found, encoder)


def test_no_family_at_all_leaves_what_the_form_ends_with() -> None:
    assert write_families((), choose_encoder("")[0]) == b""
    assert write_families((), choose_encoder("application/openmetrics-text; version=1.0.0")[0]) == b"# EOF\n"
