"""What a device shall run again: its own secrets typed as it showed them, and what separates two configurations, line by line."""

from __future__ import annotations

import hashlib
from ipaddress import IPv4Network

import pytest

from app.core.commands import Command
from app.core.cutoff import ManagementPath, find_cutoffs, served_before
from app.core.restoring import (
    find_unspoken,
    lines_in_force,
    spoken_lines,
    sure_of_ended_routing,
    tag_secrets,
    without_tags,
)
from app.edge.patch import patch

IOS = "interface Gi0/1\n ip ospf message-digest-key 1 md5 {0}\n!\nusername netops privilege 15 secret 5 {1}\n!\nend\n"
COMWARE = "#\nlocal-user netops class manage\n password hash {0}\n#\n"


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


def test_secrets_that_differ_are_a_difference_and_equal_ones_are_none() -> None:
    one, other = (tag_secrets(IOS.format(key, "$1$abc$def"), digest) for key in ("first-key", "second-key"))
    assert patch("cisco_ios", one, one) == ()
    assert any("message-digest-key" in command.text for command in patch("cisco_ios", other, one))
    assert "first-key" not in one
    assert "$1$abc$def" not in one


@pytest.mark.parametrize(
    ("family", "text", "shown"),
    [
        ("cisco_ios", IOS.format("first-key", "$1$abc$def"), "username netops privilege 15 secret 5 $1$abc$def"),
        ("h3c_msr", COMWARE.format("$h$6$abcdef"), "password hash $h$6$abcdef"),
    ],
)
def test_a_line_is_typed_in_the_form_in_which_the_device_showed_it(family: str, text: str, shown: str) -> None:
    """`password simple $h$6$…` would make the digest itself the password."""
    tagged = tag_secrets(text, digest)
    spoken = spoken_lines(family, text, digest)
    way = patch(family, "".join(line for line in tagged.splitlines(keepends=True) if "<shown:" not in line), tagged)
    typed = [spoken.get(command.text, command.text) for command in way]
    assert shown in typed
    assert find_unspoken(way, spoken) == ""
    assert not any("$" in command.text for command in way)


def test_a_secret_that_nobody_showed_is_named_without_its_tag() -> None:
    unspoken = find_unspoken([Command("hostname r1"), Command("key <shown:0123456789ab>")], {})
    assert unspoken == "key <shown:0123456789ab>"
    assert without_tags(unspoken) == "key <masked>"


def test_lines_in_force_are_told_behind_their_section_s_and_masked() -> None:
    before = "interface eth1\n description OLD\n ip address 198.18.0.1/30\nexit\n!\n"
    now = before.replace("OLD", "NEW").replace("exit", " ip ospf message-digest-key 1 md5 s3cret\nexit") + "interface eth2\n!\n"
    assert lines_in_force("frr", before, now) == (
        "- interface eth1 / description OLD",
        "+ interface eth1 / description NEW",
        "+ interface eth1 / ip ospf message-digest-key 1 md5 <masked>",
    )
    assert lines_in_force("frr", before, before + "interface eth2\n!\n") == (), "a port without lines says nothing"


def test_a_section_that_came_without_a_line_is_told_too() -> None:
    assert lines_in_force("huawei_ar", "#\nsysname r1\n#\n", "#\nsysname r1\n#\nospf 1\n#\n") == ("+ ospf 1",)


def test_the_end_of_a_routing_process_is_agreed_to_where_the_device_asks_and_nowhere_else() -> None:
    ended, other = sure_of_ended_routing("huawei_ar", [Command("undo ospf 1"), Command("undo ntp-service unicast-server 198.18.12.2")])
    assert [question.answer for question in ended.questions] == ["Y"]
    assert other.questions == ()
    assert sure_of_ended_routing("frr", [Command("no router ospf")])[0].questions == ()


BEFORE = "interface eth1\n ip address 198.18.1.2/30\nexit\n!\ninterface eth2\n ip address 198.18.2.2/30\n shutdown\nexit\n!\n"
PATH = ManagementPath(("eth1", "eth2"), ())


def test_a_port_that_was_shut_before_is_no_way_in_and_one_that_was_open_is() -> None:
    path = served_before("frr", BEFORE, PATH)
    assert path.interfaces == ("eth1",)
    open_now = BEFORE.replace(" shutdown\n", "")
    shut = {name: [Command(f"interface {name}"), Command("shutdown", level=1)] for name in ("eth1", "eth2")}
    assert find_cutoffs("frr", open_now, shut["eth2"], path) == ()
    assert find_cutoffs("frr", open_now, shut["eth2"], PATH) != ()
    assert find_cutoffs("frr", open_now, shut["eth1"], path) != ()


def test_a_route_to_the_centre_that_was_missing_before_may_go_again_and_one_that_stood_may_not() -> None:
    source = IPv4Network("198.18.9.0/29")
    route = f"ip route {source} 198.18.1.1"
    path = ManagementPath((), (source,))
    gone = [Command(f"no {route}")]
    assert find_cutoffs("frr", f"{BEFORE}{route}\n", gone, served_before("frr", BEFORE, path)) == ()
    assert find_cutoffs("frr", f"{BEFORE}{route}\n", gone, served_before("frr", f"{BEFORE}{route}\n", path)) != ()
