"""Parses index pages of Python packages: JSON (PEP 691), HTML (PEP 503), or a folder."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

from freezer.errors import FetchError
from freezer.fetch.http.client import NotFoundError, get_bytes
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import file_name_of, join_url, split_url
from freezer.model.parsing import parse_json as json_value

_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_LIMIT = 64 << 20
"""Maximum bytes; the largest public project pages have about four million."""
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")


@dataclass(frozen=True)
class IndexFile:
    """One file on an index."""

    name: str
    url: str
    sha256: str | None = None
    """From the index; None when it has none."""
    size: int | None = None
    """Size in bytes."""
    yanked: str | None = None
    """The reason, possibly empty; None when the file is not yanked."""
    uploaded: str | None = None
    """UTC, in the index's form (ISO 8601); None when it has none."""
    requires_python: str | None = None
    metadata: str | None = None
    """SHA-256 of the metadata served next to the file (PEP 658); empty when the index has no hash;
    None when no metadata is served."""


def project_files(index_url: str, project: str) -> list[IndexFile]:
    """Return the files of a project (normalised name) on an index.

    Raises ``NotFoundError`` when it has no such project, ``FetchError`` when it cannot be reached
    or its response is malformed.
    """
    return page_files(f"{index_url.rstrip('/')}/{project}/")


def page_files(url: str) -> list[IndexFile]:
    """Return the files on a link page, or in a folder (``file:``). Raises as `project_files`."""
    if split_url(url).scheme == "file":
        folder = Path(unquote(split_url(url).path))
        page = folder / "index.html"
        if not page.is_file() and folder.is_dir():
            return [
                IndexFile(entry.name, entry.as_uri(), size=entry.stat().st_size)
                for entry in sorted(folder.iterdir())
                if entry.name.endswith(_ARCHIVES) and entry.is_file()
            ]
        if page.is_file():
            return parse_html(page.read_bytes(), url if url.endswith("/") else f"{url}/")
        if not folder.is_file():
            raise NotFoundError(f"{folder} does not exist")
    return parse_page(get_bytes(url, limit=_LIMIT, headers={"Accept": _ACCEPT}), url)


def parse_page(data: bytes, url: str) -> list[IndexFile]:
    """Parse a page of either format. Raises ``FetchError`` when it is neither."""
    if data.lstrip()[:1] == b"{":
        return parse_json(data, url)
    return parse_html(data, url)


def parse_json(data: bytes, url: str) -> list[IndexFile]:
    """Parse a PEP 691 page. Raises ``FetchError``."""
    try:
        return [_from_json(entry, url) for entry in json_value(data)["files"]]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _not_an_index(url, f"JSON that is not a project's page: {error}") from error


def _not_an_index(url: str, found: str) -> FetchError:
    return FetchError(
        f"{redact(url)} is not a Python package index",
        found=redact(found),
        hint="check the address; a proxy or a login page may have answered instead",
    )


def _from_json(entry: dict[str, Any], url: str) -> IndexFile:
    size = entry.get("size")
    return IndexFile(
        name=str(entry["filename"]),
        url=join_url(url, str(entry["url"])),
        sha256=_text(entry.get("hashes", {}).get("sha256")),
        size=size if type(size) is int and size >= 0 else None,
        yanked=_reason(entry.get("yanked")),
        uploaded=_text(entry.get("upload-time")),
        requires_python=_text(entry.get("requires-python")),
        metadata=_metadata(entry.get("core-metadata", entry.get("dist-info-metadata"))),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _metadata(value: object) -> str | None:
    """Return the hash of PEP 714's ``core-metadata``, a mapping or a boolean."""
    if isinstance(value, dict):
        return str(value.get("sha256", ""))
    if isinstance(value, str):
        return value.partition("sha256=")[2]
    return "" if value is True else None


def _reason(yanked: object) -> str | None:
    if yanked is True:
        return ""
    return yanked if isinstance(yanked, str) else None


def parse_html(data: bytes, url: str) -> list[IndexFile]:
    """Parse a PEP 503 page. Raises ``FetchError``."""
    parser = _Links(url)
    try:
        parser.feed(data.decode("utf-8", "replace"))
        parser.close()
    except (
        AssertionError,
        ValueError,
    ) as error:  # both are raised by the standard library's parser
        raise _not_an_index(url, f"HTML that cannot be parsed: {error}") from error
    return parser.files


class _Links(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._base = url
        self.files: list[IndexFile] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        href = values.get("href")
        if not href:
            return
        if tag == "base":
            self._base = join_url(self._base, href)
        elif tag == "a":
            self._add(join_url(self._base, href), values)

    def _add(self, link: str, values: dict[str, str | None]) -> None:
        url, fragment = urldefrag(link)
        name = file_name_of(url)
        if not name.endswith(_ARCHIVES):
            return
        algorithm, _, value = fragment.partition("=")
        yanked = values.get("data-yanked") or "" if "data-yanked" in values else None
        sha256 = value.partition("&")[0].lower() if algorithm == "sha256" else None
        metadata = values.get("data-core-metadata", values.get("data-dist-info-metadata"))
        self.files.append(
            IndexFile(
                name,
                url,
                sha256,
                yanked=yanked,
                requires_python=values.get("data-requires-python"),
                metadata=_metadata(metadata),
            )
        )
