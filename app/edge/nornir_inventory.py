"""Our inventory as Nornir's: the same hosts and facts for every script, with connections that pass the guard first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nornir.core.configuration import Config
from nornir.core.inventory import ConnectionOptions, Defaults, Group, Groups, Host, Hosts, Inventory, ParentGroups
from nornir.core.plugins.connections import ConnectionPlugin
from pydantic import SecretStr

from app.core.intent import DeviceIntent
from app.core.inventory import Device, Line, parents
from app.core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Way:
    """How to reach one device now: an address that answered and was found safe, and the password for it."""

    hostname: str
    port: int
    password: SecretStr
    known_hosts: Path | None


#: Families with a driver in NAPALM's core. Its community drivers for Huawei and H3C are not used: their replace does nothing.
NAPALM_DRIVERS: Mapping[str, str] = {"cisco_ios": "ios"}

#: Finds the way to a device by name. Raises UnsafeRoute or ConnectFailed.
FindWay = Callable[[str], Way]


class GuardedHost(Host):
    """A host that asks for its way at the moment of connecting: nothing is sent before the guard agreed, no password is kept."""

    __slots__ = ("find_way",)

    def __init__(self, find_way: FindWay, **attributes: Any) -> None:
        self.find_way = find_way
        super().__init__(**attributes)

    def open_connection(
        self,
        connection: str,
        configuration: Config,
        hostname: str | None = None,
        username: str | None = None,
        password: str | None = None,
        port: int | None = None,
        platform: str | None = None,
        extras: dict[str, Any] | None = None,
        default_to_host_attributes: bool = True,
    ) -> ConnectionPlugin:
        """Open a connection of any plugin at the address that answers; a `hostname`, `port` or `password` given here is not used.

        Raises:
            UnsafeRoute: a packet to this device must not be sent.
            ConnectFailed: no address of it answers.
        """
        way = self.find_way(self.name)
        options = self.get_connection_parameters(connection)
        return super().open_connection(
            connection=connection,
            configuration=configuration,
            hostname=way.hostname,
            username=username or options.username,
            password=way.password.get_secret_value(),
            port=way.port,
            platform=platform or options.platform,
            extras=_with_host_keys(connection, extras if extras is not None else options.extras or {}, way),
            default_to_host_attributes=False,
        )


def build_inventory(workspace: Workspace, intents: Mapping[str, DeviceIntent], find_way: FindWay) -> Inventory:
    """Return every device as a Nornir host, in order of depth, root first.

    `hostname` is the first contact address. Facts are text, so that every filter compares text with text.
    """
    defaults = _defaults(workspace.defaults)
    groups = Groups({name: _group(name, group.options, defaults) for name, group in workspace.groups.items()})
    uplinks = parents(workspace.inventory)
    hosts = Hosts()
    for name, intent in sorted(intents.items(), key=lambda pair: pair[1].depth):
        device = workspace.inventory.devices[name]
        hosts[name] = GuardedHost(
            find_way,
            name=name,
            hostname=str(intent.contacts[0]) if intent.contacts else None,
            username=intent.management.ssh_user,
            platform=device.platform,
            groups=ParentGroups([groups[key] for key in dict.fromkeys((device.platform, device.family, device.role)) if key in groups]),
            data=_facts(workspace, device, intent, uplinks.get(name)),
            connection_options=_napalm(device.family),
            defaults=defaults,
        )
    return Inventory(hosts=hosts, groups=groups, defaults=defaults)


def _napalm(family: str) -> dict[str, ConnectionOptions]:
    """Return NAPALM's name of a family's driver: it goes by the family, as several of ours share netmiko's platform."""
    return {"napalm": ConnectionOptions(platform=NAPALM_DRIVERS[family])} if family in NAPALM_DRIVERS else {}


def _facts(workspace: Workspace, device: Device, intent: DeviceIntent, uplink: Line | None) -> dict[str, str]:
    unit = workspace.inventory.units.get(device.unit_id or "")
    region = workspace.inventory.regions[device.region]
    return {
        "role": device.role,
        "region": device.region,
        "region_name": region.name,
        "family": device.family,
        "vendor": device.vendor,
        "model": device.model,
        "unit": device.unit_id or "",
        "unit_name": unit.name if unit else "",
        "level": unit.level if unit else region.level,
        "depth": str(intent.depth),
        "line": uplink.line_id if uplink else "",
        "carrier": uplink.carrier if uplink else "",
        "medium": uplink.medium if uplink else "",
        "service_class": uplink.service_class if uplink else "",
    }


def _group(name: str, options: Mapping[str, Any], defaults: Defaults) -> Group:
    return Group(
        name=name,
        platform=options.get("platform"),
        port=options.get("port"),
        username=options.get("username"),
        data=dict(options.get("data") or {}),
        connection_options=_connections(options),
        defaults=defaults,
    )


def _defaults(options: Mapping[str, Any]) -> Defaults:
    return Defaults(
        platform=options.get("platform"),
        port=options.get("port"),
        username=options.get("username"),
        data=dict(options.get("data") or {}),
        connection_options=_connections(options),
    )


def _connections(options: Mapping[str, Any]) -> dict[str, ConnectionOptions]:
    return {name: ConnectionOptions(**values) for name, values in (options.get("connection_options") or {}).items()}


def _with_host_keys(connection: str, extras: Mapping[str, Any], way: Way) -> dict[str, Any]:
    """Return a plugin's options with those for strict host keys: netmiko's own, which NAPALM hands on; other plugins bring theirs."""
    if way.known_hosts is None:
        return dict(extras)
    keys = {"ssh_strict": True, "system_host_keys": False, "alt_host_keys": True, "alt_key_file": str(way.known_hosts)}
    if connection == "napalm":
        return {**extras, "optional_args": {**extras.get("optional_args", {}), **keys}}
    return {**extras, **(keys if connection == "netmiko" else {})}
