"""Rendered texts read by a parser that is not ours (hier_config): every line keeps its block, and the blocks are what we meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hier_config import Platform, get_hconfig
from hier_config.child import HConfigChild

from app.core.config_lines import read_lines
from app.core.workspace import Workspace
from app.edge.templates import read_templates
from app.workflows.render import render
from tests.golden.render.workspace import full_workspace, isis_workspace

ROOT = Path(__file__).parents[2]
PLATFORMS: Mapping[str, Platform] = {
    "huawei_ar": Platform.HUAWEI_VRP,
    "huawei_s": Platform.HUAWEI_VRP,
    "huawei_ne": Platform.HUAWEI_VRP,
    "h3c_msr": Platform.HP_COMWARE5,
    "h3c_s": Platform.HP_COMWARE5,
    "cisco_ios": Platform.CISCO_IOS,
}


@pytest.mark.parametrize("build", [full_workspace, isis_workspace])
@pytest.mark.parametrize("router", ["huawei_ar", "huawei_ne", "h3c_msr", "cisco_ios"])
def test_another_parser_finds_every_line_in_the_block_that_it_was_written_in(router: str, build: Callable[..., Workspace]) -> None:
    workspace = build(router, switch=router in ("huawei_ar", "h3c_msr"))
    for name, text in render(workspace, read_templates(ROOT)).items():
        family = workspace.inventory.devices[name].family
        theirs = {_path(child) for child in get_hconfig(PLATFORMS[family], _bare(text)).all_children()}
        ours = {(*line.blocks, line.text) for line in read_lines(family, text)}
        # hier_config reads a banner and the end of an address family in words of its own.
        spoken = {path for path in ours if not path[-1].startswith(("banner ", "exit-address-family", "header "))}
        assert spoken <= theirs, (name, sorted(spoken - theirs)[:5])
        assert len(theirs) >= len(spoken)


def test_the_other_parser_tells_a_line_in_the_wrong_block() -> None:
    text = "interface GigabitEthernet0/0/1\n description x\n#\nospf 1\n area 0.0.0.0\n"
    theirs = {_path(child) for child in get_hconfig(Platform.HUAWEI_VRP, _bare(text)).all_children()}
    assert ("ospf 1", "area 0.0.0.0") in theirs
    assert ("interface GigabitEthernet0/0/1", "area 0.0.0.0") not in theirs


def _bare(text: str) -> str:
    """Leave out the separators: hier_config takes several lines of `#` for duplicates."""
    return "".join(f"{line}\n" for line in text.splitlines() if not line.strip().startswith(("#", "!", "end", "return", "banner ")))


def _path(child: HConfigChild) -> tuple[str, ...]:
    """Return a line's blocks and itself; the numbers that hier_config gives to the rows of an access list are left out."""
    return tuple(re.sub(r"^\d+ (?=permit |deny )", "", part) for part in child.path())
