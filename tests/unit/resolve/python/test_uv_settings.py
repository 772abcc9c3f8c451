"""``[tool.uv]``, ``[tool.poetry]`` and ``[tool.pdm]``: followed, or refused by line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from pip._internal.models.index import PyPI

from freezer.errors import ResolveError, SpecError
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.settings import Indexes, with_options
from freezer.fetch.store.store import Store
from freezer.model.artifact import Artifact
from freezer.model.events import SilentReporter
from freezer.model.spec.spec import PipSpec
from freezer.resolve.python.requirements.gather import PipRequirements, gather
from freezer.resolve.python.requirements.known_target import KnownTarget
from freezer.resolve.python.resolve import pip_question, resolve_pip
from tests.support.project.asking import TARGET, asked, host_target, request
from tests.support.python.indexes import serve, sha256
from tests.support.python.uv_resolving import cache, index, pins, resolve, store

__all__ = ["cache", "index", "store"]

HEAD = '[project]\nname = "me"\nversion = "1"\n'


def read(folder: Path, text: str, **more: Any) -> PipRequirements:
    known = KnownTarget(**more.pop("known", {}))
    (folder / "pyproject.toml").write_text(text)
    return gather(folder, PipSpec(files=("pyproject.toml",), **more), known=known)


def shown(found: PipRequirements) -> list[str]:
    return [str(item.requirement) for item in found.requirements]


TWO = """\
dependencies = ["torchy"]
[[tool.uv.index]]
name = "cpuonly"
url = "{url}"
explicit = true
[tool.uv.sources]
torchy = {{ index = "cpuonly" }}
"""


@pytest.mark.process
@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_an_explicit_index_has_its_package_and_no_other(
    tmp_path: Path, store: Store, resolver: str
) -> None:
    with serve() as default, serve() as cpu:
        default.add("torchy", "9.0", ["other"])
        default.add("pip", "26.0")
        default.add("other", "1")
        cpu.add("torchy", "2.0", ["other"])
        cpu.add("other", "7")
        gathered = read(tmp_path, HEAD + TWO.format(url=cpu.simple))
        indexes = with_options(Indexes(default.simple), gathered.options)
        asking = request(indexes, *shown(gathered), target=host_target())
        found = resolve_pip(asking, resolver, store=store, report=SilentReporter())
        assert pins(found) == {"torchy": "2.0", "other": "1", "pip": "26.0"}
        package = next(item for item in found.packages if item.name == "torchy")
        assert package.sha256 == sha256(cpu.files["torchy"][0].data)
        # It is found there again when it is fetched, and nothing else is.
        [location] = PythonIndex(indexes).locate(package)
        assert location.url.startswith(cpu.url)
        other = Artifact(source="pypi", file="other-7-py3-none-any.whl", size=1, sha256="a" * 64)
        assert list(PythonIndex(indexes).locate(other)) == []


def test_the_index_is_a_part_of_the_question(tmp_path: Path) -> None:
    one = read(tmp_path, HEAD + TWO.format(url="https://one.example/simple"))
    other = read(tmp_path, HEAD + TWO.format(url="https://two.example/simple"))
    spec = PipSpec(files=("pyproject.toml",))
    assert pip_question(one, spec, TARGET) != pip_question(other, spec, TARGET)


INDEXES = """\
dependencies = ["a"]
[[tool.uv.index]]
name = "first"
url = "https://first.example/simple"
[[tool.uv.index]]
url = "https://main.example/simple"
default = true
[[tool.uv.index]]
name = "only"
url = "https://only.example/simple"
explicit = true
authenticate = "always"
"""


def test_further_and_default_indexes(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + INDEXES)
    merged = with_options(Indexes("https://configured.example/simple"), found.options)
    assert merged.index_urls == ("https://first.example/simple", "https://main.example/simple")
    assert merged.strategy == "first-index"
    assert merged.pinned == ()
    assert found.warnings == [
        "pyproject.toml:13 (tool.uv.index): 'authenticate' of this index is ignored"
    ]


SOURCES = """\
dependencies = [
  "a>=1",
  "b[x] ; sys_platform == 'linux'",
  "c",
  "d ; sys_platform == 'win32'",
]
[dependency-groups]
dev = ["e"]
[tool.uv.sources]
a = {{ url = "https://h.example/a-1-py3-none-any.whl" }}
b = [
  {{ path = "../b", marker = "sys_platform == 'darwin'" }},
  {{ url = "https://h.example/b.whl", marker = "platform_machine == 'x86_64'" }},
  {{ index = "i", marker = "platform_machine == 'aarch64'" }},
]
d = {{ path = "../d" }}
e = {{ url = "https://h.example/e.whl", group = "dev" }}
c = {{ url = "https://h.example/c.whl", group = "dev" }}
[[tool.uv.index]]
name = "i"
url = "https://i.example/simple"
{more}
"""


def test_sources_by_marker_extra_and_group(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + SOURCES.format(more=""), groups=("dev",))
    assert shown(found) == [
        "a @ https://h.example/a-1-py3-none-any.whl",
        'b[x] @ https://h.example/b.whl ; sys_platform == "linux"',
        "c",
        'd; sys_platform == "win32"',
        "e @ https://h.example/e.whl",
    ]
    assert found.options.pinned == ()
    arm = read(tmp_path, HEAD + SOURCES.format(more=""), known={"architecture": "aarch64"})
    assert arm.options.pinned == (("b", "https://i.example/simple"),)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('{ path = "../a" }', "comes from a path"),
        ('{ path = "../a", editable = true }', "comes from a path"),
        ("{ workspace = true }", "comes from a workspace"),
        ('{ index = "nonesuch" }', "there is no index 'nonesuch'"),
        ('{ index = "cpu" }', "there is no index 'cpu'"),
        ('{ something = "x" }', "an unknown source"),
        ('{ url = "https://h.example/x.whl", marker = "huh" }', "not a marker"),
        ('{ url = "https://h.example/x.whl", marker = "python_full_version < \'3.11.4\'" }',
         "depends on the base"),
        ('"x"', "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_refused_names_its_line(tmp_path: Path, source: str, said: str) -> None:
    text = f'{HEAD}dependencies = ["pkg-a"]\n[tool.uv.sources]\n# x\nPkg_A = {source}\n'
    with pytest.raises(SpecError, match=said) as caught:
        read(tmp_path, text)
    assert caught.value.where is not None
    assert caught.value.where.file == "pyproject.toml"
    assert caught.value.where.line == (5 if "be read" in said else 7)


def test_all_refused_sources_are_named_at_once(tmp_path: Path) -> None:
    text = f'{HEAD}dependencies = ["a", "b"]\n[tool.uv.sources]\n'
    text += 'a = { path = "x" }\nb = { workspace = true }\n'
    with pytest.raises(SpecError, match="2 things in this file") as caught:
        read(tmp_path, text)
    assert "pyproject.toml:6" in caught.value.details[0]
    assert "pyproject.toml:7" in caught.value.details[1]


@pytest.mark.process
def test_constraints_and_overrides(tmp_path: Path, store: Store) -> None:
    text = f'{HEAD}dependencies = ["a"]\n[tool.uv]\n'
    text += 'constraint-dependencies = ["b<3"]\noverride-dependencies = ["c>=2"]\n'
    found = read(tmp_path, text)
    assert [str(item.requirement) for item in found.constraints] == ["b<3"]
    assert [(str(i.requirement), str(i.where)) for i in found.overrides] == [
        ("c>=2", "pyproject.toml:7 (tool.uv.override-dependencies)")
    ]
    with serve() as index:
        index.add("a", "1", ["b", "c<2"])
        for version in ("1", "2", "3"):
            index.add("b", version)
            index.add("c", version)
        asking = request(
            index.simple, "a", constraints=tuple(found.constraints),
            overrides=tuple(found.overrides),
        )  # fmt: skip
        assert pins(resolve(asking, store)) == {"a": "1", "b": "2", "c": "3"}


def test_pip_tools_has_no_overrides(tmp_path: Path) -> None:
    asking = request("https://h.example", "a", target=host_target(), overrides=(asked("c>=2"),))
    with pytest.raises(ResolveError, match="has no overrides"):
        resolve_pip(asking, "pip-tools", store=Store.open(tmp_path), report=SilentReporter())


CONFLICTS = """\
dependencies = []
optional-dependencies = {cpu = ["a"], gpu = ["b"], plots = ["c"]}
[dependency-groups]
dev = ["d"]
[tool.uv]
conflicts = [[{extra = "cpu"}, {extra = "gpu"}, {group = "dev"}]]
"""


@pytest.mark.parametrize(
    ("extras", "groups"), [(("cpu", "gpu"), ()), (("GPU",), ("dev",)), (("cpu", "gpu"), ("dev",))]
)
def test_conflicting_extras_are_refused(
    tmp_path: Path, extras: tuple[str, ...], groups: tuple[str, ...]
) -> None:
    with pytest.raises(SpecError, match="declares these as conflicting") as caught:
        read(tmp_path, HEAD + CONFLICTS, extras=extras, groups=groups)
    assert caught.value.where is not None
    assert caught.value.where.line == 9


def test_others_are_not(tmp_path: Path) -> None:
    assert shown(read(tmp_path, HEAD + CONFLICTS, extras=("cpu", "plots"))) == ["a", "c"]


def test_nothing_is_ignored_in_silence(tmp_path: Path) -> None:
    text = f'{HEAD}dependencies = []\n[tool.uv]\nresolution = "lowest"\ndev-dependencies = ["x"]\n'
    text += "exclude-newer = '2020-01-01'\nmanaged = true\n[tool.uv.workspace]\nmembers = ['p/*']\n"
    text += "[tool.poetry.group.dev.dependencies]\nx = '1'\n[tool.poetry.dependencies]\ny = '^1'\n"
    text += "[tool.pdm.dev-dependencies]\nlint = ['z']\n"
    found = "\n".join(read(tmp_path, text).warnings)
    for said in ("'tool.uv.resolution'", "'tool.uv.exclude-newer'", "dev-dependencies",
                 "workspace's other members", "Poetry's group 'dev'", "Poetry's version of y",
                 "PDM's group 'lint'"):  # fmt: skip
        assert said in found
    assert "managed" not in found


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ('[[tool.poetry.source]]\nname = "corp"\nurl = "https://c.example"\n', "for Poetry", 6),
        ('[[tool.pdm.source]]\nname = "corp"\nurl = "https://c.example"\n', "for PDM", 6),
        ('[tool.poetry.dependencies]\nx = {git = "https://h.example/x.git"}\n', "for Poetry", 6),
        ('[tool.poetry.dependencies]\nx = {path = "../x"}\n', "for Poetry", 6),
        ('[tool.poetry.dependencies]\nx = {version = "1", source = "corp"}\n', "for Poetry", 6),
        ('[tool.pdm.resolution.overrides]\nx = "1"\n', "for PDM", 5),
        ('[tool.pdm.resolution]\nexcludes = ["x"]\n', "for PDM", 6),
    ],
)
def test_what_would_lock_another_package_is_refused(
    tmp_path: Path, text: str, said: str, line: int
) -> None:
    with pytest.raises(SpecError, match=said) as caught:
        read(tmp_path, f"{HEAD}dependencies = []\n{text}")
    assert caught.value.where is not None
    assert caught.value.where.line == line


@pytest.mark.parametrize(
    "text",
    [
        "uv = 3", "uv = {sources = 3}", "uv = {index = 3}", "uv = {index = [3]}",
        "uv = {index = [{name = 'x'}]}", "uv = {override-dependencies = 3}",
        "uv = {constraint-dependencies = [3]}", "uv = {conflicts = 3}", "uv = {conflicts = [3]}",
        "uv = {override-dependencies = ['=']}", "uv = {constraint-dependencies = ['=']}",
    ],
)  # fmt: skip
def test_tables_of_another_shape_are_errors(tmp_path: Path, text: str) -> None:
    with pytest.raises(SpecError):
        read(tmp_path, f"{HEAD}dependencies = []\n[tool]\n{text}\n")


@pytest.mark.parametrize(
    "line",
    [
        "x @ git+https://h.example/x.git@v1 ; sys_platform == 'win32'",
        "git+https://h.example/x.git@v1 ; python_version < '3.8'",
        "https://h.example/x-1-py3-none-any.whl ; platform_machine == 'arm64'",
        "x @ file:///x.whl ; sys_platform == 'darwin'",
        "./wheels/x-1-py3-none-any.whl ; os_name == 'nt'",
    ],
)
def test_an_address_whose_marker_is_false_is_left_out(tmp_path: Path, line: str) -> None:
    found = gather(tmp_path, PipSpec(requirements=(line, "a")))
    assert shown(found) == ["a"]


@pytest.mark.parametrize(
    "text",
    [
        '[[index]]\nurl = "https://corp.example/simple"\n', 'index-url = "https://c.example"\n',
        'extra-index-url = ["https://c.example"]\n', "no-index = true\n",
        'prerelease = "allow"\n', '[pip]\nindex-url = "https://c.example"\n',
        'find-links = ["./links"]\n',
    ],
)  # fmt: skip
def test_a_uv_toml_that_leads_elsewhere_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "uv.toml").write_text(f"# ours\n{text}")
    with pytest.raises(SpecError, match="decide where uv takes packages from") as caught:
        read(tmp_path, f'{HEAD}dependencies = ["a"]\n')
    assert caught.value.where is not None
    assert (caught.value.where.file, caught.value.where.line) == ("uv.toml", 2)


def test_a_uv_toml_that_changes_no_package_is_not(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text('cache-dir = "x"\nno-index = false\n')
    assert shown(read(tmp_path, f'{HEAD}dependencies = ["a"]\n')) == ["a"]


ROOT = """\
[tool.uv]
constraint-dependencies = ["c<2"]
[tool.uv.workspace]
members = ["packages/*"]
exclude = ["packages/out"]
[tool.uv.sources]
torchy = { index = "cpu" }
[[tool.uv.index]]
name = "cpu"
url = "https://cpu.example/simple"
explicit = true
"""


def member(folder: Path, name: str, text: str, root: str = ROOT) -> PipRequirements:
    (folder / "pyproject.toml").write_text(root)
    file = f"{name}/pyproject.toml"
    (folder / name).mkdir(parents=True)
    (folder / file).write_text(f"{HEAD}{text}")
    return gather(folder, PipSpec(files=(file,)))


def test_a_member_has_the_settings_of_its_workspace(tmp_path: Path) -> None:
    text = 'dependencies = ["torchy"]\n[tool.uv]\nconstraint-dependencies = ["mine<1"]\n'
    found = member(tmp_path, "packages/one", text)
    assert found.options.pinned == (("torchy", "https://cpu.example/simple"),)
    assert [str(item.requirement) for item in found.constraints] == ["c<2"]


def test_a_members_own_source_goes_first(tmp_path: Path) -> None:
    text = 'dependencies = ["torchy"]\n[tool.uv.sources]\ntorchy = {url = "https://h.example/torchy-1-py3-none-any.whl"}\n'
    found = member(tmp_path, "packages/one", text)
    assert shown(found) == ["torchy @ https://h.example/torchy-1-py3-none-any.whl"]
    assert found.options.pinned == ()


@pytest.mark.parametrize("name", ["packages/out", "packages/a/b", "other"])
def test_a_project_that_is_no_member_has_its_own(tmp_path: Path, name: str) -> None:
    found = member(tmp_path, name, 'dependencies = ["torchy"]\n')
    assert (found.options.pinned, found.constraints) == ((), [])


def test_two_projects_with_two_indexes_for_one_package_are_refused(tmp_path: Path) -> None:
    text = 'dependencies = ["t"]\n[tool.uv.sources]\nt = {{index = "i"}}\n[[tool.uv.index]]\nname = "i"\nurl = "https://{0}.example"\n'
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "1"\n{text.format(name)}'
        )
    with pytest.raises(SpecError, match="two indexes for t") as caught:
        gather(tmp_path, PipSpec(files=("a.toml", "b.toml")))
    assert caught.value.where is not None
    assert caught.value.where.file == "b.toml"


@pytest.mark.parametrize("key", ["constraint-dependencies", "override-dependencies"])
def test_sources_hold_for_constraints_and_overrides(tmp_path: Path, key: str) -> None:
    text = f'{HEAD}dependencies = ["a"]\n[tool.uv]\n{key} = ["torchy>1"]\n'
    text += TWO.partition("\n")[2].format(url="https://cpu.example/simple")
    assert read(tmp_path, text).options.pinned == (("torchy", "https://cpu.example/simple"),)


def test_a_groups_own_python_is_required(tmp_path: Path) -> None:
    text = f'{HEAD}dependencies = []\n[dependency-groups]\nDev_A = ["x"]\nb = ["y"]\n'
    text += "[tool.uv.dependency-groups]\ndev-a = {requires-python = '>=3.13'}\n"
    found = read(tmp_path, text, groups=("dev.a",))
    assert [(item, str(where.line)) for item, where in found.requires_python] == [(">=3.13", "9")]
    assert read(tmp_path, text, groups=("b",)).requires_python == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tool.uv.pip]\nextra-index-url = ["https://c.example"]\n', "setting of `uv pip`"),
        ('[tool.pixi.dependencies]\nscipy = "*"\n', "pixi installs this from conda channels"),
        ('[tool.pixi.pypi-dependencies]\nx = "*"\n', "pixi installs this as well"),
        ('[tool.pixi.feature.gpu.dependencies]\nx = "*"\n', "packages of its features"),
        ('[tool.conda-lock.dependencies]\nscipy = "*"\n', "conda-lock installs this"),
    ],
)
def test_packages_and_indexes_of_other_tables_are_named(
    tmp_path: Path, text: str, said: str
) -> None:
    [warning] = read(tmp_path, f'{HEAD}dependencies = ["a"]\n{text}').warnings
    assert said in warning
    assert warning.startswith(("pyproject.toml:5", "pyproject.toml:6"))


@pytest.mark.parametrize("url", ["https://mirror.example/simple", f"{PyPI.url}/other"])
def test_pdms_pypi_may_be_another_index(tmp_path: Path, url: str) -> None:
    text = f'{HEAD}dependencies = []\n[[tool.pdm.source]]\nname = "pypi"\nurl = "{url}"\n'
    with pytest.raises(SpecError, match="for PDM alone"):
        read(tmp_path, text)


@pytest.mark.parametrize("url", ["./links", "nowhere/simple"])
def test_an_index_folder_that_is_not_there_is_named(tmp_path: Path, url: str) -> None:
    text = f'{HEAD}dependencies = ["a"]\n[[tool.uv.index]]\nurl = "{url}"\n'
    with pytest.raises(SpecError, match="does not exist") as caught:
        read(tmp_path, text)
    assert caught.value.where is not None
    assert caught.value.where.line == 6


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ("python_full_version >= '3.9'", True), ("python_full_version < '3.12'", True),
        ("python_full_version < '3.11'", False), ("python_full_version >= '3.11.4'", None),
        ("python_full_version == '3.11.*'", True), ("python_full_version >= '3.12.0'", False),
    ],
)  # fmt: skip
def test_markers_that_every_patch_release_agrees_on_are_decided(
    marker: str, holds: bool | None
) -> None:
    assert KnownTarget().holds(Marker(marker)) is holds


def test_a_git_line_whose_marker_is_undecided_is_never_taken(tmp_path: Path) -> None:
    line = "x @ git+https://h.example/x.git ; python_full_version < '3.11.4'"
    with pytest.raises(SpecError, match="depends on the base"):
        gather(tmp_path, PipSpec(requirements=(line,)))
