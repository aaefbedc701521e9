"""How other processes ask and change a running simulation: JSON lines over a socket that its owner alone may open."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from ipaddress import IPv4Address
from pathlib import Path

from app.errors import LabError
from lab.virtual.city import Quality, VirtualCity
from lab.virtual.faults import SshFaults

#: Longest question or answer, octets.
LIMIT = 1 << 22
Answer = Mapping[str, object]


class Control:
    """Answers questions about a city. Every question is one line, every answer is one line."""

    def __init__(self, city: VirtualCity, path: Path) -> None:
        self._city, self._path = city, path
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. The folder of the socket has to be its owner's alone."""
        self._server = await asyncio.start_unix_server(self._serve, path=str(self._path), limit=LIMIT)
        self._path.chmod(0o600)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    def answer(self, line: bytes) -> Answer:
        """Return the answer to one question; `error` in it says why there is none."""
        try:
            question = json.loads(line)
            return _ANSWERS[question["ask"]](self._city, question)
        except LabError as error:
            return {"error": str(error)}
        except (ValueError, KeyError, TypeError) as error:
            return {"error": f"question to the simulation: expected one of {', '.join(_ANSWERS)}; found {type(error).__name__}: {error}."}


def ask(path: Path, question: Answer) -> dict[str, object]:
    """Put one question to the simulation behind a socket.

    Raises:
        LabError: there is no simulation, or it refused the question.
    """
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(30)
            link.connect(str(path))
            link.sendall(json.dumps(question).encode() + b"\n")
            with link.makefile("rb") as stream:
                answer: dict[str, object] = json.loads(stream.readline(LIMIT) or b"{}")
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise LabError(f"{path}: simulation: expected one that is running; found {found}. Start it: waiwang virtual up.") from None
    if "error" in answer or not answer:
        raise LabError(str(answer.get("error", f"{path}: simulation: expected an answer; found none. Start it anew: waiwang virtual up.")))
    return answer


def _probe(city: VirtualCity, question: Mapping[str, object]) -> Answer:
    addresses, count = question["addresses"], question["count"]
    if not isinstance(addresses, list) or not isinstance(count, int):
        raise ValueError("addresses and count")
    return {"probes": {address: asdict(city.probe(IPv4Address(address), count)) for address in addresses}}


def _rates(city: VirtualCity, question: Mapping[str, object]) -> Answer:
    lines = question["lines"]
    if not isinstance(lines, list):
        raise ValueError("lines")
    return {"rates": {line: asdict(city.rates(str(line))) for line in lines}}


def _cut(city: VirtualCity, question: Mapping[str, object]) -> Answer:
    line, link = city.find_line(str(question["line"]))
    city.cut(link)
    return {"line": line.line_id}


def _heal(city: VirtualCity, question: Mapping[str, object]) -> Answer:
    line, link = city.find_line(str(question["line"]))
    city.heal(link)
    city.set_quality(line.line_id, Quality())
    return {"line": line.line_id}


def _spoil(city: VirtualCity, question: Mapping[str, object]) -> Answer:
    line, _ = city.find_line(str(question["line"]))
    wanted = {name: float(str(question[name])) for name in ("rate_share", "loss_ratio", "errors_per_s") if question.get(name) is not None}
    city.set_quality(line.line_id, Quality(**wanted))
    return {"line": line.line_id}


def _trouble(city: VirtualCity, question: Mapping[str, object]) -> Answer:
    device = city.find_device(str(question["device"]))
    wanted = {field.name: question[field.name] for field in fields(SshFaults) if question.get(field.name) not in (None, False)}
    city.set_faults(device.spec.name, ssh=SshFaults(**wanted))  # type: ignore[arg-type]  # the command line gives each its type
    return {"device": device.spec.name, "faults": wanted}


def _enter(city: VirtualCity, question: Mapping[str, object]) -> Answer:
    device = city.find_device(str(question["device"]))
    refused = city.load(device.spec.name, str(question["text"]))
    if refused:
        raise LabError(f"{device.spec.name}: configuration by hand: expected lines that its family takes; found\n{refused}")
    return {"device": device.spec.name}


def _restart(city: VirtualCity, question: Mapping[str, object]) -> Answer:
    device = city.find_device(str(question["device"]))
    city.reboot(device.spec.name)
    return {"device": device.spec.name}


def _status(city: VirtualCity, question: Mapping[str, object]) -> Answer:
    return {"devices": {name: city.is_reachable(name) for name in city.devices}, "lines": city.lines_up()}


_ANSWERS: Mapping[str, Callable[[VirtualCity, Mapping[str, object]], Answer]] = {
    "probe": _probe,
    "rates": _rates,
    "cut": _cut,
    "heal": _heal,
    "spoil": _spoil,
    "status": _status,
    "trouble": _trouble,
    "enter": _enter,
    "restart": _restart,
}
