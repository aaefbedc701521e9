"""What the virtual devices answer, family by family."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from lab.virtual import engine
from lab.virtual.deeds import config_text
from lab.virtual.facts import interfaces_of, snmp_users
from lab.virtual.grammar import GrammarFault, build_grammar, families, read_grammar
from lab.virtual.state import Context, Device, Session, hostname, is_hidden, prompt

G1 = "GigabitEthernet0/0/1"
PORTS = {"cisco_ios": ("GigabitEthernet0/1",), "h3c_msr": ("GigabitEthernet0/1",), "frr": ("eth1",)}


@dataclass
class Terminal:
    """A user at a device: types lines, sees text, and lets time pass."""

    family: str
    now_s: float = 0.0
    device: Device = field(init=False)
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.device = engine.new_device(self.context.grammar, "R1", PORTS.get(self.family, (G1,)), 0.0)
        self.session = Session(1)

    @property
    def context(self) -> Context:
        return Context(read_grammar(self.family), self.now_s)

    @property
    def prompt(self) -> str:
        return prompt(self.context, self.device, self.session)

    @property
    def running(self) -> str:
        return config_text(self.context.grammar, self.device.running)

    def type(self, *lines: str) -> str:
        """Type lines; return what the last of them was answered."""
        text = ""
        for line in lines:
            turn = engine.step(self.context, self.device, self.session, line)
            self.device, self.session, text = turn.device, turn.session, turn.text
        return text


@pytest.mark.parametrize("family", families())
def test_every_family_shows_its_name_from_the_start_and_all_but_frr_their_ports(family: str) -> None:
    terminal = Terminal(family)
    assert "R1" in terminal.prompt
    shown = f"interface {PORTS.get(family, (G1,))[0]}" in terminal.running
    assert shown is (family != "frr")


@pytest.mark.parametrize(("family", "lines", "prompt"), [
    ("huawei_ar", ("system-view",), "[R1]"),
    ("huawei_ar", ("system-view", f"interface {G1}"), f"[R1-{G1}]"),
    ("huawei_ar", ("system-view", "ospf 1", "area 2"), "[R1-ospf-1-area-0.0.0.2]"),
    ("huawei_ar", ("system-view", "ospf 1", "area 2", "quit"), "[R1-ospf-1]"),
    ("huawei_ar", ("system-view", "ospf 1", "area 2", "return"), "<R1>"),
    ("huawei_ne", ("system-view",), "[~R1]"),
    ("huawei_ne", ("system-view", "dhcp enable"), "[*R1]"),
    ("huawei_ne", ("system-view immediately", "dhcp enable"), "[R1]"),
    ("h3c_msr", ("system-view", "line vty 0 63"), "[R1-line-vty0-63]"),
    ("cisco_ios", ("configure terminal", "interface GigabitEthernet0/1"), "R1(config-if)#"),
    ("cisco_ios", ("configure terminal", "interface GigabitEthernet0/1", "end"), "R1#"),
])  # fmt: skip
def test_prompts_follow_the_view(family: str, lines: tuple[str, ...], prompt: str) -> None:
    terminal = Terminal(family)
    terminal.type(*lines)
    assert terminal.prompt == prompt


def test_vrp_points_at_the_word_it_does_not_know() -> None:
    terminal = Terminal("huawei_ar")
    terminal.type("system-view")
    text = terminal.type("qos car inbound cir 64")
    caret, message = text.split("\n")
    assert caret == " " * len("[R1]") + "^"
    assert message == "Error: Unrecognized command found at '^' position."


def test_ar_adds_bursts_to_a_committed_rate_and_removes_it_by_direction_only() -> None:
    terminal = Terminal("huawei_ar")
    terminal.type("system-view", f"interface {G1}", "qos car inbound cir 2048")
    assert "qos car inbound cir 2048 cbs 385024 pbs 641024 green pass yellow pass red discard" in terminal.running
    assert "Too many parameters" in terminal.type("undo qos car inbound cir 2048")
    assert terminal.type("undo qos car inbound") == ""
    assert "qos car" not in terminal.running


def test_a_new_rate_overwrites_the_old_one_of_its_direction_only() -> None:
    terminal = Terminal("huawei_ar")
    terminal.type("system-view", f"interface {G1}", "qos car inbound cir 2048", "qos car outbound cir 2048", "qos car inbound cir 4096")
    assert terminal.running.count("qos car inbound") == 1
    assert "qos car inbound cir 4096" in terminal.running
    assert "qos car outbound cir 2048" in terminal.running


def test_a_switch_port_takes_no_address_until_it_is_routed() -> None:
    terminal = Terminal("huawei_s")
    terminal.type("system-view", f"interface {G1}")
    assert "Layer 2" in terminal.type("ip address 10.0.0.1 30")
    terminal.type("undo portswitch", "ip address 10.0.0.1 30")
    assert " ip address 10.0.0.1 255.255.255.252" in terminal.running


@pytest.mark.parametrize(("family", "line"), [
    ("huawei_s", "qos car inbound cir 2048"),
    ("huawei_s", "qos gts cir 2048"),
    ("huawei_ar", "qos lr outbound cir 2048"),
    ("huawei_ne", "qos car inbound cir 2048"),
    ("huawei_ne", "qos gts cir 2048"),
    ("h3c_msr", "qos lr outbound cir 10000"),
    ("cisco_ios", "qos car inbound cir 2048"),
])  # fmt: skip
def test_the_rate_grammar_of_another_family_is_refused(family: str, line: str) -> None:
    terminal = Terminal(family)
    terminal.type("system-view" if family != "cisco_ios" else "configure terminal", f"interface {PORTS.get(family, (G1,))[0]}")
    before = terminal.device
    text = terminal.type(line)
    assert "^" in text
    assert terminal.device == before


def test_ne_names_the_direction_last_and_undoes_by_it() -> None:
    terminal = Terminal("huawei_ne")
    terminal.type("system-view", f"interface {G1}", "qos car cir 10240 inbound", "commit")
    assert "qos car cir 10240 cbs 1914880 pbs 3205120 green pass yellow pass red discard inbound" in terminal.running
    terminal.type("undo qos car inbound", "commit")
    assert "qos car" not in terminal.running


def test_vrp8_changes_nothing_before_the_commit() -> None:
    terminal = Terminal("huawei_ne")
    terminal.type("system-view", "sysname R2")
    assert "sysname R1" in terminal.running
    terminal.type("commit")
    assert "sysname R2" in terminal.running
    assert terminal.prompt == "[~R2]"


@pytest.mark.parametrize(("passed_s", "name"), [(59.9, "R2"), (60.0, "R1")])
def test_a_trial_that_nobody_confirms_returns_at_its_second(passed_s: float, name: str) -> None:
    terminal = Terminal("huawei_ne")
    terminal.type("system-view", "sysname R2", "commit trial 60")
    terminal.now_s = passed_s
    terminal.type("")
    assert hostname(terminal.context.grammar, terminal.device) == name


def test_a_confirmed_trial_stays() -> None:
    terminal = Terminal("huawei_ne")
    terminal.type("system-view", "sysname R2", "commit trial 60", "commit")
    terminal.now_s = 1000.0
    terminal.type("")
    assert "sysname R2" in terminal.running


@pytest.mark.parametrize(("begin", "confirm", "refused"), [
    ("commit trial 60", "commit", True),
    ("commit trial 60", "commit persist X", True),
    ("commit trial 60 persist X", "commit persist Y", True),
    ("commit trial 60 persist X", "commit persist X", False),
])  # fmt: skip
def test_another_session_confirms_a_trial_by_its_persist_word_only(begin: str, confirm: str, refused: bool) -> None:
    terminal = Terminal("huawei_ne")
    terminal.type("system-view", "sysname R2", begin)
    other = Terminal("huawei_ne")
    other.device, other.session = terminal.device, replace(other.session, number=2)
    other.type("system-view")
    assert ("trial" in other.type(confirm)) is refused
    assert (other.device.trial is not None) is refused


def test_an_aborted_trial_returns_at_once() -> None:
    terminal = Terminal("huawei_ne")
    terminal.type("system-view", "sysname R2", "commit trial", "abort trial", "Y")
    assert "sysname R1" in terminal.running


@pytest.mark.parametrize("seconds", [59, 65536])
def test_a_trial_lasts_60_to_65535_seconds(seconds: int) -> None:
    terminal = Terminal("huawei_ne")
    assert "Wrong parameter" in terminal.type("system-view", "sysname R2", f"commit trial {seconds}")


@pytest.mark.parametrize(("answer", "name", "prompt"), [("Y", "R2", "<R2>"), ("N", "R1", "<R1>"), ("C", "R1", "[*R1]")])
def test_leaving_with_uncommitted_changes_asks(answer: str, name: str, prompt: str) -> None:
    terminal = Terminal("huawei_ne")
    terminal.type("system-view", "sysname R2", "quit")
    assert "Uncommitted" in terminal.prompt
    terminal.type(answer)
    assert terminal.prompt == prompt
    assert f"sysname {name}" in terminal.running


def test_two_sessions_that_changed_the_same_line_cannot_both_commit() -> None:
    terminal = Terminal("huawei_ne")
    terminal.type("system-view", "sysname R2")
    other = Terminal("huawei_ne")
    other.device, other.session = terminal.device, replace(other.session, number=2)
    other.type("system-view", "sysname R3", "commit")
    terminal.device = other.device
    assert "Failed to generate committed config" in terminal.type("commit")
    assert "sysname R3" in terminal.running


def test_two_sessions_that_changed_different_lines_both_commit() -> None:
    terminal = Terminal("huawei_ne")
    terminal.type("system-view", "dhcp enable")
    other = Terminal("huawei_ne")
    other.device, other.session = terminal.device, replace(other.session, number=2)
    other.type("system-view", "stelnet server enable", "commit")
    terminal.device = other.device
    assert terminal.type("commit") == ""
    assert "dhcp enable" in terminal.running
    assert "stelnet server enable" in terminal.running


def test_an_exclusive_lock_keeps_others_out() -> None:
    terminal = Terminal("huawei_ne")
    terminal.type("configuration exclusive")
    other = Terminal("huawei_ne")
    other.device, other.session = terminal.device, replace(other.session, number=2)
    assert "locked" in other.type("system-view", "sysname R3")


def test_vrp8_asks_for_snmp_secrets_twice_and_shows_none() -> None:
    terminal = Terminal("huawei_ne")
    terminal.type("system-view", "snmp-agent usm-user v3 poller authentication-mode sha2-256")
    assert is_hidden(terminal.session)
    terminal.type("longsecret-1", "longsecret-1", "commit")
    assert "longsecret-1" not in terminal.running
    users = snmp_users(terminal.context.grammar, terminal.device.running, terminal.device.vault)
    assert [(user.name, user.auth, user.auth_secret) for user in users] == [("poller", "sha256", "longsecret-1")]


def test_vrp8_refuses_secrets_that_differ_or_are_short() -> None:
    terminal = Terminal("huawei_ne")
    line = "snmp-agent usm-user v3 poller authentication-mode sha"
    assert "differ" in terminal.type("system-view", line, "longsecret-1", "longsecret-2")
    assert "shorter" in terminal.type(line, "short")
    assert "usm-user" not in config_text(terminal.context.grammar, terminal.session.candidate or terminal.device.running)


def test_ar_hides_secrets_and_takes_its_own_ciphertext_back() -> None:
    terminal = Terminal("huawei_ar")
    terminal.type("system-view", "snmp-agent usm-user v3 poller G authentication-mode sha authpass-1 privacy-mode aes128 privpass-1")
    assert "authpass-1" not in terminal.running
    shown = next(line for line in terminal.running.splitlines() if "usm-user" in line)
    before = terminal.device
    terminal.type(shown)
    assert terminal.device == before
    user = snmp_users(terminal.context.grammar, terminal.device.running, terminal.device.vault)[0]
    assert (user.auth_secret, user.priv_secret) == ("authpass-1", "privpass-1")


def test_a_running_probe_of_h3c_cannot_be_edited_until_its_schedule_is_undone() -> None:
    terminal = Terminal("h3c_msr")
    terminal.type("system-view", "nqa entry a L1", "type icmp-echo", "frequency 1000", "quit", "quit")
    terminal.type("nqa schedule a L1 start-time now lifetime forever")
    assert "scheduled" in terminal.type("nqa entry a L1")
    terminal.type("undo nqa schedule a L1", "nqa entry a L1", "type icmp-echo", "frequency 2000")
    assert "frequency 2000" in terminal.running


def test_a_running_probe_of_vrp_cannot_be_edited_either() -> None:
    terminal = Terminal("huawei_ar")
    terminal.type("system-view", "nqa test-instance a L1", "test-type icmp", "frequency 10", "start now")
    assert "running" in terminal.type("frequency 20")
    terminal.type("stop", "frequency 20")
    assert "frequency 20" in terminal.running


def test_binding_a_vpn_removes_the_address() -> None:
    terminal = Terminal("huawei_ar")
    terminal.type("system-view", f"interface {G1}", "ip address 10.0.0.1 30")
    assert "does not exist" in terminal.type("ip binding vpn-instance GGW")
    terminal.type("quit", "ip vpn-instance GGW", "quit", f"interface {G1}", "ip binding vpn-instance GGW")
    assert "10.0.0.1" not in terminal.running


@pytest.mark.parametrize(
    ("family", "lines", "gone"),
    [
        (
            "huawei_ar",
            ("bgp 1", "peer 198.18.0.2 as-number 1", "peer 198.18.0.3 as-number 1", "peer 198.18.0.2 connect-interface LoopBack0",
             "ipv4-family vpnv4", "peer 198.18.0.2 enable", "Y", "peer 198.18.0.3 enable", "Y", "quit"),
            ("undo peer 198.18.0.2", "Y"),
        ),
        (
            "cisco_ios",
            ("router bgp 1", "neighbor 198.18.0.2 remote-as 1", "neighbor 198.18.0.3 remote-as 1",
             "neighbor 198.18.0.2 update-source Loopback0", "address-family vpnv4", "neighbor 198.18.0.2 activate",
             "neighbor 198.18.0.3 activate", "exit-address-family"),
            ("no neighbor 198.18.0.2",),
        ),
    ],
)
def test_a_bgp_peer_takes_its_lines_in_every_family_along(family: str, lines: tuple[str, ...], gone: tuple[str, ...]) -> None:
    terminal = Terminal(family)
    terminal.type(*(("system-view",) if family == "huawei_ar" else ("configure terminal",)), *lines)
    assert terminal.running.count("198.18.0.2") == 3
    terminal.type(*gone)
    assert terminal.running.count("198.18.0.2") == 0
    assert terminal.running.count("198.18.0.3") == 2


def test_removing_a_process_asks_and_no_means_no() -> None:
    terminal = Terminal("huawei_ar")
    terminal.type("system-view", "ospf 1", "quit", "undo ospf 1", "N")
    assert "ospf 1" in terminal.running
    terminal.type("undo ospf 1", "Y")
    assert "ospf 1" not in terminal.running


def test_the_first_save_asks_for_a_file_name_and_later_ones_do_not() -> None:
    terminal = Terminal("huawei_ar")
    terminal.type("save", "Y")
    assert "file name" in terminal.prompt
    assert terminal.device.saved is None
    terminal.type("")
    assert terminal.device.saved == terminal.device.running
    terminal.type("system-view", "sysname R2", "return", "save", "Y")
    assert terminal.prompt == "<R2>"
    assert terminal.device.saved == terminal.device.running


def test_a_refused_save_saves_nothing() -> None:
    terminal = Terminal("huawei_ar")
    terminal.type("save", "N")
    assert terminal.device.saved is None
    assert terminal.prompt == "<R1>"


def test_ports_cannot_be_invented_or_deleted() -> None:
    terminal = Terminal("huawei_ar")
    assert "does not exist" in terminal.type("system-view", "interface GigabitEthernet0/0/9")
    assert "cannot be deleted" in terminal.type(f"undo interface {G1}")
    terminal.type("interface LoopBack0", "quit", "undo interface LoopBack0")
    assert "LoopBack0" not in terminal.running


def test_ios_takes_global_lines_in_every_view_and_removes_by_the_whole_line() -> None:
    terminal = Terminal("cisco_ios")
    terminal.type("configure terminal", "interface GigabitEthernet0/1", "description x", "router ospf 1", "network 10.0.0.0 0.0.0.3 area 0")
    assert terminal.prompt == "R1(config-router)#"
    terminal.type("interface GigabitEthernet0/1", "no description x")
    assert "description" not in terminal.running


def test_shut_is_the_start_on_ne_and_open_elsewhere() -> None:
    for family, shut in (("huawei_ne", True), ("huawei_ar", False)):
        terminal = Terminal(family)
        port = interfaces_of(terminal.context.grammar, terminal.device.running, (G1,))[0]
        assert port.shutdown is shut


def test_an_ambiguous_word_is_refused() -> None:
    terminal = Terminal("cisco_ios")
    terminal.type("configure terminal")
    before = terminal.device
    assert "Ambiguous" in terminal.type("log s x") or "Invalid" in terminal.type("log s x")
    assert terminal.device == before


def test_the_same_lines_give_the_same_text() -> None:
    lines = ["ospf 1", "area 1", "network 10.0.0.0 0.0.0.3", "return", "system-view", "interface LoopBack10", "interface LoopBack9"]
    one, two = Terminal("huawei_ar"), Terminal("huawei_ar")
    one.type("system-view", *lines)
    two.type("system-view", *lines)
    assert one.running == two.running
    assert one.running.index("LoopBack9") < one.running.index("LoopBack10")


@pytest.mark.parametrize("family", families())
def test_what_a_device_shows_it_takes_back_unchanged(family: str) -> None:
    grammar = read_grammar(family)
    terminal = Terminal(family)
    port = PORTS.get(family, (G1,))[0]
    address = {"frr": "ip address 10.0.0.1/30"}.get(family, "ip address 10.0.0.1 255.255.255.252")
    ospf = {"cisco_ios": "router ospf 1", "frr": "router ospf"}.get(family, "ospf 1")
    ciscos = family in ("cisco_ios", "frr")
    enter = "configure terminal" if ciscos else "system-view immediately" if family == "huawei_ne" else "system-view"
    routed = ["undo portswitch"] if family in ("huawei_s", "huawei_ne") else ["port link-mode route"] if family == "h3c_s" else []
    terminal.type(enter, f"interface {port}", *routed, address, "description TO:core", "shutdown", "exit" if ciscos else "quit", ospf)
    text = terminal.running
    assert "10.0.0.1" in text
    turn = engine.load(grammar, engine.new_device(grammar, "R1", PORTS.get(family, (G1,)), 0.0), [
        line for line in text.splitlines() if line not in grammar.head and line != grammar.tail
    ])  # fmt: skip
    assert turn.text == ""
    assert config_text(grammar, turn.device.running) == text


def test_an_unknown_key_in_a_grammar_is_an_error() -> None:
    with pytest.raises(GrammarFault, match="colour"):
        build_grammar("x", {"colour": "blue"})


def test_a_family_without_a_grammar_is_named_with_those_there_are() -> None:
    with pytest.raises(GrammarFault, match=r"huawei_ar.*found junos"):
        read_grammar("junos")


@pytest.mark.parametrize(
    ("family", "undo", "beside", "said"),
    [
        ("huawei_ar", "undo", "sub", "Error: Please delete the secondary IP addresses first."),
        ("h3c_msr", "undo", "sub", "% Please delete the sub IP addresses first."),
        ("cisco_ios", "no", "secondary", "Must delete secondary before deleting primary"),
    ],
)
def test_a_leading_address_does_not_go_while_another_stands_beside_it(family: str, undo: str, beside: str, said: str) -> None:
    port = "GigabitEthernet0/0/1" if family == "huawei_ar" else "GigabitEthernet0/1"
    grammar = read_grammar(family)
    text = f"interface {port}\n ip address 198.18.4.1 255.255.255.252\n ip address 198.19.4.1 255.255.255.252 {beside}\n"
    device = engine.load(grammar, engine.new_device(grammar, "r1", (port,), 0.0), text.splitlines()).device
    refused = engine.load(grammar, device, [f"interface {port}", f" {undo} ip address 198.18.4.1 255.255.255.252"])
    assert said in refused.text
    assert engine.load(grammar, device, [f"interface {port}", " ip address 198.20.4.1 255.255.255.252"]).text == ""
    gone = [f" {undo} ip address 198.19.4.1 255.255.255.252 {beside}", f" {undo} ip address 198.18.4.1 255.255.255.252"]
    assert engine.load(grammar, device, [f"interface {port}", *gone]).text == ""
