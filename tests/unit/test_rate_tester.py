"""iperf3 in the lab: how its reports are read, and what becomes of servers that do not start or clients that hang."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from subprocess import CompletedProcess

import pytest

from app.core.throughput import RateRequest
from lab.tester import GONE, HEARD, LabRateTester, read_iperf3


def report(received: float = 9_570_000.0, sent: float = 9_900_000.0, retransmits: int | None = 3) -> str:
    """Return what `iperf3 -J` (3.12) prints, as far as it matters."""
    end: dict[str, object] = {
        "sum_sent": {"bytes": int(sent / 8 * 5), "bits_per_second": sent, "sender": True},
        "sum_received": {"bytes": int(received / 8 * 5), "bits_per_second": received, "sender": True},
    }
    if retransmits is not None:
        end["sum_sent"] |= {"retransmits": retransmits}  # type: ignore[operator]
    return json.dumps({"start": {}, "intervals": [], "end": end})


def test_what_arrived_counts_not_what_was_sent() -> None:
    assert read_iperf3(report()) == {"bits_per_second": 9_570_000.0, "bytes": 5_981_250, "retransmits": 3}


def test_a_report_without_retransmits_says_that_they_are_not_known() -> None:
    assert read_iperf3(report(retransmits=None))["retransmits"] is None


BROKEN = {
    "nothing": ("", "iperf3 gave no report"),
    "words": ("iperf3: error - unable to connect", "iperf3 gave no report"),
    "a cut report": (report()[:40], "iperf3 gave no report"),
    "an error": ('{"start": {}, "end": {}, "error": "unable to connect to server: timed out"}', "unable to connect to server: timed out"),
    "no sums": ('{"start": {}, "end": {}}', "iperf3's report has no sums"),
    "no end": ('{"start": {}}', "iperf3's report has no sums"),
    "a list": ("[]", "iperf3's report has no sums"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_report_without_figures_is_an_error_in_words(name: str) -> None:
    text, words = BROKEN[name]
    assert read_iperf3(text) == {"error": words}


@dataclass
class PlayedLab:
    """Answers as lab hosts would; `deaf` hosts start no server, `asleep` ones one that never listens, `mute` ones give no report."""

    deaf: str = ""
    asleep: str = ""
    mute: str = ""
    running: set[str] = field(default_factory=set)
    asked: list[tuple[str, Sequence[str]]] = field(default_factory=list)

    def exec_in(self, node: str, argv: Sequence[str], *, timeout: float) -> CompletedProcess[str]:
        self.asked.append((node, argv))
        if argv[0] == "pkill":
            self.running.discard(f"{node} {argv[-1]}")
            return CompletedProcess(argv, 0, "", "")
        if argv[0] == "sh":
            listens = f"{node} /run/iperf3-{argv[-1]}.pid" in self.running and node != self.asleep
            return CompletedProcess(argv, {HEARD: not listens, GONE: listens}[argv[2]], "", "")
        if "-s" in argv:
            if node == self.deaf:
                return CompletedProcess(argv, 1, "", "unable to start listener: Address already in use\n")
            self.running.add(f"{node} {argv[-1]}")
            return CompletedProcess(argv, 0, "", "")
        if node == self.mute:
            return CompletedProcess(argv, 1, "", "")
        return CompletedProcess(argv, 0, report(400_000.0 if "-R" in argv else 900_000.0), "")


def request(number: int = 1, near: str | None = None) -> RateRequest:
    return RateRequest(f"L-{number}", f"unit{number}", IPv4Address(f"198.18.0.{number}"), "adsl_1m", near)


def test_each_direction_is_measured_and_no_server_stays() -> None:
    played = PlayedLab()
    outcomes = LabRateTester(played.exec_in, 4).measure([request(1), request(2)])
    assert {line: (one.down_kbps, one.up_kbps) for line, one in outcomes.items()} == {"L-1": (900.0, 400.0), "L-2": (900.0, 400.0)}
    assert played.running == set()
    clients = [(node, argv) for node, argv in played.asked if argv[:2] == ["iperf3", "-c"]]
    assert {node for node, _ in clients} == {"exchange"}
    ports = [argv[argv.index("-p") + 1] for _, argv in clients]
    assert len(set(ports)) == 4, "lines loaded together meet servers of their own"


def test_a_backup_line_is_loaded_from_its_near_end() -> None:
    played = PlayedLab()
    LabRateTester(played.exec_in).measure([request(1, near="county03")])
    assert {node for node, argv in played.asked if argv[:2] == ["iperf3", "-c"]} == {"county03"}


def test_a_server_that_does_not_start_is_a_reason_and_hides_no_other_line() -> None:
    played = PlayedLab(deaf="unit1")
    outcomes = LabRateTester(played.exec_in).measure([request(1), request(2)])
    assert (outcomes["L-1"].down_kbps, outcomes["L-1"].up_kbps) == (None, None)
    refused = "iperf3 server on unit1: unable to start listener: Address already in use"
    assert outcomes["L-1"].detail["reason"] == f"down: {refused}; up: {refused}"
    assert outcomes["L-2"].down_kbps == 900.0
    assert "reason" not in outcomes["L-2"].detail


def test_no_client_comes_before_the_server_listens() -> None:
    played = PlayedLab(asleep="unit1")
    outcome = LabRateTester(played.exec_in).measure([request()])["L-1"]
    silent = "iperf3 server on unit1: nothing listens on port"
    assert outcome.detail["reason"] == f"down: {silent} 5300; up: {silent} 5301"
    assert [argv for _, argv in played.asked if argv[:2] == ["iperf3", "-c"]] == []
    assert played.running == set()


def test_a_client_without_a_report_leaves_no_server_behind() -> None:
    played = PlayedLab(mute="exchange")
    outcome = LabRateTester(played.exec_in).measure([request()])["L-1"]
    assert outcome.down_kbps is None
    assert outcome.detail["reason"] == "down: iperf3 gave no report; up: iperf3 gave no report"
    assert played.running == set()


def test_no_lines_ask_nothing() -> None:
    played = PlayedLab()
    assert LabRateTester(played.exec_in).measure([]) == {}
    assert played.asked == []
