"""A Python package index on the loopback interface, with as many faults as a test wants."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from packaging.utils import canonicalize_name

DATE = "2026-01-01T00:00:00.000000Z"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _record_hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def wheel(
    name: str,
    version: str = "1.0",
    requires: Sequence[str] = (),
    *,
    extras: dict[str, Sequence[str]] | None = None,
    files: dict[str, bytes] | None = None,
    requires_python: str | None = None,
) -> bytes:
    """Return a small wheel, the same bytes for the same arguments."""
    stem = f"{name.replace('-', '_')}-{version}"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Requires-Dist: {item}" for item in requires]
    for extra, items in (extras or {}).items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {item} ; extra == "{extra}"' for item in items]
    members = {
        **(files if files is not None else {f"{name.replace('-', '_')}.py": b""}),
        f"{stem}.dist-info/METADATA": "\n".join([*lines, "", ""]).encode(),
        f"{stem}.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={_record_hash(data)},{len(data)}\n" for path, data in members.items()
    )
    members[f"{stem}.dist-info/RECORD"] = f"{record}{stem}.dist-info/RECORD,,\n".encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member), data)
    return target.getvalue()


def sdist(name: str, version: str = "1.0", pyproject: str | None = None) -> bytes:
    """Return a small source distribution with static metadata."""
    stem = f"{name.replace('-', '_')}-{version}"
    members = {
        "PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n",
        "setup.py": f"from setuptools import setup\nsetup(name={name!r}, version={version!r})\n",
    }
    if pyproject is not None:
        members["pyproject.toml"] = pyproject
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for member, text in members.items():
            info = tarfile.TarInfo(f"{stem}/{member}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return target.getvalue()


@dataclass
class File:
    """One file, and what the index says of it."""

    name: str
    data: bytes
    uploaded: str | None = DATE
    hashed: bool = True
    lie: str | None = None
    """A hash that the page gives in place of the right one."""
    metadata: bool = True
    """Whether metadata is announced beside it."""
    metadata_gone: bool = False
    """Whether what is announced answers 404."""
    metadata_lie: bytes | None = None
    """What is served instead of the wheel's own metadata."""
    sized: bool = True
    yanked: str | None = None
    requires_python: str | None = None


@dataclass
class FakeIndex:
    """What the index holds, and how it behaves. ``requests`` keeps the paths that were asked."""

    files: dict[str, list[File]] = field(default_factory=dict)
    html: bool = False
    password: str | None = None
    """Basic authentication of the user ``me``."""
    ranges: bool = True
    broken: bool = False
    """Whether project pages are not such."""
    url: str = ""
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and ``Range`` of each request."""
    freezers: list[str] = field(default_factory=list)
    """Paths that Freezer itself requested, and no resolver."""

    def add(
        self, name: str, version: str = "1.0", requires: Sequence[str] = (), **more: Any
    ) -> File:
        """Add a wheel; ``tags`` are its tags, further keywords are `File`'s."""
        tags = more.pop("tags", "py3-none-any")
        extras, members = more.pop("extras", None), more.pop("members", None)
        data = wheel(
            name,
            version,
            requires,
            extras=extras,
            files=members,
            requires_python=more.get("requires_python"),
        )
        file = File(f"{name.replace('-', '_')}-{version}-{tags}.whl", data, **more)
        self.files.setdefault(canonicalize_name(name), []).append(file)
        return file

    def add_sdist(
        self, name: str, version: str = "1.0", pyproject: str | None = None, **more: Any
    ) -> File:
        file = File(f"{name.replace('-', '_')}-{version}.tar.gz", sdist(name, version, pyproject))
        for key, value in more.items():
            setattr(file, key, value)
        self.files.setdefault(canonicalize_name(name), []).append(file)
        return file

    @property
    def simple(self) -> str:
        """The address, without credentials."""
        return f"{self.url}/simple"

    def with_credentials(self) -> str:
        """The address with the right credentials."""
        return self.simple.replace("://", f"://me:{self.password}@")

    def asked(self, part: str) -> list[tuple[str, str | None]]:
        return [item for item in self.requests if part in item[0]]

    def own(self, part: str) -> list[str]:
        return [path for path in self.freezers if part in path]

    def page(self, project: str) -> tuple[bytes, str] | None:
        files = self.files.get(project)
        if files is None:
            return None
        if self.broken:
            return b'{"something": "else"}', "application/vnd.pypi.simple.v1+json"
        if self.html:
            links = "".join(self._link(file) for file in files)
            return f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html"
        document = {
            "meta": {"api-version": "1.1"},
            "name": project,
            "files": [self._entry(file) for file in files],
        }
        return json.dumps(document).encode(), "application/vnd.pypi.simple.v1+json"

    def _entry(self, file: File) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "filename": file.name,
            "url": f"../../files/{file.name}",
            "hashes": {"sha256": file.lie or sha256(file.data)} if file.hashed else {},
            "core-metadata": file.metadata,
            "yanked": file.yanked if file.yanked is not None else False,
        }
        if file.uploaded:
            entry["upload-time"] = file.uploaded
        if file.sized:
            entry["size"] = len(file.data)
        if file.requires_python:
            entry["requires-python"] = file.requires_python
        return entry

    def _link(self, file: File) -> str:
        fragment = f"#sha256={file.lie or sha256(file.data)}" if file.hashed else ""
        yanked = f' data-yanked="{file.yanked}"' if file.yanked is not None else ""
        return f'<a href="../../files/{file.name}{fragment}"{yanked}>{file.name}</a>'

    def body(self, name: str) -> bytes | None:
        for file in (file for files in self.files.values() for file in files):
            if name == file.name:
                return file.data
            if name == f"{file.name}.metadata" and file.metadata and not file.metadata_gone:
                if file.metadata_lie is not None:
                    return file.metadata_lie
                with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
                    member = next(m for m in archive.namelist() if m.endswith("/METADATA"))
                    return archive.read(member)
        return None


class _Handler(BaseHTTPRequestHandler):
    index: FakeIndex

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        index, span = self.index, self.headers.get("Range")
        if str(self.headers.get("User-Agent")).startswith("freezer/"):
            index.freezers.append(self.path)
        index.requests.append((self.path, span))
        if index.password is not None and not self._knows(index.password):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if match := re.fullmatch(r"/simple/([^/]+)/?", self.path):
            found = index.page(match[1])
            self._answer(*found) if found else self.send_error(404)
            return
        body = index.body(self.path.rpartition("/")[2].replace("%2B", "+"))
        if body is None:
            self.send_error(404)
        elif span and index.ranges:
            self._part(body, span)
        else:
            self._answer(body, "application/octet-stream")

    def _knows(self, password: str) -> bool:
        given = self.headers.get("Authorization", "")
        return given == "Basic " + base64.b64encode(f"me:{password}".encode()).decode()

    def _part(self, body: bytes, span: str) -> None:
        first, _, last = span.removeprefix("bytes=").partition("-")
        start = len(body) - int(last) if not first else int(first)
        end = min(int(last) + 1, len(body)) if first and last else len(body)
        self._answer(
            body[start:end],
            "application/octet-stream",
            206,
            {"Content-Range": f"bytes {start}-{end - 1}/{len(body)}"},
        )

    def _answer(
        self, body: bytes, kind: str, code: int = 200, more: dict[str, str] | None = None
    ) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.index.ranges:
            self.send_header("Accept-Ranges", "bytes")
        for key, value in (more or {}).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serve(index: FakeIndex | None = None) -> Iterator[FakeIndex]:
    """Serve an index as long as the block lasts."""
    served = index or FakeIndex()
    handler = type("Handler", (_Handler,), {"index": served})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
