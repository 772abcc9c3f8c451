"""All that a spec's pip half names, read and placed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from freezer.errors import SpecError
from freezer.fetch.http.client import NotFoundError
from freezer.model.spec.spec import PipSpec
from freezer.resolve.python.requirements.gather import PipRequirements, gather
from tests.support.python.indexes import FakeIndex, serve


def reading(folder: Path, spec: dict[str, Any], **files: str) -> PipRequirements:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return gather(folder, PipSpec(**spec))


def shown(gathered: PipRequirements) -> list[tuple[str, str]]:
    return [(str(item.requirement), str(item.where)) for item in gathered.requirements]


def test_a_list_in_the_spec(tmp_path: Path) -> None:
    found = reading(tmp_path, {"requirements": ("numpy", "scipy>=1")})
    assert shown(found) == [
        ("numpy", "freeze.yaml (pip.requirements[0])"),
        ("scipy>=1", "freeze.yaml (pip.requirements[1])"),
    ]


def test_files_that_include_files_relative_to_themselves(tmp_path: Path) -> None:
    found = reading(
        tmp_path,
        {"files": ("sub/a.txt",)},
        sub__a_txt="-r ../b.txt\n-c c.txt\nnumpy\n",
        b_txt="scipy\n",
        sub__c_txt="numpy<2\npandas[all]==1\n",
    )
    assert shown(found) == [("scipy", "b.txt:1"), ("numpy", "sub/a.txt:3")]
    assert [(str(c.requirement), str(c.where)) for c in found.constraints] == [
        ("numpy<2", "sub/c.txt:1"),
        ("pandas==1", "sub/c.txt:2"),
    ]


def test_what_a_constraints_file_includes_are_constraints(tmp_path: Path) -> None:
    found = reading(
        tmp_path, {"files": ("a.txt",)}, a_txt="-c b.txt\n", b_txt="-r c.txt\n", c_txt="numpy<2\n"
    )
    assert found.requirements == []
    assert len(found.constraints) == 1


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    found = reading(
        tmp_path, {"files": ("a.txt", "b.txt")}, a_txt="-r b.txt\nnumpy\n", b_txt="scipy\n"
    )
    assert [text for text, _ in shown(found)] == ["scipy", "numpy"]


def test_a_file_that_includes_itself(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="includes itself") as caught:
        reading(tmp_path, {"files": ("a.txt",)}, a_txt="-r b.txt\n", b_txt="\n-r a.txt\n")
    assert str(caught.value.where) == "b.txt:2"
    assert caught.value.found == "a.txt → b.txt → a.txt"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        reading(tmp_path, {"files": ("a.txt",)}, a_txt="\n-r nonesuch.txt\n")
    assert str(caught.value.where) == "a.txt:2"


def test_index_options_add_up_as_with_pip(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    found = reading(
        tmp_path,
        {"files": ("a.txt", "b.txt")},
        a_txt="--index-url https://one/simple\n--extra-index-url https://x/\n--find-links wheels\n",
        b_txt="-i https://two/simple\n--extra-index-url https://y/\n--no-index\n--pre\n",
    )
    assert found.options.index_url == "https://two/simple"
    assert found.options.extra_index_urls == ("https://x/", "https://y/")
    assert found.options.find_links == ((tmp_path / "wheels").as_uri(),)
    assert found.options.no_index
    assert found.prereleases


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("Pipfile", "pipenv requirements"),
        ("poetry.lock", "poetry export"),
        ("environment.yaml", "conda: environment.yml"),
        ("setup.py", "pip-compile"),
    ],
)
def test_other_tools_files_are_refused_with_the_way(tmp_path: Path, name: str, advice: str) -> None:
    with pytest.raises(SpecError, match="is not a requirements file") as caught:
        gather(tmp_path, PipSpec(files=(name,)))
    assert advice in str(caught.value.hint)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-e .", "editable"),
        ("git+ssh://h/x", "version control"),
        ("--no-binary numpy", "asks for source distributions"),
        ("--no-binary :all:", "asks for source distributions"),
        ("--nonesuch", "an unknown option"),
        ("numpy --hash=md5:00", "no SHA-256"),
    ],
)
def test_lines_that_are_refused(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        reading(tmp_path, {"files": ("a.txt",)}, a_txt=f"# first\n{line}\n")
    assert str(caught.value.where) == "a.txt:2"


def test_source_of_an_allowed_package_may_be_asked_for(tmp_path: Path) -> None:
    spec = {"files": ("a.txt",), "allow_sdist": ("My.Package",)}
    found = reading(tmp_path, spec, a_txt="--no-binary my-package,:none:\n")
    assert found.requirements == []


def test_what_is_not_followed_is_said(tmp_path: Path) -> None:
    found = reading(
        tmp_path,
        {"files": ("a.txt",)},
        a_txt="--trusted-host h\nnumpy --config-settings=a=b\n",
    )
    assert "certificates are always verified" in found.warnings[0]
    assert "a.txt:2" in found.warnings[1]


def test_secrets_are_kept_out_of_the_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    found = reading(
        tmp_path,
        {"files": ("a.txt",)},
        a_txt="--index-url https://me:hunter2@h/simple\n--extra-index-url https://${TOKEN}@h/\n",
    )
    assert found.options.index_url == "https://me:hunter2@h/simple"
    assert found.options.extra_index_urls == ("https://hunter2@h/",)
    assert "hunter2" not in repr(found.lines)


def test_comments_and_blank_lines_are_no_part_of_the_question(tmp_path: Path) -> None:
    one = reading(tmp_path, {"files": ("a.txt",)}, a_txt="numpy # fast\n\nscipy\n").lines
    other = reading(tmp_path, {"files": ("a.txt",)}, a_txt="# x\nnumpy\nscipy # y\n").lines
    assert one == other


def test_a_requirements_file_on_a_server(tmp_path: Path) -> None:
    class Page(FakeIndex):
        def body(self, name: str) -> bytes | None:
            return {"a.txt": b"-r b.txt\nnumpy\n", "b.txt": b"scipy\n"}.get(name)

    with serve(Page()) as index:
        found = reading(tmp_path, {"files": ("top.txt",)}, top_txt=f"-r {index.url}/reqs/a.txt\n")
        assert shown(found) == [
            ("scipy", f"{index.url}/reqs/b.txt:1"),
            ("numpy", f"{index.url}/reqs/a.txt:2"),
        ]
        with pytest.raises(NotFoundError):
            reading(tmp_path, {"files": ("top.txt",)}, top_txt=f"-r {index.url}/reqs/c.txt\n")


# pyproject.toml


PROJECT = """\
[project]
name = "Mine"
version = "1"
requires-python = ">=3.9"
dependencies = [
  "numpy>=1",
]
[project.optional-dependencies]
plots = ["matplotlib", "Mine[data]"]
data = ["pandas", "mine[plots]"]
[dependency-groups]
test = ["pytest", {include-group = "lint"}]
lint = ["ruff"]
loop = [{include-group = "loop"}]
around = [{include-group = "Around.again"}]
around_again = ["six", {include-group = "around"}]
both = [{include-group = "test"}, {include-group = "Lint"}]
gone = [{include-group = "nowhere"}]
odd = ["six", {include = "lint"}]
number = [3]
wrong = ["numpy=1"]
"""


def project(tmp_path: Path, text: str = PROJECT, **spec: Any) -> PipRequirements:
    (tmp_path / "pyproject.toml").write_text(text)
    return gather(tmp_path, PipSpec(files=("pyproject.toml",), **spec))


def test_a_projects_dependencies_have_lines(tmp_path: Path) -> None:
    found = project(tmp_path)
    assert shown(found) == [("numpy>=1", "pyproject.toml:6 (project.dependencies)")]
    assert [(text, str(where)) for text, where in found.requires_python] == [
        (">=3.9", "pyproject.toml")
    ]


@pytest.mark.parametrize("text", ['[project]\nname = "a"\n', "[project]\ndependencies = []\n"])
def test_a_project_without_dependencies_is_said(tmp_path: Path, text: str) -> None:
    assert project(tmp_path, text).warnings == [
        "pyproject.toml: no dependencies are declared in it"
    ]


def test_extras_may_include_one_another(tmp_path: Path) -> None:
    found = project(tmp_path, extras=("Plots",))
    assert [text for text, _ in shown(found)] == ["numpy>=1", "matplotlib", "pandas"]


def test_groups_include_groups(tmp_path: Path) -> None:
    found = project(tmp_path, groups=("test",))
    assert shown(found)[1:] == [
        ("pytest", "pyproject.toml:12 (dependency-groups.test)"),
        ("ruff", "pyproject.toml:13 (dependency-groups.lint)"),
    ]


def test_a_group_that_is_included_twice_is_no_circle(tmp_path: Path) -> None:
    found = project(tmp_path, groups=("Both", "lint"))
    assert {text for text, _ in shown(found)} == {"numpy>=1", "pytest", "ruff"}


def test_a_bad_requirement_of_a_group_has_its_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="not a requirement") as caught:
        project(tmp_path, groups=("wrong",))
    assert str(caught.value.where) == "pyproject.toml:21 (dependency-groups.wrong)"
    assert "numpy==1" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"extras": ("nonesuch",)}, "no extra 'nonesuch'"),
        ({"groups": ("nonesuch",)}, "no group 'nonesuch'"),
        ({"groups": ("loop",)}, "includes itself"),
        ({"groups": ("around",)}, "includes itself"),
        ({"groups": ("gone",)}, "no group 'nowhere'"),
        ({"groups": ("odd",)}, "neither a requirement nor an include"),
        ({"groups": ("number",)}, "neither a requirement nor an include"),
    ],
)
def test_extras_and_groups_that_fail(tmp_path: Path, spec: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        project(tmp_path, **spec)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[project\n", "not valid TOML"),
        ("[tool.poetry]\n", "no .project. table"),
        ('[project]\ndynamic = ["dependencies"]\n', "dependencies are dynamic"),
        ('[project]\ndependencies = "numpy"\n', "not a list of requirements"),
        ('[project]\ndependencies = ["numpy=1"]\n', "not a requirement"),
        ("[dependency-groups]\na_b = []\na-b = []\n", "same normalised name"),
        ('[dependency-groups]\na-b = "numpy"\n', "not a list of requirements"),
    ],
)
def test_projects_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    groups = ("a-b",) if "groups" in text else ()
    with pytest.raises(SpecError, match=message) as caught:
        project(tmp_path, text, groups=groups)
    assert str(caught.value.where).startswith("pyproject.toml")


def test_extras_without_a_project_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"extras and groups need a pyproject.toml"):
        gather(tmp_path, PipSpec(requirements=("numpy",), extras=("plots",)))
