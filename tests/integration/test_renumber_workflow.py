"""Renumbering over routers that are played: what each step does, what it refuses, and what it takes up again."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest

from app.core.commands import Command
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.ping import PingCount
from app.core.renumber import burn_down, find_moves
from app.core.renumber import plan_renumbering as plan_ledger
from app.edge.files import read_workspace
from app.edge.files.ledger import locked, write_ledger
from app.edge.known_hosts import add_addresses
from app.edge.templates import read_templates
from app.errors import ConnectFailed, DeviceError, ExitCode, InputError
from app.settings import read_settings
from app.workflows.hosts import Gateway
from app.workflows.plan import plan as plan_prefixes
from app.workflows.render import render
from app.workflows.renumber import Ground, cut_over, finish, start
from app.workflows.renumber import plan as plan_renumbering
from app.workflows.tables import ask_tables
from tests.integration.deploy.conftest import Vty
from tests.samples.server import opened, wait_until

DAY = date(2008, 5, 1)
LEDGER = "ipplan/allocations.csv"
LAB = Path(__file__).parents[2] / "lab/workspace"
KEPT = ("city", "county01", "county01-u01", "county01-t01")


@dataclass
class Network:
    """Routers by name, each a vtysh-like device; two are OSPF neighbours where they hold addresses of one line's prefix."""

    routers: dict[str, Vty]
    lost: set[str] = field(default_factory=set)
    silent: set[IPv4Network] = field(default_factory=set)
    hosts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    answering: set[str] = field(default_factory=set)
    router_ids: dict[str, str] = field(default_factory=dict)
    pushed: list[str] = field(default_factory=list)
    reached: list[tuple[str, str]] = field(default_factory=list)

    def addresses(self, name: str) -> list[tuple[str, IPv4Interface]]:
        blocks = self.routers[name].blocks.items()
        return [
            (head.removeprefix("interface "), IPv4Interface(line.split()[2]))
            for head, lines in blocks
            for line in lines
            if line.startswith("ip address ")
        ]

    def connect(self, intent: DeviceIntent, wait_s: float) -> PlayedSession:
        held = {address.ip for _, address in self.addresses(intent.hostname)}
        reached = next((contact for contact in intent.contacts if contact in held), None)
        if reached is None or intent.hostname in self.lost:
            raise ConnectFailed(intent.hostname, "connect by SSH", expected="an answer", found="none", next_step="Look at the line.")
        self.reached.append((intent.hostname, str(reached)))
        return PlayedSession(self, intent, reached)


@dataclass
class PlayedSession:
    network: Network
    intent: DeviceIntent
    address: IPv4Address

    @property
    def router(self) -> Vty:
        return self.network.routers[self.intent.hostname]

    def running(self) -> str:
        return "!\n" + self.router.running().split("!\n", 1)[1]

    def push(self, commands: Iterable[Command]) -> None:
        self.network.pushed.append(self.intent.hostname)
        self.router.answer("configure terminal")
        for command in commands:
            self.router.answer(command.text)
        self.router.answer("end")

    def save(self) -> None:
        self.router.answer("write memory")

    def ping(self, address: IPv4Address, count: int) -> PingCount | None:
        return PingCount(count, count if str(address) in self.network.answering else 0, None)

    def restart_ospf(self) -> None:
        intended = next(line for line in self.router.blocks["router ospf"] if line.startswith("ospf router-id "))
        self.network.router_ids[self.intent.hostname] = intended.split()[2]

    def close(self) -> None:
        pass

    def show(self, question: str, vpn: str | None = None) -> str:
        if question == "vpns":
            return ""
        name = self.intent.hostname
        mine = self.network.addresses(name)
        if question == "addresses":
            ports: dict[str, list[str]] = {}
            for port, address in mine:
                ports.setdefault(port, []).append(str(address))
            return json.dumps({port: _as_shown(held) for port, held in ports.items()})
        if question == "routes":
            hop = {"protocol": "connected", "selected": True, "nexthops": []}
            return json.dumps({str(address.network): [hop] for _, address in mine})
        if question == "neighbours":
            rows = [f"lan0 {host} 02:00:00:00:00:01 0" for host in self.network.hosts.get(name, ())]
            return "\n".join(["Interface Neighbor MAC #Rules", *rows])
        if question == "adjacencies":
            found = [
                {"ifaceName": f"{port}:{address.ip}", "address": str(theirs.ip), "nbrState": "Full/-"}
                for port, address in mine
                for other in self.network.routers
                if other != name
                for _, theirs in self.network.addresses(other)
                if theirs.network == address.network and theirs.network not in self.network.silent
            ]
            return json.dumps({"neighbors": {"x": found}})
        return json.dumps({"routerId": self.network.router_ids[name]})


def _as_shown(addresses: list[str]) -> dict[str, object]:
    """Return a port in the words of `show interface vrf all json`."""
    held = [{"address": address, "secondary": False, "unnumbered": False} for address in addresses]
    return {"operationalStatus": "up", "vrfName": "default", "ipAddresses": held}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A county with two units out of the lab's workspace, its pools retired and others beside them."""
    root = tmp_path / "workspace"
    shutil.copytree(LAB, root)
    order = root / "inventory/order.yaml"
    order.write_text(order.read_text(encoding="utf-8").replace("extends: ../../..", f"extends: {LAB.parents[1]}"), encoding="utf-8")
    for table, words in {
        "devices": KEPT,
        "lines": ("BZWW-A-0001", "BZWW-F-0003", "BZWW-D-0001"),
        "units": ("C01,", "C01U01", "C01T01"),
    }.items():
        path = root / f"inventory/{table}.csv"
        head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [row for row in rows if any(row.startswith(word if word.endswith(",") else f"{word},") for word in words)]
        path.write_text("".join([head, *kept]), encoding="utf-8")
    ledger = root / "ipplan/allocations.csv"
    ledger.unlink()
    plan_prefixes(root, commit=True, today=DAY)
    text = (root / "ipplan/plan.yaml").read_text(encoding="utf-8")
    fresh = {"loopback": ("198.19.0.0/24", 32), "interconnect": ("198.19.4.0/22", 30), "unit-lan": ("198.19.16.0/20", 28)}
    for name, (prefix, length) in fresh.items():
        role = name.replace("-", "_")
        old = next(line for line in text.splitlines() if f"name: {name}," in line)
        new = f"  - {{name: {name}-2, role: {role}, address_class: national_public, vrf: GGW, prefix: {prefix}, length: {length}}}"
        text = text.replace(old, f"{old[:-1]}, retired: true}}\n{new}")
    (root / "ipplan/plan.yaml").write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def network(root: Path) -> Network:
    """Every router as it is to be before anything is renumbered."""
    workspace, _ = read_workspace(root)
    texts = render(workspace, read_templates(root))
    routers = {name: Vty(name).load(text) for name, text in texts.items()}
    for router in routers.values():
        router.blocks.setdefault("", []).append("no ipv6 forwarding")  # the played device takes `no` for a removal alone
    ids = {name: str(intent.loopback) for name, intent in build_intents(workspace).items()}
    return Network(routers, router_ids=ids)


@pytest.fixture
def ground(root: Path, network: Network) -> Ground:
    gateway = Gateway(False, network.connect, lambda names: None, lambda intent: True)
    return Ground(root, read_settings({}, root), {}, gateway, lambda device, text: None, workers=4, wait_s=0.0)


def results(report: object) -> dict[str, int]:
    return dict(Counter(row.result for row in report.moves))  # type: ignore[attr-defined]  # a RenumberReport


def phases(root: Path) -> dict[str, int]:
    return dict(Counter(move.phase for move in find_moves(read_workspace(root)[0])))


def test_a_county_is_carried_over_step_by_step_and_each_step_alone_can_be_looked_at_first(
    root: Path, network: Network, ground: Ground
) -> None:
    assert len(plan_renumbering(root, commit=False, today=DAY).added) == 9
    assert phases(root) == {}
    plan_renumbering(root, commit=True, today=DAY)
    assert phases(root) == {"planned": 9}

    shown = start(ground, (), commit=False)
    assert (results(shown), shown.exit_code, network.pushed) == ({"pending": 9}, ExitCode.PENDING, [])
    assert phases(root) == {"planned": 9}
    begun = start(ground, (), commit=True)
    assert (results(begun), begun.exit_code) == ({"moved": 9}, ExitCode.OK)
    assert network.pushed[:2] == ["city", "county01"], "what is added comes root first"
    assert len(network.addresses("county01-u01")) == 6

    network.pushed.clear()
    network.reached.clear()
    assert results(cut_over(ground, (), commit=False)) == {"pending": 9}
    led = cut_over(ground, (), commit=True)
    assert (results(led), led.exit_code, phases(root)) == ({"moved": 9}, ExitCode.OK, {"cut_over": 9})
    assert network.pushed[-2:] == ["county01", "city"], "what may cut goes leaf first"
    assert {address.split(".")[1] for name, address in network.reached if name != "city"} == {"19"}

    network.pushed.clear()
    first = finish(ground, (), commit=True, today=DAY)
    assert first.exit_code is ExitCode.NOT_ACCEPTED
    assert {row.move.role for row in first.moves if row.result == "not_proven"} == {"loopback"}
    assert network.pushed[-1] == "city"
    patient = replace(ground, wait_s=5.0)
    second = finish(patient, (), commit=True, today=DAY, restarting=True)
    assert (results(second), second.exit_code) == ({"unchanged": 4}, ExitCode.OK)
    assert [row.reason.split(",")[0] for row in second.devices if row.reason] == ["OSPF restarted"] * 4
    assert {unit.phase for unit in burn_down(read_workspace(root)[0])} == {"finished"}
    for name in network.routers:
        assert not [address for _, address in network.addresses(name) if address.ip in IPv4Network("198.18.0.0/23")]


@pytest.fixture
def dual(root: Path, ground: Ground) -> Ground:
    plan_renumbering(root, commit=True, today=DAY)
    start(ground, (), commit=True)
    return ground


def test_a_line_whose_ends_are_no_neighbours_over_the_new_prefix_stays_as_it_is_and_the_rest_goes_on(
    root: Path, network: Network, dual: Ground
) -> None:
    line = next(move for move in find_moves(read_workspace(root)[0]) if move.holder == "line:BZWW-F-0003")
    network.silent.add(line.new)
    report = cut_over(dual, (), commit=True)
    assert {row.move.holder: row.reasons for row in report.moves if row.result == "not_proven"} == {
        "line:BZWW-F-0003": (
            f"county01 eth3 has no OSPF neighbour in state Full in {line.new}",
            f"county01-u01 eth1 has no OSPF neighbour in state Full in {line.new}",
        )
    }
    assert (phases(root), report.exit_code) == ({"cut_over": 8, "dual": 1}, ExitCode.NOT_ACCEPTED)
    network.silent.clear()
    assert results(cut_over(dual, (), commit=True)) == {"moved": 1, "unchanged": 8}


def test_a_device_that_does_not_answer_keeps_its_moves_and_is_a_row(root: Path, network: Network, dual: Ground) -> None:
    network.lost.add("county01-u01")
    report = cut_over(dual, (), commit=True)
    kept = {row.move.holder for row in report.moves if row.result == "not_proven"}
    assert kept == {"device:county01-u01", "line:BZWW-F-0003", "unit:C01U01"}
    assert report.exit_code is ExitCode.DEVICE
    assert "county01-u01" in {row.device for row in report.devices if row.result == "unreachable"}


def test_a_device_that_was_away_when_its_addresses_were_added_gets_them_when_the_step_is_taken_again(
    root: Path, network: Network, ground: Ground
) -> None:
    plan_renumbering(root, commit=True, today=DAY)
    network.lost.add("county01-t01")
    assert start(ground, (), commit=True).exit_code is ExitCode.DEVICE
    assert len(network.addresses("county01-t01")) == 3
    network.lost.clear()
    again = start(ground, (), commit=True)
    assert (results(again), again.exit_code) == ({"unchanged": 9}, ExitCode.OK)
    assert len(network.addresses("county01-t01")) == 6


def test_a_unit_whose_hosts_still_answer_in_the_old_prefix_is_left_alone_unless_told_otherwise(
    root: Path, network: Network, dual: Ground
) -> None:
    cut_over(dual, (), commit=True)
    old = next(move.old for move in find_moves(read_workspace(root)[0]) if move.holder == "unit:C01U01")
    network.hosts["county01-u01"] = (str(old[3]), str(old[4]), str(old[1]))
    network.answering = {str(old[4])}
    report = finish(replace(dual, wait_s=5.0), ("C01U01",), commit=True, today=DAY, restarting=True)
    assert {row.move.holder: row.reasons for row in report.moves if row.result == "not_proven"} == {
        "unit:C01U01": (f"{old[4]} behind county01-u01 still answers",)
    }
    assert (f"{old[1]}/28") in {str(address) for _, address in network.addresses("county01-u01")}
    forced = finish(dual, ("C01U01",), commit=True, today=DAY, despite_hosts=True)
    assert results(forced) == {"moved": 1}
    assert (f"{old[1]}/28") not in {str(address) for _, address in network.addresses("county01-u01")}


def test_an_old_prefix_that_a_device_still_shows_is_not_released(root: Path, network: Network, dual: Ground) -> None:
    cut_over(dual, (), commit=True)
    move = next(move for move in find_moves(read_workspace(root)[0]) if move.holder == "unit:C01T01")
    network.routers["city"].blocks.setdefault("", []).append(f"ip route {move.old} Null0")
    report = finish(replace(dual, wait_s=5.0), ("C01T01",), commit=True, today=DAY, restarting=True)
    (kept,) = [row for row in report.moves if row.result == "not_proven"]
    assert (kept.move.holder, kept.reasons) == ("unit:C01T01", (f"city is configured with `ip route {move.old} Null0`",))
    ledger = read_workspace(root)[0].ledger
    assert [row.released_on for row in ledger if row.prefix == move.old] == [None]


def test_units_are_carried_over_one_by_one(root: Path, network: Network, ground: Ground) -> None:
    plan_renumbering(root, commit=True, today=DAY)
    start(ground, ("C01U01",), commit=True)
    assert phases(root) == {"planned": 6, "dual": 3}
    assert {name for name in network.pushed} == {"county01", "county01-u01"}
    cut_over(ground, ("C01U01",), commit=True)
    done = finish(replace(ground, wait_s=5.0), ("C01U01",), commit=True, today=DAY, restarting=True)
    assert done.exit_code is ExitCode.OK
    assert phases(root) == {"planned": 6, "finished": 3}


def test_a_step_with_nothing_to_do_says_so(root: Path, ground: Ground) -> None:
    with pytest.raises(InputError, match="nothing is to be renumbered"):
        start(ground, (), commit=True)
    plan_renumbering(root, commit=True, today=DAY)
    with pytest.raises(InputError, match="nothing is to be renumbered"):
        cut_over(ground, (), commit=True)
    with pytest.raises(InputError, match="nothing is to be renumbered"):
        finish(ground, (), commit=True, today=DAY)


def test_an_illustration_is_planned_and_never_carried_to_devices(root: Path, network: Network, ground: Ground) -> None:
    plan_renumbering(root, commit=True, today=DAY)
    marked = replace(ground, gateway=replace(ground.gateway, illustration=True))
    with pytest.raises(InputError, match="illustration: false"):
        start(marked, (), commit=True)
    assert (network.reached, phases(root)) == ([], {"planned": 9})


def plan_in_a_process(root: Path) -> None:
    plan_renumbering(root, commit=True, today=DAY)


def test_two_runs_at_once_give_every_holder_one_new_prefix(root: Path) -> None:
    context = multiprocessing.get_context("spawn")
    runs = [context.Process(target=plan_in_a_process, args=(root,)) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)
    assert [run.exitcode for run in runs] == [0, 0]
    moves = find_moves(read_workspace(root)[0])
    assert len(moves) == len({move.holder for move in moves}) == len({move.new for move in moves}) == 9


def test_a_run_that_waited_for_another_keeps_what_that_one_planned(root: Path) -> None:
    run = threading.Thread(target=plan_in_a_process, args=(root,))
    with locked(root / LEDGER):
        run.start()
        wait_until(lambda: opened((root / LEDGER).parent) == 2 or not run.is_alive(), 60, "the run to want the lock: the ledger is read")
        assert run.is_alive(), "a commit must wait for the lock"
        planned = plan_ledger(read_workspace(root)[0], DAY).ledger
        mine = IPv4Network("198.19.20.0/28")
        write_ledger(root / LEDGER, [replace(row, prefix=mine) if row.holder == "unit:C01T01" and row.phase else row for row in planned])
    run.join(60)
    assert not run.is_alive()
    moves = {move.holder: move.new for move in find_moves(read_workspace(root)[0])}
    assert (len(moves), moves["unit:C01T01"]) == (9, mine)


def test_new_addresses_are_taken_into_known_hosts_with_the_key_that_is_known(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINpl9xrr3Mn1wVLYpBuPNKuHZJIgpm0yJXSpGIxzM4YZ"
    path.write_text(f"198.18.0.6 {key}\n", encoding="ascii")
    contacts = [IPv4Address(word) for word in ("198.19.0.6", "198.18.0.6")]
    assert add_addresses(path, contacts, 22) == 1
    assert path.read_text(encoding="ascii") == f"198.18.0.6 {key}\n198.19.0.6 {key}\n"
    assert add_addresses(path, contacts, 22) == 0
    assert add_addresses(path, [IPv4Address("198.19.0.9")], 22) == 0, "a device whose key is not known stays unknown"
    assert add_addresses(path, contacts, 2022) == 0
    with pytest.raises(InputError, match="known_hosts"):
        add_addresses(tmp_path / "none" / "known_hosts", contacts, 22)


def test_a_device_whose_answers_cannot_be_read_is_an_error_with_its_question(ground: Ground, network: Network, root: Path) -> None:
    intent = build_intents(read_workspace(root)[0])["county01-u01"]
    session = network.connect(intent, 0.0)
    session.show = lambda question: "% nonsense"  # type: ignore[method-assign]  # one session that answers wrongly
    with pytest.raises(DeviceError, match=r"county01-u01: read its tables: .*addresses"):
        ask_tables(session, intent, ["addresses"])
