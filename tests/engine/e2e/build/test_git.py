"""A package from git: its commit pinned, built once, kept by stores and bundles, built again alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from freezer.engine.interface import Engine, RunOptions
from tests.support.host.commands import Project, forget
from tests.support.host.gitserver import GitServer, git, serve_git

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

FILES = {
    "py/pyproject.toml": '[build-system]\nrequires = ["setuptools==80.9.0"]\n'
    'build-backend = "setuptools.build_meta"\n',
    # What it needs is computed: only a build can tell.
    "py/setup.py": "from setuptools import setup\n"
    "setup(name='Frozen_Tool', version='1.' + str(1 + 1), py_modules=['frozen_tool'],\n"
    "      install_requires=[line.strip() for line in open('needs.txt')])\n",
    "py/needs.txt": "six==1.16.0\n",
    "py/MANIFEST.in": "include needs.txt\n",
    "py/frozen_tool.py": "import six\nVALUE = 'first'\n",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    (tmp_path / "served").mkdir()
    with serve_git(tmp_path / "served") as made:
        yield made


def test_from_git_to_an_image(
    engine: Engine, locked: Project, server: GitServer, tmp_path: Path
) -> None:
    commit = server.commit("tool", FILES)
    project = locked.with_store(tmp_path / "store").copy(tmp_path / "project", tmp_path / "store")
    address = f"git+{server.address('tool')}@main#subdirectory=py"
    absent = f"gone @ git+{server.address('gone')} ; sys_platform == 'win32'"
    (project.folder / "reqs.txt").write_text(f"numpy\nfrozen-tool @ {address}\n{absent}\n")
    project.spec(pip="reqs.txt")
    project.freeze("lock").good()
    lock = yaml.safe_load(project.lock_file.read_text())
    packages = {item["name"]: item for item in lock["pip"]}
    tool = packages["frozen-tool"]
    assert (tool["version"], tool["commit"], tool["source"]) == ("1.2", commit, "git")
    assert (tool["subdirectory"], tool["requires"]) == ("py", ["six"])
    assert [item["name"] for item in tool["build-requires"]] == ["setuptools"]
    assert tool["file"].endswith(".whl")
    assert packages["six"]["version"] == "1.16.0"

    # A branch that moves on changes nothing: the question is the same.
    server.commit("tool", {"py/frozen_tool.py": "VALUE = 'second'\n"})
    before = project.lock_file.read_bytes()
    project.freeze("lock").good()
    project.freeze("lock", "--check").good()
    assert project.lock_file.read_bytes() == before

    bundle = tmp_path / "bundle.tar"
    project.freeze("bundle", "-o", str(bundle)).good()
    project.freeze("build").good()
    image = engine.image(f"{project.name}:{project.lock_id[:12]}")
    assert image is not None
    try:
        code = "import frozen_tool, importlib.metadata as m; print(frozen_tool.VALUE, "
        code += "m.distribution('frozen-tool').read_text('direct_url.json'))"
        done = engine.run(image.id, ["python", "-c", code], RunOptions())
        assert done.stdout.decode().startswith("first ")
        assert commit in done.stdout.decode()
    finally:
        forget(engine, image)

    # In another store it is built again from the commit, to the same bytes.
    (tmp_path / "other").mkdir()
    again = project.copy(tmp_path / "again", tmp_path / "other")
    again.freeze("fetch").good()
    # A bundle needs no repository.
    server.down = True
    third = project.copy(tmp_path / "third", tmp_path / "third-store")
    third.freeze("build", "--bundle", str(bundle)).good()
    made = engine.image(f"{project.name}:{project.lock_id[:12]}")
    if made is not None:
        forget(engine, made)


SCM = {
    "setuptools": '[build-system]\nrequires = ["setuptools==80.9.0", "setuptools-scm==8.3.1"]\n'
    'build-backend = "setuptools.build_meta"\n[project]\nname = "tagged"\ndynamic = ["version"]\n'
    "[tool.setuptools]\npy-modules = ['tagged']\n[tool.setuptools_scm]\n",
    "hatch": '[build-system]\nrequires = ["hatchling==1.27.0", "hatch-vcs==0.5.0"]\n'
    'build-backend = "hatchling.build"\n[project]\nname = "tagged"\ndynamic = ["version"]\n'
    '[tool.hatch.version]\nsource = "vcs"\n[tool.hatch.build.targets.wheel]\n'
    'include = ["tagged.py"]\n',
}


@pytest.mark.parametrize(("backend", "smart"), [("setuptools", True), ("hatch", False)])
def test_a_version_from_tags(locked: Project, tmp_path: Path, backend: str, smart: bool) -> None:
    (tmp_path / "served").mkdir()
    with serve_git(tmp_path / "served", smart=smart) as server:
        server.commit("tagged", {"pyproject.toml": SCM[backend], "tagged.py": "x = 1\n"})
        work = server.folder / "tagged.git"
        git(work, "tag", "-a", "v1.4.0", "-m", "a release")
        git(work, "tag", "nightly")
        commit = server.commit("tagged", {"tagged.py": "x = 2\n"})
        project = locked.with_store(tmp_path / "store").copy(tmp_path / "p", tmp_path / "store")
        (project.folder / "reqs.txt").write_text(f"tagged @ git+{server.address('tagged')}@main\n")
        project.spec(pip="reqs.txt", smoke={"command": ["python"], "memory": "1g"})
        project.freeze("lock").good()
        (found,) = [
            item
            for item in yaml.safe_load(project.lock_file.read_text())["pip"]
            if item["name"] == "tagged"
        ]
        assert found["describe"] == f"v1.4.0-1-g{commit[:7]}"
        assert found["version"].startswith("1.4.1.dev1+g")
        # A tag that is set later changes neither version nor bytes.
        git(work, "tag", "v2.0.0")
        server.published("tagged")
        (tmp_path / "other").mkdir()
        again = project.copy(tmp_path / "again", tmp_path / "other")
        again.freeze("fetch").good()


def test_a_repository_out_of_reach_is_refused_with_its_line(
    locked: Project, server: GitServer, tmp_path: Path
) -> None:
    project = locked.copy(tmp_path / "project")
    (project.folder / "reqs.txt").write_text(f"numpy\ngone @ git+{server.address('gone')}@v1\n")
    project.spec(pip="reqs.txt")
    project.freeze("lock").failed(2, "cannot be read", "reqs.txt:2")


def test_a_commit_that_another_tools_lock_names(
    locked: Project, server: GitServer, tmp_path: Path
) -> None:
    head = "[project]\nname = 'plain'\nversion = '3'\n"
    commit = server.commit("plain", {"pyproject.toml": head, "plain.py": "x = 1\n"})
    project = locked.copy(tmp_path / "project")
    (project.folder / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "plain"\n'
        f'vcs = {{ type = "git", url = "{server.address("plain")}", commit-id = "{commit}" }}\n'
    )
    project.spec(pip="pylock.toml", smoke={"command": ["python"], "memory": "1g"})
    project.freeze("lock").good()
    packages = yaml.safe_load(project.lock_file.read_text())["pip"]
    assert [item["name"] for item in packages] == ["pip", "plain"]
    plain = packages[1]
    assert (plain["version"], plain["commit"]) == ("3", commit)
    assert plain["reason"] == "locked in pylock.toml"
    # What pip takes for a project that declares no build system, and what that needs.
    assert {"setuptools", "wheel"} <= {item["name"] for item in plain["build-requires"]}
