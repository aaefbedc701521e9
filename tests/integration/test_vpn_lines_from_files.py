"""A VPN carried down a line, from the rows of a workspace to the text of both routers."""

from __future__ import annotations

from pathlib import Path

from app.edge.files import read_workspace
from app.edge.templates import read_templates
from app.workflows.check import check
from app.workflows.plan import plan
from app.workflows.render import render
from tests.samples.carried_vpn import TODAY, carrying, edited


def test_a_row_is_checked_planned_and_rendered_at_both_ends(tmp_path: Path) -> None:
    root = tmp_path / "shangrao"
    router, line_id = carrying(root)
    before = check(root, today=TODAY)
    assert before.findings == ()
    assert "2 to add" in " ".join(note.found for note in before.notes)
    assert plan(root, commit=True, today=TODAY).committed
    workspace = read_workspace(root)[0]
    assert [one.vpn for one in workspace.inventory.vpn_lines] == ["JINBAO"]
    (held,) = [row for row in workspace.ledger if row.holder == f"vpn:{line_id}/JINBAO"]
    assert (str(held.prefix), held.vrf) == ("10.251.31.0/30", "JINBAO")
    assert plan(root, commit=False, today=TODAY).changes is False
    texts = render(workspace, read_templates(root), [router, "SR-CORE01"])
    assert " ip binding vpn-instance JINBAO\n ip address 10.251.31.2 255.255.255.252\n" in texts[router]
    assert "ip route-static vpn-instance JINBAO 0.0.0.0 0.0.0.0 10.251.31.1\n" in texts[router]
    assert " ip binding vpn-instance JINBAO\n ip address 10.251.31.1 255.255.255.252\n" in texts["SR-CORE01"]


def test_a_row_with_a_fault_is_told_with_its_place_and_nothing_is_planned(tmp_path: Path) -> None:
    root = tmp_path / "shangrao"
    carrying(root)
    edited(root, "inventory/vpn_lines.csv", ",JINBAO,", ",JINBAU,")
    (finding,) = [one for one in check(root, today=TODAY).findings if one.where == "inventory/vpn_lines.csv:2"]
    assert str(finding).endswith("expected an entry of vrfs in ipplan/plan.yaml; found `JINBAU`. Did you mean `JINBAO`?")


def test_a_block_of_ipv6_is_planned_and_rendered_within_the_vpn_and_stays_when_planned_again(tmp_path: Path) -> None:
    root = tmp_path / "shangrao"
    router, line_id = carrying(root)
    text = (root / "ipplan/plan.yaml").read_text(encoding="utf-8")
    (entry,) = [line for line in text.splitlines() if line.startswith("  JINBAO:")]
    edited(root, "ipplan/plan.yaml", entry, entry.replace("}", ', ipv6: "2001:db8:9000::/48"}'))
    (alone,) = check(root, today=TODAY).findings
    assert str(alone).startswith("ipplan/plan.yaml: vrfs: JINBAO: ipv6: expected an IPv6 prefix of the city beside it; found none.")
    plan_file = root / "ipplan/plan.yaml"
    plan_file.write_text(plan_file.read_text(encoding="utf-8") + '\nipv6: {prefix: "2001:db8:100::/40", vrf: GGW}\n', encoding="utf-8")
    assert check(root, today=TODAY).findings == ()
    assert plan(root, commit=True, today=TODAY).committed
    workspace = read_workspace(root)[0]
    held = {row.holder: str(row.prefix) for row in workspace.ledger6 if row.vrf == "JINBAO"}
    assert held[f"vpn:{line_id}/JINBAO"] == "2001:db8:9000::/127"
    assert set(held) >= {"service:jinbao_at_sb"}
    texts = render(workspace, read_templates(root), [router, "SR-CORE01"])
    assert " ipv6 address 2001:DB8:9000::1/127\n" in texts[router]
    assert "ipv6 route-static vpn-instance JINBAO :: 0 2001:DB8:9000::\n" in texts[router]
    assert " ipv6 address 2001:DB8:9000::/127\n" in texts["SR-CORE01"]
    assert " ipv6-family vpn-instance JINBAO\n  import-route direct\n  import-route static\n" in texts["SR-CORE01"]
    assert plan(root, commit=False, today=TODAY).changes is False
