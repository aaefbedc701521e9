"""Secrets come from the environment or a file that only its owner reads, and are shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.edge.secrets import read_secrets
from app.errors import InputError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secrets.yaml"
    path.write_text('ssh_password: "from-file"\nsnmp_auth: "auth-value"\n', encoding="utf-8")
    path.chmod(0o600)
    return path


def test_the_environment_goes_before_the_file(file: Path) -> None:
    secrets = read_secrets(file, {"WAIWANG_SECRET_SSH_PASSWORD": "from-environment", "OTHER": "x"})
    assert secrets.value("ssh_password").get_secret_value() == "from-environment"
    assert secrets.value("snmp_auth").get_secret_value() == "auth-value"


def test_an_empty_variable_hides_nothing(file: Path) -> None:
    assert read_secrets(file, {"WAIWANG_SECRET_SSH_PASSWORD": ""}).value("ssh_password").get_secret_value() == "from-file"


def test_references_are_replaced_and_other_text_is_left(file: Path) -> None:
    text = "user poller auth <secret:snmp_auth> x <secret:ssh_password>\n<secret>"
    assert read_secrets(file, {}).resolve(text) == "user poller auth auth-value x from-file\n<secret>"


def test_every_missing_secret_is_named_with_the_way_to_set_it(file: Path) -> None:
    with pytest.raises(InputError) as refusal:
        read_secrets(file, {}).resolve("<secret:a> <secret:snmp_auth> <secret:b> <secret:a>")
    assert [finding.what for finding in refusal.value.findings] == ["secret a", "secret b"]
    assert "WAIWANG_SECRET_A" in refusal.value.findings[0].next_step


def test_no_value_is_ever_printed(file: Path) -> None:
    secrets = read_secrets(file, {})
    assert "auth-value" not in repr(secrets) + str(secrets) + repr(secrets.value("snmp_auth")) + repr(vars(secrets))
    assert "snmp_auth" in repr(secrets)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666])
def test_a_file_that_others_can_read_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(InputError, match="chmod 600"):
        read_secrets(file, {})


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: 1\n", "a: [x, y]\n", "just text\n"])
def test_a_file_of_another_shape_is_refused_without_its_content(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="expected a mapping of names to texts"):
        read_secrets(file, {})


def test_broken_yaml_is_refused_without_its_content(file: Path) -> None:
    file.write_text('a: "hidden\nb: [', encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        read_secrets(file, {})
    assert "hidden" not in str(refusal.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_secrets(tmp_path / "none.yaml", {})
