"""Sending blobs and manifests: little, resumed, and never believed without a look."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from urllib3.util.retry import Retry

from freezer.errors import FetchError, FreezerError, IntegrityError
from freezer.fetch.config import Config
from freezer.fetch.registry import push as registry_push
from freezer.fetch.registry.push import Blob, Destination
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.repository import Repository
from freezer.model import oci
from tests.support.registry.memory_registry import MemoryRegistry, memory_registry
from tests.support.registry.registries import Answer, as_json, sha

DATA = bytes(range(256)) * 4000
UPLOAD = ["POST blobs/uploads", "PATCH blobs/uploads", "PUT blobs/uploads"]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRegistry]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)
    monkeypatch.setattr(registry_push, "_PAUSE", 0)
    with memory_registry() as found:
        yield found


def destination(registry: MemoryRegistry, *reads: str) -> Destination:
    name = parse_reference(f"{registry.host}/me/demo:t")
    return Destination(Repository(name, Config(), writes=True, reads=reads))


def blob(data: bytes = DATA, digest: str | None = None) -> Blob:
    return Blob(digest or sha(data), len(data), lambda: io.BytesIO(data))


def send(registry: MemoryRegistry, what: Blob | None = None) -> list[int]:
    """Send a blob; return what the mark was told."""
    told: list[int] = []
    assert destination(registry).put_blob(what or blob(), told.append)
    return told


def refusal(registry: MemoryRegistry, what: Blob | None = None) -> FreezerError:
    with pytest.raises(FreezerError) as caught:
        send(registry, what)
    assert caught.value.hint
    return caught.value


def test_a_blob_is_sent_in_one_request_and_counted_once(registry: MemoryRegistry) -> None:
    told = send(registry)
    assert registry.blobs["me/demo", sha(DATA)] == DATA
    assert registry.sent() == UPLOAD
    assert sum(told) == len(DATA)
    assert len(told) > 5


def test_an_empty_blob_needs_no_body(registry: MemoryRegistry) -> None:
    send(registry, blob(b""))
    assert registry.blobs["me/demo", sha(b"")] == b""
    assert registry.sent("PATCH") == []


def test_what_is_there_is_known(registry: MemoryRegistry) -> None:
    assert not destination(registry).has_blob(sha(DATA))
    send(registry)
    assert destination(registry).has_blob(sha(DATA))


def test_a_blob_of_another_repository_is_mounted(registry: MemoryRegistry) -> None:
    registry.blobs["base", sha(DATA)] = DATA
    told: list[int] = []
    assert not destination(registry, "base").put_blob(blob(), told.append, mount="base")
    assert registry.blobs["me/demo", sha(DATA)] == DATA
    assert registry.sent() == ["POST blobs/uploads"]
    assert told == [len(DATA)]


def test_a_blob_that_cannot_be_mounted_is_sent(registry: MemoryRegistry) -> None:
    assert destination(registry, "base").put_blob(blob(), lambda _: None, mount="base")
    assert registry.sent() == UPLOAD
    assert registry.blobs["me/demo", sha(DATA)] == DATA


def test_a_registry_that_does_not_know_mounting_is_sent_the_blob(registry: MemoryRegistry) -> None:
    registry.instead["POST", "blobs/uploads"] = [Answer(b"{}", 403)]
    assert destination(registry).put_blob(blob(), lambda _: None, mount="base")
    assert registry.blobs["me/demo", sha(DATA)] == DATA


# Broken connections


def test_an_upload_that_broke_off_goes_on_where_it_stopped(registry: MemoryRegistry) -> None:
    registry.cuts = [300_000, 400_000]
    told = send(registry)
    assert registry.blobs["me/demo", sha(DATA)] == DATA
    assert sum(told) == len(DATA)
    first, second, third = (one for one in registry.asked if one.method == "PATCH")
    assert "Content-Range" not in first.headers
    assert second.headers["Content-Range"] == f"300000-{len(DATA) - 1}"
    assert third.headers["Content-Range"] == f"700000-{len(DATA) - 1}"
    assert third.size == len(DATA) - 700_000
    assert registry.sent("POST") == ["POST blobs/uploads"]


def test_an_upload_that_the_registry_forgot_begins_anew(registry: MemoryRegistry) -> None:
    registry.cuts, registry.forgetful = [300_000], True
    told = send(registry)
    assert registry.blobs["me/demo", sha(DATA)] == DATA
    assert len(registry.sent("POST")) == 2
    assert sum(told) == len(DATA)


def test_a_connection_that_breaks_without_end_is_given_up(registry: MemoryRegistry) -> None:
    registry.cuts = [0] * 100
    error = refusal(registry)
    assert "broke off" in error.what
    assert "repeat the command" in (error.hint or "")
    assert len(registry.sent("POST")) == 3
    assert registry.blobs == {}


def test_one_that_forgets_without_end_is_given_up(registry: MemoryRegistry) -> None:
    registry.cuts, registry.forgetful = [10] * 100, True
    assert "broke off" in refusal(registry).what
    assert len(registry.sent("POST")) == 3


@pytest.mark.parametrize("status", [416, 500, 503])
def test_a_stumble_in_the_middle_is_asked_about(registry: MemoryRegistry, status: int) -> None:
    registry.instead["PATCH", "blobs/uploads"] = [Answer(b"{}", status)]
    send(registry)
    assert registry.blobs["me/demo", sha(DATA)] == DATA
    assert len(registry.sent("POST")) == 1


def test_a_registry_that_takes_only_a_part_gets_the_rest(registry: MemoryRegistry) -> None:
    place = {"Location": "/v2/me/demo/blobs/uploads/0", "Range": "0-9"}
    registry.instead["PATCH", "blobs/uploads"] = [Answer(b"", 202, place)]
    # It kept nothing, so the next part does not fit, which it says.
    send(registry)
    assert registry.blobs["me/demo", sha(DATA)] == DATA


def test_a_registry_that_never_gets_further_is_given_up(registry: MemoryRegistry) -> None:
    place = {"Location": "/v2/me/demo/blobs/uploads/0", "Range": "0-9"}
    registry.instead["PATCH", "blobs/uploads"] = [Answer(b"", 202, place)] * 100
    assert "broke off" in refusal(registry).what


def test_a_registry_that_has_more_than_there_is_talks_nonsense(registry: MemoryRegistry) -> None:
    place = {"Location": "/v2/me/demo/blobs/uploads/0", "Range": "0-99999999"}
    registry.instead["PATCH", "blobs/uploads"] = [Answer(b"", 202, place)]
    assert "impossible state" in refusal(registry).what


def test_a_lost_answer_to_the_last_request_is_no_loss(registry: MemoryRegistry) -> None:
    registry.instead["PUT", "blobs/uploads"] = [Answer(b"{}", 500)]
    send(registry)
    assert registry.blobs["me/demo", sha(DATA)] == DATA


# Lies and refusals


def test_a_blob_that_is_not_what_it_is_called_is_not_taken(registry: MemoryRegistry) -> None:
    error = refusal(registry, blob(digest=sha(b"other")))
    assert "DIGEST_INVALID: provided digest did not match" in (error.found or "")
    assert registry.blobs == {}


def test_another_digest_than_was_sent_is_an_alarm(registry: MemoryRegistry) -> None:
    registry.digest = sha(b"other")
    error = refusal(registry)
    assert isinstance(error, IntegrityError)
    assert (error.found, error.expected) == (sha(b"other"), sha(DATA))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "no right to push there"),
        (404, "no repository me/demo"),
        (405, "does not accept"),
        (429, "limits the rate of requests"),
    ],
)
def test_why_an_upload_is_refused_is_said(registry: MemoryRegistry, status: int, said: str) -> None:
    registry.instead["POST", "blobs/uploads"] = [Answer(b"{}", status)]
    assert said in str(refusal(registry))


def test_the_registrys_own_reason_is_passed_on_without_secrets(registry: MemoryRegistry) -> None:
    reason = {"code": "DENIED", "message": "see https://me:secret@example.org/\x1b[31m"}
    answer = Answer(as_json({"errors": [reason]}), 400)
    registry.instead["POST", "blobs/uploads"] = [answer]
    found = refusal(registry).found or ""
    assert found == "HTTP 400 DENIED: see https://***@example.org/[31m"


@pytest.mark.parametrize(
    "place", [{}, {"Location": "ftp://example.org/x"}, {"Location": "file:///etc/passwd"}]
)
def test_an_unsafe_place_to_upload_to_is_refused(
    registry: MemoryRegistry, place: dict[str, str]
) -> None:
    registry.instead["POST", "blobs/uploads"] = [Answer(b"", 202, place)]
    assert "where an upload goes on" in refusal(registry).what


# Credentials


def login(registry: MemoryRegistry, folder: Path) -> None:
    registry.token = "Bearer good"
    pair = base64.b64encode(b"me:pass:word").decode()
    (folder / "config.json").write_text(json.dumps({"auths": {registry.host: {"auth": pair}}}))


def test_the_token_is_good_for_pushing_and_for_mounting(
    registry: MemoryRegistry, tmp_path: Path
) -> None:
    login(registry, tmp_path)
    registry.blobs["base", sha(DATA)] = DATA
    destination(registry, "base", "me/demo").put_blob(blob(), lambda _: None, mount="base")
    (token,) = (one for one in registry.asked if one.path.startswith("/token"))
    scopes = parse_qs(urlsplit(token.path).query)["scope"]
    assert scopes == ["repository:me/demo:pull,push", "repository:base:pull"]
    assert token.headers["Authorization"].startswith("Basic ")


def test_a_token_that_ran_out_in_the_middle_is_renewed(
    registry: MemoryRegistry, tmp_path: Path
) -> None:
    login(registry, tmp_path)
    wanted = f'Bearer realm="http://{registry.host}/token",service="s"'
    expired = Answer(b"{}", 401, {"WWW-Authenticate": wanted})
    registry.instead["PATCH", "blobs/uploads"] = [expired]
    told = send(registry)
    assert registry.blobs["me/demo", sha(DATA)] == DATA
    assert sum(told) == len(DATA)


def test_without_the_right_to_push_it_says_so(registry: MemoryRegistry) -> None:
    registry.token = "Bearer never"
    error = refusal(registry)
    assert isinstance(error, FetchError)
    assert "no right to push there" in (error.found or "")
    assert "docker login" in (error.hint or "")


def test_a_token_is_not_shown_to_another_host(registry: MemoryRegistry, tmp_path: Path) -> None:
    login(registry, tmp_path)
    with memory_registry() as other:
        place = f"http://{other.host}/v2/me/demo/blobs/uploads/0"
        other.uploads["0"] = bytearray()
        registry.instead["POST", "blobs/uploads"] = [Answer(b"", 202, {"Location": place})]
        send(registry)
        assert other.blobs["me/demo", sha(DATA)] == DATA
        assert not any("Authorization" in one.headers for one in other.asked)


# Manifests


def image() -> bytes:
    return oci.image_manifest(oci.describe(oci.CONFIG, DATA), [])


def test_a_manifest_is_put_by_tag_and_by_digest(registry: MemoryRegistry) -> None:
    send(registry)
    target = destination(registry)
    assert target.manifest("t") is None
    target.put_manifest(image(), oci.MANIFEST, "t")
    target.put_manifest(image(), oci.MANIFEST)
    assert target.manifest("t") == target.manifest(sha(image())) == sha(image())
    assert registry.manifests["me/demo", "t"] == (oci.MANIFEST, image())


def test_a_manifest_kept_under_another_digest_is_an_alarm(registry: MemoryRegistry) -> None:
    send(registry)
    registry.digest = sha(b"other")
    with pytest.raises(IntegrityError):
        destination(registry).put_manifest(image(), oci.MANIFEST, "t")


def test_a_manifest_that_is_refused_says_why(registry: MemoryRegistry) -> None:
    with pytest.raises(FetchError) as caught:
        destination(registry).put_manifest(image(), oci.MANIFEST, "t")
    assert "MANIFEST_BLOB_UNKNOWN" in (caught.value.found or "")


def test_a_registry_says_whether_it_lists_what_belongs_to_an_image(
    registry: MemoryRegistry,
) -> None:
    send(registry, blob(oci.EMPTY_DATA))
    subject = oci.describe(oci.MANIFEST, image())
    artifact = oci.artifact_manifest("application/x", [], subject, {"a": "b"})
    assert destination(registry).put_manifest(artifact, oci.MANIFEST)
    registry.referrers = False
    assert not destination(registry).put_manifest(artifact, oci.MANIFEST)
