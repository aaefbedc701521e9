"""Secrets by name, from the environment or from a file outside git. They are resolved at the moment of use and never printed."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from pydantic import SecretStr

from app.core.commands import SECRET_REFERENCE, secret_names
from app.errors import Finding, InputError

PREFIX = "WAIWANG_SECRET_"


class Secrets:
    """Values by name, the environment before the file. Its representation holds names only."""

    def __init__(self, values: Mapping[str, SecretStr], where: str) -> None:
        self._values, self._where = dict(values), where

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self._values))})"

    def value(self, name: str) -> SecretStr:
        """Return one secret.

        Raises:
            InputError: it is not set.
        """
        self.require((name,))
        return self._values[name]

    def has(self, name: str) -> bool:
        """Tell whether one secret is set."""
        return name in self._values

    def require(self, names: Iterable[str]) -> None:
        """Return when all of these are set.

        Raises:
            InputError: with one finding for every name that is not.
        """
        missing = [name for name in dict.fromkeys(names) if name not in self._values]
        if missing:
            raise InputError(_missing(name, self._where) for name in missing)

    def resolve(self, text: str) -> str:
        """Return the text with every `<secret:NAME>` replaced by its value.

        Raises:
            InputError: one of them is not set.
        """
        self.require(secret_names(text))
        return SECRET_REFERENCE.sub(lambda found: self._values[found[1]].get_secret_value(), text)


def read_secrets(path: Path | None, environ: Mapping[str, str]) -> Secrets:
    """Read `WAIWANG_SECRET_<NAME>` variables and, below them, a YAML file of name: value.

    Raises:
        InputError: the file is missing, readable by others, or no mapping of names to texts.
    """
    values = {} if path is None else _read_file(path)
    values |= {key.removeprefix(PREFIX).lower(): SecretStr(value) for key, value in environ.items() if key.startswith(PREFIX) and value}
    return Secrets(values, str(path) if path else "WAIWANG_SECRETS_FILE")


def _read_file(path: Path) -> dict[str, SecretStr]:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            step = f"Run chmod 600 {path}, and change what was readable."
            raise _refused(path, "mode 600", f"mode {mode:o}, which others can read", step)
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        step = "Set WAIWANG_SECRETS_FILE to the file that holds the secrets."
        raise _refused(path, "a readable file", str(error.strerror), step) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _refused(path, "YAML of name: value", f"a {type(error).__name__}", "Correct the file; its content is not shown.") from None
    entries = {} if content is None else content
    if not isinstance(entries, dict) or not all(isinstance(key, str) and isinstance(value, str) for key, value in entries.items()):
        raise _refused(path, "a mapping of names to texts", "something else", 'Write name: "value", the value in quotation marks.')
    return {key.lower(): SecretStr(value) for key, value in entries.items() if value}


def _refused(path: Path, expected: str, found: str, next_step: str) -> InputError:
    return InputError([Finding(str(path), "secrets file", expected, found, next_step)])


def _missing(name: str, where: str) -> Finding:
    step = f"Set {PREFIX}{name.upper()}, or add {name} to the file that WAIWANG_SECRETS_FILE names."
    return Finding(where, f"secret {name}", "a value", "none", step)
