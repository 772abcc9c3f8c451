"""What of a data set a container sees: of a glob what matches, and nothing else."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezer.errors import DataError
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.data.sets import data_sets, take
from freezer.flows.project.project import Project
from freezer.flows.runs import data_mounts as module
from freezer.flows.runs.data_mounts import data_mounts, smallest_cover
from tests.support.host.hosts import Ear


def project_with(root: Path, data: str, *paths: str) -> Project:
    folder = root / "project"
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    (folder / "freeze.yaml").write_text(
        f"name: demo\nbase: {{bootstrap: bookworm}}\npython: '3.11'\ndata: {data}\n"
    )
    return Project(folder, Config(), Store.open(root / "store"), lambda: None, Ear())  # type: ignore[arg-type,return-value]


def mounted(project: Project) -> dict[str, str]:
    sets = [(one, take(project, one)) for one in data_sets(project, None)]
    found = data_mounts(project, sets, "/data", project.root / "views")
    assert all(one.read_only for one in found)
    return {
        one.target: Path(one.source).relative_to(project.root.resolve()).as_posix() for one in found
    }


FILES = ("data/a/1.png", "data/a/2.png", "data/b/3.png", "data/b/labels.csv", "data/notes.txt")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("{x: data}", {"/data/x": "data"}),
        ("{x: data/notes.txt}", {"/data/x": "data/notes.txt"}),
        ("{x: 'data/*.txt'}", {"/data/x/notes.txt": "data/notes.txt"}),
        ("{x: 'data/**/*.png'}", {"/data/x/a": "data/a", "/data/x/b/3.png": "data/b/3.png"}),
        ("{x: 'data/a/*.png'}", {"/data/x": "data/a"}),
        ("{x: 'data/a/*'}", {"/data/x": "data/a"}),
        ("{x: 'data/[ab]/*'}", {"/data/x/a": "data/a", "/data/x/b": "data/b"}),
    ],
)
def test_only_what_belongs_to_a_set_is_mounted(tmp_path, data, expected) -> None:
    project = project_with(tmp_path, data, *FILES)
    assert mounted(project) == expected
    assert project.report.warnings == []


def times(path: Path) -> tuple[int, int, int]:
    found = path.lstat()
    return found.st_ctime_ns, found.st_mtime_ns, found.st_nlink


def test_many_single_files_are_mounted_as_a_folder_of_links(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST", 1)
    project = project_with(tmp_path, "{x: 'data/**/*.png'}", *FILES)
    (project.root / "data/b/inside.png").symlink_to("../a/1.png")
    (project.root / "data/b/outside.png").symlink_to("labels.csv")
    before = {path: times(path) for path in project.root.rglob("data/**/*")}
    assert mounted(project) == {"/data/x": "views/x", "/freezer-data/x": "data"}
    view = project.root / "views" / "x"
    links = {path: str(path.readlink()) for path in view.rglob("*") if path.is_symlink()}
    assert {path.relative_to(view).as_posix(): target for path, target in links.items()} == {
        "a/1.png": "/freezer-data/x/a/1.png",
        "a/2.png": "/freezer-data/x/a/2.png",
        "b/3.png": "/freezer-data/x/b/3.png",
        "b/inside.png": "/freezer-data/x/a/1.png",
    }
    for path in links:
        path.unlink()
    assert [path for path in view.rglob("*") if not path.is_dir()] == []
    assert {path: times(path) for path in before} == before, "not even their ctime changed"
    assert any("links" in one for one in project.report.notes)


def test_a_link_is_mounted_only_with_its_target(tmp_path) -> None:
    project = project_with(tmp_path, "{x: 'data/**/*.png'}", *FILES)
    (project.root / "data/b/inside.png").symlink_to("3.png")
    (project.root / "data/b/outside.png").symlink_to("labels.csv")
    assert mounted(project).keys() == {"/data/x/a", "/data/x/b/3.png", "/data/x/b/inside.png"}
    [warning] = project.report.warnings
    assert "b/outside.png" in warning


names = st.text("abc", min_size=1, max_size=2)
trees = st.recursive(
    st.none(), lambda inner: st.dictionaries(names, inner, max_size=4), max_leaves=12
)


def _write(folder: Path, tree: dict) -> None:
    folder.mkdir(exist_ok=True)
    for name, inner in tree.items():
        if inner is None:
            (folder / name).write_text("")
        else:
            _write(folder / name, inner)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(names, trees, min_size=1, max_size=4), names, st.randoms(use_true_random=False)
)
def test_mounts_contain_exactly_the_matching_files(tmp_path_factory, tree, pattern, random) -> None:
    root = tmp_path_factory.mktemp("cover")
    _write(root, tree)
    every = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    wanted = [path for path in every if fnmatchcase(path, f"*{pattern}*") or random.random() < 0.5]
    cover = smallest_cover(str(root), wanted)
    held = {
        path for path in every for one in cover if one in {".", path} or path.startswith(f"{one}/")
    }
    assert held == set(wanted)
    assert len(cover) == len(set(cover)) <= max(1, len(wanted))
    folders = {path.parent for path in map(Path, cover)}
    for folder in folders - {Path()}:
        inside = [path for path in every if path.startswith(f"{folder.as_posix()}/")]
        empty = any(one.is_dir() and not any(one.iterdir()) for one in (root / folder).rglob("*"))
        assert empty or not set(inside) <= held, f"{folder} could be mounted as one"


def test_a_removed_folder_is_an_error(tmp_path) -> None:
    with pytest.raises(DataError, match="cannot be listed"):
        smallest_cover(str(tmp_path), ["gone/x"])
