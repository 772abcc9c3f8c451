"""Resolving with the real pip-tools, against an index made for each test; uv must agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from freezer.errors import FetchError, ResolveError
from freezer.fetch.python.settings import Indexes
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.resolve.python.interface import PipRequest, Resolution
from freezer.resolve.python.piptools.resolver import PipToolsResolver, require_host
from freezer.resolve.python.uv.resolver import UvResolver
from tests.support.project.asking import asked, host_target, request
from tests.support.python.indexes import FakeIndex, serve

SECRET = "hunter2-very-secret"


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as served:
        yield served


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def with_pip_tools(asking: PipRequest, store: Store) -> Resolution:
    asking = replace(asking, target=host_target())
    return PipToolsResolver().resolve(asking, store=store, report=SilentReporter())


def agreed(asking: PipRequest, store: Store) -> Resolution:
    """Resolve with both, and demand one answer."""
    asking = replace(asking, target=host_target())
    first = UvResolver().resolve(asking, store=store, report=SilentReporter())
    second = PipToolsResolver().resolve(asking, store=store, report=SilentReporter())
    assert second.packages == first.packages
    return second


def pins(resolution: Resolution) -> dict[str, str]:
    return {package.name: package.version for package in resolution.packages}


@pytest.mark.process
def test_both_resolvers_agree_on_everything_that_is_locked(
    index: FakeIndex, store: Store, tmp_path: Path
) -> None:
    """Extras, markers, tags, dates, constraints; pins that are kept; a folder of wheels; a URL."""
    abi = host_target().python.abi
    index.add("Top", "2.0", ["left>=1", "right[fast]", "no; python_version < '3'"])
    index.add("left", "1.5", ["base<3"])
    index.add("right", "3", ["base"], extras={"fast": ["c-ext"]})
    index.add("c-ext", tags=f"{abi}-{abi}-manylinux_2_17_x86_64")
    index.add("c-ext", tags=f"{abi}-{abi}-manylinux_2_17_aarch64")
    index.add("c-ext", tags="py3-none-any")
    for version in ("1", "2", "3"):
        index.add("base", version)
        index.add("moved", version, ["kept"])
        index.add("kept", version)
    index.add("base", "2.5", uploaded="2026-07-01T00:00:00.000000Z")
    index.add("lying-there", "1")
    here = FakeIndex().add("lying-there", "2")
    (tmp_path / here.name).write_bytes(here.data)
    linked = index.add("linked", "1", ["needed"])
    index.add("needed")
    asking = request(
        Indexes(index.simple, find_links=(tmp_path.as_uri(),)),
        *("top", "base!=2.1", "moved>=2", "lying-there"),
        f"linked @ {index.url}/files/{linked.name}",
        constraints=(asked("left<2"),),
        keep={"moved": "1", "kept": "1"},
    )
    found = agreed(asking, store)
    assert pins(found) == {
        "base": "2",
        "c-ext": "1.0",
        "left": "1.5",
        "right": "3",
        "top": "2.0",
        "moved": "3",
        "kept": "1",
        "lying-there": "2",
        "linked": "1",
        "needed": "1.0",
    }
    by_url = [package.name for package in found.packages if package.source == "url"]
    assert by_url == ["linked"]


_BACKEND = b"""
from pathlib import Path

def prepare_metadata_for_build_wheel(folder, settings=None):
    made = Path(folder) / "old-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\\nName: old\\nVersion: 1.0\\n")
    return made.name

def build_wheel(folder, settings=None, metadata=None):
    raise AssertionError("nothing is built to be resolved")
"""


@pytest.mark.process
def test_an_allowed_source_distribution_is_locked_by_both(index: FakeIndex, store: Store) -> None:
    index.add("small-backend", "1", members={"small_backend.py": _BACKEND})
    index.add_sdist(
        "old",
        "1.0",
        '[build-system]\nrequires = ["small-backend"]\nbuild-backend = "small_backend"\n',
    )
    asking = request(index.simple, "old", allow_sdist=frozenset({"old"}))
    found = agreed(asking, store).packages[0]
    assert found.file == "old-1.0.tar.gz"
    assert [item.name for item in found.build_requires] == ["small-backend"]


@pytest.mark.process
def test_indexes_stand_to_one_another_as_with_uv(index: FakeIndex, store: Store) -> None:
    index.add("ours", "99")
    with serve() as private:
        private.add("ours", "1")
        both = Indexes(index.simple, (private.simple,))
        assert pins(agreed(request(both, "ours"), store)) == {"ours": "1"}
        merged = replace(both, strategy="unsafe-best-match")
        assert pins(agreed(request(merged, "ours"), store)) == {"ours": "99"}


@pytest.mark.process
def test_files_without_a_date_count_where_nothing_else_answers(
    index: FakeIndex, store: Store
) -> None:
    index.html = True
    index.add("a", "1+local", ["b"])
    index.add("b")
    found = agreed(request(index.simple, "a"), store)
    assert "a, b: no upload date is known" in found.warnings[0]


@pytest.mark.process
def test_no_wheel_is_downloaded_to_resolve(index: FakeIndex, store: Store) -> None:
    index.add("a", "1", ["b"])
    index.add("b", metadata=False)
    with_pip_tools(request(index.simple, "a"), store)
    whole = [path for path, span in index.asked(".whl") if span is None and ".metadata" not in path]
    assert whole == []


@pytest.mark.process
def test_metadata_of_a_wheel_on_a_server_without_ranges(index: FakeIndex, store: Store) -> None:
    index.ranges = False
    index.add("a", "1", ["b"], metadata=False)
    index.add("b", metadata_gone=True)
    assert pins(with_pip_tools(request(index.simple, "a"), store)) == {"a": "1", "b": "1.0"}


@pytest.mark.process
def test_credentials_work_and_never_reach_the_child(
    index: FakeIndex, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from freezer.resolve.python.piptools import resolver as piptools
    from freezer.resolve.python.uv import run as uv_run

    seen: list[str] = []

    def spy(command: list[str], folder: Path, environment: dict[str, str]) -> uv_run.UvOutput:
        seen.extend([*command, *environment.values()])
        return uv_run.run_child(command, folder, environment)

    monkeypatch.setattr(piptools, "run_child", spy)
    index.password = SECRET
    index.add("a")
    found = with_pip_tools(request(index.with_credentials(), "a"), store)
    assert pins(found) == {"a": "1.0"}
    assert seen
    assert not any(SECRET in word for word in (*seen, repr(found)))


@pytest.mark.process
def test_an_index_out_of_reach_is_said_by_its_own_name(store: Store) -> None:
    with pytest.raises(FetchError) as caught:
        with_pip_tools(request(f"http://me:{SECRET}@127.0.0.1:9/simple", "a"), store)
    assert "127.0.0.1:9" in str(caught.value)
    assert SECRET not in str(caught.value)


# Failures


@pytest.mark.process
def test_a_conflict_names_both_lines(index: FakeIndex, store: Store) -> None:
    index.add("flow", "2", ["num<2"])
    for version in ("1", "2"):
        index.add("num", version)
    with pytest.raises(ResolveError, match="these requirements conflict") as caught:
        with_pip_tools(request(index.simple, "flow==2", "num==2"), store)
    assert caught.value.details == (
        "flow 2 needs num<2",
        "flow==2 is requested in requirements.in:1",
        "num==2 is requested in requirements.in:2",
    )


@pytest.mark.process
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nunpy", "no index has a package called nunpy"),
        ("a==9", "no index has a 9"),
        ("sdist-only", r"sdist-only( 1.0)? is published only as a source distribution"),
        (
            "needs-sdist",
            r"sdist-only( 1.0)? \(needed by needs-sdist\) is published only as a source",
        ),
        ("late", "was uploaded by 2026-06-01"),
        ("old", r"old( 1.0)? has no wheel for Python"),
    ],
)
def test_failures_read_as_uvs_do(index: FakeIndex, store: Store, text: str, message: str) -> None:
    index.add("a", "1")
    index.add_sdist("sdist-only")
    index.add("needs-sdist", "1", ["sdist-only"])
    index.add("late", uploaded="2026-07-01T00:00:00.000000Z")
    index.add("old", tags="cp27-cp27mu-manylinux_2_17_x86_64")
    for resolver in (PipToolsResolver(), UvResolver()):
        with pytest.raises(ResolveError, match=message) as caught:
            resolver.resolve(
                request(index.simple, text, target=host_target()),
                store=store,
                report=SilentReporter(),
            )
        assert str(caught.value.where) == "requirements.in:1"


@pytest.mark.process
def test_metadata_that_pip_refuses_is_told_with_the_way_out(index: FakeIndex, store: Store) -> None:
    index.add("a", "1", ["b (>=5.1.*)"])
    index.add("b", "6")
    with pytest.raises(ResolveError, match="pip refuses a 1: its metadata is not valid") as caught:
        with_pip_tools(request(index.simple, "a"), store)
    assert "resolver: uv" in str(caught.value.hint)


# The host


@pytest.mark.parametrize(
    "changes",
    [{"version": "3.8.1", "abi": "cp38"}, {"abi": "cp311d"}, {"architecture": "aarch64"}],
)
def test_another_target_than_this_host_is_refused(changes: dict[str, str]) -> None:
    target = host_target(**changes)
    if target == host_target():
        pytest.skip("this host is that target")
    with pytest.raises(ResolveError, match="resolves for the Python that runs it") as caught:
        require_host(target)
    assert "resolver: uv" in str(caught.value.hint)


def test_this_host_is_accepted() -> None:
    require_host(host_target())
