"""A session that is over is noticed, and the line that a device is in the middle of is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from netmiko.exceptions import ReadException

from app.core.dialects import find_question
from app.edge.ssh.channel import Watched


@dataclass
class Shell:
    closed: bool = False
    eof_received: bool = False


@dataclass
class Channel:
    """What netmiko gives its drivers: `arriving` comes bit by bit."""

    arriving: list[str]
    remote_conn: Shell = field(default_factory=Shell)
    written: list[str] = field(default_factory=list)

    def read_channel(self) -> str:
        return self.arriving.pop(0) if self.arriving else ""

    def write_channel(self, out_data: str) -> None:
        self.written.append(out_data)


def test_what_has_arrived_is_given_before_the_end_is_told() -> None:
    channel = Channel(["half a line"], Shell(closed=True))
    watched = Watched(channel)
    assert watched.read_channel() == "half a line"
    with pytest.raises(ReadException, match="closed by the device"):
        watched.read_channel()


@pytest.mark.parametrize("shell", [Shell(closed=True), Shell(eof_received=True)])
def test_either_way_of_ending_is_noticed(shell: Shell) -> None:
    with pytest.raises(ReadException):
        Watched(Channel([], shell)).read_channel()


def test_silence_on_an_open_session_is_no_end() -> None:
    assert Watched(Channel([])).read_channel() == ""


def test_the_unfinished_line_is_kept_until_something_is_typed() -> None:
    watched = Watched(Channel(["show x\r\nThe board is old. Proc", "eed? "]))
    watched.read_channel()
    watched.read_channel()
    assert watched.unfinished == "The board is old. Proceed? "
    watched.write_channel("n\n")
    assert watched.unfinished == ""


@pytest.mark.parametrize(
    ("said", "question"),
    [
        ("Are you sure to continue? [Y/N]:", "Are you sure to continue? [Y/N]:"),
        ("Destination filename [startup-config]? ", "Destination filename [startup-config]?"),
        ("<BZ-CORE01>", ""),
        ("[~BZ-CORE01]", ""),
        ("BZ-CORE01(config-if)#", ""),
        ("description still being typed", ""),
        ("", ""),
    ],
)
def test_a_question_is_told_from_a_prompt(said: str, question: str) -> None:
    assert find_question(said) == question
