"""netmiko's Huawei drivers at full speed, and the nornir connection that chooses them.

netmiko 4.8 asks "am I in the system view?" by waiting two silent seconds, five times in one push. These drivers read the prompt instead.
"""

from __future__ import annotations

import re
from typing import Any

from netmiko import ConnectHandler
from netmiko.huawei.huawei import HuaweiSSH, HuaweiVrpv8SSH
from nornir.core.configuration import Config
from nornir.core.plugins.connections import ConnectionPluginRegister
from nornir_netmiko.connections import CONNECTION_NAME, Netmiko

#: `<NAME>`, `[NAME]`, `[NAME-view]`, `[~NAME]`, `[*NAME]` at the end of what was read.
PROMPT = r"^(?:HRP_[MS])?(?:<[^<>\r\n]+>|\[[~*]?[^\[\]\r\n]+\])\s*\Z"
#: What a first save asks; the name it proposes is taken.
FILE_NAME = r"[Pp]lease input the file name"
#: A question that any driver can recognise: answered by nobody here but `save`.
UNEXPECTED = re.compile(r"\[[Yy]/[Nn]\]:?\s*\Z")


class PromptAware(HuaweiSSH):
    """Read the VRP prompt where netmiko 4.8 drops the pattern and waits."""

    def check_config_mode(self, check_string: str = "]", pattern: str = PROMPT, force_regex: bool = False) -> bool:
        """Tell whether the prompt is that of the system view or one beneath it."""
        self.write_channel(self.RETURN)
        shown = self.read_until_pattern(pattern=pattern or PROMPT, re_flags=re.M)
        return bool(shown.strip().endswith(check_string))

    def save_config(self, cmd: str = "save", confirm: bool = True, confirm_response: str = "y") -> str:
        """Save, also for the first time, when the device asks for a file name; return what the device said.

        `confirm` is taken as given even when false: without an answer VRP saves nothing, and nornir_netmiko passes false.
        """
        ends = rf"(?:\[[Yy]/[Nn]\]:?\s*\Z|{FILE_NAME}[^\r\n]*:\s*\Z|{PROMPT})"
        output = self._send_command_str(cmd, expect_string=ends, strip_prompt=False, strip_command=False, read_timeout=100.0)
        for _ in range(3):
            tail = output.rstrip().rsplit("\n", 1)[-1]
            if re.search(FILE_NAME, tail):
                answer = ""
            elif UNEXPECTED.search(output):
                answer = confirm_response or "y"
            else:
                break
            self.write_channel(answer + self.RETURN)
            output += self.read_until_pattern(pattern=ends, re_flags=re.M, read_timeout=100.0)
        return str(output)


class WaiwangHuawei(PromptAware):
    """VRP5: each line is live at once."""


class WaiwangHuaweiV8(PromptAware, HuaweiVrpv8SSH):
    """VRP8: lines gather in a candidate until `commit`."""


DRIVERS = {"huawei": WaiwangHuawei, "huawei_vrp": WaiwangHuawei, "huawei_vrpv8": WaiwangHuaweiV8}


class _StandsForStock(type):
    """Compare equal to the plugin that is replaced: `InitNornir` registers the stock one again and refuses another under its name."""

    def __eq__(cls, other: object) -> bool:
        return other is Netmiko or cls is other

    def __hash__(cls) -> int:
        return hash(Netmiko)


class FastNetmiko(Netmiko, metaclass=_StandsForStock):  # type: ignore[misc]  # nornir_netmiko is untyped
    """nornir's netmiko connection with the drivers above for Huawei and netmiko's own for all others."""

    def open(
        self,
        hostname: str | None,
        username: str | None,
        password: str | None,
        port: int | None,
        platform: str | None,
        extras: dict[str, Any] | None = None,
        configuration: Config | None = None,
    ) -> None:
        """Open the connection. Raises what netmiko raises."""
        wanted = str((extras or {}).get("device_type", platform))
        driver = DRIVERS.get(wanted)
        if driver is None:
            super().open(hostname, username, password, port, platform, extras, configuration)
            return
        parameters: dict[str, Any] = {"host": hostname, "username": username, "password": password, "port": port, "device_type": wanted}
        parameters.update(extras or {})
        config_file = getattr(getattr(configuration, "ssh", None), "config_file", None)
        if config_file:
            parameters.setdefault("ssh_config_file", config_file)
        self.connection = driver(**parameters)


def register_drivers() -> None:
    """Put `FastNetmiko` in the place of nornir's `netmiko`, before or after `InitNornir`; netmiko itself is not touched."""
    ConnectionPluginRegister.available[CONNECTION_NAME] = FastNetmiko


def connect(**parameters: Any) -> Any:
    """Open a netmiko connection outside nornir, with the drivers above for Huawei. Raises what netmiko raises."""
    driver = DRIVERS.get(str(parameters.get("device_type")))
    return driver(**parameters) if driver is not None else ConnectHandler(**parameters)
