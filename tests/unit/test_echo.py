"""What devices add of their own is no difference; what somebody set is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.commands import mask_secrets, strip_noise
from app.core.echo import plain_line, plain_text

ECHOES = [
    ("huawei_ar", "qos car inbound cir 2048 cbs 385024 pbs 641024 green pass yellow pass red discard", "qos car inbound cir 2048"),
    ("huawei_ar", "qos gts cir 2048 cbs 51200", "qos gts cir 2048"),
    ("huawei_ar", "qos gts cir 32 cbs 1500", "qos gts cir 32"),
    ("h3c", "qos car inbound any cir 2048 cbs 128000 ebs 0 green pass red discard yellow pass", "qos car inbound any cir 2048"),
    ("h3c", "qos car inbound any cir 2048 ebs 0 green pass red discard yellow pass", "qos car inbound any cir 2048"),
    ("h3c", "qos lr outbound cir 10240 cbs 640000", "qos lr outbound cir 10240"),
    (
        "huawei_s",
        "snmp-agent usm-user v3 u g authentication-mode sha cipher K privacy-mode aes128 cipher L",
        "snmp-agent usm-user v3 u g authentication-mode sha K privacy-mode aes128 L",
    ),
    (
        "h3c",
        "snmp-agent usm-user v3 u g cipher authentication-mode sha K privacy-mode aes128 L",
        "snmp-agent usm-user v3 u g simple authentication-mode sha K privacy-mode aes128 L",
    ),
    ("h3c", "password hash $h$6$abc", "password simple $h$6$abc"),
]
SET_BY_HAND = [
    ("huawei_ar", "qos car inbound cir 2048 cbs 400000 pbs 641024 green pass yellow pass red discard"),
    ("huawei_ar", "qos gts cir 2048 cbs 60000"),
    ("huawei_ar", "qos gts cir 2048 cbs 51200 queue-length 50"),
    ("h3c", "qos car inbound any cir 2048 cbs 128512 ebs 0 green pass red discard yellow pass"),
    ("h3c", "qos lr outbound cir 10240 cbs 640512"),
]


@pytest.mark.parametrize(("family", "echo", "given_as"), ECHOES)
def test_what_the_device_adds_is_taken_away(family: str, echo: str, given_as: str) -> None:
    assert plain_line(family, echo) == given_as
    assert plain_line(family, given_as) == given_as


@pytest.mark.parametrize(("family", "line"), SET_BY_HAND)
def test_a_burst_size_that_somebody_set_stays(family: str, line: str) -> None:
    assert plain_line(family, line) == line


@pytest.mark.parametrize("family", ["frr", "huawei_ar", "huawei_s", "h3c"])
@given(text=st.text(alphabet=" #abc\nqos0123456789", max_size=200))
def test_taking_away_twice_takes_away_nothing_more_where_there_is_no_margin(family: str, text: str) -> None:
    once = plain_text(family, "\n".join(line.strip() or "#" for line in text.split("\n")))
    assert plain_text(family, once) == once


def test_frr_text_is_left_as_it_is() -> None:
    text = " password hash x\nundo telnet server enable\n"
    assert plain_text("frr", text) == text


def test_comware_s_margin_goes_and_its_blocks_stay() -> None:
    shown = "#\n version 7.1.064, Release 0427P22\n#\n sysname a\n#\n dhcp enable\n lldp global enable\n#\nvlan 1\n#\n"
    shown += "interface GigabitEthernet0/1\n port link-mode route\n\n description x\n ip address 10.0.0.1 255.255.255.252\n#\nreturn\n"
    assert strip_noise("h3c", shown) == (
        "sysname a\ndhcp enable\nlldp global enable\nvlan 1\n"
        "interface GigabitEthernet0/1\n description x\n ip address 10.0.0.1 255.255.255.252\n"
    )


def test_a_service_that_is_off_is_no_line_and_one_that_runs_is() -> None:
    assert strip_noise("huawei_ar", "sysname a\nundo telnet server enable\n") == "sysname a\n"
    assert strip_noise("huawei_ar", "sysname a\ntelnet server enable\n") == "sysname a\ntelnet server enable\n"


@pytest.mark.parametrize(
    "line",
    [
        "snmp-agent usm-user v3 u g simple authentication-mode sha opensesame1 privacy-mode aes128 opensesame2",
        "snmp-agent usm-user v3 u g cipher authentication-mode sha $c$3$opensesame== privacy-mode aes128 $c$3$opensesame==",
        "snmp-agent usm-user v3 u g authentication-mode sha2-256 opensesame1 privacy-mode aes128 opensesame2",
        "snmp-agent usm-user v3 u g authentication-mode sha cipher opensesame1 privacy-mode aes128 cipher opensesame2",
        " password simple opensesame",
        " password hash $h$6$opensesame",
    ],
)
def test_keys_of_every_family_are_masked(line: str) -> None:
    assert "opensesame" not in mask_secrets(line)


@pytest.mark.parametrize("line", [" authentication-mode aaa", " authentication-mode scheme"])
def test_a_mode_of_login_is_no_secret(line: str) -> None:
    assert mask_secrets(line) == line
