"""Renumbering the whole lab to another block, hop by hop and in band, while traffic flows through its units."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest

from app.core.ipplan import address_book
from app.edge.files import read_workspace
from app.errors import ExitCode
from lab import runner
from lab.handle import Lab, running_lab
from lab.runner import LabOptions
from tests.lab.conftest import WAIT_FOR_OTHERS_S, require_lab
from tests.samples.server import wait_until

pytestmark = pytest.mark.lab

OLD, NEW = IPv4Network("198.18.0.0/16"), IPv4Network("198.19.0.0/16")
RETIRED = ("loopback", "interconnect", "unit-lan")
NEW_POOLS = """\
  - {name: loopback-2, role: loopback, address_class: national_public, vrf: GGW, prefix: 198.19.0.0/24, length: 32}
  - {name: interconnect-2, role: interconnect, address_class: national_public, vrf: GGW, prefix: 198.19.4.0/22, length: 30}
  - {name: unit-lan-2, role: unit_lan, address_class: national_public, vrf: GGW, prefix: 198.19.16.0/20, length: 28}
"""
#: A fibre and an ADSL unit, in counties with and without a second way, and one at the city itself.
WATCHED = {"C01U01": "county01-u01", "C02T01": "county02-t01", "C03U02": "county03-u02", "D01": "city-d01"}
PER_SECOND = 20
#: Whose OSPF is restarted at the end: one county with its units, and one unit at the city.
RESTARTED = ("C01*", "D01")


@dataclass(frozen=True)
class Stream:
    """Echo requests from the centre to a host behind a unit's router, at a steady rate; what ping says of each is in `said`."""

    name: str
    process: subprocess.Popen[bytes]
    said: Path

    def end(self) -> tuple[int, int]:
        """Return how many were sent and lost.

        What was sent in the last second and had no answer when ping was stopped is neither: ping itself gives an answer a second.
        """
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        text = self.said.read_text(encoding="utf-8")
        sent = int(re.search(r"(\d+) packets transmitted", text)[1])  # type: ignore[index]
        answered = {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl=", text)}
        under_way = sent - max(answered, default=0)
        return sent, sent - len(answered) - (under_way if under_way <= PER_SECOND else 0)


@contextmanager
def renumbered_lab(folder: Path) -> Iterator[Lab]:
    """Boot the lab from a copy of its workspace that can be edited."""
    root = folder / "workspace"
    shutil.copytree(LabOptions().workspace, root)
    order = root / "inventory/order.yaml"
    above = str(LabOptions().workspace.parents[1])
    order.write_text(order.read_text(encoding="utf-8").replace("extends: ../../..", f"extends: {above}"), encoding="utf-8")
    with running_lab(LabOptions(workspace=root, wait_s=WAIT_FOR_OTHERS_S)) as lab:
        yield lab


def retire_pools(root: Path) -> None:
    path = root / "ipplan/plan.yaml"
    text = path.read_text(encoding="utf-8")
    for name in RETIRED:
        text = re.sub(rf"(name: {name}, .*)\}}", r"\1, retired: true}", text)
    path.write_text(text.replace("\nrouting:", f"{NEW_POOLS}\nrouting:", 1), encoding="utf-8")


def lan(lab: Lab, unit: str, block: IPv4Network) -> IPv4Network:
    rows = [row.prefix for row in read_workspace(lab.root)[0].ledger if row.holder == f"unit:{unit}" and row.released_on is None]
    return next(prefix for prefix in rows if prefix.subnet_of(block))


def attach_host(lab: Lab, device: str, prefix: IPv4Network) -> None:
    """Put a host behind a unit's router, on its LAN, with a network of its own."""
    script = f"""
        ip link add host0 type veth peer name host1
        ip link set host0 master lan0 up
        unshare -n sh -c 'echo $$ > /run/host.pid; exec sleep 7200' </dev/null >/dev/null 2>&1 &
        while ! [ -s /run/host.pid ]; do sleep 0.05; done
        while [ "$(readlink /proc/$(cat /run/host.pid)/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
        ip link set host1 netns $(cat /run/host.pid)
        nsenter -t $(cat /run/host.pid) -n sh -c 'ip link set lo up; ip link set host1 up; ip address add {prefix[5]}/28 dev host1
            ip route add default via {prefix[1]}'
    """
    done = lab.exec_in(device, ["sh", "-ec", script])
    assert done.returncode == 0, done.stderr


def on_host(lab: Lab, device: str, script: str) -> str:
    done = lab.exec_in(device, ["sh", "-ec", f"nsenter -t $(cat /run/host.pid) -n sh -ec '{script}'"])
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def ending() -> Iterator[list[Stream]]:
    """End at the latest here whatever streams were started."""
    streams: list[Stream] = []
    try:
        yield streams
    finally:
        for one in streams:
            with one.process:
                one.process.kill()


def stream(lab: Lab, name: str, target: IPv4Address) -> Stream:
    """Begin a stream, once its host answers at all."""
    wait_until(lambda: lab.in_noc(["ping", "-c", "1", "-W", "1", str(target)]).returncode == 0, 60, f"an answer of {name} at {target}")
    command = runner.enter_noc(["ping", "-n", "-i", str(1 / PER_SECOND), "-W", "1", str(target)])
    said = lab.root.parent / f"{name}.ping".replace(" ", "-")
    with said.open("wb") as file:
        return Stream(name, subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT), said)


def step(lab: Lab, *words: str, expected: ExitCode = ExitCode.OK) -> dict:
    begun = time.monotonic()
    done = lab.waiwang("renumber", *words, "--format", "json", timeout=600)
    print(f"renumber {' '.join(words)}: {time.monotonic() - begun:.1f} s")  # noqa: T201  # what pytest -rA shows
    assert done.returncode == expected, f"exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return json.loads(done.stdout)


def losses(streams: list[Stream]) -> dict[str, tuple[int, int]]:
    return {stream.name: stream.end() for stream in streams}


def test_every_unit_is_renumbered_in_band_while_traffic_flows_through_four(
    tmp_path: Path, require_program: Callable[..., None], record_property: Callable[[str, object], None]
) -> None:
    require_lab()
    require_program("ping", "unshare", "nsenter")
    with renumbered_lab(tmp_path) as lab, ending() as streams:
        deployed = lab.waiwang("deploy", "--commit", "--wait", "120", "--format", "json", timeout=600)
        assert deployed.returncode == ExitCode.OK, deployed.stdout[-2000:]
        for unit, device in WATCHED.items():
            attach_host(lab, device, lan(lab, unit, OLD))
        before = [stream(lab, f"{unit} old", lan(lab, unit, OLD)[5]) for unit in WATCHED]

        streams += before
        retire_pools(lab.root)
        planned = step(lab, "plan", "--commit")
        assert planned["totals"] == {"new_prefixes": 64}
        begun = step(lab, "start", "--commit")
        assert Counter(row["result"] for row in begun["rows"]) == {"moved": 64}
        assert begun["totals"]["devices_deployed"] == len(lab.intents)

        for unit, device in WATCHED.items():
            new = lan(lab, unit, NEW)
            on_host(lab, device, f"ip address add {new[5]}/28 dev host1; ip route replace default via {new[1]}")
        after = [stream(lab, f"{unit} new", lan(lab, unit, NEW)[5]) for unit in WATCHED]

        streams += after
        led = step(lab, "cutover", "--commit")
        assert Counter(row["result"] for row in led["rows"]) == {"moved": 64}

        halted = step(lab, "finish", "D01", expected=ExitCode.NOT_ACCEPTED)
        kept = {row["holder"]: row["reason"] for row in halted["rows"] if row["result"] == "not_proven"}
        assert kept == {"unit:D01": f"{lan(lab, 'D01', OLD)[5]} behind city-d01 still answers"}

        on_old = losses(before)
        for unit, device in WATCHED.items():
            on_host(lab, device, f"ip address delete {lan(lab, unit, OLD)[5]}/28 dev host1")
        cleared = step(lab, "finish", "--commit", expected=ExitCode.NOT_ACCEPTED)
        unproven = {row["holder"] for row in cleared["rows"] if row["result"] == "not_proven"}
        assert unproven == {f"device:{name}" for name in lab.intents}, "OSPF goes by the old loopbacks until it is restarted"
        during = losses(after)

        again = [stream(lab, f"{unit} restart", lan(lab, unit, NEW)[5]) for unit in ("C01U01", "D01")]
        streams += again
        finished = step(lab, "finish", *RESTARTED, "--commit", "--restart-ospf")
        assert Counter(row["result"] for row in finished["rows"]) == {"unchanged": 6}
        restarting = losses(again)

        for name, (sent, lost) in (on_old | during | restarting).items():
            record_property(f"lost {name}", f"{lost} of {sent}")
            print(f"{name}: lost {lost} of {sent}")  # noqa: T201  # what pytest -rA shows
        assert all(sent > PER_SECOND for sent, _ in (on_old | during | restarting).values())
        assert {name: lost for name, (_, lost) in (on_old | during).items() if lost} == {}

        assert step(lab, "status", expected=ExitCode.PENDING)["totals"] == {"units": 23, "clearing": 17, "finished": 6}
        judge_the_end(lab)


def judge_the_end(lab: Lab) -> None:
    """No device has an old address, a second deployment changes nothing, and what was proven gone is in quarantine."""
    workspace, _ = read_workspace(lab.root)
    book = address_book(workspace.ledger)
    moved = {holder: prefix for holder, prefix in book.prefixes.items() if not holder.startswith("service:")}
    assert all(prefix.subnet_of(NEW) for prefix in moved.values())
    released = {row.holder for row in workspace.ledger if row.released_on is not None and row.prefix.subnet_of(OLD)}
    kept = {row.holder for row in workspace.ledger if row.released_on is None and row.prefix.subnet_of(OLD) and row.role != "service"}
    assert (len(moved), len(released), len(kept)) == (64, 47, 17)
    assert all(holder.startswith("device:") for holder in kept), "OSPF goes by these still"
    for name in lab.intents:
        ports = json.loads(lab.exec_in(name, ["vtysh", "-c", "show interface brief json"]).stdout)
        held = {IPv4Interface(address) for port in ports.values() for address in port["addresses"]}
        assert not [address for address in held if address.ip in OLD and not str(address).startswith("198.18.2.")], name
    again = lab.waiwang("deploy", "--commit", "--wait", "120", "--format", "json", timeout=600)
    assert again.returncode == ExitCode.OK, again.stdout[-2000:]
    assert json.loads(again.stdout)["totals"] == {"unchanged": len(lab.intents)}
