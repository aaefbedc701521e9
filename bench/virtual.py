"""Thousands of virtual agents and hundreds of SSH devices on one machine: start, memory, rate.

    python -m bench.virtual [--agents 5000] [--shells 500] [--seconds 5]

The devices run in a process of their own, so that their memory and processor time are theirs alone. SNMP: a GET of 12 variables
by gufo_snmp, v2c and v3 (SHA-1, AES-128), each for so many seconds; the v3 run asks at most 1,000 agents, for the first question to an
agent costs both ends a key. SSH: every device is logged in to, given 24 lines, read back and saved, by asyncssh line by line and, a tenth
of them, by the product's netmiko driver in threads. Everything is on 127.0.0.0/8 and ends by itself: each stage is bounded in
number and in time, and what was not reached in time is said.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import asyncssh
from gufo.snmp import Aes128Key, Sha1Key, SnmpError, SnmpVersion, User
from gufo.snmp.aio import SnmpSession

from app.edge.huawei import connect
from lab.virtual.device import DeviceSpec
from lab.virtual.facts import SnmpUser
from lab.virtual.network import VirtualNetwork
from lab.virtual.simulation import Service, Simulation, free_port
from lab.virtual.snmp import SnmpServer, allow_files

PORTS = ("GigabitEthernet0/0/0", "GigabitEthernet0/0/1")
AUTH, PRIV, PASSWORD = "benchmark-1", "benchmark-2", "benchmark-3"
USER = SnmpUser("poller", "sha", AUTH, "aes128", PRIV)
NAMES = [f"1.3.6.1.2.1.{column}.{index}" for index in (1, 2) for column in (
    "31.1.1.1.1", "2.2.1.8", "2.2.1.7", "31.1.1.1.6", "31.1.1.1.10", "2.2.1.14"
)]  # fmt: skip
LINES = [
    "system-view",
    "interface GigabitEthernet0/0/1",
    "description TO:bench L:BENCH-1",
    "ip address 10.0.0.1 30",
    "qos car inbound cir 2048",
    "qos gts cir 2048",
    "quit",
    *(text for number in range(5) for text in (f"interface LoopBack{number}", "description bench", "quit")),
    "stelnet server enable",
    "return",
]
#: Longest run of one stage, seconds.
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What the process of the devices holds and has spent."""

    megabytes: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the result. `done` of `wanted` in `seconds`; `cpu_s` of the devices' process."""

    name: str
    done: int
    wanted: int
    seconds: float
    cpu_s: float

    def __str__(self) -> str:
        rate = self.done / self.seconds if self.seconds else 0.0
        cost = 1000 * self.cpu_s / self.done if self.done else 0.0
        short = "" if self.done >= self.wanted else f"  ({self.wanted - self.done} not reached in time)"
        return f"{self.name:<44}{self.done:>9}{self.seconds:>9.1f} s{rate:>11.0f}/s{cost:>12.3f} ms{short}"


def main() -> int:
    arguments = _arguments()
    allow_files(arguments.agents + arguments.shells * 4)
    sys.stdout.write(f"{os.cpu_count()} processors; devices and clients share them\n\n")
    reached = [_bench_agents(arguments.agents, arguments.seconds), _bench_shells(arguments.shells)]
    return 0 if all(reached) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--agents", type=int, default=5000, help="SNMP agents, at most 12000")
    parser.add_argument("--shells", type=int, default=500, help="SSH devices, at most 2000")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each SNMP run, at most 60")
    arguments = parser.parse_args()
    if not (0 < arguments.agents <= 12000 and 0 < arguments.shells <= 2000 and 0 < arguments.seconds <= 60):
        parser.error("the numbers are bounded; see --help")
    return arguments


class Devices:
    """A process that serves devices until it is told to stop: their SNMP agents alone, or with `shells` SSH as well."""

    def __init__(self, specs: Sequence[DeviceSpec], *, shells: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, self._theirs = context.Pipe()
        self.snmp_port, self.ssh_port = free_port(socket.SOCK_DGRAM), free_port()
        self._process = context.Process(target=_serve, args=(self._theirs, specs, shells, self.snmp_port, self.ssh_port), daemon=True)

    def __enter__(self) -> Devices:
        began = time.monotonic()
        self._process.start()
        self._theirs.close()  # else nobody would notice that the process ended before it said a word
        self.bare: Usage = self._pipe.recv()
        self.ready: Usage = self._pipe.recv()
        self.addresses: list[str] = self._pipe.recv()
        self.seconds = time.monotonic() - began
        return self

    def __exit__(self, *reason: object) -> None:
        self._pipe.send("stop")
        self._process.join(20)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(5)

    def usage(self) -> Usage:
        self._pipe.send("usage")
        found: Usage = self._pipe.recv()
        return found


def build_specs(count: int) -> list[DeviceSpec]:
    return [DeviceSpec(f"R{number}", "huawei_ar", PORTS, snmp_users=(USER,), communities=("public",)) for number in range(count)]


def _serve(pipe: Connection, specs: Sequence[DeviceSpec], shells: bool, snmp_port: int, ssh_port: int) -> None:
    asyncio.run(_serve_until_told(pipe, specs, shells, snmp_port, ssh_port))


async def _serve_until_told(pipe: Connection, specs: Sequence[DeviceSpec], shells: bool, snmp_port: int, ssh_port: int) -> None:
    allow_files(len(specs) * (4 if shells else 1))
    pipe.send(_usage())
    network = VirtualNetwork(specs)
    served: SnmpServer | Simulation
    if shells:
        served = Simulation(network, Service({"netops": PASSWORD}, ssh_port, snmp_port))
        await served.start()
    else:
        served = SnmpServer(network, snmp_port)
        served.start()
    gc.collect()
    pipe.send(_usage())
    pipe.send(list(network.places()))
    loop = asyncio.get_running_loop()
    while True:
        told = await loop.run_in_executor(None, _next, pipe)
        if told == "stop":
            break
        pipe.send(_usage())
    if isinstance(served, Simulation):
        await served.stop()
    else:
        served.stop()


def _next(pipe: Connection) -> str:
    """Wait for a word; silence for ten minutes means that the other end is gone."""
    try:
        return str(pipe.recv()) if pipe.poll(600) else "stop"
    except EOFError:
        return "stop"


def _usage() -> Usage:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    spent = os.times()
    return Usage(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, spent.user + spent.system)


def _say_memory(what: str, devices: Devices, count: int, later: Usage) -> None:
    own = 1000 * (devices.ready.megabytes - devices.bare.megabytes) / count
    sys.stdout.write(
        f"{count} {what}: ready after {devices.seconds:.1f} s, {devices.ready.megabytes:.0f} MB, {own:.1f} KB each "
        f"({devices.bare.megabytes:.0f} MB before the first; {later.megabytes:.0f} MB in the end)\n\n"
    )


def _head() -> None:
    sys.stdout.write(f"{'':<44}{'done':>9}{'time':>11}{'rate':>13}{'CPU each':>15}\n")


# --- SNMP --------------------------------------------------------------------------------------------------------


def _bench_agents(count: int, seconds: float) -> bool:
    with Devices(build_specs(count)) as devices:
        _head()
        user = User("poller", auth_key=Sha1Key(AUTH.encode()), priv_key=Aes128Key(PRIV.encode()))
        some = devices.addresses[:1000]
        stages = [
            _asked(devices, f"v2c GET of 12, {count} agents", devices.addresses, seconds, version=SnmpVersion.v2c, community="public"),
            _asked(devices, f"v3 GET of 12, {len(some)} agents", some, seconds, version=SnmpVersion.v3, user=user),
        ]
        sys.stdout.writelines(f"{stage}\n" for stage in stages)
        _say_memory("SNMP agents", devices, count, devices.usage())
    return all(stage.done >= stage.wanted for stage in stages)


def _asked(devices: Devices, name: str, addresses: Sequence[str], seconds: float, **how: object) -> Stage:
    """Ask agents in turn, each at least once, for so many seconds; questions before the clock starts are not counted."""
    return asyncio.run(_ask(devices, name, addresses, seconds, how))


async def _ask(devices: Devices, name: str, addresses: Sequence[str], seconds: float, how: Mapping[str, Any]) -> Stage:
    sessions = [SnmpSession(address, port=devices.snmp_port, timeout=5.0, **how) for address in addresses]
    for part in _parts(sessions, 200):
        await asyncio.gather(*(_meet(session) for session in part))
    before, began, done = devices.usage(), time.monotonic(), 0
    while time.monotonic() - began < seconds:
        for part in _parts(sessions, 200):
            done += sum(await asyncio.gather(*(_get(session) for session in part)))
            if time.monotonic() - began >= seconds:
                break
    spent = time.monotonic() - began
    return Stage(name, done, 1, spent, devices.usage().cpu_s - before.cpu_s)


def _parts(sessions: Sequence[SnmpSession], size: int) -> Iterator[Sequence[SnmpSession]]:
    return (sessions[start : start + size] for start in range(0, len(sessions), size))


async def _meet(session: SnmpSession) -> bool:
    """Learn the engine of a v3 agent, derive its keys, and ask once."""
    try:
        await session.refresh()
    except (SnmpError, TimeoutError):
        return False
    return await _get(session)


async def _get(session: SnmpSession) -> bool:
    try:
        return len(await session.get_many(NAMES)) == len(NAMES)
    except (SnmpError, TimeoutError):
        return False


# --- SSH ---------------------------------------------------------------------------------------------------------


def _bench_shells(count: int) -> bool:
    with Devices(build_specs(count), shells=True) as devices:
        _head()
        stages = [asyncio.run(_type(devices, f"asyncssh line by line, {count} devices")), _drive(devices, count // 10 or 1)]
        sys.stdout.writelines(f"{stage}\n" for stage in stages)
        _say_memory("SSH devices", devices, count, devices.usage())
    return all(stage.done >= stage.wanted for stage in stages)


async def _type(devices: Devices, name: str) -> Stage:
    """Log in to every device, 40 at a time, and push, read back and save."""
    turns = asyncio.Semaphore(40)

    async def one(address: str) -> bool:
        async with turns:
            return await _session(address, devices.ssh_port)

    before, began = devices.usage(), time.monotonic()
    tasks = [asyncio.create_task(one(address)) for address in devices.addresses]
    _, late = await asyncio.wait(tasks, timeout=PATIENCE_S)
    for task in late:
        task.cancel()
    done = [result is True for result in await asyncio.gather(*tasks, return_exceptions=True)].count(True)
    return Stage(name, done, len(tasks), time.monotonic() - began, devices.usage().cpu_s - before.cpu_s)


async def _session(address: str, port: int) -> bool:
    options: dict[str, Any] = {"username": "netops", "password": PASSWORD, "known_hosts": None, "config": None, "client_keys": None}
    ciphers = ["aes128-gcm@openssh.com"]
    async with (
        asyncssh.connect(address, port, encryption_algs=ciphers, **options) as connection,
        connection.create_process(term_type="vt100") as process,
    ):
        await _until(process, ">")
        for line in ("screen-length 0 temporary", *LINES):
            process.stdin.write(f"{line}\n")
            await _until(process, ">]")
        process.stdin.write("display current-configuration\n")
        shown = await _until(process, ">")
        process.stdin.write("save\n")
        await _until(process, ":")
        process.stdin.write("Y\n")
        await _until(process, ":")
        process.stdin.write("\n")
        saved = await _until(process, ">")
        process.stdin.write("quit\n")
    return "qos car inbound cir 2048" in shown and "saved successfully" in saved


async def _until(process: asyncssh.SSHClientProcess[str], marks: str) -> str:
    """Read up to a prompt: one of the marks as the last character."""
    text = ""
    while not text.rstrip(" ").endswith(tuple(marks)) or text.endswith("\n"):
        more = await process.stdout.read(65536)
        if not more:
            return text
        text += more
    return text


def _drive(devices: Devices, count: int) -> Stage:
    """The same by the product's netmiko driver, 20 threads."""
    before, began = devices.usage(), time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        done = sum(pool.map(lambda address: _pushed(address, devices.ssh_port), devices.addresses[-count:], timeout=PATIENCE_S))
    spent = time.monotonic() - began
    return Stage(f"netmiko, our driver, {count} devices", done, count, spent, devices.usage().cpu_s - before.cpu_s)


def _pushed(address: str, port: int) -> bool:
    if not IPv4Address(address).is_loopback:
        return False
    with connect(device_type="huawei", host=address, port=port, username="netops", password=PASSWORD) as device:
        device.send_config_set(LINES[1:-1], error_pattern="Error:")
        shown = device.send_command("display current-configuration")
        return "qos car inbound cir 2048" in shown and "saved successfully" in device.save_config()


if __name__ == "__main__":
    sys.exit(main())
