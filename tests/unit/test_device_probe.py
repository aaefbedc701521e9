"""What devices print of their own probes: VRP, Comware, IOS, as their manuals show it."""

from __future__ import annotations

import pytest

from app.core.device_probe import ProbeReading, parse_probe
from app.core.ping import round_trip_jitter

VRP = """ NQA entry(waiwang, centre) :testflag is active ,testtype is icmp
  1 . Test 359 result   The test is finished
   Send operation times: 5                Receive response times: 4
   Completion:success                     RTD OverThresholds number:0
   Destination ip address:198.51.100.1
   Min/Max/Average Completion Time: 2/38/14
   Sum/Square-Sum  Completion Time: 56/1452
   Lost packet ratio: 20 %
"""
VRP_JITTER = """ NQA entry(waiwang, centre) :testflag is active ,testtype is icmpjitter
   Send operation times: 60               Receive response times: 60
   Min/Max/Avg/Sum RTT:1/9/3/180          RTT Square Sum:900
   Packet Loss Ratio: 0 %                 Average of Jitter:1.5
"""
COMWARE = """NQA entry (admin waiwang, tag centre) test results:
    Send operation times: 10             Receive response times: 10
    Min/Max/Average round trip time: 2/5/3
    Square-Sum of round trip time: 96
  Extended results:
    Packet loss ratio: 0%
    Failures due to timeout: 0
"""
IOS = """IPSLAs Latest Operation Statistics

IPSLA operation id: 1
        Latest RTT: 3 milliseconds
Latest operation start time: 13:31:57 UTC Thu Feb 18 2016
Latest operation return code: OK
Number of successes: 7
Number of failures: 1
Operation time to live: Forever
"""
IOS_DEAD = IOS.replace("3 milliseconds", "NoConnection/Busy/Timeout").replace("OK", "Timeout")


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        (VRP, ProbeReading(5, 4, 14.0)),
        (VRP_JITTER, ProbeReading(60, 60, 3.0, 1.5)),
        (COMWARE, ProbeReading(10, 10, 3.0)),
        (IOS, ProbeReading(8, 7, 3.0, latest_only=True)),
        (IOS_DEAD, ProbeReading(8, 7, None, latest_only=True)),
        (COMWARE.replace("Receive response times: 10", "Receive response times: 0"), ProbeReading(10, 0, None)),
    ],
    ids=["vrp", "vrp-jitter", "comware", "ios", "ios-timeout", "all-lost"],
)
def test_a_result_is_read_in_its_vendor_s_words(text: str, reading: ProbeReading) -> None:
    assert parse_probe(text) == reading


def test_losses_are_a_ratio() -> None:
    assert [parse_probe(text).loss_ratio for text in (VRP, COMWARE, IOS)] == [pytest.approx(0.2), 0.0, 0.125]  # type: ignore[union-attr]
    assert ProbeReading(0, 0, None).loss_ratio is None


NONE_YET = "Number of successes: Unknown\nNumber of failures: Unknown"


@pytest.mark.parametrize("text", ["", "Error: The test instance does not exist.", NONE_YET])
def test_no_finished_test_is_no_result(text: str) -> None:
    assert parse_probe(text) is None


@pytest.mark.parametrize(
    ("round_trips", "jitter"),
    [
        ((1.0, 3.0, 2.0), 1.5),
        ((5.0, 5.0), 0.0),
        ((0.0, 2.0), 2.0),
        ((1.0, None, 9.0), None),
        ((1.0, None, 9.0, 9.5), 0.5),
        ((1.0,), None),
        ((), None),
    ],
)
def test_jitter_is_the_mean_step_between_neighbours(round_trips: tuple[float | None, ...], jitter: float | None) -> None:
    assert round_trip_jitter(round_trips) == jitter
