"""Silences of an Alertmanager, by its API v2."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPMessage
from typing import IO

from pydantic import BaseModel, ValidationError

from app.errors import AlertmanagerError

PATIENCE_S = 10.0
#: The most that is read of an answer, octets.
ANSWER_LIMIT = 1 << 20


class _Created(BaseModel):
    silenceID: str  # the API's own name


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """One Alertmanager at a base address such as http://127.0.0.1:9093. No proxy of the environment is asked, no redirection followed."""

    address: str

    def silence(self, line_ids: Iterable[str], starts_at: datetime, ends_at: datetime, by: str, comment: str) -> str:
        """Silence every alert of these lines for a time; return the silence's id.

        Raises:
            AlertmanagerError: it cannot be reached, or refuses.
        """
        pattern = "|".join(map(re.escape, line_ids))
        body = {
            "matchers": [{"name": "line_id", "value": pattern, "isRegex": True, "isEqual": True}],
            "startsAt": starts_at.isoformat(),
            "endsAt": ends_at.isoformat(),
            "createdBy": by,
            "comment": comment,
        }
        answer = self._ask("POST", "/api/v2/silences", json.dumps(body).encode())
        try:
            return _Created.model_validate_json(answer).silenceID
        except ValidationError:
            raise self._failed("silence", "the id of a silence", answer[:200].decode(errors="replace") or "nothing") from None

    def expire(self, silence_id: str) -> None:
        """End a silence now; one that is over or unknown is left as it is.

        Raises:
            AlertmanagerError: it cannot be reached, or refuses.
        """
        state = self._state(silence_id)
        if state in ("active", "pending"):
            self._ask("DELETE", f"/api/v2/silence/{silence_id}", None)

    def _state(self, silence_id: str) -> str | None:
        answer = self._ask("GET", f"/api/v2/silence/{silence_id}", None, missing_ok=True)
        if not answer:
            return None
        try:
            return _Silence.model_validate_json(answer).status.state
        except ValidationError:
            raise self._failed("silence", "a silence with its state", answer[:200].decode(errors="replace")) from None

    def _ask(self, method: str, path: str, body: bytes | None, *, missing_ok: bool = False) -> bytes:
        request = urllib.request.Request(self.address + path, body, {"content-type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
        try:
            with opener.open(request, timeout=PATIENCE_S) as answer:
                return bytes(answer.read(ANSWER_LIMIT))
        except urllib.error.HTTPError as error:
            with error:
                if missing_ok and error.code == HTTPStatus.NOT_FOUND:
                    return b""
                said = error.read(200).decode(errors="replace").strip()
            raise self._failed(f"{method} {path.rpartition('/')[0]}", "success", f"{error.code} {said}") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise self._failed("connection", "an Alertmanager that answers", str(reason)) from None

    def _failed(self, what: str, expected: str, found: str) -> AlertmanagerError:
        step = "Check WAIWANG_ALERTMANAGER_URL and whether it runs, or give --no-silence."
        return AlertmanagerError(f"Alertmanager {self.address}: {what}: expected {expected}; found {found}. {step}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follow nowhere: whoever answers in Alertmanager's place shall not choose whom this machine asks next."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


class _Status(BaseModel):
    state: str


class _Silence(BaseModel):
    status: _Status
