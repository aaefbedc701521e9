"""Statistics of ping as real programs print them."""

from __future__ import annotations

import pytest

from app.core.ping import PingCount, parse_ping

IPUTILS = """PING 198.18.0.2 (198.18.0.2) 56(84) bytes of data.
64 bytes from 198.18.0.2: icmp_seq=1 ttl=63 time=0.061 ms

--- 198.18.0.2 ping statistics ---
4 packets transmitted, 3 received, 25% packet loss, time 3072ms
rtt min/avg/max/mdev = 0.061/0.080/0.101/0.014 ms
"""
VRP = """  --- 198.18.0.2 ping statistics ---
    5 packet(s) transmitted
    5 packet(s) received
    0.00% packet loss
    round-trip min/avg/max = 1/2/6 ms
"""
SILENT = "--- 198.18.0.2 ping statistics ---\n5 packets transmitted, 0 received, 100% packet loss, time 4090ms\n"


@pytest.mark.parametrize(
    ("text", "expected", "loss"),
    [(IPUTILS, PingCount(4, 3, 0.08), 0.25), (VRP, PingCount(5, 5, 2.0), 0.0), (SILENT, PingCount(5, 0, None), 1.0)],
)
def test_counts_and_times_are_read(text: str, expected: PingCount, loss: float) -> None:
    count = parse_ping(text)
    assert count == expected
    assert count is not None
    assert count.loss_ratio == pytest.approx(loss)


def test_duplicated_answers_do_not_make_up_for_loss() -> None:
    assert PingCount(4, 5, 1.0).loss_ratio == 0.0


@pytest.mark.parametrize("text", ["", "% Unknown command", "ping: connect: Network is unreachable"])
def test_no_statistics_is_not_known_rather_than_lost(text: str) -> None:
    assert parse_ping(text) is None


def test_the_success_rate_of_ios_is_read_as_counts() -> None:
    text = "Sending 5, 100-byte ICMP Echos\n!!!!.\nSuccess rate is 80 percent (4/5), round-trip min/avg/max = 1/2/4 ms\n"
    found = parse_ping(text)
    assert found is not None
    assert (found.sent, found.received, found.mean_ms) == (5, 4, 2.0)
