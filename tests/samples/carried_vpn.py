"""Shangrao's example with one of its VPNs carried down a bureau's line."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from app.edge.files import read_workspace

EXAMPLE = Path(__file__).parents[2] / "examples" / "shangrao-2012"
TODAY = date(2012, 5, 1)
UNIT = "SZ-SB"


def edited(root: Path, file: str, old: str, new: str) -> None:
    text = (root / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    (root / file).write_text(text.replace(old, new), encoding="utf-8")


def carrying(root: Path) -> tuple[str, str]:
    """Copy the example, and carry Golden Insurance down to a bureau's own router; return that router and the line."""
    shutil.copytree(EXAMPLE, root)
    line = next(one for one in read_workspace(root)[0].inventory.lines.values() if one.unit_id == UNIT)
    row = f"{line.a_device},{line.a_interface},{line.z_device},{line.z_interface},"
    trunk = line.a_interface.partition(".")[0]
    if "." not in line.a_interface:
        edited(root, "inventory/lines.csv", row, f"{line.a_device},{trunk}.101,{line.z_device},{line.z_interface}.101,")
    else:
        edited(root, "inventory/lines.csv", row, f"{line.a_device},{line.a_interface},{line.z_device},{line.z_interface}.101,")
    (root / "inventory" / "vpn_lines.csv").write_text(
        f"line_id,vpn,a_interface,z_interface\n{line.line_id},JINBAO,{trunk}.2111,{line.z_interface}.2111\n", encoding="utf-8"
    )
    services = root / "inventory" / "services.csv"
    access = f"jinbao_at_sb,金保二期工程（单位接入）,at the bureau,access,{line.z_device},GigabitEthernet0/0/6,443,JINBAO,business,,,\n"
    services.write_text(services.read_text(encoding="utf-8") + access, encoding="utf-8")
    pools = "  - {name: vpn-guoku,"
    own = "  - {name: vpn-jinbao-lines, role: interconnect, address_class: department, vrf: JINBAO, prefix: 10.251.31.0/24, length: 30}\n"
    edited(root, "ipplan/plan.yaml", pools, own + pools)
    return line.z_device, line.line_id
