"""An audit as SARIF 2.1.0 and as JUnit XML, for the tools that collect such reports. Pure; same results, same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from app.core.config_audit import FAIL, NOT_APPLICABLE, Breach, CheckResult

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def to_sarif(results: Sequence[CheckResult], unread: Mapping[str, str]) -> str:
    """Return the failed checks as SARIF, one result per breach; devices that could not be read are notifications."""
    checks = {result.check.check_id: result.check for result in results}
    rules = [
        {
            "id": check.check_id,
            "shortDescription": {"text": check.title},
            "help": {"text": check.next_step},
            "defaultConfiguration": {"level": check.level},
            "properties": {"source": check.source, "title_zh": check.title_zh},
        }
        for check in checks.values()
    ]
    found = [_sarif_result(result, breach) for result in results if result.verdict == FAIL for breach in result.breaches]
    run = {
        "tool": {"driver": {"name": "waiwang audit config", "rules": rules}},
        "invocations": [
            {
                "executionSuccessful": not unread,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": f"{device}: {reason}"}} for device, reason in unread.items()
                ],
            }
        ],
        "results": found,
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def to_junit(results: Sequence[CheckResult], unread: Mapping[str, str]) -> str:
    """Return one test suite per device and one test case per check; a device that could not be read is an error."""
    suites: dict[str, list[CheckResult]] = {}
    for result in results:
        suites.setdefault(result.device, []).append(result)
    body = [_junit_suite(device, held) for device, held in suites.items()]
    body += [
        f'<testsuite name={quoteattr(device)} tests="1" failures="0" errors="1" skipped="0">'
        f'<testcase classname={quoteattr(device)} name="read"><error message={quoteattr(reason)}/></testcase></testsuite>'
        for device, reason in unread.items()
    ]
    return '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n' + "\n".join(body) + "\n</testsuites>\n"


def _sarif_result(result: CheckResult, breach: Breach) -> dict[str, object]:
    return {
        "ruleId": result.check.check_id,
        "level": result.check.level,
        "message": {"text": f"{result.device}: {result.check.title}: found {breach.found}. {result.check.next_step}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": f"{result.device}.cfg"},
                    "region": {"startLine": max(breach.line, 1)},
                }
            }
        ],
    }


def _junit_suite(device: str, results: Sequence[CheckResult]) -> str:
    failures = sum(result.verdict == FAIL for result in results)
    skipped = sum(result.verdict == NOT_APPLICABLE for result in results)
    head = f'<testsuite name={quoteattr(device)} tests="{len(results)}" failures="{failures}" errors="0" skipped="{skipped}">'
    return head + "".join(f"\n{_junit_case(result)}" for result in results) + "\n</testsuite>"


def _junit_case(result: CheckResult) -> str:
    start = f"<testcase classname={quoteattr(result.device)} name={quoteattr(result.check.check_id)}"
    if result.verdict == NOT_APPLICABLE:
        return f"{start}><skipped/></testcase>"
    if result.verdict != FAIL:
        return f"{start}/>"
    told = "\n".join(f"{result.device}.cfg:{breach.line}: {breach.found}" for breach in result.breaches)
    return f"{start}><failure message={quoteattr(result.check.title)}>{escape(told)}</failure></testcase>"
