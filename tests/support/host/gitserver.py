"""A git server on the loopback interface: the smart protocol by git's own CGI, or plain files."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

_WHO = {
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}  # fmt: skip


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder, env={**os.environ, **_WHO}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@dataclass
class GitServer:
    """Repositories below ``folder``, at ``url``."""

    folder: Path
    smart: bool = True
    url: str = ""
    down: bool = False
    requests: list[str] = field(default_factory=list)

    def commit(self, name: str, files: Mapping[str, str], *, branch: str = "main") -> str:
        """Commit files to a repository ``name.git``, made when it is new; return the commit."""
        work = self.folder / f"{name}.git"
        if not work.is_dir():
            work.mkdir()
            git(work, "init", "-q", "-b", branch)
        for path, text in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(text)
        git(work, "add", "-A")
        git(work, "commit", "-q", "-m", "more", "--allow-empty")
        return self.published(name)

    def published(self, name: str) -> str:
        work = self.folder / f"{name}.git"
        git(work, "update-server-info")
        return git(work, "rev-parse", "HEAD")

    def address(self, name: str) -> str:
        return f"{self.url}/{name}.git" if self.smart else f"{self.url}/{name}.git/.git"


class _Handler(BaseHTTPRequestHandler):
    server_of: GitServer

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        server = self.server_of
        server.requests.append(self.path)
        if server.down:
            self.send_error(503)
        elif server.smart:
            self._cgi(body)
        else:
            path = server.folder / urlsplit(self.path).path.lstrip("/")
            if path.is_file():
                self._send(200, {}, path.read_bytes())
            else:
                self.send_error(404)

    def _cgi(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        done = subprocess.run(
            ["git", "http-backend"],
            env={
                **os.environ, "GIT_PROJECT_ROOT": str(self.server_of.folder),
                "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": parts.path, "QUERY_STRING": parts.query,
                "REQUEST_METHOD": self.command, "CONTENT_LENGTH": str(len(body)),
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            },
            input=body, capture_output=True, check=False,
        )  # fmt: skip
        head, _, data = done.stdout.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().split("\r\n")]
        headers = {name: value for name, _, value in lines}
        status = headers.pop("Status", "200").split()[0]
        self._send(int(status), headers, data)

    def _send(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve_git(folder: Path, *, smart: bool = True) -> Iterator[GitServer]:
    made = GitServer(folder, smart)
    handler = type("Handler", (_Handler,), {"server_of": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
