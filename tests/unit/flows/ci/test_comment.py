"""`freeze ci comment`: one comment, replaced each time, on a server that answers as CI systems do."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import FetchError, FreezerError, HostError
from freezer.flows.ci import comment
from freezer.flows.ci.comment import LONGEST, MARKER, compose, post
from tests.support.host.answering import answering

TOKEN = "secret-token-4711"


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_TOKEN", "FREEZER_GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def job(monkeypatch: pytest.MonkeyPatch, system: str, url: str) -> None:
    github = {
        "GITHUB_ACTIONS": "true", "GITHUB_API_URL": url, "GITHUB_REPOSITORY": "team/project",
        "GITHUB_REF": "refs/pull/17/merge", "GITHUB_TOKEN": TOKEN,
    }  # fmt: skip
    gitlab = {
        "GITLAB_CI": "true", "CI_API_V4_URL": f"{url}/api/v4", "CI_PROJECT_ID": "23",
        "CI_MERGE_REQUEST_IID": "17", "FREEZER_GITLAB_TOKEN": TOKEN,
    }  # fmt: skip
    for name, value in (github if system == "github" else gitlab).items():
        monkeypatch.setenv(name, value)


def test_reports_are_one_comment_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "b.2-check.md").write_text("## check\n")
    (tmp_path / "b.1-diff.md").write_text("## diff\n")
    (tmp_path / "b.3-policy.txt").write_text("✗ rule\x1b[31m\n```\n")
    (tmp_path / "base.lock.yaml").write_text("not: this\n")
    body = compose(tmp_path)
    assert body.startswith(f"{MARKER}\n\n## diff\n\n## check\n\n```text\n✗ rule")
    assert "\x1b" not in body
    assert body.count("```") == 2
    assert "not: this" not in body


def test_a_long_report_is_cut_at_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("line\n" * 40_000)
    body = compose(tmp_path)
    assert len(body) < LONGEST + 100
    assert body.count("```") == 2
    assert "the job's artifacts" in body


def test_an_empty_folder_says_so_and_none_is_refused(tmp_path: Path) -> None:
    assert "no report" in compose(tmp_path)
    with pytest.raises(HostError, match="no such folder"):
        compose(tmp_path / "none")


@pytest.mark.parametrize(
    ("system", "listing", "one", "method"),
    [
        ("github", "/repos/team/project/issues/17/comments",
         "/repos/team/project/issues/comments/5", "PATCH"),
        ("gitlab", "/api/v4/projects/23/merge_requests/17/notes",
         "/api/v4/projects/23/merge_requests/17/notes/5", "PUT"),
    ],
)  # fmt: skip
def test_the_first_is_added_and_the_next_replaces_it(
    monkeypatch: pytest.MonkeyPatch, system: str, listing: str, one: str, method: str
) -> None:
    there: list[dict[str, Any]] = [{"id": number, "body": "LGTM"} for number in range(100)]

    def answer(path: str, number: int) -> Any:
        if "?per_page=100&page=1" in path:
            return there[:100]
        return there[100:] if "?per_page" in path else {"id": 5}

    with answering(answer) as (url, asked):
        job(monkeypatch, system, url)
        posted = post(f"{MARKER}\nfirst")
        assert (posted.number, posted.replaced) == (5, False)
        there.append({"id": 5, "body": f"{MARKER}\nfirst"})
        posted = post(f"{MARKER}\nsecond")
        assert (posted.number, posted.replaced) == (5, True)
    paths = [path for path, _ in asked]
    listed = [f"{listing}?per_page=100&page={page}" for page in (1, 2)]
    assert paths == [*listed, listing, *listed, one]
    assert json.loads(asked[2][1]["body"]) == {"body": f"{MARKER}\nfirst"}
    assert json.loads(asked[5][1]["body"]) == {"body": f"{MARKER}\nsecond"}
    headers = asked[0][1]
    assert TOKEN in (headers.get("Authorization", "") + headers.get("PRIVATE-TOKEN", ""))


@pytest.mark.parametrize("status", [401, 403, 404, 422, 500])
def test_a_refusal_is_named_without_the_token(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    with answering({"message": "Resource not accessible"}, status) as (url, _):
        job(monkeypatch, "github", url)
        with pytest.raises(FetchError) as caught:
            post("x")
    assert f"HTTP {status} Resource not accessible" in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert ("must be one that may write" in str(caught.value)) is (status in (401, 403, 404))


@given(st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "body"]), inner),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_answer_is_a_comment_or_an_error(data: bytes) -> None:
    class Answer:
        status_code = 200

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: Any) -> None:
            pass

    asked = comment.send, comment.blocks_of
    send: Callable[..., Any] = lambda *_, **__: Answer()  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comment, "send", send)
        patch.setattr(comment, "blocks_of", lambda *_, **__: [data])
        job(patch, "github", "http://127.0.0.1:1")
        with suppress(FreezerError):
            assert isinstance(post("x").number, int)
    assert (comment.send, comment.blocks_of) == asked


@pytest.mark.parametrize(
    ("system", "changed", "said"),
    [
        ("", {}, "no job of a CI system"),
        ("github", {"GITHUB_REF": "refs/heads/main"}, "of no pull request"),
        ("github", {"GITHUB_TOKEN": ""}, "no token in GITHUB_TOKEN"),
        ("github", {"GITHUB_TOKEN": "a\nb"}, "no token in GITHUB_TOKEN"),
        ("github", {"GITHUB_API_URL": ""}, "GITHUB_API_URL"),
        ("gitlab", {"CI_MERGE_REQUEST_IID": ""}, "of no merge request"),
        ("gitlab", {"FREEZER_GITLAB_TOKEN": ""}, "no token in FREEZER_GITLAB_TOKEN"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, system: str, changed: dict[str, str], said: str
) -> None:
    if system:
        job(monkeypatch, system, "http://127.0.0.1:1")
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(HostError, match=said):
        post("x")
