"""What a server may do to a client: wait, drip, flood, redirect and lie, all within bounds."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from freezer.errors import FetchError, FreezerError
from freezer.fetch.conda.channels import CondaChannel
from freezer.fetch.conda.repodata import fetch_repodata
from freezer.fetch.config import Config
from freezer.fetch.debian.mirrors import read_remote
from freezer.fetch.http import client, guarded_pools, transport
from freezer.fetch.http.client import RangeUnsupportedError, get_bytes, get_range, open_url
from freezer.fetch.http.transport import send
from freezer.fetch.http.waiting import on_wait
from freezer.fetch.http.watchdog import TooSlowError
from freezer.fetch.python.simple_api import project_files
from freezer.fetch.registry.inspect import Registry
from freezer.fetch.store.download import fetch_one
from freezer.fetch.store.interface import Location
from freezer.fetch.store.store import Store
from freezer.model.artifact import Artifact
from freezer.model.events import SilentReporter, SilentTask
from tests.support.host.raw_server import RawServer, answer, drip, flood, raw_server
from tests.support.waiting import ends_soon

ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
PART = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 1000000000\r\n\r\n"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every limit in tenths of a second, so that a test meets it; nothing of this host's user."""
    monkeypatch.setattr(client, "DOCUMENT", 0.4)
    monkeypatch.setattr(client, "STALLED", 0.4)
    monkeypatch.setattr("freezer.fetch.registry.body.DOCUMENT", 0.4)
    monkeypatch.setattr(guarded_pools, "HEADERS", 0.4)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record how long would have been waited."""
    found: list[float] = []
    monkeypatch.setattr(transport.time, "sleep", found.append)
    return found


def took(work: Callable[[], object], error: type[FetchError]) -> FetchError:
    """Return the error of something that has to end soon."""
    with ends_soon(), pytest.raises(error) as caught:
        work()
    return caught.value


# Waiting


@pytest.mark.parametrize("value", ["86400", "999999999", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_server_that_asks_to_wait_for_long_is_given_up_at_once(
    value: str, waits: list[float]
) -> None:
    with raw_server(answer("503 Busy", Retry_After=value)) as server:
        error = took(lambda: get_bytes(f"{server.url}/x", limit=10), FetchError)
        assert "requests a wait of" in (error.found or "")
        assert (waits, len(server.asked)) == ([], 1)


def test_a_short_wait_is_kept_and_told(waits: list[float]) -> None:
    told: list[str] = []
    on_wait(told.append)
    with raw_server(answer("429 Slow Down", Retry_After="7"), answer(body=b"ok")) as server:
        assert get_bytes(f"{server.url}/x", limit=10) == b"ok"
    assert waits == [7]
    assert told == ["127.0.0.1 is busy (HTTP 429); waiting 7 s as requested"]


def test_short_waits_do_not_add_up_without_end(waits: list[float]) -> None:
    with raw_server(answer("503 Busy", Retry_After="20")) as server:
        took(lambda: get_bytes(f"{server.url}/x", limit=10), FetchError)
    assert sum(waits) <= transport.LONGEST_WAIT


@pytest.mark.parametrize("value", ["-1", "soon", "1e9", "٣", "", "9" * 400, "Fri, 99 Foo"])
def test_a_wait_that_cannot_be_read_is_none(value: str, waits: list[float]) -> None:
    reply = answer("503 Busy", Retry_After=value.encode().decode("latin-1"))
    with raw_server(reply, answer(body=b"ok")) as server:
        assert get_bytes(f"{server.url}/x", limit=10) == b"ok"
    assert sum(waits) < 1


# Dripping and flooding


def test_a_document_that_drips_is_given_up() -> None:
    with raw_server(drip(ENDLESS)) as server:
        error = took(lambda: get_bytes(f"{server.url}/x", limit=1 << 30), TooSlowError)
    assert "sends too slowly" in error.what


def test_headers_that_drip_are_given_up() -> None:
    with raw_server(drip(b"HTTP/1.1 200 OK\r\nX-Long: ")) as server:
        took(lambda: get_bytes(f"{server.url}/x", limit=10), TooSlowError)
    with raw_server(drip(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", 0.02)) as server:
        took(lambda: get_bytes(f"{server.url}/x", limit=10), FetchError)


def test_a_body_without_a_length_that_drips_is_not_taken_for_whole() -> None:
    with raw_server(drip(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")) as server:
        took(lambda: get_bytes(f"{server.url}/x", limit=1 << 20), TooSlowError)


def test_a_file_that_drips_is_given_up_and_not_begun_again(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    artifact = Artifact(source="url", file="a.whl", size=10**9, sha256="0" * 64)

    class Here:
        def serves(self, artifact: Artifact) -> bool:
            return True

        def locate(self, artifact: Artifact) -> Iterator[Location]:
            yield Location(f"{server.url}/a.whl")

    with raw_server(drip(ENDLESS, b"x" * 1000)) as server:
        took(
            lambda: fetch_one(artifact, store=store, sources=[Here()], task=SilentTask()),
            TooSlowError,
        )
        assert len(server.asked) == 1


def test_a_slow_file_that_goes_on_is_fetched() -> None:
    data = b"x" * (6 * client.CHUNK)

    def reply(_first: str, _headers: dict[str, str], connection) -> None:  # type: ignore[no-untyped-def]
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode())
        for start in range(0, len(data), client.CHUNK):
            connection.sendall(data[start : start + client.CHUNK])
            time.sleep(0.15)

    with raw_server(reply) as server, open_url(f"{server.url}/x") as response:
        assert b"".join(response.blocks()) == data


@pytest.mark.parametrize("status", ["503 Busy", "302 Found"])
def test_no_body_is_read_that_nobody_wants(status: str, waits: list[float]) -> None:
    head = f"HTTP/1.1 {status}\r\nLocation: /next\r\n\r\n".encode()
    with raw_server(flood(head), answer(body=b"ok")) as server:
        assert get_bytes(f"{server.url}/x", limit=1000) == b"ok"


@pytest.mark.parametrize("status", ["404 No", "401 No", "400 Bad", "200 OK"])
def test_no_more_is_read_than_may_be(status: str) -> None:
    with raw_server(flood(f"HTTP/1.1 {status}\r\n\r\n".encode())) as server:
        took(lambda: get_bytes(f"{server.url}/x", limit=1000), FetchError)


def test_a_part_is_no_more_than_was_asked_for() -> None:
    with raw_server(flood(PART)) as server:
        took(lambda: get_range(f"{server.url}/x", 0, 100), RangeUnsupportedError)
        took(lambda: get_range(f"{server.url}/x", -100, 0), RangeUnsupportedError)
    with raw_server(drip(PART)) as server:
        took(lambda: get_range(f"{server.url}/x", 0, 1 << 20), TooSlowError)


@pytest.mark.parametrize("reply", [drip(ENDLESS), flood(ENDLESS)], ids=["drip", "flood"])
def test_a_token_server_has_its_bounds_too(reply) -> None:  # type: ignore[no-untyped-def]
    with raw_server(reply) as tokens:
        challenge = f'Bearer realm="{tokens.url}/token",service="s"'
        with raw_server(answer(), answer("401 No", WWW_Authenticate=challenge)) as registry:
            name = f"127.0.0.1:{registry.port}/a:t"
            error = took(lambda: Registry(Config()).resolve(name, "linux/amd64"), FetchError)
    assert "gives no token" in error.what


# Lies in headers


@pytest.mark.parametrize(
    "length", ["abc", "1e3", "-5", "9" * 30, "٣".encode().decode("latin-1"), "1, 1"]
)
def test_a_length_that_is_none(length: str) -> None:
    with raw_server(answer(body=b"ok", Content_Length=length)) as server, suppress(FetchError):
        assert len(get_bytes(f"{server.url}/x", limit=10)) <= 2


@pytest.mark.parametrize(
    "place",
    ["http://[", "http://a:b:c/", "http://host:99999/", "file:///etc/passwd", "ftp://h/x", "//", "http://",
     "\x01", "javascript:1", "http://u:S3cr3t/x@host/"],
)  # fmt: skip
@pytest.mark.parametrize("status", ["301 Moved", "307 There"])
def test_a_redirect_to_nowhere_is_an_error(place: str, status: str) -> None:
    with raw_server(answer(status, Location=place)) as server:
        error = took(lambda: get_bytes(f"{server.url}/x", limit=10), FetchError)
    assert "S3cr3t" not in str(error)


def test_redirects_end() -> None:
    with raw_server(answer("302 Found", Location="/x")) as server:
        assert "endlessly" in took(lambda: get_bytes(f"{server.url}/x", limit=1), FetchError).what


# Credentials


CLIENTS: dict[str, Callable[[str, Path], object]] = {
    "document": lambda url, folder: get_bytes(f"{url}/x", limit=1 << 20),
    "part": lambda url, folder: get_range(f"{url}/x", 0, 10),
    "index": lambda url, folder: project_files(url, "demo"),
    "channel": lambda url, folder: fetch_repodata(
        CondaChannel("c", (url,)), "noarch", store=Store.open(folder), report=SilentReporter()
    ),
    "archive": lambda url, folder: read_remote(url, "bookworm"),
}


def secrets_of(server: RawServer) -> list[str]:
    """Return the credentials that a server was shown, in headers, addresses or bodies."""
    found = []
    for first, headers in server.asked:
        text = json.dumps([first, headers])
        found += [text] if "authorization" in headers or "hunter2" in text else []
    return found


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 There", "308 There"])
def test_credentials_stay_at_the_host_that_they_are_for(
    name: str, status: str, tmp_path: Path
) -> None:
    with raw_server(answer("404 No")) as other:
        with raw_server(answer(status, Location=f"{other.url}/elsewhere")) as server:
            with suppress(FetchError):
                CLIENTS[name](server.url.replace("://", "://user:hunter2@"), tmp_path)
            assert all("authorization" in headers for _, headers in server.asked)
        assert other.asked
        assert secrets_of(other) == []


def test_on_one_host_they_are_kept() -> None:
    with raw_server(answer("302 Found", Location="/there"), answer(body=b"ok")) as server:
        assert get_bytes(f"http://user:hunter2@127.0.0.1:{server.port}/x", limit=10) == b"ok"
        assert [("authorization" in headers) for _, headers in server.asked] == [True, True]


def test_a_redirect_cannot_hand_out_credentials() -> None:
    with raw_server(answer(body=b"ok")) as other:
        place = other.url.replace("://", "://stolen:hunter2@")
        with raw_server(answer("302 Found", Location=place)) as server:
            assert get_bytes(f"{server.url}/x", limit=10) == b"ok"
        assert secrets_of(other) == []


def login(folder: Path, host: str, **known: str) -> None:
    (folder / "config.json").write_text(json.dumps({"auths": {host: known}}))


@pytest.mark.parametrize("known", [{"identitytoken": "hunter2"}, {"auth": "dXNlcjpodW50ZXIy"}],
                         ids=["identity token", "password"])  # fmt: skip
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 There", "308 There"])
def test_a_login_is_never_redirected(known: dict[str, str], status: str, tmp_path: Path) -> None:
    """Neither by the token server nor by the registry, to any other host."""
    with raw_server(answer(body=b'{"token": "hunter2"}')) as other:
        with raw_server(answer(status, Location=f"{other.url}/token")) as tokens:
            challenge = f'Bearer realm="{tokens.url}/token",service="s"'
            with raw_server(answer(), answer("401 No", WWW_Authenticate=challenge)) as registry:
                login(tmp_path, f"127.0.0.1:{registry.port}", **known)
                with pytest.raises(FetchError):
                    Registry(Config()).resolve(f"127.0.0.1:{registry.port}/a:t", "linux/amd64")
            assert tokens.asked
        assert secrets_of(other) == []
        if "identitytoken" in known:
            assert other.asked == []


def test_a_blob_elsewhere_is_fetched_without_the_registrys_token(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password hunter2\n")
    with raw_server(answer(body=b"{}")) as other:
        found = answer("307 There", Location=f"{other.url}/blob")
        tokens = answer(body=b'{"token": "hunter2"}')
        with raw_server(tokens) as server:
            challenge = f'Bearer realm="{server.url}/token",service="s"'
            refused = answer("401 No", WWW_Authenticate=challenge)
            with raw_server(answer(), refused, found) as registry, pytest.raises(FreezerError):
                Registry(Config()).resolve(
                    f"127.0.0.1:{registry.port}/a@sha256:{hashlib.sha256(b'x').hexdigest()}",
                    "linux/amd64",
                )
        assert other.asked
        assert secrets_of(other) == []


def test_what_is_written_is_not_sent_elsewhere() -> None:
    with raw_server(answer()) as other:
        with raw_server(answer("307 There", Location=f"{other.url}/x")) as server:
            assert send("POST", f"{server.url}/x", data=b"secret").status_code == 307
        assert other.asked == []


def test_netrc_gives_each_host_its_own(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password other\n")
    with raw_server(answer(body=b"ok")) as server:
        get_bytes(f"{server.url}/x", limit=10)
        assert "authorization" in server.asked[0][1]
