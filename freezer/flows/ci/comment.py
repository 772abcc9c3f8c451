"""``freeze ci comment``: reports as one comment on the change that a CI system runs for."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from freezer.errors import FetchError, HostError, Where, printable
from freezer.fetch.http.redact import redact
from freezer.fetch.http.transport import blocks_of, send

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MARKER: Final = "<!-- freeze ci comment -->"
"""First line of the comment, by which the next one finds it."""
LONGEST: Final = 60_000
"""Characters of a comment; GitHub takes 65,536."""
_LARGEST_REPORT: Final = 1 << 20
"""Bytes of one report that are read."""
_MOST_REPORTS: Final = 200
_LARGEST_ANSWER: Final = 32 << 20
_SECONDS: Final = 60.0
_PAGES: Final = 50
"""Pages of 100 comments that are searched for an earlier one."""


@dataclass(frozen=True)
class Posted:
    """A comment on a pull request or merge request."""

    number: int
    """The system's ID."""
    replaced: bool


@dataclass(frozen=True)
class _Place:
    """Where comments of one change are."""

    listing: str
    """Address to list and to add."""
    one: str
    """Address of one comment, without its ID."""
    method: str
    """To replace one."""
    headers: Mapping[str, str]


def compose(folder: Path) -> str:
    """Return reports of a folder as one Markdown text, by name. Raises ``HostError``."""
    if not folder.is_dir():
        raise HostError("there is no such folder", where=Where(str(folder)))
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".md", ".txt"))
    parts = [_part(path) for path in paths[:_MOST_REPORTS] if path.is_file()]
    body = "\n\n".join([MARKER, *(parts or ["Freezer left no report: see the job's log."])])
    if len(body) > LONGEST:
        body = body[:LONGEST].rpartition("\n")[0]
        if body.count("\n```") % 2:
            body += "\n```"
        body += "\n\n*Cut here; the job's artifacts have all of it.*"
    return body + "\n"


def _part(path: Path) -> str:
    with path.open("rb") as stream:
        text = stream.read(_LARGEST_REPORT).decode("utf-8", "replace").strip()
    if path.suffix == ".md":
        return text
    plain = "\n".join(printable(line) for line in text.splitlines()).replace("```", "'''")
    return f"```text\n{plain}\n```"


def post(body: str) -> Posted:
    """Write a comment on the change of this CI job, over an earlier one of Freezer's.

    The address and the change are those that the CI system sets; the token is in ``GITHUB_TOKEN``
    or ``FREEZER_GITLAB_TOKEN``. Raises ``HostError`` outside of such a job,
    and ``FetchError`` where the system refuses.
    """
    place = _place()
    earlier = next((one for one in _comments(place) if _is_ours(one)), None)
    data = json.dumps({"body": body}).encode()
    if earlier is None:
        made = _ask("POST", place.listing, place.headers, data)
        return Posted(_number(made), replaced=False)
    number = _number(earlier)
    _ask(place.method, f"{place.one}/{number}", place.headers, data)
    return Posted(number, replaced=True)


def _place() -> _Place:
    if os.environ.get("GITHUB_ACTIONS") == "true":
        return _on_github()
    if os.environ.get("GITLAB_CI") == "true":
        return _on_gitlab()
    raise HostError(
        "this is no job of a CI system",
        expected="GITHUB_ACTIONS or GITLAB_CI, as GitHub and GitLab set them",
        hint="with --print the comment is printed instead",
    )


def _on_github() -> _Place:
    kind, _, number = _variable("GITHUB_REF").removeprefix("refs/").partition("/")
    number = number.partition("/")[0]
    if kind != "pull" or not number.isdecimal():
        raise HostError("this job is of no pull request", found=_variable("GITHUB_REF"))
    repository = quote(_variable("GITHUB_REPOSITORY"))
    issues = f"{_variable('GITHUB_API_URL').rstrip('/')}/repos/{repository}/issues"
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {_token('GITHUB_TOKEN')}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    return _Place(f"{issues}/{number}/comments", f"{issues}/comments", "PATCH", headers)


def _on_gitlab() -> _Place:
    number = _variable("CI_MERGE_REQUEST_IID", "this job is of no merge request")
    api = _variable("CI_API_V4_URL").rstrip("/")
    notes = f"{api}/projects/{quote(_variable('CI_PROJECT_ID'), safe='')}"
    notes += f"/merge_requests/{quote(number, safe='')}/notes"
    return _Place(notes, notes, "PUT", {"PRIVATE-TOKEN": _token("FREEZER_GITLAB_TOKEN")})


def _variable(name: str, what: str | None = None) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise HostError(what or f"{name} is not set", expected=f"{name}, as the CI system sets it")
    return value


def _token(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value or not value.isprintable():
        raise HostError(
            f"there is no token in {name}", hint="give it to this step alone, from a secret"
        )
    return value


def _comments(place: _Place) -> Iterator[dict[str, Any]]:
    for page in range(1, _PAGES + 1):
        found = _ask("GET", f"{place.listing}?per_page=100&page={page}", place.headers, None)
        if not isinstance(found, list):
            raise FetchError("the CI system answers with no list of comments")
        yield from (one for one in found if isinstance(one, dict))
        if len(found) < 100:
            return


def _is_ours(comment: dict[str, Any]) -> bool:
    return str(comment.get("body", "")).startswith(MARKER) and isinstance(comment.get("id"), int)


def _number(comment: Any) -> int:
    number = comment.get("id") if isinstance(comment, dict) else None
    if not isinstance(number, int):
        raise FetchError("the CI system answers with no comment", found=repr(comment)[:80])
    return number


def _ask(method: str, url: str, headers: Mapping[str, str], data: bytes | None) -> Any:
    from freezer.fetch.http.session import Unauthenticated

    kind = {"Content-Type": "application/json"} if data is not None else {}
    answer = send(method, url, headers={**headers, **kind}, data=data, auth=Unauthenticated())
    body = bytearray()
    with answer:
        for block in blocks_of(url, answer, seconds=_SECONDS, whole=True):
            body += block
            if len(body) > _LARGEST_ANSWER:
                raise FetchError(f"the CI system answers with more than {_LARGEST_ANSWER} bytes")
    try:
        found = json.loads(bytes(body)) if body else None
    except (ValueError, RecursionError):
        found = None
    if answer.status_code >= 400:
        said = found.get("message", "") if isinstance(found, dict) else ""
        raise FetchError(
            f"the CI system refused to {method} a comment",
            found=f"HTTP {answer.status_code} {redact(str(said))[:300]}".strip(),
            hint=_why(answer.status_code),
        )
    return found


def _why(status: int) -> str | None:
    if status not in (401, 403, 404):
        return None
    return "the token must be one that may write comments on this repository"
