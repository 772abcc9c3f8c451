"""A registry in memory that follows the protocol to the letter, until a test tells it not to."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.registry.registries import Answer, as_json, sha

INDEX = "application/vnd.oci.image.index.v1+json"
_PATH = re.compile(r"/v2/(?P<repository>.+?)/(?P<kind>blobs/uploads|blobs|manifests|referrers)/(?P<what>[^/]*)\Z")  # fmt: skip


@dataclass
class Asked:
    """One request, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    size: int


@dataclass
class MemoryRegistry:
    """What it holds, what it was asked, and how it is to misbehave."""

    host: str = ""
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    referrers: bool = True
    """Whether it has the referrers API; where not, it does not look at subjects."""
    token: str | None = None
    """Where not None, everything but ``/token`` needs this header."""
    cuts: list[int] = field(default_factory=list)
    """For each of the next uploads: after how many bytes the connection is cut."""
    forgetful: bool = False
    """Whether it forgets an upload whose connection was cut."""
    cut_answers: list[int] = field(default_factory=list)
    """The same for the next blobs that are fetched."""
    instead: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    """Answers to the next requests with a method and a kind of path, such as ``blobs``."""
    digest: str | None = None
    """The digest that it names for whatever it is sent."""
    uploads: dict[str, bytearray] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)
    guard: Any = field(default_factory=threading.Lock)

    def sent(self, *methods: str) -> list[str]:
        """Return the methods and kinds of the requests so far, or of some methods."""
        wanted = methods or ("POST", "PATCH", "PUT")
        return [f"{one.method} {_kind(one.path)}" for one in self.asked if one.method in wanted]

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> Answer:
        bare, query = urlsplit(path).path, parse_qs(urlsplit(path).query)
        if bare == "/token":
            return Answer(as_json({"token": "good"}))
        if self.token and headers.get("Authorization") != self.token:
            body.drain()
            realm = f'Bearer realm="http://{self.host}/token",service="s"'
            return Answer(b"{}", 401, {"WWW-Authenticate": realm})
        found = _PATH.match(bare)
        if found is None:
            return Answer(b"{}", 200 if bare == "/v2/" else 404)
        if queued := self.instead.get((method, found["kind"])):
            body.drain()
            return queued.pop(0)
        reply: Callable[..., Answer] = getattr(self, f"_{found['kind'].replace('/', '_')}")
        return reply(method, found["repository"], found["what"], query, headers, body)

    def _blobs(self, method: str, repository: str, what: str, *rest: Any) -> Answer:
        headers, data = rest[1], self.blobs.get((repository, what))
        if data is None:
            return Answer(b"{}", 404)
        start = re.fullmatch(r"bytes=(\d+)-", headers.get("Range", ""))
        if start:
            return Answer(data[int(start[1]) :], 206)
        return Answer(data)

    def _blobs_uploads(
        self, method: str, repository: str, what: str, query: Any, headers: Any, body: Body
    ) -> Answer:
        if method == "POST":
            return self._start(repository, query)
        upload = self.uploads.get(what)
        if upload is None:
            body.drain()
            return Answer(b"{}", 404)
        place = {"Location": f"/v2/{repository}/blobs/uploads/{what}", "Range": _range(upload)}
        if method == "GET":
            return Answer(b"", 204, place)
        start = re.match(r"(\d+)-", headers.get("Content-Range", ""))
        if (int(start[1]) if start else 0) != len(upload) and method == "PATCH":
            body.drain()
            return Answer(b"", 416, place)
        self._take(body, upload, what)
        place["Range"] = _range(upload)
        return self._close(repository, what, query) if method == "PUT" else Answer(b"", 202, place)

    def _start(self, repository: str, query: Any) -> Answer:
        if "mount" in query and (query["from"][0], query["mount"][0]) in self.blobs:
            digest = query["mount"][0]
            self.blobs[repository, digest] = self.blobs[query["from"][0], digest]
            return Answer(b"", 201)
        name = str(next(self._numbers))
        self.uploads[name] = bytearray()
        return Answer(b"", 202, {"Location": f"/v2/{repository}/blobs/uploads/{name}"})

    def _take(self, body: Body, upload: bytearray, name: str) -> None:
        with self.guard:
            cut = self.cuts.pop(0) if self.cuts and body.size else None
        upload += body.read(body.size if cut is None else min(cut, body.size))
        if cut is not None:
            if self.forgetful:
                del self.uploads[name]
            raise ConnectionAbortedError

    def _close(self, repository: str, what: str, query: Any) -> Answer:
        data, digest = bytes(self.uploads.pop(what)), query["digest"][0]
        if sha(data) != digest:
            error = {"code": "DIGEST_INVALID", "message": "provided digest did not match"}
            return Answer(as_json({"errors": [error]}), 400)
        self.blobs[repository, digest] = data
        return Answer(b"", 201, {"Docker-Content-Digest": self.digest or digest})

    def _manifests(
        self, method: str, repository: str, what: str, query: Any, headers: Any, body: Body
    ) -> Answer:
        if method == "PUT":
            return self._keep(repository, what, headers, body.read(body.size))
        media, data = self.manifests.get((repository, what), ("", b""))
        if not data:
            return Answer(b"{}", 404)
        return Answer(data, 200, {"Content-Type": media, "Docker-Content-Digest": sha(data)})

    def _keep(self, repository: str, what: str, headers: Any, data: bytes) -> Answer:
        document = json.loads(data)
        parts = [document[key] for key in ("config",) if key in document]
        for part in [*parts, *document.get("layers", [])]:
            if (repository, part["digest"]) not in self.blobs:
                error = {"code": "MANIFEST_BLOB_UNKNOWN", "message": part["digest"]}
                return Answer(as_json({"errors": [error]}), 400)
        for name in {what, sha(data)}:
            self.manifests[repository, name] = (headers["Content-Type"], data)
        said = {"Docker-Content-Digest": self.digest or sha(data)}
        if self.referrers and "subject" in document:
            said["OCI-Subject"] = document["subject"]["digest"]
        return Answer(b"", 201, said)

    def _referrers(self, method: str, repository: str, what: str, *rest: Any) -> Answer:
        if not self.referrers:
            return Answer(b"404 page not found\n", 404)
        entries = {}
        for (owner, _), (media, data) in self.manifests.items():
            document = json.loads(data)
            if owner == repository and document.get("subject", {}).get("digest") == what:
                entries[sha(data)] = {
                    "mediaType": media,
                    "digest": sha(data),
                    "size": len(data),
                    "artifactType": document.get("artifactType"),
                    "annotations": document.get("annotations", {}),
                }
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries.values())}
        return Answer(as_json(index), 200, {"Content-Type": INDEX})


@dataclass
class Body:
    """What a request brings, read when it is wanted."""

    read: Callable[[int], bytes]
    size: int

    def drain(self) -> None:
        self.read(self.size)


def _kind(path: str) -> str:
    found = _PATH.match(urlsplit(path).path)
    return found["kind"] if found else path.partition("?")[0]


def _range(upload: bytearray) -> str:
    return f"0-{max(0, len(upload) - 1)}"


@contextmanager
def memory_registry() -> Iterator[MemoryRegistry]:
    """Run one on a loopback port."""
    registry = MemoryRegistry()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # as in any registry: an answer waits for no acknowledgement

        def _any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            registry.asked.append(Asked(self.command, self.path, dict(self.headers), size))
            body = Body(self.rfile.read, size)
            try:
                self._send(registry.answer(self.command, self.path, dict(self.headers), body))
            except ConnectionAbortedError:
                self.close_connection = True

        def handle(self) -> None:
            with suppress(ConnectionError):  # clients go when they have what they want
                super().handle()

        do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = _any  # noqa: N815 - their names

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for key, value in answer.headers.items():
                self.send_header(key, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command == "HEAD":
                return
            if self.command == "GET" and _kind(self.path) == "blobs" and registry.cut_answers:
                self.wfile.write(answer.body[: registry.cut_answers.pop(0)])
                self.close_connection = True
            else:
                self.wfile.write(answer.body)

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        registry.host = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            thread.join()
