"""What patches of each family must not type: ends of blocks that nothing opened, defaults, parts of what goes as a whole."""

from __future__ import annotations

import pytest

from app.edge.patch import patch


def texts(family: str, before: str, after: str) -> list[str]:
    head = "hostname r1\n" if family in ("cisco_ios", "frr") else "sysname r1\n"
    return [command.text for command in patch(family, head + before, head + after)]


USER = (
    "snmp-agent usm-user v3 poller\n"
    "snmp-agent usm-user v3 poller group waiwang\n"
    "snmp-agent usm-user v3 poller authentication-mode sha cipher <secret:snmp_auth>\n"
    "snmp-agent usm-user v3 poller privacy-mode aes128 cipher <secret:snmp_priv>\n"
)


def test_a_user_of_vrp8_is_made_of_several_lines_and_goes_as_a_whole() -> None:
    made = texts("huawei_ne", "", USER)
    assert made[0] == "snmp-agent usm-user v3 poller"
    assert sorted(made) == sorted(USER.splitlines())
    assert texts("huawei_ne", USER, "") == ["undo snmp-agent usm-user v3 poller"]
    other = USER.replace("sha cipher", "sha2-256 cipher")
    assert texts("huawei_ne", USER, other) == ["snmp-agent usm-user v3 poller authentication-mode sha2-256 cipher <secret:snmp_auth>"]


def test_a_user_of_comware_and_its_namesake_at_another_engine_both_go() -> None:
    """The second is a user of its own: the first one's removal does not take it along."""
    user = "snmp-agent usm-user v3 poller waiwang{0} simple authentication-mode sha <secret:auth> privacy-mode aes128 <secret:priv>\n"
    both = user.format("") + user.format(" remote 198.18.12.2")
    assert set(texts("h3c_msr", both, "")) == {
        "undo snmp-agent usm-user v3 poller",
        "undo snmp-agent usm-user v3 poller remote 198.18.12.2",
    }
    assert texts("h3c_msr", both, user.format("")) == ["undo snmp-agent usm-user v3 poller remote 198.18.12.2"]


def test_a_new_port_of_ios_is_typed_no_default() -> None:
    port = "interface GigabitEthernet0/1\n description x\n"
    assert texts("cisco_ios", "", port) == ["interface GigabitEthernet0/1", "description x", "exit"]
    assert texts("cisco_ios", f"{port} shutdown\n", port) == ["interface GigabitEthernet0/1", "no shutdown", "exit"]


PROBES = {
    "cisco_ios": "ip sla 1\n icmp-echo 10.1.0.2\n  frequency 60\nip sla schedule 1 life forever start-time now\n",
    "h3c_msr": "nqa entry a b\n type icmp-echo\n  destination ip 10.1.0.2\n#\nnqa schedule a b start-time now lifetime forever\n",
}


@pytest.mark.parametrize("family", PROBES)
def test_no_block_is_ended_that_was_not_opened(family: str) -> None:
    """One end too many leaves the configuration mode, and every later line is refused."""
    typed = texts(family, "", PROBES[family])
    assert " schedule " in typed[-1]
    assert [text for text in typed if text in ("exit", "quit")] == [typed[-2], typed[-3]]


@pytest.mark.parametrize(("family", "binding"), [("h3c_msr", "ip binding vpn-instance"), ("huawei_ar", "ip binding vpn-instance")])
def test_a_port_that_is_bound_gets_its_address_again(family: str, binding: str) -> None:
    free = "interface GigabitEthernet0/9\n description x\n ip address 10.9.0.1 255.255.255.248\n"
    bound = free.replace(" ip address", f" {binding} CZ\n ip address")
    for before, after in ((free, bound), (bound, free), (bound, bound.replace("CZ", "DA"))):
        typed = texts(family, before, after)
        assert typed.index("ip address 10.9.0.1 255.255.255.248") > max(
            place for place, text in enumerate(typed) if text.removeprefix("undo ").startswith(binding)
        )


def test_a_port_of_comware_is_emptied_and_never_removed() -> None:
    port = "interface GigabitEthernet0/9\n description x\n ip address 10.9.0.1 255.255.255.248\n"
    assert "undo interface GigabitEthernet0/9" not in texts("h3c_msr", port, "")
    assert "undo description" in texts("h3c_msr", port, "")
    assert texts("h3c_msr", port.replace("0/9", "0/9.101"), "") == ["undo interface GigabitEthernet0/9.101"]


def test_a_filter_of_comware_goes_by_its_direction() -> None:
    area = "ospf 1\n area 0.0.0.2\n{}"
    assert "undo filter export" in texts("h3c_msr", area.format("  filter prefix-list ASSIGNED export\n"), area.format("  stub\n"))


LEADS = {"huawei_ar": " sub", "huawei_ne": " sub", "h3c_msr": " sub", "cisco_ios": " secondary"}


@pytest.mark.parametrize("family", LEADS)
def test_a_leading_address_is_overwritten_and_the_other_is_taken_from_beside_first(family: str) -> None:
    """No device lets the leading address go while another stands beside it, and none holds one address twice."""
    old, new, beside = "ip address 198.19.4.1 255.255.255.252", "ip address 198.18.4.1 255.255.255.252", LEADS[family]
    undo = "no" if family == "cisco_ios" else "undo"
    port = "interface GigabitEthernet0/0/1\n {}\n {}\n"
    swapped = texts(family, port.format(old, new + beside), port.format(new, old + beside))
    assert swapped[1:4] == [f"{undo} {new}{beside}", new, old + beside]
    alone = texts(family, f"interface GigabitEthernet0/0/1\n {old}\n", f"interface GigabitEthernet0/0/1\n {new}\n")
    assert f"{undo} {old}" not in alone
    assert new in alone
    gone = texts(family, f"interface GigabitEthernet0/0/1\n {old}\n description x\n", "interface GigabitEthernet0/0/1\n description x\n")
    assert any(text.startswith(f"{undo} ip address") for text in gone)


@pytest.mark.parametrize(("family", "between"), [("huawei_ar", []), ("huawei_ne", ["commit"])])
def test_a_bgp_process_that_is_written_anew_is_committed_between_on_vrp8_alone(family: str, between: list[str]) -> None:
    before = "bgp 64512\n peer 198.18.200.1 as-number 64600\n"
    after = before.replace("64512", "64513")
    assert texts(family, before, after) == ["undo bgp", *between, "bgp 64513", "peer 198.18.200.1 as-number 64600", "quit"]
    assert texts(family, before, "") == ["undo bgp", *between]
