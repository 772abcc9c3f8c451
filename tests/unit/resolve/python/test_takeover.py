"""``uv.lock`` and ``pylock.toml``: the same files, none more and none less, without resolving."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uv

from freezer.errors import FetchError, IntegrityError, ResolveError, SpecError
from freezer.fetch.python.settings import Indexes
from freezer.fetch.store.store import Store
from freezer.model.lock import PipPackage
from freezer.model.spec.spec import PipSpec
from freezer.resolve.python.git.stand_ins import GitWheel
from freezer.resolve.python.interface import PipRequest, Provided
from freezer.resolve.python.requirements.gather import gather
from freezer.resolve.python.takeover.complete import import_runs
from freezer.resolve.python.takeover.pins import LockedPackages
from freezer.resolve.python.takeover.pylock import read_pylock
from freezer.resolve.python.takeover.uv_lock import read_uv_lock
from tests.support.project.asking import TARGET, request
from tests.support.python.indexes import FakeIndex, serve, sha256

PROJECT = """\
[project]
name = "My_Proj"
version = "0.1"
requires-python = ">=3.11"
dependencies = ["top", "win; sys_platform == 'win32'", "tool[plots]"]
[project.optional-dependencies]
old = ["base==1"]
new = ["base==2"]
[dependency-groups]
test = ["probe"]
[tool.uv]
conflicts = [[{extra = "old"}, {extra = "new"}]]
"""


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as served:
        served.add("top", "2.0", ["left"])
        for version in ("1", "2", "3"):
            served.add("base", version)
        for name in ("left", "win", "probe", "drawing", "stranger"):
            served.add(name)
        served.add("tool", extras={"plots": ["drawing"]})
        yield served


def run_uv(folder: Path, index: FakeIndex, *words: str) -> str:
    environment = {**os.environ, "UV_DEFAULT_INDEX": index.simple, "UV_NO_CONFIG": "1"}
    done = subprocess.run(
        [uv.find_uv_bin(), *words, "--no-cache", "--no-progress"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def project(tmp_path: Path, index: FakeIndex) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    run_uv(tmp_path, index, "lock")
    return tmp_path


def take(locked: LockedPackages, index: FakeIndex, folder: Path, **more: Any) -> dict[str, Any]:
    def build(_: PipRequest) -> tuple[PipPackage, ...]:
        return ()

    asking = request(Indexes(index.simple), **more)
    store = Store.open(folder / "store")
    return {
        item.name: item for item in import_runs(locked.pins(asking.target), asking, store, build)
    }


def versions(found: dict[str, Any]) -> dict[str, str]:
    return {name: item.version for name, item in found.items()}


PLAIN = {"top": "2.0", "left": "1.0", "tool": "1.0", "drawing": "1.0"}


@pytest.mark.process
def test_a_uv_lock_is_taken_over_with_its_edges(project: Path, index: FakeIndex) -> None:
    locked = read_uv_lock((project / "uv.lock").read_text(), "uv.lock", (), ())
    index.add("top", "9.0")
    found = take(locked, index, project)
    assert versions(found) == PLAIN
    assert found["top"].requires == ("left",)
    assert (found["top"].requested, found["top"].reason) == (True, "locked in uv.lock")
    assert (found["left"].requested, found["left"].reason) == (False, "needed by top")
    assert found["top"].sha256 == sha256(index.files["top"][0].data)
    assert found["top"].size == len(index.files["top"][0].data)
    assert {item.source for item in found.values()} == {"pypi"}


@pytest.mark.process
@pytest.mark.parametrize(("extra", "version"), [("old", "1"), ("new", "2"), ("OLD", "1")])
def test_conflicting_extras_of_a_uv_lock(
    project: Path, index: FakeIndex, extra: str, version: str
) -> None:
    locked = read_uv_lock((project / "uv.lock").read_text(), "uv.lock", (extra,), ("test",))
    found = take(locked, index, project)
    assert versions(found) == {**PLAIN, "base": version, "probe": "1.0"}


@pytest.mark.process
def test_both_conflicting_extras_are_refused(project: Path) -> None:
    locked = read_uv_lock((project / "uv.lock").read_text(), "uv.lock", ("old", "new"), ())
    with pytest.raises(SpecError, match=r"not a valid uv\.lock") as caught:
        locked.pins(TARGET)
    assert "several versions of base" in str(caught.value)


@pytest.mark.process
@pytest.mark.parametrize("words", [(), ("--extra", "new"), ("--group", "test")])
def test_uvs_export_is_the_same_environment(
    project: Path, index: FakeIndex, words: tuple[str, ...]
) -> None:
    text = run_uv(project, index, "export", "--format", "pylock.toml", "--no-dev", *words)
    extras = words[1:] if "--extra" in words else ()
    groups = words[1:] if "--group" in words else ()
    lock = (project / "uv.lock").read_text()
    mine = take(read_uv_lock(lock, "uv.lock", extras, groups), index, project)
    theirs = take(read_pylock(text, "pylock.toml", (), ()), index, project)
    assert {n: (i.file, i.sha256, i.size, i.requires) for n, i in mine.items()} == {
        n: (i.file, i.sha256, i.size, mine[n].requires) for n, i in theirs.items()
    }
    assert theirs["top"].requires == ("left",)  # read from the wheel


@pytest.mark.process
def test_pips_own_lock(tmp_path: Path, index: FakeIndex) -> None:
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "pip", "lock", "top", "tool[plots]", "-o", "pylock.toml",
         "--index-url", index.simple, "--no-cache-dir", "-q"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    locked = read_pylock((tmp_path / "pylock.toml").read_text(), "pylock.toml", (), ())
    found = take(locked, index, tmp_path)
    assert versions(found) == PLAIN
    assert found["top"].size == len(index.files["top"][0].data)


@pytest.mark.process
def test_a_question_of_a_lock_is_its_content(project: Path) -> None:
    one = gather(project, PipSpec(files=("uv.lock",)))
    assert one.locked is not None
    assert one.lines == [["uv.lock", 2, one.locked.digest]]
    assert one.options.extra_index_urls == one.locked.indexes
    extra = gather(project, PipSpec(files=("uv.lock",), extras=("old",)))
    assert extra.lines != one.lines


@pytest.mark.process
@pytest.mark.parametrize(
    ("files", "more"),
    [(("uv.lock", "pyproject.toml"), {}), (("uv.lock",), {"requirements": ("stranger",)}),
     (("uv.lock", "pylock.toml"), {})],
)  # fmt: skip
def test_a_lock_stands_alone(project: Path, files: tuple[str, ...], more: dict[str, Any]) -> None:
    (project / "pylock.toml").write_text(PYLOCK)
    with pytest.raises(SpecError, match=r"is used as it is|two locks"):
        gather(project, PipSpec(files=files, **more))


@pytest.mark.process
@pytest.mark.parametrize("kind", ["extras", "groups"])
def test_what_the_lock_was_not_made_for_is_refused(project: Path, kind: str) -> None:
    locked = gather(project, PipSpec(files=("uv.lock",), **{kind: ("nonesuch",)})).locked
    assert locked is not None
    with pytest.raises(SpecError, match=r"the lock has no .* 'nonesuch'"):
        locked.pins(TARGET)
    (project / "pylock.toml").write_text(PYLOCK)
    with pytest.raises(SpecError, match=r"the lock has no .* 'nonesuch'"):
        gather(project, PipSpec(files=("pylock.toml",), **{kind: ("nonesuch",)}))


@pytest.mark.process
def test_another_python_is_refused(project: Path) -> None:
    old = TARGET.python.model_copy(update={"version": "3.10.2", "abi": "cp310"})
    target = TARGET.model_copy(update={"python": old})
    text = (project / "uv.lock").read_text()
    with pytest.raises(ResolveError, match="not for this Python"):
        read_uv_lock(text, "uv.lock", (), ()).pins(target)
    pylock = read_pylock(PYLOCK.replace("[[", 'requires-python = ">=3.12"\n[[', 1), "p", (), ())
    with pytest.raises(ResolveError, match="not for this target"):
        pylock.pins(target)


@pytest.mark.process
def test_other_bytes_on_the_index_are_refused_where_metadata_is_read(
    project: Path, index: FakeIndex
) -> None:
    text = run_uv(project, index, "export", "--format", "pylock.toml")
    index.files["top"][0].lie = "f" * 64
    locked = read_pylock(text, "pylock.toml", (), ())
    with pytest.raises(IntegrityError, match="another hash"):
        take(locked, index, project)


@pytest.mark.process
def test_a_package_that_conda_brings_too_is_refused(project: Path, index: FakeIndex) -> None:
    locked = read_uv_lock((project / "uv.lock").read_text(), "uv.lock", (), ())
    provided = {"left": Provided("1.0", "left", "conda's left 1.0")}
    with pytest.raises(ResolveError, match="left twice"):
        take(locked, index, project, provided=provided)


PYLOCK = """\
lock-version = "1.0"
created-by = "test"
[[packages]]
name = "six"
version = "1.0"
{source}
""".replace("{source}", f'wheels = [{{ url = "https://h.example/six-1.0-py3-none-any.whl", '
            f'hashes = {{ sha256 = "{"a" * 64}" }}, size = 7 }}]')  # fmt: skip

WHEEL = "six-1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    "source",
    [
        'vcs = { type = "git", url = "ssh://h.example/six.git", commit-id = "' + "1" * 40 + '" }',
        'vcs = { type = "git", url = "https://h.example/six.git", commit-id = "main" }',
        'vcs = { type = "git", path = "../six", commit-id = "' + "1" * 40 + '" }',
        'vcs = { type = "hg", url = "https://h.example/six", commit-id = "' + "1" * 40 + '" }',
        'directory = { path = "./six" }',
        'directory = { path = "../six", editable = true }',
        f'archive = {{ path = "./{WHEEL}", hashes = {{ sha256 = "{"a" * 64}" }} }}',
        f'wheels = [{{ path = "wheels/{WHEEL}", hashes = {{ sha256 = "{"a" * 64}" }} }}]',
        f'wheels = [{{ url = "https://h.example/{WHEEL}", hashes = {{ md5 = "{"a" * 32}" }} }}]',
        f'wheels = [{{ url = "file:///home/me/{WHEEL}", hashes = {{ sha256 = "{"a" * 64}" }} }}]',
        f'archive = {{ url = "https://h.example/{WHEEL}", hashes = {{ sha512 = "{"a" * 128}" }} }}',
    ],
)
def test_another_package_of_the_name_is_never_taken_from_a_pylock(source: str) -> None:
    head = PYLOCK.partition("wheels")[0]
    with pytest.raises(SpecError, match="cannot be taken over") as caught:
        read_pylock(head + source, "pylock.toml", (), ()).pins(TARGET)
    assert caught.value.details[0].startswith("six 1.0")


UV_LOCK = """\
version = 1
requires-python = ">=3.9"
[[package]]
name = "me"
version = "0"
source = { virtual = "." }
dependencies = [{ name = "six" }]
[[package]]
name = "six"
version = "1.0"
"""


@pytest.mark.parametrize(
    "source",
    [
        'source = { git = "https://h.example/six.git?rev=main" }',
        'source = { git = "ssh://git@h.example/six.git?rev=main#' + "1" * 40 + '" }',
        'source = { editable = "../six" }',
        'source = { virtual = "packages/six" }',
        'source = { directory = "six" }',
        f'source = {{ path = "{WHEEL}" }}\nwheels = [{{ filename = "{WHEEL}", hash = "sha256:{"a" * 64}" }}]',
        f'source = {{ url = "https://h.example/{WHEEL}" }}\nwheels = [{{ url = "https://h.example/{WHEEL}" }}]',
        f'source = {{ registry = "../wheels" }}\nwheels = [{{ path = "{WHEEL}", hash = "sha256:{"a" * 64}" }}]',
        f'source = {{ registry = "https://h.example" }}\nwheels = [{{ url = "https://h.example/{WHEEL}" }}]',
        'source = { registry = "https://h.example" }',
    ],
)  # fmt: skip
def test_another_package_of_the_name_is_never_taken_from_a_uv_lock(source: str) -> None:
    with pytest.raises(SpecError, match="cannot be taken over") as caught:
        read_uv_lock(UV_LOCK + source, "uv.lock", (), ()).pins(TARGET)
    assert caught.value.details[0].startswith("six 1.0")


def test_git_entries_at_a_whole_commit_are_built(tmp_path: Path, index: FakeIndex) -> None:
    head, commit = PYLOCK.partition("wheels")[0], "1" * 40
    vcs = f'vcs = {{ type = "git", url = "https://h.example/x.git", commit-id = "{commit}", '
    vcs += 'subdirectory = "py" }'
    own = f'source = {{ git = "https://h.example/x.git?subdirectory=py&rev=v1#{commit}" }}\n'
    locks = (
        read_pylock(head + vcs, "pylock.toml", (), ()),
        read_uv_lock(UV_LOCK + own, "uv.lock", (), ()),
    )
    wheel = PipPackage(
        source="git", file="six-1.0-py3-none-any.whl", size=7, sha256="b" * 64, name="six",
        version="1.0", url="https://h.example/x.git", commit=commit, subdirectory="py", reason="x",
    )  # fmt: skip
    for locked in locks:
        [pin] = locked.pins(TARGET)
        assert pin.git is not None
        assert (pin.git.url, pin.git.revision) == ("https://h.example/x.git", commit)
        assert (pin.git.subdirectory, pin.git.name) == ("py", "six")
        built = {"six": GitWheel(pin.git, wheel, b"Name: six\nRequires-Dist: base\n")}
        store = Store.open(tmp_path / "store")
        [found] = import_runs([pin], request(index.simple), store, lambda _: (), built)
        assert (found.source, found.commit, found.sha256) == ("git", commit, "b" * 64)
        assert found.reason == f"locked in {locked.shown}"


def test_the_projects_own_folder_is_left_out_of_an_export() -> None:
    head = PYLOCK.partition("wheels")[0]
    text = head + 'directory = { path = ".", editable = true }'
    assert read_pylock(text, "pylock.toml", (), ()).pins(TARGET) == ()


@pytest.mark.parametrize(
    "text",
    [
        "", "version = 2\n", "version = 1\n", "version = 1\npackage = 3\n", "=", "version = '1'\n",
        "version = 1\n[[package]]\nname = 3\n",
        UV_LOCK + "source = 3\n", UV_LOCK + "source = {}\nwheels = 3\n",
        UV_LOCK.replace("name = \"six\" }", "name = \"gone\" }") + "source = {registry = 'x'}\n",
        UV_LOCK.replace("name = \"six\" }", "name = \"six\", marker = \"huh\" }") + "source = {registry = 'x'}",
        UV_LOCK.replace(">=3.9", "three") + "source = {registry = 'x'}",
        UV_LOCK.replace("virtual = \".\"", "virtual = \"a\"") + "source = {registry = 'x'}",
    ],
)  # fmt: skip
def test_what_is_no_uv_lock_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        read_uv_lock(text, "uv.lock", (), ()).pins(TARGET)


@pytest.mark.parametrize(
    "text",
    ["", "=", "lock-version = 1", PYLOCK.replace('"1.0"', '"2.0"', 1), PYLOCK.replace('"1.0"', "7"),
     'lock-version = "1.0"\ncreated-by = "x"\npackages = 3', PYLOCK.replace("1.0", "!", 2)],
)  # fmt: skip
def test_what_is_no_pylock_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        read_pylock(text, "pylock.toml", (), ())


def test_a_source_distribution_needs_to_be_allowed(tmp_path: Path, index: FakeIndex) -> None:
    head = PYLOCK.partition("wheels")[0]
    url = f"{index.url}/six-1.0.tar.gz"
    source = f'sdist = {{ url = "{url}", hashes = {{ sha256 = "{"a" * 64}" }}, size = 7 }}'
    locked = read_pylock(head + source, "pylock.toml", (), ())
    with pytest.raises(ResolveError, match="locked as a source distribution"):
        take(locked, index, tmp_path)


def test_uv_is_there_for_these_tests() -> None:
    assert shutil.which(uv.find_uv_bin())


def lock_of(index: FakeIndex, kind: str, name: str, version: str, file: str, key: str) -> str:
    data = next(item.data for items in index.files.values() for item in items if item.name == file)
    url = f"{index.url}/files/{file}"
    if kind == "pylock":
        source = f'{{url = "{url}", hashes = {{sha256 = "{sha256(data)}"}}}}'
        source = f"[{source}]" if key == "wheels" else source
        said = f'version = "{version}"\n' if version else ""
        return f'{PYLOCK_HEAD}[[packages]]\nname = "{name}"\n{said}{key} = {source}\n'
    source = f'{{url = "{url}", hash = "sha256:{sha256(data)}"}}'
    source = f"[{source}]" if key == "wheels" else source
    return (
        f'version = 1\n[[package]]\nname = "me"\nversion = "1"\nsource = {{virtual = "."}}\n'
        f'dependencies = [{{name = "{name}"}}]\n[[package]]\nname = "{name}"\n'
        f'version = "{version}"\nsource = {{registry = "{index.simple}"}}\n{key} = {source}\n'
    )


PYLOCK_HEAD = 'lock-version = "1.0"\ncreated-by = "x"\n'


def read(kind: str, text: str) -> LockedPackages:
    if kind == "pylock":
        return read_pylock(text, "pylock.toml", (), ())
    return read_uv_lock(text, "uv.lock", (), ())


@pytest.mark.parametrize("kind", ["uv", "pylock"])
@pytest.mark.parametrize(
    ("version", "file", "key"),
    [
        ("2.0", "stranger-1.0-py3-none-any.whl", "wheels"),
        ("2.0", "base-2-py3-none-any.whl", "wheels"),
        ("2.0", "base-3.tar.gz", "sdist"),
    ],
)
def test_a_file_of_another_package_or_version_is_refused(
    tmp_path: Path, index: FakeIndex, kind: str, version: str, file: str, key: str
) -> None:
    index.add_sdist("base", "3")
    text = lock_of(index, kind, "top", version, file, key)
    with pytest.raises((ResolveError, SpecError)) as caught:
        take(read(kind, text), index, tmp_path, allow_sdist=frozenset(["top"]))
    assert file in str(caught.value)


@pytest.mark.parametrize(
    ("version", "file"), [("", "stranger-1.0-py3-none-any.whl"), ("2.0", "base-2-py3-none-any.whl")]
)
def test_an_archive_is_held_to_its_name_too(
    tmp_path: Path, index: FakeIndex, version: str, file: str
) -> None:
    text = lock_of(index, "pylock", "top", version, file, "archive")
    with pytest.raises(ResolveError, match="another package or version"):
        take(read("pylock", text), index, tmp_path)


def test_a_version_that_the_lock_leaves_out_is_the_files(tmp_path: Path, index: FakeIndex) -> None:
    text = lock_of(index, "pylock", "top", "", "top-2.0-py3-none-any.whl", "wheels")
    assert versions(take(read("pylock", text), index, tmp_path)) == {"top": "2.0"}
    other = (
        text.replace("/files/top-2.0-py3-none-any.whl", "/files/main.zip")
        .replace("wheels = [", "archive = ")
        .replace("}}]", "}}")
    )
    with pytest.raises(ResolveError, match="no version of top"):
        take(read("pylock", other), index, tmp_path)


def test_a_file_that_is_gone_is_named_with_its_lock(tmp_path: Path, index: FakeIndex) -> None:
    text = lock_of(index, "uv", "top", "2.0", "top-2.0-py3-none-any.whl", "wheels")
    index.files.clear()
    with pytest.raises(FetchError) as caught:
        take(read("uv", text), index, tmp_path)
    assert str(caught.value.where) == "uv.lock"
    assert "a file of top 2.0" in str(caught.value)
    assert caught.value.hint


def test_a_newer_minor_version_of_the_format_is_a_warning() -> None:
    text = PYLOCK_HEAD.replace("1.0", "1.7") + "packages = []\n"
    [warning] = read_pylock(text, "pylock.toml", (), ()).warnings
    assert warning.startswith("pylock.toml (lock-version): 1.7 is newer")


def test_git_with_large_files_is_refused() -> None:
    entry = f'source = {{git = "https://h.example/x.git?lfs=true&rev=main#{"a" * 40}"}}\n'
    text = (
        'version = 1\n[[package]]\nname = "me"\nsource = {virtual = "."}\n'
        f'dependencies = [{{name = "x"}}]\n[[package]]\nname = "x"\nversion = "1"\n{entry}'
    )
    with pytest.raises(SpecError, match="LFS"):
        read_uv_lock(text, "uv.lock", (), ()).pins(TARGET)


@pytest.mark.process
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"top"', '"top>=2", "left"'), "top>=2, left"),
        (('old = ["base==1"]', 'old = ["base==3"]'), "base==3"),
        (('"win; sys_platform', '"gone; sys_platform'), "gone; sys_platform == 'win32'"),
        (('"tool[plots]"', '"Tool[plots]"'), None),
        (('name = "My_Proj"', 'name = "my-proj" # comment'), None),
    ],
)
def test_a_project_that_changed_since_uv_lock_is_named(
    project: Path, change: tuple[str, str], said: str | None
) -> None:
    def warnings() -> list[str]:
        return gather(project, PipSpec(files=("uv.lock",))).warnings

    assert warnings() == []
    path = project / "pyproject.toml"
    path.write_text(path.read_text().replace(*change))
    assert [f"required {said}, and is" in item for item in warnings()] == ([True] if said else [])


def uv_locked(folder: Path, index: FakeIndex, dependencies: str, more: str) -> LockedPackages:
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "me"\nversion = "1"\nrequires-python = ">=3.11"\n'
        f"dependencies = {dependencies}\n{more}"
    )
    run_uv(folder, index, "lock")
    return read_uv_lock((folder / "uv.lock").read_text(), "uv.lock", (), ())


@pytest.mark.process
@pytest.mark.parametrize(
    ("setting", "overrides", "found"),
    [
        ('override-dependencies = ["Base>=2"]', ("base",), {"narrow": "1.0", "base": "3"}),
        ('exclude-dependencies = ["base"]', ("base",), {"narrow": "1.0"}),
        ('override-dependencies = ["base==1; sys_platform == \'win32\'"]', ("base",),
         {"narrow": "1.0"}),
        ("managed = true", (), {"narrow": "1.0", "base": "1"}),
    ],
)  # fmt: skip
def test_what_uv_was_told_to_override_is_kept(
    tmp_path: Path,
    index: FakeIndex,
    setting: str,
    overrides: tuple[str, ...],
    found: dict[str, str],
) -> None:
    """Without it the build's ``pip check`` refuses what uv installs."""
    index.add("narrow", "1.0", ["base<2"])
    locked = uv_locked(tmp_path, index, '["narrow"]', f"[tool.uv]\n{setting}\n")
    assert locked.overrides == overrides
    assert versions(take(locked, index, tmp_path)) == found


@pytest.mark.process
@pytest.mark.parametrize(
    ("environments", "fits"),
    [
        ("[\"sys_platform == 'darwin'\"]", False),
        ("[\"sys_platform == 'linux'\"]", True),
        ("[\"sys_platform == 'win32'\", \"sys_platform == 'darwin'\"]", False),
        ("[\"sys_platform == 'darwin'\", \"sys_platform == 'linux'\"]", True),
    ],
)
def test_a_lock_for_other_environments_is_refused(
    tmp_path: Path, index: FakeIndex, environments: str, fits: bool
) -> None:
    locked = uv_locked(tmp_path, index, '["base"]', f"[tool.uv]\nenvironments = {environments}\n")
    if fits:
        assert versions(take(locked, index, tmp_path)) == {"base": "3"}
        return
    with pytest.raises(ResolveError, match="not for this target") as caught:
        take(locked, index, tmp_path)
    assert str(caught.value.where) == "uv.lock (supported-markers)"


@pytest.mark.process
def test_members_of_a_workspace_are_refused_with_the_way_out(
    tmp_path: Path, index: FakeIndex
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/pyproject.toml").write_text(
        '[project]\nname = "sub"\nversion = "1"\ndependencies = ["base"]\n'
    )
    more = '[tool.uv.workspace]\nmembers = ["sub"]\n[tool.uv.sources]\nsub = {workspace = true}\n'
    locked = uv_locked(tmp_path, index, '["sub"]', more)
    with pytest.raises(SpecError, match="sub 1: from a folder") as caught:
        locked.pins(TARGET)
    assert "--no-emit-workspace" in str(caught.value.hint)
    run_uv(tmp_path, index, "export", "--no-emit-workspace", "--format", "pylock.toml", "-o",
           "pylock.toml")  # fmt: skip
    text = (tmp_path / "pylock.toml").read_text()
    exported = read_pylock(text, "pylock.toml", (), ())
    assert versions(take(exported, index, tmp_path)) == {"base": "3"}
