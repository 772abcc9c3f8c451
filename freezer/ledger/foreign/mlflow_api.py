"""A client of MLflow's REST API; every response is bounded."""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from freezer.errors import LedgerError, LedgerGoneError
from freezer.fetch.http.redact import redact, without_credentials
from freezer.fetch.http.transport import BrokenOffError, blocks_of, send
from freezer.fetch.http.watchdog import TooSlowError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests.auth import AuthBase

LARGEST: Final = 64 << 20
"""Maximum bytes of a response."""
SECONDS: Final = 300.0
_PAGES: Final = 100_000


class MissingError(LedgerError):
    """The server does not have what was requested."""


class Api:
    """A tracking server at an address, such as ``https://mlflow.example.org``.

    Credentials are those in the address, of ``MLFLOW_TRACKING_TOKEN``, of
    ``MLFLOW_TRACKING_USERNAME`` and ``MLFLOW_TRACKING_PASSWORD``, or of ``~/.netrc``.
    """

    def __init__(self, address: str) -> None:
        self._base = address.rstrip("/")
        self.shown = redact(without_credentials(self._base))

    def get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response to a read. Raises ``LedgerError``."""
        words = "&".join(f"{quote(name)}={quote(str(value))}" for name, value in query.items())
        return self._answer("GET", f"api/2.0/mlflow/{path}?{words}", None)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response to a search or a change. Raises ``LedgerError``."""
        return self._answer("POST", f"api/2.0/mlflow/{path}", json.dumps(body).encode())

    def pages(self, path: str, body: dict[str, Any], part: str) -> Iterator[dict[str, Any]]:
        """Yield what a search finds, page by page."""
        token = ""
        for _ in range(_PAGES):
            answer = self.post(path, {**body, **({"page_token": token} if token else {})})
            yield from objects(answer.get(part))
            following = answer.get("next_page_token")
            if not isinstance(following, str) or not following or following == token:
                return
            token = following

    def put_artifact(self, path: str, data: bytes) -> None:
        """Store an artifact through the server. Raises ``LedgerError``."""
        self._answer("PUT", f"api/2.0/mlflow-artifacts/artifacts/{quote(path)}", data)

    def _answer(self, method: str, path: str, data: bytes | None) -> dict[str, Any]:
        kind = "application/octet-stream" if method == "PUT" else "application/json"
        headers, auth = _credentials()
        url = f"{self._base}/{path}"
        try:
            answer = send(
                method, url, headers={"Content-Type": kind, **headers}, data=data, auth=auth
            )
            body = bytearray()
            with answer:
                for block in blocks_of(url, answer, seconds=SECONDS, whole=True):
                    body += block
                    if len(body) > LARGEST:
                        raise LedgerError(f"{self.shown} answers with more than {LARGEST} bytes")
        except (BrokenOffError, TooSlowError) as error:
            raise LedgerGoneError(
                f"the tracking server {self.shown} cannot be reached", found=error.found
            ) from None
        if answer.status_code >= 400:
            raise self._refused(path, answer.status_code, bytes(body))
        return _document(bytes(body)) if body else {}

    def _refused(self, path: str, status: int, body: bytes) -> LedgerError:
        try:
            said = str(_document(body).get("message", ""))
        except LedgerError:
            said = ""
        place = path.partition("?")[0]
        hint = None
        if status in (401, 403):
            hint = "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and its password"
        kind = MissingError if status == 404 else LedgerError
        return kind(
            f"the tracking server {self.shown} refused {place}",
            found=f"HTTP {status} {redact(said)[:300]}".strip(),
            hint=hint,
        )


def objects(found: Any) -> list[dict[str, Any]]:
    """Return a list of objects; anything else in it is left out."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def number(found: Any) -> float | None:
    """Return a double as the API writes it: a number, ``NaN``, ``Infinity``; else None."""
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        return float(found)
    except (ValueError, OverflowError):
        return None


def whole(found: Any, default: int = 0) -> int | None:
    """Return a 64-bit integer, which the API may write as text; None for anything else."""
    if found is None:
        return default
    if isinstance(found, bool) or not isinstance(found, int | str) or len(str(found)) > 20:
        return None
    try:
        value = int(found)
    except ValueError:
        return None
    return value if -(1 << 63) <= value < 1 << 63 else None


def spelled(value: float) -> float | str:
    """Return a double as the API reads it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise LedgerError(
            "this is not an MLflow tracking server: its answer is not a JSON object",
            found=repr(body[:80]),
        )
    return found


def _credentials() -> tuple[dict[str, str], AuthBase | None]:
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    user = os.environ.get("MLFLOW_TRACKING_USERNAME")
    if not token and not user:
        return {}, None
    from freezer.fetch.http.session import HTTPBasicAuth, Unauthenticated

    if token:  # no credentials of netrc beside it
        return {"Authorization": f"Bearer {token}"}, Unauthenticated()
    return {}, HTTPBasicAuth(user or "", os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))
