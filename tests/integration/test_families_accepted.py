"""Rendered texts are taken line by line by the virtual device of their family, and come back as the same configuration."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from app.core.commands import blocks, mask_secrets
from app.edge.patch import patch
from app.edge.templates import read_templates
from app.workflows.render import render
from lab.virtual import engine
from lab.virtual.deeds import config_text
from lab.virtual.grammar import read_grammar
from tests.golden.render.workspace import full_workspace, isis_workspace, small_workspace

ROOT = Path(__file__).parents[2]
FAMILIES = ("huawei_ar", "huawei_ne", "h3c_msr", "cisco_ios")
SWITCHES = {"huawei_ar": "huawei_s", "h3c_msr": "h3c_s"}
KINDS = {"small": small_workspace, "full": full_workspace, "isis": isis_workspace}


@cache
def _texts(router: str, kind: str) -> Mapping[str, tuple[str, str]]:
    """Return (family, text) by device of the small city, plain or with everything that a plan may ask for."""
    workspace = KINDS[kind](router, switch=router in SWITCHES)
    texts = render(workspace, read_templates(ROOT))
    return {name: (workspace.inventory.devices[name].family, text) for name, text in texts.items()}


def _cases() -> list[tuple[str, str, str]]:
    return [(router, kind, name) for router in FAMILIES for kind in KINDS for name in _texts(router, kind)]


def _played(family: str, text: str) -> tuple[str, str]:
    """Return what a new device refused of the text, and its configuration afterwards. `sample` stands for every secret."""
    grammar = read_grammar(family)
    named = [line.split()[1] for line in text.splitlines() if line.startswith("interface ")]
    ports = tuple(dict.fromkeys(name.partition(".")[0] for name in named if grammar.is_physical(name)))
    turn = engine.load(grammar, engine.new_device(grammar, "new", ports, 0.0), text.splitlines())
    return turn.text, config_text(grammar, turn.device.running)


@pytest.mark.parametrize(("router", "kind", "device"), _cases())
def test_a_virtual_device_takes_every_line_of_a_rendered_text(router: str, kind: str, device: str) -> None:
    family, text = _texts(router, kind)[device]
    refused, _ = _played(family, text)
    assert refused == ""


@pytest.mark.parametrize(("router", "kind", "device"), _cases())
def test_a_device_that_was_given_its_text_has_nothing_left_to_change(router: str, kind: str, device: str) -> None:
    family, text = _texts(router, kind)[device]
    _, echoed = _played(family, text)
    assert [str(command) for command in patch(family, echoed, text)] == []


def test_a_line_that_a_family_does_not_know_is_refused() -> None:
    for family in (*FAMILIES, *SWITCHES.values()):
        refused, _ = _played(family, "qos everything now\n")
        assert refused.startswith("line 1: ")


def test_an_echo_keeps_no_secret_in_the_clear() -> None:
    for router in FAMILIES:
        for family, text in (*_texts(router, "full").values(), *_texts(router, "isis").values()):
            spoken = text.replace("<secret:", "opensesame-").replace(">", "")
            _, echoed = _played(family, spoken)
            assert "opensesame" not in mask_secrets(echoed)
            assert list(blocks(family, echoed))
