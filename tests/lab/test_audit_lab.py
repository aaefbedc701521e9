"""Addresses read back from real routers: what was put there by hand is named, with unit, device and interface."""

from __future__ import annotations

import json

import pytest

from app.errors import ExitCode
from lab.handle import Lab

pytestmark = pytest.mark.lab


def configure(lab: Lab, device: str, *lines: str) -> None:
    words = [word for line in ("configure terminal", *lines) for word in ("-c", line)]
    done = lab.exec_in(device, ["vtysh", *words])
    assert done.returncode == 0, done.stdout + done.stderr


def audit(lab: Lab, expected: ExitCode, *names: str) -> dict:
    done = lab.waiwang("audit", "addresses", *names, "--format", "json")
    assert done.returncode == expected, f"exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return json.loads(done.stdout)


def test_a_city_as_planned_has_no_findings_and_foreign_addresses_are_named(lab: Lab) -> None:
    deployed = lab.waiwang("deploy", "--commit", "--wait", "120", "--format", "json", timeout=600)
    assert deployed.returncode == ExitCode.OK, deployed.stdout[-2000:]
    clean = audit(lab, ExitCode.OK)
    assert clean["totals"] == {"devices_read": len(lab.intents), "not_read": 0, "findings": 0}

    theirs = str(next(port.address for port in lab.intents["county02-u01"].interfaces if port.kind == "lan"))
    configure(lab, "county01-u01", "interface lan0", "ip address 198.18.200.1/24")
    configure(lab, "county03-t01", "interface lan0", f"ip address {theirs}")
    configure(lab, "county04", "ip route 198.18.240.0/24 Null0")
    rows = audit(lab, ExitCode.NOT_ACCEPTED)["rows"]
    found = {(row["kind"], row["unit"], row["device"], row["interface"], row["found"]): row for row in rows}

    assert ("outside_slice, unheld", "C01U01", "county01-u01", "lan0", "198.18.200.1/24") in found
    assert ("unheld_route", "C01U01", "county01-u01", "lan0", "198.18.200.0/24") in found
    assert ("outside_slice, held_by_other", "C03T01", "county03-t01", "lan0", theirs) in found
    assert ("overlap", "C03T01", "county03-t01", "lan0", theirs) in found
    assert ("unheld_route", "C04", "county04", None, "198.18.240.0/24") in found
    assert len(found) == 5, list(found)
    everywhere = found["unheld_route", "C01U01", "county01-u01", "lan0", "198.18.200.0/24"]["detail"]
    assert everywhere.endswith("devices route to it; here connected, lan0; in no pool of the plan"), everywhere


def test_an_audit_of_devices_that_are_cut_off_tells_them_apart_from_findings(lab: Lab) -> None:
    lab.cut("BZWW-A-0001")
    try:
        lost = lab.waiwang("audit", "addresses", "county01", "county04", "--format", "json")
        nothing = lab.waiwang("audit", "addresses", "county01", "--format", "json")
    finally:
        lab.heal("BZWW-A-0001")
    assert lost.returncode == ExitCode.DEVICE
    totals = json.loads(lost.stdout)["totals"]
    assert (totals["devices_read"], totals["not_read"]) == (1, 1)
    assert "county01 unreachable: " in lost.stderr
    assert nothing.returncode == ExitCode.DEVICE
    assert json.loads(nothing.stdout)["totals"]["devices_read"] == 0
