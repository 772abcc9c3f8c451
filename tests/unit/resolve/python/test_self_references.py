"""A project's own name in its dependencies, extras and groups is the project, never an index's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from freezer.errors import ResolveError, SpecError, Where
from freezer.model.lock import PipPackage
from freezer.model.spec.spec import PipSpec
from freezer.resolve.python.requirements import self_references
from freezer.resolve.python.requirements.gather import PipRequirements, gather
from freezer.resolve.python.requirements.self_references import Declared, OwnProject, expand
from freezer.resolve.python.resolve import require_no_project

HEAD = '[project]\nname = "Ocean_Nets"\nversion = "1.2"\n'


def asked(folder: Path, text: str, **spec: Any) -> list[str]:
    return [str(item.requirement) for item in read(folder, text, **spec).requirements]


def read(folder: Path, text: str, **spec: Any) -> PipRequirements:
    (folder / "pyproject.toml").write_text(text)
    return gather(folder, PipSpec(files=("pyproject.toml",), **spec))


@pytest.mark.parametrize("name", ["ocean-nets", "Ocean_Nets", "OCEAN.NETS", "ocean--nets"])
@pytest.mark.parametrize("place", ["dependencies", "extra", "group"])
def test_in_every_place_it_is_the_project(tmp_path: Path, name: str, place: str) -> None:
    item = f'["{name}[fast]", "beta"]'
    dependencies = item if place == "dependencies" else "[]"
    extra = f"dev = {item}\n" if place == "extra" else ""
    text = (
        f"{HEAD}dependencies = {dependencies}\n[project.optional-dependencies]\n{extra}"
        f'fast = ["delta>=1"]\n[dependency-groups]\ndev = {item}\n'
    )
    spec = {"extra": {"extras": ("dev",)}, "group": {"groups": ("dev",)}}.get(place, {})
    assert asked(tmp_path, text, **spec) == ["delta>=1", "beta"]


def test_bare_it_means_nothing(tmp_path: Path) -> None:
    text = f'{HEAD}dependencies = ["ocean-nets", "ocean.nets>=1", "alpha"]\n'
    assert asked(tmp_path, text) == ["alpha"]


def test_markers_are_kept_through_every_level(tmp_path: Path) -> None:
    text = (
        f"{HEAD}dependencies = [\"ocean-nets[a]; python_version >= '3.9'\"]\n"
        "[project.optional-dependencies]\n"
        'a = ["ocean-nets[b] ; sys_platform == \'linux\'", "one"]\n'
        "b = [\"two ; os_name == 'posix' or os_name == 'nt'\", \"three @ https://h.example/three.whl\"]\n"
    )
    found = asked(tmp_path, text)
    both = 'python_version >= "3.9" and sys_platform == "linux"'
    assert found == [
        f'two; ({both}) and (os_name == "posix" or os_name == "nt")',
        f"three @ https://h.example/three.whl ; {both}",
        'one; python_version >= "3.9"',
    ]


@pytest.mark.parametrize(
    "item", ["ocean-nets>=2", "ocean-nets[fast]==9.9", "Ocean_Nets @ https://h.example/o.whl"]
)
def test_what_contradicts_is_refused_with_its_line(tmp_path: Path, item: str) -> None:
    text = f'{HEAD}dependencies = [\n  "alpha",\n  "{item}",\n]\n'
    text += '[project.optional-dependencies]\nfast = ["delta"]\n'
    with pytest.raises(SpecError, match="is this project") as caught:
        asked(tmp_path, text)
    assert caught.value.where is not None
    assert (caught.value.where.file, caught.value.where.line) == ("pyproject.toml", 6)


def test_a_version_that_only_a_build_knows_contradicts_nothing(tmp_path: Path) -> None:
    text = '[project]\nname = "ocean"\ndynamic = ["version"]\ndependencies = ["ocean[x]>=7"]\n'
    text += '[project.optional-dependencies]\nx = ["delta"]\n'
    assert asked(tmp_path, text) == ["delta"]


def test_an_extra_that_is_not_there_is_named_where_it_is_asked_for(tmp_path: Path) -> None:
    text = f'{HEAD}dependencies = [\n  "ocean-nets[nonesuch]",\n]\n'
    with pytest.raises(SpecError, match="no extra 'nonesuch'") as caught:
        asked(tmp_path, text)
    assert caught.value.where is not None
    assert caught.value.where.line == 5


def test_poetrys_name_is_the_projects_as_well(tmp_path: Path) -> None:
    text = '[tool.poetry]\nname = "ocean"\n[dependency-groups]\ndev = ["ocean", "pytest"]\n'
    assert asked(tmp_path, text, groups=("dev",)) == ["pytest"]


EXTRAS = st.dictionaries(
    st.sampled_from(list("abcdef")),
    st.lists(
        st.one_of(
            st.integers(0, 9).map(lambda number: f"p{number}"),
            st.sets(st.sampled_from(list("abcdef")), max_size=3).map(
                lambda names: f"Me[{','.join(sorted(names))}]"
            ),
        ),
        max_size=5,
    ),
)


@given(EXTRAS, st.sets(st.sampled_from(list("abcdef")), min_size=1))
def test_extras_expand_to_all_that_they_reach(
    extras: dict[str, list[str]], wanted: set[str]
) -> None:
    def own_extra(name: str) -> list[Declared]:
        return [Declared(text, Where("p.toml", 1)) for text in extras.get(name, [])]

    start = Declared(f"me[{','.join(sorted(wanted))}]", Where("p.toml", 1))
    found = expand([start], {"me": OwnProject("me", "1", own_extra)}, {})
    reached, waiting = set[str](), list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            for text in extras.get(name, []):
                waiting += Requirement(text).extras
    expected = {text for name in reached for text in extras.get(name, []) if text[0] == "p"}
    assert {item.text for item in found} == expected


def test_extras_that_include_each_other_without_end_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(self_references, "_MOST", 1000)
    names = [f"e{number}" for number in range(12)]

    def own_extra(name: str) -> list[Declared]:
        marker = f"python_version > '3.{name[1:]}'"
        return [Declared(f"me[{other}]; {marker}", Where("p", 1)) for other in names]

    with pytest.raises(SpecError, match="include each other too often"):
        expand([Declared("me[e0]", Where("p", 1))], {"me": OwnProject("me", "1", own_extra)}, {})


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("project = 1\n", "project"),
        ('[project]\nname = "a"\noptional-dependencies = ["x"]\n', "project.optional-dependencies"),
        ('project = ["a"]\n', "project"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(SpecError, match="is not a table") as caught:
        read(tmp_path, text, extras=("x",))
    assert caught.value.where is not None
    assert caught.value.where.key == key


def package(name: str, reason: str, *, requested: bool) -> PipPackage:
    return PipPackage(
        source="pypi", file=f"{name}-9.9-py3-none-any.whl", size=1, sha256="a" * 64,
        name=name, version="9.9", requested=requested, reason=reason,
    )  # fmt: skip


def test_a_dependency_that_needs_the_projects_name_is_not_given_a_strangers(tmp_path: Path) -> None:
    gathered = read(tmp_path, f'{HEAD}dependencies = ["plugin"]\n')
    with pytest.raises(ResolveError, match="ocean-nets is this project") as caught:
        require_no_project(gathered, [package("ocean-nets", "needed by plugin", requested=False)])
    assert "needed by plugin" in str(caught.value)
    require_no_project(gathered, [package("ocean-nets", "asked for", requested=True)])


OTHER = '[project]\nname = "reef"\nversion = "3"\ndependencies = [{}]\n'


def several(folder: Path, texts: dict[str, str], **spec: Any) -> PipRequirements:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return gather(folder, PipSpec(**spec))


def names(found: PipRequirements) -> list[str]:
    return [str(item.requirement) for item in found.requirements]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    "item", ["ocean-nets", "Ocean_Nets>=1", "ocean.nets[fast]==1.2", "ocean-nets[fast]"]
)
def test_projects_of_one_spec_require_each_other_and_no_strangers(
    tmp_path: Path, item: str, first: int
) -> None:
    own = f'{HEAD}dependencies = ["alpha"]\noptional-dependencies = {{fast = ["delta"]}}\n'
    files = {"a/pyproject.toml": own, "b/pyproject.toml": OTHER.format(f'"{item}"')}
    order = tuple(files) if first else tuple(reversed(files))
    found = several(tmp_path, files, files=order)
    assert sorted(names(found)) == (["alpha", "delta"] if "fast" in item else ["alpha"])


@pytest.mark.parametrize("source", ["{ workspace = true }", '{ path = "../a", editable = true }'])
def test_a_source_that_is_a_project_of_the_spec_is_that_project(
    tmp_path: Path, source: str
) -> None:
    files = {
        "a/pyproject.toml": f'{HEAD}dependencies = ["alpha"]\n',
        "b/pyproject.toml": OTHER.format('"ocean-nets"')
        + f"[tool.uv.sources]\nocean-nets = {source}\n",
    }
    assert names(several(tmp_path, files, files=tuple(files))) == ["alpha"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ocean-nets[fast]>=9", "is this project"),
        ("ocean-nets @ https://h.example/ocean_nets-1-py3-none-any.whl", "is this project"),
        (f"ocean-nets==1.2 --hash=sha256:{'a' * 64}", "an index's file"),
    ],
)
def test_a_requirements_file_cannot_ask_for_a_stranger_either(
    tmp_path: Path, line: str, said: str
) -> None:
    files = {"pyproject.toml": f"{HEAD}dependencies = []\n", "r.txt": f"beta\n{line}\n"}
    with pytest.raises(SpecError, match=said) as caught:
        several(tmp_path, files, files=("r.txt", "pyproject.toml"))
    assert str(caught.value.where) == "r.txt:2"


def test_in_every_list_the_name_is_the_project(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": f'{HEAD}dependencies = []\noptional-dependencies = {{fast = ["delta"]}}\n',
        "r.txt": "ocean-nets[fast] ; sys_platform == 'linux'\nocean-nets\n",
    }
    found = several(
        tmp_path, files, files=("r.txt", "pyproject.toml"), requirements=("Ocean-Nets>=1", "beta")
    )
    assert names(found) == ["beta", 'delta; sys_platform == "linux"']


def test_an_exact_version_in_the_specs_own_list_is_the_published_package(tmp_path: Path) -> None:
    files = {"pyproject.toml": f'{HEAD}dependencies = ["alpha"]\n'}
    found = several(tmp_path, files, files=("pyproject.toml",), requirements=("ocean-nets==9.9",))
    assert names(found) == ["ocean-nets==9.9", "alpha"]
    assert "the published package is installed" in found.warnings[0]


@pytest.mark.parametrize("line", [".", ".[fast]", "./", "..", "-e .[fast,slow]"])
def test_the_projects_own_folder_is_refused_with_the_way_out(tmp_path: Path, line: str) -> None:
    with pytest.raises(SpecError, match="cannot be locked") as caught:
        several(tmp_path, {"r.txt": f"{line}\n"}, files=("r.txt",))
    assert "pyproject.toml" in str(caught.value.hint)
