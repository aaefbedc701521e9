"""A tester's file through the real command: shown, recorded once, refused in words that name every row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.edge.database.store import Store
from app.errors import ExitCode
from tests.samples.command_line import REPOSITORY, CommandLine

Golden = Callable[[str, str], None]
LINE = "BZWW-F-0001"
HEAD = (
    "line_id,at,standard,direction,layer,throughput_kbps,tester,serial,by,document,"
    "frame_octets,load_percent,loss_ratio,delay_ms,jitter_ms,calibrated_until\n"
)
GOOD = (
    f"{LINE},2008-06-18T21:40,RFC 2544,down,L2,1985,T-100,0042,线路验收员,测试报告（示例）,64,100,0,3.1,0.2,2009-01-01\n"
    f"{LINE},2008-06-18T21:45,RFC 2544,up,L2,1980,T-100,0042,线路验收员,测试报告（示例）,1518,100,0.0005,3.4,,2009-01-01\n"
)


@pytest.fixture
def desk(tmp_path: Path) -> CommandLine:
    environ = {"WAIWANG_ROOT": str(REPOSITORY / "lab" / "workspace"), "WAIWANG_DATABASE_URL": f"sqlite:///{tmp_path / 'waiwang.db'}"}
    return CommandLine(tmp_path, environ | {"COLUMNS": "140"})


def kept(tmp_path: Path) -> dict[str, tuple[float | None, str]]:
    store = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    try:
        return {kind: (each.value, each.method) for kind, each in store.measurements([LINE]).get(LINE, {}).items()}
    finally:
        store.close()


def test_a_file_is_shown_and_recorded_once(desk: CommandLine, tmp_path: Path, golden: Golden) -> None:
    (tmp_path / "run.csv").write_text(HEAD + GOOD, encoding="utf-8")
    shown = desk("measure", "import", "run.csv")
    assert (shown.code, kept(tmp_path)) == (ExitCode.PENDING, {})
    golden("measure/import.txt", shown.out)
    assert desk("measure", "import", "run.csv", "--commit").code == ExitCode.OK
    method = "RFC 2544 by T-100, serial 0042"
    assert kept(tmp_path) == {
        "rate_down": (1985.0, f"{method} on L2; imported"),
        "rate_up": (1980.0, f"{method} on L2; imported"),
        "delay": (3.4, f"{method}; imported"),
        "jitter": (0.2, f"{method}; imported"),
        "step_loss": (0.0005, f"{method}; imported"),
    }
    again = desk("measure", "import", "run.csv", "--commit", "--format", "json")
    assert (again.code, again.json["totals"]) == (ExitCode.OK, {"new": 0, "known_already": 5})


def test_json_says_once_what_all_results_share(desk: CommandLine, tmp_path: Path) -> None:
    common = {"line_id": LINE, "standard": "Y.1564", "layer": "L2", "tester": "T-200", "serial": "7"}
    common |= {"by": "线路验收员", "document": "报告"}
    results = [
        {"at": "2008-06-18T21:40:00+08:00", "direction": "down", "throughput_kbps": 1000, "load_percent": 50},
        {"at": "2008-06-18T21:41:00+08:00", "direction": "down", "throughput_kbps": 1990.5, "load_percent": 100, "loss_ratio": 0},
    ]
    document = {"format": "waiwang-tester-result", "version": 1, "common": common, "results": results}
    (tmp_path / "run.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    assert desk("measure", "import", "run.json", "--commit").code == ExitCode.OK
    assert kept(tmp_path)["rate_down"] == (1990.5, "Y.1564 by T-200, serial 7 on L2; imported")
    store = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    (measured,) = store.measurement_history(LINE, "rate_down")
    store.close()
    assert measured.detail["sha256"] == hashlib.sha256((tmp_path / "run.json").read_bytes()).hexdigest()
    assert measured.at.isoformat() == "2008-06-18T13:41:00+00:00"
    assert measured.recorded_at > measured.at  # when it came in


BROKEN = {
    "rows": HEAD
    + GOOD.replace("RFC 2544,down", "RFC2544,sideways", 1).replace(",1985,", ",-1,")
    + "BZWW-F-00O1,2999-06-18T21:40,Y.1564,up,L1,1980,T-100,0042,验收员,报告,,100,2,,,2008-01-01\n"
    + f"{LINE},yesterday,Y.1564,up,L2,nan,T-100,0042,验收员,报告,10,0,,,,soon\n",
    "heading": "line,at\nx,y\n",
    "empty": HEAD,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_table_is_refused_whole_in_these_words(desk: CommandLine, tmp_path: Path, golden: Golden, name: str) -> None:
    (tmp_path / "run.csv").write_text(BROKEN[name], encoding="utf-8")
    refused = desk("measure", "import", "run.csv", "--commit")
    assert (refused.code, refused.out, kept(tmp_path)) == (ExitCode.INPUT, "", {})
    assert "Traceback" not in refused.err
    golden(f"measure/errors/{name}.txt", refused.err)


BROKEN_JSON = {
    "no_json": "{",
    "another_format": '{"format": "report", "version": 1, "results": []}',
    "a_list": "[]",
    "results_missing": '{"format": "waiwang-tester-result", "version": 1, "results": [1]}',
    "unknown_key": '{"format": "waiwang-tester-result", "version": 1, "results": [{"line": "x"}]}',
}


@pytest.mark.parametrize("name", BROKEN_JSON)
def test_a_broken_document_is_refused_in_these_words(desk: CommandLine, tmp_path: Path, golden: Golden, name: str) -> None:
    (tmp_path / "run.json").write_text(BROKEN_JSON[name], encoding="utf-8")
    refused = desk("measure", "import", "run.json")
    assert (refused.code, refused.out) == (ExitCode.INPUT, "")
    golden(f"measure/errors/{name}.txt", refused.err)


def test_a_file_that_is_not_there_is_said(desk: CommandLine) -> None:
    refused = desk("measure", "import", "nowhere.csv")
    assert refused.code == ExitCode.INPUT
    assert refused.err.startswith("error nowhere.csv")
