"""Patterns of command lines."""

from __future__ import annotations

import pytest

from lab.virtual.pattern import Kinds, Match, Miss, canonical, compile_pattern, full_interface, match, tokenize

KINDS = Kinds(("GigabitEthernet", "LoopBack"))


def told(source: str, line: str) -> Match | Miss:
    return match(compile_pattern(source), line, tokenize(line), KINDS)


@pytest.mark.parametrize(("source", "line", "text"), [
    ("ip address <address:ipv4> <mask:mask> [sub]", "ip address 10.0.0.1 30", "ip address 10.0.0.1 255.255.255.252"),
    ("ip address <address:ipv4> <mask:mask> [sub]", "ip addr 10.0.0.1 255.255.255.0 s", "ip address 10.0.0.1 255.255.255.0 sub"),
    ("qos car (direction:inbound|outbound) cir <cir:8-100>", "qos car in cir 64", "qos car inbound cir 64"),
    ("interface <interface:ifname>", "interface gi 0/0/1", "interface GigabitEthernet0/0/1"),
    ("interface <interface:ifname>", "interface GigabitEthernet0/0/1.101", "interface GigabitEthernet0/0/1.101"),
    ("description <text:rest>", "description TO: a  b", "description TO: a  b"),
    ("rule {permit | deny} [source <source:ipv4>]", "rule deny", "rule deny"),
    ("area <area:area>", "area 1", "area 0.0.0.1"),
])  # fmt: skip
def test_a_line_that_fits_is_held_in_full(source: str, line: str, text: str) -> None:
    found = told(source, line)
    assert isinstance(found, Match)
    assert found.text == text


@pytest.mark.parametrize(("line", "at", "why"), [
    ("qos car inbound cir", 4, "incomplete"),
    ("qos car inbound cir 7", 4, "wrong"),
    ("qos car inbound cir 101", 4, "wrong"),
    ("qos car inbound cir 66", 4, "wrong"),
    ("qos car sideways cir 64", 2, "unrecognized"),
    ("qos car inbound cir 64 cbs", 5, "excess"),
])  # fmt: skip
def test_a_miss_says_how_far_the_line_got_and_why(line: str, at: int, why: str) -> None:
    assert told("qos car (direction:inbound|outbound) cir <cir:8-100/8>", line) == Miss(at, why)


def test_the_bounds_of_a_range_belong_to_it() -> None:
    assert canonical("8-100", "8") == "8"
    assert canonical("8-100", "100") == "100"
    assert canonical("64-128/64", "96") is None


@pytest.mark.parametrize("source", ["a [b", "a b]", "a | b", "a {b | c"])
def test_brackets_that_do_not_pair_are_refused(source: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        compile_pattern(source)


def test_a_type_that_the_family_lacks_is_no_interface() -> None:
    assert full_interface("Serial0/0/0", KINDS.interface_types) is None
    assert full_interface("lo0", KINDS.interface_types) == "LoopBack0"
