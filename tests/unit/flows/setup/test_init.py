"""A first spec: from requirements, pyproject.toml or environment.yml, and always one that reads."""

from pathlib import Path

import pytest

from freezer.errors import HostError, SpecError
from freezer.flows.setup import init as init_module
from freezer.flows.setup.discover import MINORS, discover, version_of_file
from freezer.flows.setup.init import init
from freezer.frameworks import trainings
from freezer.model.spec.validate import parse_spec

CONDA = """\
name: My Env
channels: [conda-forge]
dependencies:
  - python=3.11
  - numpy=1.26
  - conda-forge::scikit-learn >=1.4,<2
  - pytorch==2.1.0=py3.11_cpu_0
  - cudatoolkit=11.8
  - pip
  - pip:
    - wandb>=0.16 ; python_version > "3"
"""


def written(folder, **options):
    result = init(folder, **options)
    return parse_spec(result.path.read_bytes(), "freeze.yaml", trainings())[0], result


def test_an_empty_folder_gives_a_spec_and_says_what_is_missing(tmp_path):
    spec, result = written(tmp_path, python="3.12")
    assert (spec.base, spec.python) == ("python:3.12-slim-bookworm", "3.12")
    assert any("no requirements" in note for note in result.notes)


def test_what_people_write_goes_before_what_tools_write(tmp_path):
    (tmp_path / "requirements.in").write_text("numpy\n")
    (tmp_path / "requirements.txt").write_text("numpy==2.4.6\n")
    spec, result = written(tmp_path)
    assert spec.pip.files == ("requirements.in",)
    assert any("requirements.txt" in note for note in result.notes)


def test_a_pyproject_gives_name_python_and_requirements(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "My_Model"\nrequires-python = "<3.12,>=3.9"\ndependencies = ["numpy"]\n'
    )
    spec, _ = written(tmp_path)
    assert (spec.name, spec.pip.files) == ("my-model", ("pyproject.toml",))
    assert spec.python == "3.11"


@pytest.mark.parametrize(
    "name", ["environment.yml", "conda/dev.yaml", "python_env.yaml", "MLmodel"]
)
@pytest.mark.parametrize("deep", ["[" * 200_000, "- " * 5_000 + "x"], ids=["brackets", "dashes"])
def test_yaml_that_is_nested_without_end_is_noted_before_it_is_loaded(tmp_path, name, deep):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(f"python: 3.10.1\ndependencies:\n  {deep}\n")
    found = discover(tmp_path)
    assert found.seen == []
    assert [note for note in found.notes if note.startswith(name) and "over 32 levels" in note]


def test_yaml_scalars_stay_text_and_anchors_are_followed(tmp_path):
    (tmp_path / "python_env.yaml").write_text("python: 3.10\n")
    (tmp_path / "environment.yml").write_text("x: &d [numpy]\nname: 1.10\ndependencies: *d\n")
    found = discover(tmp_path)
    assert found.name == "1-10"
    assert [item.file for item in found.pythons] == ["python_env.yaml"]


def test_a_broken_pyproject_is_noted_and_passed_over(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project\n")
    (tmp_path / "requirements.txt").write_text("numpy\n")
    spec, result = written(tmp_path)
    assert spec.pip.files == ("requirements.txt",)
    assert any("passed over" in note for note in result.notes)


def test_an_environment_yml_is_taken_as_it_is(tmp_path):
    (tmp_path / "environment.yml").write_text(CONDA)
    spec, _ = written(tmp_path)
    assert (spec.name, spec.python) == ("my-env", "3.11")
    assert spec.conda.file == "environment.yml"
    assert spec.base == "debian:bookworm-slim"
    assert spec.pip.requirements == spec.pip.files == ()


@pytest.mark.parametrize(
    ("text", "minor"),
    [("python 3.12.*", "3.12"), ("python>=3.10,<3.13", "3.10"), ("defaults::python=3.9", "3.9")],
)
def test_the_python_of_an_environment_yml(tmp_path, text, minor):
    (tmp_path / "environment.yml").write_text(f"dependencies: ['python-dateutil=3.8', '{text}']")
    [wanted] = discover(tmp_path).pythons
    assert wanted.allows_minor(minor)
    assert not wanted.allows_minor("3.7")


def test_conda_brings_its_own_python_to_any_suite(tmp_path):
    (tmp_path / "environment.yml").write_text("dependencies: [python=3.12, numpy]")
    spec, _ = written(tmp_path, bootstrap="bookworm")
    assert (spec.base.bootstrap, spec.python) == ("bookworm", "3.12")


def test_pips_files_go_before_condas_and_both_are_named(tmp_path):
    (tmp_path / "environment.yml").write_text(CONDA)
    (tmp_path / "requirements.txt").write_text("numpy\n")
    spec, result = written(tmp_path)
    assert spec.conda is None
    assert any("`conda: environment.yml`" in note for note in result.notes)


def test_a_bootstrapped_base_has_its_suites_python(tmp_path):
    spec, _ = written(tmp_path, bootstrap="trixie")
    assert (spec.base.bootstrap, spec.python) == ("trixie", "3.13")
    with pytest.raises(SpecError, match=r"has Python 3\.11"):
        init(tmp_path, bootstrap="bookworm", python="3.12", force=True)


def test_a_spec_that_is_there_stays(tmp_path):
    (tmp_path / "freeze.yaml").write_text("mine")
    with pytest.raises(HostError, match="already"):
        init(tmp_path)
    assert (tmp_path / "freeze.yaml").read_text() == "mine"


def test_the_python_version_file_decides(tmp_path):
    (tmp_path / ".python-version").write_text("3.10.4\n")
    spec, _ = written(tmp_path)
    assert spec.python == "3.10"


def test_a_name_that_cannot_be_used_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(SpecError, match="name"):
        init(tmp_path, name="Not A Name")
    assert not (tmp_path / "freeze.yaml").exists()


# Forms of projects: what is written, and what is noted


WHEELS = '[[packages]]\nname = "six"\nversion = "1"\n'
MLFLOW = "channels: [conda-forge]\ndependencies:\n- python=3.10.12\n- pip\n- pip: [mlflow]\n"
PIXI_LOCK = (
    "version: 6\nenvironments:\n  default:\n    packages: {}\npackages:\n"
    "- conda: https://conda.example/forge/linux-64/python-3.12.1-h1_cpython.conda\n"
)
FORMS: dict[str, tuple[dict[str, str], str, str]] = {
    # name: files, what the spec holds, minor version
    "requirements": ({"requirements.txt": "a"}, "files requirements.txt", "3.11"),
    "requirements-x": ({"requirements-train.txt": "a"}, "files requirements-train.txt", "3.11"),
    "requirements_x": ({"requirements_gpu.txt": "a"}, "files requirements_gpu.txt", "3.11"),
    "x-requirements": ({"prod-requirements.txt": "a"}, "files prod-requirements.txt", "3.11"),
    "development last": (
        {"requirements-dev.txt": "a", "requirements-train.txt": "b"},
        "files requirements-train.txt",
        "3.11",
    ),
    "folder": (
        {"requirements/dev.txt": "a", "requirements/base.txt": "b", "requirements/gpu.txt": "c"},
        "files requirements/base.txt",
        "3.11",
    ),
    "only development": ({"requirements-dev.txt": "a"}, "files requirements-dev.txt", "3.11"),
    "pip-tools": (
        {"requirements.in": "a", "requirements.txt": "a==1"},
        "files requirements.in",
        "3.11",
    ),
    "pyproject": (
        {"pyproject.toml": '[project]\nname="a"\nrequires-python=">=3.12"\ndependencies=["b"]'},
        "files pyproject.toml",
        "3.12",
    ),
    "dynamic from files": (
        {
            "pyproject.toml": '[project]\nname="a"\ndynamic=["dependencies"]\n'
            '[tool.setuptools.dynamic]\ndependencies={file=["reqs.txt"]}',
            "reqs.txt": "b",
        },
        "files reqs.txt",
        "3.11",
    ),
    "dynamic": (
        {"pyproject.toml": '[project]\nname="a"\ndynamic=["dependencies"]'},
        "refused",
        "",
    ),
    "dynamic beside requirements": (
        {
            "pyproject.toml": '[project]\nname="a"\ndynamic=["dependencies"]',
            "requirements.txt": "b",
        },
        "files requirements.txt",
        "3.11",
    ),
    "uv": (
        {
            "pyproject.toml": '[project]\nname="a"\nrequires-python="==3.10.*"\ndependencies=["b"]',
            "uv.lock": 'version = 1\nrequires-python = "==3.10.*"',
        },
        "files pyproject.toml",
        "3.10",
    ),
    "uv.lock alone": ({"uv.lock": 'version=1\nrequires-python="<3.10"'}, "files uv.lock", "3.9"),
    "pylock": (
        {"pylock.toml": f'lock-version="1.0"\ncreated-by="x"\nrequires-python=">=3.13"\n{WHEELS}'},
        "files pylock.toml",
        "3.13",
    ),
    "poetry": (
        {
            "pyproject.toml": '[tool.poetry]\nname="a"\n[tool.poetry.dependencies]\n'
            'python="^3.8,<3.10"\nnumpy="^1.21"\ntorch={version="~2.1",extras=["x"]}'
        },
        "list numpy<2,>=1.21 torch[x]<2.2,>=2.1",
        "3.9",
    ),
    "poetry with git": (
        {
            "pyproject.toml": '[tool.poetry]\nname="a"\n[tool.poetry.dependencies]\n'
            'x={git="https://h.example/x.git"}',
            "poetry.lock": "",
        },
        "refused",
        "",
    ),
    "poetry.lock": (
        {"poetry.lock": '[metadata]\npython-versions = ">=3.9"'},
        "refused",
        "",
    ),
    "pdm": (
        {
            "pyproject.toml": '[project]\nname="a"\ndependencies=["b"]\n[tool.pdm]\nx=1',
            "pdm.lock": '[metadata]\n[[metadata.targets]]\nrequires_python = "<3.11"',
        },
        "files pyproject.toml",
        "3.10",
    ),
    "pipfile": (
        {
            "Pipfile": '[packages]\nnumpy="*"\ntorch={version="==2.1",markers="os_name==\'posix\'"}\n'
            '[requires]\npython_version="3.9"',
            "Pipfile.lock": "{}",
        },
        'list numpy torch==2.1; os_name == "posix"',
        "3.9",
    ),
    "setup.cfg": (
        {
            "setup.cfg": "[metadata]\nname = a\n[options]\npython_requires = >=3.7,<3.10\n"
            "install_requires =\n  numpy>=1\n  scipy",
            "setup.py": "from setuptools import setup\nsetup()",
        },
        "list numpy>=1 scipy",
        "3.9",
    ),
    "setup.cfg from a file": (
        {"setup.cfg": "[options]\ninstall_requires = file: reqs.txt", "reqs.txt": "a"},
        "files reqs.txt",
        "3.11",
    ),
    "setup.py": (
        {
            "setup.py": "import setuptools\nneeds = ['numpy', 'scipy>=1']\nsetuptools.setup(name='a', "
            "python_requires='~=3.8', install_requires=needs)"
        },
        "list numpy scipy>=1",
        "3.11",
    ),
    "setup.py that computes": (
        {"setup.py": "from setuptools import setup\nsetup(install_requires=open('r').readlines())"},
        "refused",
        "",
    ),
    "environment.yml": (
        {"environment.yml": "dependencies: [python=3.10, a]"},
        "conda environment.yml",
        "3.10",
    ),
    "conda.yaml": ({"conda.yaml": "dependencies: ['python<3.12', a]"}, "conda conda.yaml", "3.11"),
    "environment-gpu": (
        {"environment-gpu.yml": "dependencies: ['python>=3.8,!=3.11.*,<3.12', a]"},
        "conda environment-gpu.yml",
        "3.10",
    ),
    "mlflow": (
        {
            "MLmodel": "flavors: {python_function: {python_version: 3.10.12}}",
            "conda.yaml": MLFLOW,
            "python_env.yaml": "python: 3.10.12",
            "requirements.txt": "mlflow",
        },
        "files requirements.txt",
        "3.10",
    ),
    "conda-lock": (
        {
            "conda-lock.yml": "metadata: {}\npackage:\n- url: https://c.example/f/linux-64/python-3.9.2-0.conda"
        },
        "conda conda-lock.yml",
        "3.9",
    ),
    "pixi": (
        {
            "pixi.toml": '[workspace]\nname="a"\n[dependencies]\npython="3.12.*"',
            "pixi.lock": PIXI_LOCK,
        },
        "conda pixi.lock",
        "3.12",
    ),
    "pixi.toml alone": ({"pixi.toml": '[dependencies]\npython="3.12.*"'}, "refused", ""),
    "pixi in pyproject": (
        {"pyproject.toml": '[tool.pixi.dependencies]\npython="3.12.*"'},
        "refused",
        "",
    ),
    "explicit": (
        {"linux.lock": "@EXPLICIT\nhttps://c.example/f/linux-64/python-3.10.2-0.tar.bz2#x"},
        "conda linux.lock",
        "3.10",
    ),
    "only tools": (
        {"pyproject.toml": "[tool.ruff]\nx = 1", "setup.cfg": "[flake8]\nx = 1"},
        "empty",
        "3.11",
    ),
    "project = 1": (
        {"pyproject.toml": "project = 1", "requirements.txt": "a"},
        "files requirements.txt",
        "3.11",
    ),
    "broken": (
        {"pyproject.toml": "[", "setup.py": "(", "environment.yml": "[", "Pipfile": "["},
        "empty",
        "3.11",
    ),
}


@pytest.fixture(autouse=True)
def host(monkeypatch):
    monkeypatch.setattr(init_module, "host_minor", lambda: "3.11")


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_projects(tmp_path: Path, form: str) -> None:
    files, holds, minor = FORMS[form]
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    if holds == "refused":
        with pytest.raises(SpecError, match="can be used as it is") as caught:
            init(tmp_path)
        assert all(any(name in line for line in caught.value.details) for name in files)
        assert not (tmp_path / "freeze.yaml").exists()
        return
    spec, result = written(tmp_path)
    kind, _, value = holds.partition(" ")
    found = {
        "files": " ".join(spec.pip.files),
        "list": " ".join(spec.pip.requirements),
        "conda": spec.conda.file if spec.conda else "",
        "empty": "",
    }
    assert found.pop(kind) == value
    assert not any(found.values())
    assert spec.python == minor
    said = "\n".join(result.notes)
    if form != "only tools":
        assert all(name in said for name in files if name != "reqs.txt")
    assert (kind == "empty") == ("no requirements were found here" in said)


def test_there_are_twenty_five_forms() -> None:
    assert len(FORMS) >= 25


@pytest.mark.parametrize(
    ("text", "minors"),
    [
        ("3.11", ["3.11"]), ("3.11.4", ["3.11"]), ("3.11.4\n3.10\n", ["3.11"]), ("v3.9", None),
        ("# mine\n3.10  # comment", ["3.10"]), ("cpython-3.12.1", ["3.12"]), ("python-3.8.5", ["3.8"]),
        ("cpython@3.12", ["3.12"]), ("3.13-dev", ["3.13"]), ("3.13t", None), ("pypy3.10-7.3", None),
        (">=3.12,<3.14", ["3.12", "3.13"]), ("cpython-3.11.4-linux-x86_64-gnu", ["3.11"]),
        ("system", None), ("myenv", None), ("3", None),
    ],
)  # fmt: skip
def test_forms_of_a_python_version_file(
    tmp_path: Path, text: str, minors: list[str] | None
) -> None:
    (tmp_path / ".python-version").write_text(text)
    found = discover(tmp_path)
    if minors is None:
        assert found.pythons == []
        assert any(".python-version was passed over" in note for note in found.notes)
    else:
        assert [minor for minor in MINORS if found.pythons[0].allows_minor(minor)] == minors
    assert version_of_file(".python-version", "nonsense") is None


def test_where_files_disagree_it_is_said_and_what_is_used_counts(tmp_path: Path) -> None:
    (tmp_path / "environment.yml").write_text("dependencies: ['python<3.9', a]")
    (tmp_path / ".python-version").write_text("3.12")
    spec, result = written(tmp_path)
    assert spec.python == "3.8"
    [note] = [note for note in result.notes if "disagree" in note]
    assert ".python-version: 3.12" in note
    assert "environment.yml: python<3.9" in note


def test_a_python_that_no_image_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("2.7.18")
    with pytest.raises(SpecError, match="no Python that Freezer has an image for") as caught:
        init(tmp_path)
    assert caught.value.details == (".python-version: 2.7.18",)


@pytest.mark.parametrize(
    ("text", "suite", "hint"),
    [("<3.10", "bookworm", "bullseye (3.9)"), (">=3.12", "bookworm", "trixie (3.13)"),
     ("==3.12.*", "trixie", "no suite has it; give --base python:3.12-slim-bookworm")],
)  # fmt: skip
def test_suites_that_have_the_python_are_offered(
    tmp_path: Path, text: str, suite: str, hint: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "a"\nrequires-python = "{text}"\ndependencies = ["b"]\n'
    )
    with pytest.raises(SpecError, match=f"Debian {suite} has Python") as caught:
        init(tmp_path, bootstrap=suite)
    assert hint in str(caught.value.hint)
    assert caught.value.details == (f"pyproject.toml: {text}",)


def test_a_given_python_that_the_files_do_not_allow_is_noted(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("3.9")
    spec, result = written(tmp_path, python="3.12")
    assert spec.python == "3.12"
    assert any("ask for another Python than 3.12" in note for note in result.notes)


SCRIPT = '# /// script\n# requires-python = ">=3.12"\n# dependencies = ["six", "idna>=3"]\n# ///\n'
PIXI = (
    '[project]\nname = "p"\ndependencies = ["numpy"]\n[tool.pixi.dependencies]\npython = "3.12.*"\n'
)


@pytest.mark.parametrize(
    ("files", "key", "value", "noted"),
    [
        ({"train.py": SCRIPT, "other.py": "x = 1\n"}, "pip", ["six", "idna>=3"], "PEP 723"),
        ({"reqs.txt": "six\n"}, "files", ["reqs.txt"], "reqs.txt is used"),
        ({"envs/gpu.yml": "dependencies: [python=3.10]\n"}, "conda", "envs/gpu.yml", "is used"),
        ({"requirements.in": "a\n", "requirements.txt": "a==1\n"}, "files", ["requirements.in"],
         "write `pip: requirements.txt` to use it instead"),
        ({"setup.cfg": "[options]\ninstall_requires = file: reqs.txt\n", "reqs.txt": "a\n"},
         "files", ["reqs.txt"], "setup.cfg is a setuptools project, and is not used; its dependen"),
        ({"requirements.txt": "# none\n", "requirements_b.txt": "a\n"}, "files",
         ["requirements_b.txt"], "requirements.txt requires nothing"),
        ({"requirements.txt": "a\n", "python_env.yaml": "python: 3.9.1\ndependencies: [a]\n"},
         "files", ["requirements.txt"], "only its Python counts"),
    ],
)  # fmt: skip
def test_further_forms(
    tmp_path: Path, files: dict[str, str], key: str, value: object, noted: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    spec, result = written(tmp_path)
    found = {"pip": list(spec.pip.requirements), "files": list(spec.pip.files),
             "conda": spec.conda and spec.conda.file}  # fmt: skip
    assert found[key] == value
    assert any(noted in note for note in result.notes), result.notes


def test_a_file_that_is_read_through_another_one_is_not_called_unused(tmp_path: Path) -> None:
    text = '[project]\nname="x"\ndynamic=["dependencies"]\n[tool.setuptools.dynamic]\n'
    (tmp_path / "pyproject.toml").write_text(f'{text}dependencies={{file=["requirements.txt"]}}\n')
    (tmp_path / "requirements.txt").write_text("numpy\n")
    _, result = written(tmp_path)
    assert not any("not used" in note for note in result.notes)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"pyproject.toml": '[tool.uv.workspace]\nmembers = ["a/*"]\n'}, "members: a/*"),
        ({"pyproject.toml": f'{PIXI}scipy = "*"\n'}, "a pixi project; run `pixi lock`"),
        ({"pyproject.toml": f'{PIXI}[tool.pixi.feature.g.dependencies]\nx = "*"\n'}, "pixi lock"),
        ({"setup.py": "setup(**config)\n"}, "install_requires is computed"),
        ({"setup.py": "import build_it\n"}, "install_requires is computed"),
        ({"Pipfile": '[packages]\na = "*"\n[[source]]\nurl = "https://u:hush@c.example"\n'},
         "the index https://***@c.example"),
    ],
)  # fmt: skip
def test_what_no_spec_can_hold_is_refused_with_the_way_out(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(SpecError, match="no file here can be used") as caught:
        init(tmp_path)
    assert said in str(caught.value)
    assert "hush" not in str(caught.value)
    assert not (tmp_path / "freeze.yaml").exists()


def test_pixi_that_brings_python_alone_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PIXI)
    spec, _ = written(tmp_path)
    assert spec.pip.files == ("pyproject.toml",)


@pytest.mark.parametrize(
    ("file", "text", "minor"),
    [
        (".tool-versions", "nodejs 20\npython 3.10.4 3.9 # x\n", "3.10"),
        ("mise.toml", '[tools]\npython = "3.10"\n', "3.10"),
        (".mise.toml", '[tools]\npython = ["3.12", "3.11"]\n', "3.12"),
        ("mise.toml", '[tools]\npython = {version = "3.13"}\n', "3.13"),
    ],
)
def test_version_managers_decide(tmp_path: Path, file: str, text: str, minor: str) -> None:
    (tmp_path / file).write_text(text)
    (tmp_path / "requirements.txt").write_text("six\n")
    assert written(tmp_path)[0].python == minor


@pytest.mark.parametrize("how", ["folder", "link"])
@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml", "environment.yml"])
def test_a_name_that_is_no_file_is_noted(tmp_path: Path, name: str, how: str) -> None:
    if name == "environment.yml" or how == "folder":
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).symlink_to("nowhere")
    _, result = written(tmp_path)
    expected = name != "environment.yml"  # a pattern, of which nothing is expected
    assert any(f"{name} was passed over" in note for note in result.notes) is expected


def test_versions_that_are_no_specifier_are_noted(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname="x"\nrequires-python="3.x"\n')
    _, result = written(tmp_path)
    assert any("'3.x' is no specifier" in note for note in result.notes)
