"""What the real uv cannot resolve, and indexes of every kind, good and bad."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from freezer.errors import FetchError, IntegrityError, ResolveError
from freezer.fetch.python.settings import Indexes
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from tests.support.project.asking import request
from tests.support.python.indexes import FakeIndex, File, serve, sha256
from tests.support.python.uv_resolving import add_setuptools, cache, index, pins, resolve, store

pytestmark = pytest.mark.process

__all__ = ["cache", "index", "store"]


# Failures that the user can mend


def test_a_conflict_names_both_lines(index: FakeIndex, store: Store) -> None:
    index.add("flow", "1")
    index.add("flow", "2", ["num<2"])
    for version in ("1", "2"):
        index.add("num", version)
    with pytest.raises(ResolveError, match="these requirements conflict") as caught:
        resolve(request(index.simple, "flow==2", "num==2"), store)
    told = str(caught.value)
    assert "depends on num<2" in told
    assert "flow==2 is requested in requirements.in:1" in told
    assert "num==2 is requested in requirements.in:2" in told


def test_a_misspelt_name_gets_a_suggestion(index: FakeIndex, store: Store) -> None:
    with pytest.raises(ResolveError, match="no index has a package called nunpy") as caught:
        resolve(request(index.simple, "nunpy"), store)
    assert caught.value.hint == "did you mean numpy?"


def test_a_version_that_is_not_there_is_answered_with_those_that_are(
    index: FakeIndex, store: Store
) -> None:
    for version in ("1.0", "1.1", "2.0rc1"):
        index.add("a", version)
    with pytest.raises(ResolveError, match=r"no index has a 9") as caught:
        resolve(request(index.simple, "a==9"), store)
    assert caught.value.found == "1.1, 1.0"


def test_a_local_version_is_looked_for_elsewhere(index: FakeIndex, store: Store) -> None:
    index.add("torch", "2.0.0")
    with pytest.raises(ResolveError) as caught:
        resolve(request(index.simple, "torch==2.0.0+cu118"), store)
    assert "--extra-index-url" in str(caught.value.hint)


def test_wheels_for_other_pythons_are_told_with_what_would_do(
    index: FakeIndex, store: Store
) -> None:
    index.add("a", "1.0", tags="cp39-cp39-manylinux_2_17_x86_64")
    index.add("a", "1.0", tags="cp310-cp310-manylinux_2_17_x86_64")
    index.add("a", "2.0", tags="cp311-cp311-manylinux_2_17_x86_64")
    with pytest.raises(ResolveError, match=r"a 1.0 has no wheel for Python 3.11") as caught:
        resolve(request(index.simple, "a==1.0"), store)
    assert caught.value.found == "1.0 has wheels for Python 3.9 to 3.10"
    assert "use a 2.0 or later" in str(caught.value.hint)
    assert 'set `python: "3.10"`' in str(caught.value.hint)


def test_a_newer_glibc_is_told(index: FakeIndex, store: Store) -> None:
    index.add("a", tags="cp311-cp311-manylinux_2_39_x86_64")
    with pytest.raises(ResolveError) as caught:
        resolve(request(index.simple, "a"), store)
    assert caught.value.found == "1.0 has wheels for glibc 2.39 and later"


def test_another_machine_is_told(index: FakeIndex, store: Store) -> None:
    index.add("a", tags="cp311-cp311-manylinux_2_17_aarch64")
    with pytest.raises(ResolveError) as caught:
        resolve(request(index.simple, "a"), store)
    assert caught.value.found == "wheels for aarch64 only"


def test_all_pins_that_cannot_be_had_are_named_at_once(index: FakeIndex, store: Store) -> None:
    index.add("a", tags="cp36-cp36m-manylinux_2_17_x86_64")
    index.add("b", tags="cp37-cp37m-manylinux_2_17_x86_64")
    index.add("c", "1.0")
    index.add_sdist("d")
    with pytest.raises(ResolveError, match=r"a 1.0") as caught:
        resolve(request(index.simple, "a==1.0", "b==1.0", "c==1.0", "d==1.0"), store)
    assert caught.value.details == (
        "requirements.in:2: b==1.0 has wheels for Python 3.7",
        "requirements.in:4: d==1.0 has no wheel",
    )


def test_no_index_at_all_is_said(store: Store) -> None:
    with pytest.raises(ResolveError) as caught:
        resolve(request(None, "numpy"), store)
    assert caught.value.found == "no index is configured"


# Indexes


def test_a_folder_of_wheels_is_an_index_enough(
    index: FakeIndex, store: Store, tmp_path: Path
) -> None:
    file = index.add("a")
    (tmp_path / file.name).write_bytes(file.data)
    found = resolve(request(Indexes(None, find_links=(tmp_path.as_uri(),)), "a"), store)
    assert found.packages[0].sha256 == sha256(file.data)
    assert found.packages[0].size == len(file.data)
    assert any("a: no upload date is known" in warning for warning in found.warnings)


def test_a_private_name_is_not_taken_from_the_public_index(index: FakeIndex, store: Store) -> None:
    index.add("ours", "99")
    with serve() as private:
        private.add("ours", "1")
        both = Indexes(index.simple, (private.simple,))
        assert pins(resolve(request(both, "ours"), store)) == {"ours": "1"}
        merged = replace(both, strategy="unsafe-best-match")
        assert pins(resolve(request(merged, "ours"), store)) == {"ours": "99"}


def test_a_mirror_without_dates_hides_nothing(index: FakeIndex, store: Store) -> None:
    index.add("a", "1")
    with serve() as mirror:
        mirror.html = True
        mirror.add("a", "1")
        both = Indexes(index.simple, (mirror.simple,), strategy="unsafe-best-match")
        found = resolve(request(both, "a"), store)
    assert pins(found) == {"a": "1"}
    assert found.warnings == ()


def test_a_newer_version_without_a_date_is_passed_over_and_said(
    index: FakeIndex, store: Store
) -> None:
    index.add("a", "1")
    index.add("a", "2", uploaded=None)
    found = resolve(request(index.simple, "a"), store)
    assert pins(found) == {"a": "1"}
    assert "write a==2 to have it" in found.warnings[0]


@pytest.mark.parametrize("html", [True, False])
def test_files_without_a_date_count_where_nothing_else_answers(
    index: FakeIndex, store: Store, html: bool
) -> None:
    index.html = html
    index.add("a", "1", ["b"], uploaded=None)
    index.add("b", "1", uploaded=None, sized=False)
    found = resolve(request(index.simple, "a"), store)
    assert pins(found) == {"a": "1", "b": "1"}
    assert found.packages[1].size == len(index.files["b"][0].data)
    assert "a, b: no upload date is known" in found.warnings[0]


def test_a_date_that_another_index_knows_counts_for_a_mirror_without(
    index: FakeIndex, store: Store
) -> None:
    """The undated copy of a file must not bring in what is known to be newer."""
    index.add("b", "1")
    late = index.add("b", "2", uploaded="2026-12-01T00:00:00.000000Z")
    with serve() as mirror:
        mirror.add("only", "1", ["b"], uploaded=None)
        mirror.files["b"] = [replace(late, uploaded=None)]
        both = Indexes(index.simple, (mirror.simple,), strategy="unsafe-best-match")
        found = resolve(request(both, "only"), store)
    assert pins(found) == {"b": "1", "only": "1"}


def test_announced_metadata_that_is_missing_is_read_from_the_wheel(
    index: FakeIndex, store: Store
) -> None:
    index.add("a", "1", ["b"], metadata_gone=True)
    index.add("b", "1", metadata=False)
    assert pins(resolve(request(index.simple, "a"), store)) == {"a": "1", "b": "1"}


def test_a_narrow_terminal_changes_nothing(
    index: FakeIndex, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uv wraps its words at this width, within the sentences that are looked for."""
    monkeypatch.setenv("COLUMNS", "40")
    index.add("a", "1", ["b"], metadata_gone=True)
    index.add("b")
    assert pins(resolve(request(index.simple, "a"), store)) == {"a": "1", "b": "1.0"}
    index.add_sdist("sdist-only")
    with pytest.raises(ResolveError, match="published only as a source distribution"):
        resolve(request(index.simple, "sdist-only"), store)


def test_an_index_that_gives_no_hash_is_hashed(index: FakeIndex, store: Store) -> None:
    file = index.add("a", hashed=False)
    package = resolve(request(index.simple, "a"), store).packages[0]
    assert (package.sha256, package.size) == (sha256(file.data), len(file.data))


def test_an_index_without_sizes_is_asked_for_them(index: FakeIndex, store: Store) -> None:
    file = index.add("a", sized=False)
    assert resolve(request(index.simple, "a"), store).packages[0].size == len(file.data)


def test_a_page_that_is_no_project_page_is_a_failure(index: FakeIndex, store: Store) -> None:
    index.add("a")
    index.broken = True
    with pytest.raises((FetchError, ResolveError)):
        resolve(request(index.simple, "a"), store)


def test_an_index_out_of_reach_is_said(store: Store) -> None:
    with pytest.raises(FetchError, match="could not be read") as caught:
        resolve(request("http://127.0.0.1:9/simple", "a"), store)
    assert "127.0.0.1:9" in str(caught.value)


def test_a_yanked_version_is_taken_only_when_pinned(index: FakeIndex, store: Store) -> None:
    index.add("a", "1")
    index.add("a", "2", yanked="breaks things")
    assert pins(resolve(request(index.simple, "a"), store)) == {"a": "1"}
    found = resolve(request(index.simple, "a==2"), store)
    assert pins(found) == {"a": "2"}
    assert any("breaks things" in warning for warning in found.warnings)


# Secrets


SECRET = "hunter2-very-secret"


def test_credentials_in_an_address_work_and_stay_out_of_the_answer(
    index: FakeIndex, store: Store
) -> None:
    index.password = SECRET
    index.add("a")
    found = resolve(request(index.with_credentials(), "a"), store)
    assert pins(found) == {"a": "1.0"}
    assert SECRET not in repr(found)


def test_credentials_stay_out_of_errors(index: FakeIndex, store: Store) -> None:
    index.password = "another"
    index.add("a")
    wrong = index.simple.replace("://", f"://me:{SECRET}@")
    with pytest.raises(FetchError) as caught:
        resolve(request(wrong, "a"), store)
    assert SECRET not in str(caught.value)
    assert "credentials" in str(caught.value.hint)


def test_credentials_are_not_shown_to_other_users_of_the_machine(
    index: FakeIndex, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from freezer.resolve.python.uv import run as uv_run

    seen: list[str] = []
    real = uv_run.run_child

    def spy(command: list[str], folder: Path, environment: dict[str, str]) -> uv_run.UvOutput:
        seen.extend([*command, *environment.values()])
        assert not folder.stat().st_mode & 0o077
        return real(command, folder, environment)

    monkeypatch.setattr(uv_run, "run_child", spy)
    index.password = SECRET
    index.add("a")
    resolve(request(index.with_credentials(), "a"), store)
    assert seen
    assert not any(SECRET in word for word in seen)


# URLs


def test_a_url_is_locked_by_its_hash_without_its_credentials(
    index: FakeIndex, store: Store
) -> None:
    index.password = SECRET
    file = index.add("a", "1", ["b"])
    index.add("b")
    url = f"{index.url.replace('://', f'://me:{SECRET}@')}/files/{file.name}"
    found = resolve(request(index.with_credentials(), f"a @ {url}"), store)
    package = found.packages[0]
    assert (package.source, package.version, package.file) == ("url", "1", file.name)
    assert package.url == f"{index.url}/files/{file.name}"
    assert package.sha256 == sha256(file.data)
    assert store.has(package.sha256)
    assert SECRET not in repr(found)


def test_a_url_with_another_hash_than_the_users_is_refused(index: FakeIndex, store: Store) -> None:
    file = index.add("a")
    with pytest.raises((IntegrityError, FetchError, ResolveError)) as caught:
        resolve(
            request(index.simple, f"a @ {index.url}/files/{file.name}#sha256={'0' * 64}"), store
        )
    assert "0" * 64 in str(caught.value)


def test_a_url_of_a_source_distribution_must_be_allowed(index: FakeIndex, store: Store) -> None:
    file = index.add_sdist("a")
    add_setuptools(index)
    text = f"a @ {index.url}/files/{file.name}"
    with pytest.raises(ResolveError, match="is a source distribution"):
        resolve(request(index.simple, text), store)
    allowed = request(index.simple, text, allow_sdist=frozenset({"a"}))
    package = resolve(allowed, store).packages[0]
    assert (package.file, package.source) == ("a-1.0.tar.gz", "url")
    assert [item.name for item in package.build_requires] == ["setuptools", "wheel"]


def test_the_users_uv_configuration_changes_nothing(
    index: FakeIndex, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    index.add("a")
    (tmp_path / "uv.toml").write_text('index-url = "http://127.0.0.1:9/simple"\n')
    monkeypatch.setenv("UV_CONFIG_FILE", str(tmp_path / "uv.toml"))
    monkeypatch.setenv("UV_EXCLUDE_NEWER", "2001-01-01")
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9/simple")
    assert pins(resolve(request(index.simple, "a"), store)) == {"a": "1.0"}


def test_a_lying_index_is_caught_when_the_file_is_fetched(index: FakeIndex, store: Store) -> None:
    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.store.download import fetch_all

    index.files["a"] = [File("a-1.0-py3-none-any.whl", index.add("a").data, lie="1" * 64)]
    asking = request(index.simple, "a")
    package = resolve(asking, store).packages[0]
    assert package.sha256 == "1" * 64
    with pytest.raises(IntegrityError, match="is not the file that was locked"):
        fetch_all(
            [package], store=store, sources=[PythonIndex(asking.indexes)], report=SilentReporter()
        )
