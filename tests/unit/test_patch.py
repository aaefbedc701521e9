"""Patches as text: what FRR and VRP must be told, in which order, and with which secrets hidden."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.commands import Command, blocks, mask_secrets, refer_secrets, secret_names
from app.edge.patch import MODELS, count_changes, patch, unified_diff
from app.errors import RenderError

FRR = """!
frr version 8.4.4
frr defaults traditional
hostname county01
log syslog informational
service integrated-vtysh-config
!
ip route 198.18.9.0/29 198.18.1.1 250
!
interface eth1
 description TO:city:eth1 L:A-1
 ip address 198.18.1.2/30
 ip ospf area 0.0.0.0
 ip ospf cost 10
exit
!
router ospf
 ospf router-id 198.18.0.5
 area 0.0.0.1 stub no-summary
exit
!
end
"""
VRP = """sysname BZ-AR01
#
interface GigabitEthernet0/0/1
 description TO:BZ-CORE01
 ip address 10.0.0.1 255.255.255.252
 qos car inbound cir 10240
 qos gts cir 10240
#
ip route-static 10.1.0.0 255.255.255.0 10.0.0.2 preference 250
#
snmp-agent usm-user v3 poller authentication-mode sha cipher <secret:snmp_auth>
#
return
"""


def texts(commands: tuple[Command, ...]) -> list[str]:
    return [str(command) for command in commands]


@pytest.mark.parametrize(("family", "text"), [("frr", FRR), ("huawei_ar", VRP), ("huawei_s", VRP)])
def test_equal_configurations_give_no_command_and_no_diff(family: str, text: str) -> None:
    assert patch(family, text, text) == ()
    assert unified_diff(family, text, text, "x") == ""


def test_versions_separators_and_vtysh_s_own_lines_are_no_difference() -> None:
    other = FRR.replace("8.4.4", "8.5").replace("!\n", "").replace("service integrated-vtysh-config\n", "").replace("\n", "\r\n")
    assert patch("frr", other, FRR) == ()
    assert unified_diff("frr", other, FRR, "x") == ""


def test_another_order_of_lines_is_no_difference() -> None:
    head, interface, router = FRR.partition("interface eth1")[0], "interface eth1\n", "router ospf\n"
    swapped = head + router + FRR.partition(router)[2].partition("!")[0] + interface + FRR.partition(interface)[2].partition("!")[0]
    assert patch("frr", swapped, FRR) == ()
    assert unified_diff("frr", swapped, FRR, "x") == ""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("description TO:city:eth1 L:A-1", "description NEW", ["interface eth1", " description NEW", " exit"]),
        (" ip ospf cost 10\n", "", ["interface eth1", " no ip ospf cost", " exit"]),
        (
            "ip ospf area 0.0.0.0",
            "ip ospf area 0.0.0.1",
            ["interface eth1", " no ip ospf area 0.0.0.0", " ip ospf area 0.0.0.1", " exit"],
        ),
        ("stub no-summary", "stub", ["router ospf", " area 0.0.0.1 stub", " exit"]),
        (" area 0.0.0.1 stub no-summary\n", "", ["router ospf", " no area 0.0.0.1 stub", " exit"]),
        ("198.18.1.1 250", "198.18.1.1 240", ["ip route 198.18.9.0/29 198.18.1.1 240"]),
        ("log syslog informational\n", "", ["no log syslog"]),
    ],
)
def test_frr_overwrites_what_it_can_and_removes_first_what_it_must(before: str, after: str, expected: list[str]) -> None:
    assert texts(patch("frr", FRR, FRR.replace(before, after))) == expected


def test_a_route_is_replaced_before_it_is_removed() -> None:
    moved = texts(patch("frr", FRR, FRR.replace("198.18.1.1 250", "198.18.1.5 250")))
    assert moved == ["ip route 198.18.9.0/29 198.18.1.5 250", "no ip route 198.18.9.0/29 198.18.1.1"]
    vrp = texts(patch("huawei_ar", VRP, VRP.replace("10.0.0.2 pref", "10.0.0.6 pref")))
    assert vrp == [
        "ip route-static 10.1.0.0 255.255.255.0 10.0.0.6 preference 250",
        "undo ip route-static 10.1.0.0 255.255.255.0 10.0.0.2",
    ]


@pytest.mark.parametrize("family", ["huawei_ar", "h3c_msr", "cisco_ios"])
def test_a_route_with_another_preference_is_overwritten_and_never_removed(family: str) -> None:
    word, preference = ("ip route", "") if family == "cisco_ios" else ("ip route-static", "preference ")
    before, after = (f"{word} 10.1.0.0 255.255.255.0 10.0.0.2 {preference}{number}\n" for number in (200, 250))
    assert texts(patch(family, before, after)) == [after.strip()]
    assert texts(patch(family, after, before)) == [before.strip()]


@pytest.mark.parametrize("family", ["h3c_msr", "cisco_ios"])
def test_a_probe_that_runs_is_stopped_removed_written_whole_and_started_again(family: str) -> None:
    probes = {
        "h3c_msr": "nqa entry a b\n type icmp-echo\n  destination ip 10.1.0.2\n  frequency 60000\n#\n"
        "nqa schedule a b start-time now lifetime forever\n",
        "cisco_ios": "ip sla 1\n icmp-echo 10.1.0.2\n  frequency 60\nip sla schedule 1 life forever start-time now\n",
    }
    given = texts(patch(family, probes[family], probes[family].replace("60", "30")))
    commands = [line for line in given if line.strip() not in ("quit", "exit")]
    undo, block, schedule = {
        "h3c_msr": ("undo", "nqa entry a b", "nqa schedule a b"),
        "cisco_ios": ("no", "ip sla 1", "ip sla schedule 1"),
    }[family]
    assert commands[:3] == [f"{undo} {schedule}", f"{undo} {block}", block]
    assert commands[-1].startswith(f"{schedule} ")
    assert len(commands) == 3 + probes[family].replace("#\n", "").count("\n") - 1


def test_the_schedule_of_a_probe_alone_is_started_without_touching_others() -> None:
    probe = "nqa entry a b\n type icmp-echo\n#\nnqa schedule a b start-time now lifetime forever\n"
    other = probe.replace("a b", "c d")
    removed = texts(patch("h3c_msr", probe + other, other))
    assert removed == ["undo nqa schedule a b", "undo nqa entry a b"]


def test_a_group_of_snmpv3_comes_before_its_user_and_goes_after_it() -> None:
    for family in ("huawei_ar", "h3c_msr"):
        simple = "simple " if family == "h3c_msr" else ""
        user = f"snmp-agent usm-user v3 poller waiwang {simple}authentication-mode sha <secret:a> privacy-mode aes128 <secret:b>\n"
        both = "snmp-agent\n" + user + "snmp-agent group v3 waiwang privacy\n"
        given = texts(patch(family, "snmp-agent\n", both))
        assert [line.split()[1] for line in given] == ["group", "usm-user"]
        gone = texts(patch(family, both, "snmp-agent\n"))
        assert [line.split()[2] for line in gone] == ["usm-user", "group"]


def test_an_interface_without_lines_is_no_difference_because_frr_does_not_show_one() -> None:
    assert patch("frr", FRR, FRR + "interface eth7\nexit\n") == ()
    assert unified_diff("frr", FRR, FRR + "interface eth7\nexit\n", "x") == ""


def test_an_interface_that_is_no_longer_named_loses_its_lines_and_is_not_deleted() -> None:
    without = FRR.partition("interface eth1")[0] + "router ospf" + FRR.partition("router ospf")[2]
    commands = texts(patch("frr", FRR, without))
    assert commands[0] == "interface eth1"
    assert " no ip address 198.18.1.2/30" in commands
    assert not [line for line in commands if "no interface" in line]


def test_vrp_changes_a_rate_in_place_and_undoes_it_by_its_short_form() -> None:
    slower = texts(patch("huawei_ar", VRP, VRP.replace("cir 10240", "cir 2048")))
    assert slower == ["interface GigabitEthernet0/0/1", " qos car inbound cir 2048", " qos gts cir 2048", " quit"]
    without = texts(patch("huawei_ar", VRP, VRP.replace(" qos car inbound cir 10240\n qos gts cir 10240\n", "")))
    assert without == ["interface GigabitEthernet0/0/1", " undo qos car inbound", " undo qos gts", " quit"]


COMWARE = """sysname BZ-MSR01
#
interface GigabitEthernet0/1
 ip address 10.0.0.1 255.255.255.252
 ospf timer hello 1
 ospf timer dead 4
 qos car inbound any cir 10240
 qos lr outbound cir 10240
#
ospf 1 router-id 10.9.0.1
 area 0.0.0.1
  network 10.0.0.0 0.0.0.3
  stub no-summary
#
line vty 0 63
 idle-timeout 10 0
#
snmp-agent usm-user v3 poller waiwang simple authentication-mode sha <secret:snmp_auth> privacy-mode aes128 <secret:snmp_priv>
#
"""
SECRET_USER = next(line for line in COMWARE.splitlines() if line.startswith("snmp-agent usm-user"))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("inbound any cir 10240", "inbound any cir 2048", ["interface GigabitEthernet0/1", " qos car inbound any cir 2048", " quit"]),
        (" qos car inbound any cir 10240\n", "", ["interface GigabitEthernet0/1", " undo qos car inbound any", " quit"]),
        (" ospf timer hello 1\n", "", ["interface GigabitEthernet0/1", " undo ospf timer hello", " quit"]),
        (" ip address 10.0.0.1", " ip address 10.0.0.2", ["interface GigabitEthernet0/1", " ip address 10.0.0.2 255.255.255.252", " quit"]),
        ("stub no-summary", "stub", ["ospf 1 router-id 10.9.0.1", " area 0.0.0.1", "  stub", "  quit", " quit"]),
        ("idle-timeout 10 0", "idle-timeout 5 0", ["line vty 0 63", " idle-timeout 5 0", " quit"]),
        (f"{SECRET_USER}\n", "", ["undo snmp-agent usm-user v3 poller"]),
    ],
)
def test_comware_changes_in_place_and_undoes_by_the_short_form(before: str, after: str, expected: list[str]) -> None:
    assert texts(patch("h3c_msr", COMWARE, COMWARE.replace(before, after))) == expected


def test_comware_s_echo_of_keys_margin_and_bursts_is_no_difference() -> None:
    echo = COMWARE.replace("simple authentication-mode sha <secret:snmp_auth>", "cipher authentication-mode sha $c$3$abc==")
    echo = echo.replace("<secret:snmp_priv>", "$c$3$def==").replace("sysname", " sysname").replace("\nsnmp-agent", "\n snmp-agent")
    echo = echo.replace("any cir 10240", "any cir 10240 ebs 0 green pass red discard yellow pass")
    assert patch("h3c_msr", f"#\n version 7.1.064, Release 0427P22\n#\n{echo}return\n", COMWARE) == ()
    without = COMWARE.replace(SECRET_USER, "")
    assert texts(patch("h3c_msr", without, COMWARE)) == [SECRET_USER]


def test_a_running_nqa_test_is_removed_and_written_whole() -> None:
    test = "nqa test-instance admin rtt\n test-type icmp\n destination-address ipv4 10.1.0.2\n frequency 60\n start now\n"
    nqa = VRP.replace("#\nreturn", f"#\n{test}#\nreturn")
    commands = texts(patch("huawei_ar", nqa, nqa.replace("frequency 60", "frequency 30")))
    assert commands[:2] == ["undo nqa test-instance admin rtt", "nqa test-instance admin rtt"]
    assert {" test-type icmp", " destination-address ipv4 10.1.0.2", " frequency 30", " start now"} <= set(commands)


def test_an_encrypted_secret_and_its_reference_are_no_difference_and_never_shown() -> None:
    running = VRP.replace("cipher <secret:snmp_auth>", "cipher %^%#abc def,1%^%#")
    assert patch("huawei_ar", running, VRP) == ()
    shown = unified_diff("huawei_ar", running, VRP.replace("BZ-AR01", "BZ-AR02"), "x")
    assert "abc" not in shown


def test_a_new_secret_is_pushed_by_its_reference() -> None:
    without = VRP.replace("snmp-agent usm-user v3 poller authentication-mode sha cipher <secret:snmp_auth>\n#\n", "")
    assert texts(patch("huawei_ar", without, VRP)) == [
        "snmp-agent usm-user v3 poller authentication-mode sha cipher <secret:snmp_auth>"
    ]


@pytest.mark.parametrize(
    "line",
    [
        " ip ospf message-digest-key 1 md5 opensesame",
        " neighbor 10.0.0.1 password opensesame",
        "password opensesame",
        "enable password 8 opensesame",
        " key-string opensesame",
        "local-user netops password irreversible-cipher $1a$opensesame$",
        " ppp chap password cipher %@%@opensesame%@%@",
        " ospf authentication-mode simple opensesame",
        "snmp-agent community read cipher <secret:opensesame>",
    ],
)
def test_every_kind_of_secret_is_masked(line: str) -> None:
    masked = mask_secrets(f"hostname x\n{line}\nend\n")
    assert "opensesame" not in masked
    assert masked.startswith("hostname x\n")
    assert masked.endswith("\nend\n")


def test_a_text_that_was_kept_masked_refers_to_the_secrets_of_today() -> None:
    intended = "interface GigabitEthernet0/0/1\n ospf authentication-mode md5 1 cipher <secret:ospf>\n"
    kept = mask_secrets("interface GigabitEthernet0/0/1\n description old\n ospf authentication-mode md5 1 cipher %^%#abc%^%#\n")
    earlier = refer_secrets("huawei_ar", kept, intended)
    assert "<masked>" not in earlier
    assert secret_names(earlier) == ("ospf",)
    without = "interface GigabitEthernet0/0/1\n description old\n"
    assert texts(patch("huawei_ar", without, earlier))[-2:] == [" ospf authentication-mode md5 1 cipher <secret:ospf>", " quit"]


def test_a_secret_that_nobody_knows_any_more_can_stay_and_cannot_be_written_again() -> None:
    kept = "interface GigabitEthernet0/0/1\n ospf authentication-mode md5 1 cipher <masked>\n"
    assert refer_secrets("huawei_ar", kept, "sysname r1\n") == kept
    assert patch("huawei_ar", kept.replace("<masked>", "%^%#abc%^%#"), kept) == ()
    with pytest.raises(RenderError, match="expected a reference to its secret; found none"):
        patch("huawei_ar", "interface GigabitEthernet0/0/1\n", kept)


def test_the_removal_of_a_line_with_a_secret_does_not_need_the_secret() -> None:
    with_key = FRR.replace(" ip ospf cost 10\n", " ip ospf message-digest-key 1 md5 clear\n")
    assert texts(patch("frr", with_key, FRR.replace(" ip ospf cost 10\n", ""))) == [
        "interface eth1",
        " no ip ospf message-digest-key 1",
        " exit",
    ]


def test_a_secret_that_could_only_be_removed_by_its_value_is_an_error() -> None:
    with_key = FRR + "some-protocol\n key-string clear\nexit\n"
    with pytest.raises(RenderError, match="expected a reference to its secret; found none"):
        patch("frr", with_key, with_key.replace(" key-string clear\n", " other\n"))


def test_a_line_given_twice_with_different_values_is_an_error_of_the_template() -> None:
    twice = VRP.replace("qos car inbound cir 10240\n", "qos car inbound cir 10240\n qos car inbound cir 2048\n")
    with pytest.raises(RenderError, match="expected each line once") as refusal:
        patch("huawei_ar", "sysname BZ-AR01\n", twice)
    assert "qos car inbound cir 2048" in str(refusal.value)


def test_text_whose_indentation_makes_no_blocks_is_an_error_of_the_template() -> None:
    with pytest.raises(RenderError, match="expected blocks by indentation"):
        patch("frr", FRR, "interface eth1\n  ip address 10.0.0.1/30\n description x\n")


def test_a_family_without_rules_is_an_error_that_names_those_with() -> None:
    with pytest.raises(RenderError, match=", ".join(MODELS)):
        patch("zte", FRR, FRR)


def test_the_diff_shows_a_changed_line_where_it_stands() -> None:
    shown = unified_diff("frr", FRR, FRR.replace("cost 10", "cost 20"), "county01").splitlines()
    at = shown.index("- ip ospf cost 10")
    assert shown[:2] == ["--- county01 running", "+++ county01 intended"]
    assert shown[at - 1 : at + 3] == ["  ip ospf area 0.0.0.0", "- ip ospf cost 10", "+ ip ospf cost 20", " router ospf"]
    assert count_changes("\n".join(shown)) == 2


def test_secret_names_come_once_each_in_order() -> None:
    assert secret_names("a <secret:b> <secret:a>\n<secret:b>") == ("b", "a")


# Round trips over many configurations, with an applier that shares nothing with the rules.

OVERWRITTEN = ("description ", "bandwidth ", "ip ospf cost ", "ospf router-id ", "area 0.0.0.1 stub", "hostname ")


def apply(text: str, commands: tuple[Command, ...]) -> dict[str, set[str]]:
    """Type the commands into a configuration as FRR takes them; blocks without lines vanish."""
    held = {head: set(body) for head, body in blocks("frr", text)}
    tops = {head for head in held if not head.startswith(("interface ", "router "))}
    tree = {"": tops, **{head: body for head, body in held.items() if head not in tops}}
    context = ""
    for command in commands:
        line = command.text
        if line == "exit":
            context = ""
        elif line.startswith(("interface ", "router ")):
            context = line
            tree.setdefault(line, set())
        elif line.startswith("no router "):
            tree.pop(line.removeprefix("no "))
        else:
            _type(tree[context], line)
    return {head: body for head, body in tree.items() if body}


def _type(lines: set[str], line: str) -> None:
    if line.startswith("no "):
        gone = {held for held in lines if held == line[3:] or held.startswith(f"{line[3:]} ")}
        assert gone, f"{line!r} removes nothing"
        lines -= gone
        return
    if line.startswith("ip ospf area "):
        assert not [held for held in lines if held.startswith("ip ospf area ")], "FRR: Must remove previous area config"
    key = next((key for key in OVERWRITTEN if line.startswith(key)), " ".join(line.split()[:4]) if line.startswith("ip route ") else line)
    lines -= {held for held in lines if held.startswith(key)}
    lines.add(line)


def _interface(number: int) -> st.SearchStrategy[str]:
    lines = st.tuples(
        st.sampled_from(["", " description A\n", " description B C\n"]),
        st.sampled_from(["", " bandwidth 2\n", " bandwidth 10\n"]),
        st.sampled_from(["", f" ip address 198.18.{number}.1/30\n", f" ip address 198.18.{number}.5/30\n"]),
        st.sampled_from(["", " ip ospf area 0.0.0.0\n", " ip ospf area 0.0.0.1\n"]),
        st.sampled_from(["", " ip ospf cost 1\n", " ip ospf cost 20\n"]),
        st.sampled_from(["", " ip ospf passive\n"]),
        st.sampled_from(["", " shutdown\n"]),
    )
    return lines.map(lambda parts: f"interface eth{number}\n{''.join(parts)}exit\n" if any(parts) else "")


ROUTE = f"ip route {IPv4Network('198.18.9.0/29')} 198.18.1."
CONFIGURATIONS = st.tuples(
    st.just("hostname x\n"),
    st.lists(st.sampled_from([f"{ROUTE}1 250\n", f"{ROUTE}5 250\n", f"{ROUTE}9\n"]), unique=True).map("".join),
    _interface(1),
    _interface(2),
    st.sampled_from(["", " ospf router-id 1.1.1.1\n", " ospf router-id 2.2.2.2\n area 0.0.0.1 stub\n"]).map(
        lambda body: f"router ospf\n{body}exit\n" if body else ""
    ),
).map("".join)


@settings(max_examples=120, deadline=None)
@given(CONFIGURATIONS, CONFIGURATIONS)
def test_running_plus_patch_is_intended_and_the_rollback_returns(running: str, intended: str) -> None:
    assert apply(running, patch("frr", running, intended)) == apply(intended, ())
    assert apply(intended, patch("frr", intended, running)) == apply(running, ())
    same = apply(running, ()) == apply(intended, ())  # FRR puts lines into its own order
    assert (unified_diff("frr", running, intended, "x") == "") == (patch("frr", running, intended) == ()) == same


def test_the_line_of_the_host_s_snmp_agent_is_neither_wanted_nor_removed() -> None:
    assert patch("frr", "hostname a\nagentx\n", "hostname a\n") == ()
    assert patch("frr", "hostname a\n", "hostname a\nagentx\n") == ()


def test_informs_and_their_user_are_taken_back_without_their_secrets() -> None:
    told = "snmp-agent target-host inform address udp-domain 10.0.0.2 udp-port {} params securityname poller v3 privacy\n"
    user = "snmp-agent remote-engineid 80004FB8010A000002 usm-user v3 poller g authentication-mode sha <secret:snmp_auth>\n"
    added = [command.text for command in patch("huawei_ar", "sysname a\n", f"sysname a\n{told.format(162)}{user}")]
    removed = [command.text for command in patch("huawei_ar", f"sysname a\n{told.format(162)}{user}", "sysname a\n")]
    assert set(added) == {told.format(162).strip(), user.strip()}
    assert set(removed) == {
        "undo snmp-agent remote-engineid 80004FB8010A000002 usm-user v3 poller",
        "undo snmp-agent target-host inform address udp-domain 10.0.0.2 udp-port 162 params securityname poller",
    }
