"""A channel's index: fetched once, unpacked, checked, and fetched again only when it changed."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import zstandard
from urllib3.util.retry import Retry

from freezer.errors import FetchError
from freezer.fetch.conda.channels import CondaChannel
from freezer.fetch.conda.repodata import Repodata, fetch_repodata, forget_repodata
from freezer.fetch.conda.repodata_text import IndexText
from freezer.fetch.conda.source import CondaChannels
from freezer.fetch.config import Config
from freezer.fetch.http import session
from freezer.fetch.http import transport as http
from freezer.fetch.store.download import fetch_all
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from tests.support.python.accelerators import conda

INDEX = {"info": {"subdir": "linux-64"}, "packages": {}, "packages.conda": {}}
TEXT = json.dumps(INDEX).encode()


@dataclass
class Site:
    """What a server holds: path to (status, body, headers), and what it was asked."""

    address: str = ""
    files: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def answer(self, path: str, wanted: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        status, body, headers = self.files.get(path, (404, b"", {}))
        if status == 200 and wanted.get("If-None-Match") == headers.get("ETag", "-"):
            return 304, b"", headers
        return status, body, headers


@pytest.fixture
def site() -> Iterator[Site]:
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, headers = state.answer(self.path, dict(self.headers))
            state.asked.append((self.path, status))
            state.headers.append(dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.address = f"http://127.0.0.1:{httpd.server_port}"
    yield state
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up at once on an address that does not answer."""
    monkeypatch.setattr(session, "_CONNECTING", Retry(total=0))
    monkeypatch.setattr(http, "_local", threading.local())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def fetch(store: Store, *urls: str) -> Repodata:
    found = fetch_repodata(
        CondaChannel("team", urls), "linux-64", store=store, report=SilentReporter()
    )
    assert found is not None
    return found


def blobs(store: Store) -> int:
    return sum(1 for path in (store.root / "blobs").rglob("*") if path.is_file())


def test_the_packed_form_is_preferred(site: Site, store: Store) -> None:
    site.files["/team/linux-64/repodata.json.zst"] = (200, zstandard.compress(TEXT), {})
    found = fetch(store, f"{site.address}/team")
    assert found.path.read_bytes() == TEXT
    assert [path for path, _ in site.asked] == ["/team/linux-64/repodata.json.zst"]


def test_the_plain_form_will_do(site: Site, store: Store) -> None:
    site.files["/team/linux-64/repodata.json"] = (200, TEXT, {})
    assert fetch(store, f"{site.address}/team").path.read_bytes() == TEXT
    assert [status for _, status in site.asked] == [404, 200]


def test_a_server_that_refuses_what_it_does_not_have(site: Site, store: Store) -> None:
    site.files["/team/linux-64/repodata.json.zst"] = (403, b"", {})
    site.files["/team/linux-64/repodata.json"] = (200, TEXT, {})
    assert fetch(store, f"{site.address}/team").path.read_bytes() == TEXT


def test_an_unchanged_index_is_not_sent_again(site: Site, store: Store) -> None:
    site.files["/team/linux-64/repodata.json"] = (200, TEXT, {"ETag": '"one"'})
    first = fetch(store, f"{site.address}/team")
    second = fetch(store, f"{site.address}/team")
    assert second == first
    assert [status for _, status in site.asked] == [404, 200, 404, 304]


def test_a_server_that_knows_no_conditions_still_has_a_mark(site: Site, store: Store) -> None:
    stamp = {"Last-Modified": "Sun, 01 Nov 2026 00:00:00 GMT"}
    site.files["/team/linux-64/repodata.json"] = (200, TEXT, stamp)
    first = fetch(store, f"{site.address}/team")
    before = first.path.stat().st_mtime_ns
    assert fetch(store, f"{site.address}/team").path.stat().st_mtime_ns == before


def test_a_changed_index_takes_the_place_of_the_old(site: Site, store: Store) -> None:
    site.files["/team/linux-64/repodata.json"] = (200, TEXT, {"ETag": '"one"'})
    old = fetch(store, f"{site.address}/team")
    newer = json.dumps({**INDEX, "removed": []}).encode()
    site.files["/team/linux-64/repodata.json"] = (200, newer, {"ETag": '"two"'})
    assert fetch(store, f"{site.address}/team").path.read_bytes() == newer
    assert not old.path.exists()
    assert blobs(store) == 1


def test_a_folder_is_read_again_only_when_it_changed(tmp_path: Path, store: Store) -> None:
    index = tmp_path / "team" / "linux-64" / "repodata.json"
    index.parent.mkdir(parents=True)
    index.write_bytes(TEXT)
    url = (tmp_path / "team").as_uri()
    first = fetch(store, url)
    assert fetch(store, url) == first
    changed = json.dumps({**INDEX, "repodata_version": 1}).encode()
    index.write_bytes(changed)
    assert fetch(store, url).path.read_bytes() == changed


def test_a_channel_without_the_subdir_answers_none(site: Site, store: Store) -> None:
    channel = CondaChannel("team", (f"{site.address}/team",))
    assert fetch_repodata(channel, "linux-64", store=store, report=SilentReporter()) is None


@pytest.mark.usefixtures("impatient")
def test_the_next_address_is_asked_when_one_is_out_of_reach(site: Site, store: Store) -> None:
    site.files["/team/linux-64/repodata.json"] = (200, TEXT, {})
    found = fetch(store, "http://127.0.0.1:1/team", f"{site.address}/team")
    assert found.url.startswith(site.address)


@pytest.mark.usefixtures("impatient")
def test_a_channel_out_of_reach_is_an_error_without_the_token(store: Store) -> None:
    with pytest.raises(FetchError, match="could not read") as caught:
        fetch(store, "http://me:pw@127.0.0.1:1/t/tk-123/team")
    assert "tk-123" not in str(caught.value)
    assert "pw" not in str(caught.value)


def test_credentials_of_netrc_are_sent_and_kept_nowhere(
    site: Site, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password pw-of-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    site.files["/t/tk-123/team/linux-64/repodata.json"] = (200, TEXT, {"ETag": '"one"'})
    fetch(store, f"{site.address}/t/tk-123/team")
    assert all(headers["Authorization"].startswith("Basic ") for headers in site.headers)
    data = b"an archive"
    path = "/t/tk-123/team/linux-64/a-1.0-0.conda"
    site.files[path] = (200, data, {})
    package = conda("a", channel="team").model_copy(
        update={"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    )
    channel = CondaChannel("team", (f"{site.address}/t/tk-123/team",))
    sources = [CondaChannels.from_config(Config(), [channel])]
    found = fetch_all([package], store=store, sources=sources, report=SilentReporter())
    assert found[package.sha256].read_bytes() == data
    assert site.asked[-1] == (path, 200)
    assert site.headers[-1]["Authorization"].startswith("Basic ")
    kept = b"".join(path.read_bytes() for path in store.root.rglob("*") if path.is_file())
    assert b"tk-123" not in kept
    assert b"pw-of-netrc" not in kept


def test_a_channel_that_lets_nobody_in_says_so(site: Site, store: Store) -> None:
    for form in ("repodata.json.zst", "repodata.json"):
        site.files[f"/t/tk-123/team/linux-64/{form}"] = (401, b"", {})
    with pytest.raises(FetchError) as caught:
        fetch(store, f"{site.address}/t/tk-123/team")
    assert "401" in str(caught.value)
    assert "tk-123" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", "it begins with"),
        (b"", "it is empty"),
        (TEXT[:20], "not a JSON object"),
    ],
)
def test_what_is_no_index_is_refused(site: Site, store: Store, body: bytes, found: str) -> None:
    site.files["/team/linux-64/repodata.json"] = (200, body, {})
    with pytest.raises(FetchError, match="not the index of a conda channel") as caught:
        fetch(store, f"{site.address}/team")
    assert found in str(caught.value)
    assert blobs(store) == 0


@pytest.mark.parametrize("body", [zstandard.compress(TEXT * 50)[:-8], b"not zstandard at all"])
def test_a_broken_packed_index_is_refused(site: Site, store: Store, body: bytes) -> None:
    site.files["/team/linux-64/repodata.json.zst"] = (200, body, {})
    with pytest.raises(FetchError, match="not the index of a conda channel"):
        fetch(store, f"{site.address}/team")
    assert blobs(store) == 0


def test_an_index_spoiled_in_the_store_is_not_used(site: Site, store: Store) -> None:
    site.files["/team/linux-64/repodata.json"] = (200, TEXT, {"ETag": '"one"'})
    found = fetch(store, f"{site.address}/team")
    found.path.chmod(0o644)
    found.path.write_bytes(TEXT.replace(b"linux-64", b"linux-65"))
    os.utime(found.path, (1, 1))
    assert fetch(store, f"{site.address}/team").path.read_bytes() == TEXT


def test_a_forgotten_index_is_fetched_anew(site: Site, store: Store) -> None:
    site.files["/team/linux-64/repodata.json"] = (200, TEXT, {"ETag": '"one"'})
    found = fetch(store, f"{site.address}/team")
    forget_repodata(found, store)
    assert fetch(store, f"{site.address}/team").path.read_bytes() == TEXT
    assert [status for _, status in site.asked] == [404, 200, 404, 200]


@pytest.mark.parametrize("step", [1, 2, 7, 19, 1000])
def test_the_moment_of_indexing_is_hidden_wherever_blocks_end(step: int) -> None:
    text = b'{"a": {"indexed_timestamp": 5, "timestamp": 4}, "b": {"indexed_timestamp": 6}}'
    parts: list[bytes] = []
    reader = IndexText(parts.append, packed=False, shown="here")
    for start in range(0, len(text), step):
        reader.feed(text[start : start + step])
    reader.close()
    document = json.loads(b"".join(parts))
    assert document == {
        "a": {"indexed-timestamp": 5, "timestamp": 4},
        "b": {"indexed-timestamp": 6},
    }


def test_an_index_of_several_frames_is_read_whole() -> None:
    parts: list[bytes] = []
    reader = IndexText(parts.append, packed=True, shown="here")
    reader.feed(zstandard.compress(TEXT[:20]) + zstandard.compress(TEXT[20:]))
    reader.close()
    assert b"".join(parts) == TEXT
