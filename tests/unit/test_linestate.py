"""States of lines: down only where a port was seen down, unreachable where nobody could look, behind the topmost dead line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.acceptance import LINE_STATES, PortSample
from app.core.inventory import Inventory, Line
from app.core.linestate import REASONS, LineJudgement, find_silent_root, judge_lines, line_ports, names_line, reason_in_chinese

NOW = datetime(2008, 6, 30, tzinfo=UTC)


def line(line_id: str, a: str, z: str, *, role: str = "primary", reserved: bool = False) -> Line:
    """Return a line whose ports are named after the far device."""
    spare = ("r-" + z, "r-" + a) if reserved else (None, None)
    return Line(
        line_id, "unit", "class", "fibre", "ethernet", "telecom", None, a, f"to-{z}", z, f"to-{a}", *spare, role=role
    )


#: city ─ A1 ─ c1 ─ U1 ─ u1;  city ─ A2 ─ c2 ─ U2 ─ u2;  city ─ A3 ─ c3 ─ U3 ─ u3;  c2 ~ B ~ c3 (backup)
LINES = [
    line("A1", "city", "c1", reserved=True),
    line("A2", "city", "c2"),
    line("A3", "city", "c3"),
    line("U1", "c1", "u1"),
    line("U2", "c2", "u2"),
    line("U3", "c3", "u3"),
    line("B", "c2", "c3", role="backup"),
]
INVENTORY = Inventory({}, {}, {}, {entry.line_id: entry for entry in LINES}, {})
DEVICES = ("city", "c1", "c2", "c3", "u1", "u2", "u3")


def port(device: str, interface: str, *, oper_up: bool | None = True, admin_up: bool = True) -> PortSample:
    return PortSample(device, interface, NOW, oper_up, admin_up, 10, None, None, None, 64, None, None)


def judge(
    answers: Mapping[str, str] | None = None,
    down: tuple[str, ...] = (),
    *,
    shut: tuple[str, ...] = (),
    absent: tuple[str, ...] = (),
    mute: tuple[str, ...] = (),
    asked: tuple[str, ...] = DEVICES,
) -> dict[str, LineJudgement]:
    """Judge the network. `answers` are the exceptions to "answered"; ports are named `device/interface`."""
    said = {device: (answers or {}).get(device, "answered") for device in asked}
    ports = {}
    for entry in LINES:
        for device, interface in ((entry.a_device, entry.a_interface), (entry.z_device, entry.z_interface)):
            name = f"{device}/{interface}"
            if said.get(device) == "answered" and name not in absent:
                ports[device, interface] = port(
                    device, interface, oper_up=None if name in mute else name not in (*down, *shut), admin_up=name not in shut
                )
    return judge_lines(INVENTORY, said, ports)


def silent(*devices: str) -> dict[str, str]:
    return dict.fromkeys(devices, "silent")


def states(judged: Mapping[str, LineJudgement]) -> dict[str, str]:
    return {line_id: judgement.state for line_id, judgement in judged.items() if judgement.state != "up"}


def test_every_line_is_up_when_every_port_is() -> None:
    judged = judge()
    assert states(judged) == {}
    assert judged["A1"] == LineJudgement("up", "both ports are up")


@pytest.mark.parametrize("name", ["city/to-c1", "c1/to-city"])
def test_a_port_seen_down_at_either_end_makes_the_line_down_and_is_named(name: str) -> None:
    judged = judge(down=(name,))
    assert states(judged) == {"A1": "down"}
    assert judged["A1"].reason == f"port {name} is down"


def test_a_port_that_was_shut_makes_the_line_down_and_says_so() -> None:
    judged = judge(shut=("city/to-c1",))
    assert judged["A1"] == LineJudgement("down", "port city/to-c1 is shut")


def test_a_cut_uplink_is_down_and_what_is_below_is_unreachable_behind_it() -> None:
    judged = judge(silent("c1", "u1"), down=("city/to-c1",))
    assert states(judged) == {"A1": "down", "U1": "unreachable"}
    assert judged["U1"] == LineJudgement("unreachable", "neither end answers; behind line A1", "A1")
    assert judged["A1"].behind is None


def test_a_far_end_that_is_silent_behind_a_port_that_is_up_is_the_top_of_the_dead_part() -> None:
    judged = judge(silent("c1", "u1"))
    assert judged["A1"] == LineJudgement("unreachable", "far end c1 does not answer")
    assert judged["U1"].behind == "A1"


def test_the_line_nearest_the_root_is_named_not_the_next_dead_one() -> None:
    below = line("V1", "u1", "v1")
    inventory = Inventory({}, {}, {}, {**INVENTORY.lines, "V1": below}, {})
    said = dict.fromkeys(DEVICES, "answered") | silent("c1", "u1", "v1")
    ports = {("city", "to-c1"): port("city", "to-c1", oper_up=False)}
    judged = judge_lines(inventory, said, ports)
    assert (judged["U1"].behind, judged["V1"].behind) == ("A1", "A1")


def test_a_county_with_a_backup_line_stays_visible_when_its_uplink_is_cut() -> None:
    assert states(judge(down=("city/to-c2", "c2/to-city"))) == {"A2": "down"}


def test_a_unit_below_a_living_county_is_the_top_of_its_own_dead_part() -> None:
    judged = judge(silent("u2"), down=("city/to-c2",))
    assert judged["U2"] == LineJudgement("unreachable", "far end u2 does not answer")


def test_a_backup_line_between_two_dead_counties_is_behind_the_first_ones_uplink() -> None:
    judged = judge(silent("c2", "c3", "u2", "u3"), down=("city/to-c2", "city/to-c3"))
    assert states(judged) == {"A2": "down", "A3": "down", "U2": "unreachable", "U3": "unreachable", "B": "unreachable"}
    assert (judged["B"].behind, judged["U3"].behind) == ("A2", "A3")


def test_an_answer_that_can_only_come_through_the_line_proves_it_up_though_the_near_agent_is_mute() -> None:
    judged = judge(silent("c1"))
    assert judged["U1"] == LineJudgement("up", "far end u1 answers through this line; near end c1 does not answer")
    assert judged["A1"].state == "unreachable"


def test_an_answer_that_may_come_round_by_the_backup_proves_nothing() -> None:
    judged = judge(silent("c2"))
    assert judged["B"] == LineJudgement("unreachable", "near end c2 does not answer, far end sees its port up")
    assert judged["U2"].state == "up"
    judged = judge(silent("city"))
    assert judged["A2"].state == "unreachable"
    assert judged["A1"].state == "up"


def test_a_silent_root_with_nobody_answering_makes_nothing_down() -> None:
    judged = judge(silent(*DEVICES))
    assert {judgement.state for judgement in judged.values()} == {"unreachable"}
    assert {judgement.behind for judgement in judged.values()} == {None}
    assert "the poller may be cut off" in judged["U1"].reason
    assert judged["A1"].reason == judged["U3"].reason


def test_a_root_that_refuses_our_key_is_not_a_cut_off_poller() -> None:
    said = silent(*DEVICES) | {"city": "wrong_key"}
    assert find_silent_root(INVENTORY, said) is None
    assert judge(said)["A1"].reason == "city refuses our SNMP user or key"


@pytest.mark.parametrize(
    ("answer", "words"), [("wrong_key", "u1 refuses our SNMP user or key"), ("faulty", "u1 answers SNMP with errors only")]
)
def test_a_device_that_answers_uselessly_is_unreachable_with_its_own_reason_and_behind_nothing(answer: str, words: str) -> None:
    assert judge({"u1": answer})["U1"] == LineJudgement("unreachable", words)


def test_a_port_seen_down_decides_although_the_other_end_is_silent() -> None:
    assert judge(silent("u1"), down=("c1/to-u1",))["U1"].state == "down"


def test_an_interface_that_does_not_exist_leaves_the_line_unknown() -> None:
    assert judge(absent=("c1/to-u1",))["U1"] == LineJudgement("unknown", "c1 has no interface to-u1")


def test_an_unknown_port_state_leaves_the_line_unknown_unless_the_far_port_is_down() -> None:
    assert judge(mute=("c1/to-u1",))["U1"] == LineJudgement("unknown", "c1 does not tell the state of to-u1")
    assert judge(mute=("c1/to-u1",), down=("u1/to-c1",))["U1"].state == "down"


def test_a_line_whose_end_was_not_asked_was_never_looked_at() -> None:
    judged = judge(asked=("city", "c1"))
    assert judged["U1"] == LineJudgement("unknown", "never looked: u1 was not asked")
    assert judged["U2"].reason == "never looked: c2 was not asked"
    assert judged["A1"].state == "up"
    assert {judgement.state for judgement in judge(asked=()).values()} == {"unknown"}


def test_only_known_states_are_given() -> None:
    seen = {judgement.state for said in ({}, silent("c1"), silent(*DEVICES)) for judgement in judge(said).values()}
    assert seen <= set(LINE_STATES)


def test_every_reason_has_its_chinese_and_keeps_the_names() -> None:
    for english, chinese in REASONS.values():
        names = [f"n{index}" for index in range(english.count("{}"))]
        assert reason_in_chinese(english.format(*names)) == chinese.format(*names)
    assert reason_in_chinese("port city/eth1 is down") == "端口 city/eth1 断开"
    assert reason_in_chinese("something else") == "something else"


@pytest.mark.parametrize(
    ("alias", "named"),
    [
        ("L:BZWW-A-0001 to county01", True),
        ("BZWW-A-0001", True),
        ("RESERVED 100M L:BZWW-A-0001 to county01", True),
        ("L:BZWW-A-00011", False),
        ("XBZWW-A-0001", False),
        ("L:BZWW-A-0001-old", False),
        ("L:BZWW-A-0002", False),
        ("", False),
    ],
)
def test_a_description_names_a_line_only_as_a_whole_word(alias: str, named: bool) -> None:
    assert names_line(alias, "BZWW-A-0001") is named


def test_the_ports_of_a_device_are_those_of_its_lines_reserved_ones_marked() -> None:
    ports = line_ports(LINES)
    assert ports["c1"] == {"to-city": ("A1", False), "r-city": ("A1", True), "to-u1": ("U1", False)}
    assert ports["u1"] == {"to-c1": ("U1", False)}


@given(st.text("Lé1-_: .", max_size=12), st.text("Lé1-.", min_size=1, max_size=4))
def test_a_line_is_named_just_where_its_id_stands_as_a_word(alias: str, line_id: str) -> None:
    assert names_line(alias, line_id) is (re.search(rf"(?<![\w-]){re.escape(line_id)}(?![\w-])", alias) is not None)
