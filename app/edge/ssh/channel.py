"""What a session says while a driver waits: netmiko waits its whole time for a connection that is gone, and tells nothing of a question."""

from __future__ import annotations

from typing import Any

from netmiko.base_connection import BaseConnection
from netmiko.exceptions import ReadException

#: How much of an unfinished line is kept, characters.
KEPT = 400


class Watched:
    """A netmiko channel that notices the end of its connection, and keeps the line that the device is in the middle of."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self.unfinished = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def write_channel(self, out_data: str) -> None:
        self.unfinished = ""
        self._channel.write_channel(out_data)

    def read_channel(self) -> str:
        """Return what has arrived. Raises ReadException where nothing has, and nothing will."""
        text = str(self._channel.read_channel())
        if text:
            self.unfinished = f"{self.unfinished}{text}".replace("\r", "\n").rpartition("\n")[2][-KEPT:]
        elif self.is_over:
            raise ReadException("closed by the device")
        return text

    @property
    def is_over(self) -> bool:
        """Tell whether the other side has ended the session, or the connection is gone."""
        shell = self._channel.remote_conn
        return bool(getattr(shell, "closed", False) or getattr(shell, "eof_received", False))


def watch(driver: BaseConnection) -> None:
    """Let a driver notice the end of its connection."""
    driver.channel = Watched(driver.channel)  # type: ignore[assignment]  # it stands for a Channel by its methods
