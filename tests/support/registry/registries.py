"""Registries for tests: Debian's real one on a loopback port, and one that lies on demand."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.ports import free_port
from tests.support.waiting import SOON

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"


def sha(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def as_json(document: Any) -> bytes:
    return json.dumps(document).encode()


def pointer(data: bytes, media: str = MANIFEST, **more: Any) -> dict[str, Any]:
    return {"mediaType": media, "digest": sha(data), "size": len(data), **more}


def make_config(layers: list[bytes], architecture: str = "amd64", **config: Any) -> bytes:
    return as_json(
        {
            "architecture": architecture,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [sha(layer) for layer in layers]},
        }
    )


@lru_cache(maxsize=8)
def pack(layer: bytes) -> bytes:
    return gzip.compress(layer, 1, mtime=0)


def make_manifest(config: bytes, layers: list[bytes]) -> bytes:
    image = "application/vnd.docker.container.image.v1+json"
    tar = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    return as_json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": pointer(config, image),
            "layers": [pointer(pack(layer), tar) for layer in layers],
        }
    )


def make_index(manifests: Mapping[str, bytes]) -> bytes:
    entries = []
    for platform, data in manifests.items():
        system, _, architecture = platform.partition("/")
        entries.append(pointer(data, platform={"os": system, "architecture": architecture}))
    return as_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})


def push(root: str, repository: str, tag: str, config: bytes, layers: list[bytes]) -> str:
    """Put an image into a registry by its own protocol; return the manifest's digest."""
    for blob in (config, *(pack(layer) for layer in layers)):
        started = requests.post(f"{root}/v2/{repository}/blobs/uploads/", timeout=60)
        place = started.headers["Location"]
        requests.put(
            f"{place}{'&' if '?' in place else '?'}digest={sha(blob)}", data=blob, timeout=10
        ).raise_for_status()
    data = make_manifest(config, layers)
    put_manifest(root, repository, tag, data, MANIFEST)
    return sha(data)


def put_manifest(root: str, repository: str, tag: str, data: bytes, media: str) -> None:
    requests.put(
        f"{root}/v2/{repository}/manifests/{tag}",
        data=data,
        headers={"Content-Type": media},
        timeout=10,
    ).raise_for_status()


@contextmanager
def real_registry(folder: Path, *, deletes: bool = False) -> Iterator[str]:
    """Run Debian's ``docker-registry`` on a loopback port; give its ``host:port``."""
    program = shutil.which("docker-registry") or shutil.which("registry")
    if program is None:
        pytest.fail("these tests need a registry: `apt-get install docker-registry`")
    host = f"127.0.0.1:{free_port()}"
    config = folder / "registry.yml"
    config.write_text(
        as_json(
            {
                "version": 0.1,
                "log": {"level": "error", "accesslog": {"disabled": True}},
                "storage": {
                    "filesystem": {"rootdirectory": str(folder / "registry")},
                    "delete": {"enabled": deletes},
                },
                "http": {"addr": host, "secret": "test"},
            }
        ).decode()
    )
    with subprocess.Popen(
        [program, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(host, process)
            yield host
        finally:
            process.terminate()


def _wait(host: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(tuple(host.split(":")), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"the registry at {host} did not start")


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class LyingRegistry:
    """Serves what a test puts into ``answers``, by path; keeps what it was asked."""

    host: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    token: str | None = None
    """Where not None, everything but ``/token`` needs it."""
    challenge: str = ""

    def serve(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        self.answers[path] = Answer(body, status, headers)

    def image(self, repository: str, tag: str, manifest: bytes, *blobs: bytes) -> None:
        self.serve(f"/v2/{repository}/manifests/{tag}", manifest)
        self.serve(f"/v2/{repository}/manifests/{sha(manifest)}", manifest)
        for blob in blobs:
            self.serve(f"/v2/{repository}/blobs/{sha(blob)}", blob)

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        self.asked.append((path, headers))
        bare = path.partition("?")[0]
        if self.token and bare != "/token" and headers.get("Authorization") != self.token:
            return Answer(b"{}", 401, {"WWW-Authenticate": self.challenge})
        unknown = Answer(b"{}", 200 if bare == "/v2/" else 404)
        return self.answers.get(bare, unknown)


@contextmanager
def lying_registry() -> Iterator[LyingRegistry]:
    registry = LyingRegistry()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(registry.answer(self.path, dict(self.headers)))

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            form = self.rfile.read(size).decode()
            self._send(registry.answer(f"{self.path}?{form}", dict(self.headers)))

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for key, value in answer.headers.items():
                self.send_header(key.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry.host = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            thread.join()
