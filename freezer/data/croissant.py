"""A data set described for others: Croissant 1.0, MLCommons' metadata for data sets. Pure.

JSON-LD with a ``cr:FileObject`` for each file: its path, size and SHA-256. The same data set gives
the same bytes: there is no clock in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.data.entry import Member

CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.0"
CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context of the specification, which readers expect word for word."""
TYPES: Final = {
    "arrow": "application/vnd.apache.arrow.file", "bmp": "image/bmp", "csv": "text/csv",
    "flac": "audio/flac", "gif": "image/gif", "gz": "application/gzip", "h5": "application/x-hdf5",
    "html": "text/html", "jpeg": "image/jpeg", "jpg": "image/jpeg", "json": "application/json",
    "jsonl": "application/jsonlines", "md": "text/markdown", "mp3": "audio/mpeg",
    "mp4": "video/mp4", "parquet": "application/x-parquet", "pdf": "application/pdf",
    "png": "image/png", "svg": "image/svg+xml", "tar": "application/x-tar", "tif": "image/tiff",
    "tiff": "image/tiff", "tsv": "text/tab-separated-values", "txt": "text/plain",
    "wav": "audio/wav", "webp": "image/webp", "xml": "application/xml",
    "yaml": "application/yaml", "yml": "application/yaml", "zip": "application/zip",
}  # fmt: skip
"""Media types by ending: a list of our own, as that of a host depends on what is installed."""
UNKNOWN: Final = "application/octet-stream"


@dataclass(frozen=True, kw_only=True)
class About:
    """Facts about a data set that its files do not contain."""

    description: str | None = None
    license: str | None = None
    creator: str | None = None
    url: str | None = None
    """Base URL of the files: their paths are appended to it."""
    folder: str = ""
    """Without a URL: the set's folder, relative to the description."""
    published: str | None = None
    """``YYYY-MM-DD``."""


def croissant_bytes(name: str, digest: str, members: Sequence[Member], about: About) -> bytes:
    """Return the description of a data set as JSON-LD.

    Links and empty folders have no form in Croissant and are left out. Without ``about.url`` the
    files are named by their paths relative to the description.
    """
    files = [one for one in members if one.kind == "f"]
    size = sum(one.size for one in files)
    text = f"Data set {name}: {len(files)} files, {size} bytes, content {digest}."
    further: dict[str, Any] = {
        "description": about.description or text,
        "license": about.license,
        "creator": about.creator and {"@type": "sc:Organization", "name": about.creator},
        "url": about.url,
        "datePublished": about.published,
    }
    document = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": name,
        **{key: value for key, value in further.items() if value is not None},
        "identifier": digest,
        "distribution": [_file(one, about) for one in files],
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def _file(one: Member, about: About) -> dict[str, Any]:
    path = quote(one.path)
    return {
        "@type": "cr:FileObject",
        "@id": f"files/{path}",
        "name": one.path,
        "contentUrl": _address(one.path, about),
        "contentSize": f"{one.size} B",
        "encodingFormat": media_type(one.path),
        "sha256": one.sha256,
    }


def _address(path: str, about: About) -> str:
    if about.url is not None:
        return f"{about.url.rstrip('/')}/{quote(path)}"
    return PurePosixPath(about.folder, path).as_posix()


def media_type(path: str) -> str:
    """Return the media type of a file by its ending; `UNKNOWN` where that says nothing."""
    return TYPES.get(PurePosixPath(path).suffix.lstrip(".").lower(), UNKNOWN)
