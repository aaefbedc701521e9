"""Reachability by ICMP echo: one `fping` process for all addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from app.errors import DeviceError

#: fping's exit codes that are answers: all reachable, some unreachable.
_ANSWERS = (0, 1)


@dataclass(frozen=True, slots=True)
class PingResult:
    """Echoes sent to one address and received from it. `rtt_ms`: each one's round trip in order, None where it was lost."""

    sent: int
    received: int
    rtt_ms: tuple[float | None, ...]

    @property
    def loss_ratio(self) -> float:
        """Return the share lost, 0..1."""
        return 1 - self.received / self.sent

    @property
    def rtt_mean_ms(self) -> float | None:
        """Return the mean round trip of those that came back."""
        seen = [value for value in self.rtt_ms if value is not None]
        return sum(seen) / len(seen) if seen else None


async def ping(
    addresses: Iterable[IPv4Address],
    count: int,
    interval_ms: int,
    *,
    guard: Callable[[Sequence[IPv4Address]], None],
    timeout_ms: int = 500,
    program: str = "fping",
) -> Mapping[IPv4Address, PingResult]:
    """Send `count` echoes, `interval_ms` apart, to every address; return a result for each.

    `guard` judges all addresses before anything is sent and raises UnsafeRoute.

    Raises:
        UnsafeRoute: from `guard`; nothing was sent.
        DeviceError: fping is not installed, may not send, or left an address out.
    """
    wanted = tuple(dict.fromkeys(addresses))
    guard(wanted)
    if not wanted:
        return {}
    words = (program, "-C", str(count), "-q", "-p", str(interval_ms), "-t", str(timeout_ms), "-r", "0")
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
    except OSError as error:
        raise _failed(program, f"{error.strerror}", "Install Debian's package fping.") from error
    try:
        _, said = await process.communicate("".join(f"{address}\n" for address in wanted).encode())
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    text = said.decode("utf-8", "replace")
    if process.returncode not in _ANSWERS:
        raise _failed(program, text.strip() or f"exit code {process.returncode}", "Run it as root, or give fping CAP_NET_RAW.")
    found = parse_fping(text)
    if left_out := [address for address in wanted if address not in found]:
        raise _failed(program, f"no result for {left_out[0]}", "Run fping by hand with this address.")
    return {address: found[address] for address in wanted}


def parse_fping(text: str) -> dict[IPv4Address, PingResult]:
    """Read the summary that `fping -C N -q` writes: `ADDRESS : 0.31 - 0.28`, a dash for each lost echo.

    Other lines (ICMP errors of routers on the way) are passed over.
    """
    results = {}
    for line in text.splitlines():
        address, colon, values = line.partition(" : ")
        try:
            target = IPv4Address(address.strip())
            rtt_ms = tuple(None if value == "-" else float(value) for value in values.split())
        except ValueError:
            continue
        if colon and rtt_ms:
            results[target] = PingResult(len(rtt_ms), sum(value is not None for value in rtt_ms), rtt_ms)
    return results


def _failed(program: str, found: str, next_step: str) -> DeviceError:
    return DeviceError("this machine", f"ping by {program}", expected="one result for each address", found=found, next_step=next_step)
