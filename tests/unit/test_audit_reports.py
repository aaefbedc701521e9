"""Reports of audits for other tools: what SARIF 2.1.0 and JUnit allow, checked part by part."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from app.core.acceptance import FAIL, NOT_PROVEN, PASS
from app.core.audit_reports import proofs_to_junit, proofs_to_sarif, to_junit, to_sarif
from app.core.config_audit import audit_config
from app.core.separation import Exhibit, Proof

UNREAD = {"R9": 'R9: connect by SSH: expected an answer; found "nothing" <x> & more. 看线路。'}
PROOFS = (
    Proof("inner-network", "BZ-9", "no path to the inner network", "与政务内网无通路", FAIL, (
        Exhibit("u01", "configuration", 7, "ip route-static 10.7.0.0 255.255.0.0 198.18.4.13"),
        Exhibit("u01", "routes", 3, "10.7.0.0/16 Static <&>"),
    )),
    Proof("wireless", "SX-1", "no wireless router", "无无线路由器", NOT_PROVEN, (), ("d01: lldp (Error: \"off\")",)),
    Proof("one-exit", "BL-4", "one Internet exit", "互联网出口唯一", PASS, (Exhibit("core", "routes", 1, "0.0.0.0/0"),)),
)  # fmt: skip
RESULTS = audit_config("R1", "huawei_ar", "telnet server enable\nsysname R1 <&>\nsnmp-agent community read opensesame\n")

# What the standard says of the parts that are used here: the keys that an object may have, those that it must have, and its values.
TEXT = ({"text": str}, {"text"})
LOCATION = (
    {"physicalLocation": ({"artifactLocation": ({"uri": str}, {"uri"}), "region": ({"startLine": int}, {"startLine"})}, set())},
    set(),
)
RESULT = (
    {
        "ruleId": str,
        "level": {"none", "note", "warning", "error"},
        "kind": {"notApplicable", "pass", "fail", "review", "open", "informational"},
        "message": TEXT,
        "locations": [LOCATION],
    },
    {"message"},
)
RULE = (
    {
        "id": str,
        "shortDescription": TEXT,
        "help": TEXT,
        "defaultConfiguration": ({"level": {"none", "note", "warning", "error"}}, set()),
        "properties": dict,
    },
    {"id"},
)
NOTIFICATION = ({"level": {"none", "note", "warning", "error"}, "message": TEXT}, {"message"})
INVOCATION = ({"executionSuccessful": bool, "toolExecutionNotifications": [NOTIFICATION]}, {"executionSuccessful"})
RUN = (
    {"tool": ({"driver": ({"name": str, "rules": [RULE]}, {"name"})}, {"driver"}), "invocations": [INVOCATION], "results": [RESULT]},
    {"tool"},
)
DOCUMENT = ({"$schema": str, "version": {"2.1.0"}, "runs": [RUN]}, {"version", "runs"})


def hold(value: Any, shape: Any, path: str = "") -> None:
    """Fail where a value is not of a shape: a type, a set of words, a list of one shape, or (keys, keys that must be there)."""
    match shape:
        case set():
            assert value in shape, path
        case list():
            assert isinstance(value, list), path
            for number, one in enumerate(value):
                hold(one, shape[0], f"{path}[{number}]")
        case (keys, needed):
            assert set(needed) <= set(value) <= set(keys), (path, sorted(value))
            for key, one in value.items():
                hold(one, keys[key], f"{path}/{key}")
        case _:
            assert isinstance(value, shape), path


def documents() -> Mapping[str, Callable[[Mapping[str, str]], str]]:
    return {"config": lambda unread: to_sarif(RESULTS, unread), "separation": lambda unread: proofs_to_sarif(PROOFS, unread)}


@pytest.mark.parametrize("audit", ["config", "separation"])
@pytest.mark.parametrize("unread", [{}, UNREAD], ids=["read", "unread"])
def test_a_document_has_nothing_but_what_sarif_allows(audit: str, unread: Mapping[str, str]) -> None:
    document = json.loads(documents()[audit](unread))
    hold(document, DOCUMENT)
    (run,) = document["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert len(rules) == len(run["tool"]["driver"]["rules"])
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["level"] == "none" or result.get("kind", "fail") == "fail", "a level beside another kind is not allowed"
        for location in result.get("locations", ()):
            place = location["physicalLocation"]
            assert place["region"]["startLine"] >= 1
            assert "/" not in place["artifactLocation"]["uri"]
    assert run["invocations"][0]["executionSuccessful"] is not bool(unread)


def test_a_wrong_document_is_noticed() -> None:
    for change in ({"level": "fatal"}, {"colour": "red"}, {"message": "no object"}):
        with pytest.raises(AssertionError):
            hold([{"ruleId": "x", "message": {"text": "y"}, **change}], [RESULT])


def test_proofs_stand_as_failures_by_line_as_open_and_as_passed() -> None:
    results = json.loads(proofs_to_sarif(PROOFS, {}))["runs"][0]["results"]
    assert [(result["ruleId"], result.get("kind", "fail"), result["level"]) for result in results] == [
        ("inner-network", "fail", "error"),
        ("inner-network", "fail", "error"),
        ("wireless", "open", "none"),
        ("one-exit", "pass", "none"),
    ]
    places = [result["locations"][0]["physicalLocation"] for result in results[:2]]
    assert [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places] == [("u01.cfg", 7), ("u01.routes", 3)]
    assert 'd01: lldp (Error: "off")' in results[2]["message"]["text"]


def test_junit_counts_what_failed_what_is_open_and_what_was_not_read() -> None:
    suites = ET.fromstring(proofs_to_junit(PROOFS, UNREAD)).findall("testsuite")
    assert {key: suites[0].get(key) for key in ("tests", "failures", "skipped", "errors")} == {
        "tests": "3", "failures": "1", "skipped": "1", "errors": "0",
    }  # fmt: skip
    cases = {case.get("name"): case for case in suites[0]}
    assert "u01 routes:3: 10.7.0.0/16 Static <&>" in (cases["inner-network"].find("failure").text or "")  # type: ignore[union-attr]
    assert [child.tag for child in cases["wireless"]] == ["skipped"]
    assert list(cases["one-exit"]) == []
    assert suites[1].find("testcase/error").get("message") == UNREAD["R9"]  # type: ignore[union-attr]
    counted = ET.fromstring(to_junit(RESULTS, {})).find("testsuite")
    assert counted is not None
    assert int(counted.get("failures", "0")) == len(counted.findall("testcase/failure")) > 0


@pytest.mark.parametrize("write", [to_sarif, to_junit])
def test_no_secret_is_in_a_report(write: Callable[..., str]) -> None:
    assert "opensesame" not in write(RESULTS, {})
