"""An audit as SARIF 2.1.0 and as JUnit XML, for the tools that collect such reports. Pure; same results, same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from xml.sax import saxutils

from app.core.acceptance import FAIL, NOT_PROVEN
from app.core.config_audit import NOT_APPLICABLE, Breach, CheckResult
from app.core.separation import Exhibit, Proof

#: What XML 1.0 cannot hold in any writing, and a banner or a device's answer may: shown as a question mark.
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
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
    return _sarif("waiwang audit config", rules, found, unread)


def to_junit(results: Sequence[CheckResult], unread: Mapping[str, str]) -> str:
    """Return one test suite per device and one test case per check; a device that could not be read is an error."""
    suites: dict[str, list[CheckResult]] = {}
    for result in results:
        suites.setdefault(result.device, []).append(result)
    return _junit([_junit_suite(device, held) for device, held in suites.items()], unread)


def _junit(suites: Sequence[str], unread: Mapping[str, str]) -> str:
    body = list(suites)
    body += [
        f'<testsuite name={quoteattr(device)} tests="1" failures="0" errors="1" skipped="0">'
        f'<testcase classname={quoteattr(device)} name="read"><error message={quoteattr(reason)}/></testcase></testsuite>'
        for device, reason in unread.items()
    ]
    return '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n' + "\n".join(body) + "\n</testsuites>\n"


def proofs_to_sarif(proofs: Sequence[Proof], unread: Mapping[str, str]) -> str:
    """Return the proofs as SARIF: a result per line against a proof, one `open` per proof that could not be given, one `pass` else."""
    rules: list[dict[str, object]] = [
        {
            "id": proof.proof_id,
            "shortDescription": {"text": proof.title},
            "defaultConfiguration": {"level": "error"},
            "properties": {"source": proof.clause, "title_zh": proof.title_zh},
        }
        for proof in proofs
    ]
    return _sarif("waiwang audit separation", rules, [result for proof in proofs for result in _sarif_proof(proof)], unread)


def _sarif_proof(proof: Proof) -> list[dict[str, object]]:
    if proof.verdict == FAIL:
        return [
            {"ruleId": proof.proof_id, "level": "error", "message": {"text": f"{one.device}: {proof.title}: found {one.text}"}, **_at(one)}
            for one in proof.exhibits
        ]
    kind = "open" if proof.verdict == NOT_PROVEN else "pass"
    told = f"not proven: {', '.join(proof.unseen)}" if proof.verdict == NOT_PROVEN else f"{len(proof.exhibits)} lines bear it out"
    return [{"ruleId": proof.proof_id, "kind": kind, "level": "none", "message": {"text": f"{proof.title}: {told}"}}]


def _at(exhibit: Exhibit) -> dict[str, object]:
    kind = "cfg" if exhibit.source == "configuration" else exhibit.source
    return _location(f"{exhibit.device}.{kind}", exhibit.line)


def _location(file: str, line: int) -> dict[str, object]:
    """Return where a result stands; line 0, which stands nowhere, is shown at the first."""
    return {"locations": [{"physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": max(line, 1)}}}]}


def _sarif(tool: str, rules: Sequence[object], results: Sequence[object], unread: Mapping[str, str]) -> str:
    told = [{"level": "error", "message": {"text": f"{device}: {reason}"}} for device, reason in unread.items()]
    run = {
        "tool": {"driver": {"name": tool, "rules": rules}},
        "invocations": [{"executionSuccessful": not unread, "toolExecutionNotifications": told}],
        "results": results,
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def proofs_to_junit(proofs: Sequence[Proof], unread: Mapping[str, str]) -> str:
    """Return one test case per proof: failed with the lines against it, skipped where it is not proven; unread devices are errors."""
    failures, skipped = (sum(proof.verdict == verdict for proof in proofs) for verdict in (FAIL, NOT_PROVEN))
    head = f'<testsuite name="separation" tests="{len(proofs)}" failures="{failures}" errors="0" skipped="{skipped}">'
    suite = head + "".join(f"\n{_junit_proof(proof)}" for proof in proofs) + "\n</testsuite>"
    return _junit([suite], unread)


def _junit_proof(proof: Proof) -> str:
    start = f'<testcase classname="separation" name={quoteattr(proof.proof_id)}'
    if proof.verdict == NOT_PROVEN:
        return f"{start}><skipped message={quoteattr('not proven: ' + ', '.join(proof.unseen))}/></testcase>"
    if proof.verdict != FAIL:
        return f"{start}/>"
    told = "\n".join(f"{one.device} {one.source}:{one.line}: {one.text}" for one in proof.exhibits)
    return f"{start}><failure message={quoteattr(proof.title)}>{escape(told)}</failure></testcase>"


def _sarif_result(result: CheckResult, breach: Breach) -> dict[str, object]:
    return {
        "ruleId": result.check.check_id,
        "level": result.check.level,
        "message": {"text": f"{result.device}: {result.check.title}: found {breach.found}. {result.check.next_step}"},
        **_location(f"{result.device}.cfg", breach.line),
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


def escape(text: str) -> str:
    return saxutils.escape(_UNWRITABLE.sub("?", text))


def quoteattr(text: str) -> str:
    return saxutils.quoteattr(_UNWRITABLE.sub("?", text))
