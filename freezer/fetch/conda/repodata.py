"""The index of a conda channel for one subdir: fetched, unpacked and stored.

An index of 300 MB is fetched only when it has changed, and is stored unpacked, so that a solver can
read parts of it in place. It is authenticated only by TLS; each archive is verified by its own
SHA-256 later.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from freezer.errors import FetchError
from freezer.fetch.conda.repodata_text import IndexText
from freezer.fetch.http.client import NotFoundError, RefusedError, Response, open_url
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import split_url
from freezer.model.base import Model, Sha256
from freezer.model.events import SilentReporter

if TYPE_CHECKING:
    from freezer.fetch.conda.channels import CondaChannel
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter

_MEMO = "conda-index"


class _Known(Model):
    """A memoised index."""

    sha256: Sha256
    mark: dict[str, str | list[int]] | None = None
    """The ETag or modification time, to detect changes."""


_FORMS = ("repodata.json.zst", "repodata.json")
_PATIENCE = 1800.0
"""Maximum seconds to wait for another process that fetches the same index."""


@dataclass(frozen=True)
class Repodata:
    """One channel's index for one subdir, as a file for a solver."""

    channel: str
    subdir: str
    path: Path
    url: str
    """Its address; may contain a token."""


def fetch_repodata(
    channel: CondaChannel, subdir: str, *, store: Store, report: Reporter
) -> Repodata | None:
    """Return a channel's index for a subdir; None when the channel has no such subdir.

    Raises ``FetchError`` when no address of the channel answers, or one serves something else.
    """
    failure: FetchError | None = None
    for base in channel.urls:
        for form in _FORMS:
            url = f"{base}/{subdir}/{form}"
            try:
                path = _current(url, store, report)
            except NotFoundError:
                continue
            except FetchError as error:
                failure = failure or error
                if isinstance(error, RefusedError):
                    continue
                break
            return Repodata(channel.name, subdir, path, url)
    if failure is not None:
        raise failure
    return None


def forget_repodata(repodata: Repodata, store: Store) -> None:
    """Drop a corrupt index, so that it is fetched again."""
    store.put_memo(_MEMO, redact(repodata.url), None)
    repodata.path.unlink(missing_ok=True)


def _current(url: str, store: Store, report: Reporter) -> Path:
    """Return the current index of an address, fetched unless the stored one is current."""
    key = redact(url)
    name = f"index-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    with store.lock(name, timeout=_PATIENCE, report=SilentReporter()):
        known = store.get_memo(_MEMO, key, _Known)
        memo = known.model_dump() if known and store.has(known.sha256) else {}
        with open_url(url, headers=_conditions(memo)) as response:
            mark = _mark(response)
            if response.unchanged or (mark and mark == memo.get("mark")):
                return store.verified(memo["sha256"])
            report.debug(f"reading {key}")
            sha256 = _keep(response, store)
        store.put_memo(_MEMO, key, {"sha256": sha256, "mark": mark})
        if memo and memo["sha256"] != sha256:
            # Only this memo refers to it, and each is hundreds of megabytes.
            store.path(memo["sha256"]).unlink(missing_ok=True)
        return store.verified(sha256)


def _keep(response: Response, store: Store) -> str:
    with store.writer() as writer:
        text = IndexText(writer.write, packed=response.url.endswith(".zst"), shown=response.url)
        for block in response.blocks():
            text.feed(block)
        text.close()
    return writer.sha256


def _conditions(memo: dict[str, Any]) -> dict[str, str]:
    mark = memo.get("mark") or {}
    found = {"If-None-Match": mark.get("etag"), "If-Modified-Since": mark.get("last-modified")}
    return {name: value for name, value in found.items() if value}


def _mark(response: Response) -> dict[str, Any]:
    """Return the ETag or modification time of a response; empty when it has neither."""
    if response.url.startswith("file:"):
        info = Path(unquote(split_url(response.url).path)).stat()
        return {"file": [info.st_size, info.st_mtime_ns, info.st_ino]}
    found = {name: response.headers.get(name) for name in ("etag", "last-modified")}
    return {name: value for name, value in found.items() if value}
